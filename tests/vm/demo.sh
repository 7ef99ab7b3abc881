# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest, where the demo put an update into /updates: shows what the
# running kernel does before it, with it and after it, and fails when that is not
# what the demo promises.

failed=0

# The latency limit of the kernel, in microseconds, while a program asks for $1.
# The device takes numbers in base 16, and its other form for texts of 4 bytes.
limit_when_asked_for()
{
	(
		exec 3<>/dev/cpu_dma_latency
		echo "$1" >&3
		dd bs=4 count=1 <&3 2>/dev/null | od -A n -t d4 | tr -d ' '
	)
}

# show WHEN FOR_MINUS_5: the two limits now, which must be FOR_MINUS_5 and 20.
show()
{
	bad=$(limit_when_asked_for -5)
	good=$(limit_when_asked_for 0x14)
	printf '  %-8s asked for -5 us: limit %s us; asked for 20 us: limit %s us\n' "$1" "$bad" "$good"
	if [ "$bad" != "$2" ] || [ "$good" != 20 ]; then
		echo "  FAILED: expected $2 and 20"
		failed=1
	fi
}

# attempt COMMAND...: run it, and show it with its output.
attempt()
{
	echo "  # $*"
	out=$("$@" 2>&1)
	status=$?
	printf '%s\n' "$out" | sed 's/^/  /'
	case $status,$out in
	"0,"*", pause "*" us") ;;
	*)
		echo "  FAILED: exit status $status"
		failed=1
		;;
	esac
}

# Their names and sizes, on one line.
modules()
{
	list=$(lsmod | awk 'NR > 1 { printf "%s%s (%s)", comma, $1, $2; comma = ", " }')
	echo "${list:-none}"
}

echo "  running: $(uname -srv)"
before=$(modules)
show before -5
attempt ksplice-apply /updates/ksplice-demo.tar.gz
show applied 2000000000
echo "  modules: $(modules)"
attempt ksplice-undo demo
show undone -5
after=$(modules)
echo "  modules: $after; before: $before"
if [ "$after" != "$before" ]; then
	echo "  FAILED: the modules are not as before"
	failed=1
fi
exit $failed
