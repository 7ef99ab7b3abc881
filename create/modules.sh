# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The files of create/ share their variables, and "|| die" ends the script:
# shellcheck disable=SC2034,SC2154,SC2015
#
# ksplice-create: from objects to modules, to the update.  Sourced by
# ksplice-create.

targets=()		# what the update changes: vmlinux, kvm_intel, ...
declare -A target_objects	# changed objects of a target, one a line
declare -A target_files		# "arch/x86/kvm/kvm-intel" for kvm_intel

# make_modules DIR ARG...: build the modules in DIR against the prepared tree.
# Names of temporary folders stay out of the modules.
make_modules()
{
	local dir=$1

	shift
	kmake "$tree" M="$dir" -j"$jobs" KCFLAGS="-g0 -fmacro-prefix-map=$dir/=" "$@" modules
}

# Names of the files that the core and the templates are made of; not what else
# may lie there, as objects of a build by hand.
kernel_side_files()
{
	(cd "$data_dir/kmodsrc" && find . -type f \( -name '*.[chS]' -o -name Kbuild \) -print0 | LC_ALL=C sort -z)
}

# The core: once per kernel and version of its source, in the cache.
get_core()
{
	local sum tmp

	sum=$(cd "$data_dir/kmodsrc" && kernel_side_files | xargs -0 sha256sum | sha256sum)
	core=$cache/cores/$tree_key-${sum:0:16}
	[ -f "$core/ksplice.ko" ] && return
	[ -f "$data_dir/kmodsrc/Kbuild" ] ||
		die "$EXIT_ENV" "$data_dir/kmodsrc/Kbuild: missing, the installation is not complete"
	progress "building ksplice.ko for $release, once for this kernel"
	mkdir -p -- "$cache/cores" "$work/core" &&
		kernel_side_files | (cd "$data_dir/kmodsrc" && xargs -0 cp --parents -t "$work/core") ||
		die "$EXIT_ENV" "$cache: cannot write to the cache"
	run "$work/core.log" make_modules "$work/core" || {
		tail -n 40 "$work/core.log" >&2
		die "$EXIT_ENV" "ksplice.ko cannot be built for $release; the last messages are above"
	}
	take_lock "$cache/cores"
	if ! [ -f "$core/ksplice.ko" ]; then
		tmp=$cache/cores/tmp.$$
		leftovers+=("$tmp")
		rm -rf -- "$core" "$cache/cores/tmp."*
		mkdir -- "$tmp" && cp -- "$work/core/ksplice.ko" "$work/core/Module.symvers" "$tmp" &&
			mv -T -- "$tmp" "$core" || die "$EXIT_ENV" "$core: cannot write to the cache"
	fi
	drop_lock
}

# Assigns the changed objects to targets; one can be part of several modules.
group_objects()
{
	local object place name

	for object in "${changed_objects[@]}"; do
		while IFS= read -r place; do
			# The kernel's names of modules have no dashes.
			name=${place##*/}
			name=${name//-/_}
			target_objects[$name]+=$object$'\n'
			target_files[$name]=$place
		done <<<"${places[$object]}"
	done
	# vmlinux first, for whoever reads the result.
	mapfile -t targets < <(printf '%s\n' "${!target_objects[@]}" |
		LC_ALL=C awk '{ print ($0 == "vmlinux" ? 0 : 1), $0 }' | LC_ALL=C sort | cut -d ' ' -f 2)
}

# extract_target NAME NUMBER: runs ksplice-objmanip over the pairs that differ;
# leaves old_code.o, new_code.o, labels.symvers and report.json in its folder.
# Fails when the change is refused.
extract_target()
{
	local dir=$work/targets/$1 label_id=$id object line pairs=() options=() status=0

	mkdir -p -- "$dir" || exit "$EXIT_ENV"
	while IFS= read -r object; do
		[ -n "$object" ] || continue
		pairs+=("pre/$object" "post/$object")
		crcs_of post "$object"
	done <<<"${target_objects[$1]}" >"$dir/crcs"
	# Labels are made of it, and those of two targets must differ.
	[ "$2" -eq 0 ] || label_id=${id:0:16}_$2
	[ "${#base_patches[@]}" -eq 0 ] || options+=(--based)
	spawn "$dir/objmanip.log" env -C "$work" "$objmanip" --id="$label_id" --target="$1" \
		--old="$dir/old_code.o" --new="$dir/new_code.o" --symvers="$dir/labels.symvers" \
		--crcs="$dir/crcs" --imports="$work/imports" --source-date="$source_date" --report="$dir/report.json" \
		"${options[@]}" "${pairs[@]}"
	await "$REPLY" "$dir/objmanip.log" || status=$?
	case $status in
	0) ;;
	6)
		sed -E 's#^(ksplice-objmanip: )?(pre|post)/##' "$dir/objmanip.log" >&2
		return 1
		;;
	*)
		cat "$dir/objmanip.log" >&2
		die "$EXIT_ENV" "ksplice-objmanip failed (status $status)"
		;;
	esac
	jq -r '(.skipped // [])[] | "\(.symbol): skipped, \(.reason)"' "$dir/report.json" |
		while IFS= read -r line; do say "note: $line"; done
}

