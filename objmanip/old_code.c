// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes the block of old code: all text and read-only data of the pre objects
 * that can be compared with the running kernel.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/names.h"
#include "objmanip/block.h"

/*
 * Trampolines of static calls are rewritten whole while the kernel runs.  The slow
 * path of static_cpu_has() is gone when the kernel runs, but not from its image.
 */
static bool is_compared_text(const struct section *section)
{
	return is_class(section, CLASS_TEXT) || strcmp(section->name, ".altinstr_aux") == 0 ||
	       (is_class(section, CLASS_FIXED_TEXT) &&
		strcmp(section->kind->pattern, ".static_call.text") != 0);
}

static bool is_placed(const struct section *section)
{
	return section->data && section->size > 0 &&
	       (is_compared_text(section) || is_class(section, CLASS_RODATA));
}

int reloc_kind(const struct object *object, uint32_t type)
{
	if (object->machine == EM_386) {
		switch (type) {
		case R_386_32:
			return KSPLICE_RELOC_ABS32;
		case R_386_PC8:
			return KSPLICE_RELOC_PC8;
		case R_386_PC32:
		case R_386_PLT32:
			return KSPLICE_RELOC_PC32;
		default:
			return -1;
		}
	}
	switch (type) {
	case R_X86_64_64:
		return KSPLICE_RELOC_ABS64;
	case R_X86_64_32:
		return KSPLICE_RELOC_ABS32;
	case R_X86_64_32S:
		return KSPLICE_RELOC_ABS32S;
	case R_X86_64_PC8:
		return KSPLICE_RELOC_PC8;
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		return KSPLICE_RELOC_PC32;
	case R_X86_64_PC64:
		return KSPLICE_RELOC_PC64;
	default:
		return -1;
	}
}

struct span *left_element(const struct reloc *reloc)
{
	/* The assembler keeps .LC5 in .LC5+10; with the section's symbol none is left. */
	struct span *span = reloc->symbol && !is_section_symbol(reloc->symbol) ?
				    reloc->symbol->span : NULL;

	if (!span || !reloc->span || span == reloc->span ||
	    (!is_class(span->section, CLASS_STRINGS) && !is_class(span->section, CLASS_CONSTANTS)))
		return NULL;
	return span;
}

static uint32_t object_number(const struct manip *manip, const struct object *object)
{
	uint32_t i = 0;

	while (i < manip->nr_pairs && manip->pairs[i].pre.object != object)
		i++;
	return i;
}

/* The bytes of a section of the object from @offset on become one of the block. */
static uint32_t add_section(struct manip *manip, struct block *block,
			    const struct section *section, uint64_t offset, uint64_t size,
			    uint32_t kind, struct old_symbol *symbol)
{
	struct ksplice_old_section old = {
		.kind = kind,
		.symbol = KSPLICE_NONE,
		.contents = (uint32_t)bytes_append(&block->contents, section->data + offset, size),
		.size = (uint32_t)size,
		.unit = section->entsize > 0 && section->entsize <= 64 ? (uint32_t)section->entsize : 1,
		.align = (uint32_t)section->align,
		.object = object_number(manip, section->object),
		.name = block_string(block, section->name),
	};
	uint32_t index = (uint32_t)(block->sections.size / sizeof(old));

	bytes_append(&block->sections, &old, sizeof(old));
	bytes_append(&block->section_symbols, &symbol, sizeof(symbol));
	return index;
}

/* Of a variable, what lies between it and the next one may be anything. */
static uint64_t compared_size(struct manip *manip, const struct span *span)
{
	uint64_t size = span->size - span->entry;

	if (pre_info(manip, span)->compared && span->symbol->size > 0 && span->symbol->size < size)
		return span->symbol->size;
	return size;
}

/*
 * Other names for places in the span: aliases, entries of assembly.  A weak name
 * may belong to another function in the running kernel, so it says nothing.
 */
