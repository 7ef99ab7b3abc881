# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest: others that change the same function, before and after the
# update comes.  (kprobes where the jump goes, and tracers: core.sh.)

# shellcheck source=tests/vm/steps.sh
. /steps.sh

enabled=/sys/kernel/livepatch/livepatch/enabled

# Wait until the livepatch is what it is to be.
livepatch_settles()
{
	for _ in $(seq 100); do
		[ "$(cat /sys/kernel/livepatch/livepatch/transition 2> /dev/null)" = 1 ] || return 0
		sleep 0.1
	done
	errors="$errors; the livepatch does not get ready"
}

take_livepatch_away()
{
	must write 0 $enabled
	for _ in $(seq 100); do
		[ -e $enabled ] || break
		sleep 0.1
	done
	must rmmod livepatch
}

test_livepatch()
{
	must insmod /modules/livepatch.ko
	livepatch_settles
	expect "loadavg" "$(cat /proc/loadavg)" livepatched
	refuse "replaced by a livepatch" ksplice-apply --retries=0 /updates/ksplice-string.tar.gz
	expect "loadavg" "$(cat /proc/loadavg)" livepatched
	take_livepatch_away
	must ksplice-apply /updates/ksplice-string.tar.gz
	contains "loadavg" "$(cat /proc/loadavg)" patched
	must ksplice-undo string
	finish "a livepatch of the same function, before the update"

	must ksplice-apply /updates/ksplice-string.tar.gz
	must insmod /modules/livepatch.ko
	livepatch_settles
	expect "loadavg with both" "$(cat /proc/loadavg)" livepatched
	take_livepatch_away
	contains "loadavg without the livepatch" "$(cat /proc/loadavg)" " patched"
	must insmod /modules/livepatch.ko
	livepatch_settles
	must ksplice-undo string
	expect "loadavg undone" "$(cat /proc/loadavg)" livepatched
	take_livepatch_away
	lacks "loadavg" "$(cat /proc/loadavg)" livepatched
	finish "a livepatch of the same function, after the update"
}

if [ -e /modules/livepatch.ko ]; then
	test_livepatch
else
	echo "SKIP core: a livepatch of the same function: this kernel knows none"
fi

# With the programs attached: the function, the update, the function, and undone.
cat > /tmp/with-bpf <<'END'
cat /proc/loadavg
ksplice-apply /updates/ksplice-string.tar.gz > /tmp/out 2>&1 || cat /tmp/out
cat /proc/loadavg
ksplice-undo string > /tmp/out 2>&1 || cat /tmp/out
cat /proc/loadavg
END
test_bpf()
{
	out=$(fentry loadavg_proc_show sh /tmp/with-bpf 2>&1)
	expect "lines that are patched" "$(echo "$out" | grep -c patched)" 1
	contains "what fentry says" "$out" "entries 3 exits 3"
	must ksplice-apply /updates/ksplice-string.tar.gz
	out=$(fentry loadavg_proc_show cat /proc/loadavg 2>&1)
	contains "with programs attached later" "$out" "patched"
	contains "with programs attached later" "$out" "entries 1 exits 1"
	contains "without" "$(cat /proc/loadavg)" patched
	must ksplice-undo string
	finish "$1"
}

name="BPF programs at entry and exit of the same function"
if has_btf "$name"; then
	test_bpf "$name"
fi

# By address: the new code has a function of the same name.
entry=0x$(sed -n 's/ . loadavg_proc_show$//p' /proc/kallsyms)
for kind in p r; do
	must kprobe "$kind:ours/probe $entry"
	must write 1 $tracing/events/ours/probe/enable
	must ksplice-apply /updates/ksplice-string.tar.gz
	echo > $tracing/trace
	contains "loadavg" "$(cat /proc/loadavg)" patched
	expect "hits of $kind when applied" "$(grep -c 'probe: ' $tracing/trace)" 1
	must kprobe ""
	must kprobe "$kind:ours/probe $entry"
	must write 1 $tracing/events/ours/probe/enable
	echo > $tracing/trace
	contains "loadavg" "$(cat /proc/loadavg)" patched
	expect "hits of $kind set when applied" "$(grep -c 'probe: ' $tracing/trace)" 1
	must ksplice-undo string
	lacks "loadavg" "$(cat /proc/loadavg)" patched
	must kprobe ""
done
finish "kprobes and kretprobes at the entry, before and after"

entry=0x$(sed -n 's/ . hrtimer_nanosleep$//p' /proc/kallsyms)
must kprobe "r:ours/probe $entry"
must write 1 $tracing/events/ours/probe/enable
sleep 10000 &
sleeper=$!
sleep 0.5
must ksplice-apply /updates/ksplice-string.tar.gz
must ksplice-undo string
refuse "$sleeper" ksplice-apply --retries=1 --delay=0.1 /updates/ksplice-asleep.tar.gz
kill $sleeper
wait $sleeper 2> /dev/null
must ksplice-apply /updates/ksplice-asleep.tar.gz
must timeout 5 sleep 10000
must ksplice-undo asleep
must kprobe ""
finish "a kretprobe of a function that a task is asleep in"

