# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The files of create/ share their variables, and "|| die" ends the script:
# shellcheck disable=SC2034,SC2154,SC2015
#
# ksplice-create: from the patch to pre and post objects.  Which objects these
# are is asked in affected.sh.  Sourced by ksplice-create.

sources=()		# .c, .h and .S files that the patch changes, from the top of the tree
changed_objects=()	# objects whose code differs

# Function sections let the differ and the run-pre matcher take the functions
# one by one.  Debugging information is of no use here and slow.
object_flags="-ffunction-sections -fdata-sections -g0"

# What __DATE__ and __TIME__ are: Aug 23 1973, 03:52:47, of which no source of a kernel
# speaks, so ksplice-objmanip knows the places where the run may have any other.  The
# kernel forbids them; kernels that have them were built without that.  __TIMESTAMP__,
# the time of a file, stays an error.
source_date=114925967
object_flags="-Wno-date-time -Wno-builtin-macro-redefined -U__TIMESTAMP__ $object_flags"

# What patches may include is in a folder of its own, lest our headers be taken
# for those of the kernel.  The unpatched source is compiled like the patched one.
add_headers()
{
	mkdir -p -- "$work/include" && cp -- "$data_dir/kmodsrc/ksplice-patch.h" "$work/include" ||
		die "$EXIT_ENV" "$data_dir/kmodsrc/ksplice-patch.h: missing, the installation is not complete"
	object_flags="-I$work/include $object_flags"
}

# skip NAME REASON: tell the user, and remember for --json.
skip()
{
	say "note: $1: skipped, $2"
	jq -n --arg symbol "$1" --arg reason "$2" '{$symbol, $reason}' >>"$work/skipped.json"
}

refused=no

# refuse FILE REASON: goes on, so that a user sees everything in one run.
refuse()
{
	say "$1: refused: $2"
	refused=yes
}

# The N of the last -pN among the options for patch(1).
strip_level()
{
	local option level=1

	for option in "${patch_options[@]}"; do
		case $option in
		-p[0-9]*) level=${option#-p} ;;
		--strip=[0-9]*) level=${option#--strip=} ;;
		esac
	done
	printf '%s\n' "$level"
}

# Copies of the touched files, in $work/a, and patched, in $work/b; the list of
# the files goes to $work/files.
apply_patch()
{
	local kind file other

	awk -v strip="$(strip_level)" -f "$data_dir/create/patch.awk" "$patch" >"$work/parsed" ||
		die "$EXIT_PATCH" "$patch: not a unified diff, or an empty one"
	mkdir -p "$work/a" "$work/b"
	while IFS=$'\t' read -r kind file other; do
		# Peers' patches have "--- foo.c.orig"; take the name that exists.
		if [ "$kind" = modify ] && ! [ -f "$tree/$file" ] && [ -f "$tree/$other" ]; then
			file=$other
		fi
		case /$file/ in
		*/../* | //*) die "$EXIT_PATCH" "$patch: $file: the name leaves the source tree" ;;
		esac
		printf '%s\t%s\n' "$kind" "$file" >>"$work/files"
		[ "$kind" != create ] || continue
		[ -f "$tree/$file" ] ||
			die "$EXIT_PATCH" "$patch: $file: not in this kernel's source (is -p right? see --patch-opt)"
		mkdir -p "$(dirname "$work/a/$file")" "$(dirname "$work/b/$file")"
		# An archive's files can be read-only; patch must write.
		base_file "$file"
		cp -L -- "$REPLY" "$work/a/$file" && chmod u+w "$work/a/$file" &&
			cp -- "$work/a/$file" "$work/b/$file" || exit "$EXIT_ENV"
	done <"$work/parsed"
	if ! patch --force --no-backup-if-mismatch -r - -p1 "${patch_options[@]}" -d "$work/b" -i "$patch" \
		>"$work/patch.log" 2>&1 </dev/null; then
		cat "$work/patch.log" >&2
		die "$EXIT_PATCH" "$patch: does not apply to this kernel's source"
	fi
	if grep -q -E 'with fuzz|\(offset ' "$work/patch.log"; then
		say "note: $patch: applied, but not exactly in place:"
		cat "$work/patch.log" >&2
	fi
}

# why_copied FILE: sets REPLY to why a jump in this assembly cannot be, or nothing.
why_copied()
{
	REPLY=
	case $1 in
	arch/x86/kernel/ftrace_*.S) REPLY="the kernel copies its code to trampolines, where a jump would go astray" ;;
	arch/x86/kernel/relocate_kernel_*.S | arch/x86/power/hibernate_asm_*.S | arch/x86/mm/mem_encrypt_boot.S)
		REPLY="its code runs from a copy, outside of the running kernel" ;;
	esac
}

# sort_file FILE: what to do with a file that the patch changes.
sort_file()
{
	case $1 in
	Documentation/* | LICENSES/* | tools/* | samples/* | scripts/* | MAINTAINERS | CREDITS | COPYING | \
		README | *.rst | *.txt | *.md | *.yaml | .gitignore | */.gitignore | .mailmap)
		skip "$1" "not part of the kernel's code"
		;;
	arch/*/vdso/*.[cS] | arch/*/vdso32/*.[cS])
		refuse "$1" "the vDSO is mapped into every process and cannot be replaced"
		;;
	arch/*/boot/* | arch/*/purgatory/* | arch/*/realmode/*)
		refuse "$1" "it runs outside of the kernel (boot code)"
		;;
	Makefile | */Makefile | */Makefile.* | Kbuild | */Kbuild | Kconfig* | */Kconfig*)
		refuse "$1" "it changes how the kernel is built; make the change in the code that it affects"
		;;
	*.lds.S | *.lds.h) refuse "$1" "it changes how the kernel is linked" ;;
	*.[chS])
		why_copied "$1"
		if [ -n "$REPLY" ]; then
			refuse "$1" "$REPLY"
		else
			sources+=("$1")
		fi
		;;
	*) refuse "$1" "cannot tell which code this file affects" ;;
	esac
}

