// SPDX-License-Identifier: GPL-2.0-or-later
#include "objmanip/refuse.h"

#include <string.h>

#include "kmodsrc/forbidden.h"
#include "lib/util.h"
#include "objmanip/patches.h"

static void refuse(struct manip *manip, const struct pair *pair, const char *symbol,
		   const char *reason)
{
	add_note(manip, &manip->refused, pair->post.object, symbol, reason);
}

/* A name by which other files may enter the function behind its start; or NULL. */
static const char *inner_entry(const struct span *span)
{
	const struct section *section = span->section;
	const struct symbol *symbol;
	size_t i;

	for (i = 0; i < section->nr_symbols; i++) {
		symbol = section->symbols[i];
		if (symbol->span == span && symbol->binding != STB_LOCAL &&
		    symbol->value > span->offset + span->entry &&
		    symbol->value < span->offset + span->size)
			return symbol->name;
	}
	return NULL;
}

static void refuse_functions(struct manip *manip, const struct pair *pair)
{
	const struct diff_list *changed = &pair->diff.functions_changed;
	const char *reason, *forbidden;
	size_t i;

	for (i = 0; i < changed->count; i++) {
		const struct diff_item *item = &changed->items[i];

		reason = why_no_jump(item->pre);
		forbidden = ksplice_forbidden(item->name);
		if (forbidden)
			reason = arena_printf(&manip->arena, "it cannot be replaced: %s", forbidden);
		if (!reason && inner_entry(item->pre))
			reason = arena_printf(&manip->arena,
					      "other code can enter it at %s, where there is no jump to its replacement",
					      inner_entry(item->pre));
		if (!reason && !is_class(item->post->section, CLASS_TEXT))
			reason = arena_printf(&manip->arena,
					      "it moves to %s, where modules cannot have code; leave it where it is",
					      item->post->section->name);
		if (reason)
			refuse(manip, pair, item->name, reason);
	}
}

static const char *entry_name(const struct span *entry)
{
	const struct reloc *reloc = find_reloc(entry->section, entry->offset);

	if (reloc && reloc->span)
		return span_name(reloc->span);
	return reloc && reloc->symbol ? reloc->symbol->name : entry->section->name;
}

static void note_base_hook(struct manip *manip, const struct pair *pair,
			   const struct span *entry)
{
	if (find_reloc(entry->section, entry->offset)->span->status == SPAN_CHANGED)
		add_note(manip, &manip->skipped, pair->post.object, entry_name(entry),
			 "is a hook of an update below, which keeps its own; give a new one another name");
}

static void refuse_hooks(struct manip *manip, const struct pair *pair)
{
	const struct section *section = find_section(pair->post.object, HOOK_SECTION);
	const struct span *entry;
	const char *reason;

	if (!section)
		return;
	for (entry = section->spans; entry < section->spans + section->nr_spans; entry++) {
		if (is_hook_of_base(entry)) {
			note_base_hook(manip, pair, entry);
			continue;
		}
		reason = why_no_hook(entry);
		if (reason)
			refuse(manip, pair, entry_name(entry), reason);
	}
}

/* The code or data that uses a span although it does not change itself; or NULL. */
static const char *unchanged_user(const struct span *span)
{
	size_t i;

	for (i = 0; i < span->nr_users; i++) {
		const struct reloc *user = span->users[i];
		struct span *from = find_span(user->section, user->offset);

		/* A section that is not loaded has no spans. */
		if (from && !is_class(from->section, CLASS_INIT_TEXT) &&
		    !is_class(from->section, CLASS_INIT_DATA) &&
		    !is_class(from->section, CLASS_METADATA) &&
		    span_unit(from)->status != SPAN_CHANGED)
			return span_name(span_unit(from));
	}
	return NULL;
}

/* Why a constant can't be written in place; NULL when it can. */
static const char *why_not_in_place(const struct reloc *reloc)
{
	const struct span *span = reloc ? reloc->span : NULL;

	if (!span)
		return "a constant that is replaced must be one of the same file";
	if (!span->symbol || reloc->span_offset != 0 || !is_fixed(span))
		return "only a constant with a name can be replaced; set a variable in a hook, or see ksplice_assume_rodata()";
	if (!span->twin || !is_fixed(span->twin))
		return "the running kernel does not have this constant";
	if (span->size != span->twin->size)
		return "a constant can only be replaced by one of the same size";
	return NULL;
}

static void mark_compared(struct manip *manip, const struct pair *pair)
{
	const struct diff_list *compared = &pair->diff.data_compared;
	size_t i;

	for (i = 0; i < compared->count; i++)
		pre_info(manip, compared->items[i].pre)->compared = true;
}

static void mark_in_place(struct manip *manip, const struct pair *pair)
{
	const struct section *section = find_section(pair->post.object, CONSTANT_SECTION);
	const struct span *entry;
	const struct reloc *reloc;
	const char *reason;

	/* The unpatched source may have some too, of an update below: they do not change. */
	if (!section)
		return;
	for (entry = section->spans; entry < section->spans + section->nr_spans; entry++) {
		reloc = find_reloc(section, entry->offset);
		reason = why_not_in_place(reloc);
		if (reason)
			refuse(manip, pair, entry_name(entry), reason);
		else if (reloc->span->status == SPAN_CHANGED)
			post_info(manip, reloc->span)->in_place = true;
	}
}

/*
 * The new code gets a new copy of a constant that changed; all that does not
 * change would go on with the old one.
 */
