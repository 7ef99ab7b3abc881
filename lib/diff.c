// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/diff.h"

#include <stdlib.h>
#include <string.h>

#include "lib/compare.h"
#include "lib/export.h"
#include "lib/lines.h"
#include "lib/lookup.h"
#include "lib/marks.h"
#include "lib/names.h"
#include "lib/spread.h"
#include "lib/twin.h"

static void add_named(struct diff *diff, struct diff_list *list, const char *name,
		      struct span *pre, struct span *post, const char *reason)
{
	struct diff_item *items;

	if (list->count == list->max) {
		list->max = list->max ? list->max * 2 : 16;
		items = arena_array(&diff->arena, list->max, sizeof(*items));
		if (list->count)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
	}
	list->items[list->count++] = (struct diff_item){
		.name = name, .pre = pre, .post = post, .reason = reason,
	};
}

static void add_item(struct diff *diff, struct diff_list *list, struct span *pre,
		     struct span *post, const char *reason)
{
	add_named(diff, list, span_name(pre ? pre : post), pre, post, reason);
}

static int compare_items(const void *a, const void *b)
{
	const struct diff_item *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void sort_list(struct diff_list *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_items);
}

static bool is_variable(const struct span *span)
{
	switch (span->section->kind->class) {
	case CLASS_DATA:
	case CLASS_BSS:
	case CLASS_PERCPU:
	case CLASS_RO_AFTER_INIT:
		return span->symbol && !is_private_static(span->symbol->name);
	default:
		return false;
	}
}

static bool is_named_constant(const struct span *span)
{
	return span->symbol && is_fixed(span) && !is_private_static(span->symbol->name);
}

static void set_status(struct span *span, enum span_status status)
{
	span->status = status;
	if (span->twin)
		span->twin->status = status;
}

/*
 * What is left of a function foo that was inlined may be foo.part.0 alone.  Where
 * foo has no twin and foo.part.0 has one, that is a function of its own.
 */
static void detach_parts(struct object *object)
{
	struct section *section;
	struct span *span, *part, *next;
	size_t i;

	for_each_span(object, section, span, i) {
		if (span->twin || !span->parts)
			continue;
		part = span->parts;
		span->parts = NULL;
		for (; part; part = next) {
			next = part->next_part;
			part->next_part = NULL;
			if (part->twin) {
				part->parent = NULL;
				continue;
			}
			part->next_part = span->parts;
			span->parts = part;
		}
	}
}

static void mark_pair(struct span *span)
{
	mark_unit(span);
	mark_unit(span->twin);
}

/* Functions that may differ in lines only are SPAN_UNKNOWN until all is seen. */
static void compare_functions(struct object *pre, struct lines *lines)
{
	struct section *section;
	struct span *span;
	bool same, entries;
	size_t i;

	for_each_span(pre, section, span, i) {
		if (!is_function(span) || !span->twin)
			continue;
		entries = is_same_entries(span, span->twin);
		same = entries && is_same_code(span, span->twin);
		if (entries && (same || add_line_candidate(lines, span, span->twin)))
			add_bug_lines(lines, span, span->twin);
		else
			mark_pair(span);
		if (same && span->status != SPAN_CHANGED)
			set_status(span, SPAN_SAME);
	}
}

static void settle_lines(struct lines *lines)
{
	struct line_point *point;

	judge_lines(lines);
	for (point = lines->points; point < lines->points + lines->count; point++) {
		if (point->rejected)
			mark_pair(point->unit);
		else if (point->candidate && point->unit->status != SPAN_CHANGED)
			set_status(point->unit, SPAN_SAME);
	}
}

/* Of what was not found to be changed as a whole; a part stands for its function. */
static void report_lines(struct diff *diff, const struct lines *lines)
{
	struct diff_list *list = &diff->functions_line_only;
	struct line_point *point;
	struct span *unit;
	size_t i, kept = 0;

	for (point = lines->points; point < lines->points + lines->count; point++) {
		unit = span_unit(point->unit);
		if (point->candidate && unit->status == SPAN_SAME)
			add_item(diff, list, unit, unit->twin, NULL);
	}
	sort_list(list);
	for (i = 0; i < list->count; i++)
		if (!kept || list->items[kept - 1].pre != list->items[i].pre)
			list->items[kept++] = list->items[i];
	list->count = kept;
}

static void mark_unpaired(struct object *object, enum span_status status)
{
	struct section *section;
	struct span *span;
	size_t i;

	for_each_span(object, section, span, i)
		if (!span->twin && span->symbol && span->status == SPAN_UNKNOWN &&
		    (is_function(span) || is_variable(span) || is_named_constant(span)))
			span->status = status;
}

