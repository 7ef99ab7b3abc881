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
