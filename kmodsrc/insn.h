/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lengths and fields of x86 instructions, for the kernel and for userspace.
 *
 * Not a disassembler: it says where an instruction ends, where its
 * displacement, immediate and branch offset are, and whether it is padding.
 * That is what comparing two copies of one function at two addresses needs.
 */
#ifndef KSPLICE_INSN_H
#define KSPLICE_INSN_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef int32_t s32;
#endif

/* No x86 instruction is longer; the processor faults when one is. */
#define KSPLICE_INSN_MAX	15
/* The breakpoint, also the padding between functions. */
#define KSPLICE_INT3		0xcc

/* struct ksplice_insn.prefixes; of f2 and f3 the last one, as the processor does. */
#define KSPLICE_PREFIX_OPERAND	0x01	/* 66 */
#define KSPLICE_PREFIX_ADDRESS	0x02	/* 67 */
#define KSPLICE_PREFIX_LOCK	0x04	/* f0 */
#define KSPLICE_PREFIX_REPNE	0x08	/* f2 */
#define KSPLICE_PREFIX_REP	0x10	/* f3 */
#define KSPLICE_PREFIX_SEGMENT	0x20	/* 26, 2e, 36, 3e, 64, 65 */
#define KSPLICE_PREFIX_REX	0x40	/* 40 to 4f, 64-bit code only */
#define KSPLICE_PREFIX_VECTOR	0x80	/* VEX, EVEX or XOP */

/* struct ksplice_insn.flags */
#define KSPLICE_INSN_NOP	0x01	/* does nothing: may be padding */
#define KSPLICE_INSN_INT3	0x02	/* cc: a breakpoint, or padding */
#define KSPLICE_INSN_RIP	0x04	/* the displacement is relative to the end */

/* Branches to an address that is relative to the end of the instruction. */
enum ksplice_branch {
	KSPLICE_BRANCH_NONE,	/* no branch, or an indirect or far one */
	KSPLICE_BRANCH_CALL,
	KSPLICE_BRANCH_JMP,	/* rel8 or rel32: the assembler's choice */
	KSPLICE_BRANCH_JCC,	/* likewise; see condition */
	KSPLICE_BRANCH_LOOP,	/* loopne, loope, loop, jcxz: always rel8 */
	KSPLICE_BRANCH_XBEGIN,
};

/**
 * struct ksplice_insn - one decoded instruction
 * @length:	in bytes, 1 to KSPLICE_INSN_MAX
 * @prefixes:	KSPLICE_PREFIX_*
 * @rex:	the REX prefix, 0 when there is none
 * @map:	of opcodes: 0 one byte, 1 0f, 2 0f 38, 3 0f 3a, other numbers as
 *		the map field of EVEX (5, 6) and XOP (8 to 10) says it
 * @opcode:	the opcode byte (3DNow's opcode is its immediate: 0f 0f)
 * @opcode_offset: of that byte from the start of the instruction
 * @modrm_offset: 0 when it has no ModRM byte
 * @disp_offset, @disp_size: displacement, or the absolute address of mov
 *		opcodes a0 to a3; in bytes; both 0 when there is none
 * @imm_offset, @imm_size: all immediates together (enter $8,$0 has 3 bytes,
 *		ljmp $0x10,$0x1000 has 6); both 0 when there are none
 * @rel_offset, @rel_size: the offset of a relative branch; 0 for others
 * @branch:	enum ksplice_branch
 * @condition:	of KSPLICE_BRANCH_JCC: 0 to 15, as in the opcode (4 is je);
 *		of KSPLICE_BRANCH_LOOP: 0 to 3, likewise; 0 for others
 * @flags:	KSPLICE_INSN_*
 */
struct ksplice_insn {
	u8 length;
	u8 prefixes;
	u8 rex;
	u8 map;
	u8 opcode;
	u8 opcode_offset;
	u8 modrm_offset;
	u8 disp_offset;
	u8 disp_size;
	u8 imm_offset;
	u8 imm_size;
	u8 rel_offset;
	u8 rel_size;
	u8 branch;
	u8 condition;
	u8 flags;
};

/*
 * Decode the instruction at @bytes, of which @size can be read, in code of
 * @word_size 4 (i386) or 8 (x86-64).  Returns 0; -ENODATA when the instruction
 * is longer than @size; -EINVAL when there is no such instruction, or none that
 * we know (APX), or none whose length all processors agree on.  @insn is only
 * meaningful after 0.  Strict about opcodes and lengths, not about operands: a
 * lock prefix where none is allowed is accepted.
 */
int ksplice_insn_decode(struct ksplice_insn *insn, const u8 *bytes,
			size_t size, int word_size);

/*
 * The signed little-endian number of @size (1, 2 or 4) bytes at @offset of an
 * instruction: a rel, disp or imm field.  0 for a field of another size, or
 * one that is not there (size 0).
 */
s32 ksplice_insn_field(const u8 *bytes, u8 offset, u8 size);

#endif
