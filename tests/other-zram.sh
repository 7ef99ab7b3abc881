# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For tests that source it.

# other_zram FILE OTHER: a zram of other code: in initstate_show() PAGE_SIZE is 16 bytes less.
# Without its signature, which would not fit.
other_zram()
{
	local other=$2 text address

	objcopy "$1" "$other" || return
	text=$(readelf -SW "$other" | sed -n 's/.* \.text *PROGBITS *[0-9a-f]* *\([0-9a-f]*\) .*/\1/p')
	address=$(objdump -d --disassemble=initstate_show "$other" |
		sed -n 's/^ *\([0-9a-f]*\):\tbe 00 10 00 00 .*/\1/p' | head -n 1)
	[ -n "$text" ] && [ -n "$address" ] &&
		printf '\xf0\x0f' | dd of="$other" bs=1 seek=$((16#$text + 16#$address + 1)) conv=notrunc status=none
}
