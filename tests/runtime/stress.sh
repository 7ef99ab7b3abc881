# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest: many cycles of apply and undo while functions of
# tests/patches/stress.patch are called all the time, on both CPUs: by a file, a system
# call, page faults, the network, and NMIs.

# shellcheck disable=SC2154 # out is set by must
# shellcheck source=tests/vm/steps.sh
. /steps.sh

cycles=${CYCLES:-1000}

# Kilobytes that may have leaked.
used()
{
	echo 3 > /proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|VmallocUsed|Percpu):/ { sum += $2 } END { print sum }' /proc/meminfo
}

cycle()
{
	load stress old
	ask stress matched
	load stress new
	insist stress applied
	contains "loadavg" "$(cat /proc/loadavg)" patched
	unload stress old
	insist stress reversed
	lacks "loadavg" "$(cat /proc/loadavg)" patched
	unload stress new
}

# The load has slabs that come and go by some megabytes.  So what counts is the least that is
# in use in the second quarter of the cycles, and in the last one.
step=$((cycles / 20 > 0 ? cycles / 20 : 1))
sample()
{
	now=$(used)
	samples="${samples-} $now"
	case $((4 * (done - 1) / cycles)) in
	1) [ "${second-$now}" -lt "$now" ] || second=$now ;;
	3) [ "${last-$now}" -lt "$now" ] || last=$now ;;
	esac
}

core
for _ in 1 2 3 4 5; do
	cycle
done
# They are nice, for the cycles to have one of the CPUs, and the load what is left.
for cpu in 0 1; do
	hammer $cpu > /tmp/hammer$cpu &
	hammers="${hammers-} $!"
done
ping -q -i 0.002 127.0.0.1 > /tmp/ping &
ping=$!
must insmod /modules/storm.ko
done=0
while [ $done -lt "$cycles" ] && [ -z "$errors" ]; do
	cycle
	done=$((done + 1))
	[ $((done % step)) -ne 0 ] || sample
	[ $((done % 100)) -ne 0 ] || echo "# $done cycles, $(cut -d ' ' -f 1 /proc/uptime) s"
done
must rmmod storm
# shellcheck disable=SC2086
kill $hammers
kill -INT $ping
wait 2> /dev/null
expect "cycles" $done "$cycles"
for cpu in 0 1; do
	echo "# CPU $cpu: $(cat /tmp/hammer$cpu)"
	contains "the load of CPU $cpu" "$(cat /tmp/hammer$cpu)" " wrong 0"
	lacks "the load of CPU $cpu" "$(cat /tmp/hammer$cpu)" "rounds 0 "
done
network=$(grep 'packet loss' /tmp/ping)
storm=$(dmesg | sed -n 's/.*storm: \([0-9]* calls.*\)/\1/p')
echo "# network: $network"
echo "# NMIs: $storm, $(dmesg | grep -c 'came upon a jump') switches with one in a jump that was being written"
contains "the network" "$network" " 0% packet loss"
contains "the storm" "$storm" "calls, 0 wrong"
lacks "the storm" ":$storm" ":0 calls"
echo "# kilobytes in use:$samples"
leaked=$((last - second))
echo "# least in use: $second in the second quarter, $last in the last"
[ $leaked -lt 1024 ] || errors="$errors; $leaked KB leaked in $((cycles / 2)) cycles"
finish "$cycles cycles under load"
