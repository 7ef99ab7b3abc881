/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run-pre matching: proves that the running code is the old code, and finds the
 * value of every symbol that the old code refers to on the way.
 *
 * Each section of the old code is tried at every address that the running
 * kernel's symbol table gives for its name, or at the address that code matched
 * before refers to.  It matches where all instructions are the same and all
 * references agree with what is known of the symbols.  A section that matches at
 * exactly one place fixes its references, which narrows the candidates of
 * others: this goes on until nothing changes.
 */
#ifndef KSPLICE_MATCH_H
#define KSPLICE_MATCH_H

#include "match_env.h"
#include "old_code.h"

/* A value that a symbol may have. */
struct ksplice_symval {
	struct list_head list;
	unsigned long val;
};

enum ksplice_symbol_state {
	KSPLICE_SYMBOL_UNKNOWN,
	KSPLICE_SYMBOL_TENTATIVE,	/* follows from the place being tried */
	KSPLICE_SYMBOL_PROVED,		/* follows from a section that matched */
};

/**
 * struct ksplice_symbol - what is known of a symbol
 * @name:	name in kallsyms; "" when it has none
 * @vals:	the values that kallsyms has for the name; empty when it has none
 * @nr_vals:	how many these were, with those that were none for a variable
 * @first_val:	the first of them, in line because most names have just one
 * @value:	its value, unless the state is UNKNOWN
 */
struct ksplice_symbol {
	const char *name;
	struct list_head vals;
	u32 nr_vals;
	struct ksplice_symval first_val;
	unsigned long value;
	enum ksplice_symbol_state state;
};

/* The first difference of a section, for the user. */
struct ksplice_mismatch {
	u32 section;		/* KSPLICE_NONE: no mismatch was seen */
	u32 offset;		/* in the section, in bytes */
	unsigned long address;	/* in the run; 0: no place was found to try */
	u32 symbol;		/* the one concerned, or KSPLICE_NONE */
	const char *reason;
};

/**
 * struct ksplice_matcher_ops - the home of the engine
 * @read:	read @size bytes of the run at @address; 0 or -EFAULT
 * @for_each_symbol: call @fn for each symbol of the target; stop and return
 *		what it returns when that is not 0
 * @for_each_import: the same for each symbol of the kernel when the target is a
 *		module: what the old code does not define itself may be one of
 *		these too; may be NULL
 * @known_as:	the address that a function has for the kernel, if @address is where
 *		its newest code is, and @code_at: the other way around; NULL where
 *		no code was replaced
 * @is_probed:	whether a kprobe is at @address, which may be a jump by now; NULL: none is
 * @may_be_up:	whether the kernel may have booted with one CPU, and then have removed
 *		all lock prefixes; NULL: it may
 * @alloc:	zeroed memory or NULL; may sleep
 * @free:	NULL is allowed
 * @pause:	called now and then, between sections; may sleep
 * @differs:	told of each section that does not match, and the matching goes on, to
 *		find all of them; may be NULL: then it ends with the first
 */
struct ksplice_matcher_ops {
	int (*read)(void *context, unsigned long address, void *buffer, size_t size);
	int (*for_each_symbol)(void *context,
			       int (*fn)(void *data, const char *name, unsigned long value),
			       void *data);
	int (*for_each_import)(void *context,
			       int (*fn)(void *data, const char *name, unsigned long value),
			       void *data);
	unsigned long (*known_as)(void *context, unsigned long address);
	unsigned long (*code_at)(void *context, unsigned long address);
	bool (*is_probed)(void *context, unsigned long address);
	bool (*may_be_up)(void *context);
	void *(*alloc)(void *context, size_t size);
	void (*free)(void *context, void *memory);
	void (*pause)(void *context);
	void (*differs)(void *context, const struct ksplice_mismatch *mismatch);
};

enum ksplice_section_state {
	KSPLICE_SECTION_UNMATCHED,
	KSPLICE_SECTION_MATCHED,
	KSPLICE_SECTION_SKIPPED,	/* not in the run, rightly: weak and overridden */
	KSPLICE_SECTION_DIFFERS,	/* found nowhere; see ksplice_matcher_ops.differs */
};

/* From offset @pre of the section on, the run is @delta bytes further. */
struct ksplice_shift {
	u32 pre;
	s32 delta;
};

/* What was found of a section of the old code. */
struct ksplice_matched {
	enum ksplice_section_state state;
	unsigned long address;
	u32 run_size;			/* in bytes, as it is in the run */
	u32 nr_shifts;
	struct ksplice_shift *shifts;	/* sorted by pre; NULL for none */
	bool deferred;			/* for the engine */
};

struct ksplice_matcher;

/**
 * ksplice_old_code_check() - refuse a block that is not well-formed
 *
 * Afterwards every index, offset, string and order in it can be relied on.
 * Returns 0, or -EINVAL with *@reason set to a constant text.
 */
int ksplice_old_code_check(const struct ksplice_old_header *old, size_t size,
			   const char **reason);

/**
 * ksplice_matcher_new() - prepare to match @old, a checked block
 *
 * @old, @ops and @context must outlive the matcher.  Returns NULL when there is
 * no memory.  Free with ksplice_matcher_free(), which accepts NULL.
 */
struct ksplice_matcher *ksplice_matcher_new(const struct ksplice_old_header *old,
					    const struct ksplice_matcher_ops *ops,
					    void *context);
void ksplice_matcher_free(struct ksplice_matcher *matcher);

/**
 * ksplice_match() - match the whole old code
 *
 * Returns 0; -ENOENT when a section or a symbol that is needed was not found
 * (ksplice_match_mismatch() says which); -EBUSY when a breakpoint is in the way or the
 * code changes meanwhile; -ENOMEM.  May sleep.
 */
int ksplice_match(struct ksplice_matcher *matcher);

/* The value of a symbol of the old code: 0, or -ENOENT. */
int ksplice_match_value(const struct ksplice_matcher *matcher, u32 symbol,
			unsigned long *value);

/* What became of a section; valid until the matcher is freed. */
const struct ksplice_matched *ksplice_match_section(const struct ksplice_matcher *matcher,
						    u32 section);

/* The mismatch that made ksplice_match() fail: the first one. */
const struct ksplice_mismatch *ksplice_match_mismatch(const struct ksplice_matcher *matcher);

/* One line of text about a mismatch, cut at @size; always terminated. */
void ksplice_match_describe(const struct ksplice_matcher *matcher,
			    const struct ksplice_mismatch *mismatch, char *text, size_t size);

/* Sections of text that matched, and their size in bytes. */
void ksplice_match_totals(const struct ksplice_matcher *matcher, unsigned long *functions,
			  unsigned long *bytes);

#endif
