# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Cases of tests that run in a guest, for scripts that source it as /cases.sh.
# What goes wrong in a case is collected until end_case prints its result.

lsmod_before=$(lsmod | sed 1d)
errors=

# expect NAME ACTUAL EXPECTED
expect()
{
	[ "$2" = "$3" ] && return
	errors="$errors; $1 is \"$2\", expected \"$3\""
}

# contains NAME ACTUAL PART
contains()
{
	case $2 in
	*"$3"*) ;;
	*) errors="$errors; $1 is \"$2\", expected to contain \"$3\"" ;;
	esac
}

# lacks NAME ACTUAL PART
lacks()
{
	case $2 in
	*"$3"*) errors="$errors; $1 is \"$2\", expected not to contain \"$3\"" ;;
	esac
}

# run STATUS COMMAND...: a command ends so; its output is in $out.  The status of insmod
# is the errno.
run()
{
	status=$1
	shift
	out=$("$@" 2>&1)
	set -- "$?" "$*"
	[ "$1" = "$status" ] ||
		errors="$errors; exit status of $2 is $1, expected $status; it said: $out"
}

# end_case NAME: nothing of Ksplice may be left behind.
end_case()
{
	expect "lsmod afterwards" "$(lsmod | sed 1d)" "$lsmod_before"
	[ ! -e /sys/kernel/ksplice ] || errors="$errors; /sys/kernel/ksplice is still there"
	if [ -z "$errors" ]; then
		echo "PASS $1"
	else
		echo "FAIL $1: ${errors#; }"
	fi
	errors=
}
