/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KSPLICE_INSPECT_DISASSEMBLE_H
#define KSPLICE_INSPECT_DISASSEMBLE_H

#include <stddef.h>
#include <stdint.h>

/* Longest text of an instruction, its NUL included; longer ones are cut. */
#define INSN_TEXT_MAX	256

/*
 * Writes the instruction at @bytes, which is at @address, to @text.  Returns its
 * length in bytes, or 0 when there is none in the @size bytes (@text is "(bad)").
 * Branch targets are printed as numbers.
 */
size_t disassemble_one(const unsigned char *bytes, size_t size, uint64_t address,
		       unsigned int word_size, char text[INSN_TEXT_MAX]);

#endif
