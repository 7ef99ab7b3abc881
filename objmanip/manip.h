/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ksplice-objmanip works on: all pairs of objects of one target.
 *
 * The old code is a block (kmodsrc/old_code.h) made of the pre objects.  The new
 * code is an object made of the changed parts of the post objects; all that it
 * needs of unchanged code and data it imports by labels, whose values run-pre
 * matching finds.  The block's symbol table connects the two.
 */
#ifndef KSPLICE_OBJMANIP_MANIP_H
#define KSPLICE_OBJMANIP_MANIP_H

#include "kmodsrc/old_code.h"
#include "lib/arena.h"
#include "lib/diff.h"
#include "lib/error.h"
#include "lib/hash.h"
#include "lib/object.h"
#include "lib/span.h"
#include "lib/writer.h"

/**
 * struct old_symbol - a symbol of the block
 * @name:	in kallsyms; "" for none
 * @section, @offset: where in the block's sections; KSPLICE_NONE for elsewhere
 * @flags:	KSPLICE_SYMBOL_*
 * @label:	the name that the new code imports it by; NULL when it does not
 * @stem:	what the label begins with, if not with the name
 * @import:	the undefined symbol of that name in the new code, or NULL
 * @pointed:	the new code has a pointer to it
 * @index:	in the block; set when the block is written
 */
struct old_symbol {
	const char *name;
	uint32_t section;
	uint32_t offset;
	uint32_t flags;
	const char *label;
	const char *stem;
	struct out_symbol *import;
	bool pointed;
	uint32_t index;
};

/* A place: @offset bytes after a symbol. */
struct old_place {
	struct old_symbol *symbol;
	int64_t offset;
};

/**
 * struct span_info - what is made of a span
 * @symbol:	of a pre span: names its first byte after padding; NULL until needed
 * @section:	of a pre span: its section in the block, plus 1; 0 for none
 * @certain:	of a pre span: where it is in the run will be known; of strings, see
 *		certain_string()
 * @out, @out_offset: of a post span: its copy in the new code; NULL for none
 * @out_symbol:	the symbol of that copy; NULL for none
 * @kept:	of a post span: it has a copy
 * @in_place:	of a post span: a constant whose copy is written over the old one
 * @compared:	of a pre span: a variable that the patch wants compared (lib/marks.h)
 */
struct span_info {
	struct old_symbol *symbol;
	uint32_t section;
	struct out_section *out;
	uint64_t out_offset;
	struct out_symbol *out_symbol;
	bool kept;
	bool in_place;
	bool compared;
	bool certain;
};

/* An object and what is made of it; @spans by section index, then span. */
struct side {
	struct object *object;
	struct span_info **spans;
	uint32_t *sections;	/* whole sections in the block, plus 1; by index */
	struct hash strings;	/* of pre: text -> struct span, those that are certain */
	struct out_section **out;	/* sections of the new code, by index */
};

struct pair {
	struct side pre, post;
	struct diff diff;
	bool compared;
};

struct pointers {
	void **items;
	size_t count, room;
};

/* Something that a user is told about. */
struct note {
	const char *file;
	const char *symbol;
	const char *reason;
};

struct manip {
	struct arena arena;
	const char *id;
	const char *target;
	bool based;			/* the pre objects are not of the kernel's own source */
	unsigned int word_size;
	char date[12], time[9];		/* __DATE__ and __TIME__ of the objects; or empty */
	struct pair *pairs;
	size_t nr_pairs;
	struct pointers symbols;	/* struct old_symbol, in order of making */
	struct hash globals;		/* name -> struct old_symbol, not defined in pre */
	struct hash definitions;	/* name -> struct symbol, global ones of pre */
	struct hash post_definitions;	/* name -> struct symbol, global ones of post */
	struct hash natives;		/* name -> struct out_symbol, see is_native_import() */
	struct hash commons;		/* name -> struct out_symbol, new common variables */
	struct hash crcs;		/* name -> uint32_t, versions of exports */
	struct hash imports;		/* name -> the same, see read_imports() */
	struct pointers labels;		/* struct old_symbol with a label */
	struct pointers exports;	/* const char, names that the new code exports */
	struct pointers skipped;	/* struct note */
	struct pointers refused;	/* struct note */
	struct out_object *new_code;
};

void pointers_add(struct manip *manip, struct pointers *list, void *item);

/* Add to manip->skipped or manip->refused; the strings must last. */
void add_note(struct manip *manip, struct pointers *list, const struct object *object,
	      const char *symbol, const char *reason);

struct span_info *pre_info(struct manip *manip, const struct span *span);
struct span_info *post_info(struct manip *manip, const struct span *span);

/*
 * dates.c
 */

/*
 * Note when the compiler thought the objects were compiled: @seconds since 1970, as in
 * SOURCE_DATE_EPOCH.  Returns 0, or -1 if that is no number, or after the year 9999.
 */
