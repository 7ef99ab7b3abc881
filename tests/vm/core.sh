# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest, where test-core put unpacked updates into /updates: drives the
# core by hand, in every wrong order, and with tracers and kprobes in its way.

# shellcheck source=tests/vm/steps.sh
. /steps.sh

cycles=${CORE_CYCLES:-40}

# Whether the kernel is tainted as by a livepatch, for good once it is.
tainted()
{
	echo $(($(cat /proc/sys/kernel/tainted) >> 15 & 1))
}

# By address: the new code has a function of the same name.
entry=0x$(sed -n 's/ . loadavg_proc_show$//p' /proc/kallsyms)
place=$(printf '0x%x' $((entry + $(jump_offset))))
core
link string
must kprobe "p:ours/probe $place"
deny string applied EBUSY "busy" "has a kprobe"
must kprobe ""
expect "taint before anything is applied" "$(tainted)" 0
ask string applied
expect "taint when applied" "$(tainted)" 1
ask string reversed
expect "taint when undone" "$(tainted)" 1
unload string new
unload string old
finish "the kernel is tainted by what is applied, and not by what is refused"

core
refuse "unknown symbol" insmod "$(half string new)"
expect "updates" "$(ls $sys)" abi
finish "new code without old code is refused"

core
refuse "nvalid" insmod /updates/malformed_old.ko
expect "updates" "$(ls $sys)" abi
finish "malformed old code is refused"

core
dmesg -c > /dev/null
refuse "nvalid" insmod /updates/abi_old.ko
contains "kernel log" "$(dmesg)" "malformed update refused: this ID is the name of a file in $sys"
expect "updates" "$(ls $sys)" abi
finish "an ID that is a file in sysfs is refused"

core
load string old
refuse "File exists" insmod "$(half string old)"
refuse "File exists" insmod /updates/renamed_old.ko
contains "error" "$(cat $sys/string/error)" "EEXIST vmlinux: its old code is loaded already"
expect "targets" "$(cat $sys/string/targets)" "vmlinux old"
ask string matched
refuse "File exists" insmod /updates/renamed_old.ko
load string new
refuse "File exists" insmod /updates/renamed_old.ko
unload string new
unload string old
finish "old code twice"

core
load string old
deny string applied EINVAL "nvalid argument" "not linked"
deny string reversed EINVAL "nvalid argument" "not applied"
deny string linked EINVAL "nvalid argument" "no such stage"
ask string matched
deny string matched EEXIST "exists" "already matched"
deny string applied EINVAL "nvalid argument" "not linked"
load string new
deny string matched EEXIST "exists" "already matched"
deny string reversed EINVAL "nvalid argument" "not applied"
ask string applied
contains "loadavg" "$(cat /proc/loadavg)" patched
deny string applied EEXIST "exists" "already applied"
deny string matched EEXIST "exists" "already matched"
refuse "unavailable" rmmod "$(module string new)"
contains "patches" "$(cat $sys/string/patches)" "loadavg_proc_show $(sed -n "s, . loadavg_proc_show\$,,p" /proc/kallsyms)"
expect "patches, in small pieces" "$(dd if=$sys/string/patches bs=7 2> /dev/null)" \
	"$(cat $sys/string/patches)"
ask string reversed
deny string reversed EEXIST "exists" "already reversed"
deny string applied EINVAL "nvalid argument" "reversed"
unload string new
expect "stage without new code" "$(cat $sys/string/stage)" registered
ask string matched
unload string old
finish "stages in wrong orders"

core
link string
ask string applied
expect "files" "$(cd $sys/string && echo ./*)" \
	"./conflicts ./description ./error ./match ./nudge ./partial ./patches ./pause_ns ./stage ./targets"
must without root cat /proc/loadavg
for file in "$sys/abi" "$sys"/string/*; do
	case $file in
	*/stage | */partial | */nudge) mode=600 ;;
	*) mode=400 ;;
	esac
	expect "mode and owner of $file" "$(stat -c '%a %u %g' "$file")" "$mode 0 0"
	must cat "$file"
	refuse "denied" without root cat "$file"
	refuse "denied" without root sh -c "echo reversed > $file"
done
expect "stage" "$(cat $sys/string/stage)" applied
ask string reversed
unload string new
unload string old
finish "files are for root only"

