// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * References from the run: what the bytes of a relocated field say about the
 * symbol that the pre object names there.
 */
#include "match_internal.h"

/**
 * struct ksplice_reloc_ops - how a kind of reloc is stored
 * @size:	bytes of the field
 * @relative:	the address of the field is subtracted from the value
 * @extract:	the number that the bytes hold, extended to an address
 */
struct ksplice_reloc_ops {
	u32 size;
	bool relative;
	unsigned long (*extract)(const u8 *field);
};

static unsigned long extract_s8(const u8 *field)
{
	return (unsigned long)(long)(s8)*field;
}

static unsigned long extract_u32(const u8 *field)
{
	u32 value;

	memcpy(&value, field, sizeof(value));
	return value;
}

static unsigned long extract_s32(const u8 *field)
{
	s32 value;

	memcpy(&value, field, sizeof(value));
	return (unsigned long)(long)value;
}

static unsigned long extract_u64(const u8 *field)
{
	u64 value;

	memcpy(&value, field, sizeof(value));
	return (unsigned long)value;
}

static const struct ksplice_reloc_ops reloc_ops[KSPLICE_RELOC_KINDS] = {
	[KSPLICE_RELOC_ABS64] = { 8, false, extract_u64 },
	[KSPLICE_RELOC_ABS32] = { 4, false, extract_u32 },
	[KSPLICE_RELOC_ABS32S] = { 4, false, extract_s32 },
	[KSPLICE_RELOC_PC32] = { 4, true, extract_s32 },
	[KSPLICE_RELOC_PC64] = { 8, true, extract_u64 },
	[KSPLICE_RELOC_PC8] = { 1, true, extract_s8 },
	[KSPLICE_RELOC_DATE] = { 11 },
	[KSPLICE_RELOC_TIME] = { 8 },
};

u32 ksplice_reloc_size(const struct ksplice_old_reloc *reloc)
{
	return reloc_ops[reloc->kind].size;
}

int ksplice_read_word(const struct ksplice_matcher *matcher, unsigned long address,
		      unsigned long *word)
{
	u8 bytes[8];
	u32 size = matcher->old->word_size;
	int ret = matcher->ops->read(matcher->context, address & matcher->mask, bytes, size);

	if (ret == 0)
		*word = size == 8 ? extract_u64(bytes) : extract_u32(bytes);
	return ret;
}

unsigned long ksplice_run_address(const struct ksplice_matched *matched, unsigned long address,
				  u32 offset)
{
	u32 i = matched->nr_shifts;

	while (i > 0 && matched->shifts[i - 1].pre > offset)
		i--;
	return address + offset + (i > 0 ? matched->shifts[i - 1].delta : 0);
}

/* The place whose section has a symbol and a layout of its own. */
static struct ksplice_place *outermost(struct ksplice_place *place)
{
	while (place->outer)
		place = place->outer;
	return place;
}

/*
 * A reference into the function itself, like the _THIS_IP_ that
 * local_bh_disable() passes.  Where it goes is known once the layout is, like
 * where a branch goes.
 */
static int match_own_offset(struct ksplice_place *own, u32 offset, unsigned long target)
{
	unsigned long expected = ksplice_run_address(own->assumed, own->address, offset);

	if (((expected ^ target) & own->matcher->mask) != 0)
		ksplice_note_bad_branch(own);
	return 0;
}

int ksplice_offset_match(struct ksplice_place *place, u32 section, u32 offset,
			 unsigned long target)
{
	struct ksplice_matcher *matcher = place->matcher;
	const struct ksplice_matched *matched = &matcher->matched[section];
	struct ksplice_place *own = outermost(place);
	u32 symbol = matcher->tables.sections[section].symbol;
	unsigned long start = target - ksplice_run_address(matched, 0, offset);

	if (section == own->section)
		return match_own_offset(own, offset, target);
	if (ksplice_symbol_assume(matcher, symbol, start) == 0)
		return 0;
	/* foo.cold+0x20, and before that a jump is short in one of the two. */
	if (offset == 0 || matched->state != KSPLICE_SECTION_UNMATCHED ||
	    matcher->tables.sections[section].kind != KSPLICE_SECTION_TEXT ||
	    !ksplice_symbol_near(matcher, symbol, start, KSPLICE_RUN_SLACK))
		return -ENOENT;
	matcher->deferred = true;
	return 0;
}

/*
 * A reference to a string or a constant, by what it says.  Of a string that the new
 * code uses the address counts too.  One string of an object is at one place, even
 * where the linker made it the end of another: a second address is not this object's.
 */
static int match_element(struct ksplice_matcher *matcher, const struct ksplice_old_reloc *reloc,
			 s64 distance, unsigned long target)
{
	const struct ksplice_old_symbol *string;
	unsigned long start;
	int ret;

	if (reloc->symbol == KSPLICE_NONE)
		return ksplice_elements_match(matcher, reloc->section,
					      (s64)((u64)distance - reloc->past),
					      (target - reloc->past) & matcher->mask);
	string = &matcher->tables.symbols[reloc->symbol];
	start = (target - (unsigned long)distance + string->offset) & matcher->mask;
	ret = ksplice_elements_match(matcher, reloc->section, string->offset, start);
	return ret != 0 ? ret : ksplice_symbol_assume(matcher, reloc->symbol, start);
}

/* @target is where the reference goes; the addend without what is due to the field. */
static int match_target(struct ksplice_place *place, const struct ksplice_old_reloc *reloc,
			unsigned long target)
{
	struct ksplice_matcher *matcher = place->matcher;
	s64 distance = (s64)((u64)reloc->addend - (u64)(s64)reloc->bias);
	const struct ksplice_old_symbol *symbol;
	u64 offset;

	if (reloc->section != KSPLICE_NONE)
		return match_element(matcher, reloc, distance, target);
	symbol = &matcher->tables.symbols[reloc->symbol];
	offset = (u64)symbol->offset + (u64)distance;
	/* What is inside of text moves with it; a weak symbol may be elsewhere. */
	if (symbol->section != KSPLICE_NONE && distance != 0 &&
	    !(symbol->flags & KSPLICE_SYMBOL_WEAK) &&
	    matcher->tables.sections[symbol->section].kind == KSPLICE_SECTION_TEXT &&
	    offset <= matcher->tables.sections[symbol->section].size)
		return ksplice_offset_match(place, symbol->section, (u32)offset, target);
	return ksplice_symbol_assume(matcher, reloc->symbol, target - (unsigned long)distance);
}

int ksplice_reloc_match(struct ksplice_place *place, const struct ksplice_old_reloc *reloc,
			const u8 *field, unsigned long field_address)
{
	const struct ksplice_reloc_ops *ops = &reloc_ops[reloc->kind];
	unsigned long target = ops->extract(field);

	if (ops->relative)
		target += field_address;
	return match_target(place, reloc, target - (unsigned long)(long)reloc->bias);
}

int ksplice_branch_match(struct ksplice_place *place, const struct ksplice_old_reloc *reloc,
			 unsigned long target)
{
	return match_target(place, reloc, target);
}
