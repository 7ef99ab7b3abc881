# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest: updates upon updates, on the same function and with the data of
# the one below.

# shellcheck source=tests/vm/steps.sh
. /steps.sh

# apply ID
apply()
{
	must ksplice-apply /updates/ksplice-"$1".tar.gz
}

# undo ID
undo()
{
	must ksplice-undo "$1"
}

# blocked ID BY: it cannot be undone, as BY is built upon it
blocked()
{
	deny "$1" reversed EBUSY busy "update $2 is built upon it"
}

last_word()
{
	sed 's/.* //' /proc/loadavg
}

refuse "does not match" ksplice-apply /updates/ksplice-string_again.tar.gz
apply string
expect "loadavg with the first" "$(last_word)" patched
refuse "not made upon it" ksplice-apply /updates/ksplice-string_third.tar.gz
apply string_again
expect "loadavg with the second" "$(last_word)" again
blocked string string_again
apply string_third
contains "loadavg with the third" "$(cat /proc/loadavg)" "patched and again"
blocked string string_again
blocked string_again string_third
refuse "already applied" ksplice-apply /updates/ksplice-string_again.tar.gz
refuse "does not match" ksplice-apply /updates/ksplice-new_function_more.tar.gz
undo string_third
contains "loadavg with the second again" "$(cat /proc/loadavg)" "patched again"
apply string_third
contains "loadavg with the third again" "$(cat /proc/loadavg)" "patched and again"
undo string_third
undo string_again
expect "loadavg with the first again" "$(last_word)" patched
undo string
finish "three updates of one function"

dmesg -c > /dev/null
apply once
must cat /proc/self/comm
contains "the log" "$(dmesg)" "comm is read"
apply once_again
must write 0 /proc/self/oom_adj
contains "the log" "$(dmesg)" "is DEPRECATED"
undo once_again
undo once
dmesg -c > /dev/null
finish "an update of code whose variables have other numbers since the first"

apply string
apply new_function
apply new_function_more
contains "uptime" "$(cat /proc/uptime)" "read 1 times, so far"
contains "uptime" "$(cat /proc/uptime)" "read 2 times, so far"
blocked new_function new_function_more
undo string
undo new_function_more
contains "uptime" "$(cat /proc/uptime)" "read 3 times"
lacks "uptime" "$(cat /proc/uptime)" "so far"
undo new_function
finish "an update of what another one added; others are undone in any order"

core
link string
ask string applied
link string_again
blocked string string_again
unload string_again new
unload string_again old
ask string reversed
unload string new
unload string old
finish "an update that is linked keeps those that it is built upon"

for id in string new_function gcd; do
	ksplice-apply --retries=100 --delay=0.2 /updates/ksplice-$id.tar.gz > /tmp/out.$id 2>&1 &
done
wait
for id in string new_function gcd; do
	expect "stage of $id" "$(cat $sys/$id/stage)" applied
done
for id in string new_function gcd; do
	ksplice-undo --retries=100 --delay=0.2 $id > /tmp/out.$id 2>&1 &
done
wait
finish "three updates at once"
