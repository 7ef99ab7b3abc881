// SPDX-License-Identifier: GPL-2.0-or-later
/* Turns the tables that annotate code into sites of the old code. */
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "lib/util.h"
#include "objmanip/block.h"

/* f3 0f 1e fa or fb, what indirect branches must land on. */
#define ENDBR_SIZE	4

/* An entry of a table being read. */
struct entry {
	struct manip *manip;
	struct block *block;
	const struct span *span;
	struct section *section;	/* that the site is in */
	uint32_t index;			/* of that section in the block */
	uint64_t offset;		/* of the site in @section */
	uint64_t start;			/* what is offset 0 in the block's section */
	struct ks_error *err;
};

static int bad_entry(const struct entry *entry, const char *reason)
{
	return ks_error_set(entry->err, "%s: %s+0x%llx: %s", entry->span->section->object->path,
			    entry->span->section->name, (unsigned long long)entry->span->offset,
			    reason);
}

/* The reloc at @offset of the entry; NULL when there is none. */
static struct reloc *entry_reloc(const struct entry *entry, uint64_t offset)
{
	return find_reloc(entry->span->section, entry->span->offset + offset);
}

/* Where in the block the place at @reloc is; false when it is not part of it. */
static bool find_place(struct manip *manip, const struct reloc *reloc, uint32_t *index,
		       uint64_t *offset, uint64_t *start)
{
	const struct span *span = reloc->span;
	const struct span_info *info;
	struct pair *pair;
	size_t i;

	if (!span)
		return false;
	*offset = span->offset + (uint64_t)reloc->span_offset;
	info = pre_info(manip, span);
	*index = info->section;
	*start = span->offset + span->entry;
	for (i = 0; *index == 0 && i < manip->nr_pairs; i++) {
		pair = &manip->pairs[i];
		if (pair->pre.object != span->section->object)
			continue;
		*index = pair->pre.sections[span->section->index];
		*start = 0;
	}
	if (*index == 0 || *offset < *start)
		return false;
	(*index)--;
	return true;
}

static int add_site(const struct entry *entry, uint16_t kind, uint16_t length, uint32_t arg,
		    uint32_t arg2, struct old_symbol *symbol)
{
	const struct ksplice_old_section *section =
		(const struct ksplice_old_section *)entry->block->sections.data + entry->index;
	uint64_t offset = entry->offset - entry->start;
	struct block_site site = {
		.site = {
			.offset = (uint32_t)offset,
			.length = length,
			.kind = kind,
			.arg = arg,
			.arg2 = arg2,
		},
		.symbol = symbol,
		.section = entry->index,
		.order = entry->block->sites.size,
	};

	if (offset > section->size || length > section->size - offset)
		return bad_entry(entry, "points outside of its function");
	bytes_append(&entry->block->sites, &site, sizeof(site));
	return 0;
}

/* Length of the instruction at the site, or 0. */
static uint16_t insn_length(const struct entry *entry)
{
	struct ksplice_insn insn;

	if (!entry->section->data || entry->offset >= entry->section->size ||
	    ksplice_insn_decode(&insn, entry->section->data + entry->offset,
				entry->section->size - entry->offset,
				(int)entry->section->object->word_size) != 0)
		return 0;
	return insn.length;
}

static int add_insn_site(const struct entry *entry, uint16_t kind, uint32_t arg, uint32_t arg2,
			 struct old_symbol *symbol)
{
	uint16_t length = insn_length(entry);

	if (length == 0)
		return bad_entry(entry, "does not point to an instruction");
	return add_site(entry, kind, length, arg, arg2, symbol);
}

static bool is_replacement(const struct block *block,
			   const struct ksplice_old_alternative *alternative, uint64_t offset)
{
	const struct ksplice_old_section *section =
		(const struct ksplice_old_section *)block->sections.data + alternative->section;

	return section->kind == KSPLICE_SECTION_REPLACEMENT && offset <= section->size &&
	       alternative->length <= section->size - offset;
}

/*
 * { s32 site, s32 replacement, feature, u8 length, u8 replacement length }: the
 * feature has 2 bytes until 6.2 (one more byte follows in early 5.10), 4 since, of
 * which 2 are flags.
 */
