# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest, where tests/corpus-vm put updates into /updates and the names
# of the modules that they are for into /updates/*.modules: each is applied and
# undone.  One whose module does not load without its hardware is skipped.

# shellcheck source=tests/vm/cases.sh
. /cases.sh

# The first module of the list that is not loaded.
missing_module()
{
	while read -r module; do
		[ -d "/sys/module/$module" ] || { echo "$module"; return; }
	done <"$1"
}

for file in /updates/*.tar.gz; do
	id=${file##*/ksplice-}
	id=${id%.tar.gz}
	missing=$(missing_module "/updates/$id.modules")
	if [ -n "$missing" ]; then
		echo "SKIP corpus: $id: $missing does not load here"
		continue
	fi
	if ! out=$(ksplice-apply --retries=10 --delay=0.3 "$file" 2>&1); then
		errors="$errors; $out"
	else
		contains "the list" "$(ksplice-view)" "$id"
		contains "/proc/modules" "$(cut -d ' ' -f 1 /proc/modules)" "ksplice_${id}_"
		out=$(ksplice-undo --retries=10 --delay=0.3 "$id" 2>&1) || errors="$errors; $out"
	fi
	end_case "corpus: $id applied and undone"
done
