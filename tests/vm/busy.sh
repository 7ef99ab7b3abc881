# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest: tasks in the code that is to be switched, found on any stack,
# named, and nudged; and ten thousand threads.

# shellcheck source=tests/vm/steps.sh
. /steps.sh

nudge="--nudge --retries=2 --delay=0.1"
# Without the reliable unwinder any word on a stack may be a return address (kmodsrc/stack.c):
# what a call left behind counts, and with ten thousand tasks a number may look like one.
reliable=$(grep -c ' stack_trace_save_tsk_reliable$' /proc/kallsyms)

sleep 10000 &
sleeper=$!
sleep 0.5
out=$(ksplice-apply --retries=0 /updates/ksplice-asleep.tar.gz 2>&1)
expect "status" $? 3
contains "what ksplice-apply says" "$out" "task $sleeper (sleep, state S) is in hrtimer_nanosleep"
contains "the stack" "$out" "   common_nsleep+0x"
contains "the stack" "$out" "_syscall_"
# shellcheck disable=SC2086
must ksplice-apply $nudge /updates/ksplice-asleep.tar.gz
must kill -0 $sleeper
must timeout 5 sleep 10000
must ksplice-undo asleep
must kill -0 $sleeper
kill $sleeper
wait $sleeper 2> /dev/null
finish "a task that sleeps in the way is nudged, and goes on sleeping"

# Others must not be told of tasks that are not there.
name=$(printf 'x\n1 D a b')
ln -s /bin/threads "/tmp/$name"
"/tmp/$name" 1 > /tmp/threads &
threads=$!
until grep -q ready /tmp/threads; do
	kill -0 $threads || break
done
for task in "/proc/$threads/task/"*; do
	[ "${task##*/}" = $threads ] || sleeper=${task##*/}
done
out=$(ksplice-apply --retries=0 --json /updates/ksplice-asleep.tar.gz 2> /dev/null)
expect "status" $? 3
expect "tasks in the way" "$(echo "$out" | grep '"pid"')" "$(echo "$out" | grep "\"pid\": *$sleeper")"
contains "what ksplice-apply says" "$out" '"x?1 D a b"'
contains "the cause" "$out" "first x?1 D a b (pid $sleeper) in"
kill $threads
wait $threads
rm "/tmp/$name"
finish "a task with a line break in its name"

if ksplice-apply --json /updates/ksplice-string.tar.gz > /dev/full 2> /tmp/out; then
	errors="$errors; ksplice-apply succeeds"
fi
contains "what ksplice-apply says" "$(cat /tmp/out)" "it is applied, but"
contains "loadavg" "$(cat /proc/loadavg)" patched
if ksplice-undo string > /dev/full 2> /tmp/out; then
	errors="$errors; ksplice-undo succeeds"
fi
contains "what ksplice-undo says" "$(cat /tmp/out)" "it is undone, but"
lacks "loadavg" "$(cat /proc/loadavg)" patched
finish "output that cannot be written"

# pause_here SECONDS: without a new task, as sleep would be
mkfifo /tmp/never
pause_here()
{
	# shellcheck disable=SC3045 # busybox has it
	read -r -t "$1" _ <> /tmp/never
}

# comes_late COMMAND...: with the core waiting between its look at all tasks and the stop, by
# which time $sleeper has fallen asleep in the way.
comes_late()
{
	must insmod /modules/faults/ksplice.ko fault=wait
	ksplice-apply --retries=0 /updates/ksplice-asleep.tar.gz > /tmp/out 2>&1 &
	apply=$!
	# Not by its files, which wait for the core when it waits for us.
	until grep -q '^ksplice_asleep_vmlinux_new .* Live ' /proc/modules; do
		kill -0 $apply || break
	done
	pause_here 2
	"$@"
	pause_here 1
	echo none > /sys/module/ksplice/parameters/fault
	wait $apply
	expect "status" $? 3
	contains "what ksplice-apply says" "$(cat /tmp/out)" "task $sleeper (sleep, state S) is in hrtimer_nanosleep"
	kill $sleeper
	wait $sleeper 2> /dev/null
	[ ! -d /sys/module/ksplice ] || must rmmod ksplice
}

