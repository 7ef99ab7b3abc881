# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest, where test-hooks put the updates into /updates: do the hooks of a
# patch run when they should, in order, and are all things as before when one refuses?

# shellcheck source=tests/vm/steps.sh
. /steps.sh

panic=/proc/sys/kernel/panic
panic_before=$(cat $panic)
loadavg=/proc/loadavg

# The hooks that ran since the last call, as "NAME; NAME"; @ is "with the CPUs stopped".
hooks()
{
	dmesg | sed -n 's/.*hook: //p' | sed 's/ stopped$/@/' | paste -s -d ';'
	dmesg -c > /dev/null
}

# refusal NUMBER: the hook of that number refuses, see hooks.patch.
refusal()
{
	echo "$1" > $panic
}

# apply STATUS, undo STATUS
apply()
{
	run "$1" ksplice-apply --retries=2 --delay=0.1 /updates/ksplice-hooks.tar.gz
}

undo()
{
	run "$1" ksplice-undo --retries=2 --delay=0.1 hooks
}

finish()
{
	echo "$panic_before" > $panic
	lacks "loadavg afterwards" "$(cat $loadavg)" patched
	end_case "hooks: $1"
}

pre_apply="vmlinux pre_apply;vmlinux second_pre_apply;zram pre_apply"
fail_apply="zram fail_apply;vmlinux fail_apply"
applied="$pre_apply;vmlinux check_apply@;zram check_apply@;vmlinux apply@;zram apply@"
applied="$applied;vmlinux post_apply;zram post_apply"
pre_reverse="zram pre_reverse;vmlinux pre_reverse"
fail_reverse="vmlinux fail_reverse;zram fail_reverse"
reversed="$pre_reverse;zram check_reverse@;vmlinux check_reverse@;zram reverse@;vmlinux reverse@"
reversed="$reversed;zram post_reverse;vmlinux post_reverse"

dmesg -c > /dev/null
apply 0
expect "hooks to apply" "$(hooks)" "$applied"
contains "loadavg" "$(cat $loadavg)" patched
undo 0
expect "hooks to undo" "$(hooks)" "$reversed"
finish "all of them, two targets"

index=/sys/kernel/debug/printk/index
if [ -d $index ]; then
	apply 0
	for target in vmlinux zram; do
		lines=$(sed 1d $index/ksplice_hooks_${target}_new)
		expect "messages of $target" "$(echo "$lines" | grep -c "hook: $target ")" \
			"$(echo "$lines" | wc -l)"
		contains "messages of $target" "$lines" "hook: $target post_apply"
	done
	undo 0
	hooks > /dev/null
	finish "messages of new code are in the index of the kernel"
else
	echo "SKIP hooks: messages of new code: this kernel has no index of them"
fi

refusal 1001
apply 1
contains "the reason" "$out" "vmlinux: the hook hook_pre_apply refuses, with -1"
expect "hooks" "$(hooks)" "vmlinux pre_apply;vmlinux fail_apply"
refusal 1011
apply 1
contains "the reason" "$out" "zram: the hook hook_pre_apply refuses, with -1"
expect "hooks" "$(hooks)" "$pre_apply;$fail_apply"
refusal 3002
apply 1
contains "the reason" "$out" "vmlinux: the hook hook_second_pre_apply refuses, with 1"
expect "hooks" "$(hooks)" "vmlinux pre_apply;vmlinux second_pre_apply;vmlinux fail_apply"
finish "pre_apply refuses"

refusal 1003
apply 1
contains "the reason" "$out" "vmlinux: the hook hook_check_apply refuses, with -1"
expect "hooks" "$(hooks)" "$pre_apply;vmlinux check_apply@;$fail_apply"
refusal 1013
apply 1
contains "the reason" "$out" "zram: the hook hook_check_apply refuses, with -1"
expect "hooks" "$(hooks)" "$pre_apply;vmlinux check_apply@;zram check_apply@;$fail_apply"
finish "check_apply refuses"

# What the errno of a hook means elsewhere, it does not mean here.
for number in 4001 5001 6001 4003 5013 6013; do
	refusal $number
	apply 1
	hooks > /dev/null
	case $number in
	4*) errno=2 ;;
	5*) errno=19 ;;
	*) errno=18 ;;
	esac
	contains "the reason" "$out" "the core refuses stage applied"
	contains "the reason" "$out" "_apply refuses, with -$errno"
done
finish "hooks refuse, with errnos that mean something else in the core"

refusal 2003
apply 3
contains "the reason" "$out" "vmlinux: the hook hook_check_apply refuses, with -16"
once="$pre_apply;vmlinux check_apply@;$fail_apply"
expect "hooks" "$(hooks)" "$once;$once;$once"
finish "check_apply is busy, tried three times"

