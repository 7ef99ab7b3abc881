# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest: lines "match MS FUNCTIONS BYTES", "memory KB" and "memcmp NS".

now_ms()
{
	awk '{ print int($1 * 1000) }' /proc/uptime
}

free_kb()
{
	awk '$1 == "MemFree:" { print $2 }' /proc/meminfo
}

before=$(free_kb)
insmod /bench/ksplice.ko && insmod /bench/v0.ko || exit
start=$(now_ms)
echo matched > /sys/kernel/ksplice/v0/stage || { cat /sys/kernel/ksplice/v0/error; exit 1; }
ms=$(($(now_ms) - start))
echo "memory $((before - $(free_kb)))"
read -r functions bytes < /sys/kernel/ksplice/v0/match
echo "match $ms $functions $bytes"
insmod /bench/compare.ko size="$bytes"
dmesg | sed -n 's/.*ksplice bench: memcmp \([0-9]*\) ns.*/memcmp \1/p'
