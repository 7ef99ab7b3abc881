# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest, where test-updates put the updates into /updates: does each of
# them do what its patch says, and is all as before when it is undone?

# shellcheck source=tests/vm/cases.sh
. /cases.sh

apply()
{
	run 0 ksplice-apply "/updates/ksplice-$1.tar.gz"
	contains "what ksplice-apply says" "$out" "pause"
	expect "stage" "$(cat "/sys/kernel/ksplice/$1/stage")" applied
	expect "loaded old code" "$(lsmod | grep -c "^ksplice_$1_.*_old ")" 0
}

undo()
{
	run 0 ksplice-undo "$1"
}

# The comm of a program called NAME, read by itself.
comm_of()
{
	cp /bin/busybox "/tmp/$1"
	# busybox takes argv[0] for the applet, the kernel the name of the file.
	# shellcheck disable=SC3038
	(exec -a cat "/tmp/$1" /proc/self/comm) 2>&1
}

lacks "loadavg before" "$(cat /proc/loadavg)" patched
apply string
contains "loadavg applied" "$(cat /proc/loadavg)" patched
undo string
lacks "loadavg undone" "$(cat /proc/loadavg)" patched
end_case "update: a changed string"

sleep 1000 &
sleeper=$!
sleep 0.2
contains "status before" "$(grep State: /proc/$sleeper/status)" "(sleeping)"
apply inlined
contains "status applied" "$(grep State: /proc/$sleeper/status)" "L (sleeping lightly)"
expect "letter in stat applied" "$(cut -d ' ' -f 3 /proc/$sleeper/stat)" L
undo inlined
contains "status undone" "$(grep State: /proc/$sleeper/status)" "(sleeping)"
expect "letter in stat undone" "$(cut -d ' ' -f 3 /proc/$sleeper/stat)" S
kill $sleeper
end_case "update: a static function inlined into several"

expect "comm before" "$(comm_of probe)" probe
apply unexported
contains "comm applied" "$(comm_of probe)" "fmt"
contains "comm applied" "$(comm_of probe)" " pg"
expect "comm of others" "$(comm_of other)" other
undo unexported
expect "comm undone" "$(comm_of probe)" probe
end_case "update: unexported symbols, one of them ambiguous"

expect "comm before" "$(comm_of probe)" probe
apply special
expect "comm applied" "$(comm_of probe)" patched
undo special
expect "comm undone" "$(comm_of probe)" probe
end_case "update: WARN, static keys, static calls and alternatives"

lacks "uptime before" "$(cat /proc/uptime)" read
apply new_function
contains "uptime applied" "$(cat /proc/uptime)" "read 1 times"
contains "uptime applied" "$(cat /proc/uptime)" "read 2 times"
undo new_function
lacks "uptime undone" "$(cat /proc/uptime)" read
end_case "update: a new function, variable and string"

apply string_pointer
cat /proc/filesystems > /dev/null
contains "filesystems applied" "$(tr '\t' ' ' < /proc/filesystems)" "nodev nodev of the kernel"
undo string_pointer
contains "filesystems undone" "$(tr '\t' ' ' < /proc/filesystems)" "nodev nodev"
end_case "update: a pointer to a string outlives the new code"

sleep 10000 &
sleeper=$!
sleep 0.2
run 3 ksplice-apply --retries=2 --delay=0.1 /updates/ksplice-asleep.tar.gz
contains "who is in the way" "$out" "sleep"
contains "who is in the way" "$out" "$sleeper"
contains "who is in the way" "$out" "hrtimer_nanosleep"
expect "lsmod while busy" "$(lsmod | sed 1d)" "$lsmod_before"
expect "the sleeper" "$(kill -0 $sleeper && echo alive)" alive
kill $sleeper
wait $sleeper 2>/dev/null
apply asleep
run 0 timeout 5 sleep 10000
undo asleep
run 143 timeout 1 sleep 10000
end_case "update: a function that a task is asleep in"

if [ -e /updates/ksplice-wrong_source.tar.gz ]; then
	run 4 ksplice-apply /updates/ksplice-wrong_source.tar.gz
	contains "the reason" "$out" "match"
	end_case "update: old code of another source is refused"
fi

if [ -e /proc/kcore ]; then
	run 0 ksplice-inspect --match=/proc/kcore /updates/ksplice-module.tar.gz
	contains "what is compared" "$out" "vmlinux: match, "
	contains "what is compared" "$out" "zram: match, "
	if [ -e /updates/ksplice-wrong_source.tar.gz ]; then
		run 4 ksplice-inspect --match=/proc/kcore /updates/ksplice-wrong_source.tar.gz
		contains "the reason" "$out" "param_set_copystring"
	fi
	end_case "update: ksplice-inspect compares with the memory of the running kernel"
else
	echo "SKIP update: ksplice-inspect and the running kernel: it has no /proc/kcore"
fi

run 5 ksplice-apply /updates/ksplice-wrong_kernel.tar.gz
contains "the reason" "$out" "$(uname -r)"
end_case "update: an update for another kernel is refused"

head -c 20000 /updates/ksplice-string.tar.gz > /tmp/ksplice-string.tar.gz
run 1 ksplice-apply /tmp/ksplice-string.tar.gz
end_case "update: a truncated update is refused"

run 6 ksplice-apply /updates/ksplice-nothing.tar.gz
run 6 ksplice-undo nothing
end_case "update: what is not there is not found"

apply string
apply new_function
expect "updates" "$(ksplice-view | grep -c applied)" 2
run 1 ksplice-apply /updates/ksplice-string.tar.gz
contains "the reason" "$out" "already"
contains "loadavg" "$(cat /proc/loadavg)" patched
undo string
contains "uptime" "$(cat /proc/uptime)" read
undo new_function
end_case "update: two updates at a time"

# Also a hundred reads through the new copy_to_user().
run 1 blockdev --setbsz 5000 /dev/zram0
apply assembly
run 0 blockdev --setbsz 5000 /dev/zram0
i=0
while [ $i -lt 100 ]; do
	expect "a read of zeros" "$(head -c $i /dev/zero | tr '\\0' 0 | wc -c)" $i
	i=$((i + 1))
done
undo assembly
run 1 blockdev --setbsz 5000 /dev/zram0
end_case "update: assembly, a tail that several functions share"

initstate=/sys/block/zram0/initstate
expect "initstate before" "$(cat $initstate)" 0
apply module
expect "initstate applied" "$(cat $initstate)" "0 patched zram"
contains "loadavg applied" "$(cat /proc/loadavg)" patched
run 1 rmmod zram
undo module
expect "initstate undone" "$(cat $initstate)" 0
lacks "loadavg undone" "$(cat /proc/loadavg)" patched
end_case "update: a module and the kernel itself"

run 0 rmmod zram
lsmod_before=$(lsmod | sed 1d)
run 1 ksplice-apply /updates/ksplice-module.tar.gz
contains "the reason" "$out" "zram: the module is not loaded"
lacks "loadavg" "$(cat /proc/loadavg)" patched
if [ -e /proc/kcore ]; then
	run 0 ksplice-inspect --match=/proc/kcore /updates/ksplice-module.tar.gz
	contains "what is compared" "$out" "zram: not in the image"
fi
end_case "update: a module that is not loaded"
