/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the instructions of a section begin and end. */
#ifndef KSPLICE_LIB_TEXT_H
#define KSPLICE_LIB_TEXT_H

#include "kmodsrc/insn.h"
#include "lib/object.h"

/**
 * struct text - the instructions of a section
 * @lengths:	for each byte of the section the length of the instruction that
 *		begins there; 0 where none begins (also where bytes are no code).
 *		NULL when the section has no contents
 * @counts:	for count_insns(); NULL until needed
 */
struct text {
	uint8_t *lengths;
	uint32_t *counts;
};

/*
 * Decode a section of code from its start, and anew from each symbol; done once,
 * then remembered in section->text.  Never fails: see @lengths.
 */
const struct text *decode_section(struct section *section);

/*
 * The instruction that covers @offset: sets @start and @end (offsets in the
 * section); false when the bytes there are not known to be code.
 */
bool find_insn(struct section *section, uint64_t offset, uint64_t *start, uint64_t *end);

/* Decode the instruction that begins at @offset; false when none begins there. */
bool decode_at(struct section *section, uint64_t offset, struct ksplice_insn *insn);

/*
 * How many instructions that do something begin at @start or behind it, and before
 * @end (offsets in the section); each byte that is no code counts as one.
 */
size_t count_insns(struct section *section, uint64_t start, uint64_t end);

/*
 * What the addend of a PC-relative field contains only because it counts from
 * the end of the instruction: -4, -5 with one byte of immediate after it, and
 * so on.  0 for absolute fields and for data.
 */
int reloc_bias(const struct reloc *reloc);

#endif
