# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest, where test-new-code put the updates into /updates: what new code
# brings along for the module loader, and for other modules.

# shellcheck source=tests/vm/cases.sh
. /cases.sh

tracing=/sys/kernel/tracing
control=/sys/kernel/debug/dynamic_debug/control

# has OPTION: the kernel is configured with CONFIG_OPTION
has()
{
	grep -q "^CONFIG_$1=[ym]" /updates/config
}

apply()
{
	run 0 ksplice-apply "/updates/ksplice-$1.tar.gz"
}

undo()
{
	run 0 ksplice-undo "$1"
}

run 2 insmod /updates/user.ko
apply export
expect "lsmod" "$(lsmod | grep -c '^ksplice_export_vmlinux_new ')" 1
run 22 insmod /updates/wrong_version.ko
contains "log" "$(dmesg | tail -n 5)" "disagrees about version of symbol ksplice_test_add"
run 0 insmod /updates/user.ko
contains "log" "$(dmesg | tail -n 5)" "user: patched 42 10000"
run 3 ksplice-undo --retries=1 --delay=0.1 export
contains "the reason" "$out" "other modules use"
expect "stage" "$(cat /sys/kernel/ksplice/export/stage)" applied
run 0 rmmod user
undo export
run 2 insmod /updates/user.ko
end_case "new code: exported symbols"

apply tracepoint
contains "format" "$(cat $tracing/events/task/task_ksplice/format)" '{ 1, "leader" }'
echo 1 > $tracing/events/task/task_ksplice/enable
(echo ksplice_name > /proc/self/comm)
# A program that is started becomes what it is called.
/bin/true
echo 0 > $tracing/events/task/task_ksplice/enable
contains "trace" "$(cat $tracing/trace)" "task_ksplice: leader becomes true"
echo > $tracing/trace
/bin/true
lacks "trace when disabled" "$(cat $tracing/trace)" "task_ksplice"
undo tracepoint
[ ! -e $tracing/events/task/task_ksplice ] || errors="$errors; the event is still there"
[ -e $tracing/events/task/task_rename/enable ] || errors="$errors; an old event is gone"
end_case "new code: a tracepoint and its event"

lacks "uptime before" "$(cat /proc/uptime)" reads
apply kinds
expect "first read" "$(sed -n 2p /proc/uptime)" "reads 1 call 1 injected 0 limit 7"
expect "second read" "$(sed -n 2p /proc/uptime)" "reads 2 call 1 injected 0 limit 7"
expect "third read" "$(sed -n 2p /proc/uptime)" "reads 3 call 2 injected 0 limit 7 key"
expect "messages of one time" "$(dmesg | grep -c 'uptime: once')" 1
expect "log" "$(dmesg | grep -c 'uptime: read')" 0
if has DYNAMIC_DEBUG; then
	contains "dynamic debug" "$(grep uptime: $control)" "uptime_kinds"
	echo "func uptime_kinds +p" > $control
	expect "fourth read" "$(sed -n 2p /proc/uptime)" "reads 4 call 2 injected 0 limit 7 key"
	contains "log" "$(dmesg | tail -n 5)" "uptime: read 4"
fi
contains "kprobes" "$(grep uptime /sys/kernel/debug/kprobes/blacklist)" "uptime_two"
undo kinds
lacks "uptime undone" "$(cat /proc/uptime)" reads
apply kinds
expect "read anew" "$(sed -n 2p /proc/uptime)" "reads 1 call 1 injected 0 limit 7"
undo kinds
end_case "new code: static keys and calls, per-CPU data, SRCU, messages"

apply pointer
loadavg=$(cat /proc/loadavg)
contains "loadavg" "$loadavg" "1 called "
if has X86_KERNEL_IBT; then
	contains "ENDBR of the function" "$loadavg" "called fa1e0ff3"
	# Nobody points to this one: it shows that boot seals.
	lacks "ENDBR of another" "$loadavg" "sealed fa1e0ff3"
fi
undo pointer
apply pointer
contains "loadavg, again" "$(cat /proc/loadavg)" "1 called "
undo pointer
end_case "new code: a pointer to a function that had none"

apply asleep
sleep 1000 &
sleeper=$!
sleep 0.2
stack=$(cat /proc/$sleeper/stack)
contains "stack" "$stack" "[ksplice_asleep_vmlinux_new]"
contains "stack" "$stack" "hrtimer_nanosleep+"
contains "stack" "$stack" "do_syscall_64+"
# What is not reliable has a question mark.
lacks "stack" "$stack" "? "
run 3 ksplice-undo --retries=1 --delay=0.1 asleep
contains "who is in the way" "$out" "$sleeper"
kill $sleeper
wait $sleeper 2>/dev/null
undo asleep
end_case "new code: stacks through it are unwound"

dmesg -c > /dev/null
run 0 insmod /updates/old_user.ko
run 0 rmmod old_user
apply unexport
run 0 insmod /updates/old_user.ko
expect "log" "$(dmesg | grep -c 'old user: dma_pool_create dma_pool_destroy')" 2
run 0 rmmod old_user
undo unexport
run 0 insmod /updates/old_user.ko
run 0 rmmod old_user
end_case "new code: modules still find what a patch does not export any more"

# known VALUES: a module that knows the old version is linked and sees these.
known()
{
	dmesg -c > /dev/null
	run 0 insmod /updates/old_caller.ko
	contains "log" "$(dmesg)" "cordic: $1"
	run 0 rmmod old_caller
}

if has CORDIC; then
	known "-16962 63306"
	apply versions
	known "67 89"
	run 22 insmod /updates/new_caller.ko
	contains "log" "$(dmesg | tail -n 5)" "disagrees about version of symbol cordic_calc_iq"
	undo versions
	known "-16962 63306"
	end_case "new code: modules with the old version of a symbol that has another in the patch"
fi

dmesg -c > /dev/null
apply warn
lacks "log" "$(dmesg)" WARNING
cat /proc/loadavg > /dev/null
cat /proc/loadavg > /dev/null
expect "warnings" "$(dmesg | grep -c WARNING)" 1
contains "the warning" "$(dmesg | grep WARNING)" "loadavg_proc_show+"
! has DEBUG_BUGVERBOSE || contains "the warning" "$(dmesg | grep WARNING)" \
	"at fs/proc/loadavg.c:$(sed 's/:.*//' /updates/warning) loadavg_proc_show+"
contains "the warning" "$(dmesg | grep WARNING)" "[ksplice_warn_vmlinux_new]"
undo warn
apply warn
cat /proc/loadavg > /dev/null
expect "warnings, again" "$(dmesg | grep -c WARNING)" 2
undo warn
end_case "new code: a warning tells where it is"
