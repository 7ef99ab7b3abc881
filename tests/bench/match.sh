# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest: lines "match MS FUNCTIONS BYTES" and "memcmp NS".

now_ms()
{
	awk '{ print int($1 * 1000) }' /proc/uptime
}

insmod /bench/ksplice.ko && insmod /bench/ksplice_bench_old.ko || exit
start=$(now_ms)
echo matched > /sys/kernel/ksplice/bench/stage || { cat /sys/kernel/ksplice/bench/error; exit 1; }
ms=$(($(now_ms) - start))
read -r functions bytes < /sys/kernel/ksplice/bench/match
echo "match $ms $functions $bytes"
insmod /bench/compare.ko size="$bytes"
dmesg | sed -n 's/.*ksplice bench: memcmp \([0-9]*\) ns.*/memcmp \1/p'