# kallsyms has addresses for the reader of it, or zeros.
restrict=/proc/sys/kernel/kptr_restrict
before=$(cat $restrict)
addresses=${entry#0x}
zeros=$(echo "$addresses" | sed 's/./0/g')
core
link string
ask string applied
for value in 0 1 2; do
	must write $value $restrict
	expected=$addresses
	[ $value != 2 ] || expected=$zeros
	contains "patches with kptr_restrict $value" "$(cat $sys/string/patches)" \
		"loadavg_proc_show $expected "
	expect "patches without CAP_SYSLOG, $value" "$(without syslog cat $sys/string/patches)" \
		"loadavg_proc_show $zeros $zeros"
	for file in "$sys"/string/*; do
		lacks "$file without CAP_SYSLOG" "$(without syslog cat "$file")" ffffffff
	done
done
must write 2 $restrict
expect "patches with kptr_restrict 2" "$(cat $sys/string/patches)" "loadavg_proc_show $zeros $zeros"
must write "$before" $restrict
ask string reversed
unload string new
unload string old
finish "addresses are for those who may see them"

core
load module old
must insmod /updates/ksplice-module/ksplice_module_zram_old.ko
deny module matched ENODEV "No such device" "zram: the module is not loaded"
must rmmod ksplice_module_zram_old
unload module old
finish "a target that is not loaded"

core
load string old
must insmod /modules/holder.ko folder=$sys/string
unload string old
expect "updates" "$(ls $sys)" abi
load string old
ask string matched
unload string old
must rmmod ksplice
expect "the folder of the core" "$(ls $sys 2>&1)" "ls: $sys: No such file or directory"
must rmmod holder
core
load string old
unload string old
finish "folders in sysfs that somebody holds longer than the core is there"

core
load string old
unload string old
expect "updates" "$(ls $sys)" abi
load string old
ask string matched
unload string old
expect "updates" "$(ls $sys)" abi
link string
unload string old
expect "targets" "$(cat $sys/string/targets)" "vmlinux new"
deny string applied EINVAL "nvalid argument" "not linked"
deny string matched EINVAL "nvalid argument" "loaded already"
load string old
deny string matched EINVAL "nvalid argument" "loaded already"
unload string new
ask string matched
load string new
ask string applied
unload string old
refuse "busy" insmod "$(half string old)"
ask string reversed
unload string new
link string
unload string new
expect "stage without new code" "$(cat $sys/string/stage)" registered
ask string matched
lacks "match" "$(cat $sys/string/match)" "0 0"
unload string old
finish "old code goes in each stage"

core
load string old
ask string matched
load new_function old
deny new_function matched EBUSY "busy" "update string is just being loaded"
load string new
ask new_function matched
load new_function new
ask new_function applied
ask string applied
contains "uptime" "$(cat /proc/uptime)" "read 1 times"
contains "loadavg" "$(cat /proc/loadavg)" patched
ask new_function reversed
unload new_function old
unload new_function new
ask string reversed
unload string new
unload string old
finish "two updates are matched, and applied, and one was in the way"

core
link new_function
load string old
ask string matched
ask new_function applied
refuse "busy" insmod "$(half string new)"
contains "error" "$(cat $sys/string/error)" "other updates changed"
unload string old
link string
ask string applied
unload string old
ask string reversed
unload string new
ask new_function reversed
unload new_function new
unload new_function old
finish "another update is applied after matching"

core
link string
ask string applied
must rmmod -f "$(module string new)"
lacks "loadavg" "$(cat /proc/loadavg)" patched
expect "stage" "$(cat $sys/string/stage)" registered
unload string old
finish "new code in use that is unloaded by force is reversed first"

core
load string old
ask string matched
must ksplice-apply /updates/ksplice-string.tar.gz
contains "what ksplice-apply says" "$out" "interrupted"
contains "loadavg" "$(cat /proc/loadavg)" patched
must ksplice-undo string
sleep 10000 &
sleeper=$!
sleep 0.2
ksplice-apply --retries=1000 --delay=0.1 /updates/ksplice-asleep.tar.gz > /tmp/out 2>&1 &
apply=$!
for _ in $(seq 100); do
	[ "$(cat $sys/asleep/stage 2> /dev/null)" != linked ] || break
	sleep 0.1
done
sleep 0.3
kill -KILL $apply
wait $apply 2> /dev/null
expect "stage when killed" "$(cat $sys/asleep/stage)" linked
contains "conflicts" "$(cat $sys/asleep/conflicts)" "$sleeper S sleep hrtimer_nanosleep"
kill $sleeper
wait $sleeper 2> /dev/null
must ksplice-apply /updates/ksplice-asleep.tar.gz
must timeout 5 sleep 10000
must ksplice-undo asleep
finish "ksplice-apply killed half way, then run again"

core
load string old
must kprobe "p:ours/probe $place"
must write 1 $tracing/events/ours/probe/enable
deny string matched EBUSY "busy" loadavg_proc_show
# In the meantime the breakpoint becomes a jump (kprobe_optimizer()).
sleep 1
deny string matched EBUSY "busy" loadavg_proc_show
must kprobe ""
ask string matched
load string new
must kprobe "p:ours/probe $place"
must write 1 $tracing/events/ours/probe/enable
deny string applied EBUSY "busy" loadavg_proc_show
lacks "loadavg" "$(cat /proc/loadavg)" patched
must kprobe ""
must kprobe "p:ours/probe $place"
deny string applied EBUSY "busy" loadavg_proc_show
must write 1 $tracing/events/ours/probe/enable
lacks "loadavg" "$(cat /proc/loadavg)" patched
must kprobe ""
ask string applied
contains "loadavg" "$(cat /proc/loadavg)" patched
must kprobe "p:ours/probe $place"
deny string reversed EBUSY "busy" loadavg_proc_show
must write 1 $tracing/events/ours/probe/enable
contains "loadavg" "$(cat /proc/loadavg)" patched
deny string reversed EBUSY "busy" loadavg_proc_show
must kprobe ""
must kprobe "p:ours/probe $entry"
must write 1 $tracing/events/ours/probe/enable
ask string reversed
must kprobe ""
unload string new
unload string old
finish "kprobes where the jump goes"

# traced NAME: one read of loadavg, which the function tracer records
traced()
{
	echo > $tracing/trace
	cat /proc/loadavg > /dev/null
	expect "entries traced $1" "$(grep -c 'loadavg_proc_show <-' $tracing/trace)" 1
}

must write loadavg_proc_show $tracing/set_ftrace_filter
must write function $tracing/current_tracer
traced "before"
must ksplice-apply /updates/ksplice-string.tar.gz
contains "loadavg" "$(cat /proc/loadavg)" patched
traced "when applied"
must write nop $tracing/current_tracer
contains "loadavg" "$(cat /proc/loadavg)" patched
must write function $tracing/current_tracer
traced "when traced again"
must ksplice-undo string
traced "when undone"
must write nop $tracing/current_tracer
must write "" $tracing/set_ftrace_filter
finish "function tracer"

must write loadavg_proc_show $tracing/set_ftrace_filter
must write "hrtimer_nanosleep" $tracing/set_graph_function
must write "" $tracing/set_ftrace_filter
must write function_graph $tracing/current_tracer
sleep 10000 &
sleeper=$!
sleep 0.5
must ksplice-apply /updates/ksplice-string.tar.gz
contains "loadavg" "$(cat /proc/loadavg)" patched
out=$(ksplice-apply --retries=1 --delay=0.1 /updates/ksplice-asleep.tar.gz 2>&1)
expect "status of the busy one" $? 3
contains "who is in the way" "$out" "$sleeper"
must ksplice-undo string
kill $sleeper
wait $sleeper 2> /dev/null
must write nop $tracing/current_tracer
must write "" $tracing/set_graph_function
finish "function graph tracer, also of a function that a task is asleep in"

# read_always FILE: read loadavg without end, count what is neither old nor new
read_always()
{
	wrong=0
	trap 'echo $wrong > '"$1"'; exit' TERM
	while :; do
		read -r line < /proc/loadavg || wrong=$((wrong + 1))
		case $line in
		[0-9]*/[0-9]*) ;;
		*) wrong=$((wrong + 1)) ;;
		esac
	done
}

