// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/spread.h"

void mark_unit(struct span *span)
{
	struct span *part;

	span = span_unit(span);
	if (span->twin)
		span->status = SPAN_CHANGED;
	for (part = span->parts; part; part = part->next_part)
		part->status = SPAN_CHANGED;
}

/*
 * What belongs together is replaced together, and both sides must agree: a part
 * may have lost or found its parent.  Each pass marks at least one more span.
 */
static bool propagate(struct object *object)
{
	struct section *section;
	struct span *span, *unit;
	bool changed = false;
	size_t i;

	for_each_span(object, section, span, i) {
		if (!is_function(span))
			continue;
		unit = span_unit(span);
		if (unit != span && (span->status == SPAN_CHANGED || !span->twin) &&
		    unit->status != SPAN_CHANGED && unit->twin) {
			mark_unit(unit);
			changed = true;
		}
		if (unit->status == SPAN_CHANGED && span->status != SPAN_CHANGED) {
			span->status = SPAN_CHANGED;
			changed = true;
		}
		if (span->status == SPAN_CHANGED && span->twin &&
		    span->twin->status != SPAN_CHANGED) {
			mark_unit(span->twin);
			changed = true;
		}
	}
	return changed;
}

/* The reference is to a place in a changed function, not to the function as a whole. */
static bool enters_changed(const struct reloc *reloc)
{
	struct span *span = reloc->span;

	return span && !is_none_reloc(reloc) && is_function(span) &&
	       span_unit(span)->status == SPAN_CHANGED &&
	       (span->parent || reloc->span_offset != (int64_t)span->entry);
}

const struct span *entered_from(const struct span *span)
{
	const struct reloc *reloc;

	for_each_span_reloc(span, reloc)
		if (enters_changed(reloc))
			return span_unit(reloc->span);
	return NULL;
}

/* The function that a reloc is part of, or describes; NULL for other data. */
static struct span *user_of(const struct reloc *reloc)
{
	struct span *user = find_span(reloc->section, reloc->offset);

	if (user && (user->kind == SPAN_ENTRY || is_class(user->section, CLASS_AUX_TEXT)))
		user = user->owner;
	return user && is_function(user) ? span_unit(user) : NULL;
}

/*
 * What jumps into the middle of a changed function must jump into the new one, so
 * it is replaced, too: in copy_user_64.S all functions end in the tail of one.
 */
static bool mark_entering(struct object *object)
{
	struct section *section;
	struct span *span, *user;
	bool changed = false;
	size_t i, j;

	for_each_span(object, section, span, i) {
		if (!is_function(span) || span_unit(span)->status != SPAN_CHANGED)
			continue;
		for (j = 0; j < span->nr_users; j++) {
			if (!enters_changed(span->users[j]))
				continue;
			user = user_of(span->users[j]);
			if (!user || user->status == SPAN_CHANGED || !user->twin)
				continue;
			mark_unit(user);
			changed = true;
		}
	}
	return changed;
}

void spread_changes(struct object *pre, struct object *post)
{
	bool again;

	do {
		again = propagate(pre);
		again |= propagate(post);
		again |= mark_entering(pre);
	} while (again);
}