static void report_changed_function(struct diff *diff, struct span *span)
{
	struct span *post = span->twin;

	if (is_class(span->section, CLASS_INIT_TEXT) && is_class(post->section, CLASS_INIT_TEXT))
		add_item(diff, &diff->skipped, span, post,
			 "only runs while booting (__init) or unloading, so a running kernel does "
			 "not need the change");
	else if (is_class(span->section, CLASS_INIT_TEXT))
		add_item(diff, &diff->refused, span, post,
			 "was __init, so its code is gone; a new name for it would work");
	else if (is_class(span->section, CLASS_FIXED_TEXT))
		add_item(diff, &diff->refused, span, post,
			 arena_printf(&diff->arena, "code in %s can not be replaced",
				      span->section->name));
	else
		add_item(diff, &diff->functions_changed, span, post, NULL);
}

static void report_functions(struct diff *diff, struct object *pre, struct object *post)
{
	struct section *section;
	struct span *span;
	size_t i;

	for_each_span(pre, section, span, i) {
		if (!is_function(span) || span_unit(span) != span)
			continue;
		if (span->status == SPAN_CHANGED)
			report_changed_function(diff, span);
		if (span->status != SPAN_DELETED || is_class(section, CLASS_INIT_TEXT))
			continue;
		if (is_class(section, CLASS_FIXED_TEXT) &&
		    strcmp(section->name, ".static_call.text"))
			add_item(diff, &diff->refused, span, NULL,
				 arena_printf(&diff->arena, "code in %s can not be removed",
					      section->name));
		else
			add_item(diff, &diff->functions_deleted, span, NULL, NULL);
	}
	for_each_span(post, section, span, i) {
		if (!is_function(span) || span_unit(span) != span || span->status != SPAN_NEW)
			continue;
		if (is_class(section, CLASS_INIT_TEXT))
			add_item(diff, &diff->skipped, NULL, span,
				 "is new, but only runs while booting (__init)");
		else
			add_item(diff, &diff->functions_new, NULL, span, NULL);
	}
}

/* Padding, of which KASAN wants much, may hide that a variable has grown. */
static bool is_same_size(const struct span *pre, const struct span *post)
{
	return pre->size == post->size && pre->symbol->size == post->symbol->size;
}

/* The marks of a section, see marks.h; those of ASSUME_SECTION are promises. */
static void read_marks(struct diff *diff, struct object *post, const char *name)
{
	const struct section *section = find_section(post, name);
	bool promised = strcmp(name, ASSUME_SECTION) == 0;
	const struct reloc *mark;
	struct span *span;
	const char *reason;
	size_t i;

	for (i = 0; section && i < section->nr_relocs; i++) {
		mark = &section->relocs[i];
		if (is_none_reloc(mark))
			continue;
		span = mark->span;
		reason = why_not_compared(mark);
		if (reason) {
			add_named(diff, &diff->refused,
				  span ? span_name(span) : mark->symbol ? mark->symbol->name : name,
				  NULL, span, reason);
			continue;
		}
		span->promised = span->twin->promised = span->promised || promised;
		add_item(diff, &diff->data_compared, span->twin, span, NULL);
	}
}

static void report_changed_data(struct diff *diff, struct span *span)
{
	struct span *post = span->twin;
	bool variable = is_variable(span) && !span->promised;

	if (variable && !is_same_size(span, post))
		add_item(diff, &diff->refused, span, post,
			 "its size has changed, and the running kernel uses the variable as it was; "
			 "put what is new into a variable of its own");
	else if (variable && entered_from(span))
		add_item(diff, &diff->refused, span, post,
			 arena_printf(&diff->arena,
				      "it holds addresses inside of %s, which changes; make it const",
				      span_name(entered_from(span))));
	else if (variable)
		add_item(diff, &diff->refused, span, post,
			 "its initial value has changed, but the running kernel has used the variable "
			 "since; change it from code, or see ksplice_assume_rodata() if nobody writes it");
	else if (is_class(span->section, CLASS_INIT_DATA))
		add_item(diff, &diff->skipped, span, post, "is only read while booting");
	else
		add_item(diff, &diff->data_changed, span, post, NULL);
}

/* Is it data whose value can be compared with its twin's? */
static bool has_value(const struct span *span)
{
	return span->twin && (is_variable(span) || is_named_constant(span) ||
			      is_class(span->section, CLASS_INIT_DATA));
}