echo "p:ours/probe loadavg_proc_show+$(jump_offset)" > $tracing/kprobe_events
apply 3
contains "the reason" "$out" "loadavg_proc_show has a kprobe"
once="$pre_apply;$fail_apply"
expect "hooks" "$(hooks)" "$once;$once;$once"
echo > $tracing/kprobe_events
finish "a place is taken by a disabled kprobe"

apply 0
hooks > /dev/null
for number in 1004 1014; do
	refusal $number
	undo 1
	contains "the reason" "$out" "the hook hook_pre_reverse refuses, with -1"
	contains "loadavg" "$(cat $loadavg)" patched
done
expect "hooks" "$(hooks)" "$pre_reverse;$fail_reverse;zram pre_reverse;zram fail_reverse"
for number in 4004 5004 6004 4015 5005 6015; do
	refusal $number
	undo 1
	case $number in
	4*) errno="ENOENT 2" ;;
	5*) errno="ENODEV 19" ;;
	*) errno="EXDEV 18" ;;
	esac
	contains "the reason" "$out" "the core refuses stage reversed"
	contains "the reason" "$out" "_reverse refuses, with -${errno#* }"
	contains "error" "$(cat /sys/kernel/ksplice/hooks/error)" "${errno% *} "
	contains "loadavg" "$(cat $loadavg)" patched
done
hooks > /dev/null
refusal 1005
undo 1
contains "the reason" "$out" "vmlinux: the hook hook_check_reverse refuses, with -1"
contains "loadavg" "$(cat $loadavg)" patched
expect "hooks" "$(hooks)" "$pre_reverse;zram check_reverse@;vmlinux check_reverse@;$fail_reverse"
expect "stage" "$(cat /sys/kernel/ksplice/hooks/stage)" applied
refusal 0
undo 0
expect "hooks" "$(hooks)" "$reversed"
finish "hooks refuse to undo, and then do not"

lacks "version" "$(cat /proc/version)" read
run 0 ksplice-apply /updates/ksplice-shadow.tar.gz
contains "version" "$(cat /proc/version)" "read 101 times"
contains "version" "$(cat /proc/version)" "read 102 times"
run 0 ksplice-undo shadow
contains "kernel log" "$(dmesg)" "shadow: 102 reads"
lacks "version" "$(cat /proc/version)" read
dmesg -c > /dev/null
run 0 ksplice-apply /updates/ksplice-shadow.tar.gz
contains "version" "$(cat /proc/version)" "read 101 times"
run 0 ksplice-undo shadow
contains "kernel log" "$(dmesg)" "shadow: 101 reads"
dmesg -c > /dev/null
finish "shadow data"

run 0 ksplice-apply /updates/ksplice-hook_only.tar.gz
expect "hooks" "$(hooks)" "only"
run 0 ksplice-undo hook_only
finish "a patch with a hook and no changed function"

boot_id=/proc/sys/kernel/random/boot_id
before=$(cat $boot_id)
run 0 ksplice-apply /updates/ksplice-constant.tar.gz
expect "boot_id" "$(cat $boot_id)" "$(echo "$before" | tr a-f u-z)"
lacks "two boot_ids" "$(cat $boot_id)" "$before"
run 0 ksplice-undo constant
expect "boot_id" "$(cat $boot_id)" "$before"
run 0 ksplice-apply /updates/ksplice-constant.tar.gz
run 0 ksplice-undo constant
expect "boot_id, again" "$(cat $boot_id)" "$before"
finish "a constant is written in place"

again=/updates/ksplice-constant_again.tar.gz
run 4 ksplice-apply $again
expect "boot_id after a refusal" "$(cat $boot_id)" "$before"
run 0 ksplice-apply /updates/ksplice-constant.tar.gz
run 0 ksplice-apply $again
expect "boot_id with both" "$(cat $boot_id)" "$(echo "$before" | tr a-f U-Z)"
run 3 ksplice-undo --retries=0 constant
contains "what ksplice-undo says" "$out" "constant_again is built upon it"
expect "boot_id with both still" "$(cat $boot_id)" "$(echo "$before" | tr a-f U-Z)"
run 0 ksplice-undo constant_again
expect "boot_id with the first" "$(cat $boot_id)" "$(echo "$before" | tr a-f u-z)"
run 0 ksplice-undo constant
expect "boot_id with none" "$(cat $boot_id)" "$before"
finish "a constant is written upon another"

apply 0
expect "hooks of the first" "$(hooks)" "$applied"
run 0 ksplice-apply /updates/ksplice-hooks_again.tar.gz
expect "hooks of the second" "$(hooks)" "vmlinux again_apply"
contains "loadavg" "$(cat $loadavg)" "patched again"
undo 3
contains "what ksplice-undo says" "$out" "hooks_again is built upon it"
expect "hooks of a refused undo" "$(hooks)" ""
run 0 ksplice-undo hooks_again
expect "hooks to undo the second" "$(hooks)" "vmlinux again_reverse"
contains "loadavg" "$(cat $loadavg)" patched
lacks "loadavg" "$(cat $loadavg)" again
undo 0
expect "hooks to undo the first" "$(hooks)" "$reversed"
finish "an update upon one with hooks"

