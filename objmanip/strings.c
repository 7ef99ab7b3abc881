// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Strings that the new code shares with the running kernel.  Code stores pointers to
 * strings, and compares them (default_compressor in drivers/block/zram/zram_drv.c since
 * 6.0), so where the old code has an equal string, that is the one to use.  Where it
 * is in the run, the old code's references to it tell.
 */
#include <string.h>

#include "objmanip/manip.h"

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
		if (is_class(section, CLASS_STRINGS) && pre_info(manip, span)->certain &&
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

	if (!is_class(post->section, CLASS_STRINGS) || !is_terminated(post))
		return NULL;
	while (pair->post.object != post->section->object)
		pair++;
	entry = hash_find_all(&pair->pre.strings, key_of(post));
	for (; entry; entry = entry->same)
		if (is_same_string(entry->value, post))
			return symbol_of_string(manip, &pair->pre, entry->value);
	return NULL;
}
