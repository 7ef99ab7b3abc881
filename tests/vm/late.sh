# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest, where test-late put the updates into /updates and modules that
# are not loaded into /modules.  The update changes zram_add(), which zram's init
# function calls, and coretemp, whose init function finds no processor of its kind
# and fails.

# shellcheck source=tests/vm/cases.sh
. /cases.sh

sys=/sys/kernel/ksplice

# fail TEXT COMMAND...: it fails, and says that
fail()
{
	text=$1
	shift
	if out=$("$@" 2>&1); then
		errors="$errors; $* succeeds"
	fi
	contains "what $* says" "$out" "$text"
}

apply()
{
	run 0 ksplice-apply "$@" /updates/ksplice-late.tar.gz
}

# The hooks that ran since the last call, as "NAME;NAME"; @ is "with the CPUs stopped".
hooks()
{
	dmesg | sed -n 's/.*hook: //p' | sed 's/ stopped$/@/' | paste -s -d ';'
	forget_messages
}

undo()
{
	run 0 ksplice-undo late
	expect "kept files" "$(ls /run/ksplice)" ""
}

# states TARGET:STATE...: what the core and ksplice-view say, sorted
states()
{
	expect "states in sysfs" "$(sed 's/ old//; s/ new//; s/ /:/' $sys/late/targets | sort | tr '\n' ' ')" "$* "
	expect "states of ksplice-view" "$(ksplice-view --json late | sed -n '/"targets"/,/\]/{
		s/.*"name": *"\(.*\)".*/\1/p; s/.*"state": *"\(.*\)".*/\1/p; }' | paste -d : - - |
		sed 's/:$//' | sort | tr '\n' ' ')" "$* "
}

# added TEXT: zram says this when it makes a device, in its init function
added()
{
	expect "zram's message" "$(dmesg | grep -o 'Added device: .*' | tail -n 1)" "Added device: $1"
}

forget_messages()
{
	dmesg -c > /dev/null
}

run 1 ksplice-apply /updates/ksplice-late.tar.gz
contains "the reason" "$out" "coretemp: the module is not loaded: load it first, or give --partial"
lacks "loadavg" "$(cat /proc/loadavg)" patched
run 2 ksplice-apply --partial=maybe /updates/ksplice-late.tar.gz
run 2 ksplice-undo --partial late
end_case "late: a missing target is refused without --partial"

run 0 insmod /modules/zram.ko
added zram0
apply --partial
contains "what ksplice-apply says" "$out" "not loaded, patched when it is: coretemp"
lacks "what ksplice-apply says" "$out" "patched when it is: zram"
states coretemp:missing vmlinux:patched zram:patched
run 1 rmmod zram
cat /sys/class/zram-control/hot_add > /dev/null
added "zram1, patched"
undo
cat /sys/class/zram-control/hot_add > /dev/null
added zram2
run 0 rmmod zram
end_case "late: one target is missing, one is there and its init is over"

forget_messages
apply --partial
contains "loadavg" "$(cat /proc/loadavg)" patched
contains "what ksplice-apply says" "$out" "patched when it is: zram"
expect "kept files" "$(ls /run/ksplice/late)" "$(printf 'ksplice_late_coretemp_new\nksplice_late_zram_new')"
expect "mode of the kept files" "$(stat -c %a /run/ksplice/late)" 700
states coretemp:missing vmlinux:patched zram:missing
run 1 rmmod ksplice
run 0 insmod /modules/zram.ko
added "zram0, patched"
states coretemp:missing vmlinux:patched zram:late
contains "patches" "$(cat $sys/late/patches)" zram_add
match=$(cat $sys/late/match)
expect "error" "$(cat $sys/late/error)" ok
run 1 rmmod zram
contains "the reason" "$out" "unavailable"
cat /sys/class/zram-control/hot_add > /dev/null
added "zram1, patched"
# By force: the jumps go with the module.
run 0 rmmod -f zram
states coretemp:missing vmlinux:patched zram:missing
lacks "patches" "$(cat $sys/late/patches)" zram_add
forget_messages
run 0 insmod /modules/zram.ko
added "zram0, patched"
expect "match" "$(cat $sys/late/match)" "$match"
cat /sys/class/zram-control/hot_add > /dev/null
undo
lacks "loadavg" "$(cat /proc/loadavg)" patched
cat /sys/class/zram-control/hot_add > /dev/null
added zram2
run 0 rmmod zram
end_case "late: a target is loaded later, and its init function runs new code"

