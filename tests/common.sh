# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # top, dir, release: of the script that sources this
#
# For test scripts that run on several kernels.

# patch_of NAME: its file in tests/patches; some are others for another version of the kernel.
patch_of()
{
	local file

	file=$top/tests/patches/$(cut -d . -f 1,2 <<< "$release")/$1.patch
	[ -e "$file" ] || file=$top/tests/patches/$1.patch
	echo "$file"
}

# run_marked NAME COMMAND...: results with the name of the kernel; the tests that run may be parts of check, too.
# Fails if one of them did.
run_marked()
{
	"${@:2}" > "$dir/output" 2>&1
	sed -E "s/^(PASS|FAIL|SKIP) /&$1: /" "$dir/output" | tee "$dir/results"
	! grep -q '^FAIL' "$dir/results"
}
