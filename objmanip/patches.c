// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables of an update that the core reads: functions to replace, code that must
 * not be in use meanwhile, places to fill in, and hooks (struct ksplice_patch,
 * ksplice_range, ksplice_write and ksplice_hook of kmodsrc/ksplice.h: three words
 * each).
 */
#include <string.h>

#include "lib/util.h"
#include "objmanip/patches.h"

/* What is left of a function behind ENDBR and the slot of ftrace must hold a jump. */
#define ENDBR_SIZE	4
#define FENTRY_SIZE	5
#define JUMP_SIZE	5

struct tables {
	struct manip *manip;
	struct out_section *patches, *ranges, *writes, *constants, *hooks, *strings;
	uint32_t word_reloc;	/* type of a reloc for a pointer */
	unsigned int word;
};

static struct out_section *add_table(struct manip *manip, const char *name, const char *start)
{
	struct out_section *section = out_section_add(manip->new_code, name, SHT_PROGBITS,
						      SHF_ALLOC, manip->word_size, 0);

	out_symbol_add(manip->new_code, start, section, 0, 0, STT_OBJECT, STB_GLOBAL);
	return section;
}

static void end_table(struct manip *manip, struct out_section *section, const char *end)
{
	out_symbol_add(manip->new_code, end, section, section->size, 0, STT_NOTYPE, STB_GLOBAL);
}

static void add_pointer(struct tables *tables, struct out_section *section, uint64_t offset,
			struct out_symbol *symbol, uint64_t addend)
{
	out_reloc_add(tables->manip->new_code, section, offset, tables->word_reloc, symbol,
		      (int64_t)addend);
}

static void add_name(struct tables *tables, struct out_section *section, uint64_t offset,
		     const char *name)
{
	struct out_object *out = tables->manip->new_code;
	uint64_t string = out_section_append(out, tables->strings, name, strlen(name) + 1, 1);

	add_pointer(tables, section, offset, out_section_symbol(out, tables->strings), string);
}

/* Where a span was in the run, and where its copy is. */
static void add_replaced(struct tables *tables, struct out_section *table, struct span *post)
{
	struct manip *manip = tables->manip;
	const struct span_info *info = post_info(manip, post);
	struct old_symbol *old = symbol_of_span(manip, post->twin);
	uint64_t at = out_section_append(manip->new_code, table, NULL, 3 * tables->word, tables->word);

	add_pointer(tables, table, at, import_symbol(manip, old), 0);
	add_pointer(tables, table, at + tables->word,
		    out_section_symbol(manip->new_code, info->out),
		    info->out_offset + post->entry);
	add_name(tables, table, at + 2 * tables->word, span_name(post->twin));
}

static void add_patch(struct tables *tables, struct span *post)
{
	symbol_of_span(tables->manip, post->twin)->flags |= KSPLICE_SYMBOL_REPLACED;
	add_replaced(tables, tables->patches, post);
}

/* The function and its parts: a task in foo.cold returns into the middle of foo. */
static void add_ranges(struct tables *tables, struct span *pre)
{
	struct manip *manip = tables->manip;
	uint64_t at = out_section_append(manip->new_code, tables->ranges, NULL, 3 * tables->word,
					 tables->word);
	uint64_t size = pre->size - pre->entry;
	struct span *part;

	add_pointer(tables, tables->ranges, at, import_symbol(manip, symbol_of_span(manip, pre)), 0);
	memcpy(tables->ranges->data + at + tables->word, &size, tables->word);
	add_name(tables, tables->ranges, at + 2 * tables->word, span_name(pre));
	for (part = pre->parts; part; part = part->next_part)
		add_ranges(tables, part);
}

/* An entry of .ksplice_writes; returns its offset. */
static uint64_t add_write(struct tables *tables, uint64_t size)
{
	uint64_t at = out_section_append(tables->manip->new_code, tables->writes, NULL,
					 3 * tables->word, tables->word);

	memcpy(tables->writes->data + at + 2 * tables->word, &size, tables->word);
	return at;
}

/* Is the kernel one with IBT, so that its compiler makes ENDBR? */
static bool is_for_ibt(const struct manip *manip)
{
	struct section *section;
	struct span *span;
	size_t i, j;

	for (i = 0; i < manip->nr_pairs; i++)
		for_each_span(manip->pairs[i].pre.object, section, span, j)
			if (span->kind == SPAN_FUNCTION && has_endbr(span))
				return true;
	return false;
}

