# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The files of create/ share their variables, and "|| die" ends the script:
# shellcheck disable=SC2034,SC2154,SC2015
#
# ksplice-create: from the files that a patch changes to the objects that can
# change, and to what these are part of.  Sourced by ksplice-create.

objects=()		# objects to compile and compare
probes=()		# objects that must not change: nothing can replace them
affected=()		# files that the patch changes or that include one of these
declare -A places	# "vmlinux" or modules ("fs/ext4/ext4") of an object
declare -A assembly	# objects made of .S files: they have no types
declare -A probe_kinds	# why a probe cannot be replaced

# An environment variable of the kernel's makefiles holds the targets of one
# run of make; the kernel of the build machine limits it to 128 KiB.
batch_size=1000

# Parts of the tree that this kernel's C code comes from.
source_folders=(arch/x86 block certs crypto drivers fs include init io_uring ipc kernel lib mm net rust
	security sound usr virt)

# Lists the files and their include lines, from the top of the tree.
scan_includes()
{
	local folders=() folder

	cd "$tree" || return
	for folder in "${source_folders[@]}"; do
		[ -d "$folder" ] && folders+=("$folder")
	done
	find "${folders[@]}" \( -name '*.[chS]' -o -name '*.inc' \) &&
		grep -r -H -E --include='*.[chS]' --include='*.inc' '^[[:space:]]*#[[:space:]]*include' "${folders[@]}"
}

make_includes()
{
	scan_includes | awk -f "$data_dir/create/includes.awk" >"$1"
}

# Sets includes to the file that tells who includes what; made once for a tree.
get_includes()
{
	local tmp

	includes=$cache/includes/$tree_key
	[ -f "$includes" ] && return
	progress "reading the include lines of the source, once for this kernel"
	mkdir -p -- "$cache/includes" || die "$EXIT_ENV" "$cache: cannot write to the cache"
	# Two runs at a time make the same file, and the last one wins.
	tmp=$cache/includes/tmp.$$
	leftovers+=("$tmp")
	run "$work/includes.log" make_includes "$tmp" && mv -T -- "$tmp" "$includes" || {
		cat "$work/includes.log" >&2
		die "$EXIT_ENV" "$includes: cannot write to the cache"
	}
}

# list_affected FILE...: these files, and all that include them.
list_affected()
{
	{
		cat -- "$includes"
		printf '%s\n' "$@"
	} | awk -f "$data_dir/create/affected.awk" | LC_ALL=C sort
}

too_many()
{
	say "$patch: refused: $1 objects may change, more than --max-objects=$max_objects;" \
		"patch the functions that matter, or copies of them with new names, instead of a header that all include"
	exit "$EXIT_REFUSED"
}

