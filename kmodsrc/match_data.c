// SPDX-License-Identifier: GPL-2.0-or-later
/* Compares data of the old code with that of the run. */
#include "match_internal.h"

/* Bytes of the run that are compared at a time. */
#define CHUNK	128

int ksplice_data_match(struct ksplice_place *place)
{
	const struct ksplice_old_reloc *reloc =
		&place->matcher->tables.relocs[place->old->relocs];
	const struct ksplice_old_reloc *end = reloc + place->old->nr_relocs;
	bool constant = place->old->kind == KSPLICE_SECTION_RODATA;
	u32 i = 0;

	if (constant && ksplice_not_rodata(place->matcher, place->address))
		return ksplice_differs(place, 0, 0, KSPLICE_NONE, "not in read-only data");
	if (place->run_size < place->old->size)
		return ksplice_differs(place, 0, 0, KSPLICE_NONE, "not readable");
	while (i < place->old->size) {
		if (reloc < end && reloc->offset == i) {
			if (ksplice_is_date(reloc)) {
				if (!ksplice_date_match(reloc, place->run + i))
					return ksplice_differs(place, i, i, KSPLICE_NONE,
							       "not a date or time as of __DATE__ or __TIME__");
			} else if (ksplice_reloc_match(place, reloc, place->run + i,
						ksplice_place_address(place, i)) != 0) {
				return ksplice_differs(place, i, i, reloc->symbol,
						       "the reference is to something else");
			}
			i += ksplice_reloc_size(reloc);
			reloc++;
			continue;
		}
		if (place->pre[i] != place->run[i])
			return ksplice_differs(place, i, i, KSPLICE_NONE,
					       constant ? "the data differs" :
							  "it does not hold its initial value");
		i++;
	}
	return 0;
}

/* Bytes of the string at @text, with its terminator of @unit zero bytes. */
static u32 string_size(const u8 *text, u32 left, u32 unit)
{
	u32 size = 0, i;

	while (left - size >= unit) {
		bool end = true;

		for (i = 0; i < unit; i++)
			end = end && text[size + i] == 0;
		size += unit;
		if (end)
			break;
	}
	return size;
}

/* The first reloc (strings have dates only) that ends behind @offset; @end: none. */
static const struct ksplice_old_reloc *reloc_behind(const struct ksplice_old_reloc *reloc,
						    const struct ksplice_old_reloc *end, u32 offset)
{
	const struct ksplice_old_reloc *middle;

	while (reloc < end) {
		middle = reloc + (end - reloc) / 2;
		if (middle->offset + ksplice_reloc_size(middle) <= offset)
			reloc = middle + 1;
		else
			end = middle;
	}
	return reloc;
}

/* Compare @size bytes from @offset on in the section with those at @address. */
static int match_bytes(struct ksplice_matcher *matcher,
		       const struct ksplice_old_section *section, u32 offset, u32 size,
		       unsigned long address)
{
	const u8 *pre = matcher->tables.contents + section->contents;
	const struct ksplice_old_reloc *reloc = &matcher->tables.relocs[section->relocs];
	const struct ksplice_old_reloc *end = reloc + section->nr_relocs;
	u32 done = offset, part;
	u8 run[CHUNK];

	size += offset;
	reloc = reloc_behind(reloc, end, offset);
	/* A date is compared as a whole, also where the reference is to a part of it. */
	if (reloc < end && reloc->offset < offset)
		done = reloc->offset;
	for (; done < size; done += part) {
		bool is_reloc = reloc < end && reloc->offset == done;
		bool is_date = is_reloc && ksplice_is_date(reloc);

		part = size - done < CHUNK ? size - done : CHUNK;
		if (is_reloc)
			part = ksplice_reloc_size(reloc);
		else if (reloc < end && part > reloc->offset - done)
			part = reloc->offset - done;
		if (matcher->ops->read(matcher->context, address + done - offset, run, part) != 0)
			return -ENOENT;
		if (is_date ? !ksplice_date_match(reloc, run) : memcmp(run, pre + done, part) != 0)
			return -ENOENT;
		reloc += is_reloc;
	}
	return 0;
}

int ksplice_elements_match(struct ksplice_matcher *matcher, u32 index, s64 offset,
			   unsigned long address)
{
	const struct ksplice_old_section *section = &matcher->tables.sections[index];
	const u8 *pre = matcher->tables.contents + section->contents;
	u32 size;

	/* What could be written is not constant, whatever it holds now. */
	if (ksplice_not_rodata(matcher, address))
		return -ENOENT;
	if (offset < 0 || offset >= section->size)
		return -ENOENT;
	pre += offset;
	size = section->size - (u32)offset;
	if (section->kind == KSPLICE_SECTION_STRINGS)
		size = string_size(pre, size, section->unit);
	else if (size > section->unit - (u32)offset % section->unit)
		size = section->unit - (u32)offset % section->unit;
	return match_bytes(matcher, section, (u32)offset, size, address);
}