static void add_inner_symbols(struct manip *manip, const struct span *span, uint32_t index)
{
	const struct section *section = span->section;
	uint64_t start = span->offset + span->entry;
	size_t i;

	for (i = find_symbol_index(section, start); i < section->nr_symbols; i++) {
		const struct symbol *symbol = section->symbols[i];

		if (symbol->value > start + compared_size(manip, span))
			break;
		if (symbol == span->symbol || symbol->span != span ||
		    symbol->binding == STB_WEAK || symbol->type == STT_FILE ||
		    *symbol->name == '\0' || symbol->name[0] == '.' ||
		    is_prefix_symbol(symbol->name))
			continue;
		new_old_symbol(manip, symbol->name, index, (uint32_t)(symbol->value - start),
			       symbol->binding == STB_LOCAL ? KSPLICE_SYMBOL_LOCAL : 0);
	}
}

/* Only compared code can tell where it is. */
static bool is_lost(const struct span *span)
{
	size_t i;

	for (i = 0; !span->symbol && i < span->nr_users; i++)
		if (is_text(span->users[i]->section))
			return false;
	return !span->symbol && is_text(span->section);
}

/* A function, constant or other variable, or table: it has one address in the run. */
static void add_placed_span(struct manip *manip, struct block *block, struct span *span)
{
	struct span_info *info = pre_info(manip, span);
	uint32_t kind = info->compared ? KSPLICE_SECTION_DATA :
			is_class(span->section, CLASS_RODATA) ? KSPLICE_SECTION_RODATA :
								KSPLICE_SECTION_TEXT;

	if (span->size <= span->entry || is_lost(span))
		return;
	info->section = 1 + (uint32_t)(block->sections.size / sizeof(struct ksplice_old_section));
	add_section(manip, block, span->section, span->offset + span->entry,
		    compared_size(manip, span), kind, symbol_of_span(manip, span));
	add_inner_symbols(manip, span, info->section - 1);
}

static void add_object_sections(struct manip *manip, struct block *block, struct side *pre)
{
	struct object *object = pre->object;
	struct section *section;
	struct span *span;
	size_t i;

	for_each_section(object, section, i) {
		if (!is_alloc(section) || !section->data || section->size == 0)
			continue;
		for (span = section->spans; span < section->spans + section->nr_spans; span++)
			if (is_placed(section) || pre_info(manip, span)->compared)
				add_placed_span(manip, block, span);
		if (is_class(section, CLASS_STRINGS) || is_class(section, CLASS_CONSTANTS)) {
			pre->sections[i] = 1 + add_section(manip, block, section, 0, section->size,
							   is_class(section, CLASS_STRINGS) ?
								   KSPLICE_SECTION_STRINGS :
								   KSPLICE_SECTION_CONSTANTS,
							   NULL);
		} else if (strcmp(section->name, ".altinstr_replacement") == 0) {
			pre->sections[i] = 1 + add_section(manip, block, section, 0, section->size,
							   KSPLICE_SECTION_REPLACEMENT, NULL);
		}
	}
}

static int add_reloc(struct manip *manip, struct block *block, const struct side *pre,
		     const struct reloc *reloc, uint64_t start, struct ks_error *err)
{
	struct block_reloc out = {
		.reloc = {
			.offset = (uint32_t)(reloc->offset - start),
			.symbol = KSPLICE_NONE,
			.section = KSPLICE_NONE,
			.bias = reloc->bias,
		},
		.string = certain_string(manip, reloc),
	};
	int kind = reloc_kind(pre->object, reloc->type);
	const struct section *target = reloc->span ? reloc->span->section : NULL;
	struct old_place place;
	int64_t past;

	if (kind < 0)
		return ks_error_set(err,
				    "%s: %s+0x%llx: relocation of type %u, which kernel modules do not support",
				    pre->object->path, reloc->section->name,
				    (unsigned long long)reloc->offset, reloc->type);
	out.reloc.kind = (uint8_t)kind;
	if (target && (is_class(target, CLASS_STRINGS) || is_class(target, CLASS_CONSTANTS)) &&
	    pre->sections[target->index] > 0) {
		out.reloc.section = pre->sections[target->index] - 1;
		out.reloc.addend = (int64_t)reloc->span->offset + reloc->span_offset + reloc->bias;
		past = reloc->addend - reloc->bias;
		if (left_element(reloc) && past > 0 && past <= UINT16_MAX)
			out.reloc.past = (uint16_t)past;
	} else {
		place = pre_target(manip, reloc);
		out.symbol = place.symbol;
		out.reloc.addend = place.offset + reloc->bias;
	}
	bytes_append(&block->relocs, &out, sizeof(out));
	return 0;
}

