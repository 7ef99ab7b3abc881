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

/*
 * Where the symbol is, when @target is where symbol + @distance is in the run.
 * A target inside of a function whose layout differs moves with its code.
 */
static unsigned long symbol_address(const struct ksplice_place *place, u32 index,
				    unsigned long target, s64 distance)
{
	const struct ksplice_matcher *matcher = place->matcher;
	const struct ksplice_old_symbol *symbol = &matcher->tables.symbols[index];
	const struct ksplice_matched *matched = NULL;
	u64 offset;

	if (symbol->section == place->section)
		matched = place->assumed;
	else if (symbol->section != KSPLICE_NONE)
		matched = &matcher->matched[symbol->section];
	if (matched && matched->nr_shifts > 0) {
		offset = (u64)symbol->offset + (u64)distance;
		if (offset <= matcher->tables.sections[symbol->section].size)
			return target - (ksplice_run_address(matched, 0, (u32)offset) -
					 ksplice_run_address(matched, 0, symbol->offset));
	}
	return target - (unsigned long)distance;
}

/* @target is where the reference goes; the addend without what is due to the field. */
static int match_target(struct ksplice_place *place, const struct ksplice_old_reloc *reloc,
			unsigned long target)
{
	struct ksplice_matcher *matcher = place->matcher;
	s64 distance = reloc->addend - reloc->bias;

	if (reloc->symbol == KSPLICE_NONE)
		return ksplice_elements_match(matcher, reloc->section, distance,
					      target & matcher->mask);
	return ksplice_symbol_assume(matcher, reloc->symbol,
				     symbol_address(place, reloc->symbol, target, distance));
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