static void compare_data(struct object *pre)
{
	struct section *section;
	struct span *span;
	bool same;
	size_t i;

	for_each_span(pre, section, span, i) {
		if (!has_value(span))
			continue;
		same = is_same_data(span, span->twin) &&
		       (!is_variable(span) || is_same_size(span, span->twin));
		set_status(span, same ? SPAN_SAME : SPAN_CHANGED);
	}
}

static void mark_users(const struct span *table)
{
	struct span *user;
	size_t i;

	for (i = 0; i < table->nr_users; i++) {
		user = find_span(table->users[i]->section, table->users[i]->offset);
		if (user && is_function(user))
			mark_unit(user);
	}
}

/* What only looks things up in a changed table changes with it, and gets the new table. */
static void mark_lookups(struct object *pre)
{
	struct section *section;
	struct span *span;
	size_t i;

	for_each_span(pre, section, span, i) {
		if (span->status != SPAN_CHANGED || !is_named_constant(span) ||
		    !is_lookup_table(span) || !is_lookup_table(span->twin))
			continue;
		mark_users(span);
		mark_users(span->twin);
	}
}

static void report_all_changed_data(struct diff *diff, struct object *pre)
{
	struct section *section;
	struct span *span;
	size_t i;

	for_each_span(pre, section, span, i) {
		if (!has_value(span))
			continue;
		if (!is_class(section, CLASS_INIT_DATA) && entered_from(span))
			set_status(span, SPAN_CHANGED);
		if (span->status == SPAN_CHANGED)
			report_changed_data(diff, span);
	}
}

static void report_data(struct diff *diff, struct object *object, enum span_status status,
			struct diff_list *list)
{
	struct section *section;
	struct span *span;
	size_t i;

	for_each_span(object, section, span, i)
		if (span->status == status && (is_variable(span) || is_named_constant(span)))
			add_item(diff, list, status == SPAN_DELETED ? span : NULL,
				 status == SPAN_NEW ? span : NULL, NULL);
}

/* Variables without a place in the object, from -fcommon. */
static void report_commons(struct diff *diff, struct object *pre, struct object *post)
{
	struct symbol *symbol, *twin;
	size_t i;

	for (i = 1; i < pre->nr_symbols; i++) {
		symbol = pre->symbols[i];
		if (!symbol || symbol->place != SYMBOL_COMMON)
			continue;
		twin = find_symbol(post, symbol->name);
		if (!twin)
			add_named(diff, &diff->data_deleted, symbol->name, NULL, NULL, NULL);
		else if (twin->place == SYMBOL_DEFINED || twin->size != symbol->size)
			add_named(diff, &diff->refused, symbol->name, NULL, NULL,
				  "this common variable gets an initial value or another size, but "
				  "the running kernel has it already; change it from code, or give "
				  "it a new name");
	}
	for (i = 1; i < post->nr_symbols; i++) {
		symbol = post->symbols[i];
		if (symbol && symbol->place == SYMBOL_COMMON && !find_symbol(pre, symbol->name))
			add_named(diff, &diff->data_new, symbol->name, NULL, NULL, NULL);
	}
}

/*
 * What the running kernel exports it goes on exporting: loaded modules may use it.
 * They call the function as they were compiled to, so it may not change behind
 * an export that is no longer there to tell of its prototype.
 */
static void report_lost_export(struct diff *diff, struct symbol *symbol,
			       const struct export *export)
{
	struct span *target = export->value ? export->value->span : NULL;
	const char *reason = "is no longer exported; a kernel that runs goes on exporting it";
	struct diff_list *list = &diff->skipped;

	if (target && span_unit(target)->status == SPAN_CHANGED && is_function(target)) {
		list = &diff->refused;
		reason = "changes and is no longer exported, but loaded modules may call it as "
			 "before; keep the export and the prototype";
	}
	add_named(diff, list, export->name, symbol->span, NULL, reason);
}

static void report_exports(struct diff *diff, struct object *pre, struct object *post)
{
	struct export export, twin;
	struct symbol *symbol;
	size_t i;

	for (i = 1; i < pre->nr_symbols; i++) {
		symbol = pre->symbols[i];
		if (!read_export(symbol, &export) || !symbol->span)
			continue;
		if (!read_export(find_symbol(post, symbol->name), &twin)) {
			report_lost_export(diff, symbol, &export);
		} else if (export.gpl != twin.gpl || strcmp(export.namespace, twin.namespace)) {
			add_named(diff, &diff->skipped, export.name, symbol->span, NULL,
				  "is exported for other modules than before (GPL, namespace); a "
				  "kernel that runs goes on exporting it as it did");
		}
	}
	for (i = 1; i < post->nr_symbols; i++) {
		symbol = post->symbols[i];
		if (!read_export(symbol, &export) || !symbol->span ||
		    read_export(find_symbol(pre, symbol->name), &twin))
			continue;
		add_named(diff, &diff->exports_new, export.name, NULL, symbol->span, NULL);
	}
}

