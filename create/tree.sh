# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The files of create/ share their variables, and "|| die" ends the script:
# shellcheck disable=SC2034,SC2154,SC2015
#
# ksplice-create: find what the kernel was made from, and prepare its source
# tree.  Sourced by ksplice-create.
#
# The tree is prepared ("make prepare modules_prepare") once for each kernel and
# kept in $KSPLICE_CACHE/trees/KEY.  It is never written to afterwards: objects
# are compiled in shadow trees that point to it (objects.sh), modules are built
# with M= (modules.sh).

# Options of a kernel configuration that may differ from the distribution's:
# they name its build machine's tools and keys and do not change object code.
config_harmless='CC_VERSION_TEXT|BUILD_SALT|MODULE_SIG_ALL|MODULE_SIG_KEY|[A-Z0-9_]*_TRUSTED_KEYS'
config_harmless+='|SYSTEM_REVOCATION_KEYS|PAHOLE_VERSION|RUSTC_VERSION_TEXT|BINDGEN_VERSION_TEXT'
# Whether there is a C library for programs of this word size; for i386 there need not be.
config_harmless+='|CC_CAN_LINK|CC_CAN_LINK_STATIC'
# A rustc that the distribution's build machine did not have: CONFIG_RUST itself is compared.
config_harmless+='|RUST_IS_AVAILABLE|RUSTC_VERSION|RUSTC_LLVM_VERSION|RUSTC_HAS_[A-Z0-9_]*|AS_VERSION|LD_VERSION'

# Options of kernels whose code is not understood, or cannot be made again: hashes
# in front of functions, code that belongs to no object, code that counts or checks
# what it runs, members and values that the build drew by lot.
config_refused='CFI_CLANG|FINEIBT|LTO_CLANG|LTO_GCC|KCSAN|KCOV_INSTRUMENT_ALL|GCOV_PROFILE_ALL'
config_refused+='|PGO_CLANG|AUTOFDO_CLANG|PROPELLER_CLANG|RANDSTRUCT|GCC_PLUGIN_RANDSTRUCT|GCC_PLUGIN_LATENT_ENTROPY'

is_tarball()
{
	case $1 in
	*.tar.xz | *.tar.gz | *.tar.bz2 | *.tar.zst | *.tar) return 0 ;;
	esac
	return 1
}

# First of the files that exists, in $REPLY.
first_of()
{
	for REPLY in "$@"; do
		[ -e "$REPLY" ] && return
	done
	REPLY=
	return 1
}

