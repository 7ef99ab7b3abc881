/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spans: the units of comparison.
 *
 * A span is a part of a section that means something on its own: a function, a
 * variable, a string, a constant, an entry of a table.  Spans cover a section
 * without gaps; padding belongs to the span before it.  What a span is called
 * and who uses it matters, where it lies does not.
 */
#ifndef KSPLICE_LIB_SPAN_H
#define KSPLICE_LIB_SPAN_H

#include "lib/object.h"
#include "lib/special.h"

enum span_kind {
	SPAN_FUNCTION,		/* code with a symbol */
	SPAN_DATA,		/* a variable, constant or not */
	SPAN_ANONYMOUS,		/* code or data without a symbol */
	SPAN_STRING,		/* up to its NUL */
	SPAN_CONSTANT,		/* of .rodata.cst* */
	SPAN_ENTRY,		/* of a table */
};

/* What came of comparing a span with its twin; set by diff.c. */
enum span_status {
	SPAN_UNKNOWN,
	SPAN_SAME,
	SPAN_CHANGED,
	SPAN_NEW,		/* in post: has no twin */
	SPAN_DELETED,		/* in pre: has no twin */
};

/**
 * struct span - a part of a section
 * @section, @offset, @size: where it is, in bytes
 * @entry:	offset in the span of @symbol: more than 0 for a function with
 *		padding before it (__pfx_foo, kernels with call padding)
 * @symbol:	its name: of several at one address the global function or object
 *		first; NULL when it has none
 * @stem:	the name without the numbers of this build (names.h); NULL without a name
 * @kind:	see above
 * @status:	set by diff.c
 * @twin:	the same thing in the other object, see twin.h; NULL when there is none
 * @parent:	of foo.cold and foo.part.N: the function foo; NULL otherwise
 * @owner:	of an entry of a table: the span that it belongs to; of anonymous
 *		code: the function that uses it; NULL otherwise
 * @parts, @next_part: the spans whose @parent this is
 * @entries, @next_entry: the table entries whose @owner this is, in the order of
 *		the sections, then of their offsets
 * @number:	of the spans of the object, in order
 * @users:	relocs that refer to this span
 * @promised:	a variable that nobody writes, as the patch says (marks.h); set by diff.c
 */
struct span {
	struct section *section;
	uint64_t offset;
	uint64_t size;
	uint64_t entry;
	struct symbol *symbol;
	const char *stem;
	enum span_kind kind;
	enum span_status status;
	struct span *twin;
	struct span *parent;
	struct span *owner;
	struct span *parts, *next_part;
	struct span *entries, *next_entry;
	unsigned int number;
	struct reloc **users;
	size_t nr_users;
	bool promised;
	const struct span *equal;	/* these three are private to compare.c */
	unsigned int equal_round;
	bool visiting;
};

/*
 * All of the above and more in one call: classify the sections, split them into
 * spans, resolve the relocs, and link spans with their owners and parents.
 * -1 and @err when the object has something that is not understood.
 */
int analyze_object(struct object *object, struct ks_error *err);

/* The span that holds @offset; for the end of the section its last span; NULL if none. */
struct span *find_span(const struct section *section, uint64_t offset);

/*
 * An entry for an alternative that is nothing: what it refers to is where the next one
 * begins, maybe of another function.  struct alt_instr has the length in its last byte but
 * one (13 bytes: padlen follows) or in its last.
 */
bool is_empty_alternative(const struct span *span);

/* First and one past the last reloc index of a span, for iterating. */
#define for_each_span_reloc(span, reloc)						\
	for ((reloc) = (span)->section->relocs +					\
		       find_reloc_index((span)->section, (span)->offset);		\
	     (reloc) < (span)->section->relocs + (span)->section->nr_relocs &&		\
	     (reloc)->offset < (span)->offset + (span)->size; (reloc)++)

#define for_each_section(object, section, i)						\
	for ((i) = 1; (i) < (object)->nr_sections; (i)++)				\
		if (((section) = (object)->sections[i]) != NULL)

#define for_each_span(object, section, span, i)						\
	for_each_section(object, section, i)						\
		for ((span) = (section)->spans;						\
		     (span) < (section)->spans + (section)->nr_spans; (span)++)

/* A name for messages: the symbol, or "section+offset".  In the object's arena. */
const char *span_name(const struct span *span);

/* The function that a part belongs to, however deep; @span itself when it is none. */
static inline struct span *span_unit(struct span *span)
{
	while (span->parent)
		span = span->parent;
	return span;
}

/* Data that nobody writes: a constant, or a variable of which the patch says so. */
static inline bool is_fixed(const struct span *span)
{
	return is_class(span->section, CLASS_RODATA) || span->promised;
}

static inline const unsigned char *span_bytes(const struct span *span)
{
	return span->section->data ? span->section->data + span->offset : NULL;
}

#endif