jump=$(jump_offset)
# From here on kprobes stay breakpoints: to make jumps of them changes code that runs, which
# QEMU does not always survive on a busy host.  test-core: core has such kprobes.
must write 0 /proc/sys/debug/kprobes-optimization

# places FUNCTION FIRST LAST: where instructions begin between these offsets, as the kernel knows.
places()
{
	entry=0x$(sed -n "s/ . $1\$//p" /proc/kallsyms)
	for offset in $(seq "$2" "$3"); do
		kprobe "p:ours/probe $(printf '0x%x' $((entry + offset)))" > /dev/null &&
			printf '0x%x\n' $((entry + offset))
	done
	kprobe "" > /dev/null
}

# set_place ADDRESS...: sets $place to the first of them.
set_place()
{
	place=${1-}
	[ -n "$place" ] || errors="$errors; there is no place for a kprobe"
}

set_probe()
{
	must kprobe "p:ours/probe $place"
	must write 1 $tracing/events/ours/probe/enable
}

# hits COMMAND...: how often the kprobe was hit meanwhile
hits()
{
	echo > $tracing/trace
	"$@" > /dev/null
	grep -c 'probe: ' $tracing/trace
}

# shellcheck disable=SC2046 # addresses
set_place $(places loadavg_proc_show $((jump + 1)) $((jump + 4)))
core
link string
ask string applied
refuse "" kprobe "p:ours/probe $place"
contains "loadavg" "$(cat /proc/loadavg)" patched
ask string reversed
set_probe
expect "hits when undone" "$(hits cat /proc/loadavg)" 1
must kprobe ""
unload string new
unload string old
finish "a kprobe within the jump"

# In Debian's 6.1 the last byte of the jump is the first one of "mov $10, %esi".  What is
# left of that looks like two instructions.
probe_behind()
{
	entry=0x$(sed -n 's/ . loadavg_proc_show$//p' /proc/kallsyms)
	must ksplice-apply /updates/ksplice-string.tar.gz
	for offset in 5 7; do
		must kprobe "p:ours/probe $(printf '0x%x' $((entry + jump + offset)))"
		refuse "loadavg_proc_show has a kprobe behind the jump" ksplice-undo --retries=0 string
		must write 1 $tracing/events/ours/probe/enable
		refuse "loadavg_proc_show has a kprobe behind the jump" ksplice-undo --retries=0 string
		contains "loadavg" "$(cat /proc/loadavg)" patched
		must kprobe ""
	done
	# Where both begin an instruction again.
	must kprobe "p:ours/probe $(printf '0x%x' $((entry + jump + 9)))"
	must write 1 $tracing/events/ours/probe/enable
	must ksplice-undo --retries=0 string
	echo > $tracing/trace
	lacks "loadavg" "$(cat /proc/loadavg)" patched
	expect "hits of a kprobe that was set in replaced code" "$(grep -c 'probe: ' $tracing/trace)" 1
	must kprobe ""
}

case $(uname -r) in
6.1.0-*-amd64)
	probe_behind
	finish "kprobes behind the jump, in an instruction that it cuts"
	;;
esac

# Behind the jump, where nothing runs any more, and behind what it cuts: where an
# instruction begins with the jump as well.
must ksplice-apply /updates/ksplice-string.tar.gz
places loadavg_proc_show $((jump + 5)) 60 > /tmp/patched
must ksplice-undo string
# shellcheck disable=SC2046 # addresses
set_place $(places loadavg_proc_show $((jump + 5)) 60 | grep -F -x -f /tmp/patched)
core
load string old
set_probe
deny string matched EBUSY "busy" "loadavg_proc_show"
expect "hits after a refusal" "$(hits cat /proc/loadavg)" 1
must kprobe ""
ask string matched
load string new
set_probe
expect "hits when linked" "$(hits cat /proc/loadavg)" 1
ask string applied
expect "hits when applied" "$(hits cat /proc/loadavg)" 0
contains "loadavg" "$(cat /proc/loadavg)" patched
must kprobe ""
set_probe
expect "hits of one that was set when applied" "$(hits cat /proc/loadavg)" 0
ask string reversed
expect "hits when undone" "$(hits cat /proc/loadavg)" 1
must kprobe ""
unload string new
unload string old
finish "a kprobe behind the jump, before and after"

# In a function of the same object that the update leaves alone.
# shellcheck disable=SC2046 # addresses
set_place $(places hrtimer_cancel $((jump + 5)) 60)
core
load asleep old
set_probe
deny asleep matched EBUSY "busy" "hrtimer_cancel"
must kprobe ""
ask asleep matched
load asleep new
set_probe
ask asleep applied
[ "$(hits sleep 0.1)" -gt 0 ] || errors="$errors; the kprobe is not hit when applied"
ask asleep reversed
must kprobe ""
unload asleep new
unload asleep old
finish "a kprobe in another function of the same object"
