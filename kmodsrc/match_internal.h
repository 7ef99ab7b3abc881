/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the parts of the match engine; see match.h for what it does. */
#ifndef KSPLICE_MATCH_INTERNAL_H
#define KSPLICE_MATCH_INTERNAL_H

#include "insn.h"
#include "match.h"

/* Run text that is read beyond the size of the pre section, for shifts. */
#define KSPLICE_RUN_SLACK	64
/* More places where layout differs than any function was seen to have. */
#define KSPLICE_MAX_SHIFTS	64
/* Alternatives within replacements within alternatives. */
#define KSPLICE_MAX_DEPTH	4

/* Symbols of the kernel that site rules refer to; see match_site.c. */
enum ksplice_well_known {
	KSPLICE_KNOWN_END_RODATA,
	KSPLICE_KNOWN_NATIVE_READ_CR3,
	KSPLICE_KNOWN_NATIVE_SPIN_UNLOCK,
	KSPLICE_KNOWN_NATIVE_VCPU_IS_PREEMPTED,
	KSPLICE_KNOWN_START_RODATA,
	KSPLICE_KNOWN_STATIC_CALL_RETURN0,
	KSPLICE_KNOWN_X86_RETURN_SKL,
	KSPLICE_KNOWN_X86_RETURN_THUNK,
	KSPLICE_KNOWN_END,
	KSPLICE_KNOWN_ETEXT,
	KSPLICE_KNOWN_PARAVIRT_IDENT,
	KSPLICE_KNOWN_PARAVIRT_NOP,
	KSPLICE_KNOWN_TEXT,
	KSPLICE_KNOWN_CALL_DEPTH_RETURN_THUNK,
	KSPLICE_KNOWN_FTRACE_CALLER,
	KSPLICE_KNOWN_FTRACE_GRAPH_CALLER,
	KSPLICE_KNOWN_FTRACE_REGS_CALLER,
	KSPLICE_KNOWN_ITS_RETURN_THUNK,
	KSPLICE_KNOWN_NATIVE_IRQ_DISABLE,
	KSPLICE_KNOWN_NATIVE_IRQ_ENABLE,
	KSPLICE_KNOWN_NATIVE_READ_CR2,
	KSPLICE_KNOWN_NATIVE_RESTORE_FL,
	KSPLICE_KNOWN_NATIVE_SAVE_FL,
	KSPLICE_KNOWN_NATIVE_WBINVD,
	KSPLICE_KNOWN_NATIVE_WRITE_CR3,
	KSPLICE_KNOWN_NOP_FUNC,
	KSPLICE_KNOWN_RETBLEED_RETURN_THUNK,
	KSPLICE_KNOWN_CALL_THUNK,
	KSPLICE_KNOWN_SRSO_ALIAS_RETURN_THUNK,
	KSPLICE_KNOWN_SRSO_RETURN_THUNK,
	KSPLICE_KNOWN_COUNT,
};

/* Their names, in the order of the enum, which is that of strcmp(). */
extern const char *const ksplice_known_names[KSPLICE_KNOWN_COUNT];

/* The tables of a checked block. */
struct ksplice_old_tables {
	const struct ksplice_old_symbol *symbols;
	const u32 *names;
	const u32 *labels;
	const struct ksplice_old_section *sections;
	const struct ksplice_old_reloc *relocs;
	const struct ksplice_old_site *sites;
	const struct ksplice_old_alternative *alternatives;
	const char *strings;
	const u8 *contents;
};

/* What was seen at lock prefixes that a boot with one CPU would remove. */
#define KSPLICE_LOCK_KEPT	0x1
#define KSPLICE_LOCK_REMOVED	0x2

struct ksplice_matcher {
	const struct ksplice_old_header *old;
	struct ksplice_old_tables tables;
	const struct ksplice_matcher_ops *ops;
	void *context;
	unsigned long mask;		/* of the bits of an address */

	struct ksplice_symbol *symbols;	/* one for each in the block */
	struct ksplice_symbol known[KSPLICE_KNOWN_COUNT];
	struct ksplice_matched *matched; /* one for each section */
	void *pool;			/* of further symbol values, see match.c */
	unsigned int pool_used;

	u32 *journal;			/* symbols set by the place being tried */
	u32 journal_length;

	u8 *run;			/* bytes of the run at the place being tried */
	/* The layout that the first pass over the place being tried found. */
	struct ksplice_matched layout;
	struct ksplice_shift shifts[KSPLICE_MAX_SHIFTS];
	unsigned int locks;		/* KSPLICE_LOCK_*: of places that were accepted */
	unsigned int locks_here;	/* of the place being tried */
	bool deferred;		/* the place being tried refers into unmatched text */
	bool last;		/* nothing more will be found out */
	bool settled;		/* what has several places stays with them */

