# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The files of create/ share their variables, and "|| die" ends the script:
# shellcheck disable=SC2034,SC2154,SC2015
#
# ksplice-create: messages, steps with their times, child processes, clean end.
# Sourced by ksplice-create.

# Exit codes.  The man page lists them; scripts depend on them.
EXIT_ENV=1		# environment or internal error
EXIT_USAGE=2
EXIT_PATCH=3		# the patch does not apply
EXIT_COMPILE=4
EXIT_SAME=5		# no object code changed
EXIT_REFUSED=6		# unsafe or not supported
EXIT_MISMATCH=7		# the image is not what the pre code compiles to

work=			# private folder of this run
jobs_running=()		# process groups of the children
leftovers=()		# files and folders to remove at the end, done or not
step_names=()		# steps so far, and
step_micros=()		# the time each took, in microseconds
step_start=
step_current=

say()
{
	printf 'ksplice-create: %s\n' "$*" >&2
}

# die STATUS MESSAGE: the EXIT trap cleans up.
die()
{
	local status=$1

	shift
	say "$@"
	exit "$status"
}

# Like "now" in C: microseconds, in $REPLY, without a process.
now_us()
{
	# The decimal separator of EPOCHREALTIME follows the locale.
	REPLY=${EPOCHREALTIME/[.,]/}
}

progress()
{
	if [ "$show_progress" = yes ]; then
		say "$@"
	fi
}

end_step()
{
	[ -n "$step_current" ] || return 0
	now_us
	step_names+=("$step_current")
	step_micros+=($((REPLY - step_start)))
	step_current=
}

# step NAME MESSAGE: ends the step before and starts the time of this one.
step()
{
	end_step
	step_current=$1
	now_us
	step_start=$REPLY
	progress "$2"
}

# The times as JSON, in seconds: {"tree": 0.05, ..., "total": 11.2}
steps_json()
{
	local i total=0 out=

	for i in "${!step_names[@]}"; do
		out+=$(printf '"%s":%d.%03d,' "${step_names[i]}" \
			$((step_micros[i] / 1000000)) $((step_micros[i] / 1000 % 1000)))
		total=$((total + step_micros[i]))
	done
	printf '{%s"total":%d.%03d}' "$out" $((total / 1000000)) $((total / 1000 % 1000))
}

# spawn LOG COMMAND...: start it in a process group of its own, with all output
# in LOG; the group's id goes to $REPLY.  A group can be killed as a whole (make
# has children that have children), and an interrupt from the terminal goes to
# this script alone, which then ends the groups in order.
spawn()
{
	local log=$1

	shift
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	REPLY=$!
	set +m
	jobs_running+=("$REPLY")
}

# await PID LOG: wait for a spawned child; its status is returned.
await()
{
	local pid=$1 log=$2 status=0 i

	wait "$pid" || status=$?
	for i in "${!jobs_running[@]}"; do
		[ "${jobs_running[i]}" = "$pid" ] && unset "jobs_running[$i]"
	done
	if [ "$verbose" = yes ] && [ -s "$log" ]; then
		sed 's/^/  | /' "$log" >&2
	fi
	return "$status"
}

# run LOG COMMAND...
run()
{
	spawn "$@"
	await "$REPLY" "$1"
}

kill_jobs()
{
	local pid tries

	for pid in "${jobs_running[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null
	done
	for pid in "${jobs_running[@]}"; do
		tries=0
		while kill -0 -- "-$pid" 2>/dev/null; do
			tries=$((tries + 1))
			[ "$tries" -le 20 ] || kill -KILL -- "-$pid" 2>/dev/null
			[ "$tries" -le 40 ] || break
			sleep 0.1
		done
	done
	jobs_running=()
}

on_exit()
{
	local status=$?

	trap '' INT TERM HUP
	trap - EXIT
	kill_jobs
	if [ "${#leftovers[@]}" -gt 0 ]; then
		rm -rf -- "${leftovers[@]}"
	fi
	if [ -n "$work" ]; then
		if [ "$keep" = yes ]; then
			say "intermediate files are in $work"
		else
			rm -rf -- "$work"
		fi
	fi
	exit "$status"
}

on_signal()
{
	trap '' INT TERM HUP
	keep=no
	say "interrupted"
	exit "$1"
}

install_traps()
{
	trap on_exit EXIT
	trap 'on_signal 130' INT
	trap 'on_signal 143' TERM
	trap 'on_signal 129' HUP
}

# find_tool NAME: full path of one of our programs.
find_tool()
{
	local dir

	for dir in "$libexec_dir" "$bin_dir"; do
		if [ -x "$dir/$1" ]; then
			printf '%s\n' "$dir/$1"
			return
		fi
	done
	return 1
}

need_commands()
{
	local command

	for command in "$@"; do
		command -v "$command" >/dev/null ||
			die "$EXIT_ENV" "$command: not found, install it (Debian: see ./bootstrap)"
	done
}
