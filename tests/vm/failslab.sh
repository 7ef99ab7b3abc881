# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest with CONFIG_FAULT_INJECTION, where test-debug-kernel put unpacked
# updates into /updates: allocations fail at every step.  A step that fails leaves
# all as it was, and without faults it succeeds afterwards.

# shellcheck source=tests/vm/cases.sh
. /cases.sh

sys=/sys/kernel/ksplice
slab=/sys/kernel/debug/failslab
rounds=$FAULT_ROUNDS
seed=$FAULT_SEED

# Only tasks that ask for it; allocations that may sleep, too; no stack traces.
echo Y > $slab/task-filter
echo N > $slab/ignore-gfp-wait
echo 0 > $slab/verbose
echo 1 > $slab/interval
echo 0 > $slab/probability

# random BELOW: a number in $random, the same ones in each run
random()
{
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	random=$((seed * $1 / 2147483648))
}

# faults PROBABILITY TIMES SPACE: what happens to those who ask for it
faults()
{
	echo "$2" > $slab/times
	echo "$3" > $slab/space
	echo "$1" > $slab/probability
}

# with_faults COMMAND...: run a program with them; sets $status and $out
with_faults()
{
	status=0
	out=$(echo 1 > /proc/self/make-it-fail && exec "$@" 2>&1) || status=$?
}

# without_faults COMMAND...
without_faults()
{
	faults 0 0 0
	out=$("$@" 2>&1) || errors="$errors; $* fails without faults: $out"
}

half()
{
	echo "/updates/ksplice-$1/ksplice_$1_$2.ko"
}

# write_failing N TEXT FILE: the Nth allocation of the write fails.  Prints how many
# there were left when it ended.
write_failing()
{
	(
		exec 3> "$3" || exit
		echo "$1" > /proc/thread-self/fail-nth
		if echo "$2" >&3; then
			status=0
		else
			status=1
		fi
		read -r left < /proc/thread-self/fail-nth
		echo 0 > /proc/thread-self/fail-nth
		echo "$left"
		exit $status
	) 2> /dev/null
}

# sweep ID STAGE FROM UNDO...: let each allocation on the way from stage FROM fail,
# one at a time.  UNDO goes back to FROM after a success.
sweep()
{
	id=$1
	stage=$2
	from=$3
	shift 3
	failed=0
	nth=0
	while nth=$((nth + 1)); do
		left=$(write_failing $nth "$stage" "$sys/$id/stage")
		status=$?
		now=$(cat "$sys/$id/stage")
		if [ $status = 0 ]; then
			expect "stage after success at allocation $nth" "$now" "$stage"
			# It did not come to that many.
			[ "${left:-0}" = 0 ] || break
			"$@"
		else
			failed=$((failed + 1))
			expect "stage after a failure of allocation $nth" "$now" "$from"
		fi
		[ -z "$errors" ] || break
		[ $nth -lt 400 ] || break
	done
	echo "$id, $stage: $failed of $((nth - 1)) allocations are needed"
}

# What sweep() calls, which shellcheck does not see.
# shellcheck disable=SC2317
back_to_registered()
{
	without_faults rmmod "ksplice_$1_vmlinux_old"
	without_faults insmod "$(half "$1" vmlinux_old)"
}

# shellcheck disable=SC2317
back_to_linked()
{
	[ "$(cat "$sys/$1/stage")" != applied ] || echo reversed > "$sys/$1/stage"
	without_faults rmmod "ksplice_$1_vmlinux_new"
	echo matched > "$sys/$1/stage"
	without_faults insmod "$(half "$1" vmlinux_new)"
}

# shellcheck disable=SC2317
back_to_applied()
{
	back_to_linked "$1"
	echo applied > "$sys/$1/stage"
}

without_faults insmod /updates/ksplice-string/ksplice.ko
without_faults insmod "$(half string vmlinux_old)"
sweep string matched registered back_to_registered string
without_faults insmod "$(half string vmlinux_new)"
sweep string applied linked back_to_linked string
contains "loadavg" "$(cat /proc/loadavg)" patched
sweep string reversed applied back_to_applied string
lacks "loadavg" "$(cat /proc/loadavg)" patched
without_faults rmmod ksplice_string_vmlinux_new
without_faults rmmod ksplice_string_vmlinux_old
without_faults rmmod ksplice
end_case "faults: each allocation of each request"

# load_failing FILE: load a module with a fault at each place, with steps that
# grow; modules that are loaded although something failed are unloaded again.
# Two faults, because insmod tries a second time.
load_failing()
{
	name=$(basename "$1" .ko)
	space=0
	failed=0
	tries=0
	while :; do
		before=$(ls /sys/module)
		faults 100 2 $space
		with_faults insmod "$1"
		tries=$((tries + 1))
		unused=$(cat $slab/times)
		faults 0 0 0
		if [ $status = 0 ]; then
			[ "$unused" != 2 ] || break
			without_faults rmmod "$name"
		else
			failed=$((failed + 1))
		fi
		expect "modules after a fault at $space of $name" "$(ls /sys/module)" "$before"
		[ -z "$errors" ] || break
		random $((space / 8 + 256))
		space=$((space + 64 + random))
	done
	echo "$name: $failed of $((tries - 1)) loads failed"
}