forget_messages
apply --partial
undo
run 0 insmod /modules/zram.ko
added zram0
run 0 rmmod zram
end_case "late: a target is loaded after undo"

apply --partial
fail format insmod /modules/other/zram.ko
contains "the log" "$(dmesg)" "late: zram is refused, for it cannot be patched: zram: "
expect "loaded" "$(lsmod | grep -c '^zram ')" 0
states coretemp:missing vmlinux:patched zram:missing
contains "error" "$(cat $sys/late/error)" "ENOENT zram"
forget_messages
run 0 insmod /modules/zram.ko
added "zram0, patched"
undo
run 0 rmmod zram
end_case "late: a target that does not match is refused, another one is not"

forget_messages
apply --partial=load
run 0 insmod /modules/other/zram.ko
added zram0
contains "the log" "$(dmesg)" "zram is loaded but not patched"
states coretemp:missing vmlinux:patched zram:unpatched
run 0 rmmod zram
states coretemp:missing vmlinux:patched zram:missing
run 0 insmod /modules/zram.ko
added "zram0, patched"
states coretemp:missing vmlinux:patched zram:late
undo
run 0 rmmod zram
end_case "late: a target that does not match is left alone, by option"

apply --partial
for _ in 1 2 3; do
	forget_messages
	fail "No such device" insmod /modules/coretemp.ko
	contains "the log" "$(dmesg)" "update late applied to coretemp"
	states coretemp:missing vmlinux:patched zram:missing
done
fail "nvalid" insmod /modules/zram.ko num_devices=many
states coretemp:missing vmlinux:patched zram:missing
run 0 insmod /modules/zram.ko
added "zram0, patched"
undo
run 0 rmmod zram
end_case "late: an init function that fails, parameters that are wrong"

apply --partial
mv /run/ksplice/late/ksplice_late_zram_new /tmp
forget_messages
fail format insmod /modules/zram.ko
contains "the log" "$(dmesg)" "/run/ksplice/late/ksplice_late_zram_new: No such file"
contains "the log" "$(dmesg)" "did not load its new code (status 1)"
echo garbage > /run/ksplice/late/ksplice_late_zram_new
fail format insmod /modules/zram.ko
contains "error" "$(cat $sys/late/error)" "did not load its new code"
states coretemp:missing vmlinux:patched zram:missing
mv /tmp/ksplice_late_zram_new /run/ksplice/late
run 0 insmod /modules/zram.ko
states coretemp:missing vmlinux:patched zram:late
undo
run 0 rmmod zram
end_case "late: the helper fails"

run 0 insmod /updates/ksplice-late/ksplice.ko
for half in vmlinux_old coretemp_old zram_old; do
	run 0 insmod /updates/ksplice-late/ksplice_late_$half.ko
done
expect "partial" "$(cat $sys/late/partial)" no
expect "mode of partial" "$(stat -c %a $sys/late/partial)" 600
for text in "refuse" "maybe /bin/true" "refuse bin/true"; do
	{ echo "$text" > $sys/late/partial; } 2> /dev/null && errors="$errors; $text is taken"
	contains "error" "$(cat $sys/late/error)" EINVAL
