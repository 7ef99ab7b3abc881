# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest: lines "pause KIND TASKS MICROSECONDS", of switches and of an empty
# stop_machine(), with few tasks and with many.

# shellcheck disable=SC2154 # out is set by must
# shellcheck source=tests/vm/steps.sh
. /steps.sh

rounds=${ROUNDS:-20}

tasks()
{
	find /proc -maxdepth 3 -path '/proc/[0-9]*/task/[0-9]*' 2> /dev/null | wc -l
}

# pause KIND TASKS COMMAND...: what it prints of a pause
pause()
{
	kind=$1
	number=$2
	shift 2
	must "$@"
	echo "$out" | sed -n "s/.* pause \([0-9.]*\) us/pause $kind $number \1/p"
}

# empty TASKS: of one stop_machine().  It comes before each switch, as the first of
# many in a row takes several times as long as the others.
empty()
{
	dmesg -c > /dev/null
	must insmod /modules/stop.ko count=1
	rmmod stop
	dmesg -c | awk -v tasks="$1" '/empty stop_machine/ {
		printf "pause empty %d %.1f\n", tasks, $(NF - 1) / 1000 }'
}

# measure TASKS: "first" is an apply for which the core has just been loaded, and whose
# code no cache has, nor has an emulator translated it.
measure()
{
	round=0
	while [ $round -lt "$rounds" ]; do
		empty "$1"
		pause first "$1" ksplice-apply --retries=0 /updates/ksplice-string.tar.gz
		must ksplice-undo --retries=0 string
		round=$((round + 1))
	done
	must ksplice-apply --retries=0 /updates/ksplice-gcd.tar.gz
	while [ $round -gt 0 ]; do
		empty "$1"
		pause apply "$1" ksplice-apply --retries=0 /updates/ksplice-string.tar.gz
		empty "$1"
		pause undo "$1" ksplice-undo --retries=0 string
		round=$((round - 1))
	done
	must ksplice-undo gcd
}

sleepers=
while [ "$(tasks)" -lt 100 ]; do
	sleep 10000 &
	sleepers="$sleepers $!"
done
measure 100
# shellcheck disable=SC2086
kill $sleepers
echo 60000 > /proc/sys/kernel/threads-max
echo 30000 > /proc/sys/kernel/pid_max
threads 10000 > /tmp/threads &
threads=$!
while kill -0 $threads && ! grep -q ready /tmp/threads; do
	sleep 0.1
done
measure 10000
kill $threads
wait 2> /dev/null
finish "the pause is measured"
