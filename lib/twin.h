/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which span of the pre object is which span of the post object.
 *
 * A wrong twin makes new code write to a stranger's variable, so where two
 * candidates are left, neither gets a twin.  The ladder, most certain first:
 *  1. the same name, for names that say all (of local ones in the same file);
 *  2. used at the same place by functions that are equal but for what they refer
 *     to: seq.123 and seq.77, foo.isra.4 and foo.isra.7;
 *  3. used in the same order by functions that have changed;
 *  4. the only two left of one name, and for data with a user in common.
 * Private statics (names.h), strings, constants and what has no name have no
 * twins: they are compared by content where they are used.
 */
#ifndef KSPLICE_LIB_TWIN_H
#define KSPLICE_LIB_TWIN_H

#include "lib/span.h"

/* Set span->twin in both objects, which must have been analyzed. */
void pair_objects(struct object *pre, struct object *post);

#endif
