// SPDX-License-Identifier: GPL-2.0-or-later
/* Compares read-only data of the old code with that of the run. */
#include "match_internal.h"

/* Bytes of the run that are compared at a time. */
#define CHUNK	128

int ksplice_data_match(struct ksplice_place *place)
{
	const struct ksplice_old_reloc *reloc =
		&place->matcher->tables.relocs[place->old->relocs];
	const struct ksplice_old_reloc *end = reloc + place->old->nr_relocs;
	u32 i = 0;

	if (ksplice_not_rodata(place->matcher, place->address))
		return ksplice_differs(place, 0, 0, KSPLICE_NONE, "not in read-only data");
	if (place->run_size < place->old->size)
		return ksplice_differs(place, 0, 0, KSPLICE_NONE, "not readable");
	while (i < place->old->size) {
		if (reloc < end && reloc->offset == i) {
			if (ksplice_reloc_match(place, reloc, place->run + i,
						ksplice_place_address(place, i)) != 0)
				return ksplice_differs(place, i, i, reloc->symbol,
						       "the reference is to something else");
			i += ksplice_reloc_size(reloc);
			reloc++;
			continue;
		}
		if (place->pre[i] != place->run[i])
			return ksplice_differs(place, i, i, KSPLICE_NONE, "the data differs");
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

int ksplice_elements_match(struct ksplice_matcher *matcher, u32 index, s64 offset,
			   unsigned long address)
{
	const struct ksplice_old_section *section = &matcher->tables.sections[index];
	const u8 *pre = matcher->tables.contents + section->contents;
	u8 run[CHUNK];
	u32 size, done, part;

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
	for (done = 0; done < size; done += part) {
		part = size - done < CHUNK ? size - done : CHUNK;
		if (matcher->ops->read(matcher->context, address + done, run, part) != 0 ||
		    memcmp(run, pre + done, part) != 0)
			return -ENOENT;
	}
	return 0;
}
