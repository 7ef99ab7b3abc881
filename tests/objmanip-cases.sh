# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Small pairs of objects, and what ksplice-objmanip makes of them: for tests that
# source it.  They end with "exit $status".
# shellcheck disable=SC2034

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
status=0
machine=
flags=
options=()

# check NAME GOT EXPECTED
check() {
	if [ "$2" = "$3" ]; then
		echo "PASS objmanip: $1${machine:+, i386}"
	else
		printf '%s\n' "got: $2" "not: $3"
		echo "FAIL objmanip: $1${machine:+, i386}"
		status=1
	fi
}

# on_i386 TEST...: once more, with the kernel's calling convention.
on_i386() {
	machine="-m32 -mregparm=3"
	if ! compile probe.o c <<<"int probe;" 2>/dev/null; then
		echo "SKIP objmanip: i386: the compiler has no -m32"
		machine=
		return
	fi
	while [ $# -gt 0 ]; do
		"$1"
		shift
	done
	machine=
}

# passes NAME COMMAND...
passes() {
	local name=$1

	shift
	check "$name" "$("$@" 2>&1 && echo "ok")" ok
}

compile() {
	local model=-mcmodel=kernel

	[ -z "$machine" ] || model=
	# shellcheck disable=SC2086
	${CC:-gcc} $machine $model -O2 -ffunction-sections -fdata-sections -fno-pic \
		-fcf-protection=none -fno-asynchronous-unwind-tables $flags -w -c -o "$1" -x "$2" -
}

# sources NAME [c|assembler]: NAME.pre.o, and NAME.post.o with -DPOST in effect
sources() {
	local text

	text=$(cat)
	compile "$1.pre.o" "${2:-c}" <<<"$text" &&
		compile "$1.post.o" "${2:-c}" <<<"#define POST 1"$'\n'"$text" || exit 1
}

# manip NAME...: sets $code, leaves old.o, new.o, labels, report.json and err
manip() {
	local name pairs=()

	for name in "$@"; do
		pairs+=("$name.pre.o" "$name.post.o")
	done
	rm -f old.o new.o labels report.json
	ksplice-objmanip --id=test --target=vmlinux --old=old.o --new=new.o --symvers=labels \
		--report=report.json "${options[@]}" "${pairs[@]}" 2>err
	code=$?
}

report() {
	jq -r "$1 | join(\" \")" report.json
}

# Sections of the new code, by a pattern.
sections() {
	readelf -SW new.o | grep -o -E "$1" | sort -u | paste -s -d ' '
}

# The linker makes one object of it.
links() {
	local emulation=elf_x86_64

	[ -z "$machine" ] || emulation=elf_i386
	ld -m $emulation -r -o linked.o "$1"
}

# Functions in the new code.
functions() {
	readelf -sW new.o | awk '$4 == "FUNC" && $7 != "UND" { print $8 }' | LC_ALL=C sort | paste -s -d ' '
}

variables() {
	readelf -sW new.o | awk '$4 == "OBJECT" && $5 == "LOCAL" { print $8 }' | LC_ALL=C sort | paste -s -d ' '
}

# What the new code imports, without the numbers of labels.
imports() {
	nm -u new.o | sed -E 's/^ *U //; s/__ks_test_[0-9]+$//' | LC_ALL=C sort | paste -s -d ' '
}

# references SECTION: what the relocs of a section of the new code refer to.
references() {
	readelf -rW new.o | awk -v name="$1" '
		/^Relocation section/ { wanted = $3 ~ "^'\''[.]rela?" name "'\''$" }
		wanted && /R_(X86_64|386)_/ { print $5 }' | sed -E 's/__ks_test_[0-9]+$/(import)/'
}

labels_agree() {
	diff <(cut -f 2 labels | LC_ALL=C sort) \
		<(nm -u new.o | sed 's/^ *U //' | grep -v -E '^(__fentry__|__x86_)' | LC_ALL=C sort) &&
		[ "$(jq .imports report.json)" = "$(wc -l <labels)" ]
}

refused() {
	check "$1 is refused" "$code $(sed -n "s/^ksplice-objmanip: [^:]*: \([^:]*\): .*$2.*/\1/p" err) $(
		ls old.o new.o 2>/dev/null)" "6 $3 "
}

# The new code, with ext at 0x500000, array at 0x600000 and the
# rest at 0x700000, disassembled.
linked() {
	local label symbols=() emulation=elf_x86_64

	[ -z "$machine" ] || emulation=elf_i386
	while read -r label; do
		case $label in
		ext__*) symbols+=("--defsym=$label=0x500000") ;;
		array__*) symbols+=("--defsym=$label=0x600000") ;;
		*) symbols+=("--defsym=$label=0x700000") ;;
		esac
	done < <(cut -f 2 labels)
	ld -m $emulation -e 0 -Ttext=0x400000 "${symbols[@]}" -o linked new.o &&
		objdump -d --no-show-raw-insn linked
}

# against OBJECT...: compares the old code with a kernel of these objects: sets $code,
# leaves matched, matched.err and matched.json.
against() {
	local emulation=elf_x86_64 at=0xffffffff81000000

	[ -z "$machine" ] || emulation=elf_i386 at=0xc1000000
	ld -m $emulation -z noexecstack -e ext -Ttext=$at -o run "$@"
	ksplice-inspect --match=run --json old.o >matched.json 2>/dev/null
	ksplice-inspect --match=run old.o >matched 2>matched.err
	code=$?
}
