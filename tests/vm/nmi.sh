# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest: a function is switched to and fro while NMIs call it on all
# CPUs (modules/storm.c).

# shellcheck source=tests/vm/steps.sh
. /steps.sh

must insmod /modules/storm.ko
cycle=0
while [ $cycle -lt 4 ] && [ -z "$errors" ]; do
	must ksplice-apply /updates/ksplice-gcd.tar.gz
	must ksplice-undo gcd
	cycle=$((cycle + 1))
done
must rmmod storm
storm=$(dmesg | sed -n 's/.*storm: \([0-9]* calls.*\)/\1/p')
contains "the storm" "$storm" "calls, 0 wrong"
lacks "the storm" ":$storm" ":0 calls"
contains "the log" "$(dmesg)" "NMIs came upon a jump that was being written"
finish "a function that NMIs call on all CPUs meanwhile"
