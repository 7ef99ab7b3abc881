# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The files of create/ share their variables, and "|| die" ends the script:
# shellcheck disable=SC2034,SC2154,SC2015
#
# ksplice-create: exported symbols, which modules use that the patch does not
# change.  Sourced by ksplice-create.

# crcs_of pre|post OBJECT: lines "NAME 0xCRC", the versions that the build gave to
# the symbols that the object exports: in a note for modpost since 5.19, before
# that as absolute symbols.  Nothing without CONFIG_MODVERSIONS.
crcs_of()
{
	local object=$work/$1/$2

	{
		sed -n 's/^#SYMVER \([^ ]*\) 0x\([0-9a-f]*\)$/\1 0x\2/p' "${object%/*}/.${object##*/}.cmd"
		nm -- "$object" | sed -n 's/^0*\([0-9a-f]\{1,8\}\) A __crc_\(.*\)$/\2 0x\1/p'
	} 2>/dev/null | LC_ALL=C sort -u
}

# prototype_of pre|post OBJECT NAME: as genksyms sees it, without what the types
# in it consist of.
prototype_of()
{
	LC_ALL=C awk -v name="$3" '$1 == name' "$work/$1/${2%.o}.symtypes"
}

# check_object_exports OBJECT: a version differs as soon as any type behind a
# pointer does, and what that means for live data is asked in layout.sh.  Here it
# matters how others call the function.
check_object_exports()
{
	local object=$1 side name others=0 names

	mapfile -t names < <(join <(crcs_of pre "$object") <(crcs_of post "$object") | awk '$2 != $3 { print $1 }')
	[ "${#names[@]}" -gt 0 ] || return 0
	for side in pre post; do
		run "$work/symtypes.log" make_objects "$work/$side" "${object%.o}.symtypes" || {
			tail -n 20 "$work/symtypes.log" >&2
			die "$EXIT_ENV" "$object: the types of what it exports cannot be listed"
		}
	done
	for name in "${names[@]}"; do
		if [ "$(prototype_of pre "$object" "$name")" != "$(prototype_of post "$object" "$name")" ]; then
			refuse "$name" "its prototype changes, but it is exported, and modules call it as it was; give the changed function a new name and keep this one for them"
		else
			others=$((others + 1))
		fi
	done
	[ "$others" -eq 0 ] ||
		skip "$object" "types that $others of its exported symbols use are not the same; the kernel that runs keeps the versions (CRC) that modules know"
}

check_exports()
{
	local object

	for object in "${changed_objects[@]}"; do
		check_object_exports "$object"
	done
}
