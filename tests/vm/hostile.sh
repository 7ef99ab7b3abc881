# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Runs in a guest: new code with tables that lead elsewhere, and new code of functions
# that must stay as they are (modules/hostile.c).

# shellcheck source=tests/vm/steps.sh
. /steps.sh

entry=0x$(sed -n 's/ . loadavg_proc_show$//p' /proc/kallsyms)
core
load string old
ask string matched
# What is wrong, and the cause in the kernel log.
while read -r wrong cause; do
	dmesg -c > /dev/null
	case $wrong in
	abi*) text="module format" ;;
	old-address | old-data | range) text="unknown symbol\|No such file" ;;
	*) text="nvalid" ;;
	esac
	if out=$(insmod /modules/hostile.ko wrong="$wrong" function="$entry" 2>&1); then
		errors="$errors; $wrong is accepted"
		rmmod hostile
		write matched $sys/string/stage
	elif ! echo "$out" | grep -q "$text"; then
		errors="$errors; $wrong: \"$out\" instead of \"$text\""
	fi
	contains "the log of $wrong" "$(dmesg)" "$cause"
	expect "stage after $wrong" "$(cat $sys/string/stage)" matched
	expect "targets after $wrong" "$(cat $sys/string/targets)" "vmlinux old"
done <<'EOF'
patches-elsewhere the table of functions to replace is not in its module
patches-count the table of functions to replace is not in its module
patches-overflow the table of functions to replace is not in its module
patches-null neither old nor new code
ranges-elsewhere the table of code that must not be in use is not in its module
ranges-count the table of code that must not be in use is not in its module
ranges-unaligned the table of code that must not be in use is not in its module
new-address new code that is not in its module
new-data new code that is not in its module
new-behind new code that is not in its module
name the name of a function is not in its module
range-name the name of code that must not be in use is not in its module
twice new_function and new_function are at the same place
writes-elsewhere the table of what to write is not in its module
writes-count the table of what to write is not in its module
write-data a malformed write
write-code a malformed write
write-end a malformed write
write-behind a malformed write
write-none a malformed write
write-size a malformed write
write-source a malformed write
endbr-elsewhere a malformed write
endbr-data a malformed write
hooks-elsewhere the table of hooks is not in its module
hooks-count the table of hooks is not in its module
hook-kind hook 0 is malformed
hook-data hook 0 is malformed
hook-code hook 0 is malformed
hook-behind hook 0 is malformed
hook-name the name of a hook is not in its module
hook-null the name of a hook is not in its module
abi-newer update for ABI
abi-older update for ABI
owner not part of the module that it names
id malformed update refused
id-null its ID is too long, or not in its module
target not the name of a target
description the description is not in its module
old-code neither old nor new code
published-elsewhere the memory for symbols is not in its module
published-size the memory for symbols is not in its module
published-unaligned the memory for symbols is not in its module
code-elsewhere the old code is not in its module
code-size the old code is not in its module
old-address new_function was not matched
old-data new_function was not matched
range range was not matched
EOF
# What is right can be linked: the test would notice if all were refused.
for right in nothing write endbr hook; do
	must insmod /modules/hostile.ko wrong=$right function="$entry"
	expect "stage with a right $right" "$(cat $sys/string/stage)" linked
	must rmmod hostile
	ask string matched
done
load string new
ask string applied
contains "loadavg" "$(cat /proc/loadavg)" patched
expect "tainted as by a livepatch" $(($(cat /proc/sys/kernel/tainted) >> 15 & 1)) 1
ask string reversed
unload string new
unload string old
finish "tables of new code that lead elsewhere"

# address NAME: of a function or constant of vmlinux
address()
{
	sed -n "s/ . $1\$//p" /proc/kallsyms
}

boot_id=/proc/sys/kernel/random/boot_id
before=$(cat $boot_id)
code=0x$(address hex_to_bin)
constant=0x$(address hex_asc)
# refuse_constant WRONG CAUSE: in sysfs, or in the log of what is no update's fault yet.
refuse_constant()
{
	dmesg -c > /dev/null
	must write 0 $sys/constant/nudge	# forgets the cause before
	refuse "insert" insmod /modules/hostile.ko id=constant wrong="$1" \
		constant="$constant" function="$code"
	contains "cause of $1" "$(cat $sys/constant/error; dmesg)" "$2"
	expect "stage after $1" "$(cat $sys/constant/stage)" matched
	expect "targets after $1" "$(cat $sys/constant/targets)" "vmlinux old"
	expect "boot_id after $1" "$(cat $boot_id)" "$before"
}

if [ "$constant" != 0x ]; then
	core
	load constant old
	ask constant matched
	for wrong in constants-elsewhere constants-null constants-count constants-overflow \
		     constants-unaligned; do
		refuse_constant $wrong "refused: the table of constants is not in its module"
	done
	refuse_constant constant-name "refused: the name of a constant is not in its module"
	for wrong in old-constant old-constant-data old-constant-text; do
		refuse_constant $wrong "ENOENT vmlinux: the constant new_constant was not matched"
	done
	for wrong in new-constant new-constant-gone new-constant-overflow new-constant-end constant-twice; do
		refuse_constant $wrong "EINVAL vmlinux: the table of constants is malformed"
	done
	must insmod /modules/hostile.ko id=constant wrong=nothing constant="$constant"
	ask constant applied
	expect "boot_id with the constant" "$(cat $boot_id)" "$(echo "$before" | tr a-f G-L)"
	ask constant reversed
	expect "boot_id without it" "$(cat $boot_id)" "$before"
	must rmmod hostile
	unload constant old
	finish "tables of constants that lead elsewhere"
else
	echo "SKIP core: tables of constants that lead elsewhere: this kernel cannot tell where its constants are"
fi

# kernel/stop_machine.c: names in the table, whole and by their beginning.
core
load neighbour old
ask neighbour matched
for name in multi_cpu_stop stop_machine_cpuslocked cpu_stopper_thread; do
	refuse "nvalid" insmod /modules/hostile.ko id=neighbour wrong=nothing \
		function=0x"$(address $name)"
	contains "error" "$(cat $sys/neighbour/error)" \
		"EINVAL vmlinux: $name cannot be replaced: the CPUs are stopped by it"
	expect "stage after $name" "$(cat $sys/neighbour/stage)" matched
done
must insmod /modules/hostile.ko id=neighbour wrong=nothing function=0x"$(address stop_one_cpu)"
expect "stage with a function that is not forbidden" "$(cat $sys/neighbour/stage)" linked
must rmmod hostile
unload neighbour old
finish "new code of functions that must not be replaced"