# One that was there, and no task is made meanwhile.
mkfifo /tmp/go
(read -r _ < /tmp/go; exec sleep 10000) &
sleeper=$!
sleeper_goes_on()
{
	echo > /tmp/go
	until read -r comm < /proc/$sleeper/comm && [ "$comm" = sleep ]; do
		kill -0 $sleeper || break
	done
}
comes_late sleeper_goes_on
rm /tmp/go

# One that is made only then.
new_sleeper()
{
	sleep 10000 &
	sleeper=$!
}
comes_late new_sleeper
finish "a task that comes in the way after the core has looked"

# No memory to remember which tasks were out of the way: then all are looked at again.
must insmod /modules/faults/ksplice.ko fault=settled
sleep 10000 &
sleeper=$!
sleep 0.5
refuse "task $sleeper (sleep, state S) is in hrtimer_nanosleep" ksplice-apply --retries=0 /updates/ksplice-asleep.tar.gz
kill $sleeper
wait $sleeper 2> /dev/null
must ksplice-apply --retries=0 /updates/ksplice-asleep.tar.gz
must ksplice-undo --retries=0 asleep
finish "all tasks are looked at while the CPUs are stopped"

# The unwinder does not know the code of BPF, so these stacks are scanned; there the
# kretprobe has taken away the only address in hrtimer_nanosleep.
test_unknown_stack()
{
	entry=0x$(sed -n 's/ . do_nanosleep$//p' /proc/kallsyms)
	must kprobe "r:ours/probe $entry"
	must write 1 $tracing/events/ours/probe/enable
	fentry hrtimer_nanosleep sleep 10000 > /dev/null &
	fentry=$!
	sleep 2
	sleeper=$(pidof sleep)
	must ksplice-apply /updates/ksplice-string.tar.gz
	must ksplice-undo string
	out=$(ksplice-apply --retries=0 /updates/ksplice-asleep.tar.gz 2>&1)
	expect "status" $? 3
	contains "what ksplice-apply says" "$out" "task $sleeper (sleep, state S) is in hrtimer_nanosleep"
	kill "$sleeper"
	wait $fentry
	must kprobe ""
	finish "$1"
}

name="a task whose stack cannot be unwound, and with a kretprobe"
if has_btf "$name"; then
	test_unknown_stack "$name"
fi

# In the new code: asleep in hrtimer_nanosleep of the update.
must ksplice-apply /updates/ksplice-asleep.tar.gz
sleep 4000 &
sleeper=$!
sleep 0.5
out=$(ksplice-undo --retries=0 asleep 2>&1)
expect "status" $? 3
contains "what ksplice-undo says" "$out" "task $sleeper (sleep, state S) is in hrtimer_nanosleep"
# shellcheck disable=SC2086
must ksplice-undo $nudge asleep
must kill -0 $sleeper
kill $sleeper
wait $sleeper 2> /dev/null
finish "a task that sleeps in new code is nudged for undo"

# in_the_way NAME STATE FUNCTION [CALLER]: $stuck is in that function of vmlinux, and neither
# of the targets is patched.
in_the_way()
{
	out=$(ksplice-apply --retries=0 /updates/ksplice-in_the_way.tar.gz 2>&1)
	expect "status with $1 in state $2" $? 3
	contains "what ksplice-apply says" "$out" "task $stuck ($1, state $2) is in $3"
	contains "the stack" "$out" "   ${4-}"
	expect "initstate with $1 in state $2" "$(cat /sys/block/zram0/initstate)" 0
}

# gone: it is killed, and then out of the way
gone()
{
	must kill -KILL $stuck
	wait $stuck 2> /dev/null
}

