# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest, where test-6.12 or test-5.10 put updates into /updates: each of them
# is applied and undone, and does what its patch says in between.

# shellcheck source=tests/vm/cases.sh
. /cases.sh

version=$(uname -r | cut -d . -f 1,2)

# is_made NAME: whether it was to be made for this kernel
is_made()
{
	[ -e "/updates/ksplice-$1.tar.gz" ]
}

# What can be seen of an update.
show()
{
	case $1 in
	string) cat /proc/loadavg ;;
	inlined) grep State: /proc/$sleeper/status ;;
	unexported | special)
		cp /bin/busybox /tmp/probe
		# busybox takes argv[0] for the applet, the kernel the name of the file.
		# shellcheck disable=SC3038
		(exec -a cat /tmp/probe /proc/self/comm) 2>&1
		;;
	new_function) cat /proc/uptime ;;
	runtime_constant) cat /proc/sys/fs/dentry-state ;;
	runtime_new)
		# The second time, the entries of the tasks are there.
		ls /proc >/dev/null
		count=$(cut -f 6 /proc/sys/fs/dentry-state)
		ls /proc >/dev/null
		[ "$(cut -f 6 /proc/sys/fs/dentry-state)" = "$count" ] || echo found
		;;
	module) cat /sys/block/zram0/initstate ;;
	esac
}

# check NAME WORD: WORD is seen while the update is applied, and only then.
check()
{
	is_made "$1" || return
	lacks "before" "$(show "$1")" "$2"
	out=$(ksplice-apply "/updates/ksplice-$1.tar.gz" 2>&1) || errors="$errors; $out"
	contains "applied" "$(show "$1")" "$2"
	out=$(ksplice-undo "$1" 2>&1) || errors="$errors; $out"
	lacks "undone" "$(show "$1")" "$2"
	end_case "$version: $1"
}

sleep 1000 &
sleeper=$!
sleep 0.2

check string patched
check inlined "sleeping lightly"
check unexported " pg"
check special patched
check new_function "read 1 times"
check module patched
check runtime_constant 424242
check runtime_new found

if is_made string_pointer; then
	ksplice-apply /updates/ksplice-string_pointer.tar.gz >/dev/null || errors="$errors; apply failed"
	cat /proc/filesystems >/dev/null
	contains "filesystems applied" "$(tr '\t' ' ' </proc/filesystems)" "nodev nodev of the kernel"
	ksplice-undo string_pointer >/dev/null || errors="$errors; undo failed"
	contains "filesystems undone" "$(tr '\t' ' ' </proc/filesystems)" "nodev nodev"
	end_case "$version: a pointer to a string outlives the new code"
fi

if is_made zram_pointer; then
	# The old code frees the name of the algorithm, unless it is its own default.
	ksplice-apply /updates/ksplice-zram_pointer.tar.gz >/dev/null || errors="$errors; apply failed"
	device=zram$(cat /sys/class/zram-control/hot_add)
	contains "the log" "$(dmesg)" "Added device: $device, patched"
	algorithm=$(cat "/sys/block/$device/comp_algorithm")
	ksplice-undo zram_pointer >/dev/null || errors="$errors; undo failed"
	expect "algorithm undone" "$(cat "/sys/block/$device/comp_algorithm")" "$algorithm"
	echo 1 >"/sys/block/$device/reset" || errors="$errors; reset failed"
	expect "algorithm after a reset" "$(cat "/sys/block/$device/comp_algorithm")" "$algorithm"
	end_case "$version: old code knows a string that new code has stored"
fi
kill $sleeper