run 0 ksplice-apply /updates/ksplice-shadow.tar.gz
contains "version" "$(cat /proc/version)" "read 101 times"
run 0 ksplice-apply /updates/ksplice-shadow_again.tar.gz
contains "version" "$(cat /proc/version)" "read 102 times, again"
run 0 ksplice-undo shadow_again
lacks "kernel log" "$(dmesg)" "shadow:"
contains "version" "$(cat /proc/version)" "read 103 times"
run 0 ksplice-undo shadow
contains "kernel log" "$(dmesg)" "shadow: 103 reads"
dmesg -c > /dev/null
finish "an update upon one with shadow data"

test_constants_of_module()
{
	pktgen=/proc/net/pktgen/pgctrl
	name=$(cat $pktgen)
	run 0 ksplice-apply /updates/ksplice-constant_module.tar.gz
	expect "the name" "$(cat $pktgen)" "$(echo "$name" | sed s/Packet/PACKET/)"
	lacks "two names" "$(cat $pktgen)" "$name"
	run 0 ksplice-undo constant_module
	expect "the name" "$(cat $pktgen)" "$name"
	finish "a constant of a module is written in place"

	run 0 ksplice-apply /updates/ksplice-constant_module.tar.gz
	run 0 ksplice-apply /updates/ksplice-pktgen_again.tar.gz
	again=$(printf '%s\nAgain.' "$name")
	expect "the name" "$(cat $pktgen)" "$(echo "$again" | sed s/Packet/PACKET/)"
	run 3 ksplice-undo --retries=0 constant_module
	run 0 ksplice-undo pktgen_again
	expect "the name" "$(cat $pktgen)" "$(echo "$name" | sed s/Packet/PACKET/)"
	run 0 ksplice-undo constant_module
	expect "the name" "$(cat $pktgen)" "$name"
	finish "an update of code that uses a constant written in place"
}

# Small kernels do not have that module.
[ ! -e /updates/ksplice-constant_module.tar.gz ] || test_constants_of_module

# asked: what modprobe would be called with, the option and a variable of its environment.
asked()
{
	rm -f /tmp/asked
	mount -t ksplice none /tmp 2> /dev/null
	cat /tmp/asked
}

test_variables()
{
	poolsize=/proc/sys/kernel/random/poolsize
	before=$(cat $poolsize)
	modprobe=/proc/sys/kernel/modprobe
	modprobe_before=$(cat $modprobe)
	cat > /tmp/modprobe <<'EOF'
#!/bin/sh
echo "$1 $TERM" > /tmp/asked
EOF
	chmod +x /tmp/modprobe
	echo /tmp/modprobe > $modprobe
	for round in 1 2; do
		expect "modprobe before, round $round" "$(asked)" "-q linux"
		run 0 ksplice-apply /updates/ksplice-assume_rodata.tar.gz
		expect "modprobe, round $round" "$(asked)" "-qs ksplice"
		expect "poolsize, round $round" "$(cat $poolsize)" $((before + 1))
		run 0 ksplice-undo assume_rodata
		expect "modprobe afterwards, round $round" "$(asked)" "-q linux"
		expect "poolsize afterwards, round $round" "$(cat $poolsize)" "$before"
	done
	echo "$modprobe_before" > $modprobe
	finish "variables that nobody writes, copied and in place"
}

# Without variables in kallsyms nobody can tell where they are.
[ ! -e /updates/ksplice-assume_rodata.tar.gz ] || test_variables

test_compared()
{
	poweroff_cmd=/proc/sys/kernel/poweroff_cmd
	before=$(cat $poweroff_cmd)
	force=/sys/kernel/reboot/force
	early=/updates/ksplice-match_data_early.tar.gz
	run 0 ksplice-apply $early
	contains "force" "$(cat $force)" patched
	echo /bin/true > $poweroff_cmd
	run 0 ksplice-undo match_data_early
	run 4 ksplice-apply $early
	contains "what ksplice-apply says" "$out" "poweroff_cmd+0x1: it does not hold its initial value"
	lacks "force" "$(cat $force)" patched
	echo "$before" > $poweroff_cmd
	run 0 ksplice-apply $early
	contains "force" "$(cat $force)" patched
	run 0 ksplice-undo match_data_early
	lacks "force" "$(cat $force)" patched
	finish "a variable is compared"
}

# 5.10 has no such file.
[ ! -e /updates/ksplice-match_data_early.tar.gz ] || test_compared