done
echo "load /bin/ksplice-apply" > $sys/late/partial
expect "partial" "$(cat $sys/late/partial)" "load /bin/ksplice-apply"
echo matched > $sys/late/stage
states coretemp:missing vmlinux zram:missing
{ echo "refuse /bin/true" > $sys/late/partial; } 2> /dev/null && errors="$errors; too late"
fail "nknown symbol" insmod /updates/ksplice-late/ksplice_late_zram_new.ko
forget_messages
insmod /modules/zram.ko &
loader=$!
sleep 1
lacks "the log while the update is not applied" "$(dmesg)" "Added device"
run 0 insmod /updates/ksplice-late/ksplice_late_vmlinux_new.ko
mkdir -p /run/ksplice/late
cp /updates/ksplice-late/ksplice_late_zram_new.ko /run/ksplice/late/ksplice_late_zram_new
echo applied > $sys/late/stage
wait $loader || errors="$errors; insmod fails"
added "zram0, patched"
states coretemp:missing vmlinux:patched zram:late
run 0 rmmod ksplice_late_vmlinux_old
run 0 rmmod ksplice_late_zram_old
run 0 rmmod ksplice_late_coretemp_old
fail "No such device" insmod /modules/coretemp.ko
lacks "the log" "$(dmesg)" "applied to coretemp"
undo
run 0 rmmod zram
end_case "late: a target comes while its update is being applied"

# Killed half way, as it were: modules that come do not wait for ever.
run 0 insmod /updates/ksplice-late/ksplice.ko
for half in vmlinux_old coretemp_old zram_old; do
	run 0 insmod /updates/ksplice-late/ksplice_late_$half.ko
done
echo "refuse /bin/ksplice-apply" > $sys/late/partial
echo matched > $sys/late/stage
run 0 insmod /updates/ksplice-late/ksplice_late_vmlinux_new.ko
forget_messages
run 0 insmod /modules/zram.ko
added zram0
contains "the log" "$(dmesg)" "zram does not wait"
{ echo applied > $sys/late/stage; } 2> /dev/null && errors="$errors; applied without zram"
contains "error" "$(cat $sys/late/error)" "EAGAIN zram: the module was loaded meanwhile"
apply --partial
contains "what ksplice-apply says" "$out" "interrupted run"
states coretemp:missing vmlinux:patched zram:patched
undo
run 0 rmmod zram
end_case "late: a target comes while its update is left half applied"

apply --partial
run 0 insmod /modules/zram.ko
run 0 ksplice-apply /updates/ksplice-new_function.tar.gz
contains "uptime" "$(cat /proc/uptime)" "read 1 times"
undo
run 0 rmmod zram
apply --partial
run 0 ksplice-undo new_function
forget_messages
run 0 insmod /modules/zram.ko
added "zram0, patched"
undo
run 0 rmmod zram
end_case "late: with another update"

apply --partial
run 0 ksplice-apply --partial /updates/ksplice-late_again.tar.gz
contains "loadavg" "$(cat /proc/loadavg)" "patched twice"
forget_messages
run 0 insmod /modules/zram.ko
added "zram0, patched twice"
states coretemp:missing vmlinux:patched zram:late
fail "late_again is built upon it" ksplice-undo --retries=0 late
run 0 ksplice-undo late_again
cat /sys/class/zram-control/hot_add > /dev/null
added "zram1, patched"
undo
run 0 rmmod zram
end_case "late: an update upon another one, both in a target that comes later"

# A helper that waits for /tmp/go, and says with /tmp/helping that it does.
cat > /tmp/helper << 'END'
#!/bin/sh
echo >> /tmp/helping
until [ -e /tmp/go ]; do usleep 50000; done
exec ksplice-apply "$@"
END
chmod +x /tmp/helper

# Begin to load zram, until the helper waits.
start_loading()
{
	rm -f /tmp/helping /tmp/go
	forget_messages
	insmod /modules/zram.ko 2> /tmp/out &
	loader=$!
	until [ -e /tmp/helping ]; do
		kill -0 $loader || break
	done
}

# Load zram, whose new code uses late_new's, and undo the update $1 while the helper waits.
undo_meanwhile()
{
	run 0 insmod /updates/ksplice-late_new_more/ksplice_late_new_more_zram_old.ko
	echo "refuse /tmp/helper" > $sys/late_new_more/partial
	echo matched > $sys/late_new_more/stage
	echo applied > $sys/late_new_more/stage
	mkdir -p /run/ksplice/late_new_more
	cp /updates/ksplice-late_new_more/ksplice_late_new_more_zram_new.ko \
		/run/ksplice/late_new_more/ksplice_late_new_more_zram_new
	start_loading
	run 0 ksplice-undo "$1"
	touch /tmp/go
	wait $loader
}