int set_source_date(struct manip *manip, const char *seconds);

/*
 * The first date or time in [@start, @end) of a section: its offset, and in *@kind the
 * KSPLICE_RELOC_*; @end if there is none.
 */
uint64_t find_date(const struct manip *manip, const struct section *section, uint64_t start,
		   uint64_t end, uint8_t *kind);

/*
 * symbols.c
 */

/* Note all global definitions; before anything else here. */
void collect_definitions(struct manip *manip);

struct old_symbol *new_old_symbol(struct manip *manip, const char *name, uint32_t section,
				  uint32_t offset, uint32_t flags);

/* The symbol for the first byte of a pre span after its padding. */
struct old_symbol *symbol_of_span(struct manip *manip, const struct span *span);

/* What a reloc of a pre object refers to, without the bias of its field. */
struct old_place pre_target(struct manip *manip, const struct reloc *reloc);

/* What @name means to code that does not define it. */
struct old_place place_by_name(struct manip *manip, const char *name);

/* The undefined symbol by which the new code imports @symbol. */
struct out_symbol *import_symbol(struct manip *manip, struct old_symbol *symbol);

/* The symbol is one that new code gets from the kernel itself, like any module. */
bool is_native_import(const struct manip *manip, const char *name);

/*
 * old_code.c, old_write.c, new_code.c: each returns 0, or -1 with @err set
 */
struct block;

/* KSPLICE_RELOC_* of a type of relocation, or -1 when the module loader has no such. */
int reloc_kind(const struct object *object, uint32_t type);

/*
 * A reference to strings or constants that leaves the element that its symbol
 * names, like the end of a loop over one: the span of that element.  Otherwise NULL.
 */
struct span *left_element(const struct reloc *reloc);

/* The variable whose value the entries of a table runtime_ptr_NAME or runtime_shift_NAME want. */
const char *runtime_variable(const struct section *table);

/*
 * strings.c
 */

/* Run-pre matching fails unless it finds this function, or constants, in the block. */
bool is_certain(struct manip *manip, const struct span *span);

/* The string that @reloc of a certain span is to, which so becomes certain; or NULL. */
struct span *certain_string(struct manip *manip, const struct reloc *reloc);

/* Note the certain strings; after the tables of the block are filled in. */
void collect_strings(struct manip *manip, struct side *pre);

/* The symbol of the equal string of the old code; NULL when there is none, or no string. */
struct old_symbol *running_string(struct manip *manip, const struct span *post);

/*
 * The variable of the pre object for the key of a lock that @reloc refers to: the function
 * refers to as many as before, and it is the one in the same place among them.  NULL
 * otherwise: then the new code has a key of its own.
 */
struct span *running_key(const struct reloc *reloc, const struct span *post);

/*
 * messages.c: a post span is an entry of MESSAGE_SECTION, and the pre object has none
 * of that message.  The running kernel lists the others.
 */
bool is_new_message(const struct pair *pair, const struct span *post);

/* Fill in the tables of the block. */
int make_old_code(struct manip *manip, struct block *block, struct ks_error *err);

/* Write the block as an object; after the new code, which decides the labels. */
int write_old_code(struct manip *manip, struct block *block, const char *path,
		   struct ks_error *err);

/*
 * Copy what changed, and all that only it uses, to manip->new_code.  What can't
 * be done safely is added to manip->refused instead.
 */
int make_new_code(struct manip *manip, struct ks_error *err);

/* Whether a function begins with what indirect branches must land on (IBT). */
bool has_endbr(const struct span *span);

/* What a reference of the post object is to in the new code: a symbol and an addend. */
struct out_symbol *symbol_of_reference(struct manip *manip, const struct reloc *reloc,
				       int64_t *addend);

/* The section of the new code that parts of a post section are copied to. */
struct out_section *copy_section(struct manip *manip, struct side *post,
				 const struct section *section);

/*
 * stubs.c: a short jump to another function goes to a near jump behind the copy.
 */
#define STUB_SIZE	5

bool needs_stub(const struct reloc *reloc);

/* Why the stub would be out of reach; NULL when it is not. */
const char *why_no_stub(const struct span *span, const struct reloc *reloc);

/* After the function was copied. */
void append_stubs(struct manip *manip, const struct span *span);

/* Set the short jump; returns the offset in the section of what the stub jumps by. */
uint64_t point_to_stub(struct manip *manip, const struct span *span, const struct reloc *reloc);

/* The function does not end in a jump or return, and another one follows it. */
bool runs_on(const struct span *span);

/*
 * orc.c: copy the ORC data of what was copied, whose .orc_unwind_ip is there.
 * -1 and @err when the tables do not fit together.
 */
int copy_orc(struct manip *manip, struct side *post, struct ks_error *err);

#endif
