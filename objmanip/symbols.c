// SPDX-License-Identifier: GPL-2.0-or-later
/* Symbols: what references of pre and post objects mean in the running kernel. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/names.h"
#include "lib/util.h"
#include "objmanip/manip.h"

/* Of a symbol's name, this much is repeated in its label for human readers. */
#define LABEL_NAME_MAX	20

void pointers_add(struct manip *manip, struct pointers *list, void *item)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		void **items = arena_array(&manip->arena, room, sizeof(*items));

		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
		list->room = room;
	}
	list->items[list->count++] = item;
}

void add_note(struct manip *manip, struct pointers *list, const struct object *object,
	      const char *symbol, const char *reason)
{
	struct note *note = list->count > 0 ? list->items[list->count - 1] : NULL;

	/* Many references of one function may have the same fault. */
	if (note && strcmp(note->symbol, symbol) == 0 && strcmp(note->reason, reason) == 0)
		return;
	note = arena_alloc(&manip->arena, sizeof(*note));
	note->file = object->path;
	note->symbol = symbol;
	note->reason = reason;
	pointers_add(manip, list, note);
}

static struct span_info *span_info(struct side *side, const struct span *span)
{
	return &side->spans[span->section->index][span - span->section->spans];
}

struct span_info *pre_info(struct manip *manip, const struct span *span)
{
	size_t i;

	for (i = 0; i < manip->nr_pairs; i++)
		if (manip->pairs[i].pre.object == span->section->object)
			return span_info(&manip->pairs[i].pre, span);
	return NULL;
}

struct span_info *post_info(struct manip *manip, const struct span *span)
{
	size_t i;

	for (i = 0; i < manip->nr_pairs; i++)
		if (manip->pairs[i].post.object == span->section->object)
			return span_info(&manip->pairs[i].post, span);
	return NULL;
}

static void collect_from(struct hash *hash, const struct object *object)
{
	size_t i;

	for (i = 1; i < object->nr_symbols; i++) {
		struct symbol *symbol = object->symbols[i];

		if (symbol && symbol->binding != STB_LOCAL && symbol->place == SYMBOL_DEFINED &&
		    symbol->span)
			hash_add(hash, symbol->name, symbol);
	}
}

void collect_definitions(struct manip *manip)
{
	size_t i;

	hash_init(&manip->globals, &manip->arena, 4096);
	hash_init(&manip->definitions, &manip->arena, 4096);
	hash_init(&manip->post_definitions, &manip->arena, 4096);
	hash_init(&manip->natives, &manip->arena, 64);
	for (i = 0; i < manip->nr_pairs; i++) {
		collect_from(&manip->definitions, manip->pairs[i].pre.object);
		collect_from(&manip->post_definitions, manip->pairs[i].post.object);
	}
}

struct old_symbol *new_old_symbol(struct manip *manip, const char *name, uint32_t section,
				  uint32_t offset, uint32_t flags)
{
	struct old_symbol *symbol = arena_alloc(&manip->arena, sizeof(*symbol));

	symbol->name = strlen(name) < KSPLICE_STRING_MAX ? name : "";
	symbol->section = section;
	symbol->offset = offset;
	symbol->flags = flags;
	pointers_add(manip, &manip->symbols, symbol);
	return symbol;
}

/*
 * The compiler numbers the variables of all functions of a file, so in an update upon
 * others, whose source has more of them, the kernel has another one of that name.  The code
 * that refers to it tells which it is.
 */
static bool has_other_name(const struct manip *manip, const struct span *span)
{
	return manip->based && !is_text(span->section) && span->symbol->binding == STB_LOCAL &&
	       is_numbered(span->symbol->name);
}

struct old_symbol *symbol_of_span(struct manip *manip, const struct span *span)
{
	struct span_info *info = pre_info(manip, span);
	const char *name = "";
	uint32_t flags = KSPLICE_SYMBOL_LOCAL;
	bool nameless = false;

