# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The files of create/ share their variables, and "|| die" ends the script:
# shellcheck disable=SC2034,SC2154
#
# ksplice-create: patches that are in the running kernel already, as updates that
# were applied before (--base-patch).  Both the pre and the post code have them.
# Sourced by ksplice-create.

base_files=()		# .c and .h files that they change, from the top of the tree

# apply_base_patch PATCH: to the copies in $work/base; originals are in $work/o.
apply_base_patch()
{
	local kind file other

	awk -v strip="$(strip_level)" -f "$data_dir/create/patch.awk" "$1" >"$work/base-parsed" ||
		die "$EXIT_PATCH" "$1: not a unified diff, or an empty one"
	while IFS=$'\t' read -r kind file other; do
		if [ "$kind" = modify ] && ! [ -f "$tree/$file" ] && [ -f "$tree/$other" ]; then
			file=$other
		fi
		case /$file/ in
		*/../* | //*) die "$EXIT_PATCH" "$1: $file: the name leaves the source tree" ;;
		esac
		[ "$kind" = modify ] || die "$EXIT_REFUSED" "$1: $file: refused: a base patch cannot add or remove files"
		[ -f "$tree/$file" ] || die "$EXIT_PATCH" "$1: $file: not in this kernel's source"
		! [ -f "$work/o/$file" ] || continue
		mkdir -p "$(dirname "$work/o/$file")" "$(dirname "$work/base/$file")" &&
			cp -L -- "$tree/$file" "$work/o/$file" && chmod u+w "$work/o/$file" &&
			cp -- "$work/o/$file" "$work/base/$file" || exit "$EXIT_ENV"
		case $file in
		*.c | *.h) base_files+=("$file") ;;
		esac
	done <"$work/base-parsed"
	if ! patch --force --no-backup-if-mismatch -r - -p1 "${patch_options[@]}" -d "$work/base" -i "$1" \
		>"$work/patch.log" 2>&1 </dev/null; then
		cat "$work/patch.log" >&2
		die "$EXIT_PATCH" "$1: does not apply to this kernel's source, with the base patches before it"
	fi
}

apply_base_patches()
{
	local base

	for base in "${base_patches[@]}"; do
		mkdir -p "$work/o" "$work/base"
		apply_base_patch "$base"
	done
	if [ "${#base_patches[@]}" -gt 0 ] && [ "$verify" = yes ]; then
		say "note: made upon other updates, so the code is not compared with the image of $release;" \
			"ksplice-apply compares it with the running kernel"
		verify=no
	fi
}

# base_file FILE: in $REPLY, the file that the patch is applied to.
base_file()
{
	REPLY=$tree/$1
	if [ -f "$work/base/$1" ]; then
		REPLY=$work/base/$1
	fi
}

# original_file FILE: in $REPLY, the file that counts for line numbers.
original_file()
{
	REPLY=$work/a/$1
	if [ -f "$work/o/$1" ]; then
		REPLY=$work/o/$1
	fi
}

# place_base_files SHADOW: what the base patches change.
place_base_files()
{
	local file

	for file in "${base_files[@]}"; do
		rm -f -- "$1/$file" || return
		number_lines "$work/o/$file" "$work/base/$file" >"$1/$file"
	done
	return 0
}
