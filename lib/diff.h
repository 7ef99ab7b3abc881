/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a patch changed: pre and post objects compared span by span. */
#ifndef KSPLICE_LIB_DIFF_H
#define KSPLICE_LIB_DIFF_H

#include "lib/span.h"

/**
 * struct diff_item - something that was found
 * @name:	the symbol; of a changed function its name in the pre object
 * @pre, @post:	its spans; NULL where it does not exist
 * @reason:	for skipped and refused ones: why; NULL otherwise
 */
struct diff_item {
	const char *name;
	struct span *pre, *post;
	const char *reason;
};

/* Sorted by name. */
struct diff_list {
	struct diff_item *items;
	size_t count, max;
};

/**
 * struct diff - the result
 * @functions_changed: whole functions: a change of foo.cold or foo.part.0 is one
 *		of foo.  All spans of the unit have status SPAN_CHANGED then.
 * @functions_new, @functions_deleted: likewise without parts
 * @functions_line_only: differ in line numbers only (lines.h), in themselves or in
 *		a part, and count as the same otherwise
 * @data_changed: constants, and variables of which the patch says that nobody writes
 *		them (marks.h); other changed variables are refused
 * @data_compared: variables that the patch wants compared (marks.h)
 * @data_new, @data_deleted: variables and named constants, without private
 *		statics (names.h)
 * @exports_new: exports (lib/export.h); the span is that of the export itself
 * @skipped:	changes that can't matter to a running kernel: init code, exports that
 *		are taken away
 * @refused:	changes that can't be made safely
 */
struct diff {
	struct arena arena;
	struct diff_list functions_changed, functions_new, functions_deleted;
	struct diff_list functions_line_only;
	struct diff_list data_changed, data_compared, data_new, data_deleted;
	struct diff_list exports_new;
	struct diff_list skipped, refused;
};

/*
 * Compare two analyzed objects.  Sets the twin and the status of their spans.
 * -1 and @err when they can't be compared at all.  The caller frees the result
 * with diff_free() before the objects.
 */
int diff_objects(struct diff *diff, struct object *pre, struct object *post,
		 struct ks_error *err);
void diff_free(struct diff *diff);

/*
 * A difference, or something skipped or refused.  Line numbers are neither: nobody
 * needs an update for them.
 */
bool is_different(const struct diff *diff);

#endif