	struct ksplice_mismatch mismatch;	/* of the place that went furthest */
	struct ksplice_mismatch failure;	/* why ksplice_match() failed */
	int error;			/* that it fails with; 0 so far */
};

struct ksplice_bad_branch {
	bool seen;
	u32 offset, run;
};

/*
 * One section being compared with one place of the run.
 *
 * @section:	the section of the old code
 * @pre:	its bytes
 * @address:	where its first byte is in the run
 * @run, @run_size: bytes of the run from there on, as many as could be read
 * @origin:	offset in @section of the byte that is at @address
 * @outer:	not NULL when the section is a replacement that the kernel may have
 *		copied to a site: the place with that site
 * @shifts:	where the layout differs, as found by this pass
 * @assumed:	the same as found by the pass before, which branches are checked
 *		against
 * @at, @at_run: the instruction or site being compared, in both
 * @bad_branch:	the first one that goes elsewhere in the section than it should
 */
struct ksplice_place {
	struct ksplice_matcher *matcher;
	u32 section;
	const struct ksplice_old_section *old;
	const u8 *pre;
	unsigned long address;
	const u8 *run;
	u32 run_size;
	u32 origin;
	struct ksplice_place *outer;
	u32 nr_shifts;
	struct ksplice_shift shifts[KSPLICE_MAX_SHIFTS];
	const struct ksplice_matched *assumed;
	u32 at, at_run;
	struct ksplice_bad_branch bad_branch;
};

/* Whether it has a symbol, and is compared where that is. */
static inline bool ksplice_is_placed(const struct ksplice_old_section *section)
{
	return section->kind == KSPLICE_SECTION_TEXT || section->kind == KSPLICE_SECTION_RODATA ||
	       section->kind == KSPLICE_SECTION_DATA;
}

/* Find the tables of a block that was checked. */
void ksplice_old_tables(const struct ksplice_old_header *old, struct ksplice_old_tables *tables);

/* The name of the symbol that a section is of; "" for none. */
const char *ksplice_section_symbol(const struct ksplice_old_tables *tables, u32 section);

/*
 * match_symbol.c
 */

/* Free the values that were collected. */
void ksplice_symbols_free(struct ksplice_matcher *matcher);

/* Record that the place being tried needs @symbol to be @value; 0 or -ENOENT. */
int ksplice_symbol_assume(struct ksplice_matcher *matcher, u32 symbol, unsigned long value);

/* Forget what was assumed since the journal had @length entries. */
void ksplice_symbols_rollback(struct ksplice_matcher *matcher, u32 length);

/* Make all that was assumed proved. */
void ksplice_symbols_commit(struct ksplice_matcher *matcher);

/* Whether @symbol may be within @distance bytes of @value, after all that is known. */
bool ksplice_symbol_near(const struct ksplice_matcher *matcher, u32 symbol, unsigned long value,
			 unsigned long distance);

/* Ask the home for the values of all names, once; 0 or an error. */
int ksplice_symbols_collect(struct ksplice_matcher *matcher);

/* The single value that @symbol can have, from proof or kallsyms; 0 or -ENOENT. */
int ksplice_symbol_settle(const struct ksplice_matcher *matcher, u32 symbol,
			  unsigned long *value);

/* Where the code of a function is that has the address @value for the kernel. */
unsigned long ksplice_code_of(const struct ksplice_matcher *matcher, unsigned long value);

/* The single address that kallsyms gives @known, else 0. */
unsigned long ksplice_known_address(const struct ksplice_matcher *matcher,
				    enum ksplice_well_known known);

/* Whether @address is in the image of the kernel, as far as kallsyms tells. */
bool ksplice_in_kernel(const struct ksplice_matcher *matcher, unsigned long address);

/* Whether @address is in the kernel's image, but not in its read-only data. */
bool ksplice_not_rodata(const struct ksplice_matcher *matcher, unsigned long address);

/* Whether kallsyms gives @known the value @value. */
bool ksplice_known_is(const struct ksplice_matcher *matcher, enum ksplice_well_known known,
		      unsigned long value);

/*
 * match_reloc.c
 */

/* Check the reference that @reloc describes against the run bytes of its field. */
int ksplice_reloc_match(struct ksplice_place *place, const struct ksplice_old_reloc *reloc,
			const u8 *field, unsigned long field_address);

/* Check that the code at @reloc, a branch, goes to @target in the run. */
int ksplice_branch_match(struct ksplice_place *place, const struct ksplice_old_reloc *reloc,
			 unsigned long target);

/*
 * Check that offset @offset of section @section, one with a symbol, is at @target
 * in the run; 0 or -ENOENT.  Text that has not been matched may be laid out in
 * another way: then all that can be told is that it is near, and the place must be
 * compared once more when it was (matcher->deferred).
 */
int ksplice_offset_match(struct ksplice_place *place, u32 section, u32 offset,
			 unsigned long target);

