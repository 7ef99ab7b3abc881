/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of section kinds: all that the tools know about section names.
 *
 * Exactly one row applies to a section: an exact name wins over a prefix, a
 * longer prefix over a shorter one, and the order of the rows means nothing.
 * A section that is loaded (SHF_ALLOC) and has no row is refused by name.
 */
#ifndef KSPLICE_LIB_SPECIAL_H
#define KSPLICE_LIB_SPECIAL_H

#include "lib/object.h"

/* What patches leave for ksplice-objmanip, by the macros of kmodsrc/ksplice-patch.h. */
#define HOOK_SECTION	".ksplice_hooks"
#define CONSTANT_SECTION	".ksplice_constants"
#define ASSUME_SECTION	".ksplice_assume_rodata"
#define EARLY_SECTION	".ksplice_match_data_early"

/* CONFIG_KASAN: of each variable its place, size and name, for constructors. */
#define KASAN_SECTION	".data..LASAN0"

/* Pointers to what describes messages, for userspace (include/linux/printk.h). */
#define MESSAGE_SECTION	".printk_index"

enum section_class {
	CLASS_TEXT,		/* code that can be replaced */
	CLASS_FIXED_TEXT,	/* code that must not be replaced: entry, noinstr, head */
	CLASS_INIT_TEXT,	/* code that is gone after boot (or in vmlinux, __exit) */
	CLASS_AUX_TEXT,		/* anonymous code of other functions: .fixup, .altinstr_* */
	CLASS_DATA,		/* writable, initialised */
	CLASS_BSS,		/* writable, zero */
	CLASS_PERCPU,
	CLASS_RO_AFTER_INIT,	/* written while booting, or after linking */
	CLASS_PRIVATE_DATA,	/* a copy does as well: .data..once, .data..Lubsan* */
	CLASS_UBSAN,		/* likewise, and not worth comparing */
	CLASS_INIT_DATA,	/* gone after boot, or read only then: initcalls, setup */
	CLASS_RODATA,
	CLASS_STRINGS,		/* NUL-terminated, merged by the linker */
	CLASS_CONSTANTS,	/* sh_entsize bytes each, merged by the linker */
	CLASS_TABLE,		/* entries, each about a place in the code or data */
	CLASS_OBJECTS,		/* structures with a symbol each: __tracepoints, __dyndbg */
	CLASS_EXPORT,		/* __ksymtab and what belongs to it */
	CLASS_METADATA,		/* .modinfo and such: never changes how the code behaves */
	CLASS_NOT_LOADED,	/* .comment, .debug_*, … */
};

/* struct section_kind.flags */
#define KIND_TRAVELS	0x01	/* entries go with the function that they belong to */
#define KIND_COMPARED	0x02	/* a difference is a change of the function or the data */
#define KIND_GENERATED	0x04	/* objtool or recordmcount make it anew for a new object */
#define KIND_SHORT_LAST	0x08	/* the last entry may lack its padding (.parainstructions) */
#define KIND_DIVIDES	0x10	/* data without names begins where its relocs point */
#define KIND_REGISTERS	0x20	/* entries make data known that nothing else may refer to */

/* Which sections of a name a row is for, by SHF_MERGE and SHF_STRINGS. */
enum section_merge {
	MERGE_ANY,
	MERGE_NOT,
	MERGE_STRINGS,
	MERGE_CONSTANTS,
};

/* What the entries of a table mean for run-pre matching (kmodsrc/old_code.h). */
enum section_site {
	SITE_NONE,
	SITE_ALTERNATIVE,
	SITE_PARAVIRT,
	SITE_RETPOLINE,
	SITE_RETURN,
	SITE_LOCK,
	SITE_JUMP_LABEL,
	SITE_STATIC_CALL,
	SITE_ENDBR,
	SITE_CALL,
	SITE_FENTRY,
	SITE_RUNTIME,		/* a constant that boot sets, 6.11 and later */
	SITE_BUG,		/* the ud2 stays as it is */
	SITE_EXTABLE,		/* likewise the instruction that may fault */
};

/**
 * struct section_kind - a row of the table
 * @pattern:	a name; with a "*" at its end, a prefix of names
 * @class:	what it holds
 * @merge:	for which sections of that name, mostly all
 * @flags:	KIND_*
 * @site:	what its entries mean for run-pre matching
 * @owner:	of a table: offset in an entry of the reference to the function (or
 *		data) that the entry belongs to
 * @entry_min:	of a table: least size of an entry in bytes; 0 for a pointer.  The
 *		real size is read from the object, see table_entry_size().
 * @relocs_min, @relocs_max: of a table: relocs in an entry
 */
struct section_kind {
	const char *pattern;
	enum section_class class;
	enum section_merge merge;
	unsigned int flags;
	enum section_site site;
	unsigned char owner;
	unsigned char entry_min;
	unsigned char relocs_min;
	unsigned char relocs_max;
};

/* The row for a section; NULL when there is none. */
const struct section_kind *find_section_kind(const struct section *section);

/* The same for a name and the flags of the section header. */
const struct section_kind *find_kind(const char *name, uint64_t flags);

/*
 * Set the kind of each section that is not just for debugging.  -1 and @err
 * when a loaded section has no row in the table: its entries might be what
 * makes changed code work, so it can't be left out silently.
 */
int classify_sections(struct object *object, struct ks_error *err);

/*
 * Size of an entry of a table in bytes: sh_entsize or the pitch of its relocs,
 * because sizes change between kernels (an alternative has 12, 13 or 14 bytes
 * in 5.10 to 6.12).  0 and @err when the contents are not such a table.
 */
uint64_t table_entry_size(const struct section *section, struct ks_error *err);

/* All rows, for tests and for listings. */
const struct section_kind *section_kinds(size_t *count);

static inline bool is_class(const struct section *section, enum section_class class)
{
	return section->kind && section->kind->class == class;
}

/* Code with functions in it, as opposed to code that belongs to other functions. */
static inline bool is_function_section(const struct section *section)
{
	return is_class(section, CLASS_TEXT) || is_class(section, CLASS_FIXED_TEXT) ||
	       is_class(section, CLASS_INIT_TEXT);
}

#endif
