// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A decoder of x86 instruction lengths that is driven by the four opcode maps of
 * insn_maps.h.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#else
#include <errno.h>
#endif

#include "insn.h"
#include "insn_maps.h"

#define BOTH_REP	(KSPLICE_PREFIX_REPNE | KSPLICE_PREFIX_REP)

#define REX_W		0x08
#define REX_B		0x01

#define MODRM_MOD(modrm)	((modrm) >> 6)
#define MODRM_REG(modrm)	(((modrm) >> 3) & 7)
#define MODRM_RM(modrm)		((modrm) & 7)

/* The instruction being decoded and how far we are (insn->length). */
struct decoder {
	struct ksplice_insn *insn;
	const u8 *bytes;
	size_t size;
	int word_size;
	u8 modrm;
};

static int skip(struct decoder *d, unsigned int count)
{
	unsigned int end = d->insn->length + count;

	if (end > KSPLICE_INSN_MAX)
		return -EINVAL;
	if (end > d->size)
		return -ENODATA;
	d->insn->length = end;
	return 0;
}

/* Reads the next byte and leaves it there; negative when there is none. */
static int peek(const struct decoder *d)
{
	if (d->insn->length >= KSPLICE_INSN_MAX)
		return -EINVAL;
	if (d->insn->length >= d->size)
		return -ENODATA;
	return d->bytes[d->insn->length];
}

static int next(struct decoder *d)
{
	int byte = peek(d);

	if (byte >= 0)
		d->insn->length++;
	return byte;
}

static u8 legacy_prefix(int byte)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:
	case 0x64: case 0x65:
		return KSPLICE_PREFIX_SEGMENT;
	case 0x66:
		return KSPLICE_PREFIX_OPERAND;
	case 0x67:
		return KSPLICE_PREFIX_ADDRESS;
	case 0xf0:
		return KSPLICE_PREFIX_LOCK;
	case 0xf2:
		return KSPLICE_PREFIX_REPNE;
	case 0xf3:
		return KSPLICE_PREFIX_REP;
	default:
		return 0;
	}
}

/*
 * Read all prefixes.  REX only counts right before the opcode: the processor
 * ignores that of 48 66 90.  Of f2 and f3 the last one counts.
 */
static int decode_prefixes(struct decoder *d)
{
	struct ksplice_insn *insn = d->insn;
	u8 prefix;
	int byte;

	while ((byte = peek(d)) >= 0) {
		if (d->word_size == 8 && (byte & 0xf0) == 0x40) {
			insn->rex = byte;
		} else {
			prefix = legacy_prefix(byte);
			if (!prefix)
				break;
			if (prefix & BOTH_REP)
				insn->prefixes &= ~BOTH_REP;
			insn->prefixes |= prefix;
			insn->rex = 0;
		}
		insn->length++;
	}
	if (insn->rex)
		insn->prefixes |= KSPLICE_PREFIX_REX;
	return byte < 0 ? byte : 0;
}

/*
 * Do c4, c5, 62 and 8f begin a VEX, EVEX or XOP instruction?  In 32-bit code
 * les, lds and bound are told from them by their ModRM byte, which cannot name
 * a register; pop (8f /0) by the number of the map, which is at least 8.
 */
static int is_vector_prefix(const struct decoder *d, int byte)
{
	size_t following = d->insn->length + 1u;

	if (byte != 0xc4 && byte != 0xc5 && byte != 0x62 && byte != 0x8f)
		return 0;
	if (following >= KSPLICE_INSN_MAX)
		return -EINVAL;
	if (following >= d->size)
		return -ENODATA;
	if (byte == 0x8f)
		return (d->bytes[following] & 0x1f) >= 8;
	return d->word_size == 8 || MODRM_MOD(d->bytes[following]) == 3;
}

