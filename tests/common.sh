# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # top, dir, root, release: of the script that sources this
#
# For test scripts, most of which run on several kernels.

# patch_of NAME: its file in tests/patches; some are others for another version of the kernel.
patch_of()
{
	local file

	file=$top/tests/patches/$(cut -d . -f 1,2 <<< "$release")/$1.patch
	[ -e "$file" ] || file=$top/tests/patches/$1.patch
	echo "$file"
}

# kernel_like REGEX: the first name in kernels.conf that begins so.
kernel_like()
{
	"$top/tests/kernels/fetch" --list | grep -m 1 "^$1"
}

# find_tree: sets $tree to what ksplice-create prepared for the kernel in $root, of that kernel's own source.
find_tree()
{
	for tree in "${KSPLICE_CACHE:-$HOME/.cache/ksplice}/trees/$release-"*; do
		[ -e "$tree/scripts/mod/modpost" ] && [ "$(cat "$tree/.ksplice_source_differs")" = no ] &&
			cmp -s "$tree/Module.symvers" "$root/usr/src/linux-headers-$release/Module.symvers" && return
	done
	return 1
}

# run_marked NAME COMMAND...: results with the name of the kernel; the tests that run may be parts of check, too.
# Fails if one of them did.
run_marked()
{
	"${@:2}" > "$dir/output" 2>&1
	sed -E "s/^(PASS|FAIL|SKIP) /&$1: /" "$dir/output" | tee "$dir/results"
	! grep -q '^FAIL' "$dir/results"
}

# use_programs: what a guest with $release runs, made in $dir; $guest are the options
# of tests/vm/boot for it.
# shellcheck disable=SC2034 # used by the script that sources this
use_programs()
{
	"$top/tests/kernels/programs" "$release" "$dir/programs" || return
	guest=(--tools="$dir/programs")
	[[ $release != *-686* ]] || guest+=(--arch=i386)
}

# other_zram FILE OTHER: a zram of other code: in initstate_show() PAGE_SIZE, which it puts into
# a register or on the stack, is 16 bytes less.
# Without its signature, which would not fit.
other_zram()
{
	local other=$2 text address

	objcopy "$1" "$other" || return
	text=$(readelf -SW "$other" | sed -n 's/.* \.text *PROGBITS *[0-9a-f]* *\([0-9a-f]*\) .*/\1/p')
	address=$(objdump -d --disassemble=initstate_show "$other" |
		sed -n 's/^ *\([0-9a-f]*\):\t\(be\|68\) 00 10 00 00 .*/\1/p' | head -n 1)
	[ -n "$text" ] && [ -n "$address" ] &&
		printf '\xf0\x0f' | dd of="$other" bs=1 seek=$((16#$text + 16#$address + 1)) conv=notrunc status=none
}
