# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest of i386, where test-i386 put unpacked updates into /updates.  The
# steps of ksplice-apply are taken by hand.

# shellcheck source=tests/vm/cases.sh
. /cases.sh

# must COMMAND...: it succeeds.
must()
{
	out=$("$@" 2>&1) || errors="$errors; $* fails: $out"
}

# ask ID STAGE: in a few tries, as code may be in use
ask()
{
	for _ in 1 2 3 4 5 6 7 8; do
		{ echo "$2" > "/sys/kernel/ksplice/$1/stage"; } 2> /dev/null && return
		sleep 0.2
	done
	errors="$errors; $1: $2: $(cat "/sys/kernel/ksplice/$1/error")"
}

# each HALF ID COMMAND: of the modules of all targets
each()
{
	for file in "/updates/ksplice-$2/"*_"$1".ko; do
		case $3 in
		insmod) must insmod "$file" ;;
		*) must rmmod "$(basename "$file" .ko)" ;;
		esac
	done
}

apply()
{
	must insmod "/updates/ksplice-$1/ksplice.ko"
	each old "$1" insmod
	ask "$1" matched
	each new "$1" insmod
	ask "$1" applied
	each old "$1" rmmod
	expect "stage" "$(cat "/sys/kernel/ksplice/$1/stage")" applied
}

undo()
{
	ask "$1" reversed
	each new "$1" rmmod
	must rmmod ksplice
}

# What can be seen of an update.
show()
{
	case $1 in
	string) cat /proc/loadavg ;;
	inlined) grep State: /proc/$sleeper/status ;;
	new_function) cat /proc/uptime ;;
	exported) cat /proc/version ;;
	assembly) blockdev --setbsz 5000 /dev/zram0 2> /dev/null && echo taken ;;
	module) cat /sys/block/zram0/initstate ;;
	esac
}

# check NAME WORD: WORD is seen while the update is applied, and only then.
check()
{
	lacks "before" "$(show "$1")" "$2"
	apply "$1"
	contains "applied" "$(show "$1")" "$2"
	undo "$1"
	lacks "undone" "$(show "$1")" "$2"
	end_case "i386: $1"
}

sleep 1000 &
sleeper=$!
sleep 0.2

check string patched
check inlined "sleeping lightly"
check new_function "read 1 times"
check exported "panic $(cat /proc/sys/kernel/panic)"
check assembly taken
check module patched

# The exit function of the module is on the stack of rmmod, as it has a frame pointer.
apply string
must rmmod -f ksplice_string_vmlinux_new
lacks "loadavg" "$(cat /proc/loadavg)" patched
must rmmod ksplice
end_case "i386: new code in use that is unloaded by force is reversed first"

# The graph tracer is called by the function itself here.
tracing=/sys/kernel/tracing
echo loadavg_proc_show > $tracing/set_ftrace_filter
echo function_graph > $tracing/current_tracer
apply string
contains "applied" "$(cat /proc/loadavg)" patched
contains "the trace" "$(cat $tracing/trace)" "loadavg_proc_show"
undo string
echo nop > $tracing/current_tracer
echo > $tracing/set_ftrace_filter
lacks "undone" "$(cat /proc/loadavg)" patched
end_case "i386: a function that the graph tracer is attached to"

# Nobody can tell what is on a stack but words: one that sleeps there is found all the same.
kill $sleeper
sleep 10000 &
sleeper=$!
sleep 0.2
must insmod /updates/ksplice-asleep/ksplice.ko
each old asleep insmod
ask asleep matched
each new asleep insmod
out=$( (echo applied > /sys/kernel/ksplice/asleep/stage) 2>&1)
contains "what the kernel says" "$out" "busy"
contains "who is in the way" "$(cat /sys/kernel/ksplice/asleep/conflicts)" "$sleeper S sleep hrtimer_nanosleep"
kill $sleeper
wait $sleeper 2> /dev/null
ask asleep applied
must timeout 5 sleep 10000
each old asleep rmmod
undo asleep
end_case "i386: a function that a task is asleep in"
