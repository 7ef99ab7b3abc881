// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/compare.h"

#include <string.h>

#include "lib/names.h"
#include "lib/text.h"

/* Of contents that refer to contents; no compiler makes a hundredth of this. */
#define MAX_DEPTH	200
#define MAX_COUNT	100000

static const struct reloc *first_reloc(const struct span *span)
{
	return span->section->relocs + find_reloc_index(span->section, span->offset);
}

/* The reloc itself or the next one in [.., @end) of the section that is not R_*_NONE; or NULL. */
static const struct reloc *real_reloc(const struct section *section, const struct reloc *reloc,
				      uint64_t end)
{
	const struct reloc *last = section->relocs + section->nr_relocs;

	for (; reloc < last && reloc->offset < end; reloc++)
		if (!is_none_reloc(reloc))
			return reloc;
	return NULL;
}

/*
 * Compare @size bytes at @x and @y of two sections: equal outside of the
 * relocated fields, and these at the same places.  With @references they must
 * mean the same, too.
 */
static bool compare_bytes(const struct section *pre, uint64_t x, const struct section *post,
			  uint64_t y, uint64_t size, bool references)
{
	const struct reloc *a = pre->relocs + find_reloc_index(pre, x);
	const struct reloc *b = post->relocs + find_reloc_index(post, y);
	uint64_t at = 0, next;

	for (;;) {
		a = real_reloc(pre, a, x + size);
		b = real_reloc(post, b, y + size);
		if (!a != !b)
			return false;
		next = a ? a->offset - x : size;
		if (a && (b->offset - y != next || a->length != b->length ||
			  a->length > size - next))
			return false;
		/* Two relocs in one field: next may lie before at. */
		if (next > at && pre->data && memcmp(pre->data + x + at, post->data + y + at,
						     next - at))
			return false;
		if (!a)
			return true;
		if (references && !is_same_reference(a, b))
			return false;
		at = next + a->length;
		a++;
		b++;
	}
}

static bool have_same_contents(const struct span *pre, const struct span *post, bool references)
{
	if (pre->size != post->size || !pre->section->data != !post->section->data)
		return false;
	return compare_bytes(pre->section, pre->offset, post->section, post->offset, pre->size,
			     references);
}

bool is_same_layout(const struct span *pre, const struct span *post)
{
	return have_same_contents(pre, post, false);
}

/*
 * Contents may refer to more contents, in circles and many times to one place.
 * All that one comparison leads to must be equal, or it fails as a whole: so what
 * it has begun with counts as equal, and goes on doing so until something differs.
 */
static bool compare_once(struct span *pre, struct span *post,
			 bool (*compare)(struct span *, struct span *))
{
	struct object *object = pre->section->object;
	bool same;

	if (pre->equal == post && pre->equal_round == object->comparing.round)
		return true;
	if (object->comparing.depth == 0)
		object->comparing.count = 0;
	if (pre->visiting || object->comparing.depth == MAX_DEPTH ||
	    object->comparing.count == MAX_COUNT)
		return false;
	pre->visiting = true;
	pre->equal = post;
	pre->equal_round = object->comparing.round;
	object->comparing.count++;
	object->comparing.depth++;
	same = compare(pre, post);
	object->comparing.depth--;
	pre->visiting = false;
	if (!same)
		object->comparing.round++;
	return same;
}

static bool is_same_contents(struct span *pre, struct span *post)
{
	return have_same_contents(pre, post, true);
}

/* A variable may move from .bss to .data when it gets an initialiser of zeros. */
bool is_same_data(struct span *pre, struct span *post)
{
	return compare_once(pre, post, is_same_contents);
}

static bool is_same_string(const struct span *pre, int64_t x, const struct span *post, int64_t y)
{
	if (x < 0 || y < 0 || (uint64_t)x > pre->size || (uint64_t)y > post->size ||
	    pre->size - x != post->size - y)
		return false;
	return !memcmp(span_bytes(pre) + x, span_bytes(post) + y, pre->size - x);
}

/* Number of the instruction at @offset of a function, padding not counted. */
static size_t insn_ordinal(const struct span *span, uint64_t offset)
{
	return count_insns(span->section, span->offset, span->offset + offset);
}

static bool is_same_place(const struct span *pre, int64_t x, const struct span *post, int64_t y)
{
	bool inside = x >= 0 && y >= 0 && (uint64_t)x <= pre->size && (uint64_t)y <= post->size;

	if (pre->kind != SPAN_FUNCTION || post->kind != SPAN_FUNCTION || !inside)
		return x == y;
	if (x - (int64_t)pre->entry == y - (int64_t)post->entry &&
	    (pre->size == post->size || x == (int64_t)pre->entry))
		return true;
	return insn_ordinal(pre, x) == insn_ordinal(post, y);
}

