# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Variables are used by those who source this:
# shellcheck disable=SC2034
#
# Shared by the scripts of make check-match.

export LC_ALL=C
top=${KSPLICE_SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${KSPLICE_BUILDDIR:-$top/build}
bin=${KSPLICE_BINDIR:-$build}
cache=${KSPLICE_CACHE:-$HOME/.cache/ksplice}
failed=0

# shellcheck source=tests/common.sh
. "$top/tests/common.sh"

pass()
{
	echo "PASS match: $*"
}

fail()
{
	echo "FAIL match: $*"
	failed=1
}

# use_kernel NAME: sets root, release and image
use_kernel()
{
	root=$("$top/tests/kernels/fetch" "$1") || exit 1
	release=$(basename "$root"/boot/vmlinuz-*)
	release=${release#vmlinuz-}
	image=$root/boot/vmlinuz-$release
}

# old_code TARGET OLD OBJECT...: the old code of objects that nothing changes
old_code()
{
	local target=$1 old=$2 pairs=() object

	shift 2
	for object in "$@"; do
		pairs+=("$object" "$object")
	done
	"$bin/ksplice-objmanip" --id=match --target="$target" --old="$old" --new="$old.new" "${pairs[@]}" &&
		rm "$old.new"
}

# module_file PLACE FILE: unpacks the distribution's file of a module to FILE
module_file()
{
	local file

	for file in "$root/lib/modules/$release/kernel/$1".ko*; do
		case $file in
		*.xz) xz -dc "$file" ;;
		*.zst) zstd -qdc "$file" ;;
		*.gz) gzip -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$2"
		return
	done
}
