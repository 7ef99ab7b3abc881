# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Steps of tests that drive the core by hand in a guest, with unpacked updates in
# /updates; for scripts that source it as /steps.sh.

# shellcheck source=tests/vm/cases.sh
. /cases.sh

sys=/sys/kernel/ksplice
tracing=/sys/kernel/tracing

# The end of a case: its name, and nothing may be left of it.
finish()
{
	[ ! -d /sys/module/ksplice ] || rmmod ksplice
	lacks "loadavg afterwards" "$(cat /proc/loadavg)" patched
	end_case "core: $1"
}

# must COMMAND...: it succeeds.
must()
{
	out=$("$@" 2>&1) || errors="$errors; $* fails: $out"
}

# refuse TEXT COMMAND...: it fails, and says that.
refuse()
{
	text=$1
	shift
	if out=$("$@" 2>&1); then
		errors="$errors; $* succeeds"
	else
		contains "what $* says" "$out" "$text"
	fi
}

# write TEXT FILE
write()
{
	{ echo "$1" > "$2"; } 2>&1
}

# ask ID STAGE: done
ask()
{
	must write "$2" $sys/"$1"/stage
	expect "error of $1" "$(cat $sys/"$1"/error)" ok
	expect "stage of $1" "$(cat $sys/"$1"/stage)" "$2"
}

# deny ID STAGE ERRNO ERRTEXT CAUSE: refused, and the stage is as before
deny()
{
	before=$(cat $sys/"$1"/stage)
	refuse "$4" write "$2" $sys/"$1"/stage
	contains "error of $1 asked for $2" "$(cat $sys/"$1"/error)" "$3 "
	contains "error of $1 asked for $2" "$(cat $sys/"$1"/error)" "$5"
	expect "stage of $1" "$(cat $sys/"$1"/stage)" "$before"
}

# module ID HALF: name of a module
module()
{
	echo "ksplice_$1_vmlinux_$2"
}

# half ID HALF: file of a module
half()
{
	echo "/updates/ksplice-$1/$(module "$1" "$2").ko"
}

load()
{
	must insmod "$(half "$1" "$2")"
}

unload()
{
	must rmmod "$(module "$1" "$2")"
}

core()
{
	must insmod /updates/ksplice-string/ksplice.ko
}

# has_btf CASE: what programs of BPF need; says that the case is skipped without it
has_btf()
{
	[ ! -e /sys/kernel/btf/vmlinux ] || return 0
	echo "SKIP core: $1: this kernel has no BTF"
	return 1
}

# link ID: up to stage linked
link()
{
	load "$1" old
	ask "$1" matched
	load "$1" new
	expect "stage of $1" "$(cat $sys/"$1"/stage)" linked
}

# kprobe DEFINITION: set one kprobe, or none if it is empty
# shellcheck disable=SC2317
kprobe()
{
	for event in "$tracing"/events/ours/*/enable; do
		[ ! -e "$event" ] || write 0 "$event"
	done
	write "$1" "$tracing/kprobe_events"
}

# The offset of a jump in its function: behind the slot of ftrace, which is where kprobes
# of a function's start go.
jump_offset()
{
	kprobe "p:ours/probe loadavg_proc_show" > /dev/null
	slot=$(sed -n 's/.* loadavg_proc_show+\(0x[0-9a-f]*\).*/\1/p' /sys/kernel/debug/kprobes/list)
	kprobe "" > /dev/null
	echo $((slot + 5))
}

# insist ID STAGE: again and again while code is in use
insist()
{
	for _ in $(seq 100); do
		write "$2" $sys/"$1"/stage > /dev/null && return
	done
	errors="$errors; stage $2 not reached: $(cat $sys/"$1"/error)"
}
