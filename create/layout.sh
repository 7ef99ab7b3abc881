# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The files of create/ share their variables, and "|| die" ends the script:
# shellcheck disable=SC2034,SC2154,SC2015
#
# ksplice-create: does the new code find the members of structures where the
# running kernel's code has put them?  Sourced by ksplice-create.

# type_lines FILE: the lines of a source that can change the layout of a type.
# Only patches that touch one are worth compiling once more.
type_lines()
{
	awk '/^[ \t]*#[ \t]*(define|include|if|else|elif|endif|pragma)/ { print; next }
		/^(static|const|struct|union|enum|typedef|extern) / && !/;/ && (!/\(/ || /\{$/) { type = 1 }
		type { print }
		/^}/ { type = 0 }' "$1"
}

may_change_types()
{
	local file

	for file in "${sources[@]}"; do
		[ "${file##*.}" != S ] || continue
		cmp -s <(type_lines "$work/a/$file") <(type_lines "$work/b/$file") || return 0
	done
	return 1
}

print_types()
{
	pahole --suppress_aligned_attribute --suppress_packed "$1" >"$2" 2>"$work/pahole.log" || {
		cat "$work/pahole.log" >&2
		die "$EXIT_ENV" "$1: pahole cannot read its types"
	}
}

is_allowed_layout()
{
	local type

	for type in "${allow_layout[@]}"; do
		case $1 in
		"$type" | "struct $type" | "union $type") return 0 ;;
		esac
	done
	return 1
}

# Compiles the changed objects again, with debugging information, and compares
# the structures that they know.  Refuses those whose members are elsewhere.
check_layout()
{
	local object type reason with_types=()
	local -A seen

	may_change_types || return 0
	command -v pahole >/dev/null || die "$EXIT_ENV" "pahole: not found, install it (Debian: dwarves)"
	progress "comparing the types that the changed code uses"
	object_flags=${object_flags%-g0}-g
	for object in "${changed_objects[@]}"; do
		[ -n "${assembly[$object]-}" ] || with_types+=("$object")
	done
	[ "${#with_types[@]}" -gt 0 ] || return 0
	compile_both "${with_types[@]}" || die "$EXIT_ENV" "the objects cannot be compiled with debugging information"
	for object in "${with_types[@]}"; do
		print_types "$work/pre/$object" "$work/types.pre"
		print_types "$work/post/$object" "$work/types.post"
		while IFS=$'\t' read -r type reason; do
			[ -z "${seen[$type]-}" ] || continue
			seen[$type]=yes
			if is_allowed_layout "$type"; then
				say "note: $object: $type: $reason"
			else
				refuse "$object" "$type: $reason; live data has the old layout (--allow-layout=${type#* } if none exists, or if this is harmless)"
			fi
		done < <(awk -f "$data_dir/create/layout.awk" "$work/types.pre" "$work/types.post")
	done
}