static void refuse_shared_constants(struct manip *manip, const struct pair *pair)
{
	const struct diff_list *changed = &pair->diff.data_changed;
	const char *user, *what;
	size_t i;

	for (i = 0; i < changed->count; i++) {
		const struct span *span = changed->items[i].pre;

		what = span->promised ? "variable" : "constant";
		if (post_info(manip, changed->items[i].post)->in_place)
			continue;
		user = unchanged_user(span);
		if (user)
			refuse(manip, pair, changed->items[i].name,
			       arena_printf(&manip->arena,
					    "this %s changes, but %s, which uses it, does not; see ksplice_replace_constant(), or make the change in code",
					    what, user));
		else if (span->symbol && span->symbol->binding != STB_LOCAL)
			refuse(manip, pair, changed->items[i].name,
			       arena_printf(&manip->arena,
					    "this %s changes, and other files may use it; see ksplice_replace_constant(), or make the change in code",
					    what));
	}
}

/* Of vmlinux: sysfs and the command line have found all that there are. */
static void note_parameters(struct manip *manip, const struct pair *pair)
{
	static const char prefix[] = "__param_";
	const struct object *post = pair->post.object;
	const struct symbol *symbol;
	size_t i;

	for (i = 1; i < post->nr_symbols; i++) {
		symbol = post->symbols[i];
		if (symbol && symbol->section && strcmp(symbol->section->name, "__param") == 0 &&
		    strstarts(symbol->name, prefix) && !find_symbol(pair->pre.object, symbol->name))
			add_note(manip, &manip->skipped, post, symbol->name + strlen(prefix),
				 "is a new parameter; the running kernel does not list it, so it keeps its default");
	}
}

void refuse_unsafe(struct manip *manip, const struct pair *pair)
{
	refuse_functions(manip, pair);
	note_parameters(manip, pair);
	refuse_hooks(manip, pair);
	mark_compared(manip, pair);
	mark_in_place(manip, pair);
	refuse_shared_constants(manip, pair);
}

/* The name is of a variable that another of the objects defined and no longer does. */
static bool is_lost_elsewhere(const struct hash *lost, const struct pair *pair, const char *name)
{
	const struct hash_entry *entry;

	for (entry = hash_find_all(lost, name); entry; entry = entry->same)
		if (entry->value != pair)
			return true;
	return false;
}

static void collect_lost(struct manip *manip, struct hash *lost)
{
	size_t i, j;

	hash_init(lost, &manip->arena, 64);
	for (i = 0; i < manip->nr_pairs; i++)
		for (j = 0; j < manip->pairs[i].diff.data_deleted.count; j++)
			hash_add(lost, manip->pairs[i].diff.data_deleted.items[j].name,
				 &manip->pairs[i]);
}

/*
 * What moves to another object looks new there: a new copy of a variable would
 * not have its value, and of a function nobody would tell the old callers.
 */
void refuse_moved(struct manip *manip)
{
	const struct pair *pair;
	const struct diff_item *item;
	struct hash lost;
	size_t i, j;

	collect_lost(manip, &lost);
	for (i = 0; i < manip->nr_pairs; i++) {
		pair = &manip->pairs[i];
		for (j = 0; j < pair->diff.functions_new.count; j++) {
			item = &pair->diff.functions_new.items[j];
			if (item->post->symbol->binding != STB_LOCAL &&
			    hash_find(&manip->definitions, item->name))
				refuse(manip, pair, item->name,
				       "this function moves here from another file; leave it there");
		}
		for (j = 0; j < pair->diff.data_new.count; j++) {
			item = &pair->diff.data_new.items[j];
			if (((!item->post || item->post->symbol->binding != STB_LOCAL) &&
			     hash_find(&manip->definitions, item->name)) ||
			    is_lost_elsewhere(&lost, pair, item->name))
				refuse(manip, pair, item->name,
				       "this variable moves here from another file; leave it there");
		}
	}
}

static bool replaces_constants(struct manip *manip, const struct pair *pair)
{
	const struct diff_list *changed = &pair->diff.data_changed;
	size_t i;

	for (i = 0; i < changed->count; i++)
		if (post_info(manip, changed->items[i].post)->in_place)
			return true;
	return false;
}

static bool has_hooks(const struct object *post)
{
	const struct section *section = find_section(post, HOOK_SECTION);
	const struct span *entry;

	if (!section)
		return false;
	for (entry = section->spans; entry < section->spans + section->nr_spans; entry++)
		if (!is_hook_of_base(entry))
			return true;
	return false;
}

void refuse_idle(struct manip *manip)
{
	size_t i, j;

	for (i = 0; i < manip->nr_pairs; i++)
		if (manip->pairs[i].diff.functions_changed.count > 0 ||
		    has_hooks(manip->pairs[i].post.object) ||
		    replaces_constants(manip, &manip->pairs[i]))
			return;
	for (i = 0; i < manip->nr_pairs; i++) {
		const struct diff_list *new = &manip->pairs[i].diff.functions_new;

		for (j = 0; j < new->count; j++)
			refuse(manip, &manip->pairs[i], new->items[j].name,
			       "nothing in the running kernel would call this new function: it is only used by what ran at boot");
		new = &manip->pairs[i].diff.data_changed;
		for (j = 0; j < new->count; j++)
			refuse(manip, &manip->pairs[i], new->items[j].name,
			       "nothing in the running kernel would use this changed value: it is only used by what ran at boot");
	}
}