static int add_alternative(const struct entry *entry)
{
	const unsigned char *bytes = span_bytes(entry->span);
	uint64_t lengths = entry->span->size >= 14 ? 12 : 10;
	const struct reloc *replacement = entry_reloc(entry, 4);
	struct ksplice_old_alternative alternative = { .section = 0 };
	struct block_site *last;
	uint64_t offset, start;
	uint32_t count;

	if (!bytes || entry->span->size < 12)
		return bad_entry(entry, "too short for an alternative");
	/* 5.13 to 5.15: objtool has the replacement of a call of a thunk elsewhere. */
	if (replacement && !replacement->span && replacement->symbol &&
	    strstarts(replacement->symbol->name, "__x86_indirect_alt_"))
		return add_insn_site(entry, KSPLICE_SITE_RETPOLINE, 0, 0, NULL);
	alternative.feature = (uint32_t)(bytes[8] | bytes[9] << 8);
	if (lengths == 12)
		alternative.feature |= (uint32_t)bytes[10] << 16 | (uint32_t)bytes[11] << 24;
	alternative.length = bytes[lengths + 1];
	if (alternative.length > 0) {
		if (!replacement || !find_place(entry->manip, replacement, &alternative.section,
						&offset, &start) ||
		    !is_replacement(entry->block, &alternative, offset))
			return bad_entry(entry, "an alternative without its replacement");
		alternative.offset = (uint32_t)offset;
	} else {
		/* Nothing but nops: any replacement section has zero bytes to give. */
		alternative.offset = 0;
	}
	count = (uint32_t)(entry->block->alternatives.size / sizeof(alternative));
	bytes_append(&entry->block->alternatives, &alternative, sizeof(alternative));
	if (entry->block->sites.size > 0) {
		last = (struct block_site *)(entry->block->sites.data + entry->block->sites.size) - 1;
		if (last->site.kind == KSPLICE_SITE_ALTERNATIVE && last->section == entry->index &&
		    last->site.offset == entry->offset - entry->start &&
		    last->site.length == bytes[lengths]) {
			last->site.arg2++;
			return 0;
		}
	}
	if (bytes[lengths] == 0)
		return bad_entry(entry, "an alternative for no code");
	return add_site(entry, KSPLICE_SITE_ALTERNATIVE, bytes[lengths], count, 1, NULL);
}

/* { pointer site, u8 slot of pv_ops, u8 length } until 6.7 */
static int add_paravirt(const struct entry *entry)
{
	unsigned int word = entry->section->object->word_size;
	const unsigned char *bytes = span_bytes(entry->span);

	if (!bytes || entry->span->size < word + 2 || bytes[word + 1] == 0)
		return bad_entry(entry, "not a paravirt call");
	return add_site(entry, KSPLICE_SITE_PARAVIRT, bytes[word + 1], 0, bytes[word],
			place_by_name(entry->manip, "pv_ops").symbol);
}

static bool is_in_text(const struct block *block, uint32_t index, uint64_t offset)
{
	const struct ksplice_old_section *section =
		(const struct ksplice_old_section *)block->sections.data + index;

	return section->kind == KSPLICE_SECTION_TEXT && offset <= section->size;
}

/* { s32 site, s32 label, pointer-sized key }; three pointers before 4.20 */
static int add_jump_label(const struct entry *entry)
{
	const struct reloc *label = entry_reloc(entry, entry->span->size == 24 ? 8 : 4);
	uint64_t offset, start;
	uint32_t index;

	if (!label || !find_place(entry->manip, label, &index, &offset, &start) ||
	    !is_in_text(entry->block, index, offset - start))
		return bad_entry(entry, "a jump label that is nowhere");
	return add_insn_site(entry, KSPLICE_SITE_JUMP_LABEL, index, (uint32_t)(offset - start),
			     NULL);
}

/*
 * { s32 site, s32 key }; the low bits of the key are flags.  For a module that may
 * make a call but not change it, objtool puts the trampoline for the key, which the
 * loader replaces (create_static_call_sections() in tools/objtool/check.c of 6.1).
 */
static int add_static_call(const struct entry *entry)
{
	static const char trampoline[] = "__SCT__";
	const struct reloc *key = entry_reloc(entry, 4);
	struct old_symbol *symbol;
	const char *name;

	if (!key)
		return bad_entry(entry, "a static call without a key");
	name = key->symbol ? key->symbol->name : "";
	if (strstarts(name, trampoline))
		symbol = place_by_name(entry->manip,
				       arena_printf(&entry->manip->arena, "__SCK__%s",
						    name + strlen(trampoline))).symbol;
	else
		symbol = pre_target(entry->manip, key).symbol;
	return add_insn_site(entry, KSPLICE_SITE_STATIC_CALL, 0, 0, symbol);
}

const char *runtime_variable(const struct section *table)
{
	static const char pointer[] = "runtime_ptr_", shift[] = "runtime_shift_";

	return table->name + (strstarts(table->name, pointer) ? strlen(pointer) : strlen(shift));
}

/*
 * { s32 field } of runtime_ptr_NAME (8 bytes) or runtime_shift_NAME (1 byte): the
 * immediate operand at the end of an instruction.
 */