# Without KALLSYMS_ALL the kernel cannot say where its variables are, but for those that
# it exports.  (Modules have to ask for what is in a namespace.)
list_imports()
{
	grep -q '^CONFIG_KALLSYMS_ALL=y' "$tree/.config" ||
		awk -F '\t' '$3 == "vmlinux" && $5 == "" { print $2 }' "$tree/Module.symvers"
}

# Leaves in targets those in which something changes.
extract_code()
{
	local name all number=0

	group_objects
	list_imports >"$work/imports" || die "$EXIT_ENV" "$tree: its exports cannot be listed"
	all=("${targets[@]}")
	targets=()
	for name in "${all[@]}"; do
		if ! extract_target "$name" "$number"; then
			refused=yes
		elif jq -e '.changed + .new + .data + .exports | length > 0' "$work/targets/$name/report.json" >/dev/null; then
			targets+=("$name")
		fi
		number=$((number + 1))
	done
	[ "$refused" = no ] || die "$EXIT_REFUSED" "$patch: refused as unsafe; the reasons are above"
	[ "${#targets[@]}" -gt 0 ] || die "$EXIT_SAME" "$patch: changes no object code"
}

# A C string literal of a text of one line.
c_string()
{
	local text=$1

	text=${text//\\/\\\\}
	text=${text//\"/\\\"}
	printf '"%s"' "${text//\?/\\?}"
}

# add_target NAME: the files of its two modules; their part of the Kbuild file.
add_target()
{
	local name=$1 dir=$work/modules half

	{
		echo "#define KSPLICE_ID $(c_string "$id")"
		echo "#define KSPLICE_TARGET $(c_string "$name")"
		echo "#define KSPLICE_DESCRIPTION $(c_string "$description")"
	} >"$dir/${name}_update.h"
	for half in old new; do
		cp -- "$data_dir/kmodsrc/$half.c" "$dir/${name}_$half.c" &&
			cp -- "$work/targets/$name/${half}_code.o" "$dir/${name}_${half}_code.o_shipped" ||
			die "$EXIT_ENV" "$dir: cannot write to it"
		# modpost looks for the command that made an object.
		: >"$dir/.${name}_${half}_code.o.cmd"
		echo "obj-m += ksplice_${id}_${name}_$half.o"
		echo "ksplice_${id}_${name}_$half-y := ${name}_$half.o ${name}_${half}_code.o"
		# shellcheck disable=SC2016 # a variable of make
		echo "CFLAGS_${name}_$half.o := -include "'$(src)'"/${name}_update.h"
	done >>"$dir/Kbuild"
}

build_modules()
{
	local dir=$work/modules name half

	for half in old new; do
		[ -f "$data_dir/kmodsrc/$half.c" ] ||
			die "$EXIT_ENV" "$data_dir/kmodsrc/$half.c: missing, the installation is not complete"
	done
	mkdir -- "$dir" && cp -- "$data_dir"/kmodsrc/*.h "$dir" || exit "$EXIT_ENV"
	# shellcheck disable=SC2016 # a variable of make
	echo 'ccflags-y += -I$(src)' >"$dir/Kbuild"
	for name in "${targets[@]}"; do
		add_target "$name"
		cat -- "$work/targets/$name/labels.symvers"
	done >"$work/labels.symvers"
	# Where objtool is put off until a module is linked (IBT), the objects of the
	# update have been through it, and must not again: there the functions that
	# never return have become labels.  Only the templates have not.
	# shellcheck disable=SC2016 # variables of make
	run "$work/modules.log" make_modules "$dir" \
		is-single-obj-m=y cmd_ld_single_m= 'cmd_ld_multi_m=$(LD) $(ld_flags) -r -o $@ @$<' \
		KBUILD_EXTRA_SYMBOLS="$work/labels.symvers $core/Module.symvers" || {
		tail -n 40 "$work/modules.log" >&2
		die "$EXIT_ENV" "the modules of the update cannot be built; the last messages are above"
	}
}

# find_module NAME: the distribution's file, unpacked; in $REPLY.
find_module()
{
	local base=$root/lib/modules/$release/kernel/${target_files[$1]} found

	if ! first_of "$base".ko{,.xz,.zst,.gz}; then
		# Debian before 12 and others: in another folder, as updates/
		REPLY=$(find "$root/lib/modules/$release" -name "${base##*/}.ko*" 2>/dev/null | LC_ALL=C sort | head -n 1)
		[ -n "$REPLY" ] ||
			die "$EXIT_ENV" "$base.ko: no such module, the change to $1 cannot be verified (--no-verify makes the update anyway)"
	fi
	found=$REPLY
	REPLY=$work/targets/$1/${base##*/}.ko
	case $found in
	*.xz) xz -d -c -- "$found" >"$REPLY" ;;
	*.zst) zstd -q -d -c -- "$found" >"$REPLY" ;;
	*.gz) gzip -d -c -- "$found" >"$REPLY" ;;
	*) REPLY=$found ;;
	esac || die "$EXIT_ENV" "$found: cannot unpack it"
}

