# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The files of create/ share their variables, and "|| die" ends the script:
# shellcheck disable=SC2034,SC2154,SC2015
#
# ksplice-create: signatures for kernels that load no module without one.
# Sourced by ksplice-create.

# Makes the names of --sign-key and --sign-cert absolute; run with the options.
check_sign_options()
{
	[ -n "$sign_key$sign_cert" ] || return 0
	[ -n "$sign_key" ] || bad_usage "--sign-cert without --sign-key"
	[ -n "$sign_cert" ] || bad_usage "--sign-key without --sign-cert"
	case $sign_key in
	pkcs11:*) ;;
	*)
		if ! [ -f "$sign_key" ] || ! [ -r "$sign_key" ]; then
			die "$EXIT_ENV" "$sign_key: no such key file"
		fi
		sign_key=$(readlink -f -- "$sign_key")
		;;
	esac
	if ! [ -f "$sign_cert" ] || ! [ -r "$sign_cert" ]; then
		die "$EXIT_ENV" "$sign_cert: no such certificate file"
	fi
	sign_cert=$(readlink -f -- "$sign_cert")
}

# sign_files FILE...: with the kernel's own program, which came with the tree
# (scripts/sign-file).  No certificate and no time go into the signature.
sign_files()
{
	local file

	for file in "$@"; do
		run "$work/sign.log" "$tree/scripts/sign-file" "$sign_hash" "$sign_key" "$sign_cert" "$file" || {
			cat "$work/sign.log" >&2
			die "$EXIT_ENV" "$sign_key: cannot sign with it; is it the key of $sign_cert? (KBUILD_SIGN_PIN has its passphrase)"
		}
	done
}

# A trial, before time is spent on the update.  Sets sign_hash.
check_signing()
{
	[ -n "$sign_key" ] || return 0
	sign_hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"$/\1/p' "$config")
	[ -n "$sign_hash" ] && grep -q '^CONFIG_MODULE_SIG=y' "$config" ||
		die "$EXIT_ENV" "$config: this kernel does not check signatures of modules (CONFIG_MODULE_SIG), leave out --sign-key"
	[ -x "$tree/scripts/sign-file" ] ||
		die "$EXIT_ENV" "$tree/scripts/sign-file: missing; is CONFIG_MODULE_SIG_FORMAT set in $config?"
	echo trial >"$work/trial"
	sign_files "$work/trial"
}

# sign_update DIR: all modules in it.
sign_update()
{
	[ -n "$sign_key" ] || return 0
	sign_files "$1"/*.ko
}