static int add_runtime(const struct entry *entry)
{
	const char *name = runtime_variable(entry->span->section);
	bool is_pointer = strstarts(entry->span->section->name, "runtime_ptr_");
	uint32_t field = is_pointer ? entry->section->object->word_size : 1;
	struct entry insn = *entry;
	uint64_t end;

	if (!find_insn(entry->section, entry->offset, &insn.offset, &end) ||
	    insn.offset < entry->start || insn.offset == entry->offset ||
	    end != entry->offset + field)
		return bad_entry(entry, "is not the last operand of an instruction");
	return add_site(&insn, KSPLICE_SITE_RUNTIME, (uint16_t)(end - insn.offset), 0, field,
			place_by_name(entry->manip, name).symbol);
}

static int add_entry(const struct entry *entry)
{
	switch (entry->span->section->kind->site) {
	case SITE_ALTERNATIVE:
		return add_alternative(entry);
	case SITE_PARAVIRT:
		return add_paravirt(entry);
	case SITE_RETPOLINE:
		return add_insn_site(entry, KSPLICE_SITE_RETPOLINE, 0, 0, NULL);
	case SITE_RETURN:
		return add_insn_site(entry, KSPLICE_SITE_RETURN, 0, 0, NULL);
	case SITE_LOCK:
		return add_site(entry, KSPLICE_SITE_LOCK, 1, 0, 0, NULL);
	case SITE_JUMP_LABEL:
		return add_jump_label(entry);
	case SITE_STATIC_CALL:
		return add_static_call(entry);
	case SITE_RUNTIME:
		return add_runtime(entry);
	case SITE_CALL:
		return add_insn_site(entry, KSPLICE_SITE_CALL, 0, 0, NULL);
	case SITE_FENTRY:
		return add_insn_site(entry, KSPLICE_SITE_FENTRY, 0, 0, NULL);
	case SITE_ENDBR:	/* every ENDBR has a site, see add_endbr() */
	case SITE_BUG:
	case SITE_EXTABLE:
	case SITE_NONE:
		break;
	}
	return 0;
}

static int add_table(struct manip *manip, struct block *block, const struct section *table,
		     struct ks_error *err)
{
	struct entry entry = { .manip = manip, .block = block, .err = err };
	const struct span *span;
	const struct reloc *owner;

	for (span = table->spans; span < table->spans + table->nr_spans; span++) {
		owner = find_reloc(table, span->offset + table->kind->owner);
		entry.span = span;
		if (!owner)
			return bad_entry(&entry, "an entry that belongs to nothing");
		/* Code that is not compared, like __init, needs no sites. */
		if (!find_place(manip, owner, &entry.index, &entry.offset, &entry.start))
			continue;
		entry.section = owner->span->section;
		if (add_entry(&entry) != 0)
			return -1;
	}
	return 0;
}

/* Functions that begin with ENDBR: boot may seal it, and jumps go after it. */
static void add_endbr(struct manip *manip, struct block *block, const struct section *section)
{
	const struct span *span;

	for (span = section->spans; span < section->spans + section->nr_spans; span++) {
		const struct span_info *info = pre_info(manip, span);
		struct entry entry = {
			.block = block,
			.index = info->section - 1,
			.offset = span->offset + span->entry,
			.start = span->offset + span->entry,
		};

		if (info->section > 0 && has_endbr(span))
			(void)add_site(&entry, KSPLICE_SITE_ENDBR, ENDBR_SIZE, 0, 0, NULL);
	}
}

static int compare_sites(const void *a, const void *b)
{
	const struct block_site *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	if (x->site.offset != y->site.offset)
		return x->site.offset < y->site.offset ? -1 : 1;
	if (x->site.length != y->site.length)
		return x->site.length > y->site.length ? -1 : 1;
	if (x->site.kind != y->site.kind)
		return x->site.kind < y->site.kind ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Sites are sorted by section; each section gets its range of them. */
static void assign_sites(struct block *block)
{
	struct ksplice_old_section *sections = (void *)block->sections.data;
	struct block_site *sites = (void *)block->sites.data;
	size_t count = block->sites.size / sizeof(*sites), i;

	if (count > 0)
		qsort(sites, count, sizeof(*sites), compare_sites);
	for (i = 0; i < count; i++) {
		struct ksplice_old_section *section = &sections[sites[i].section];

		if (section->nr_sites == 0)
			section->sites = (uint32_t)i;
		section->nr_sites++;
	}
}

int add_sites(struct manip *manip, struct block *block, struct ks_error *err)
{
	struct section *section;
	size_t i, j;

	for (i = 0; i < manip->nr_pairs; i++) {
		for_each_section(manip->pairs[i].pre.object, section, j) {
			if (is_class(section, CLASS_TABLE) && section->kind->site != SITE_NONE &&
			    add_table(manip, block, section, err) != 0)
				return -1;
			if (is_text(section) && section->data)
				add_endbr(manip, block, section);
		}
	}
	assign_sites(block);
	return 0;
}