# verify_target NAME: proves on the kernel's image, or the module's file, that
# the pre code is what runs; the result goes to match.json.
verify_target()
{
	local dir=$work/targets/$1 args=() with=$image status=0

	if [ "$1" = vmlinux ]; then
		args=(--match="$image")
	else
		find_module "$1"
		with=$REPLY
		args=(--match="$with" --kernel-image="$image")
	fi
	# shellcheck disable=SC2016
	run "$dir/verify.log" sh -c 'out=$1; shift; exec "$@" >"$out"' sh "$dir/match.json" \
		"$inspect" "${args[@]}" --json "$work/modules/ksplice_${id}_$1_old.ko" || status=$?
	case $status in
	0) ;;
	4)
		sed "s|$work/modules/||" "$dir/verify.log" >&2
		die "$EXIT_MISMATCH" "$with: does not match the code that the unpatched source compiles to; is the source of this kernel's very version?"
		;;
	*)
		cat "$dir/verify.log" >&2
		die "$EXIT_ENV" "$with: cannot be compared with the pre code (--no-verify makes the update anyway)"
		;;
	esac
}

verify_modules()
{
	local name inspect

	if [ "$verify" = no ]; then
		for name in "${targets[@]}"; do
			echo '{"functions":0,"bytes":0,"status":"not verified"}' >"$work/targets/$name/match.json"
		done
		return
	fi
	inspect=$(find_tool ksplice-inspect) ||
		die "$EXIT_ENV" "ksplice-inspect: not found, the update cannot be verified (--no-verify makes it anyway)"
	for name in "${targets[@]}"; do
		verify_target "$name"
	done
}

# The targets' reports and matches, as one array of objects with a name.
collect_targets()
{
	local name

	for name in "${targets[@]}"; do
		jq --arg name "$name" --slurpfile match "$work/targets/$name/match.json" \
			'{name: $name} + . + {match: ($match[0] | .match // .)}' "$work/targets/$name/report.json"
	done | jq -s . >"$work/targets.json"
}

write_manifest()
{
	jq -c --arg id "$id" --arg kernel "$release" --arg description "$description" '{
		format: 1, $id, $kernel, $description,
		targets: map({
			name,
			old: "ksplice_\($id)_\(.name)_old.ko",
			new: "ksplice_\($id)_\(.name)_new.ko",
			changed, new_functions: .new, data
		})}' "$work/targets.json"
}

# The same inputs make the same bytes: nothing of the time, the user, the paths.
pack_update()
{
	local dir=$work/pack/ksplice-$id tmp=$output/.ksplice-$id.tar.gz.$$ files=() name half

	for name in "${targets[@]}"; do
		for half in old new; do
			files+=("$work/modules/ksplice_${id}_${name}_$half.ko")
		done
	done
	collect_targets && mkdir -p -- "$dir" && cp -- "$core/ksplice.ko" "${files[@]}" "$dir" &&
		cp -L -- "$patch" "$dir/update.patch" && write_manifest >"$dir/manifest.json" ||
		die "$EXIT_ENV" "$dir: cannot collect the update"
	sign_update "$dir"
	leftovers+=("$tmp")
	tar -C "$work/pack" --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
		--mode=u=rwX,go=rX -c -f - "ksplice-$id" | gzip -n >"$tmp" || die "$EXIT_ENV" "$tmp: cannot write it"
	update=$output/ksplice-$id.tar.gz
	mv -T -- "$tmp" "$update" || die "$EXIT_ENV" "$update: cannot write it"
}

print_json()
{
	[ -f "$work/skipped.json" ] || : >"$work/skipped.json"
	jq -n --arg id "$id" --arg kernel "$release" --arg update "$update" --slurpfile targets "$work/targets.json" \
		--slurpfile skipped "$work/skipped.json" --argjson seconds "$(steps_json)" '
		$targets[0] as $all | {
			$id, $kernel, $update,
			targets: ($all | map({
				name, changed, new, data, exports, imports, strings,
				match: (.match | {functions, bytes, status: (.status // "match")})
			})),
			skipped: ($skipped + ($all | map(.skipped // []) | add)),
			$seconds
		}'
}

print_summary()
{
	printf '%s\n' "$update"
	jq -r 'def line(name): if length > 0 then "  \(name): \(join(" "))" else empty end;
		def match: if .functions > 0 then "  matched: \(.functions) functions, \(.bytes) bytes"
			else "  \(.status)" end;
		length as $targets | .[] |
		(if $targets > 1 or .name != "vmlinux" then "  target: \(.name)" else empty end),
		(.changed | line("changed")), (.new | line("new")), (.data | line("data")), (.exports | line("exported")),
		(.strings | "  strings: \(.shared) of the kernel, \(.own) new"),
		(.match | match)' "$work/targets.json"
	steps_json | jq -r '"  seconds: " + ([to_entries[] | "\(.key) \(.value)"] | join(", "))'
}
