// SPDX-License-Identifier: GPL-2.0-or-later
/* Run-pre matching of the whole old code; see match.h. */
#include "match_internal.h"

static void *allocate(struct ksplice_matcher *matcher, size_t count, size_t size)
{
	return matcher->ops->alloc(matcher->context, count * size);
}

struct ksplice_matcher *ksplice_matcher_new(const struct ksplice_old_header *old,
					    const struct ksplice_matcher_ops *ops, void *context)
{
	struct ksplice_matcher *matcher = ops->alloc(context, sizeof(*matcher));
	u32 i, largest = 0;

	if (!matcher)
		return NULL;
	matcher->old = old;
	matcher->ops = ops;
	matcher->context = context;
	matcher->mask = old->word_size == 4 ? 0xffffffffUL : ~0UL;
	matcher->failure.section = KSPLICE_NONE;
	matcher->failure.symbol = KSPLICE_NONE;
	ksplice_old_tables(old, &matcher->tables);
	for (i = 0; i < old->sections.count; i++)
		if (matcher->tables.sections[i].size > largest)
			largest = matcher->tables.sections[i].size;
	matcher->symbols = allocate(matcher, old->symbols.count + 1, sizeof(*matcher->symbols));
	matcher->journal = allocate(matcher, old->symbols.count + 1, sizeof(*matcher->journal));
	matcher->matched = allocate(matcher, old->sections.count + 1, sizeof(*matcher->matched));
	matcher->run = allocate(matcher, largest + KSPLICE_RUN_SLACK, 1);
	if (!matcher->symbols || !matcher->journal || !matcher->matched || !matcher->run) {
		ksplice_matcher_free(matcher);
		return NULL;
	}
	return matcher;
}

void ksplice_matcher_free(struct ksplice_matcher *matcher)
{
	u32 i;

	if (!matcher)
		return;
	if (matcher->matched)
		for (i = 0; i < matcher->old->sections.count; i++)
			matcher->ops->free(matcher->context, matcher->matched[i].shifts);
	ksplice_symbols_free(matcher);
	matcher->ops->free(matcher->context, matcher->run);
	matcher->ops->free(matcher->context, matcher->matched);
	matcher->ops->free(matcher->context, matcher->journal);
	matcher->ops->free(matcher->context, matcher->symbols);
	matcher->ops->free(matcher->context, matcher);
}

/* Read the run at @address, with some more for functions that are longer there. */
static u32 read_run(struct ksplice_matcher *matcher, u32 size, unsigned long address)
{
	if (matcher->ops->read(matcher->context, address, matcher->run,
			       size + KSPLICE_RUN_SLACK) == 0)
		return size + KSPLICE_RUN_SLACK;
	if (matcher->ops->read(matcher->context, address, matcher->run, size) == 0)
		return size;
	return 0;
}

/*
 * Text is compared twice where its layout differs: branches forward are checked
 * against the layout that the first pass found.
 */
static int match_text(struct ksplice_place *place, struct ksplice_matched *found)
{
	struct ksplice_matcher *matcher = place->matcher;
	struct ksplice_matched *layout = &matcher->layout;
	u32 journal = matcher->journal_length, end = 0;
	unsigned int pass;
	int ret;

	layout->shifts = matcher->shifts;
	layout->nr_shifts = 0;
	place->assumed = layout;
	for (pass = 0; pass < 2; pass++) {
		matcher->locks_here = 0;
		place->nr_shifts = 0;
		place->bad_branch.seen = false;
		ret = ksplice_code_match(place, 0, place->old->size, place->old->sites, 0, &end, 0);
		if (ret != 0)
			return ret;
		if (place->nr_shifts == layout->nr_shifts &&
		    memcmp(place->shifts, layout->shifts,
			   layout->nr_shifts * sizeof(*layout->shifts)) == 0)
			break;
		layout->nr_shifts = place->nr_shifts;
		memcpy(layout->shifts, place->shifts, layout->nr_shifts * sizeof(*layout->shifts));
		ksplice_symbols_rollback(matcher, journal);
	}
	if (pass == 2 || place->bad_branch.seen)
		return ksplice_differs(place, place->bad_branch.offset, place->bad_branch.run,
				       KSPLICE_NONE,
				       "a branch goes to another place in the function");
	found->run_size = end;
	found->nr_shifts = place->nr_shifts;
	return 0;
}

/* Symbols that are defined inside of the section must be where it puts them. */
static int match_inner_symbols(struct ksplice_matcher *matcher, u32 section,
			       const struct ksplice_matched *found)
{
	const struct ksplice_old_symbol *symbols = matcher->tables.symbols;
	u32 low = 0, high = matcher->old->symbols.count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (symbols[middle].section < section)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < matcher->old->symbols.count && symbols[low].section == section; low++)
		if (ksplice_symbol_assume(matcher, low,
					  ksplice_run_address(found, found->address,
							      symbols[low].offset)) != 0)
			return -ENOENT;
	return 0;
}

