// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The instruction decoder: by hand, against libopcodes, and on random bytes.
 *
 * Environment:
 *	KSPLICE_TEST_TEXT	an ELF file, or an image of a kernel, whose code is
 *				decoded (default: this program and busybox)
 *	KSPLICE_TEST_STREAMS	number of random instructions of each word size
 */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif
#ifndef PACKAGE
#define PACKAGE "ksplice"	/* bfd.h insists */
#endif

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bfd.h>
#include <cmocka.h>
#include <dis-asm.h>
#include <gelf.h>

#include "kmodsrc/insn.h"
#include "lib/image_internal.h"

#define STREAM_SIZE	32	/* more than libopcodes ever looks at */
#define STREAMS		200000
#define SHOWN		20	/* disagreements printed before counting only */

/*
 * In words: length, then the fields that there are as offset.size, then what
 * the instruction is.
 */
static void describe(char *text, size_t size, int err, const struct ksplice_insn *insn)
{
	static const char *const branches[] = {"", " call", " jmp", " jcc", " loop", " xbegin"};
	FILE *out = fmemopen(text, size, "w");

	assert_non_null(out);
	if (err) {
		fputs(err == -EINVAL ? "EINVAL" : err == -ENODATA ? "ENODATA" : "?", out);
		fclose(out);
		return;
	}
	fprintf(out, "%u", insn->length);
	if (insn->disp_size)
		fprintf(out, " disp %u.%u", insn->disp_offset, insn->disp_size);
	if (insn->imm_size)
		fprintf(out, " imm %u.%u", insn->imm_offset, insn->imm_size);
	if (insn->rel_size)
		fprintf(out, " rel %u.%u", insn->rel_offset, insn->rel_size);
	fputs(branches[insn->branch], out);
	if (insn->branch == KSPLICE_BRANCH_JCC || insn->branch == KSPLICE_BRANCH_LOOP)
		fprintf(out, " %u", insn->condition);
	if (insn->flags & KSPLICE_INSN_RIP)
		fputs(" rip", out);
	if (insn->flags & KSPLICE_INSN_NOP)
		fputs(" nop", out);
	if (insn->flags & KSPLICE_INSN_INT3)
		fputs(" int3", out);
	if (insn->prefixes & KSPLICE_PREFIX_LOCK)
		fputs(" lock", out);
	fclose(out);
}

static size_t from_hex(u8 *bytes, const char *hex)
{
	size_t size = 0;
	int used;
	unsigned int byte;

	for (; sscanf(hex, "%2x%n", &byte, &used) == 1; hex += used)
		bytes[size++] = byte;
	return size;
}

/*
 * Decode a copy that ends where the bytes do, so that AddressSanitizer sees a
 * read past the end.
 */
