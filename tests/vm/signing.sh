# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest whose kernel only loads signed modules, and trusts the key of
# test-signing besides its own.

# shellcheck source=tests/vm/cases.sh
. /cases.sh

# refused ID TEXT...: ksplice-apply fails, with all of these words
refused()
{
	out=$(ksplice-apply "/updates/ksplice-$1.tar.gz" 2>&1)
	expect "status of ksplice-apply $1" $? 1
	shift
	for text; do
		contains "what ksplice-apply says" "$out" "$text"
	done
}

echo
expect "sig_enforce" "$(cat /sys/module/module/parameters/sig_enforce)" Y
contains "keys" "$(cat /proc/keys)" "Ksplice test trusted"
refused unsigned "can't load ksplice: Key was rejected" "it is not signed" "module.sig_enforce=1" "--sign-key"
end_case "signing: an unsigned update is refused"

refused other "can't load ksplice: Key was rejected" "not with a key that this kernel trusts"
end_case "signing: an unknown key is refused"

refused damaged "can't load ksplice: Key was rejected" "or it was changed since"
end_case "signing: a damaged module is refused"

out=$(ksplice-apply /updates/ksplice-signed.tar.gz 2>&1) || errors="$errors; refused: $out"
contains "loadavg applied" "$(cat /proc/loadavg)" patched
# Out of tree (O), and not unsigned (E); K is for livepatch.
expect "taint" "$(cat /sys/module/ksplice/taint)" O
out=$(ksplice-undo signed 2>&1) || errors="$errors; not undone: $out"
lacks "loadavg undone" "$(cat /proc/loadavg)" patched
end_case "signing: a signed update is applied and undone"

mount -t securityfs securityfs /sys/kernel/security
echo integrity > /sys/kernel/security/lockdown
out=$(ksplice-apply /updates/ksplice-signed.tar.gz 2>&1) || errors="$errors; refused: $out"
contains "loadavg applied" "$(cat /proc/loadavg)" patched
out=$(ksplice-undo signed 2>&1) || errors="$errors; not undone: $out"
end_case "signing: a signed update in lockdown"
