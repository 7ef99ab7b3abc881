# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest: each step of the core fails once (a core with KSPLICE_FAULTS),
# and ksplice-apply and ksplice-undo find what one that was killed left.

# shellcheck source=tests/vm/steps.sh
. /steps.sh

fault=/sys/module/ksplice/parameters/fault
lsmod_with_core="ksplice"

for step in exports kernel folder abi; do
	refuse "insmod" insmod /modules/faults/ksplice.ko fault=$step
done
finish "the core fails while it is loaded"

# What is there must be the same as before: bytes of the function, modules, files.
state()
{
	lsmod | sed '1d; s/ .*//'
	ls $sys
	cut -d ' ' -f 6- /proc/loadavg
}

must insmod /modules/faults/ksplice.ko
before=$(state)
expect "modules" "$(lsmod | sed '1d; s/ .*//')" "$lsmod_with_core"
for step in update files target matcher match publish jumps below get map breakpoints text stop; do
	must write $step $fault
	refuse "ksplice-apply" ksplice-apply --retries=0 /updates/ksplice-string.tar.gz
	expect "state after $step fails" "$(state)" "$before"
	must write none $fault
	must ksplice-apply /updates/ksplice-string.tar.gz
	contains "loadavg after $step" "$(cat /proc/loadavg)" patched
	must ksplice-undo string
	# It goes with its last update.
	must insmod /modules/faults/ksplice.ko
done
must ksplice-apply /updates/ksplice-string.tar.gz
for step in map breakpoints text stop; do
	must write $step $fault
	refuse "ksplice-undo" ksplice-undo --retries=0 string
	expect "stage after $step fails" "$(cat $sys/string/stage)" applied
	contains "loadavg after $step" "$(cat /proc/loadavg)" patched
done
must write nudge $fault
refuse "no memory to nudge" ksplice-undo --retries=0 --nudge string
must write none $fault
must ksplice-undo string
finish "each step fails, and then it does not"

must insmod /modules/faults/ksplice.ko
boot_id=$(cat /proc/sys/kernel/random/boot_id)
for step in constants map; do
	must write $step $fault
	refuse "ksplice-apply" ksplice-apply --retries=0 /updates/ksplice-constant.tar.gz
	expect "boot_id after $step fails" "$(cat /proc/sys/kernel/random/boot_id)" "$boot_id"
	expect "state after $step fails" "$(state)" "$before"
done
must write none $fault
must ksplice-apply /updates/ksplice-constant.tar.gz
must write map $fault
refuse "cannot be mapped" ksplice-undo --retries=0 constant
expect "stage after map fails" "$(cat $sys/constant/stage)" applied
lacks "boot_id after map fails" "$(cat /proc/sys/kernel/random/boot_id)" "$boot_id"
must write none $fault
must ksplice-undo constant
expect "boot_id at the end" "$(cat /proc/sys/kernel/random/boot_id)" "$boot_id"
finish "constants that cannot be written"

# leave STAGE: as ksplice-apply or ksplice-undo leave it when killed there
leave()
{
	core
	[ "$1" != core ] || return 0
	load string old
	[ "$1" != registered ] || return 0
	ask string matched
	[ "$1" != matched ] || return 0
	load string new
	[ "$1" != linked ] || return 0
	ask string applied
	[ "$1" != applied ] || return 0
	unload string old
	[ "$1" != applied-alone ] || return 0
	ask string reversed
	[ "$1" != reversed ] || return 0
}

for stage in core registered matched linked applied applied-alone reversed; do
	leave $stage
	case $stage in
	applied*)
		refuse "already applied" ksplice-apply /updates/ksplice-string.tar.gz
		;;
	*)
		must ksplice-apply /updates/ksplice-string.tar.gz
		;;
	esac
	contains "loadavg, applied after $stage" "$(cat /proc/loadavg)" patched
	must ksplice-undo string
	lacks "loadavg, undone after $stage" "$(cat /proc/loadavg)" patched
	expect "modules, undone after $stage" "$(lsmod | sed 1d)" ""
done
finish "ksplice-apply after one that was killed at each stage"

for stage in core registered matched linked applied applied-alone reversed; do
	leave $stage
	case $stage in
	core | registered | matched | linked)
		ksplice-undo string > /tmp/out 2>&1
		expect "status of ksplice-undo after $stage" $? 6
		;;
	*)
		must ksplice-undo string
		;;
	esac
	lacks "loadavg, undone after $stage" "$(cat /proc/loadavg)" patched
	expect "modules, undone after $stage" "$(lsmod | sed 1d)" ""
done
finish "ksplice-undo after one that was killed at each stage"

# At any moment: killed after so many milliseconds, then again.
delay=0
while [ $delay -lt 20 ] && [ -z "$errors" ]; do
	ksplice-apply /updates/ksplice-string.tar.gz > /tmp/out 2>&1 &
	apply=$!
	usleep $((delay * 9000))
	kill -KILL $apply 2> /dev/null
	wait $apply 2> /dev/null
	ksplice-apply /updates/ksplice-string.tar.gz > /tmp/out 2>&1 ||
		contains "what ksplice-apply says" "$(cat /tmp/out)" "already applied"
	contains "loadavg, killed after $delay" "$(cat /proc/loadavg)" patched
	ksplice-undo string > /tmp/out 2>&1 &
	undo=$!
	usleep $((delay * 3000))
	kill -KILL $undo 2> /dev/null
	wait $undo 2> /dev/null
	if [ -d $sys/string ]; then
		must ksplice-undo string
	else
		ksplice-undo string > /tmp/out 2>&1
		expect "status of ksplice-undo, killed after $delay" $? 6
	fi
	lacks "loadavg, undone after $delay" "$(cat /proc/loadavg)" patched
	expect "modules, undone after $delay" "$(lsmod | sed 1d)" ""
	delay=$((delay + 1))
done
expect "kills" $delay 20
finish "ksplice-apply and ksplice-undo killed at any moment, then run again"
