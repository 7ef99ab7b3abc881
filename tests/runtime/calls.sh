# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest whose QEMU counts instructions: those of a call of gcd() as it is,
# with an update, and with a livepatch.

# shellcheck disable=SC2154 # out is set by must
# shellcheck source=tests/vm/steps.sh
. /steps.sh

# count NAME: leaves the instructions of a thousand calls in $instructions
count()
{
	dmesg -c > /dev/null
	must insmod /modules/calls.ko
	rmmod calls
	instructions=$(dmesg | sed -n 's/.*bench: calls \([0-9]*\) empty \([0-9]*\)/\1 \2/p' |
		awk '{ print $1 - $2 }')
	echo "# instructions of a call, $1: $(awk -v n="$instructions" 'BEGIN { print n / 1000 }')"
}

count "unpatched"
unpatched=$instructions
must ksplice-apply /updates/ksplice-gcd.tar.gz
count "with an update"
patched=$instructions
must ksplice-undo gcd
must insmod /modules/livepatch.ko
for _ in $(seq 100); do
	[ "$(cat /sys/kernel/livepatch/livepatch/transition)" != 0 ] || break
	sleep 0.1
done
expect "transition" "$(cat /sys/kernel/livepatch/livepatch/transition)" 0
count "with a livepatch"
livepatched=$instructions
must write 0 /sys/kernel/livepatch/livepatch/enabled
for _ in $(seq 100); do
	! rmmod livepatch 2> /dev/null || break
	sleep 0.1
done
[ "$unpatched" -gt 0 ] || errors="$errors; no instructions were counted"
[ "$patched" -gt "$unpatched" ] || errors="$errors; a jump takes no instruction"
[ "$livepatched" -gt "$patched" ] || errors="$errors; the livepatch was not in force"
finish "instructions of calls are counted"