run 0 ksplice-apply --partial /updates/ksplice-late_new.tar.gz
run 0 ksplice-apply /updates/ksplice-new_function.tar.gz
undo_meanwhile new_function || errors="$errors; insmod fails: $(cat /tmp/out)"
expect "runs of the helper" "$(wc -l < /tmp/helping)" 2
added "zram0, count 1"
run 0 ksplice-undo late_new_more
# By force, for late_new is still in it.
run 0 rmmod -f zram
undo_meanwhile late_new && errors="$errors; insmod succeeds"
lacks "the log" "$(dmesg)" "Added device"
contains "the log" "$(dmesg)" "late_new_more: zram is refused, for it cannot be patched: zram: "
run 0 ksplice-undo late_new_more
end_case "late: another update is undone while the new code is loaded"

# The helper's insmod must get through while rmmod -f waits for it.
run 0 insmod /updates/ksplice-late/ksplice.ko
for half in vmlinux_old coretemp_old zram_old; do
	run 0 insmod /updates/ksplice-late/ksplice_late_$half.ko
done
echo "refuse /tmp/helper" > $sys/late/partial
echo matched > $sys/late/stage
run 0 insmod /updates/ksplice-late/ksplice_late_vmlinux_new.ko
echo applied > $sys/late/stage
mkdir -p /run/ksplice/late
cp /updates/ksplice-late/ksplice_late_zram_new.ko /run/ksplice/late/ksplice_late_zram_new
start_loading
rmmod -f ksplice_late_vmlinux_new &
remover=$!
sleep 1
lacks "the log" "$(dmesg)" "update late reversed"
touch /tmp/go
wait $loader || errors="$errors; insmod fails: $(cat /tmp/out)"
wait $remover || errors="$errors; rmmod fails"
added "zram0, patched"
contains "the log" "$(dmesg)" "update late reversed"
lacks "loadavg" "$(cat /proc/loadavg)" patched
for half in zram_new zram_old coretemp_old vmlinux_old; do
	run 0 rmmod ksplice_late_$half
done
run 0 rmmod ksplice
run 0 rmmod zram
rm -r /run/ksplice/late
end_case "late: new code in use is unloaded by force while a target is patched"

# hooks.patch: which hook refuses is in this file.
panic=/proc/sys/kernel/panic
panic_before=$(cat $panic)
vmlinux="vmlinux pre_apply;vmlinux second_pre_apply;vmlinux check_apply@;vmlinux apply@;vmlinux post_apply"
zram="zram pre_apply;zram check_apply@;zram apply@;zram post_apply"
lost="zram pre_reverse;zram reverse@;zram post_reverse"
undone="vmlinux pre_reverse;vmlinux check_reverse@;vmlinux reverse@;vmlinux post_reverse"
forget_messages
run 0 ksplice-apply --partial /updates/ksplice-hooks.tar.gz
expect "hooks without zram" "$(hooks)" "$vmlinux"
run 0 insmod /modules/zram.ko
expect "order of post_apply and zram's init" "post_apply;Added" \
	"$(dmesg | grep -o 'post_apply\|Added' | tail -n 2 | paste -s -d ';')"
expect "hooks when zram comes" "$(hooks)" "$zram"
# It goes by force, and nobody can keep it.
echo 1014 > $panic
run 0 rmmod -f zram
contains "the log" "$(dmesg)" "zram goes, though a hook refuses"
expect "hooks when zram goes" "$(hooks)" "$lost"
run 0 insmod /modules/zram.ko
expect "hooks when zram is back" "$(hooks)" "$zram"
echo 0 > $panic
run 0 rmmod -f zram
expect "hooks when zram goes again" "$(hooks)" "$lost"
run 0 ksplice-undo hooks
expect "hooks to undo without zram" "$(hooks)" "$undone"
run 0 ksplice-apply --partial /updates/ksplice-hooks.tar.gz
run 0 insmod /modules/zram.ko
hooks > /dev/null
run 0 ksplice-undo hooks
contains "hooks to undo" "$(hooks)" "zram pre_reverse;vmlinux pre_reverse;zram check_reverse@;"
run 0 rmmod zram
end_case "late: hooks of a target that comes later, goes by force, and comes again"

