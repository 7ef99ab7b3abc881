# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest: first lines "pause KIND TASKS MICROSECONDS", of switches and of an
# empty stop_machine(), with few tasks and with many; then many cycles under load.

# shellcheck disable=SC2154 # out is set by must
# shellcheck source=tests/vm/steps.sh
. /steps.sh

cycles=${CYCLES:-1000}
rounds=${ROUNDS:-20}

tasks()
{
	find /proc -maxdepth 3 -path '/proc/[0-9]*/task/[0-9]*' 2> /dev/null | wc -l
}

# measure TASKS
measure()
{
	round=0
	while [ $round -lt "$rounds" ]; do
		must ksplice-apply --retries=0 /updates/ksplice-string.tar.gz
		echo "$out" | sed -n "s/.* pause \([0-9.]*\) us/pause apply $1 \1/p"
		must ksplice-undo --retries=0 string
		echo "$out" | sed -n "s/.* pause \([0-9.]*\) us/pause undo $1 \1/p"
		round=$((round + 1))
	done
	dmesg -c > /dev/null
	must insmod /modules/stop.ko count="$rounds"
	rmmod stop
	dmesg -c | awk -v tasks="$1" '/empty stop_machine/ {
		printf "pause empty %d %.1f\n", tasks, $(NF - 1) / 1000 }'
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
echo 60000 > /proc/sys/kernel/pid_max
threads 10000 > /tmp/threads &
threads=$!
while kill -0 $threads && ! grep -q ready /tmp/threads; do
	sleep 0.1
done
measure 10000
kill $threads
wait 2> /dev/null
finish "the pause is measured"

# read_always FILE: read loadavg without end, count what is neither old nor new
read_always()
{
	wrong=0
	trap 'echo $wrong > '"$1"'; exit' TERM
	while :; do
		read -r line < /proc/loadavg || wrong=$((wrong + 1))
		case $line in
		[0-9]*/[0-9]*\ patched | [0-9]*/[0-9]*[0-9]) ;;
		*) wrong=$((wrong + 1)) ;;
		esac
	done
}

# Kilobytes that may have leaked.
used()
{
	echo 3 > /proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|VmallocUsed|Percpu):/ { sum += $2 } END { print sum }' /proc/meminfo
}

cycle()
{
	load string old
	ask string matched
	load string new
	insist string applied
	contains "loadavg" "$(cat /proc/loadavg)" patched
	unload string old
	insist string reversed
	lacks "loadavg" "$(cat /proc/loadavg)" patched
	unload string new
}

core
for _ in 1 2 3 4 5; do
	cycle
done
before=$(used)
read_always /tmp/wrong0 &
pids=$!
taskset -p 1 $! > /dev/null
read_always /tmp/wrong1 &
pids="$pids $!"
taskset -p 2 $! > /dev/null
(while :; do /bin/true; done) &		# fork, exec, exit
pids="$pids $!"
(while :; do dd if=/dev/zero of=/dev/null bs=4M count=50 2> /dev/null; done) &	# faults
pids="$pids $!"
ping -q -i 0.002 127.0.0.1 > /dev/null &	# network
pids="$pids $!"
(while :; do find /proc /sys -maxdepth 3 > /dev/null 2>&1; done) &	# files
pids="$pids $!"
done=0
while [ $done -lt "$cycles" ] && [ -z "$errors" ]; do
	cycle
	done=$((done + 1))
	[ $((done % 100)) -ne 0 ] || echo "# $done cycles"
done
# shellcheck disable=SC2086
kill $pids
wait 2> /dev/null
expect "wrong lines" "$(cat /tmp/wrong0 /tmp/wrong1)" "$(printf '0\n0')"
expect "cycles" $done "$cycles"
sleep 2
after=$(used)
echo "# kilobytes in use: $before before, $after after"
# Slabs of the load itself come and go by some megabytes.
[ $((after - before)) -lt 8192 ] || errors="$errors; $((after - before)) KB leaked in $cycles cycles"
finish "$cycles cycles under load"
