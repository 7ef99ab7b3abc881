// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/text.h"

static bool decode(struct section *section, uint64_t offset, uint64_t end,
		   struct ksplice_insn *insn)
{
	return !ksplice_insn_decode(insn, section->data + offset, end - offset,
				    section->object->word_size);
}

static void decode_range(struct section *section, uint8_t *lengths, uint64_t offset, uint64_t end)
{
	struct ksplice_insn insn;

	while (offset < end) {
		if (!decode(section, offset, end, &insn)) {
			offset++;	/* data between the code of an assembly file */
			continue;
		}
		lengths[offset] = insn.length;
		offset += insn.length;
	}
}

const struct text *decode_section(struct section *section)
{
	struct arena *arena = &section->object->arena;
	struct text *text;
	uint64_t start = 0, value;
	size_t i;

	if (section->text)
		return section->text;
	text = arena_alloc(arena, sizeof(*text));
	section->text = text;
	if (!section->data)
		return text;
	text->lengths = arena_alloc(arena, section->size + 1);
	for (i = 0; i < section->nr_symbols; i++) {
		value = section->symbols[i]->value;
		if (value > start) {
			decode_range(section, text->lengths, start, value);
			start = value;
		}
	}
	decode_range(section, text->lengths, start, section->size);
	return text;
}

bool find_insn(struct section *section, uint64_t offset, uint64_t *start, uint64_t *end)
{
	const uint8_t *lengths = decode_section(section)->lengths;
	uint64_t back, at;

	if (!lengths || offset >= section->size)
		return false;
	for (back = 0; back < KSPLICE_INSN_MAX && back <= offset; back++) {
		at = offset - back;
		if (!lengths[at])
			continue;
		if (at + lengths[at] <= offset)
			return false;
		*start = at;
		*end = at + lengths[at];
		return true;
	}
	return false;
}

bool decode_at(struct section *section, uint64_t offset, struct ksplice_insn *insn)
{
	const uint8_t *lengths = decode_section(section)->lengths;

	return lengths && offset < section->size && lengths[offset] &&
	       decode(section, offset, offset + lengths[offset], insn);
}

/* For each byte how many instructions begin before it; a byte of data is one, too. */
static void count_all(struct section *section)
{
	struct text *text = section->text;
	struct ksplice_insn insn;
	uint64_t at, next;

	text->counts = arena_array(&section->object->arena, section->size + 1,
				   sizeof(*text->counts));
	for (at = 0; at < section->size; at = next) {
		next = at + 1;
		text->counts[next] = text->counts[at] + 1;
		if (!decode_at(section, at, &insn))
			continue;
		if (insn.flags & KSPLICE_INSN_NOP)
			text->counts[next]--;
		for (; next < at + insn.length; next++)
			text->counts[next + 1] = text->counts[next];
	}
}

size_t count_insns(struct section *section, uint64_t start, uint64_t end)
{
	decode_section(section);
	if (!section->data)
		return end - start;
	if (!section->text->counts)
		count_all(section);
	return section->text->counts[end] - section->text->counts[start];
}

int reloc_bias(const struct reloc *reloc)
{
	uint64_t start, end;

	if (!reloc->pc_relative || !(reloc->section->flags & SHF_EXECINSTR))
		return 0;
	if (!find_insn(reloc->section, reloc->offset, &start, &end) ||
	    reloc->offset + reloc->length > end)
		return -(int)reloc->length;
	return (int)(reloc->offset - end);	/* at most 15 bytes */
}
