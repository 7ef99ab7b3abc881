// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/twin.h"

#include <stdlib.h>
#include <string.h>

#include "lib/compare.h"
#include "lib/names.h"

/* Pairs are put on a list, so that what they refer to can be paired next. */
struct pairing {
	struct object *pre, *post;
	struct arena arena;
	struct span **pairs;	/* the pre side */
	size_t nr_pairs;
	unsigned int *pre_seen, *post_seen;	/* by the number of the span: the last round */
	unsigned int round;
};

#define MAX_ALIKE	16	/* of one name in a function, to be told apart by their order */

static bool can_have_twin(const struct span *span)
{
	if (!span->symbol || (span->kind != SPAN_FUNCTION && span->kind != SPAN_DATA))
		return false;
	switch (span->section->kind->class) {
	case CLASS_STRINGS:
	case CLASS_CONSTANTS:
	case CLASS_AUX_TEXT:
	case CLASS_UBSAN:
	case CLASS_NOT_LOADED:
		return false;
	default:
		return !is_private_static(span->symbol->name);
	}
}

static void pair(struct pairing *pairing, struct span *pre, struct span *post)
{
	pre->twin = post;
	post->twin = pre;
	pairing->pairs[pairing->nr_pairs++] = pre;
}

/* Local names mean something in their file only; @file false: wherever. */
static const char *make_key(struct pairing *pairing, const struct span *span,
			    const struct symbol *symbol, const char *name, bool file)
{
	const char *from = "";

	if (file && symbol->binding == STB_LOCAL && symbol->file)
		from = symbol->file;
	return arena_printf(&pairing->arena, "%c%s:%s",
			    span->kind == SPAN_FUNCTION ? 'F' : 'D', from, name);
}

static void add_names(struct pairing *pairing, struct hash *hash, struct object *object, bool file)
{
	struct section *section;
	struct symbol *symbol;
	struct span *span;
	size_t i, j;

	for_each_section(object, section, i) {
		for (j = 0; j < section->nr_symbols; j++) {
			symbol = section->symbols[j];
			span = symbol->span;
			if (!span || span->twin || !can_have_twin(span) ||
			    is_numbered(symbol->name) ||
			    symbol->value != span->offset + span->entry)
				continue;
			hash_add(hash, make_key(pairing, span, symbol, symbol->name, file), symbol);
		}
	}
}

static struct span *only_span(const struct hash *hash, const char *key)
{
	struct hash_entry *entry = hash_find_all(hash, key);
	struct span *found = NULL, *span;

	for (; entry; entry = entry->same) {
		span = ((struct symbol *)entry->value)->span;
		if (found && found != span)
			return NULL;
		found = span;
	}
	return found;
}

static void pair_by_name(struct pairing *pairing, bool file)
{
	struct hash pre_names, post_names;
	struct section *section;
	struct span *span, *twin;
	const char *key;
	size_t i;

	hash_init(&pre_names, &pairing->arena, pairing->pre->nr_symbols);
	hash_init(&post_names, &pairing->arena, pairing->post->nr_symbols);
	add_names(pairing, &pre_names, pairing->pre, file);
	add_names(pairing, &post_names, pairing->post, file);
	for_each_span(pairing->pre, section, span, i) {
		if (span->twin || !can_have_twin(span) || is_numbered(span->symbol->name))
			continue;
		key = make_key(pairing, span, span->symbol, span->symbol->name, file);
		if (only_span(&pre_names, key) != span)
			continue;
		twin = only_span(&post_names, key);
		if (twin && !twin->twin)
			pair(pairing, span, twin);
	}
}

static bool may_be_twins(const struct span *pre, const struct span *post)
{
	if (pre->twin || post->twin || pre->kind != post->kind ||
	    pre->section->kind->class != post->section->kind->class ||
	    !can_have_twin(pre) || !can_have_twin(post) || strcmp(pre->stem, post->stem))
		return false;
	return pre->kind == SPAN_FUNCTION || pre->size == post->size;
}

/* Step 2: the bytes are equal, so the relocs say the same thing one by one. */
static void pair_used_alike(struct pairing *pairing, struct span *pre)
{
	const struct reloc *a, *b = NULL;

	for_each_span_reloc(pre->twin, b)
		break;
	for_each_span_reloc(pre, a) {
		if (a->span && b->span && may_be_twins(a->span, b->span) &&
		    a->span_offset == b->span_offset)
			pair(pairing, a->span, b->span);
		b++;
	}
}

/* Spans without a twin that a span refers to, each once, in the order of use. */
struct used {
	struct span *span;
	struct span *match;
	size_t order;
};

static struct used *list_used(struct pairing *pairing, const struct span *user, size_t *count)
{
	unsigned int *seen = user->section->object == pairing->pre ? pairing->pre_seen :
								    pairing->post_seen;
	unsigned int round = ++pairing->round;
	const struct reloc *reloc;
	struct used *used = NULL;
	int pass;

	/* Count, then list. */
	for (pass = 0; pass < 2; pass++) {
		*count = 0;
		for_each_span_reloc(user, reloc) {
			if (!reloc->span || reloc->span->twin || !reloc->span->stem ||
			    seen[reloc->span->number] == round)
				continue;
			seen[reloc->span->number] = round;
			if (pass)
				used[*count] = (struct used){ .span = reloc->span, .order = *count };
			++*count;
		}
		if (!pass)
			used = arena_array(&pairing->arena, *count, sizeof(*used));
		round = ++pairing->round;
	}
	return used;
}

