/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ksplice-inspect shows: first collected as JSON, then printed from that. */
#ifndef KSPLICE_INSPECT_VIEW_H
#define KSPLICE_INSPECT_VIEW_H

#include <stdbool.h>

#include "lib/object.h"

struct json_object;
struct ks_update;

/*
 * What is in an object or module, as a new JSON object; with a list of its
 * sections if @sections.  NULL and @err when the part of it that is ours is
 * damaged.
 */
struct json_object *view_object(struct object *object, bool sections, struct ks_error *err);

/* The same for an update: its manifest, and the view of each module of it. */
struct json_object *view_update(const struct ks_update *update, bool sections,
				struct ks_error *err);

/* Print these for people. */
void print_object_view(struct json_object *view);
void print_update_view(struct json_object *view);

#endif
