# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The files of create/ share their variables, and "|| die" ends the script:
# shellcheck disable=SC2034,SC2154,SC2015
#
# ksplice-create: from objects to modules, to the update.  Sourced by
# ksplice-create.

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

# Runs ksplice-objmanip over the pairs that differ; leaves old_code.o,
# new_code.o, labels.symvers and report.json in $work.
extract_code()
{
	local object pairs=() status=0

	for object in "${changed_objects[@]}"; do
		pairs+=("pre/$object" "post/$object")
	done
	spawn "$work/objmanip.log" env -C "$work" "$objmanip" --id="$id" --target=vmlinux \
		--old=old_code.o --new=new_code.o --symvers=labels.symvers --report=report.json "${pairs[@]}"
	await "$REPLY" "$work/objmanip.log" || status=$?
	case $status in
	0) ;;
	6)
		sed -E 's#^(ksplice-objmanip: )?(pre|post)/##' "$work/objmanip.log" >&2
		die "$EXIT_REFUSED" "$patch: refused as unsafe; the reasons are above"
		;;
	*)
		cat "$work/objmanip.log" >&2
		die "$EXIT_ENV" "ksplice-objmanip failed (status $status)"
		;;
	esac
	jq -e '.changed + .new + .data | length > 0' "$work/report.json" >/dev/null ||
		die "$EXIT_SAME" "$patch: changes no object code"
	jq -r '(.skipped // [])[] | "\(.symbol): skipped, \(.reason)"' "$work/report.json" |
		while IFS= read -r object; do say "note: $object"; done
}

# A C string literal of a text of one line.
c_string()
{
	local text=$1

	text=${text//\\/\\\\}
	text=${text//\"/\\\"}
	printf '"%s"' "${text//\?/\\?}"
}

build_modules()
{
	local dir=$work/modules half

	mkdir -- "$dir" && cp -- "$data_dir"/kmodsrc/*.h "$dir" || exit "$EXIT_ENV"
	{
		echo "#define KSPLICE_ID $(c_string "$id")"
		echo "#define KSPLICE_TARGET $(c_string vmlinux)"
		echo "#define KSPLICE_DESCRIPTION $(c_string "$description")"
	} >"$dir/update.h"
	# shellcheck disable=SC2016
	echo 'ccflags-y += -I$(src) -include $(src)/update.h' >"$dir/Kbuild"
	for half in old new; do
		[ -f "$data_dir/kmodsrc/$half.c" ] ||
			die "$EXIT_ENV" "$data_dir/kmodsrc/$half.c: missing, the installation is not complete"
		# Two targets' files must not have one name.
		cp -- "$data_dir/kmodsrc/$half.c" "$dir/vmlinux_$half.c"
		cp -- "$work/${half}_code.o" "$dir/vmlinux_${half}_code.o_shipped"
		# modpost looks for the command that made an object.
		: >"$dir/.vmlinux_${half}_code.o.cmd"
		echo "obj-m += ksplice_${id}_vmlinux_$half.o"
		echo "ksplice_${id}_vmlinux_$half-y := vmlinux_$half.o vmlinux_${half}_code.o"
	done >>"$dir/Kbuild"
	run "$work/modules.log" make_modules "$dir" \
		KBUILD_EXTRA_SYMBOLS="$work/labels.symvers $core/Module.symvers" || {
		tail -n 40 "$work/modules.log" >&2
		die "$EXIT_ENV" "the modules of the update cannot be built; the last messages are above"
	}
}

# Proves on the kernel image that the pre code is what runs; the result goes to
# $work/match.json.
verify_modules()
{
	local inspect status=0

	echo '{"functions":0,"bytes":0,"status":"not verified"}' >"$work/match.json"
	[ "$verify" = yes ] || return 0
	inspect=$(find_tool ksplice-inspect) ||
		die "$EXIT_ENV" "ksplice-inspect: not found, the update cannot be verified (--no-verify makes it anyway)"
	# shellcheck disable=SC2016
	run "$work/verify.log" sh -c 'exec "$1" --match="$2" --json "$3" >"$4"' sh \
		"$inspect" "$image" "$work/modules/ksplice_${id}_vmlinux_old.ko" "$work/match.json" || status=$?
	case $status in
	0) ;;
	4)
		cat "$work/verify.log" >&2
		die "$EXIT_MISMATCH" "$image: does not match the code that the unpatched source compiles to; is the source of this kernel's very version?"
		;;
	*)
		cat "$work/verify.log" >&2
		die "$EXIT_ENV" "$image: cannot be compared with the pre code (--no-verify makes the update anyway)"
		;;
	esac
}

write_manifest()
{
	jq -c --arg id "$id" --arg kernel "$release" --arg description "$description" '{
		format: 1, $id, $kernel, $description,
		targets: [{
			name: "vmlinux",
			old: "ksplice_\($id)_vmlinux_old.ko",
			new: "ksplice_\($id)_vmlinux_new.ko",
			changed, new_functions: .new, data
		}]}' "$work/report.json"
}

# The same inputs make the same bytes: nothing of the time, the user, the paths.
pack_update()
{
	local dir=$work/pack/ksplice-$id tmp=$output/.ksplice-$id.tar.gz.$$

	mkdir -p -- "$dir" && cp -- "$core/ksplice.ko" "$work/modules/ksplice_${id}_vmlinux_old.ko" \
		"$work/modules/ksplice_${id}_vmlinux_new.ko" "$dir" &&
		cp -L -- "$patch" "$dir/update.patch" && write_manifest >"$dir/manifest.json" ||
		die "$EXIT_ENV" "$dir: cannot collect the update"
	leftovers+=("$tmp")
	tar -C "$work/pack" --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
		--mode=u=rwX,go=rX -c -f - "ksplice-$id" | gzip -n >"$tmp" || die "$EXIT_ENV" "$tmp: cannot write it"
	update=$output/ksplice-$id.tar.gz
	mv -T -- "$tmp" "$update" || die "$EXIT_ENV" "$update: cannot write it"
}

print_json()
{
	[ -f "$work/skipped.json" ] || : >"$work/skipped.json"
	jq -n --arg id "$id" --arg kernel "$release" --arg update "$update" --slurpfile report "$work/report.json" \
		--slurpfile match "$work/match.json" --slurpfile skipped "$work/skipped.json" \
		--argjson seconds "$(steps_json)" '
		$report[0] as $r | ($match[0] | .match // .) as $m | {
			$id, $kernel, $update,
			targets: [{
				name: "vmlinux", changed: $r.changed, new: $r.new, data: $r.data, imports: $r.imports,
				match: {functions: $m.functions, bytes: $m.bytes, status: ($m.status // "match")}
			}],
			skipped: ($skipped + ($r.skipped // [])),
			$seconds
		}'
}

print_summary()
{
	printf '%s\n' "$update"
	jq -r 'def line(name): if length > 0 then "  \(name): \(join(" "))" else empty end;
		(.changed | line("changed")), (.new | line("new")), (.data | line("data"))' "$work/report.json"
	jq -r '.match // . | if .functions > 0 then "  matched: \(.functions) functions, \(.bytes) bytes"
		else "  \(.status)" end' "$work/match.json"
	steps_json | jq -r '"  seconds: " + ([to_entries[] | "\(.key) \(.value)"] | join(", "))'
}