/* Compare a section with the run at @address; symbols are left tentative. */
static int try_address(struct ksplice_matcher *matcher, u32 section, unsigned long address,
		       struct ksplice_place *place, struct ksplice_matched *found)
{
	const struct ksplice_old_section *old = &matcher->tables.sections[section];
	int ret;

	memset(place, 0, offsetof(struct ksplice_place, shifts));
	place->matcher = matcher;
	place->section = section;
	place->old = old;
	place->pre = matcher->tables.contents + old->contents;
	place->address = address;
	place->run = matcher->run;
	place->assumed = found;
	matcher->deferred = false;
	matcher->locks_here = 0;
	memset(found, 0, sizeof(*found));
	found->address = address;
	found->run_size = old->size;
	found->shifts = place->shifts;
	place->run_size = read_run(matcher, old->size, address);
	if (place->run_size == 0 && old->size > 0)
		return ksplice_differs(place, 0, 0, KSPLICE_NONE, "not readable");
	if (old->kind == KSPLICE_SECTION_TEXT)
		ret = match_text(place, found);
	else
		ret = ksplice_data_match(place);
	if (ret == 0 && match_inner_symbols(matcher, section, found) != 0)
		ret = ksplice_differs(place, old->size, 0, old->symbol,
				      "another section needs it elsewhere");
	return ret;
}

/*
 * Results of trying the places that a section may be at: how many it fits, how
 * many of them are in its object, and one of the latter if there is one.
 */
struct trial {
	struct ksplice_place place;
	unsigned int matches;
	unsigned int in_object;
	unsigned long address;
	bool busy;
	bool busy_in_object;
	bool undecided;
};

static const struct ksplice_mismatch no_mismatch = {
	.section = KSPLICE_NONE,
	.symbol = KSPLICE_NONE,
};

/* A kprobe that was optimized is no breakpoint but a jump, which looks like other code. */
static int busy_if_probed(struct ksplice_matcher *matcher, int error)
{
	struct ksplice_mismatch *mismatch = &matcher->mismatch;

	if (error != -ENOENT || mismatch->address == 0 || !matcher->ops->is_probed ||
	    matcher->tables.sections[mismatch->section].kind != KSPLICE_SECTION_TEXT ||
	    !matcher->ops->is_probed(matcher->context, mismatch->address))
		return error;
	mismatch->reason = "a kprobe is in the way";
	return -EBUSY;
}

/* Of the mismatches of two places: that of a busy one, else the one that went further. */
static void choose_mismatch(struct ksplice_matcher *matcher, const struct ksplice_mismatch *before,
			    bool was_busy, bool is_busy)
{
	struct ksplice_mismatch *mismatch = &matcher->mismatch;

	if (before->section == KSPLICE_NONE || (is_busy && !was_busy))
		return;
	if ((was_busy && !is_busy) || mismatch->section == KSPLICE_NONE ||
	    before->offset > mismatch->offset)
		*mismatch = *before;
}

static void try_one(struct ksplice_matcher *matcher, u32 section, unsigned long address,
		    struct trial *trial)
{
	struct ksplice_mismatch before = matcher->mismatch;
	struct ksplice_matched found;
	bool in_object;
	int ret;

	address = ksplice_code_of(matcher, address);
	matcher->mismatch = no_mismatch;
	ret = try_address(matcher, section, address, &trial->place, &found);
	ksplice_symbols_rollback(matcher, 0);
	ret = busy_if_probed(matcher, ret);
	choose_mismatch(matcher, &before, trial->busy, ret == -EBUSY);
	in_object = (ret == 0 || ret == -EBUSY) && matcher->last &&
		    matcher->tables.sections[section].kind == KSPLICE_SECTION_TEXT &&
		    ksplice_is_in_object(matcher, section, address);
	if (ret == 0) {
		trial->matches++;
		trial->in_object += in_object;
		if (in_object || trial->in_object == 0)
			trial->address = address;
	}
	trial->busy = trial->busy || ret == -EBUSY;
	trial->busy_in_object = trial->busy_in_object || (ret == -EBUSY && in_object);
	trial->undecided = trial->undecided || ret == -EAGAIN;
}

/* One place is the right one, and no other may be: not one that a probe hides either. */
static bool is_decided(const struct trial *trial)
{
	if (trial->undecided)
		return false;
	return (trial->matches == 1 && !trial->busy) ||
	       (trial->in_object == 1 && !trial->busy_in_object);
}