/* What follows an opcode of a VEX, EVEX or XOP map; '.' for no such map. */
static char vector_form(u8 prefix, u8 map, u8 opcode)
{
	switch (map) {
	case 1:
		if (opcode == 0x77)	/* vzeroupper */
			return prefix == 0x62 ? '.' : '-';
		if ((opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 ||
		    (opcode >= 0xc4 && opcode <= 0xc6))
			return 'B';
		return 'm';
	case 2:
		return 'm';
	case 3:
		return 'B';
	case 5:			/* EVEX: half-precision floats */
	case 6:
		return prefix == 0x62 ? 'm' : '.';
	case 8:			/* XOP */
		return prefix == 0x8f ? 'B' : '.';
	case 9:
		return prefix == 0x8f ? 'm' : '.';
	case 10:
		return prefix == 0x8f ? 'Z' : '.';
	default:
		return '.';
	}
}

/*
 * Read the prefix, its payload and the opcode.  Returns what follows.  The map
 * is in the first byte of the payload, but that of c5 is always 0f.
 */
static int decode_vector(struct decoder *d)
{
	struct ksplice_insn *insn = d->insn;
	int prefix, map, second = 0, opcode;

	if (insn->prefixes & (KSPLICE_PREFIX_OPERAND | KSPLICE_PREFIX_LOCK |
			      BOTH_REP | KSPLICE_PREFIX_REX))
		return -EINVAL;
	insn->prefixes |= KSPLICE_PREFIX_VECTOR;
	prefix = next(d);
	map = next(d);		/* there: is_vector_prefix() looked at it */
	if (prefix != 0xc5)
		second = next(d);
	if (second >= 0 && prefix == 0x62) {
		/* Bits with one value only; APX has given them another. */
		if ((map & 0x08) || !(second & 0x04))
			return -EINVAL;
		map &= 0x07;
		second = next(d);
	}
	opcode = next(d);
	if (opcode < 0)		/* also when the payload was cut off */
		return opcode;
	insn->opcode_offset = insn->length - 1;
	insn->map = prefix == 0xc5 ? 1 : map & 0x1f;
	insn->opcode = opcode;
	return vector_form(prefix, insn->map, opcode);
}

/* Read the escapes and the opcode.  Returns what follows. */
static int decode_opcode(struct decoder *d)
{
	static const char *const maps[] = {
		one_byte_map, two_byte_map, map_38, map_3a,
	};
	struct ksplice_insn *insn = d->insn;
	int byte = next(d);

	if (byte == 0x0f) {
		insn->map = 1;
		byte = next(d);
		if (byte == 0x38 || byte == 0x3a) {
			insn->map = byte == 0x38 ? 2 : 3;
			byte = next(d);
		}
	}
	if (byte < 0)
		return byte;
	insn->opcode = byte;
	insn->opcode_offset = insn->length - 1;
	return maps[insn->map][byte];
}

static int decode_modrm(struct decoder *d, bool memory)
{
	struct ksplice_insn *insn = d->insn;
	u8 mod, rm;
	int byte;

	insn->modrm_offset = insn->length;
	byte = next(d);
	if (byte < 0)
		return byte;
	d->modrm = byte;
	mod = MODRM_MOD(d->modrm);
	rm = MODRM_RM(d->modrm);
	if (mod == 3 || !memory)
		return 0;

	if (d->word_size == 4 && (insn->prefixes & KSPLICE_PREFIX_ADDRESS)) {
		insn->disp_size = mod == 0 && rm == 6 ? 2 : mod;
	} else {
		if (mod == 0 && rm == 5 && d->word_size == 8)
			insn->flags |= KSPLICE_INSN_RIP;
		if (rm == 4) {
			byte = next(d);
			if (byte < 0)
				return byte;
			rm = byte & 7;
		}
		if (mod == 1)
			insn->disp_size = 1;
		else if (mod == 2 || rm == 5)
			insn->disp_size = 4;
	}
	if (insn->disp_size)
		insn->disp_offset = insn->length;
	return skip(d, insn->disp_size);
}

/* Operand size: 2 or 4 bytes, of immediates also when the operand has 8. */
static u8 operand_size(const struct decoder *d)
{
	if (d->insn->rex & REX_W)
		return 4;
	return d->insn->prefixes & KSPLICE_PREFIX_OPERAND ? 2 : 4;
}

static int decode_imm(struct decoder *d, unsigned int size)
{
	d->insn->imm_offset = d->insn->length;
	d->insn->imm_size = size;
	return skip(d, size);
}

static int decode_rel(struct decoder *d, unsigned int size)
{
	struct ksplice_insn *insn = d->insn;

	insn->rel_offset = insn->length;
	insn->rel_size = size;
	if (insn->map == 1 || (insn->opcode & 0xf0) == 0x70) {
		insn->branch = KSPLICE_BRANCH_JCC;
		insn->condition = insn->opcode & 0x0f;
	} else if (insn->opcode == 0xe8) {
		insn->branch = KSPLICE_BRANCH_CALL;
	} else if (insn->opcode == 0xe9 || insn->opcode == 0xeb) {
		insn->branch = KSPLICE_BRANCH_JMP;
	} else if (insn->opcode == 0xc7) {
		insn->branch = KSPLICE_BRANCH_XBEGIN;
	} else {
		insn->branch = KSPLICE_BRANCH_LOOP;
		insn->condition = insn->opcode & 0x03;
	}
	return skip(d, size);
}

/* Read what follows the opcode but the ModRM byte and what it asks for. */
static int decode_rest(struct decoder *d, char form)
{
	struct ksplice_insn *insn = d->insn;
	bool narrow = insn->prefixes & KSPLICE_PREFIX_ADDRESS;

	switch (form) {
	case 'b': case 'B': case 'i': case 'I': case 'g':
		return decode_imm(d, 1);
	case 'w':
		return decode_imm(d, 2);
	case 'e':
		return decode_imm(d, 3);
	case 'z': case 'Z':
		return decode_imm(d, operand_size(d));
	case 'v':
		return decode_imm(d, insn->rex & REX_W ? 8 : operand_size(d));
	case 'f':
		return decode_imm(d, operand_size(d) + 2);
	case 'a':
		insn->disp_offset = insn->length;
		insn->disp_size = narrow ? d->word_size / 2 : d->word_size;
		return skip(d, insn->disp_size);
	case 'j':
		return decode_rel(d, 1);
	case 'J':
		/* 66 e8: Intel ignores the prefix, AMD reads 16 bits. */
		if (d->word_size == 8 && operand_size(d) == 2)
			return -EINVAL;
		return decode_rel(d, operand_size(d));
	case 't': case 'T':
		if (MODRM_REG(d->modrm) > 1)
			return 0;
		return decode_imm(d, form == 't' ? 1 : operand_size(d));
	case 'G':
		if (d->modrm == 0xf8)
			return decode_rel(d, operand_size(d));
		return decode_imm(d, operand_size(d));
	case 'x':
		if (insn->prefixes & (KSPLICE_PREFIX_OPERAND | BOTH_REP))
			return decode_imm(d, 2);
		return 0;
	default:
		return 0;
	}
}

/* Opcodes of which only a part of the ModRM bytes or prefixes is in use. */
static bool is_unused(const struct decoder *d)
{
	const struct ksplice_insn *insn = d->insn;
	u8 reg = MODRM_REG(d->modrm);
	bool is_reg = MODRM_MOD(d->modrm) == 3;

	if (insn->prefixes & KSPLICE_PREFIX_VECTOR)
		return false;
	switch (insn->map << 8 | insn->opcode) {
	case 0x8d:		/* lea */
		return is_reg;
	case 0x8f:		/* pop */
		return reg != 0;
	case 0xc6: case 0xc7:	/* mov, xabort, xbegin */
		return reg != 0 && d->modrm != 0xf8;
	case 0xfe:		/* inc, dec */
		return reg > 1;
	case 0xff:		/* group 5; its far branches take memory */
		return reg == 7 || (is_reg && (reg == 3 || reg == 5));
	case 0x178:		/* vmread, 66 extrq, f2 insertq */
		if (insn->prefixes & BOTH_REP)
			return !is_reg || insn->prefixes & KSPLICE_PREFIX_REP;
		if (insn->prefixes & KSPLICE_PREFIX_OPERAND)
			return !is_reg || reg != 0;
		return false;
	case 0x1b8:		/* popcnt */
		return !(insn->prefixes & KSPLICE_PREFIX_REP);
	case 0x1ba:		/* bt, bts, btr, btc */
		return reg < 4;
	default:
		return false;
	}
}

/*
 * lea that loads a register with itself, as gas and the kernel pad 32-bit code:
 * 8d 76 00 lea 0(%esi),%esi; 8d b4 26 00 00 00 00 lea 0(%esi,%eiz,1),%esi.
 */
static bool is_lea_nop(const struct decoder *d)
{
	const struct ksplice_insn *insn = d->insn;
	u8 base = MODRM_RM(d->modrm);
	u8 i;

	if (insn->prefixes & KSPLICE_PREFIX_ADDRESS)
		return false;
	if (base == 4) {
		u8 sib = d->bytes[insn->modrm_offset + 1];

		if (MODRM_REG(sib) != 4)	/* has an index register */
			return false;
		base = MODRM_RM(sib);
	}
	if (base != MODRM_REG(d->modrm))
		return false;
	if (base == 5 && MODRM_MOD(d->modrm) == 0)	/* no base register */
		return false;
	for (i = 0; i < insn->disp_size; i++)
		if (d->bytes[insn->disp_offset + i])
			return false;
	return true;
}

/*
 * f3 90 is pause and f3 0f 1e fa is endbr64, so no nop has f3; 41 90 is
 * xchg %r8,%rax; f0 90 faults.  The kernel writes the nops 0f 1f 40 d6 and
 * 66 0f 1f 00 over an ENDBR that nobody needs.
 */
static bool is_nop(const struct decoder *d)
{
	const struct ksplice_insn *insn = d->insn;

	if (insn->prefixes & (KSPLICE_PREFIX_LOCK | BOTH_REP |
			      KSPLICE_PREFIX_VECTOR))
		return false;
	if (insn->map == 1)
		return insn->opcode == 0x1f && MODRM_REG(d->modrm) == 0;
	if (insn->map != 0)
		return false;
	if (insn->opcode == 0x90)
		return !(insn->rex & REX_B);
	/* In 64-bit code 89 f6 clears the upper half of %rsi. */
	if (d->word_size != 4 || (insn->prefixes & KSPLICE_PREFIX_OPERAND))
		return false;
	if (insn->opcode == 0x89)	/* mov %esi,%esi */
		return MODRM_MOD(d->modrm) == 3 &&
		       MODRM_REG(d->modrm) == MODRM_RM(d->modrm);
	return insn->opcode == 0x8d && is_lea_nop(d);
}

int ksplice_insn_decode(struct ksplice_insn *insn, const u8 *bytes,
			size_t size, int word_size)
{
	struct decoder d = {
		.insn = insn,
		.bytes = bytes,
		.size = size,
		.word_size = word_size,
	};
	int err, form;

	*insn = (struct ksplice_insn) { 0 };
	if (word_size != 4 && word_size != 8)
		return -EINVAL;
	err = decode_prefixes(&d);
	if (err)
		return err;
	err = is_vector_prefix(&d, bytes[insn->length]);
	if (err < 0)
		return err;
	form = err ? decode_vector(&d) : decode_opcode(&d);
	if (form < 0)
		return form;

	switch (form) {
	case '.': case 'p':
		return -EINVAL;
	case 'o': case 'i': case 'I': case 'f':
		if (word_size == 8)
			return -EINVAL;
		break;
	}
	switch (form) {
	case 'm': case 'r': case 'B': case 'Z': case 'I':
	case 't': case 'T': case 'g': case 'G': case 'x':
		err = decode_modrm(&d, form != 'r');
		if (err)
			return err;
		break;
	}
	if (is_unused(&d))
		return -EINVAL;
	err = decode_rest(&d, form);
	if (err)
		return err;

	if (is_nop(&d))
		insn->flags |= KSPLICE_INSN_NOP;
	if (insn->map == 0 && insn->opcode == 0xcc)
		insn->flags |= KSPLICE_INSN_INT3;
	return 0;
}

s32 ksplice_insn_field(const u8 *bytes, u8 offset, u8 size)
{
	switch (size) {
	case 1:
		return (bytes[offset] ^ 0x80) - 0x80;
	case 2:
		return ((bytes[offset] | bytes[offset + 1] << 8) ^ 0x8000) - 0x8000;
	case 4:
		return (s32)(bytes[offset] | bytes[offset + 1] << 8 |
			     bytes[offset + 2] << 16 |
			     (u32)bytes[offset + 3] << 24);
	default:
		return 0;
	}
}
