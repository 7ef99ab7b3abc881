# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest with UEFI firmware: puts a certificate where the next boot finds
# it, and tries out what a kernel does with signed modules that does not know it.

# shellcheck source=tests/vm/cases.sh
. /cases.sh

db=/sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f

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
mount -t efivarfs efivarfs /sys/firmware/efi/efivars
# Now efivarfs is in use.
lsmod_before=$(lsmod | sed 1d)
dd if=/db of=$db bs=64k 2> /dev/null || errors="$errors; cannot write $db"

ksplice-apply /updates/ksplice-other.tar.gz > /dev/null || errors="$errors; an unknown key matters"
ksplice-undo other > /dev/null
end_case "signing: signatures that are not enforced"

mount -t securityfs securityfs /sys/kernel/security
echo integrity > /sys/kernel/security/lockdown
refused unsigned "can't load ksplice: Operation not permitted" "it is not signed" "locked down" "--sign-key"
refused signed "can't load ksplice: Operation not permitted" "not with a key that this kernel trusts" "locked down"
end_case "signing: lockdown"