/* The mismatch is @error, unless there was one before. */
static void note_failure(struct ksplice_matcher *matcher, int error)
{
	if (matcher->error != 0)
		return;
	matcher->error = error;
	matcher->failure = matcher->mismatch;
}

/* What ends the matching, unless all that differs is asked for: then 1. */
static int section_differs(struct ksplice_matcher *matcher, u32 section, int error)
{
	note_failure(matcher, error);
	if (!matcher->ops->differs)
		return error;
	matcher->matched[section].state = KSPLICE_SECTION_DIFFERS;
	matcher->ops->differs(matcher->context, &matcher->mismatch);
	return 1;
}

static void set_mismatch(struct ksplice_matcher *matcher, u32 section, u32 symbol,
			 const char *reason)
{
	matcher->mismatch = (struct ksplice_mismatch){
		.section = section,
		.symbol = symbol,
		.reason = reason,
	};
}

/* Take the place that was found: what follows from it is proved.  1, or an error. */
static int accept(struct ksplice_matcher *matcher, u32 section, struct trial *trial)
{
	struct ksplice_matched *matched = &matcher->matched[section], found;
	int ret = try_address(matcher, section, trial->address, &trial->place, &found);

	if (ret != 0) {
		ksplice_symbols_rollback(matcher, 0);
		set_mismatch(matcher, section, matcher->tables.sections[section].symbol,
			     "the code changes while it is compared");
		return section_differs(matcher, section, -EBUSY);
	}
	found.shifts = NULL;
	if (found.nr_shifts > 0) {
		found.shifts = allocate(matcher, found.nr_shifts, sizeof(*found.shifts));
		if (!found.shifts)
			return -ENOMEM;
		memcpy(found.shifts, trial->place.shifts,
		       found.nr_shifts * sizeof(*found.shifts));
	}
	found.state = KSPLICE_SECTION_MATCHED;
	found.deferred = matcher->deferred;
	*matched = found;
	matcher->locks |= matcher->locks_here;
	ksplice_symbols_commit(matcher);
	return 1;
}

/*
 * Try a section wherever it may be.  Returns 1 when it matched at one place, 0
 * when it is to be tried again later, or an error.
 */
static int match_section(struct ksplice_matcher *matcher, u32 section, struct trial *trial)
{
	u32 index = matcher->tables.sections[section].symbol;
	const struct ksplice_symbol *symbol = &matcher->symbols[index];
	const struct ksplice_symval *val;

	trial->matches = 0;
	trial->in_object = 0;
	trial->busy = false;
	trial->busy_in_object = false;
	trial->undecided = false;
	matcher->mismatch = no_mismatch;
	if (symbol->state == KSPLICE_SYMBOL_PROVED)
		try_one(matcher, section, symbol->value, trial);
	else
		list_for_each_entry(val, &symbol->vals, list)
			try_one(matcher, section, val->val, trial);
	if (is_decided(trial))
		return accept(matcher, section, trial);
	if (trial->busy && (trial->matches + trial->undecided == 0 || matcher->settled))
		return section_differs(matcher, section, -EBUSY);
	if (trial->matches > 0 || trial->undecided)
		return 0;
	if (symbol->state != KSPLICE_SYMBOL_PROVED && list_empty(&symbol->vals))
		return 0;	/* nameless: a reference may tell where it is */
	if (matcher->tables.symbols[index].flags & KSPLICE_SYMBOL_WEAK) {
		if (!matcher->last)
			return 0;	/* more of its object may be found */
		if (!ksplice_any_in_object(matcher, section, symbol)) {
			matcher->matched[section].state = KSPLICE_SECTION_SKIPPED;
			return 1;
		}
	}
	if (matcher->mismatch.section == KSPLICE_NONE) {
		matcher->mismatch.section = section;
		matcher->mismatch.reason = "no match";
	}
	return section_differs(matcher, section, -ENOENT);
}

/* Compare once more what refers into text that was matched only later. */
static int match_deferred(struct ksplice_matcher *matcher, struct trial *trial)
{
	struct ksplice_matched found;
	int ret;
	u32 i;

	for (i = 0; i < matcher->old->sections.count; i++) {
		const struct ksplice_matched *matched = &matcher->matched[i];

		if (matched->state != KSPLICE_SECTION_MATCHED || !matched->deferred)
			continue;
		matcher->mismatch = no_mismatch;
		ret = try_address(matcher, i, matched->address, &trial->place, &found);
		ksplice_symbols_rollback(matcher, 0);
		if (ret == 0 && matcher->deferred) {
			set_mismatch(matcher, i, matcher->tables.sections[i].symbol,
				     "goes into code that was not found, so where can not be told");
			ret = -ENOENT;
		}
		ret = busy_if_probed(matcher, ret);
		if (ret != 0)
			ret = section_differs(matcher, i, ret);
		if (ret < 0)
			return ret;
		matcher->ops->pause(matcher->context);
	}
	return 0;
}

