# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # top, build, create, dir, root, release, wanted: of the script that sources this
#
# For test scripts, most of which run on several kernels.

# patch_of NAME: its file in tests/patches; some are others for another version of the kernel.
patch_of()
{
	local version file

	version=$(cut -d . -f 1,2 <<< "$release")
	file=$top/tests/patches/$version/$1.patch
	[ -e "$file" ] || file=$top/tests/patches/$1.patch
	if [ "$version" = 5.10 ]; then
		# What loadavg.c prints is a long there.
		sed 's|%u/%d %d|%ld/%d %d|' "$file" > "$dir/$1.patch"
		file=$dir/$1.patch
	fi
	echo "$file"
}

# made LABEL NAME TARGET:FUNCTION...: an update, in $dir/updates, was made and verified, and has these functions.
made()
{
	local label=$1 name=$2

	shift 2
	if "$create" --root="$root" --kernel="$release" --output="$dir/updates" --id="${name//-/_}" --json \
		--patch="$(patch_of "$name")" > "$dir/json" 2> "$dir/err" &&
		[ "$(jq -r '[.targets[] | .name + ":" + .changed[] + ":" + .match.status] | join(" ")' \
			"$dir/json")" = "$(printf '%s:match ' "$@" | sed 's/ $//')" ]; then
		echo "PASS $label: create $name"
	else
		cat "$dir/err" "$dir/json"
		echo "FAIL $label: create $name"
	fi
}

# use_updates LABEL: each of $dir/updates is applied and undone in a guest; then the part
# of test-core that jumps matter to most.
use_updates()
{
	local status=0

	"$top/tests/vm/boot" --timeout=300 --module=zram --tools="$build/apply/static" \
		--file="$top/tests/vm/cases.sh" --file="$dir/updates:/updates" --log="$dir/log" \
		"$root" "$top/tests/vm/versions.sh" || status=$?
	if [ "$status" = 0 ]; then
		echo "PASS $1: the kernel log is clean"
	else
		echo "FAIL $1: boot ended with status $status"
		cat "$dir/log"
	fi
	KSPLICE_TEST_KERNEL=$wanted CORE_SCRIPTS=core CORE_CYCLES=10 CORE_MADE=$dir/updates \
		CORE_UPDATES="string new-function asleep module" run_marked "$1" "$top/tests/test-core"
}

# kernel_like REGEX: the first name in kernels.conf that begins so.
kernel_like()
{
	"$top/tests/kernels/fetch" --list | grep -m 1 "^$1"
}

# find_tree: sets $tree to what ksplice-create prepared for the kernel in $root, of that kernel's own source,
# and $compiler to what makes its modules.
find_tree()
{
	compiler=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ "]*\).*/\1/p' "$root/usr/src/linux-headers-$release/.config")
	compiler=${compiler##*-linux-gnu-}
	command -v "$compiler" > /dev/null || compiler=$root/usr/bin/$compiler
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
