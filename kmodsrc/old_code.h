/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Format of the old code: what ksplice-objmanip writes into an _old module and
 * what run-pre matching reads.
 *
 * One block of bytes, little-endian, without pointers, the same for both word
 * sizes, so that the kernel and ksplice-inspect read it with the same code and
 * a damaged block can be refused before any of it is followed.  All offsets are
 * in bytes from the start of the block; all indexes count entries of a table.
 *
 *   run    what is in the memory of the kernel
 *   pre    what the compiler makes of the unpatched source; the old code
 *   post   what it makes of the patched source; the new code comes from there
 */
#ifndef KSPLICE_OLD_CODE_H
#define KSPLICE_OLD_CODE_H

#include <linux/types.h>

#define KSPLICE_OLD_MAGIC	0x4f53504bu	/* "KPSO" */
#define KSPLICE_OLD_VERSION	5
#define KSPLICE_NONE		0xffffffffu	/* no such symbol or section */

/* Longest string in the block, its NUL included (KSYM_NAME_LEN is 512). */
#define KSPLICE_STRING_MAX	512

/* Section of the _old module that holds the block. */
#define KSPLICE_OLD_SECTION	".ksplice_old"

struct ksplice_old_table {
	__u32 offset;
	__u32 count;		/* of entries; of bytes for strings, contents */
};

struct ksplice_old_header {
	__u32 magic;
	__u32 version;
	__u32 size;		/* of the whole block, in bytes */
	__u32 word_size;	/* 4 or 8 */
	struct ksplice_old_table symbols;	/* struct ksplice_old_symbol */
	struct ksplice_old_table names;		/* __u32 symbol, sorted by name */
	struct ksplice_old_table labels;	/* __u32 symbol, sorted by label */
	struct ksplice_old_table sections;	/* struct ksplice_old_section */
	struct ksplice_old_table relocs;	/* struct ksplice_old_reloc */
	struct ksplice_old_table sites;		/* struct ksplice_old_site */
	struct ksplice_old_table alternatives;	/* struct ksplice_old_alternative */
	struct ksplice_old_table strings;	/* bytes; the first is NUL */
	struct ksplice_old_table contents;	/* bytes */
};

/*
 * A symbol.  Global symbols of one name are one entry; a local symbol has an
 * entry of its own in each object that defines it.
 *
 * @name: as in kallsyms; 0 (the empty string) for what has no name there, like
 *        an anonymous table of constants
 * @label: the unique name under which the new code imports the symbol; 0 when
 *         it does not
 * @section, @offset: where in the old code it is defined; KSPLICE_NONE when it
 *         is not part of it.  In a section of strings: a string that the new code
 *         uses, without a name; relocs tell where it is
 */
struct ksplice_old_symbol {
	__u32 name;
	__u32 label;
	__u32 section;
	__u32 offset;
	__u32 flags;		/* KSPLICE_SYMBOL_* */
};

#define KSPLICE_SYMBOL_LOCAL	0x1
#define KSPLICE_SYMBOL_WEAK	0x2	/* weak definition: may be overridden */
#define KSPLICE_SYMBOL_ANY	0x4	/* not checked: per-build metadata */
#define KSPLICE_SYMBOL_REPLACED	0x8	/* a function that the new code replaces */
#define KSPLICE_SYMBOL_DATA	0x10	/* defined outside of text: no function is it */

enum ksplice_section_kind {
	KSPLICE_SECTION_TEXT,
	KSPLICE_SECTION_RODATA,		/* compared whole, at one address */
	KSPLICE_SECTION_STRINGS,	/* compared at each reference, up to a NUL */
	KSPLICE_SECTION_CONSTANTS,	/* compared at each reference, @unit bytes */
	KSPLICE_SECTION_REPLACEMENT,	/* code that alternatives may copy */
	KSPLICE_SECTION_DATA,		/* a variable that holds its initial value; as rodata */
	KSPLICE_SECTION_KINDS,
};