static int label_fails(struct ksplice_matcher *matcher, u32 symbol, const char *reason)
{
	set_mismatch(matcher, KSPLICE_NONE, symbol, reason);
	note_failure(matcher, -ENOENT);
	return -ENOENT;
}

static int section_fails(struct ksplice_matcher *matcher, u32 section, const char *reason)
{
	set_mismatch(matcher, section, matcher->tables.sections[section].symbol, reason);
	return section_differs(matcher, section, -ENOENT);
}

/*
 * Text that is nowhere must be weak, or without a name: that is looked at where it
 * is referred to.  Variables are only here because the patch wants them compared.
 */
static int check_sections(struct ksplice_matcher *matcher)
{
	const struct ksplice_old_tables *tables = &matcher->tables;
	int ret;
	u32 i;

	for (i = 0; i < matcher->old->sections.count; i++) {
		const struct ksplice_old_section *section = &tables->sections[i];

		if (section->kind == KSPLICE_SECTION_DATA &&
		    matcher->matched[i].state == KSPLICE_SECTION_UNMATCHED) {
			ret = section_fails(matcher, i,
					    "where the variable is in the running kernel can not be told");
			if (ret < 0)
				return ret;
		}
		if (section->kind != KSPLICE_SECTION_TEXT ||
		    *matcher->symbols[section->symbol].name == '\0')
			continue;
		if (ksplice_is_misplaced(matcher, i)) {
			ret = section_fails(matcher, i, "the code where its object is differs");
			if (ret < 0)
				return ret;
		}
		if (matcher->matched[i].state != KSPLICE_SECTION_UNMATCHED ||
		    !list_empty(&matcher->symbols[section->symbol].vals))
			continue;
		if (tables->symbols[section->symbol].flags & KSPLICE_SYMBOL_WEAK) {
			matcher->matched[i].state = KSPLICE_SECTION_SKIPPED;
			continue;
		}
		ret = section_fails(matcher, i, "the running kernel has no such function");
		if (ret < 0)
			return ret;
	}
	return matcher->error;
}

/*
 * What the new code imports must have a value, and what it replaces must be what
 * was compared.
 */
static int check_labels(struct ksplice_matcher *matcher)
{
	const struct ksplice_old_tables *tables = &matcher->tables;
	unsigned long value;
	u32 i;

	for (i = 0; i < matcher->old->labels.count; i++) {
		u32 symbol = tables->labels[i], section = tables->symbols[symbol].section;

		if ((tables->symbols[symbol].flags & KSPLICE_SYMBOL_REPLACED) &&
		    (section == KSPLICE_NONE ||
		     matcher->matched[section].state == KSPLICE_SECTION_SKIPPED))
			return label_fails(matcher, symbol,
					   "to be replaced, but the running kernel has another function of that name");
		if (ksplice_symbol_settle(matcher, symbol, &value) == 0)
			continue;
		return label_fails(matcher, symbol,
				   list_empty(&matcher->symbols[symbol].vals) ?
					   "needed by the new code, but the running kernel has no such symbol" :
					   "needed by the new code, but ambiguous in the running kernel");
	}
	return 0;
}

/* Try each section that has not been found; 1 when some was, 0, or an error. */
static int match_round(struct ksplice_matcher *matcher, struct trial *trial)
{
	bool progress = false;
	int ret;
	u32 i;

	for (i = 0; i < matcher->old->sections.count; i++) {
		if (!ksplice_is_placed(&matcher->tables.sections[i]) ||
		    matcher->matched[i].state != KSPLICE_SECTION_UNMATCHED)
			continue;
		ret = match_section(matcher, i, trial);
		if (ret < 0)
			return ret;
		progress = progress || ret > 0;
		matcher->ops->pause(matcher->context);
	}
	return progress;
}

int ksplice_match(struct ksplice_matcher *matcher)
{
	struct trial *trial;
	int ret = ksplice_symbols_collect(matcher);

	if (ret != 0)
		return ret;
	trial = allocate(matcher, 1, sizeof(*trial));
	if (!trial)
		return -ENOMEM;
	do {
		ret = match_round(matcher, trial);
		if (ret == 0 && !matcher->last) {
			matcher->last = true;
			ret = match_round(matcher, trial);
		}
	} while (ret > 0);
	/* Nothing told which of its places a section is at: a probe may be why. */
	matcher->settled = true;
	if (ret == 0)
		ret = match_round(matcher, trial);
	if (ret >= 0)
		ret = match_deferred(matcher, trial);
	matcher->ops->free(matcher->context, trial);
	if (ret == 0)
		ret = check_sections(matcher);
	return ret != 0 ? ret : check_labels(matcher);
}