int64_t place_in_twin(const struct span *span, int64_t offset)
{
	const struct span *twin = span->twin;
	struct section *section = twin->section;
	uint64_t at = twin->offset;
	struct ksplice_insn insn;
	size_t count;

	if (offset <= (int64_t)span->entry || (uint64_t)offset > span->size ||
	    is_same_layout(span, twin))
		return offset + (int64_t)twin->entry - (int64_t)span->entry;
	for (count = insn_ordinal(span, offset); at < twin->offset + twin->size;) {
		if (!decode_at(section, at, &insn)) {
			memset(&insn, 0, sizeof(insn));
			insn.length = 1;
		}
		if (!(insn.flags & KSPLICE_INSN_NOP) && count-- == 0)
			break;
		at += insn.length;
	}
	return (int64_t)(at - twin->offset);
}

static bool is_same_stub(struct span *pre, struct span *post)
{
	return is_same_code(pre, post) && is_same_entries(pre, post);
}

/* Nothing that may have a twin: compare what it is. */
static bool is_same_unpaired(struct span *pre, struct span *post)
{
	switch (pre->section->kind->class) {
	case CLASS_UBSAN:
	case CLASS_METADATA:
		return true;
	case CLASS_OBJECTS:
		return !pre->stem == !post->stem && (!pre->stem || !strcmp(pre->stem, post->stem));
	case CLASS_AUX_TEXT:
		return compare_once(pre, post, is_same_stub);
	default:
		break;
	}
	if (!pre->symbol != !post->symbol)
		return false;
	if (pre->symbol && (!is_private_static(pre->symbol->name) ||
			    strcmp(pre->stem, post->stem)))
		return false;
	if (is_text(pre->section))	/* before the first symbol of assembly */
		return compare_once(pre, post, is_same_stub);
	return is_same_data(pre, post);
}

static bool is_same_target(struct span *pre, int64_t x, struct span *post, int64_t y)
{
	enum section_class class = pre->section->kind->class;

	if (pre->twin || post->twin)
		return pre->twin == post && is_same_place(pre, x, post, y);
	if (class != post->section->kind->class)
		return false;
	if (class == CLASS_STRINGS)
		return is_same_string(pre, x, post, y);
	return x == y && is_same_unpaired(pre, post);
}

static bool is_same_type(const struct reloc *pre, const struct reloc *post)
{
	return pre->type == post->type ||
	       (pre->length == post->length && pre->pc_relative && post->pc_relative &&
		pre->length == 4 && pre->type != R_X86_64_GOTPCREL &&
		post->type != R_X86_64_GOTPCREL);
}

bool is_same_reference(const struct reloc *pre, const struct reloc *post)
{
	if (!is_same_type(pre, post))
		return false;
	if (!pre->symbol || !post->symbol)
		return pre->symbol == post->symbol;
	if (pre->span && post->span)
		return is_same_target(pre->span, pre->span_offset, post->span, post->span_offset);
	if (pre->span || post->span || pre->symbol->place != post->symbol->place ||
	    pre->addend - pre->bias != post->addend - post->bias)
		return false;
	if (pre->symbol->place == SYMBOL_ABSOLUTE)
		return pre->symbol->value == post->symbol->value;
	return !strcmp(pre->symbol->name, post->symbol->name);
}

/* One side of a comparison of code: the instruction at @at of @span. */
struct cursor {
	struct span *span;
	bool same_layout;	/* of both spans, so offsets can be compared */
	uint64_t at, end;
	uint64_t padding;	/* from here on there is nothing but padding */
	struct ksplice_insn insn;	/* length 1 for a byte that is no code */
};

static void load_insn(struct cursor *cursor)
{
	if (decode_at(cursor->span->section, cursor->at, &cursor->insn))
		return;
	memset(&cursor->insn, 0, sizeof(cursor->insn));
	cursor->insn.length = 1;
}

/* Go to the next instruction that does something; false at the end. */
static bool skip_padding(struct cursor *cursor)
{
	for (; cursor->at < cursor->end; cursor->at += cursor->insn.length) {
		load_insn(cursor);
		if (!(cursor->insn.flags & KSPLICE_INSN_NOP))
			return true;
	}
	return false;
}

/* Find int3 and nops at the end: what the compiler puts between functions. */
static void find_padding(struct cursor *cursor)
{
	struct cursor walk = *cursor;

	cursor->padding = cursor->at;
	for (; skip_padding(&walk); walk.at += walk.insn.length)
		if (!(walk.insn.flags & KSPLICE_INSN_INT3))
			cursor->padding = walk.at + walk.insn.length;
}

/* The span and the offset in it that a branch without a reloc goes to. */
static struct span *branch_target(const struct cursor *cursor, int64_t *offset)
{
	const struct section *section = cursor->span->section;
	int64_t target = (int64_t)(cursor->at + cursor->insn.length) +
		ksplice_insn_field(section->data + cursor->at, cursor->insn.rel_offset,
				   cursor->insn.rel_size);
	struct span *span;

	span = find_span(section, target < 0 ? 0 : (uint64_t)target);
	*offset = target - (int64_t)span->offset;
	return span;
}

static const struct reloc *insn_reloc(const struct cursor *cursor)
{
	const struct section *section = cursor->span->section;

	return real_reloc(section, section->relocs + find_reloc_index(section, cursor->at),
			  cursor->at + cursor->insn.length);
}