# Sets affected and candidates: files that an object of this kernel can be made of.
find_candidates()
{
	local file

	get_includes
	candidates=()
	mapfile -t affected < <(list_affected "${sources[@]}")
	for file in "${affected[@]}"; do
		case $file in
		# The compiler's command line includes them everywhere.
		include/linux/kconfig.h | include/linux/compiler_types.h | include/linux/compiler-version.h)
			too_many "all" ;;
		# Not part of the running kernel, or gone when it runs.
		arch/x86/boot/* | arch/x86/purgatory/* | arch/x86/realmode/* | arch/x86/um/* | arch/x86/tools/* | usr/* | \
			*.lds.S) ;;
		# Made of the same sources as the 64-bit one; and a tool.
		arch/x86/entry/vdso/vdso32/* | arch/x86/entry/vdso/vdso2c.c) ;;
		*.c | *.S) candidates+=("$file") ;;
		esac
	done
	# To ask the build system about so many would take minutes.
	if [ "${#candidates[@]}" -gt $((20 * max_objects)) ]; then
		too_many "up to ${#candidates[@]}"
	fi
}

# The build system is asked, with make told to print commands and not to run
# them, and the compiler's rule replaced by one that names the object's place.
# What it tries out with the compiler makes files at the top of the tree.
# shellcheck disable=SC2016
ask_places()
{
	local rule='@echo "place:$@:$(if $(filter $@,$(real-obj-y) $(lib-y) $(extra-y)),vmlinux)'

	mkdir -- "$work/place" && link_folder "$work/place" "" || return
	rule+=':$(if $(filter $@,$(real-obj-m)),$(modfile)):"'
	# Some kernels, as 5.10, call it an error if a file has no rule.
	make_in_batches "$work/place" -n -s "rule_cc_o_c=$rule" "rule_as_o_S=$rule" unknown-single= -- "$@"
}

# "foo.c" and "foo.S" are "foo.o".
object_of()
{
	REPLY=${1%.[cS]}.o
}

# Sets objects and probes.
choose_objects()
{
	local file object known vmlinux module

	while IFS=: read -r known object vmlinux module known; do
		# kbuild comes to some folders twice, once for its lib.a.
		[ -z "${places[$object]-}" ] || continue
		# shellcheck disable=SC2086 # a list of words becomes one of lines
		places[$object]=$(printf '%s\n' $vmlinux $module)
	done < <(sed -n 's/.*\(place:[^:]*:[^:]*:[^:]*:\).*/\1/p' "$work/place.log")
	for file in "${candidates[@]}"; do
		object_of "$file"
		object=$REPLY
		# kbuild has no rule for it: another architecture's, a library of a tool
		[ -n "${places[$object]+set}" ] || continue
		case $file in
		arch/x86/entry/vdso/*)
			if [ -z "${places[$object]}" ]; then
				probe_kinds[$object]="the vDSO is mapped into every process and cannot be replaced"
				probes+=("$object")
				continue
			fi
			;;
		esac
		if [ -z "${places[$object]}" ]; then
			continue
		fi
		why_copied "$file"
		if [ -n "$REPLY" ]; then
			probe_kinds[$object]=$REPLY
			probes+=("$object")
		else
			objects+=("$object")
			[ "${file##*.}" != S ] || assembly[$object]=yes
		fi
	done
}

# Is one of these files part of this kernel?
any_built()
{
	local file

	for file in "$@"; do
		object_of "$file"
		[ -z "${places[$REPLY]-}${probe_kinds[$REPLY]-}" ] || return 0
	done
	return 1
}

# Notes about files that nothing is built from.
note_unused()
{
	local file users

	for file in "${sources[@]}"; do
		any_built "$file" && continue
		mapfile -t users < <(list_affected "$file")
		any_built "${users[@]}" && continue
		if [ "${file##*.}" != h ]; then
			skip "$file" "this kernel's configuration does not build it"
		else
			skip "$file" "no file that this kernel is built from includes it"
		fi
	done
}

# Which objects can the patch change, and what are they part of?
place_objects()
{
	local candidates=() candidate asked=()

	find_candidates
	for candidate in "${candidates[@]}"; do
		object_of "$candidate"
		asked+=("$REPLY")
	done
	: >"$work/place.log"
	if [ "${#asked[@]}" -gt 0 ]; then
		run "$work/place.log" ask_places "${asked[@]}" || {
			grep -v 'place:' "$work/place.log" | tail -n 20 >&2
			die "$EXIT_ENV" "cannot tell which of the files this kernel is built from"
		}
	fi
	choose_objects
	note_unused
	if [ $((${#objects[@]} + ${#probes[@]})) -gt "$max_objects" ]; then
		too_many $((${#objects[@]} + ${#probes[@]}))
	fi
}

# folders_of_shadow: folders in which make writes, or from which a relative
# #include "../foo.h" must lead to the patched file.
folders_of_shadow()
{
	{
		printf '%s\n' "${sources[@]}" "${affected[@]}" | grep '\.h$'
		printf '%s\n' "${base_files[@]}" "${sources[@]}" "${objects[@]}" "${probes[@]}"
	} | grep / | sed 's|[^/]*$||' | LC_ALL=C sort -u
}