/* Functions whose address the new code takes, which boot may have sealed. */
static void add_pointed(struct tables *tables)
{
	struct manip *manip = tables->manip;
	size_t i;

	if (!is_for_ibt(manip))
		return;
	for (i = 0; i < manip->labels.count; i++) {
		struct old_symbol *symbol = manip->labels.items[i];

		if (symbol->pointed)
			add_pointer(tables, tables->writes, add_write(tables, ENDBR_SIZE),
				    symbol->import, 0);
	}
}

/* The constants of new code that boot would set; see add_runtime() in sites.c. */
static void add_runtime_table(struct tables *tables, struct section *table)
{
	struct manip *manip = tables->manip;
	const char *variable = runtime_variable(table);
	bool whole = strstarts(table->name, "runtime_ptr_");
	struct span *entry;

	for (entry = table->spans; entry < table->spans + table->nr_spans; entry++) {
		const struct span_info *info = post_info(manip, entry);
		const struct reloc *owner = find_reloc(table, entry->offset);
		struct out_symbol *symbol;
		int64_t addend;
		uint64_t at;

		if (!info->kept || !owner)
			continue;
		symbol = symbol_of_reference(manip, owner, &addend);
		at = add_write(tables, whole ? tables->word : 1);
		add_pointer(tables, tables->writes, at, symbol, (uint64_t)addend);
		add_pointer(tables, tables->writes, at + tables->word,
			    import_symbol(manip, place_by_name(manip, variable).symbol), 0);
	}
}

static void add_runtime_constants(struct tables *tables)
{
	struct section *section;
	size_t i, j;

	for (i = 0; i < tables->manip->nr_pairs; i++)
		for_each_section(tables->manip->pairs[i].post.object, section, j)
			if (is_class(section, CLASS_TABLE) && section->kind->site == SITE_RUNTIME)
				add_runtime_table(tables, section);
}

/* Of the entry that a macro of kmodsrc/ksplice-patch.h made: { function, kind }. */
static void add_hook(struct tables *tables, const struct span *entry)
{
	struct manip *manip = tables->manip;
	const struct reloc *reloc = find_reloc(entry->section, entry->offset);
	const struct span_info *info = post_info(manip, reloc->span);
	uint64_t at = out_section_append(manip->new_code, tables->hooks, NULL, 3 * tables->word,
					 tables->word);

	add_pointer(tables, tables->hooks, at, out_section_symbol(manip->new_code, info->out),
		    info->out_offset + reloc->span->entry);
	memcpy(tables->hooks->data + at + tables->word, span_bytes(entry) + tables->word,
	       tables->word);
	add_name(tables, tables->hooks, at + 2 * tables->word, span_name(reloc->span));
}

static bool is_hook_of_kind(const struct span *entry, const unsigned char *kind)
{
	unsigned int word = entry->section->object->word_size;

	return strcmp(entry->section->name, HOOK_SECTION) == 0 && span_bytes(entry) &&
	       entry->size == 2 * word && memcmp(span_bytes(entry) + word, kind, word) == 0;
}

bool is_hook_of_base(const struct span *entry)
{
	const struct reloc *reloc = find_reloc(entry->section, entry->offset);
	const struct span *pre = reloc && reloc->span ? reloc->span->twin : NULL;
	unsigned int word = entry->section->object->word_size;
	size_t i;

	if (!pre || !span_bytes(entry) || entry->size != 2 * word)
		return false;
	for (i = 0; i < pre->nr_users; i++) {
		const struct span *user = find_span(pre->users[i]->section, pre->users[i]->offset);

		if (user && is_hook_of_kind(user, span_bytes(entry) + word))
			return true;
	}
	return false;
}

static void add_hooks(struct tables *tables, const struct object *post)
{
	const struct section *section;
	const struct span *entry;
	size_t i;

	for_each_section(post, section, i) {
		if (strcmp(section->name, HOOK_SECTION) != 0)
			continue;
		for (entry = section->spans; entry < section->spans + section->nr_spans; entry++)
			if (!is_hook_of_base(entry))
				add_hook(tables, entry);
	}
}

