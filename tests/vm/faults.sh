# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest with zram: each step of the core fails once (a core with KSPLICE_FAULTS),
# and ksplice-apply and ksplice-undo find what one that was killed left.

# shellcheck source=tests/vm/steps.sh
. /steps.sh

fault=/sys/module/ksplice/parameters/fault

for step in exports kernel folder abi; do
	case $step in
	exports) text="format" ;;
	kernel) text="unknown symbol" ;;
	*) text="memory" ;;
	esac
	refuse "$text" insmod /modules/faults/ksplice.ko fault=$step
done
finish "the core fails while it is loaded"

# text FUNCTION: its first bytes, as they are in memory
text()
{
	refuse "insmod" insmod /modules/text.ko address=0x"$(sed -n "s/ . $1\>.*//p" /proc/kallsyms | head -n 1)"
	dmesg | sed -n 's/.*text: //p' | tail -n 1
}

# What is there must be the same as before: code, modules and their users, files.
state()
{
	lsmod | sed 1d
	ls $sys
	text loadavg_proc_show
	text initstate_show
}

# fails STEP CAUSE: ksplice-apply or the kernel log says that, and nothing has changed
fails()
{
	dmesg -c > /dev/null
	must write "$1" $fault
	refuse "ksplice-apply: " ksplice-apply --retries=0 "$file"
	contains "the cause when $1 fails" "$out$(dmesg)" "$2"
	expect "state after $1 fails" "$(state)" "$before"
	must write none $fault
}

must insmod /modules/faults/ksplice.ko
before=$(state)
expect "modules" "$(lsmod | sed '1d; s/ .*//')" "$(echo ksplice; echo "$lsmod_before" | sed 's/ .*//')"
contains "the text" "$(text loadavg_proc_show | grep -c '^[0-9a-f]\{128\}$')" 1
while read -r step cause; do
	file=/updates/ksplice-string.tar.gz
	[ "$step" != pin ] || file=/updates/ksplice-module.tar.gz
	fails "$step" "$cause"
	must ksplice-apply /updates/ksplice-string.tar.gz
	contains "loadavg after $step" "$(cat /proc/loadavg)" patched
	[ "$(text loadavg_proc_show)" != "$(echo "$before" | tail -n 2 | head -n 1)" ] ||
		errors="$errors; the text is the same when patched"
	must ksplice-undo string
	# It goes with its last update.
	must insmod /modules/faults/ksplice.ko
done <<'EOF'
update string: cannot be added
files string: cannot be added
target vmlinux: no memory for a target
pin zram: the module is not loaded: load it first
matcher vmlinux: no memory to match
match vmlinux: no memory to match
publish the core refuses stage matched: fault: publish
jumps refused: vmlinux: no memory for the jumps
below refused: fault: below
get the code is in use: vmlinux: its new code is being unloaded
map the core refuses stage applied: vmlinux: its text cannot be mapped
breakpoints the core refuses stage applied: breakpoints cannot be handled
text the code is in use: fault: text
stop the core refuses stage applied: the CPUs could not be stopped
EOF
must ksplice-apply /updates/ksplice-string.tar.gz
for step in map breakpoints text stop; do
	must write $step $fault
	case $step in
	map) text="the core refuses stage reversed: vmlinux: its text cannot be mapped" ;;
	breakpoints) text="the core refuses stage reversed: breakpoints cannot be handled" ;;
	text) text="the code is in use: fault: text" ;;
	*) text="the core refuses stage reversed: the CPUs could not be stopped" ;;
	esac
	refuse "$text" ksplice-undo --retries=0 string
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
file=/updates/ksplice-constant.tar.gz
fails constants "vmlinux: no memory for constants"
expect "boot_id after constants fails" "$(cat /proc/sys/kernel/random/boot_id)" "$boot_id"
fails map "cannot be mapped"
expect "boot_id after map fails" "$(cat /proc/sys/kernel/random/boot_id)" "$boot_id"
must ksplice-apply /updates/ksplice-constant.tar.gz
must write map $fault
refuse "cannot be mapped" ksplice-undo --retries=0 constant
expect "stage after map fails" "$(cat $sys/constant/stage)" applied
lacks "boot_id after map fails" "$(cat /proc/sys/kernel/random/boot_id)" "$boot_id"
must write none $fault
must ksplice-undo constant
expect "boot_id at the end" "$(cat /proc/sys/kernel/random/boot_id)" "$boot_id"
finish "constants that cannot be written"

# A target that comes later.
must rmmod zram
must insmod /modules/faults/ksplice.ko
must ksplice-apply --partial /updates/ksplice-module.tar.gz
before=$(state)
must write coming $fault
refuse "memory" insmod /vm/modules/zram.ko
expect "state after coming fails" "$(state)" "$before"
must write part $fault
refuse "format" insmod /vm/modules/zram.ko
expect "error after part fails" "$(cat $sys/module/error)" "ENOMEM zram: no memory to switch"
expect "zram after part fails" "$(lsmod | grep -c '^zram ')" 0
contains "targets after part fails" "$(sed -n 's/^zram //p' $sys/module/targets)" missing
must write none $fault
must insmod /vm/modules/zram.ko
expect "initstate" "$(cat /sys/block/zram0/initstate)" "0 patched zram"
must ksplice-undo module
expect "initstate at the end" "$(cat /sys/block/zram0/initstate)" 0
finish "steps fail when a target comes later"

# Its errno has a name.
must insmod /modules/faults/ksplice.ko
link string
must write get $fault
deny string applied ETXTBSY "busy" "its new code is being unloaded"
must write none $fault
unload string new
unload string old
finish "new code that is being unloaded"

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
	expect "modules, undone after $stage" "$(lsmod | sed 1d)" "$lsmod_before"
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
	expect "modules, undone after $stage" "$(lsmod | sed 1d)" "$lsmod_before"
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
	expect "modules, undone after $delay" "$(lsmod | sed 1d)" "$lsmod_before"
	delay=$((delay + 1))
done
expect "kills" $delay 20
finish "ksplice-apply and ksplice-undo killed at any moment, then run again"
