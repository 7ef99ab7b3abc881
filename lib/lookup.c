// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/lookup.h"

#include <string.h>

#include "lib/text.h"

/* So many instructions may set up the other arguments of a call. */
#define MAX_ARGUMENTS	12

/* Exported functions of 5.10 to 6.12 that do not keep the address of a table that they are given. */
static const char *const readers[] = {
	"__sysfs_match_string", "acpi_match_device", "acpi_match_device_ids",
	"acpi_match_platform_list", "dmi_check_system", "dmi_first_match", "i2c_match_id",
	"match_string", "memchr", "memcmp", "memcpy", "__memcpy", "memmove", "__memmove",
	"of_match_device", "of_match_node", "pci_dev_present", "pci_match_id", "soc_device_match",
	"spi_get_device_id", "strcmp", "strlen", "strncmp", "usb_match_id", "x86_cpu_has_min_microcode_rev",
	"x86_match_cpu",
};

static bool is_reader(const struct symbol *symbol)
{
	size_t i;

	for (i = 0; symbol && i < sizeof(readers) / sizeof(*readers); i++)
		if (!strcmp(symbol->name, readers[i]))
			return !symbol->section;
	return false;
}

/* The fields of a ModRM byte, with the bits that REX adds. */
struct operands {
	unsigned int mod, reg, rm;
};

static struct operands operands_of(const struct ksplice_insn *insn, const unsigned char *bytes)
{
	unsigned char modrm = bytes[insn->modrm_offset];

	return (struct operands){
		.mod = modrm >> 6,
		.reg = (modrm >> 3 & 7) | (insn->rex & 4) << 1,
		.rm = (modrm & 7) | (insn->rex & 1) << 3,
	};
}

/*
 * The register that an instruction loads with an address: mov $table, %rdi or
 * lea table(%rip), %rdi; -1 for another one.
 */
static int loaded_register(const struct ksplice_insn *insn, const unsigned char *bytes)
{
	struct operands operands;

	if (insn->map || insn->prefixes & (unsigned int)~KSPLICE_PREFIX_REX)
		return -1;
	if (insn->opcode >= 0xb8 && insn->opcode <= 0xbf)
		return (insn->opcode & 7) | (insn->rex & 1) << 3;
	if (!insn->modrm_offset)
		return -1;
	operands = operands_of(insn, bytes);
	if (insn->opcode == 0xc7 && operands.mod == 3)
		return (int)operands.rm;
	if (insn->opcode == 0x8d && operands.mod == 0 && operands.rm % 8 == 5)
		return (int)operands.reg;
	return -1;
}

/* Registers that a called function may change, so nobody reads them afterwards. */
static bool is_argument(const struct object *object, int reg)
{
	/* %eax, %ecx and %edx with -mregparm=3; %rdi, %rsi, %rdx, %rcx, %r8 and %r9 */
	unsigned int arguments = object->machine == EM_386 ? 0x007 : 0x3c6;

	return reg >= 0 && (arguments >> reg & 1);
}

/* A plain instruction, as they set up arguments, that has nothing to do with a register. */
static bool leaves_alone(const struct ksplice_insn *insn, const unsigned char *bytes, int reg)
{
	static const unsigned char plain[] = {
		0x01, 0x03, 0x29, 0x2b, 0x31, 0x33,	/* add, sub, xor */
		0x63, 0x81, 0x83, 0x89, 0x8b, 0x8d,	/* movslq, add $, mov, lea */
		0xc6, 0xc7,				/* mov $ */
	};
	struct operands operands;

	if (insn->flags & KSPLICE_INSN_NOP)
		return true;
	if (insn->map || insn->prefixes & KSPLICE_PREFIX_VECTOR)
		return false;
	if (insn->opcode >= 0xb8 && insn->opcode <= 0xbf)
		return loaded_register(insn, bytes) != reg;
	if (!insn->modrm_offset || !memchr(plain, insn->opcode, sizeof(plain)))
		return false;
	operands = operands_of(insn, bytes);
	if (operands.mod != 3 && operands.rm % 8 == 4)
		return false;	/* SIB: more registers */
	/* Of an opcode with an immediate, reg is a part of the opcode: may say no needlessly. */
	return (int)operands.reg != reg && (int)operands.rm != reg;
}

/* From @at on, is the register an argument of a call of a reader and nothing else? */
static bool goes_to_reader(struct section *section, uint64_t at, int reg)
{
	const struct reloc *reloc;
	struct ksplice_insn insn;
	unsigned int i;

	for (i = 0; i <= MAX_ARGUMENTS && decode_at(section, at, &insn); i++) {
		if (insn.branch == KSPLICE_BRANCH_CALL || insn.branch == KSPLICE_BRANCH_JMP) {
			reloc = find_reloc(section, at + insn.rel_offset);
			return reloc && is_reader(reloc->symbol);
		}
		if (!leaves_alone(&insn, section->data + at, reg))
			return false;
		at += insn.length;
	}
	return false;
}

static bool is_lookup(const struct reloc *reloc)
{
	struct section *section = reloc->section;
	struct ksplice_insn insn;
	uint64_t start, end;
	int reg;

	if (!find_insn(section, reloc->offset, &start, &end) || !decode_at(section, start, &insn))
		return false;
	reg = loaded_register(&insn, section->data + start);
	if (reg >= 0)
		return is_argument(section->object, reg) && goes_to_reader(section, end, reg);
	/* A branch into data, or lea with more registers? */
	return insn.modrm_offset && insn.disp_size && reloc->offset == start + insn.disp_offset &&
	       (insn.map || insn.opcode != 0x8d);
}

bool is_lookup_table(const struct span *table)
{
	const struct reloc *user;
	size_t i;

	if (!table->symbol || table->symbol->binding != STB_LOCAL)
		return false;
	for (i = 0; i < table->nr_users; i++) {
		user = table->users[i];
		if (is_class(user->section, CLASS_METADATA))
			continue;
		if (!is_text(user->section) || !user->section->data || !is_lookup(user))
			return false;
	}
	return true;
}
