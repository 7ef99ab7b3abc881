# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest: lines "apply US", "undo US" and "stop US" of microseconds.

i=0
while [ $i -lt 20 ]; do
	ksplice-apply /updates/ksplice-string.tar.gz | sed -n 's/.* pause \([0-9.]*\) us/apply \1/p'
	ksplice-undo string | sed -n 's/.* pause \([0-9.]*\) us/undo \1/p'
	i=$((i + 1))
done
[ ! -e /updates/stop.ko ] || insmod /updates/stop.ko
dmesg | awk '/empty stop_machine/ { printf "stop %.1f\n", $(NF - 1) / 1000 }'