	if (info->symbol)
		return info->symbol;
	if (span->symbol) {
		nameless = has_other_name(manip, span);
		name = nameless ? "" : span->symbol->name;
		if (span->symbol->binding != STB_LOCAL)
			flags = 0;
		if (span->symbol->binding == STB_WEAK)
			flags |= KSPLICE_SYMBOL_WEAK;
	}
	if (!is_text(span->section))
		flags |= KSPLICE_SYMBOL_DATA;
	if (is_class(span->section, CLASS_METADATA))
		flags |= KSPLICE_SYMBOL_ANY;
	info->symbol = new_old_symbol(manip, name, info->section > 0 ? info->section - 1 : KSPLICE_NONE,
				      0, flags);
	if (nameless)
		info->symbol->stem = span->stem;
	return info->symbol;
}

struct old_place place_by_name(struct manip *manip, const char *name)
{
	struct symbol *definition = hash_find(&manip->definitions, name);
	struct old_place place = { .offset = 0 };

	/* A weak definition may not be the one that the kernel uses. */
	if (definition && definition->binding != STB_WEAK) {
		const struct span *span = definition->span;

		place.symbol = symbol_of_span(manip, span);
		place.offset = (int64_t)(definition->value - span->offset - span->entry);
		return place;
	}
	place.symbol = hash_find(&manip->globals, name);
	if (!place.symbol) {
		place.symbol = new_old_symbol(manip, name, KSPLICE_NONE, 0, 0);
		hash_add(&manip->globals, name, place.symbol);
	}
	return place;
}

struct old_place pre_target(struct manip *manip, const struct reloc *reloc)
{
	struct old_place place;

	if (reloc->span && !(reloc->symbol && reloc->symbol->binding == STB_WEAK)) {
		place.symbol = symbol_of_span(manip, reloc->span);
		place.offset = reloc->span_offset - (int64_t)reloc->span->entry;
		return place;
	}
	place = place_by_name(manip, reloc->symbol ? reloc->symbol->name : "");
	place.offset += reloc->addend - reloc->bias;
	return place;
}

/* name__ks_ID_NUMBER: unique, and short enough for __versions (55 characters). */
static const char *make_label(struct manip *manip, const char *name, size_t number)
{
	char *label = arena_printf(&manip->arena, "%.*s__ks_%s_%zu", LABEL_NAME_MAX, name,
				   manip->id, number);
	char *c;

	for (c = label; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
	return label;
}

struct out_symbol *import_symbol(struct manip *manip, struct old_symbol *symbol)
{
	if (!symbol->label) {
		symbol->label = make_label(manip, symbol->stem ? symbol->stem : symbol->name,
					   manip->labels.count);
		symbol->import = out_symbol_add(manip->new_code, symbol->label, NULL, 0, 0,
						STT_NOTYPE, STB_GLOBAL);
		pointers_add(manip, &manip->labels, symbol);
	}
	return symbol->import;
}

/*
 * Thunks: the loader and objtool's tables know them by name.  Tracing: modules
 * get it from the kernel like this.  KASAN: these are exported (mm/kasan/generic.c),
 * and objtool knows by their names that they may be called between stac and clac.  Shadow
 * data: from the core, where the kernel has no functions for that (kmodsrc/shadow.c).
 * Exports: where kallsyms has no variables.
 */
bool is_native_import(const struct manip *manip, const char *name)
{
	return (manip->imports.buckets && hash_find(&manip->imports, name)) ||
	       strstarts(name, "__x86_indirect_thunk_") ||
	       strstarts(name, "__x86_indirect_alt_") ||
	       strstarts(name, "__x86_indirect_call_thunk_") ||
	       strstarts(name, "__x86_indirect_jump_thunk_") ||
	       strcmp(name, "__x86_return_thunk") == 0 || strcmp(name, "__fentry__") == 0 ||
	       strstarts(name, "__asan_") || strstarts(name, "__kasan_check_") ||
	       strstarts(name, "ksplice_shadow_");
}
