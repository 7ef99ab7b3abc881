// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Strings that the new code shares with the running kernel.  Code stores pointers to
 * strings, and compares them (default_compressor in drivers/block/zram/zram_drv.c since
 * 6.0), so where the old code has an equal string, that is the one to use.  Where it
 * is in the run, the old code's references to it tell.  The same goes for keys of locks,
 * which have a size with lockdep alone: locks point to theirs, and may outlive the new
 * code.
 */
#include <string.h>

#include "lib/names.h"
#include "objmanip/manip.h"

/* With KASAN strings are constants without a name, each with room behind it. */
static bool is_string(const struct span *span)
{
	const struct reloc *reloc;

	if (is_class(span->section, CLASS_STRINGS))
		return true;
	if (span->symbol || !is_class(span->section, CLASS_RODATA) ||
	    !find_section(span->section->object, KASAN_SECTION))
		return false;
	for_each_span_reloc(span, reloc)
		return false;
	return true;
}

/* It must be in the run: nothing overrides it, and kallsyms tells where it may be. */
static bool is_certain_text(struct manip *manip, const struct span *span)
{
	return is_text(span->section) && pre_info(manip, span)->section > 0 && span->symbol &&
	       span->symbol->binding != STB_WEAK;
}

bool is_certain(struct manip *manip, const struct span *span)
{
	const struct span *user;
	size_t i;

	if (is_text(span->section))
		return is_certain_text(manip, span);
	for (i = 0; i < span->nr_users; i++) {
		user = find_span(span->users[i]->section, span->users[i]->offset);
		if (user && is_certain_text(manip, user))
			return true;
	}
	return false;
}

struct span *certain_string(struct manip *manip, const struct reloc *reloc)
{
	const struct span *user = find_span(reloc->section, reloc->offset);
	struct span *string = left_element(reloc);

	if (!string)
		string = reloc->span;
	if (!string || !is_class(string->section, CLASS_STRINGS) || !user ||
	    !pre_info(manip, user)->certain)
		return NULL;
	pre_info(manip, string)->certain = true;
	return string;
}

static bool is_terminated(const struct span *string)
{
	return string->size > 0 && span_bytes(string)[string->size - 1] == '\0';
}

/* Wide strings have zeros within: then the key is a part of them, which will do. */
static const char *key_of(const struct span *string)
{
	return (const char *)span_bytes(string);
}

void collect_strings(struct manip *manip, struct side *pre)
{
	struct section *section;
	struct span *span;
	size_t i;

	hash_init(&pre->strings, &manip->arena, 64);
	for_each_span(pre->object, section, span, i)
		if (section->data && pre_info(manip, span)->certain && is_string(span) &&
		    is_terminated(span))
			hash_add(&pre->strings, key_of(span), span);
}

/* The linker merges only what is of one kind, as .rodata.str1.1 and .rodata.str1.8. */
static bool is_same_string(const struct span *a, const struct span *b)
{
	return a->section->entsize == b->section->entsize &&
	       a->section->align == b->section->align && a->size == b->size &&
	       memcmp(span_bytes(a), span_bytes(b), a->size) == 0;
}

static struct old_symbol *symbol_of_string(struct manip *manip, const struct side *pre,
					   const struct span *string)
{
	struct span_info *info = pre_info(manip, string);

	if (!is_class(string->section, CLASS_STRINGS))
		return symbol_of_span(manip, string);
	if (!info->symbol) {
		info->symbol = new_old_symbol(manip, "", pre->sections[string->section->index] - 1,
					      (uint32_t)string->offset, KSPLICE_SYMBOL_LOCAL);
		info->symbol->stem = arena_printf(&manip->arena, "str_%s", key_of(string));
	}
	return info->symbol;
}

struct old_symbol *running_string(struct manip *manip, const struct span *post)
{
	const struct hash_entry *entry;
	const struct pair *pair = manip->pairs;

	if (!post->section->data || !is_string(post) || !is_terminated(post))
		return NULL;
	while (pair->post.object != post->section->object)
		pair++;
	entry = hash_find_all(&pair->pre.strings, key_of(post));
	for (; entry; entry = entry->same)
		if (is_same_string(entry->value, post))
			return symbol_of_string(manip, &pair->pre, entry->value);
	return NULL;
}

static bool is_key(const struct span *span, const struct span *like)
{
	return span && span->symbol && is_class(span->section, CLASS_BSS) && span->size > 0 &&
	       span->size == like->size && is_private_static(span->symbol->name) &&
	       strcmp(span->stem, like->stem) == 0;
}

/* Which of the keys that @user refers to is @key; @count: how many there are. */
static size_t number_of_key(const struct span *user, const struct span *key, size_t *count)
{
	const struct span *last = NULL;
	const struct reloc *reloc;
	size_t number = 0;

	*count = 0;
	for_each_span_reloc(user, reloc) {
		if (!is_key(reloc->span, key) || reloc->span == last)
			continue;
		last = reloc->span;
		if (last == key)
			number = *count;
		++*count;
	}
	return number;
}

struct span *running_key(const struct reloc *reloc, const struct span *post)
{
	const struct span *user = find_span(reloc->section, reloc->offset), *last = NULL;
	const struct reloc *other;
	size_t number, count, all;

	if (!is_key(post, post) || !user || !user->twin)
		return NULL;
	number = number_of_key(user, post, &count);
	number_of_key(user->twin, post, &all);
	if (all != count)
		return NULL;
	for_each_span_reloc(user->twin, other) {
		if (!is_key(other->span, post) || other->span == last)
			continue;
		last = other->span;
		if (number-- == 0)
			return other->span;
	}
	return NULL;
}