core
read_always /tmp/wrong0 &
reader0=$!
read_always /tmp/wrong1 &
reader1=$!
taskset -p 1 $reader0 > /dev/null
taskset -p 2 $reader1 > /dev/null
cycle=0
while [ $cycle -lt "$cycles" ] && [ -z "$errors" ]; do
	load string old
	ask string matched
	load string new
	insist string applied
	contains "loadavg" "$(cat /proc/loadavg)" patched
	unload string old
	insist string reversed
	lacks "loadavg" "$(cat /proc/loadavg)" patched
	unload string new
	cycle=$((cycle + 1))
done
kill $reader0 $reader1
wait $reader0 $reader1
expect "wrong lines" "$(cat /tmp/wrong0 /tmp/wrong1)" "$(printf '0\n0')"
expect "cycles" $cycle "$cycles"
finish "$cycles cycles while the function is called on two CPUs"

# rmmod of everything while it is being read and written to
core
pids=
for file in stage patches error targets; do
	(while [ ! -e /tmp/stop ]; do cat $sys/string/$file; done > /dev/null 2>&1) &
	pids="$pids $!"
done
(while [ ! -e /tmp/stop ]; do echo matched > $sys/string/stage; done 2> /dev/null) &
pids="$pids $!"
for _ in $(seq 30); do
	load string old
	insmod "$(half string new)" 2> /dev/null &
	must rmmod "$(module string old)"
	wait $!
	rmmod "$(module string new)" 2> /dev/null
done
touch /tmp/stop
# shellcheck disable=SC2086
wait $pids
finish "files in use while the modules come and go"
exit 0