/*
 * A static variable foo.123 of changed code with no twin, where the pre object
 * has a foo.N without a twin, too: is it new, or is it the other one?
 */
static bool is_ambiguous(const struct span *post, const struct hash *lost)
{
	return post->status == SPAN_NEW && is_variable(post) &&
	       is_numbered(post->symbol->name) && hash_find(lost, post->stem);
}

static bool is_replaced(const struct span *span)
{
	return is_class(span->section, CLASS_TEXT) &&
	       (span->status == SPAN_CHANGED || span->status == SPAN_NEW);
}

static void refuse_ambiguous(struct diff *diff, struct object *pre, struct object *post)
{
	struct section *section;
	struct reloc *reloc;
	struct span *span, *user;
	struct hash lost;
	size_t i, j;

	hash_init(&lost, &diff->arena, 16);
	for_each_span(pre, section, span, i)
		if (span->status == SPAN_DELETED && is_variable(span))
			hash_add(&lost, span->stem, span);
	for_each_span(post, section, span, i) {
		if (!is_ambiguous(span, &lost))
			continue;
		for (j = 0; j < span->nr_users; j++) {
			user = find_span(span->users[j]->section, span->users[j]->offset);
			if (!user || !is_replaced(user))
				continue;
			add_item(diff, &diff->refused, NULL, span,
				 arena_printf(&diff->arena,
					      "%s uses it, and which static variable of that name "
					      "in the running kernel it is can not be told; rename it "
					      "if it is new", span_name(user)));
			break;
		}
	}
	for_each_span(post, section, span, i) {
		if (!is_replaced(span))
			continue;
		for_each_span_reloc(span, reloc) {
			if (reloc->section->object->machine != EM_X86_64 ||
			    (reloc->type != R_X86_64_GOTPCREL && reloc->type != 41 &&
			     reloc->type != 42))
				continue;
			add_item(diff, &diff->refused, NULL, span,
				 "refers to the global offset table, which modules do not have; "
				 "compile without -fPIC");
			break;
		}
	}
}

int diff_objects(struct diff *diff, struct object *pre, struct object *post, struct ks_error *err)
{
	struct lines lines = { .arena = &diff->arena };

	memset(diff, 0, sizeof(*diff));
	if (pre->machine != post->machine)
		return ks_error_set(err, "%s and %s are for different machines", pre->path,
				    post->path);
	pair_objects(pre, post);
	detach_parts(pre);
	detach_parts(post);
	read_marks(diff, post, ASSUME_SECTION);
	read_marks(diff, post, EARLY_SECTION);
	compare_functions(pre, &lines);
	settle_lines(&lines);
	compare_data(pre);
	mark_lookups(pre);
	spread_changes(pre, post);
	mark_unpaired(pre, SPAN_DELETED);
	mark_unpaired(post, SPAN_NEW);
	report_functions(diff, pre, post);
	report_lines(diff, &lines);
	report_all_changed_data(diff, pre);
	report_data(diff, pre, SPAN_DELETED, &diff->data_deleted);
	report_data(diff, post, SPAN_NEW, &diff->data_new);
	report_commons(diff, pre, post);
	report_exports(diff, pre, post);
	refuse_ambiguous(diff, pre, post);
	sort_list(&diff->functions_changed);
	sort_list(&diff->functions_new);
	sort_list(&diff->functions_deleted);
	sort_list(&diff->data_changed);
	sort_list(&diff->data_compared);
	sort_list(&diff->data_new);
	sort_list(&diff->data_deleted);
	sort_list(&diff->exports_new);
	sort_list(&diff->skipped);
	sort_list(&diff->refused);
	return 0;
}

void diff_free(struct diff *diff)
{
	arena_free(&diff->arena);
	memset(diff, 0, sizeof(*diff));
}

bool is_different(const struct diff *diff)
{
	return diff->functions_changed.count || diff->functions_new.count ||
	       diff->functions_deleted.count || diff->data_changed.count ||
	       diff->data_compared.count || diff->data_new.count || diff->data_deleted.count ||
	       diff->exports_new.count || diff->skipped.count || diff->refused.count;
}