load_failing /updates/ksplice-string/ksplice.ko
load_failing "$(half string vmlinux_old)"
expect "stage" "$(cat $sys/string/stage)" registered
echo matched > $sys/string/stage
# New code that goes takes what was published along.
while [ -z "$errors" ]; do
	faults 100 2 "${space_new:-0}"
	with_faults insmod "$(half string vmlinux_new)"
	unused=$(cat $slab/times)
	faults 0 0 0
	random $((${space_new:-0} / 8 + 256))
	space_new=$((${space_new:-0} + 64 + random))
	now=$(cat $sys/string/stage)
	if [ $status != 0 ]; then
		expect "stage after a fault in new code" "$now" matched
	elif [ "$unused" != 2 ]; then
		expect "stage" "$now" linked
		without_faults rmmod ksplice_string_vmlinux_new
		echo matched > $sys/string/stage
	else
		expect "stage" "$now" linked
		break
	fi
done
echo applied > $sys/string/stage
contains "loadavg" "$(cat /proc/loadavg)" patched
echo reversed > $sys/string/stage
without_faults rmmod ksplice_string_vmlinux_new
without_faults rmmod ksplice_string_vmlinux_old
without_faults rmmod ksplice
end_case "faults: at each step of loading the modules"

# Is nothing of Ksplice there?
is_clean()
{
	[ ! -e $sys ] && [ "$(lsmod | sed 1d)" = "$lsmod_before" ] &&
		! grep -q patched /proc/loadavg
}

# A program that could not even start or was killed by the fault says nothing;
# what it left is for the next one.
has_ended_itself()
{
	[ "$status" -lt 126 ] && [ -n "$out" ]
}

# undo_failing ID: undo with faults until it works; what fails changes nothing.
undo_failing()
{
	tries=0
	while [ -e "$sys/$1" ] && [ -z "$errors" ]; do
		before=$(cat "$sys/$1/stage")
		random 4
		times=$((random + 1))
		random $undo_size
		faults 20 $times $((start + random))
		with_faults ksplice-undo "$1"
		faults 0 0 0
		undos=$((undos + 1))
		[ $status = 0 ] || [ ! -e "$sys/$1" ] || [ "$before" != applied ] ||
			case $(cat "$sys/$1/stage") in
			applied) contains "loadavg" "$(cat /proc/loadavg)" patched ;;
			reversed) lacks "loadavg" "$(cat /proc/loadavg)" patched ;;
			*) errors="$errors; undo left stage $(cat "$sys/$1/stage"): $out" ;;
			esac
		tries=$((tries + 1))
		[ $tries -lt 40 ] || without_faults ksplice-undo "$1"
	done
}

# measure COMMAND...: set $used to what it allocates, in bytes
measure()
{
	faults 100 1 1000000000
	with_faults "$@"
	used=$((1000000000 - $(cat $slab/space)))
	faults 0 0 0
	[ $status = 0 ] || errors="$errors; $* fails: $out"
}

# Not before the program runs: a fault in execve() kills it.
measure ksplice-apply --version
start=$used
measure ksplice-apply /updates/ksplice-string.tar.gz
apply_size=$((used - start))
measure ksplice-undo string
undo_size=$((used - start))
is_clean || errors="$errors; not clean before the faults"
echo "ksplice-apply allocates $apply_size bytes, ksplice-undo $undo_size, starting $start"

round=0
applied=0
refused=0
killed=0
undos=0
while [ $round -lt "$rounds" ] && [ -z "$errors" ]; do
	round=$((round + 1))
	random 3
	case $random in
	0) probability=5 ;;
	1) probability=10 ;;
	*) probability=20 ;;
	esac
	random 4
	times=$((random + 1))
	random $apply_size
	faults $probability $times $((start + random))
	with_faults ksplice-apply /updates/ksplice-string.tar.gz
	faults 0 0 0
	if [ $status = 0 ]; then
		applied=$((applied + 1))
		contains "loadavg" "$(cat /proc/loadavg)" patched
		undo_failing string
	elif has_ended_itself; then
		refused=$((refused + 1))
		is_clean || errors="$errors; ksplice-apply failed and left something: $out; $(ls $sys; lsmod)"
	else
		killed=$((killed + 1))
	fi
	if ! is_clean; then
		# Of an undo or apply that was killed.
		without_faults ksplice-apply /updates/ksplice-string.tar.gz
		without_faults ksplice-undo string
	fi
	is_clean || errors="$errors; round $round: not clean: $out; $(ls $sys; lsmod)"
done
echo "$round rounds: applied $applied, refused $refused, killed $killed; $undos undos"
[ $applied -gt 0 ] && [ $refused -gt 0 ] || errors="$errors; the faults hit always or never"
without_faults ksplice-apply /updates/ksplice-string.tar.gz
contains "loadavg" "$(cat /proc/loadavg)" patched
without_faults ksplice-undo string
end_case "faults: ksplice-apply and ksplice-undo, $rounds rounds"
exit 0