static int decode_exact(struct ksplice_insn *insn, const u8 *bytes, size_t size, int word_size)
{
	u8 *copy = malloc(size ? size : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	err = ksplice_insn_decode(insn, size ? copy : copy + 1, size, word_size);
	free(copy);
	return err;
}

/* An instruction that is cut off anywhere lacks data; more bytes change nothing. */
static void check_cut(const u8 *bytes, size_t length, int word_size)
{
	struct ksplice_insn insn;
	size_t size;

	for (size = 0; size < length; size++)
		assert_int_equal(decode_exact(&insn, bytes, size, word_size), -ENODATA);
	assert_int_equal(decode_exact(&insn, bytes, length, word_size), 0);
	assert_int_equal(insn.length, length);
}

static const struct {
	int word_size;
	const char *hex;
	const char *want;
} by_hand[] = {
	/* nops: GNU as and the kernel pad with these */
	{8, "90", "1 nop"},
	{8, "66 90", "2 nop"},
	{8, "48 90", "2 nop"},
	{8, "41 90", "2"},				/* xchg %r8,%rax */
	{8, "f3 90", "2"},				/* pause */
	{8, "0f 1f 00", "3 nop"},
	{8, "0f 1f 40 00", "4 disp 3.1 nop"},
	{8, "0f 1f 44 00 00", "5 disp 4.1 nop"},
	{8, "66 0f 1f 44 00 00", "6 disp 5.1 nop"},
	{8, "0f 1f 80 00 00 00 00", "7 disp 3.4 nop"},
	{8, "66 2e 0f 1f 84 00 00 00 00 00", "10 disp 6.4 nop"},
	{8, "66 66 66 66 66 66 2e 0f 1f 84 00 00 00 00 00", "15 disp 11.4 nop"},
	{8, "66 66 66 66 66 66 66 2e 0f 1f 84 00 00 00 00 00", "EINVAL"},
	{8, "0f 1f 40 d6", "4 disp 3.1 nop"},		/* was ENDBR */
	{8, "66 0f 1f 00", "4 nop"},
	{8, "0f 1f c8", "3"},				/* /1: not ours to skip */
	{8, "f3 0f 1e fa", "4"},			/* endbr64 */
	{4, "f3 0f 1e fb", "4"},			/* endbr32 */
	{8, "89 f6", "2"},				/* zero-extends */
	{4, "89 f6", "2 nop"},
	{4, "89 fe", "2"},
	{4, "8d 76 00", "3 disp 2.1 nop"},
	{4, "8d 74 26 00", "4 disp 3.1 nop"},
	{4, "3e 8d 74 26 00", "5 disp 4.1 nop"},	/* fentry slot on i386 */
	{4, "8d b6 00 00 00 00", "6 disp 2.4 nop"},
	{4, "8d b4 26 00 00 00 00", "7 disp 3.4 nop"},
	{4, "2e 8d b4 26 00 00 00 00", "8 disp 4.4 nop"},
	{4, "8d bc 27 00 00 00 00", "7 disp 3.4 nop"},
	{4, "8d 24 24", "3 nop"},			/* lea (%esp),%esp */
	{4, "8d 76 01", "3 disp 2.1"},
	{4, "8d 74 36 00", "4 disp 3.1"},		/* has an index */
	{4, "8d 75 00", "3 disp 2.1"},			/* another register */
	{4, "8d 2d 00 00 00 00", "6 disp 2.4"},		/* lea 0x0,%ebp */
	{4, "66 8d 76 00", "4 disp 3.1"},
	{8, "8d 76 00", "3 disp 2.1"},
	{8, "cc", "1 int3"},
	{8, "cd 03", "2 imm 1.1"},

	/* branches */
	{8, "e8 01 02 03 04", "5 rel 1.4 call"},
	{8, "2e e8 01 02 03 04", "6 rel 2.4 call"},
	{8, "66 66 48 e8 01 02 03 04", "8 rel 4.4 call"}, /* __tls_get_addr */
	{8, "66 e8 01 02 03 04", "EINVAL"},
	{8, "66 0f 84 01 02 03 04", "EINVAL"},
	{4, "66 e8 01 02", "4 rel 2.2 call"},
	{8, "e9 01 02 03 04", "5 rel 1.4 jmp"},
	{8, "eb fe", "2 rel 1.1 jmp"},
	{8, "74 00", "2 rel 1.1 jcc 4"},
	{8, "0f 8f 01 02 03 04", "6 rel 2.4 jcc 15"},
	{8, "2e 75 00", "3 rel 2.1 jcc 5"},
	{8, "e2 fe", "2 rel 1.1 loop 2"},
	{8, "e3 fe", "2 rel 1.1 loop 3"},		/* jrcxz */
	{8, "67 e3 fe", "3 rel 2.1 loop 3"},
	{8, "c7 f8 01 02 03 04", "6 rel 2.4 xbegin"},
	{4, "66 c7 f8 01 02", "5 rel 3.2 xbegin"},
	{8, "c6 f8 01", "3 imm 2.1"},			/* xabort */
	{8, "ff e0", "2"},
	{8, "ff 15 01 02 03 04", "6 disp 2.4 rip"},
	{4, "ff 15 01 02 03 04", "6 disp 2.4"},
	{4, "9a 01 02 03 04 05 06", "7 imm 1.6"},
	{4, "66 ea 01 02 03 04", "6 imm 2.4"},
	{8, "ea 01 02 03 04 05 06", "EINVAL"},
	{8, "c2 08 00", "3 imm 1.2"},
	{8, "ff f8", "EINVAL"},

	/* displacements and immediates */
	{8, "48 8b 05 01 02 03 04", "7 disp 3.4 rip"},
	{8, "c7 05 01 02 03 04 05 06 07 08", "10 disp 2.4 imm 6.4 rip"},
	{8, "66 c7 05 01 02 03 04 05 06", "9 disp 3.4 imm 7.2 rip"},
	{8, "8b 04 25 01 02 03 04", "7 disp 3.4"},
	{8, "8b 44 24 08", "4 disp 3.1"},
	{8, "41 8b 45 00", "4 disp 3.1"},
	{8, "65 48 8b 04 25 28 00 00 00", "9 disp 5.4"},
	{8, "67 8b 05 01 02 03 04", "7 disp 3.4 rip"},
	{4, "67 8b 06 01 02", "5 disp 3.2"},
	{4, "67 8b 04", "3"},				/* (%si): no SIB byte */
	{4, "67 8b 80 01 02", "5 disp 3.2"},
	{8, "48 b8 01 02 03 04 05 06 07 08", "10 imm 2.8"},
	{8, "66 b8 01 02", "4 imm 2.2"},
	{8, "66 48 81 c0 01 02 03 04", "8 imm 4.4"},
	{8, "48 66 b8 01 02", "5 imm 3.2"},		/* REX is ignored */
	{4, "48", "1"},					/* dec %eax */
	{8, "a1 01 02 03 04 05 06 07 08", "9 disp 1.8"},
	{8, "67 a1 01 02 03 04", "6 disp 2.4"},
	{4, "a1 01 02 03 04", "5 disp 1.4"},
	{4, "67 a1 01 02", "4 disp 2.2"},
	{8, "f6 c1 01", "3 imm 2.1"},
	{8, "f7 c1 01 02 03 04", "6 imm 2.4"},
	{8, "f7 d1", "2"},
	{8, "c8 10 00 01", "4 imm 1.3"},
	{8, "f0 48 0f b1 0d 01 02 03 04", "9 disp 5.4 rip lock"},
	{8, "f0 83 44 24 fc 00", "6 disp 4.1 imm 5.1 lock"},

	/* 32-bit code only */
	{4, "06", "1"},
	{8, "06", "EINVAL"},
	{4, "82 c0 01", "3 imm 2.1"},
	{8, "82 c0 01", "EINVAL"},
	{4, "c5 00", "2"},				/* lds */
	{4, "c4 40 08", "3 disp 2.1"},			/* les */
	{4, "62 00", "2"},				/* bound */

	/* other maps */
	{8, "0f 20 04", "3"},				/* mov %cr0,%rsp: no SIB */
	{8, "0f 0b", "2"},
	{8, "0f b9 40 10", "4 disp 3.1"},		/* ud1 */
	{8, "0f ff c0", "3"},
	{8, "0f ba e0 03", "4 imm 3.1"},
	{8, "f3 0f b8 c0", "4"},			/* popcnt */
	{8, "0f b8 c0", "EINVAL"},
	{8, "0f 0f 40 01 b4", "5 disp 3.1 imm 4.1"},	/* 3DNow */
	{8, "0f 01 ca", "3"},				/* clac */
	{8, "0f 78 c0", "3"},				/* vmread */
	{8, "66 0f 78 c0 01 02", "6 imm 4.2"},		/* extrq */
	{8, "f2 0f 78 c1 01 02", "6 imm 4.2"},		/* insertq */
	{8, "66 0f 38 00 05 01 02 03 04", "9 disp 5.4 rip"},
	{8, "66 0f 3a 0f c1 08", "6 imm 5.1"},
	{8, "c5 f8 77", "3"},				/* vzeroupper */
	{4, "c5 f8 77", "3"},
	{8, "c5 f9 70 c0 1b", "5 imm 4.1"},
	{8, "c4 e2 7d 18 05 01 02 03 04", "9 disp 5.4 rip"},
	{8, "c4 e3 7d 39 c1 01", "6 imm 5.1"},
	{8, "66 c5 f8 77", "EINVAL"},
	{8, "48 c5 f8 77", "EINVAL"},
	{8, "62 f1 7c 48 10 40 01", "7 disp 6.1"},
	{4, "62 f1 7c 48 10 40 01", "7 disp 6.1"},
	{8, "62 f3 fd 48 39 c1 01", "7 imm 6.1"},
	{8, "62 fc 7c 48 10 c0", "EINVAL"},		/* APX */
	{8, "8f e9 78 81 c0", "5"},			/* vfrczps */
	{8, "8f ea 78 10 c0 01 02 03 04", "9 imm 5.4"},	/* bextr */
	{8, "8f c0", "2"},				/* pop */
	{8, "d6", "EINVAL"},
	{8, "0f 0a", "EINVAL"},
	{8, "66 66", "ENODATA"},
	{8, "62 f1", "ENODATA"},
	{8, "", "ENODATA"},
	{2, "90", "EINVAL"},
};

static void test_by_hand(void **state)
{
	struct ksplice_insn insn;
	u8 bytes[STREAM_SIZE];
	char text[100];
	size_t i, size;
	int err;

	(void)state;
	for (i = 0; i < sizeof(by_hand) / sizeof(by_hand[0]); i++) {
		size = from_hex(bytes, by_hand[i].hex);
		err = decode_exact(&insn, bytes, size, by_hand[i].word_size);
		describe(text, sizeof(text), err, &insn);
		if (strcmp(text, by_hand[i].want))
			fail_msg("%s (%d): %s, not %s", by_hand[i].hex, by_hand[i].word_size,
				 text, by_hand[i].want);
		if (!err)
			check_cut(bytes, size, by_hand[i].word_size);
	}
}

static void test_field(void **state)
{
	static const u8 bytes[] = {0x90, 0xfe, 0xff, 0xff, 0x7f, 0x80};

	(void)state;
	assert_int_equal(ksplice_insn_field(bytes, 1, 1), -2);
	assert_int_equal(ksplice_insn_field(bytes, 4, 1), 127);
	assert_int_equal(ksplice_insn_field(bytes, 1, 2), -2);
	assert_int_equal(ksplice_insn_field(bytes, 3, 2), 0x7fff);
	assert_int_equal(ksplice_insn_field(bytes, 1, 4), 0x7ffffffe);
	assert_int_equal(ksplice_insn_field(bytes, 2, 4), (s32)0x807fffff);
	assert_int_equal(ksplice_insn_field(bytes, 0, 0), 0);
}

/* One of libopcodes' disassemblers and what it said last. */
struct judge {
	struct disassemble_info info;
	disassembler_ftype disassemble;
	int word_size;
	char text[256];
	size_t used;
	bfd_vma address;	/* that a branch or %rip operand refers to */
	bool has_address;
};

static void add_text(struct judge *judge, const char *format, va_list args)
{
	size_t room = sizeof(judge->text) - judge->used;
	int length = vsnprintf(judge->text + judge->used, room, format, args);

	if (length > 0)
		judge->used += (size_t)length < room ? (size_t)length : room - 1;
}

static int __attribute__((format(printf, 2, 3))) print(void *stream, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_text(stream, format, args);
	va_end(args);
	return 0;
}

#ifdef HAVE_INIT_DISASSEMBLE_INFO_STYLED
static int __attribute__((format(printf, 3, 4)))
print_styled(void *stream, enum disassembler_style style, const char *format, ...)
{
	va_list args;

	(void)style;
	va_start(args, format);
	add_text(stream, format, args);
	va_end(args);
	return 0;
}
#endif

static void print_address(bfd_vma address, struct disassemble_info *info)
{
	struct judge *judge = info->stream;

	judge->address = address;
	judge->has_address = true;
}

static void init_judge(struct judge *judge, int word_size)
{
	unsigned long mach = word_size == 8 ? bfd_mach_x86_64 : bfd_mach_i386_i386;

	memset(judge, 0, sizeof(*judge));
	judge->word_size = word_size;
#ifdef HAVE_INIT_DISASSEMBLE_INFO_STYLED
	init_disassemble_info(&judge->info, judge, print, print_styled);
#else
	init_disassemble_info(&judge->info, judge, print);
#endif
	judge->info.arch = bfd_arch_i386;
	judge->info.mach = mach;
	judge->info.endian = BFD_ENDIAN_LITTLE;
	judge->info.print_address_func = print_address;
	disassemble_init_for_target(&judge->info);
	judge->disassemble = disassembler(bfd_arch_i386, false, mach, NULL);
	assert_non_null(judge->disassemble);
}

/* Length of the instruction at @bytes, of which there must be STREAM_SIZE. */
static int ask(struct judge *judge, const u8 *bytes, bfd_vma address)
{
	judge->used = 0;
	judge->text[0] = '\0';
	judge->has_address = false;
	judge->info.buffer = (bfd_byte *)bytes;
	judge->info.buffer_vma = address;
	judge->info.buffer_length = STREAM_SIZE;
	return judge->disassemble(address, &judge->info);
}

/* One instruction on which we and libopcodes differ. */
struct difference {
	const struct judge *judge;
	const u8 *bytes;
	int err;
	const struct ksplice_insn *insn;
	int length;		/* says libopcodes */
	const u8 *opcode;	/* the first byte that is no legacy prefix */
	u8 prefixes;		/* KSPLICE_PREFIX_* of those before it */
};

/* The 386 and 486 had test registers; later processors fault on 0f 24, 0f 26. */
static bool is_test_register(const struct difference *d)
{
	return d->judge->word_size == 4 && d->err && d->opcode[0] == 0x0f &&
	       (d->opcode[1] & 0xfd) == 0x24;
}

/* A legacy prefix or REX before VEX, EVEX or XOP faults; libopcodes prints both. */
static bool is_prefix_before_vector(const struct difference *d)
{
	const u8 *opcode = d->opcode;

	if (d->judge->word_size == 8 && (*opcode & 0xf0) == 0x40)
		opcode++;
	return d->err && (d->prefixes || opcode != d->opcode) &&
	       (*opcode == 0xc4 || *opcode == 0xc5 || *opcode == 0x62 || *opcode == 0x8f);
}

/* fwait is an instruction of its own; libopcodes joins it to an x87 one after it. */
static bool is_fwait(const struct difference *d)
{
	return !d->err && d->insn->map == 0 && d->insn->opcode == 0x9b &&
	       d->length > d->insn->length;
}

/*
 * The processor ignores a REX that another prefix or REX follows, and goes on;
 * libopcodes calls it an instruction.
 */
static bool is_lone_rex(const struct difference *d)
{
	return d->judge->word_size == 8 && (d->opcode[0] & 0xf0) == 0x40 &&
	       d->length == d->opcode - d->bytes + 1;
}

/* 66 e8 and 66 0f 8x: AMD reads an offset of 16 bits, Intel of 32; we refuse. */
static bool is_narrow_branch(const struct difference *d)
{
	const u8 *opcode = d->opcode;

	if (d->judge->word_size != 8 || !d->err || !(d->prefixes & KSPLICE_PREFIX_OPERAND))
		return false;
	if ((*opcode & 0xf0) == 0x40)
		opcode++;
	return (*opcode & 0xfe) == 0xe8 || (opcode[0] == 0x0f && (opcode[1] & 0xf0) == 0x80);
}

/* Of what is longer than 15 bytes libopcodes shows the first prefix alone. */
static bool is_too_long(const struct difference *d)
{
	return d->err && d->length == 1 && d->prefixes;
}

/*
 * From 2.42 on, binutils knows APX (prefix d5; 62 with other fixed bits or map
 * 4) and map 7 of VEX and EVEX.  No kernel has them, and we refuse them.
 */
static bool is_too_new(const struct difference *d)
{
	const u8 *opcode = d->opcode;

	if (d->judge->word_size != 8 || !d->err)
		return false;
	if (opcode[0] == 0x62)
		return (opcode[1] & 0x0c) || !(opcode[2] & 0x04) || (opcode[1] & 0x07) == 7;
	return opcode[0] == 0xd5 || (opcode[0] == 0xc4 && (opcode[1] & 0x1f) == 7);
}

/* AMD defines 66 0f 78 /0 only; libopcodes takes any /r for extrq. */
static bool is_extrq(const struct difference *d)
{
	return d->err && strstr(d->judge->text, "extrq");
}

static const struct tolerance {
	const char *name;
	bool (*applies)(const struct difference *d);
} tolerances[] = {
	{"test register", is_test_register},
	{"prefix before vector", is_prefix_before_vector},
	{"fwait", is_fwait},
	{"lone rex", is_lone_rex},
	{"narrow branch", is_narrow_branch},
	{"too long", is_too_long},
	{"too new", is_too_new},
	{"extrq", is_extrq},
};

#define NR_TOLERANCES (sizeof(tolerances) / sizeof(tolerances[0]))

struct tally {
	unsigned long agreed;
	unsigned long bad;		/* no instruction, says libopcodes */
	unsigned long tolerated[NR_TOLERANCES];
	unsigned long disagreed;
};

/* KSPLICE_PREFIX_* of a legacy prefix, 0 for another byte. */
static u8 legacy_prefix(u8 byte)
{
	static const u8 prefixes[][2] = {
		{0x26, KSPLICE_PREFIX_SEGMENT}, {0x2e, KSPLICE_PREFIX_SEGMENT},
		{0x36, KSPLICE_PREFIX_SEGMENT}, {0x3e, KSPLICE_PREFIX_SEGMENT},
		{0x64, KSPLICE_PREFIX_SEGMENT}, {0x65, KSPLICE_PREFIX_SEGMENT},
		{0x66, KSPLICE_PREFIX_OPERAND}, {0x67, KSPLICE_PREFIX_ADDRESS},
		{0xf0, KSPLICE_PREFIX_LOCK},	{0xf2, KSPLICE_PREFIX_REPNE},
		{0xf3, KSPLICE_PREFIX_REP},
	};
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (prefixes[i][0] == byte)
			return prefixes[i][1];
	return 0;
}

static bool is_tolerated(struct difference *d, struct tally *tally)
{
	size_t i;
	u8 prefix;

	for (d->opcode = d->bytes; (prefix = legacy_prefix(*d->opcode)); d->opcode++)
		d->prefixes |= prefix;
	for (i = 0; i < NR_TOLERANCES; i++)
		if (tolerances[i].applies(d)) {
			tally->tolerated[i]++;
			return true;
		}
	return false;
}

/* Does @insn refer to the address that libopcodes printed, if it printed one? */
static bool same_address(const struct judge *judge, const u8 *bytes, bfd_vma address,
			 const struct ksplice_insn *insn)
{
	bfd_vma mask = judge->word_size == 8 ? ~(bfd_vma)0 : 0xffffffff;
	s32 field;

	if (insn->rel_size) {
		field = ksplice_insn_field(bytes, insn->rel_offset, insn->rel_size);
		if (insn->rel_size == 2)
			mask = 0xffff;
	} else if (insn->flags & KSPLICE_INSN_RIP) {
		field = ksplice_insn_field(bytes, insn->disp_offset, insn->disp_size);
		if (insn->prefixes & KSPLICE_PREFIX_ADDRESS)
			mask = 0xffffffff;
	} else {
		return !judge->has_address;
	}
	return judge->has_address &&
	       !((address + insn->length + (bfd_vma)(bfd_signed_vma)field - judge->address) & mask);
}

/* Does what we flag show in what libopcodes printed, and the other way round? */
static bool same_kind(const struct judge *judge, const struct ksplice_insn *insn)
{
	const char *text = judge->text;

	if ((insn->flags & KSPLICE_INSN_NOP) && !strstr(text, "nop") &&
	    !strstr(text, "xchg") && !strstr(text, "lea") && !strstr(text, "mov"))
		return false;
	if (!!(insn->flags & KSPLICE_INSN_INT3) != !!strstr(text, "int3"))
		return false;
	if ((insn->branch == KSPLICE_BRANCH_CALL) !=
	    (judge->has_address && strstr(text, "call") && insn->rel_size))
		return false;
	/* With lock, AMD's mov %cr0 is one of %cr8, for 32-bit code. */
	return !!(insn->prefixes & KSPLICE_PREFIX_LOCK) == !!strstr(text, "lock") ||
	       strstr(text, "%cr");
}

static int compare(struct judge *judge, const u8 *bytes, bfd_vma address, struct tally *tally)
{
	int length = ask(judge, bytes, address);
	struct ksplice_insn insn;
	struct difference difference = {.judge = judge, .bytes = bytes, .insn = &insn};
	int err = ksplice_insn_decode(&insn, bytes, STREAM_SIZE, judge->word_size);
	char text[100];
	int i;

	if (length <= 0 || strstr(judge->text, "(bad)")) {
		tally->bad++;
		return length > 0 ? length : 1;
	}
	if (!err && insn.length == length && same_address(judge, bytes, address, &insn) &&
	    same_kind(judge, &insn)) {
		tally->agreed++;
		return length;
	}
	difference.err = err;
	difference.length = length;
	if (is_tolerated(&difference, tally))
		return length;
	if (tally->disagreed++ < SHOWN) {
		describe(text, sizeof(text), err, &insn);
		printf("# word size %d:", judge->word_size);
		for (i = 0; i < KSPLICE_INSN_MAX; i++)
			printf(" %02x", bytes[i]);
		printf("\n#   ours: %s; libopcodes: %d %s\n", text, length, judge->text);
	}
	return length;
}

static void report(const char *what, int word_size, const struct tally *tally)
{
	size_t i;

	printf("# %s, word size %d: %lu agreed, %lu bad, %lu disagreed\n", what, word_size,
	       tally->agreed, tally->bad, tally->disagreed);
	for (i = 0; i < NR_TOLERANCES; i++)
		if (tally->tolerated[i])
			printf("#   tolerated: %lu %s\n", tally->tolerated[i], tolerances[i].name);
	assert_int_equal(tally->disagreed, 0);
}

/* xorshift: the same numbers everywhere. */
static unsigned int random_number(unsigned int *seed, unsigned int below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % below;
}

/*
 * Random bytes, but prefixes and escapes more often than chance has them, and
 * after c4, c5, 62 and 8f a payload that is likely to mean something.
 */
static void make_stream(u8 *bytes, unsigned int *seed, int word_size)
{
	static const u8 prefixes[] = {0x66, 0x66, 0x67, 0xf0, 0xf2, 0xf3,
				      0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
	static const struct {
		u8 bytes[4];
		u8 fixed[4];	/* bits that are as in bytes */
	} escapes[] = {
		{{0}, {0}},
		{{0x0f}, {0xff}},
		{{0x0f}, {0xff}},
		{{0x0f, 0x38}, {0xff, 0xff}},
		{{0x0f, 0x3a}, {0xff, 0xff}},
		{{0xc5, 0xf8}, {0xff, 0xf8}},
		{{0xc4, 0xe0, 0x78}, {0xff, 0x7c, 0x78}},
		{{0x62, 0xf0, 0x7c, 0x08}, {0xff, 0x78, 0x7c, 0x18}},
		{{0x8f, 0xe8, 0x78}, {0xff, 0x7c, 0x78}},
	};
	unsigned int kind = random_number(seed, sizeof(escapes) / sizeof(escapes[0]));
	bool few = escapes[kind].bytes[0] > 0x0f && random_number(seed, 8);
	unsigned int i, n = 0;

	for (i = 0; i < STREAM_SIZE; i++)
		bytes[i] = random_number(seed, 256);
	while (!few && n < 14 && random_number(seed, 3) == 0)
		bytes[n++] = prefixes[random_number(seed, sizeof(prefixes))];
	if (!few && word_size == 8 && random_number(seed, 4) == 0)
		bytes[n++] = 0x40 + random_number(seed, 16);
	for (i = 0; i < 4; i++)
		bytes[n + i] = (bytes[n + i] & ~escapes[kind].fixed[i]) |
			       (escapes[kind].bytes[i] & escapes[kind].fixed[i]);
}

static void test_random(void **state)
{
	const char *setting = getenv("KSPLICE_TEST_STREAMS");
	unsigned long count = setting ? strtoul(setting, NULL, 0) : STREAMS;
	struct ksplice_insn insn;
	u8 bytes[STREAM_SIZE];
	unsigned int seed = 20081206;
	struct tally tally;
	struct judge judge;
	unsigned long i;
	int word_size;
	size_t size;
	int err;

	(void)state;
	for (word_size = 4; word_size <= 8; word_size += 4) {
		init_judge(&judge, word_size);
		memset(&tally, 0, sizeof(tally));
		for (i = 0; i < count; i++) {
			make_stream(bytes, &seed, word_size);
			compare(&judge, bytes, 0x10000, &tally);
			size = random_number(&seed, KSPLICE_INSN_MAX + 1);
			err = decode_exact(&insn, bytes, size, word_size);
			if (!err)
				assert_in_range(insn.length, 1, size);
			if (!err && i % 16 == 0)
				check_cut(bytes, insn.length, word_size);
		}
		report("random streams", word_size, &tally);
	}
}

/* How long our part takes, on the same bytes. */
static double nanoseconds(const u8 *bytes, size_t size, int word_size)
{
	struct timespec begin, end;
	struct ksplice_insn insn;
	unsigned long count = 0;
	size_t at = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (; at < size; count++)
		at += ksplice_insn_decode(&insn, bytes + at, size - at, word_size) ? 1 : insn.length;
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) /
	       (count ? count : 1);
}

/* Sweep a section.  Where libopcodes sees no instruction, go on a byte later. */
static void sweep(const char *what, const u8 *bytes, size_t size, bfd_vma address, int word_size)
{
	u8 *copy = calloc(1, size + STREAM_SIZE);
	struct tally tally = {0};
	struct judge judge;
	size_t at = 0;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	init_judge(&judge, word_size);
	while (at < size)
		at += compare(&judge, copy + at, address + at, &tally);
	printf("# %s: %.1f ns for an instruction of ours\n", what,
	       nanoseconds(copy, size, word_size));
	free(copy);
	report(what, word_size, &tally);
}

/* Code sections of @file; none when it is no x86 ELF file.  Returns their number. */
static int sweep_file(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	Elf_Scn *scn = NULL;
	char what[300];
	GElf_Ehdr ehdr;
	GElf_Shdr shdr;
	Elf_Data *data;
	int count = 0;
	size_t names;
	Elf *elf;

	if (fd < 0)
		return 0;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && gelf_getehdr(elf, &ehdr) && elf_getshdrstrndx(elf, &names) == 0 &&
	    (ehdr.e_machine == EM_X86_64 || ehdr.e_machine == EM_386)) {
		while ((scn = elf_nextscn(elf, scn))) {
			if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_PROGBITS ||
			    !(shdr.sh_flags & SHF_EXECINSTR))
				continue;
			data = elf_rawdata(scn, NULL);
			if (!data || !data->d_buf)
				continue;
			snprintf(what, sizeof(what), "%s %s", file,
				 elf_strptr(elf, names, shdr.sh_name));
			sweep(what, data->d_buf, data->d_size, shdr.sh_addr,
			      ehdr.e_machine == EM_X86_64 ? 8 : 4);
			count++;
		}
	}
	elf_end(elf);
	close(fd);
	return count;
}

/* The same of a kernel, as it is in /boot. */
static int sweep_image(const char *file)
{
	struct ks_error error;
	struct image *image = image_open(file, &error);
	char what[300];
	int count = 0;
	size_t i;

	if (!image)
		fail_msg("%s", error.text);
	for (i = 0; i < image->nr_sections; i++) {
		const struct image_section *section = &image->sections[i];

		if (!section->bytes || !(section->flags & SHF_EXECINSTR))
			continue;
		snprintf(what, sizeof(what), "%s %s", file, section->name);
		sweep(what, section->bytes, section->size, section->address,
		      (int)image->word_size);
		count++;
	}
	image_close(image);
	return count;
}

static void test_text(void **state)
{
	const char *setting = getenv("KSPLICE_TEST_TEXT");

	(void)state;
	elf_version(EV_CURRENT);
	if (setting) {
		if (!sweep_file(setting) && !sweep_image(setting))
			fail_msg("%s: no x86 code in it", setting);
		return;
	}
	sweep_file("/bin/busybox");
	if (!sweep_file("/proc/self/exe"))
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
