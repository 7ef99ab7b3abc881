# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest after a test, on a kernel with kmemleak: was all memory freed?

leaks=/sys/kernel/debug/kmemleak

if [ ! -e $leaks ]; then
	echo "SKIP kmemleak: this kernel does not have it"
	exit 0
fi
# It only reports what is older than five seconds and did not change between
# two scans (mm/kmemleak.c).
sleep 6
echo scan > $leaks
sleep 1
echo scan > $leaks
found=$(cat $leaks)
if [ -n "$found" ]; then
	echo "$found"
	echo "FAIL kmemleak: $(echo "$found" | grep -c '^unreferenced') objects leaked"
	exit 1
fi
if dmesg | grep -q 'kmemleak: .*[Dd]isabl'; then
	echo "FAIL kmemleak: it gave up: $(dmesg | grep 'kmemleak: ' | tail -n 1)"
	exit 1
fi
echo "PASS kmemleak: nothing leaked"