/* Dates and times that lie between @start and @end. */
static void add_dates(const struct manip *manip, struct block *block,
		      const struct section *section, uint64_t base, uint64_t start, uint64_t end)
{
	struct block_reloc out = {
		.reloc = { .symbol = KSPLICE_NONE, .section = KSPLICE_NONE },
	};

	if (!is_class(section, CLASS_RODATA) && !is_class(section, CLASS_STRINGS) &&
	    !is_class(section, CLASS_DATA) && !is_class(section, CLASS_RO_AFTER_INIT))
		return;
	while ((start = find_date(manip, section, start, end, &out.reloc.kind)) < end) {
		out.reloc.offset = (uint32_t)(start++ - base);
		bytes_append(&block->relocs, &out, sizeof(out));
	}
}

static int add_section_relocs(struct manip *manip, struct block *block, struct side *pre,
			      const struct section *section, uint32_t index, uint64_t start,
			      uint64_t size, struct ks_error *err)
{
	struct ksplice_old_section *old;
	uint32_t first = (uint32_t)(block->relocs.size / sizeof(struct block_reloc));
	uint64_t end = start;
	size_t i;

	for (i = find_reloc_index(section, start);
	     i < section->nr_relocs && section->relocs[i].offset < start + size; i++) {
		const struct reloc *reloc = &section->relocs[i];

		if (is_none_reloc(reloc))
			continue;
		if (reloc->offset < end || reloc->length > start + size - reloc->offset)
			return ks_error_set(err, "%s: %s+0x%llx: relocation overlaps with what is next to it",
					    pre->object->path, section->name,
					    (unsigned long long)reloc->offset);
		add_dates(manip, block, section, start, end, reloc->offset);
		if (add_reloc(manip, block, pre, reloc, start, err) != 0)
			return -1;
		end = reloc->offset + reloc->length;
	}
	add_dates(manip, block, section, start, end, start + size);
	old = (struct ksplice_old_section *)block->sections.data + index;
	old->relocs = first;
	old->nr_relocs = (uint32_t)(block->relocs.size / sizeof(struct block_reloc)) - first;
	return 0;
}

static int add_object_relocs(struct manip *manip, struct block *block, struct side *pre,
			     struct ks_error *err)
{
	struct section *section;
	struct span *span;
	size_t i;

	for_each_section(pre->object, section, i) {
		if (pre->sections[i] > 0 &&
		    add_section_relocs(manip, block, pre, section, pre->sections[i] - 1, 0,
				       section->size, err) != 0)
			return -1;
		for (span = section->spans; span < section->spans + section->nr_spans; span++) {
			struct span_info *info = pre_info(manip, span);

			if (info->section == 0)
				continue;
			info->certain = is_certain(manip, span);
			if (add_section_relocs(manip, block, pre, section, info->section - 1,
					       span->offset + span->entry,
					       compared_size(manip, span), err) != 0)
				return -1;
		}
	}
	return 0;
}

int make_old_code(struct manip *manip, struct block *block, struct ks_error *err)
{
	size_t i;

	for (i = 0; i < manip->nr_pairs; i++)
		add_object_sections(manip, block, &manip->pairs[i].pre);
	for (i = 0; i < manip->nr_pairs; i++)
		if (add_object_relocs(manip, block, &manip->pairs[i].pre, err) != 0)
			return -1;
	return add_sites(manip, block, err);
}