/*
 * The assembler chooses between short and near jumps, and resolves branches
 * inside a section itself when it can.  Compare where they go.
 */
static bool is_same_branch(const struct cursor *pre, const struct cursor *post)
{
	const struct reloc *a = insn_reloc(pre), *b = insn_reloc(post);
	struct span *x, *y;
	int64_t x_offset, y_offset;

	if (pre->insn.branch != post->insn.branch || pre->insn.condition != post->insn.condition ||
	    pre->insn.prefixes != post->insn.prefixes)
		return false;
	if (a && b && (!a->span || !b->span))
		return is_same_reference(a, b);
	x = a ? a->span : branch_target(pre, &x_offset);
	y = b ? b->span : branch_target(post, &y_offset);
	if (!x || !y)
		return false;
	if (a)
		x_offset = a->span_offset;
	if (b)
		y_offset = b->span_offset;
	/* Inside of the two spans that are being compared, whatever they are. */
	if (x == pre->span && y == post->span) {
		if (pre->same_layout)
			return x_offset == y_offset;
		return x_offset >= 0 && y_offset >= 0 && (uint64_t)x_offset <= x->size &&
		       (uint64_t)y_offset <= y->size &&
		       insn_ordinal(x, x_offset) == insn_ordinal(y, y_offset);
	}
	return is_same_target(x, x_offset, y, y_offset);
}

static bool is_same_insn(const struct cursor *pre, const struct cursor *post)
{
	if (pre->insn.rel_size && post->insn.rel_size)
		return is_same_branch(pre, post);
	return pre->insn.length == post->insn.length &&
	       compare_bytes(pre->span->section, pre->at, post->span->section, post->at,
			     pre->insn.length, true);
}

bool is_same_code(struct span *pre, struct span *post)
{
	struct cursor x = { .span = pre, .at = pre->offset, .end = pre->offset + pre->size };
	struct cursor y = { .span = post, .at = post->offset, .end = post->offset + post->size };

	if (!pre->section->data || !post->section->data)
		return pre->size == post->size;
	x.same_layout = y.same_layout = is_same_layout(pre, post);
	find_padding(&x);
	find_padding(&y);
	for (;;) {
		if (x.at >= x.padding && y.at >= y.padding)
			return true;
		if (!skip_padding(&x) || !skip_padding(&y) || !is_same_insn(&x, &y))
			return false;
		x.at += x.insn.length;
		y.at += y.insn.length;
	}
}

bool compare_same_length(struct span *pre, struct span *post, difference_fn *differs, void *data)
{
	struct cursor x = { .span = pre, .at = pre->offset, .end = pre->offset + pre->size };
	struct cursor y = { .span = post, .at = post->offset, .end = post->offset + post->size };

	if (!pre->section->data || !post->section->data || pre->size != post->size ||
	    pre->entry != post->entry)
		return false;
	x.same_layout = y.same_layout = true;
	while (x.at < x.end) {
		load_insn(&x);
		load_insn(&y);
		if (x.insn.length != y.insn.length ||
		    (!is_same_insn(&x, &y) && !differs(data, x.at, y.at, &x.insn)))
			return false;
		x.at += x.insn.length;
		y.at += y.insn.length;
	}
	return true;
}

/* In struct bug_entry the flags are the last member: WARN_ON_ONCE() is not WARN_ON(). */
static bool is_same_bug(const struct span *pre, const struct span *post)
{
	return pre->size == post->size && pre->size >= 2 &&
	       !memcmp(span_bytes(pre) + pre->size - 2, span_bytes(post) + post->size - 2, 2);
}

static bool is_same_entry(struct span *pre, struct span *post)
{
	if (pre->section->kind->site == SITE_BUG)
		return is_same_bug(pre, post);
	if (is_empty_alternative(pre) && is_empty_alternative(post))
		return is_same_layout(pre, post) &&
		       is_same_reference(first_reloc(pre), first_reloc(post));
	return is_same_data(pre, post);
}

static bool is_compared(const struct span *entry)
{
	return (entry->section->kind->flags & KIND_COMPARED) ||
	       entry->section->kind->site == SITE_BUG;
}

static struct span *next_compared(struct span *entry, const struct section_kind *kind)
{
	while (entry && (!is_compared(entry) || (kind && entry->section->kind != kind)))
		entry = entry->next_entry;
	return entry;
}

static size_t count_compared(struct span *entry)
{
	size_t count = 0;

	for (; (entry = next_compared(entry, NULL)); entry = entry->next_entry)
		count++;
	return count;
}

/* Sections may come in another order, so go kind by kind. */
bool is_same_entries(struct span *pre, struct span *post)
{
	const struct section_kind *kind = NULL;
	struct span *a, *b = NULL;

	if (count_compared(pre->entries) != count_compared(post->entries))
		return false;
	for (a = next_compared(pre->entries, NULL); a; a = next_compared(a->next_entry, NULL)) {
		b = next_compared(kind == a->section->kind && b ? b->next_entry : post->entries,
				  a->section->kind);
		kind = a->section->kind;
		if (!b || !is_same_entry(a, b))
			return false;
	}
	return true;
}