sort_files()
{
	local kind file

	while IFS=$'\t' read -r kind file; do
		case $kind in
		create) refuse "$file" "patches that add a file are not supported yet" ;;
		delete) refuse "$file" "patches that delete a file are not supported" ;;
		rename) refuse "$file" "patches that rename a file are not supported" ;;
		binary) refuse "$file" "a binary file" ;;
		modify) cmp -s "$work/a/$file" "$work/b/$file" || sort_file "$file" ;;
		esac
	done < <(LC_ALL=C sort -u "$work/files")
}

# link_folder SHADOW FOLDER: a real folder full of links to the prepared tree.
# A trailing slash in FOLDER, or nothing for the top.
link_folder()
{
	if [ -L "$1/${2%/}" ]; then
		rm -- "$1/${2%/}"
	fi
	mkdir -p -- "$1/$2" &&
		find "$tree/$2" -mindepth 1 -maxdepth 1 ! -name '*.o' ! -name '.*.cmd' -exec ln -s -t "$1/$2" {} +
}

# make_shadow SHADOW SOURCES: a tree in which make finds everything and writes
# only to the folders of the objects; the touched files come from SOURCES.
make_shadow()
{
	local file folder part path

	mkdir -- "$1" && link_folder "$1" "" || return
	while IFS= read -r folder; do
		path=
		while [ "$path" != "$folder" ]; do
			part=${folder#"$path"}
			path+=${part%%/*}/
			[ -L "$1/${path%/}" ] && { link_folder "$1" "$path" || return; }
		done
	done < <(folders_of_shadow)
	place_base_files "$1" || return
	for file in "${sources[@]}"; do
		! [ -f "$work/base/$file" ] || [ "$2" != "$work/a" ] || continue
		rm -f -- "$1/$file"
		cp -- "$2/$file" "$1/$file" || return
	done
}

# number_lines FROM TO: a patched file with the unpatched one's line numbers.
number_lines()
{
	local mark=$'\001%dm\n'

	diff --unchanged-group-format='%=' --old-group-format="$mark" --new-group-format="%>$mark" \
		--changed-group-format="%>$mark" "$1" <(cat "$2"; needs_newline "$2") |
		LC_ALL=C awk -f "$data_dir/create/line.awk"
}

needs_newline()
{
	if [ -n "$(tail -c 1 -- "$1")" ]; then
		echo
	fi
}

# make_objects SHADOW ARG...: compile with the kernel's own build system.  The
# tree has been prepared; "-o prepare" spares make looking at it again, which
# takes longer than compiling, and keeps it from touching what is only linked.
#
# Where objtool is put off until vmlinux is linked (IBT), so that an object by
# itself has no .return_sites and so on, kbuild still runs it for a module of one
# object: we say that each is one (scripts/Makefile.build, 6.2 to 6.12).
make_objects()
{
	local shadow=$1

	shift
	SOURCE_DATE_EPOCH=$source_date kmake "$shadow" -o prepare KCFLAGS="$object_flags" is-single-obj-m=y cmd_ld_single_m= "$@"
}

# make_in_batches FOLDER ARG... -- OBJECT...
make_in_batches()
{
	local args=() first

	while [ "$1" != -- ]; do
		args+=("$1")
		shift
	done
	shift
	for ((first = 1; first <= $#; first += batch_size)); do
		make_objects "${args[@]}" "${@:first:batch_size}" || return
	done
}

# Messages of a failed compilation, without make's own.
show_compiler()
{
	grep -v -E '^(make(\[[0-9]+\])?: |  [A-Z]+ +(\[M\])?)' "$1" >&2 || tail -n 20 "$1" >&2
}

# compile_both OBJECT...: without and with the patch, at the same time.
compile_both()
{
	local pre post half=$(((jobs + 1) / 2))

	pre_status=0
	post_status=0
	spawn "$work/pre.log" make_in_batches "$work/pre" -j"$half" -- "$@"
	pre=$REPLY
	spawn "$work/post.log" make_in_batches "$work/post" -j"$half" -- "$@"
	post=$REPLY
	await "$pre" "$work/pre.log" || pre_status=$?
	await "$post" "$work/post.log" || post_status=$?
	[ "$pre_status" -eq 0 ] && [ "$post_status" -eq 0 ]
}

compile_objects()
{
	local pre_status post_status file all=("${objects[@]}" "${probes[@]}")

	add_headers
	for file in "${sources[@]}"; do
		# Assembly has no lines in its code, but macros that a mark would cut.
		[ "${file##*.}" != S ] || continue
		original_file "$file"
		number_lines "$REPLY" "$work/b/$file" >"$work/post/$file"
	done
	compile_both "${all[@]}"
	if [ "$pre_status" -ne 0 ]; then
		show_compiler "$work/pre.log"
		die "$EXIT_COMPILE" "the source does not compile without the patch"
	fi
	if [ "$post_status" -ne 0 ]; then
		# Again, with the line numbers that the user's files have.
		for file in "${sources[@]}"; do
			cp -- "$work/b/$file" "$work/post/$file"
		done
		run "$work/post2.log" make_in_batches "$work/post" -k -j"$jobs" -- "${all[@]}" ||
			cp "$work/post2.log" "$work/post.log"
		show_compiler "$work/post.log"
		die "$EXIT_COMPILE" "$patch: the patched source does not compile"
	fi
	for file in "${all[@]}"; do
		if ! [ -f "$work/pre/$file" ] || ! [ -f "$work/post/$file" ]; then
			die "$EXIT_ENV" "$file: the build system made no object of it"
		fi
	done
}

# Which of the objects changed?  Identical files are a common case.
diff_objects()
{
	local object status

	for object in "${probes[@]}"; do
		cmp -s "$work/pre/$object" "$work/post/$object" || refuse "$object" "${probe_kinds[$object]}"
	done
	for object in "${objects[@]}"; do
		cmp -s "$work/pre/$object" "$work/post/$object" && continue
		status=0
		run "$work/objdiff.log" "$objdiff" "$work/pre/$object" "$work/post/$object" || status=$?
		case $status in
		0) ;;
		1) changed_objects+=("$object") ;;
		*)
			cat "$work/objdiff.log" >&2
			die "$EXIT_ENV" "$object: cannot be compared"
			;;
		esac
	done
}
