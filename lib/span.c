// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/span.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/names.h"
#include "lib/implicit.h"
#include "lib/text.h"

#define MAX_PARTS	16	/* foo.constprop.0.part.0.cold is two */

struct span *find_span(const struct section *section, uint64_t offset)
{
	size_t low = 0, high = section->nr_spans, middle;

	if (!section->nr_spans)
		return NULL;
	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (section->spans[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	return &section->spans[low];
}

const char *span_name(const struct span *span)
{
	if (span->symbol)
		return span->symbol->name;
	return arena_printf(&span->section->object->arena, "%s+%#" PRIx64, span->section->name,
			    span->offset);
}

/*
 * Symbols that say where something begins.  .L labels are the compiler's own;
 * __BTF_ID__struct__sock__1499 is an element of the list that BTF_ID_LIST() names.
 */
static bool is_boundary(const struct symbol *symbol)
{
	return symbol->type != STT_FILE && symbol->type != STT_SECTION && symbol->name[0] &&
	       strncmp(symbol->name, ".L", 2) && strncmp(symbol->name, "__BTF_ID__", 10);
}

/*
 * Of the names of one address the one that the compiler named the section after
 * (.text.foo), else functions and objects before labels, globals before locals,
 * sized before unsized.
 */
static int symbol_rank(const struct symbol *symbol)
{
	size_t name = strlen(symbol->name), section = strlen(symbol->section->name);
	int rank = 0;

	if (is_prefix_symbol(symbol->name))
		return -1;
	if (section > name && symbol->section->name[section - name - 1] == '.' &&
	    !strcmp(symbol->section->name + section - name, symbol->name))
		rank += 8;
	if (symbol->type == STT_FUNC || symbol->type == STT_OBJECT)
		rank += 4;
	if (symbol->binding == STB_GLOBAL)
		rank += 2;
	if (symbol->size)
		rank += 1;
	return rank;
}

/* Spans of one section while they are being found. */
struct splitter {
	struct section *section;
	struct span *spans;
	size_t count, max;
};

static void begin_splitting(struct splitter *splitter, struct section *section, size_t max)
{
	splitter->section = section;
	splitter->count = 0;
	splitter->max = max;
	splitter->spans = arena_array(&section->object->arena, max, sizeof(*splitter->spans));
}

static struct span *add_span(struct splitter *splitter, uint64_t offset, enum span_kind kind)
{
	struct span *span = &splitter->spans[splitter->count++];

	span->section = splitter->section;
	span->offset = offset;
	span->kind = kind;
	return span;
}

/* Spans are in order of offset; each ends where the next begins. */
static void end_splitting(struct splitter *splitter)
{
	struct section *section = splitter->section;
	size_t i;

	for (i = 0; i < splitter->count; i++)
		splitter->spans[i].size = (i + 1 < splitter->count ? splitter->spans[i + 1].offset :
					   section->size) - splitter->spans[i].offset;
	section->spans = splitter->spans;
	section->nr_spans = splitter->count;
}

static void name_span(struct span *span, struct symbol *symbol)
{
	if (span->symbol && symbol_rank(symbol) <= symbol_rank(span->symbol))
		return;
	span->symbol = symbol;
	span->entry = symbol->value - span->offset;
}

/*
 * Where a symbol's value is and no earlier symbol's range reaches.  A label in
 * the middle of a sized function (or of one whose end is not known because it
 * has no size: then it does begin a span) is part of that function.
 */
static void split_by_symbols(struct section *section)
{
	enum span_kind kind = is_text(section) ? SPAN_FUNCTION : SPAN_DATA;
	struct splitter splitter;
	struct span *span = NULL;
	struct symbol *symbol;
	uint64_t reach = 0;
	bool prefix = false;
	size_t i;

	begin_splitting(&splitter, section, section->nr_symbols + 1);
	for (i = 0; i < section->nr_symbols; i++) {
		symbol = section->symbols[i];
		if (!is_boundary(symbol) || (symbol->value == section->size && symbol->value))
			continue;
		if (!span && symbol->value)
			span = add_span(&splitter, 0, SPAN_ANONYMOUS);
		if (!span || (symbol->value > span->offset && symbol->value >= reach && !prefix)) {
			span = add_span(&splitter, symbol->value, kind);
			reach = symbol->value;
		}
		if (symbol->value == span->offset || prefix)
			name_span(span, symbol);
		/* __pfx_foo and foo are one span, named foo. */
		prefix = is_prefix_symbol(symbol->name) && kind == SPAN_FUNCTION;
		if (symbol->value + symbol->size > reach)
			reach = symbol->value + symbol->size;
	}
	if (!span && section->size)
		add_span(&splitter, 0, SPAN_ANONYMOUS);
	end_splitting(&splitter);
}

/* @unit: bytes of a character: 1, or 2 and 4 for wide strings. */
static void split_strings(struct section *section)
{
	uint64_t unit = section->entsize ? section->entsize : 1, offset, start = 0, i;
	struct splitter splitter;
	size_t count = 1;
	bool end;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		if (pass)
			begin_splitting(&splitter, section, count);
		start = 0;
		for (offset = 0; offset + unit <= section->size; offset += unit) {
			for (end = true, i = 0; i < unit; i++)
				end &= section->data[offset + i] == 0;
			if (!end)
				continue;
			if (pass)
				add_span(&splitter, start, SPAN_STRING);
			start = offset + unit;
			count++;
		}
	}
	if (start < section->size)
		add_span(&splitter, start, SPAN_STRING);	/* no NUL at the end */
	end_splitting(&splitter);
}

static int split_evenly(struct section *section, uint64_t size, enum span_kind kind)
{
	struct splitter splitter;
	uint64_t offset;

	begin_splitting(&splitter, section, section->size / size + 1);
	for (offset = 0; offset < section->size; offset += size)
		add_span(&splitter, offset, kind);
	end_splitting(&splitter);
	return 0;
}

static int split_table(struct section *section, struct ks_error *err)
{
	uint64_t size;

	if (!section->size)
		return 0;
	size = table_entry_size(section, err);
	if (!size)
		return -1;
	return split_evenly(section, size, SPAN_ENTRY);
}

static int compare_offsets(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Where a reloc points, from the start of its symbol's section. */
static int64_t target_position(const struct reloc *reloc)
{
	return (int64_t)reloc->symbol->value + reloc->addend - reloc->bias;
}

/*
 * Each place that something outside of the section refers to begins a span: of
 * anonymous code, like .altinstr_replacement, and of strings between which KASAN
 * wants room, so that they are not in a section of strings.
 */
static void split_at_targets(struct section *section, const uint64_t *targets, size_t count)
{
	struct splitter splitter;
	size_t i;

	begin_splitting(&splitter, section, count + 1);
	if (section->size && (!count || targets[0]))
		add_span(&splitter, 0, SPAN_ANONYMOUS);
	for (i = 0; i < count; i++)
		if (targets[i] < section->size && (!i || targets[i] != targets[i - 1]))
			add_span(&splitter, targets[i], SPAN_ANONYMOUS);
	end_splitting(&splitter);
}

/* Data with a name was divided by its symbols. */
static bool is_divided_by_targets(const struct section *section)
{
	return is_class(section, CLASS_AUX_TEXT) ||
	       (is_class(section, CLASS_RODATA) && section->nr_spans == 1 &&
		!section->spans->symbol);
}

/* Whether what the reloc refers to is the beginning of something in @target. */
static bool is_divider(const struct reloc *reloc, const struct section *target)
{
	const struct section *section = reloc->section;

	if (section == target || is_none_reloc(reloc) || !is_divided_by_targets(target))
		return false;
	if (is_class(target, CLASS_RODATA))
		return (section->kind->flags & KIND_DIVIDES) != 0;
	/* ORC and lock entries point into the middle. */
	return !is_class(section, CLASS_TABLE) || section->kind->site == SITE_ALTERNATIVE ||
	       section->kind->site == SITE_EXTABLE;
}

/* Count the targets in each section, or store them where there is an array. */
static void collect_targets(struct object *object, size_t *counts, uint64_t **targets)
{
	struct section *section, *target;
	struct reloc *reloc;
	size_t i;

	for_each_section(object, section, i) {
		for (reloc = section->relocs; reloc < section->relocs + section->nr_relocs; reloc++) {
			target = reloc->symbol ? reloc->symbol->section : NULL;
			if (!target || !is_divider(reloc, target))
				continue;
			if (targets[target->index])
				targets[target->index][counts[target->index]] =
					target_position(reloc);
			counts[target->index]++;
		}
	}
}

static void split_nameless_sections(struct object *object)
{
	struct section *section;
	uint64_t **targets;
	size_t i, *counts;

	counts = arena_array(&object->arena, object->nr_sections, sizeof(*counts));
	targets = arena_array(&object->arena, object->nr_sections, sizeof(*targets));
	collect_targets(object, counts, targets);
	for_each_section(object, section, i) {
		if (counts[i])
			targets[i] = arena_array(&object->arena, counts[i], sizeof(**targets));
		counts[i] = 0;
	}
	collect_targets(object, counts, targets);
	for_each_section(object, section, i) {
		if (!counts[i] && !is_class(section, CLASS_AUX_TEXT))
			continue;
		if (counts[i])
			qsort(targets[i], counts[i], sizeof(**targets), compare_offsets);
		split_at_targets(section, targets[i], counts[i]);
	}
}

static void set_biases(struct object *object)
{
	struct section *section;
	size_t i, j;

	for_each_section(object, section, i)
		for (j = 0; j < section->nr_relocs; j++)
			section->relocs[j].bias = reloc_bias(&section->relocs[j]);
}

static int split_section(struct section *section, struct ks_error *err)
{
	switch (section->kind->class) {
	case CLASS_NOT_LOADED:
		return 0;
	case CLASS_AUX_TEXT:
		return 0;	/* split_nameless_sections() */
	case CLASS_STRINGS:
		if (section->entsize > 8 || !section->data)
			return ks_error_set(err, "%s: section %s: strings of %" PRIu64
					    " bytes a character", section->object->path,
					    section->name, section->entsize);
		split_strings(section);
		return 0;
	case CLASS_CONSTANTS:
		if (!section->entsize || !section->data)
			return ks_error_set(err, "%s: section %s: constants without a size",
					    section->object->path, section->name);
		return split_evenly(section, section->entsize, SPAN_CONSTANT);
	case CLASS_TABLE:
		return split_table(section, err);
	default:
		split_by_symbols(section);
		return 0;
	}
}

static int split_into_spans(struct object *object, struct ks_error *err)
{
	struct section *section;
	struct symbol *symbol;
	struct span *span;
	size_t i;

	for_each_section(object, section, i)
		if (split_section(section, err))
			return -1;
	split_nameless_sections(object);
	for_each_span(object, section, span, i)
		if (span->symbol)
			span->stem = stem_of(span->symbol->name, &object->arena);
	for (i = 1; i < object->nr_symbols; i++) {
		symbol = object->symbols[i];
		if (symbol && symbol->section)
			symbol->span = find_span(symbol->section, symbol->value);
	}
	return 0;
}

/*
 * A named symbol says which object is meant even when the place is outside of
 * it (array[-1], or a loop that ends past the last element); with a section
 * symbol only the place is known.  Strings are found by place: clang refers to
 * them as .L.str+offset.
 */
static void resolve_reloc(struct reloc *reloc)
{
	struct section *section = reloc->symbol ? reloc->symbol->section : NULL;
	int64_t position;

	if (!section || !section->nr_spans || is_none_reloc(reloc))
		return;
	position = target_position(reloc);
	if (is_section_symbol(reloc->symbol) || is_class(section, CLASS_STRINGS) ||
	    is_class(section, CLASS_CONSTANTS) || is_class(section, CLASS_AUX_TEXT))
		reloc->span = find_span(section, position < 0 ? 0 : (uint64_t)position);
	else
		reloc->span = reloc->symbol->span;
	reloc->span_offset = position - (int64_t)reloc->span->offset;
}

static void resolve_relocs(struct object *object)
{
	struct section *section;
	struct span *span;
	size_t i, j;
	int pass;

	for_each_section(object, section, i)
		for (j = 0; j < section->nr_relocs; j++)
			resolve_reloc(&section->relocs[j]);
	for (pass = 0; pass < 2; pass++) {
		for_each_section(object, section, i) {
			for (j = 0; j < section->nr_relocs; j++) {
				span = section->relocs[j].span;
				if (!span)
					continue;
				if (pass)
					span->users[span->nr_users] = &section->relocs[j];
				span->nr_users++;
			}
		}
		if (pass)
			break;
		for_each_span(object, section, span, i) {
			span->users = arena_array(&object->arena, span->nr_users,
						  sizeof(*span->users));
			span->nr_users = 0;
		}
	}
}

static void number_spans(struct object *object)
{
	struct section *section;
	struct span *span;
	size_t i;

	for_each_span(object, section, span, i)
		span->number = object->nr_spans++;
}

bool is_empty_alternative(const struct span *span)
{
	const unsigned char *bytes = span_bytes(span);

	return span->kind == SPAN_ENTRY && span->section->kind->site == SITE_ALTERNATIVE && bytes &&
	       span->size >= 12 && bytes[span->size == 13 ? 11 : span->size - 1] == 0;
}

static struct span *entry_target(const struct span *entry)
{
	const struct reloc *reloc = find_reloc(entry->section,
					       entry->offset + entry->section->kind->owner);

	return reloc ? reloc->span : NULL;
}

/* The function that uses a piece of anonymous code: jumps to it, or names it in a table. */
static struct span *find_aux_owner(const struct span *aux)
{
	struct span *user;
	size_t i;

	for (i = 0; i < aux->nr_users; i++) {
		if (aux->users[i]->section == aux->section)
			continue;
		user = find_span(aux->users[i]->section, aux->users[i]->offset);
		if (user && is_empty_alternative(user))
			continue;
		if (user && user->kind == SPAN_ENTRY && entry_target(user) != aux)
			user = entry_target(user);
		if (user && user->kind == SPAN_FUNCTION)
			return user;
	}
	return NULL;
}

static void link_owners(struct object *object)
{
	struct section *section;
	struct span *span, *owner, **lasts, **last;
	size_t i;

	for_each_span(object, section, span, i)
		if (is_class(section, CLASS_AUX_TEXT))
			span->owner = find_aux_owner(span);
	/* The last entry of each span so far, by section and span: entries stay in order. */
	number_spans(object);
	lasts = arena_array(&object->arena, object->nr_spans, sizeof(*lasts));
	for_each_span(object, section, span, i) {
		if (span->kind != SPAN_ENTRY)
			continue;
		owner = entry_target(span);
		if (owner && owner->owner && is_class(owner->section, CLASS_AUX_TEXT))
			owner = owner->owner;
		span->owner = owner;
		if (!owner)
			continue;
		last = &lasts[owner->number];
		if (*last)
			(*last)->next_entry = span;
		else
			owner->entries = span;
		*last = span;
	}
}

/* The function @name of the same source file as @symbol. */
static struct span *find_function(struct object *object, const char *name,
				  const struct symbol *symbol)
{
	struct hash_entry *entry = hash_find_all(&object->symbols_by_name, name);
	struct symbol *candidate;
	struct span *found = NULL;

	for (; entry; entry = entry->same) {
		candidate = entry->value;
		if (!candidate->span || candidate->span->kind != SPAN_FUNCTION ||
		    candidate->span->symbol->value != candidate->value)
			continue;
		if (candidate->binding == STB_LOCAL && candidate->file == symbol->file)
			return candidate->span;
		if (candidate->binding != STB_LOCAL)
			found = candidate->span;
	}
	return found;
}

/* More parts of parts than compilers make; and no end when names are in a circle. */
static bool is_too_deep(const struct span *span)
{
	unsigned int depth = 0;

	for (; span->parent; span = span->parent)
		if (++depth > MAX_PARTS)
			return true;
	return false;
}

static void link_parents(struct object *object)
{
	struct section *section;
	struct span *span, *parent;
	size_t i, length;
	char *name;

	for_each_span(object, section, span, i) {
		if (span->kind != SPAN_FUNCTION || !span->symbol)
			continue;
		length = parent_length(span->symbol->name);
		if (!length)
			continue;
		name = arena_strdup(&object->arena, span->symbol->name);
		name[length] = '\0';
		parent = find_function(object, name, span->symbol);
		if (parent != span)
			span->parent = parent;
	}
	for_each_span(object, section, span, i) {
		if (is_too_deep(span))
			span->parent = NULL;
		if (!span->parent)
			continue;
		span->next_part = span->parent->parts;
		span->parent->parts = span;
	}
}

int analyze_object(struct object *object, struct ks_error *err)
{
	if (classify_sections(object, err))
		return -1;
	set_biases(object);
	if (split_into_spans(object, err))
		return -1;
	add_implicit_relocs(object);
	resolve_relocs(object);
	link_owners(object);
	link_parents(object);
	return 0;
}