stuck vfork &
stuck=$!
sleep 0.5
in_the_way stuck D kernel_clone __do_sys_vfork
gone
# It is preempted as it is, or where it asks for that itself.
preempt=/sys/kernel/debug/sched/preempt
# A kernel that cannot change that has one way.
modes="voluntary full"
[ -e $preempt ] || modes=its_own
mode=$(sed 's/.*(\(.*\)).*/\1/' $preempt 2> /dev/null)
for with in $modes; do
	[ "$with" = its_own ] || must write "$with" $preempt
	dd if=/dev/urandom of=/dev/null bs=32M 2> /dev/null &
	stuck=$!
	sleep 0.5
	in_the_way dd R get_random_bytes_user
	gone
done
[ -z "$mode" ] || must write "$mode" $preempt
if [ "$reliable" = 1 ]; then
	stuck fault &
	stuck=$!
	sleep 0.5
	in_the_way stuck S put_timespec64 asm_exc_page_fault
	gone
	must ksplice-apply /updates/ksplice-in_the_way.tar.gz
	expect "initstate" "$(cat /sys/block/zram0/initstate)" "0 patched"
	stuck fault &
	stuck=$!
	sleep 0.5
	out=$(ksplice-undo --retries=0 in_the_way 2>&1)
	expect "status of undo" $? 3
	contains "what ksplice-undo says" "$out" "task $stuck (stuck, state S) is in put_timespec64"
	expect "initstate after a refused undo" "$(cat /sys/block/zram0/initstate)" "0 patched"
	gone
	must ksplice-undo in_the_way
	expect "initstate at the end" "$(cat /sys/block/zram0/initstate)" 0
else
	echo "SKIP core: a task that sleeps in a fault: words that others left on their stacks are in the way, too"
fi
finish "tasks in other states in one of two targets"

for cpu in 0 1; do
	refuse "task 0 (swapper/$cpu, state " ksplice-apply --retries=0 /updates/ksplice-idle.tar.gz
	contains "what ksplice-apply says" "$out" "is in do_idle"
done
must ksplice-apply /updates/ksplice-string.tar.gz
must ksplice-undo string
finish "idle tasks"

# In a part of the function that the compiler put elsewhere.  Of an update, so that there is one.
must ksplice-apply /updates/ksplice-cold.tar.gz
# With echo there would be a newline in the name.
(printf cold > /proc/self/comm; read -r _ < /proc/loadavg) &
sleeper=$!
sleep 0.5
out=$(ksplice-apply --retries=0 /updates/ksplice-cold_again.tar.gz 2>&1)
expect "status" $? 3
contains "what ksplice-apply says" "$out" "task $sleeper (cold, state D) is in loadavg_proc_show"
contains "the stack" "$out" "   loadavg_proc_show.cold+0x"
lacks "the stack" "$out" "   loadavg_proc_show+0x"
lacks "loadavg" "$(cat /proc/loadavg)" patched
must kill -KILL $sleeper
wait $sleeper 2> /dev/null
must ksplice-apply /updates/ksplice-cold_again.tar.gz
contains "loadavg" "$(cat /proc/loadavg)" patched
must ksplice-undo cold_again
must ksplice-undo cold
finish "a task in the cold part of a function"

echo 60000 > /proc/sys/kernel/threads-max
echo 30000 > /proc/sys/kernel/pid_max
threads 10000 > /tmp/threads &
threads=$!
for _ in $(seq 600); do
	! grep -q ready /tmp/threads || break
	sleep 0.1
done
expect "threads" "$(cat /tmp/threads)" ready
quick=$nudge
[ "$reliable" = 0 ] || quick=--retries=0
# shellcheck disable=SC2086
must ksplice-apply $quick /updates/ksplice-string.tar.gz
contains "loadavg" "$(cat /proc/loadavg)" patched
# shellcheck disable=SC2086
must ksplice-undo $quick string
refuse "10000 tasks" ksplice-apply --retries=0 /updates/ksplice-asleep.tar.gz
# shellcheck disable=SC2086
must ksplice-apply $nudge /updates/ksplice-asleep.tar.gz
must timeout 5 sleep 10000
# shellcheck disable=SC2086
must ksplice-undo $quick asleep
kill $threads
wait $threads
contains "the threads" "$(cat /tmp/threads)" "failed 0"
finish "ten thousand threads asleep, also in the function itself"