# Sets source, headers, config, image: from the options, else below $root.
find_inputs()
{
	local series=${release%%-*} missing='' build

	# linux-source-6.1 is the source of 6.1.0-56-amd64.
	series=$(printf '%s' "$series" | cut -d. -f1,2)
	if [ -z "$headers" ]; then
		build=$root/lib/modules/$release/build
		case $(readlink -- "$build") in
		# An absolute link leads out of the root.
		/*) build=$root$(readlink -- "$build") ;;
		esac
		first_of "$root/usr/src/linux-headers-$release" "$build" ||
			missing+="headers (package linux-headers-$release, or --headers); "
		headers=$REPLY
	fi
	if [ -z "$source" ]; then
		first_of "$root/usr/src/linux-source-$series".tar.{xz,zst,gz,bz2} ||
			missing+="source (package linux-source-$series, or --source); "
		source=$REPLY
	fi
	if [ -z "$config" ]; then
		# The headers' file is the complete one: Debian strips
		# CONFIG_BUILD_SALT and the keys from the copy in /boot.
		first_of "$headers/.config" "$root/boot/config-$release" ||
			missing+="configuration (/boot/config-$release, or --config); "
		config=$REPLY
	fi
	if [ -z "$image" ]; then
		if first_of "$root/boot/vmlinux-$release" "$root/boot/vmlinuz-$release"; then
			image=$REPLY
		elif [ "$verify" = yes ]; then
			missing+="image (package linux-image-$release, --image, or --no-verify); "
		fi
	fi
	[ -z "$missing" ] ||
		die "$EXIT_ENV" "kernel $release: not found under $root: ${missing%; }"
}

check_inputs()
{
	local refused

	[ -f "$headers/Module.symvers" ] ||
		die "$EXIT_ENV" "$headers: no Module.symvers in it, not the headers of a kernel"
	[ -f "$config" ] && grep -q '^CONFIG_MODULES=y' "$config" ||
		die "$EXIT_ENV" "$config: not the configuration of a kernel with modules"
	grep -q -E '^CONFIG_X86_(64|32)=y' "$config" ||
		die "$EXIT_ENV" "$config: neither for x86-64 nor for i386, the only architectures supported"
	refused=$(sed -n -E "s/^CONFIG_($config_refused)=y/CONFIG_\\1/p" "$config" | paste -s -d ' ')
	[ -z "$refused" ] ||
		die "$EXIT_ENV" "$config: kernels with $refused are not supported"
	if [ "$verify" = yes ] && ! [ -f "$image" ]; then
		die "$EXIT_ENV" "$image: no such kernel image"
	fi
	if [ -d "$source" ]; then
		check_source "$source" "$source"
	elif ! [ -f "$source" ]; then
		die "$EXIT_ENV" "$source: no such file or folder"
	elif ! is_tarball "$source"; then
		die "$EXIT_ENV" "$source: neither a folder nor a tarball of a kernel source"
	fi
}

# check_source DIR NAME: is there a kernel's source in DIR?
check_source()
{
	local file

	for file in Makefile Kbuild Kconfig scripts/Makefile.build arch/x86/Makefile; do
		[ -f "$1/$file" ] ||
			die "$EXIT_ENV" "$2: not the source of a kernel ($file is missing)"
	done
}

# Sets cc to the compiler that made the kernel, by the name in its configuration:
# CONFIG_CC_VERSION_TEXT="gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0"
find_compiler()
{
	local want have

	want=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\(.*\)"$/\1/p' "$config")
	[ -n "$want" ] || die "$EXIT_ENV" "$config: no CONFIG_CC_VERSION_TEXT in it"
	cc=${want%% *}
	case $want in
	*clang*) die "$EXIT_ENV" "$config: the kernel was made by clang, only gcc is supported" ;;
	esac
	# A cross compiler's name: x86_64-linux-gnu-gcc-12.
	command -v "$cc" >/dev/null || cc=${cc##*-linux-gnu-}
	# One that this system does not have may be unpacked beside the kernel.
	command -v "$cc" >/dev/null || ! [ -x "$root/usr/bin/$cc" ] || cc=$root/usr/bin/$cc
	command -v "$cc" >/dev/null ||
		die "$EXIT_ENV" "the kernel was made by \"$want\": no $cc here, install it (or unpack its packages below --root)"
	have=$("$cc" --version | head -n 1)
	compiler_differs=no
	if [ "$have" != "$want" ]; then
		compiler_differs=yes
		say "warning: the kernel was made by \"$want\", this compiler is \"$have\"; their code may differ"
	fi
	cc_version=$have
	if grep -q '^CONFIG_X86_32=y' "$config"; then
		use_i386_compiler
	fi
}

# Debian builds i386 kernels with a compiler that is itself an i386 program, and
# gcc's choice of registers at times depends on that: "gcc-12 -m32" and the cross
# compiler make other code of setup_arg_pages().  So of that compiler the part that
# makes code is taken, where the packages cpp-12:i386 and what it needs are unpacked
# below $root; the rest of it, and the assembler, are those of this system.
use_i386_compiler()
{
	local dir major cc1 loader=$root/lib/ld-linux.so.2 folder emulator=()

	case $("$cc" -dumpmachine) in
	i?86-*) return ;;
	esac
	major=$("$cc" -dumpversion)
	cc1=$root/usr/lib/gcc/i686-linux-gnu/$major/cc1
	if ! [ -f "$cc1" ] || ! [ -f "$loader" ]; then
		say "warning: no i386 compiler below ${root:-/}: unpack cpp-$major:i386 and the libraries it needs there," \
			"as code made by $cc for x86-64 may differ"
		return
	fi
	# Not every kernel for x86-64 runs programs of i386.
	if ! "$loader" --verify "$cc1" >"$work/cc.log" 2>&1; then
		emulator=("$(command -v qemu-i386 || command -v qemu-i386-static)") ||
			die "$EXIT_ENV" "$cc1: this system cannot run programs of i386: install qemu-user"
	fi
	folder=$(printf '%s\n' "$cc1" | sha256sum)
	dir=$cache/compilers/${folder:0:16}
	mkdir -p -- "$dir" && {
		echo '#!/bin/sh'
		echo "exec$(printf ' %q' "${emulator[@]}" "$loader" --library-path \
			"$root/lib/i386-linux-gnu:$root/usr/lib/i386-linux-gnu" "$cc1") \"\$@\""
	} >"$dir/cc1.$$" && chmod 755 "$dir/cc1.$$" && mv -T -- "$dir/cc1.$$" "$dir/cc1" ||
		die "$EXIT_ENV" "$dir: cannot write to the cache"
	# The tests of the configuration do not say -m32.
	cc+=" -m32 -B$dir/"
	$cc -S -o /dev/null -x c /dev/null 2>"$work/cc.log" ||
		die "$EXIT_ENV" "$cc1: does not run: $(head -n 1 "$work/cc.log")"
}

# One line that changes whenever the source does.
source_identity()
{
	if [ -d "$source" ]; then
		find -L "$source" -name .git -prune -o -type f -printf '%P %s %T@\n' 2>/dev/null |
			LC_ALL=C sort | sha256sum
	else
		stat -L -c '%n %s %y' -- "$(readlink -f -- "$source")"
	fi
}

tree_key()
{
	local sum

	sum=$({
		echo "format 1 $release $cc $cc_version"
		source_identity
		sha256sum <"$config"
		sha256sum <"$headers/Module.symvers"
	} | sha256sum)
	tree_key=$release-${sum:0:16}
}

# kmake DIR ARG...: the kernel's make, as for every step here.  KERNELRELEASE
# must be given each time: the source alone says 6.1.192 for 6.1.0-56-amd64.
kmake()
{
	local dir=$1

	shift
	# Whatever a user keeps in his environment for his own kernel builds.
	env -u ARCH -u CROSS_COMPILE -u KCFLAGS -u KAFLAGS -u KCPPFLAGS -u KBUILD_OUTPUT \
		-u O -u M -u MAKEFLAGS -u MFLAGS -u LOCALVERSION -u KBUILD_EXTRA_SYMBOLS -u V \
		-u C -u W -u CHECK -u KBUILD_VERBOSE -u KCONFIG_CONFIG -u LLVM -u CFLAGS_MODULE \
		-u AFLAGS_MODULE -u LDFLAGS_MODULE -u CFLAGS_KERNEL \
		LC_ALL=C KBUILD_BUILD_TIMESTAMP='1970-01-01' \
		make -C "$dir" --no-print-directory ARCH=x86 CC="$cc" KERNELRELEASE="$release" "$@"
}

unpack_source()
{
	local dir=$1

	if [ -f "$source" ]; then
		run "$work/unpack.log" env XZ_DEFAULTS="--threads=$jobs" tar -x -f "$source" -C "$dir" --strip-components=1 ||
			die "$EXIT_ENV" "$source: cannot unpack it into the cache: $(tail -n 1 "$work/unpack.log")"
		check_source "$dir" "$source"
		return
	fi
	# Without what an earlier build left in it: it may be of another
	# configuration, and make must not think that it is up to date.
	run "$work/unpack.log" cp -a --reflink=auto -- "$source/." "$dir" ||
		die "$EXIT_ENV" "$source: cannot copy it into the cache: $(tail -n 1 "$work/unpack.log")"
	rm -rf -- "$dir/.git" "$dir/include/config" "$dir/include/generated" \
		"$dir"/arch/*/include/generated "$dir"/vmlinux* "$dir"/.config* "$dir"/.tmp_*
	find "$dir" -type f \( -name '*.o' -o -name '*.ko' -o -name '*.a' -o -name '*.cmd' -o -name '*.mod.c' \
		-o -name '*.mod' -o -name modules.order \) -delete
}

