/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --match: proves old code on a kernel image. */
#ifndef KSPLICE_INSPECT_MATCHING_H
#define KSPLICE_INSPECT_MATCHING_H

#include <stdbool.h>

#include "lib/image.h"
#include "lib/object.h"

struct json_object;

/*
 * Match the old code in @object against @image, and describe the result in
 * @result (see ksplice-inspect(1)).  @kernel is what a module @image imports
 * from, or NULL.  Returns 0 when it matches, 1 when not, -1
 * and @err when that can't be told.
 */
int match_object(const struct object *object, const struct image *image,
		 const struct image *kernel, struct json_object *result, struct ks_error *err);

/* Print such a result for people; @name is what was matched. */
void print_match(const char *name, struct json_object *result);

/* A line on stderr about each mismatch, or the first ones of many. */
void report_mismatch(const char *name, struct json_object *result);

#endif
