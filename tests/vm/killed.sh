# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest with zram: ksplice-apply and ksplice-undo were killed, with an update
# of vmlinux and zram, and find what is left the next time.

# shellcheck source=tests/vm/steps.sh
. /steps.sh

file=/updates/ksplice-module.tar.gz
initstate=/sys/block/zram0/initstate

# Both are patched, or neither.
is_patched()
{
	contains "loadavg $1" "$(cat /proc/loadavg)" patched
	expect "initstate $1" "$(cat $initstate)" "0 patched zram"
}

is_unpatched()
{
	lacks "loadavg $1" "$(cat /proc/loadavg)" patched
	expect "initstate $1" "$(cat $initstate)" 0
	expect "modules $1" "$(lsmod | sed 1d)" "$lsmod_before"
}

# What ksplice-apply does, and then ksplice-undo.
steps="core vmlinux_old zram_old matched vmlinux_new zram_new applied -zram_old -vmlinux_old
	reversed -zram_new -vmlinux_new"
nr_steps=12

# leave N: as they leave it when they are killed after the first N of these steps.
# Sets $last to the last one, and $stage to the stage.
leave()
{
	count=0
	for last in $steps; do
		case $last in
		core) core ;;
		*ed) ask module "$last" ;;
		-*) must rmmod "ksplice_module_${last#-}" ;;
		*) must insmod "/updates/ksplice-module/ksplice_module_$last.ko" ;;
		esac
		count=$((count + 1))
		[ $count -lt "$1" ] || break
	done
	stage=$(cat $sys/module/stage 2> /dev/null)
}

for n in $(seq $nr_steps); do
	leave "$n"
	case $stage in
	applied) refuse "already applied" ksplice-apply $file ;;
	*) must ksplice-apply $file ;;
	esac
	is_patched "when applied after $last"
	must ksplice-undo module
	is_unpatched "when undone after $last"
	[ -z "$errors" ] || break
done
finish "an update of two targets is applied after one that was killed at each step"

# undo_after N: what was applied is undone, what was not or is gone is no update.
undo_after()
{
	leave "$1"
	ksplice-undo module > /tmp/out 2>&1
	status=$?
	case $last in
	applied | -*_old | reversed | -zram_new) expect "status of ksplice-undo after $last" $status 0 ;;
	*) expect "status of ksplice-undo after $last" $status 6 ;;
	esac
	is_unpatched "when undone after $last"
}

for n in $(seq $nr_steps); do
	undo_after "$n"
	[ -z "$errors" ] || break
done
# Undone before ksplice-apply could unload the old code.
steps="core vmlinux_old zram_old matched vmlinux_new zram_new applied reversed
	-zram_old -vmlinux_old -zram_new -vmlinux_new"
for n in $(seq 8 $nr_steps); do
	undo_after "$n"
	[ -z "$errors" ] || break
done
finish "an update of two targets is undone after one that was killed at each step"

# now: in hundredths of a second
now()
{
	sed 's/\.\([0-9]*\) .*/\1/' /proc/uptime
}

# kill_after MICROSECONDS COMMAND...: sets $left to what the core says then
kill_after()
{
	delay=$1
	shift
	"$@" > /tmp/out 2>&1 &
	pid=$!
	usleep "$delay"
	kill -KILL $pid 2> /dev/null
	wait $pid 2> /dev/null
	left=$(cat $sys/module/stage 2> /dev/null || echo none)
}

# At 20 moments of the time that they take.
start=$(now)
must ksplice-apply $file
between=$(now)
must ksplice-undo module
apply_step=$(((between - start) * 500 + 1))
undo_step=$((($(now) - between) * 500 + 1))
kills=0
while [ $kills -lt 20 ] && [ -z "$errors" ]; do
	kill_after $((kills * apply_step)) ksplice-apply $file
	seen="$seen $left"
	[ "$left" = applied ] || must ksplice-apply $file
	is_patched "after kill $kills"
	kill_after $((kills * undo_step)) ksplice-undo module
	seen="$seen $left"
	ksplice-undo module > /tmp/out 2>&1
	status=$?
	case $left in
	none) expect "status of ksplice-undo after kill $kills" $status 6 ;;
	*) expect "status of ksplice-undo after kill $kills at $left" $status 0 ;;
	esac
	is_unpatched "after kill $kills"
	kills=$((kills + 1))
done
expect "kills" $kills 20
echo "stages they were killed at:$seen"
finish "an update of two targets, killed at any moment, then run again"