# Normal form of a configuration: the options that are set, sorted.
config_options()
{
	grep '^CONFIG_' "$1" | grep -v -E "^CONFIG_($config_harmless)=" | LC_ALL=C sort
}

# An option that the tools here cannot honour gets lost without a word: without
# pahole CONFIG_DEBUG_INFO_BTF goes, and with it a member of struct module.
check_config()
{
	local differ

	differ=$(diff <(config_options "$config") <(config_options "$1/.config") | grep '^[<>]')
	[ -n "$differ" ] || return 0
	differ=${differ//</	kernel:}
	differ=${differ//>/	here:  }
	if [ "$source_differs" = yes ]; then
		say "warning: the source makes another configuration of $config:"
		printf '%s\n' "$differ" >&2
		return
	fi
	say "$config: these options come out differently here; is a tool missing (pahole is in dwarves)?"
	printf '%s\n' "$differ" >&2
	exit "$EXIT_ENV"
}

# Does the version of the source, 6.1.192, agree with the headers'?
check_version()
{
	local have want code

	have=$(awk '$2 == "=" && $1 ~ /^(VERSION|PATCHLEVEL|SUBLEVEL)$/ { v[$1] = $3 }
		END { printf "%s.%s.%s", v["VERSION"], v["PATCHLEVEL"], v["SUBLEVEL"] }' "$1/Makefile")
	code=$(awk '$2 == "LINUX_VERSION_CODE" { print $3 }' \
		"$headers/include/generated/uapi/linux/version.h" 2>/dev/null)
	source_differs=no
	[ -n "$code" ] || return 0
	want=$((code >> 16)).$((code >> 8 & 255)).$((code & 255))
	# The sublevel saturates at 255.
	if [ "$have" != "$want" ] && [ "${want##*.}" != 255 ]; then
		source_differs=yes
		say "warning: the source is of $have, the kernel's headers are of $want"
	fi
}

# Prepares the tree in the given empty folder.
prepare_tree()
{
	local dir=$1 file

	progress "preparing a source tree for $release, once for this kernel"
	unpack_source "$dir"
	check_version "$dir"
	cp -- "$config" "$dir/.config" && cp -- "$headers/Module.symvers" "$dir/Module.symvers" ||
		die "$EXIT_ENV" "$dir: cannot write to the cache"
	run "$work/prepare.log" kmake "$dir" olddefconfig && check_config "$dir" &&
		run "$work/prepare.log" kmake "$dir" -j"$jobs" prepare modules_prepare || {
		tail -n 20 "$work/prepare.log" >&2
		die "$EXIT_ENV" "$source: the tree cannot be prepared; the last messages are above"
	}
	# What only the distribution's build knows and its code prints.
	for file in package.h compile.h utsversion.h; do
		if [ -f "$headers/include/generated/$file" ]; then
			cp -- "$headers/include/generated/$file" "$dir/include/generated/$file"
		fi
	done
	# The warning must come again when the tree is used again.
	echo "$source_differs" >"$dir/.ksplice_source_differs"
}

# take_lock DIR: one ksplice-create at a time fills the cache.  The lock is on
# the folder itself, so that no lock file is left.  Children inherit it: a make
# that outlives a killed ksplice-create keeps others out until it has ended.
take_lock()
{
	exec {lock_fd}<"$1" || die "$EXIT_ENV" "$1: cannot open the cache"
	if ! flock -n "$lock_fd"; then
		progress "waiting for another ksplice-create that fills the cache"
		run /dev/null flock "$lock_fd" || die "$EXIT_ENV" "$1: cannot lock the cache"
	fi
}

drop_lock()
{
	exec {lock_fd}<&-
}

# Sets tree to the prepared tree of the kernel.
get_tree()
{
	local tmp old

	tree_key
	mkdir -p -- "$cache/trees" || die "$EXIT_ENV" "$cache: cannot create the cache"
	tree=$cache/trees/$tree_key
	if ! [ -d "$tree" ]; then
		take_lock "$cache/trees"
		# Under the lock nobody else builds: what a killed run left is dead.
		for old in "$cache/trees/tmp."*; do
			[ -e "$old" ] && rm -rf -- "$old"
		done
	fi
	if ! [ -d "$tree" ]; then
		tmp=$cache/trees/tmp.$$
		leftovers+=("$tmp")
		mkdir -- "$tmp" || die "$EXIT_ENV" "$tmp: cannot create it"
		prepare_tree "$tmp"
		mv -T -- "$tmp" "$tree" || die "$EXIT_ENV" "$tree: cannot create it"
	elif [ "$(cat "$tree/.ksplice_source_differs")" = yes ]; then
		check_version "$tree"
	fi
	[ -z "$lock_fd" ] || drop_lock
}