static int compare_used(const void *a, const void *b)
{
	const struct used *x = a, *y = b;
	int order = strcmp(x->span->stem, y->span->stem);

	return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

static int compare_order(const void *a, const void *b)
{
	const struct used *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

/* How many have the stem of the first. */
static size_t count_stem(const struct used *used, size_t count)
{
	size_t i = 1;

	while (i < count && !strcmp(used[i].span->stem, used[0].span->stem))
		i++;
	return i;
}

static void match_in_order(struct used *a, const struct used *b, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!may_be_twins(a[i].span, b[i].span))
			return;
	for (i = 0; i < count; i++)
		a[i].match = b[i].span;
}

/* Step 3: as many of one name on both sides, all possible twins: take them in order. */
static void pair_used_in_order(struct pairing *pairing, struct span *pre)
{
	size_t nr_a, nr_b, i, j, x, y;
	struct used *a = list_used(pairing, pre, &nr_a);
	struct used *b = list_used(pairing, pre->twin, &nr_b);
	int order;

	if (!nr_a || !nr_b)
		return;
	qsort(a, nr_a, sizeof(*a), compare_used);
	qsort(b, nr_b, sizeof(*b), compare_used);
	for (i = j = 0; i < nr_a && j < nr_b;) {
		order = strcmp(a[i].span->stem, b[j].span->stem);
		x = order <= 0 ? count_stem(a + i, nr_a - i) : 0;
		y = order >= 0 ? count_stem(b + j, nr_b - j) : 0;
		if (x == y && x <= MAX_ALIKE)
			match_in_order(a + i, b + j, x);
		i += x;
		j += y;
	}
	qsort(a, nr_a, sizeof(*a), compare_order);
	for (i = 0; i < nr_a; i++)
		if (a[i].match)
			pair(pairing, a[i].span, a[i].match);
}

static void pair_by_use(struct pairing *pairing)
{
	size_t i = 0, j;

	/* The list grows while it is walked; changed functions come second. */
	for (j = 0; j < pairing->nr_pairs; j++) {
		for (; i < pairing->nr_pairs; i++)
			if (is_same_layout(pairing->pairs[i], pairing->pairs[i]->twin))
				pair_used_alike(pairing, pairing->pairs[i]);
		if (!is_same_layout(pairing->pairs[j], pairing->pairs[j]->twin))
			pair_used_in_order(pairing, pairing->pairs[j]);
	}
}

static bool have_common_user(const struct span *pre, const struct span *post)
{
	struct span *user, *other;
	size_t i, j;

	for (i = 0; i < pre->nr_users && i < 100; i++) {
		user = find_span(pre->users[i]->section, pre->users[i]->offset);
		for (j = 0; user && user->twin && j < post->nr_users && j < 100; j++) {
			other = find_span(post->users[j]->section, post->users[j]->offset);
			if (other && span_unit(user)->twin == span_unit(other))
				return true;
		}
	}
	return false;
}

/* Step 4 */
static void pair_the_rest(struct pairing *pairing)
{
	struct hash pre_stems, post_stems, *stems;
	struct hash_entry *a, *b;
	struct object *object;
	struct section *section;
	struct span *span;
	const char *key;
	size_t i;
	int side;

	hash_init(&pre_stems, &pairing->arena, 64);
	hash_init(&post_stems, &pairing->arena, 64);
	for (side = 0; side < 2; side++) {
		object = side ? pairing->post : pairing->pre;
		stems = side ? &post_stems : &pre_stems;
		for_each_span(object, section, span, i) {
			if (span->twin || !can_have_twin(span))
				continue;
			key = make_key(pairing, span, span->symbol, span->stem, true);
			hash_add(stems, key, span);
		}
	}
	for_each_span(pairing->pre, section, span, i) {
		if (span->twin || !can_have_twin(span) || !is_numbered(span->symbol->name))
			continue;
		key = make_key(pairing, span, span->symbol, span->stem, true);
		a = hash_find_all(&pre_stems, key);
		b = hash_find_all(&post_stems, key);
		if (!b || a->same || b->same || !may_be_twins(span, b->value))
			continue;
		if (span->kind == SPAN_FUNCTION || have_common_user(span, b->value) ||
		    (!span->nr_users && !((struct span *)b->value)->nr_users))
			pair(pairing, span, b->value);
	}
}

void pair_objects(struct object *pre, struct object *post)
{
	struct pairing pairing = { .pre = pre, .post = post };

	pairing.pairs = arena_array(&pairing.arena, pre->nr_spans, sizeof(*pairing.pairs));
	pairing.pre_seen = arena_array(&pairing.arena, pre->nr_spans, sizeof(*pairing.pre_seen));
	pairing.post_seen = arena_array(&pairing.arena, post->nr_spans, sizeof(*pairing.post_seen));
	pair_by_name(&pairing, true);
	pair_by_name(&pairing, false);
	pair_by_use(&pairing);
	pair_the_rest(&pairing);
	pair_by_use(&pairing);
	arena_free(&pairing.arena);
}