const char *why_no_hook(const struct span *entry)
{
	const struct reloc *reloc = find_reloc(entry->section, entry->offset);
	struct span *span = reloc ? reloc->span : NULL;

	if (!span_bytes(entry) || entry->size != 2 * entry->section->object->word_size)
		return "this is not the hook that a macro of ksplice-patch.h makes";
	if (!span)
		return "a hook must be a function of the same file";
	if (!is_class(span->section, CLASS_TEXT) || span->kind != SPAN_FUNCTION || span->parent ||
	    reloc->span_offset != (int64_t)span->entry)
		return "this hook is not a function that stays (as one that is __init does not)";
	if (span->status != SPAN_NEW && span->status != SPAN_CHANGED)
		return "a hook must be a function that the patch adds";
	return NULL;
}

/* The first entry of such a table for a place in [@start, @end) of the function. */
static bool has_site(const struct span *span, enum section_site site, uint64_t start, uint64_t end)
{
	const struct span *entry;
	const struct reloc *owner;

	for (entry = span->entries; entry; entry = entry->next_entry) {
		if (entry->section->kind->site != site)
			continue;
		owner = find_reloc(entry->section, entry->offset + entry->section->kind->owner);
		if (owner && owner->span == span && owner->span_offset >= (int64_t)start &&
		    owner->span_offset < (int64_t)end)
			return true;
	}
	return false;
}

const char *why_no_jump(const struct span *span)
{
	uint64_t offset = span->entry;
	const struct reloc *reloc;

	if (!span_bytes(span))
		return "it has no code";
	if (has_endbr(span))
		offset += ENDBR_SIZE;
	/* A call, or a nop that objtool made of it and that only the table tells. */
	reloc = find_reloc(span->section, span->offset + offset + 1);
	if ((reloc && reloc->symbol && strcmp(reloc->symbol->name, "__fentry__") == 0) ||
	    has_site(span, SITE_FENTRY, offset, offset + 1))
		offset += FENTRY_SIZE;
	if (span->size < offset + JUMP_SIZE)
		return "it is too short for a jump to its replacement; patch its callers instead";
	if (has_site(span, SITE_JUMP_LABEL, offset, offset + JUMP_SIZE) ||
	    has_site(span, SITE_STATIC_CALL, offset, offset + JUMP_SIZE))
		return "it begins with code that the kernel rewrites, where a jump to its replacement must be; patch its callers instead";
	return NULL;
}

void make_patches(struct manip *manip)
{
	struct tables tables = {
		.manip = manip,
		.word = manip->word_size,
		.word_reloc = manip->word_size == 8 ? R_X86_64_64 : R_386_32,
	};
	struct section *section;
	struct span *span;
	size_t i, j;

	tables.patches = add_table(manip, ".ksplice_patches", "ksplice_patches");
	tables.ranges = add_table(manip, ".ksplice_ranges", "ksplice_ranges");
	tables.writes = add_table(manip, ".ksplice_writes", "ksplice_writes");
	tables.constants = add_table(manip, ".ksplice_constant_table", "ksplice_constants");
	tables.hooks = add_table(manip, ".ksplice_hook_table", "ksplice_hooks");
	tables.strings = out_section_add(manip->new_code, ".rodata.str.ksplice", SHT_PROGBITS,
					 SHF_ALLOC, 1, 0);
	for (i = 0; i < manip->nr_pairs; i++)
		for_each_span(manip->pairs[i].post.object, section, span, j) {
			if (post_info(manip, span)->in_place)
				add_replaced(&tables, tables.constants, span);
			if (!is_class(section, CLASS_TEXT) || span->kind != SPAN_FUNCTION ||
			    span->parent || span->status != SPAN_CHANGED || !span->twin)
				continue;
			add_patch(&tables, span);
			add_ranges(&tables, span->twin);
		}
	add_runtime_constants(&tables);
	add_pointed(&tables);
	end_table(manip, tables.writes, "ksplice_writes_end");
	for (i = 0; i < manip->nr_pairs; i++)
		add_hooks(&tables, manip->pairs[i].post.object);
	end_table(manip, tables.patches, "ksplice_patches_end");
	end_table(manip, tables.ranges, "ksplice_ranges_end");
	end_table(manip, tables.constants, "ksplice_constants_end");
	end_table(manip, tables.hooks, "ksplice_hooks_end");
}