/* Size in bytes of the field of @reloc. */
u32 ksplice_reloc_size(const struct ksplice_old_reloc *reloc);

/* Whether it is no reference, but a date or a time of day. */
static inline bool ksplice_is_date(const struct ksplice_old_reloc *reloc)
{
	return reloc->kind == KSPLICE_RELOC_DATE || reloc->kind == KSPLICE_RELOC_TIME;
}

/* Read a pointer of the run; 0 or -EFAULT. */
int ksplice_read_word(const struct ksplice_matcher *matcher, unsigned long address,
		      unsigned long *word);

/* Address in the run of offset @offset in a section that starts at @address. */
unsigned long ksplice_run_address(const struct ksplice_matched *matched, unsigned long address,
				  u32 offset);

/*
 * match_code.c
 */

/**
 * ksplice_code_match() - compare instructions
 * @from, @to:	offsets in the section
 * @site:	index of the first site to heed
 * @run_from:	offset in the run bytes of the first instruction
 * @run_to:	set to the offset behind the last one
 * @depth:	how often the function is in use already
 *
 * Returns 0, -ENOENT (place->matcher->mismatch may be updated), -EBUSY, or
 * -EAGAIN when a symbol must be known first.
 */
int ksplice_code_match(struct ksplice_place *place, u32 from, u32 to, u32 site, u32 run_from,
		       u32 *run_to, unsigned int depth);

/* The first reloc of the section at or after @offset, as an index. */
u32 ksplice_reloc_after(const struct ksplice_place *place, u32 offset);

/* The reloc whose field is at @offset exactly, or NULL. */
const struct ksplice_old_reloc *ksplice_reloc_at(const struct ksplice_place *place, u32 offset);

/* Note that what is compared goes elsewhere in the section, unless something did before. */
void ksplice_note_bad_branch(struct ksplice_place *place);

/* Check a branch within the section: from run offset @run to pre offset @target. */
int ksplice_local_branch(struct ksplice_place *place, u32 section, u32 target,
			 unsigned long run_target);

/* Whether the run has somebody's breakpoint instead of the byte at @offset. */
bool ksplice_is_probed(const struct ksplice_place *place, u32 offset, u32 run);

/* The mismatch is that breakpoint, whatever else differs at this place: -EBUSY. */
int ksplice_probed(struct ksplice_place *place, u32 offset, u32 run);

/* Decode the instruction at offset @run of the run bytes; 0 or -ENOENT. */
int ksplice_run_decode(const struct ksplice_place *place, u32 run, struct ksplice_insn *insn);

/*
 * Target in the run of the relative branch @insn at offset @run; of a call that
 * counts the depth of calls on its way (match_thunk.c), what it calls in the end.
 */
unsigned long ksplice_run_target(const struct ksplice_place *place, u32 run,
				 const struct ksplice_insn *insn);

/* Address in the run of offset @run of the run bytes. */
unsigned long ksplice_place_address(const struct ksplice_place *place, u32 run);

/* Note the mismatch when it is further than any before; returns -ENOENT. */
int ksplice_differs(struct ksplice_place *place, u32 offset, u32 run, u32 symbol,
		    const char *reason);

/*
 * match_site.c
 */

/* Compare a site by its rule; arguments and result as ksplice_code_match(). */
int ksplice_site_match(struct ksplice_place *place, u32 site, u32 run_from, u32 *run_to,
		       unsigned int depth);

/*
 * match_object.c
 */

/* Whether @address is between functions of the object that @section is from. */
bool ksplice_is_in_object(const struct ksplice_matcher *matcher, u32 section,
			  unsigned long address);

/* Whether a function of that name is in the object: then no other overrides it. */
bool ksplice_any_in_object(const struct ksplice_matcher *matcher, u32 section,
			   const struct ksplice_symbol *symbol);

/* Whether it was found, but not where its name is in its object; at the end. */
bool ksplice_is_misplaced(const struct ksplice_matcher *matcher, u32 section);

/*
 * match_thunk.c
 */

/*
 * The function that a call of @target calls: with retbleed=stuff calls go to an
 * instruction in the padding in front of a function, which counts them.
 */
unsigned long ksplice_callee(const struct ksplice_matcher *matcher, unsigned long target);

/*
 * match_date.c
 */

/* Whether @text, of the size of @reloc, is a date, or a time of day, as that wants. */
bool ksplice_date_match(const struct ksplice_old_reloc *reloc, const u8 *text);

/*
 * match_data.c
 */

/* Compare all of a section of data; as ksplice_code_match(). */
int ksplice_data_match(struct ksplice_place *place);

/*
 * Compare a string, or a constant, with what is at @address; @offset is in the
 * section of strings or constants.  Returns 0 or -ENOENT.
 */
int ksplice_elements_match(struct ksplice_matcher *matcher, u32 section, s64 offset,
			   unsigned long address);

#endif