run 0 ksplice-apply --partial /updates/ksplice-hooks.tar.gz
hooks > /dev/null
for number in 1011 1013; do
	echo $number > $panic
	fail format insmod /modules/zram.ko
	contains "error" "$(cat $sys/hooks/error)" "EPERM zram: the hook hook_"
	contains "hooks that refuse" "$(hooks)" ";zram fail_apply"
done
# The new code that was refused is still loaded; it is of no use any more.
mv /run/ksplice/hooks/ksplice_hooks_zram_new /tmp
echo 0 > $panic
fail format insmod /modules/zram.ko
contains "error" "$(cat $sys/hooks/error)" "did not load its new code"
mv /tmp/ksplice_hooks_zram_new /run/ksplice/hooks
expect "hooks without new code" "$(hooks)" ""
# Busy for a moment.
echo 2013 > $panic
insmod /modules/zram.ko &
loader=$!
sleep 1
echo 0 > $panic
wait $loader || errors="$errors; insmod fails"
once="zram pre_apply;zram check_apply@;zram fail_apply;"
all=$(hooks)
contains "hooks that are busy" "$all" "$once"
expect "hooks that are busy, but these" "$(echo "$all" | sed "s/$once//g")" "$zram"
run 0 ksplice-undo hooks
run 0 rmmod zram
run 0 ksplice-apply --partial=load /updates/ksplice-hooks.tar.gz
hooks > /dev/null
echo 1011 > $panic
run 0 insmod /modules/zram.ko
contains "targets" "$(cat $sys/hooks/targets)" "zram old new unpatched"
expect "hooks" "$(hooks)" "zram pre_apply;zram fail_apply"
echo 0 > $panic
run 0 ksplice-undo hooks
expect "hooks to undo without zram" "$(hooks)" "$undone"
run 0 rmmod zram
end_case "late: hooks of a target that comes later refuse"

run 0 ksplice-apply --partial /updates/ksplice-late_hooks.tar.gz
forget_messages
fail "No such device" insmod /modules/coretemp.ko
# Busybox tries it in two ways.
once="coretemp pre_apply;coretemp post_apply;coretemp pre_reverse;coretemp reverse@;coretemp post_reverse"
all=$(hooks)
contains "hooks" "$all" "$once"
expect "hooks, but these" "$(echo "$all" | sed "s/$once;*//g")" ""
run 0 ksplice-undo late_hooks
expect "hooks to undo" "$(hooks)" ""
end_case "late: hooks when the init function fails"
echo "$panic_before" > $panic

for _ in $(seq 10); do
	apply --partial
	for _ in 1 2 3 4; do
		insmod /modules/zram.ko 2> /dev/null &
		insmod /modules/coretemp.ko 2> /dev/null &
	done
	wait
	added "zram0, patched"
	undo
	run 0 rmmod zram
	[ -z "$errors" ] || break
done
end_case "late: again and again, several at a time"

# Whoever loads a target is killed: at any moment, and while the helper runs.
delay=0
while [ $delay -lt 12 ] && [ -z "$errors" ]; do
	apply --partial
	insmod /modules/zram.ko 2> /dev/null &
	loader=$!
	usleep $((delay * 20000))
	kill -KILL $loader 2> /dev/null
	wait $loader 2> /dev/null
	expect "states after a kill" "$(sed -n 's/^zram.* //p' $sys/late/targets)" \
		"$(lsmod | grep -q '^zram ' && echo late || echo missing)"
	[ -d /sys/module/zram ] || run 0 insmod /modules/zram.ko
	added "zram0, patched"
	undo
	run 0 rmmod zram
	delay=$((delay + 1))
done
expect "kills" $delay 12
end_case "late: who loads a target is killed"