/*
 * A section of the pre objects.
 *
 * @symbol: the symbol at offset 0 whose candidates are tried; for strings,
 *          constants and replacements KSPLICE_NONE
 * @contents: offset of its bytes in the block
 * @unit: size of one element (characters, constants); 1 otherwise
 * @object: number of the object that it is from
 * @relocs, @sites: first index; both sorted by offset, sites of equal offset
 *          by falling length
 */
struct ksplice_old_section {
	__u32 kind;		/* enum ksplice_section_kind */
	__u32 symbol;
	__u32 contents;
	__u32 size;
	__u32 unit;
	__u32 align;
	__u32 object;
	__u32 relocs, nr_relocs;
	__u32 sites, nr_sites;
	__u32 name;		/* section name in the object, for messages */
};

enum ksplice_reloc_kind {
	KSPLICE_RELOC_ABS64,
	KSPLICE_RELOC_ABS32,	/* zero-extended; the only absolute one on i386 */
	KSPLICE_RELOC_ABS32S,	/* sign-extended */
	KSPLICE_RELOC_PC32,
	KSPLICE_RELOC_PC64,
	KSPLICE_RELOC_PC8,	/* of short jumps between functions of one section */
	KSPLICE_RELOC_DATE,	/* no reference: 11 bytes of text, any date as of __DATE__ */
	KSPLICE_RELOC_TIME,	/* 8 bytes of text, any time as of __TIME__ */
	KSPLICE_RELOC_KINDS,
};

/*
 * The bytes at @offset hold: symbol + addend (- address of the bytes, for PC*).
 * A reference to strings or constants names their section instead of a symbol,
 * and then @addend minus @bias is the offset in it.  With a symbol too, the string
 * that it refers to begins there, and is where this reference says.  A date or time is
 * in strings or data; it names neither, and all else is 0.
 *
 * @bias: what the addend contains only because the field is PC-relative: minus
 *        the distance from the field to the end of its instruction (-4, -5, …);
 *        0 for absolute fields and for data
 * @past: of a reference to strings or constants: how far behind the element it
 *        goes, as the end of a loop over one: "size " + 10 in lib/vsprintf.c.
 *        @addend minus @bias minus @past is in the element then; mostly 0
 */
struct ksplice_old_reloc {
	__u32 offset;
	__u32 symbol;		/* KSPLICE_NONE: just compare */
	__u32 section;		/* of strings or constants, or KSPLICE_NONE */
	__u8 kind;		/* enum ksplice_reloc_kind */
	__s8 bias;
	__u16 past;
	__s64 addend;
};

enum ksplice_site_kind {
	KSPLICE_SITE_FENTRY,
	KSPLICE_SITE_ALTERNATIVE,	/* arg: first alternative, arg2: count */
	KSPLICE_SITE_PARAVIRT,		/* arg: symbol pv_ops, arg2: slot */
	KSPLICE_SITE_RETPOLINE,
	KSPLICE_SITE_RETURN,
	KSPLICE_SITE_LOCK,		/* one byte, a lock prefix */
	KSPLICE_SITE_JUMP_LABEL,	/* arg: section of the target, arg2: offset */
	KSPLICE_SITE_STATIC_CALL,	/* arg: symbol of the key */
	KSPLICE_SITE_ENDBR,
	KSPLICE_SITE_CALL,		/* may be a call into the callee's padding */
	/* arg: symbol of the variable, arg2: bytes of it at the end of the instruction */
	KSPLICE_SITE_RUNTIME,
	KSPLICE_SITE_KINDS,
};

/* A place where the running text may differ, by a rule of its kind. */
struct ksplice_old_site {
	__u32 offset;
	__u16 length;
	__u16 kind;		/* enum ksplice_site_kind */
	__u32 arg;
	__u32 arg2;
};

/* ALT_FLAG_DIRECT_CALL (arch/x86/include/asm/alternative.h, since 6.8) in a feature. */
#define KSPLICE_ALTERNATIVE_DIRECT_CALL	0x20000

/* One replacement: @length bytes at @offset of a replacement section. */
struct ksplice_old_alternative {
	__u32 section;
	__u32 offset;
	__u32 length;
	__u32 feature;		/* as in the kernel's table, with its flags */
};

#endif
