# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest, where tests/match/live put _old modules into /match: matches
# each with the running kernel.  Prints lines "match ID TARGET FUNCTIONS BYTES MS",
# "differs ID TARGET WHY" and "absent ID TARGET WHY", of modules that cannot be
# loaded here.

sys=/sys/kernel/ksplice

now_ms()
{
	awk '{ print int($1 * 1000) }' /proc/uptime
}

# load_target TARGET: what /match/modules says
load_target()
{
	# shellcheck disable=SC2013 # words
	for file in $(sed -n "s/^$1 //p" /match/modules); do
		insmod "/match/modules.d/$file" 2>/tmp/error || true
	done
	[ -d "/sys/module/$1" ]
}

# match_kcore ID TARGET: ksplice-inspect comes to the same result, for some
match_kcore()
{
	[ -x /bin/ksplice-inspect ] || return
	case $1 in
	v0 | m?) ;;
	*) return ;;
	esac
	found=$(ksplice-inspect --match=/proc/kcore "/match/$1.ko" 2>&1 | tail -n 1)
	# shellcheck disable=SC2046 # two words
	set -- "$1" "$2" $(cat $sys/"$1"/match)
	case $found in
	*": match, $3 functions, $4 bytes") echo "kcore $1 $2" ;;
	*) echo "differs $1 $2 in /proc/kcore: $found" ;;
	esac
}

# match_one ID TARGET
match_one()
{
	[ "$2" = vmlinux ] || [ -d "/sys/module/$2" ] || return
	if ! insmod "/match/$1.ko" 2>/tmp/error; then
		echo "differs $1 $2 $(cat /tmp/error)"
		return
	fi
	start=$(now_ms)
	if { echo matched >$sys/"$1"/stage; } 2>/dev/null; then
		echo "match $1 $2 $(cat $sys/"$1"/match) $(($(now_ms) - start))"
	else
		echo "differs $1 $2 $(cat $sys/"$1"/error)"
	fi
	match_kcore "$1" "$2"
	rmmod "ksplice_$1_old" || echo "differs $1 $2 its old code cannot be unloaded"
}

# Before anything is traced: loading takes long then.
while read -r id target _; do
	[ "$target" = vmlinux ] || load_target "$target" ||
		echo "absent $id $target $(sed 's/.*: //' /tmp/error)"
done </match/updates
if [ "$MATCH_TRACER" != "" ]; then
	echo "$MATCH_TRACER" >/sys/kernel/tracing/current_tracer || echo "differs tracer none $MATCH_TRACER"
fi
insmod /match/ksplice.ko || echo "differs core none ksplice.ko cannot be loaded"
while read -r id target _; do
	match_one "$id" "$target"
done </match/updates
echo "cpus $(grep -c ^processor /proc/cpuinfo)"
grep . /sys/devices/system/cpu/vulnerabilities/* | sed -n 's|^[^:]*/||; s/^/vulnerability /p'
