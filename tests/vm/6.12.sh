# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest, where test-6.12 put the updates into /updates: each of them is
# applied and undone, and does what its patch says in between.

lsmod_before=$(lsmod | sed 1d)

# Once per update, "applied" or "undone": what can be seen of it.
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
	module) cat /sys/block/zram0/initstate ;;
	esac
}

# check NAME WORD: WORD is seen while the update is applied, and only then.
check()
{
	before=$(show "$1")
	said=$(ksplice-apply "/updates/ksplice-$1.tar.gz" 2>&1)
	status=$?
	applied=$(show "$1")
	said="$said $(ksplice-undo "$1" 2>&1)"
	status=$status,$?
	after=$(show "$1")
	case $before,$after in
	*"$2"*) status="$status (\"$before\" before, \"$after\" after)" ;;
	esac
	case $applied in
	*"$2"*) ;;
	*) status="$status (\"$applied\" applied)" ;;
	esac
	[ "$(lsmod | sed 1d)" = "$lsmod_before" ] || status="$status (modules are left)"
	if [ "$status" = 0,0 ]; then
		echo "PASS 6.12: $1"
	else
		echo "FAIL 6.12: $1: $status: $said"
	fi
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
kill $sleeper
