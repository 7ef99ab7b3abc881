/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the functions that differ to all that must be replaced with them. */
#ifndef KSPLICE_LIB_SPREAD_H
#define KSPLICE_LIB_SPREAD_H

#include "lib/span.h"

static inline bool is_function(const struct span *span)
{
	return span->kind == SPAN_FUNCTION && is_function_section(span->section);
}

/* One of the pair, and with it the whole function that it is a part of, has changed. */
void mark_unit(struct span *span);

/*
 * Until nothing is added: the parts of a changed function and its twin, and who
 * jumps into the middle of one.
 */
void spread_changes(struct object *pre, struct object *post);

/*
 * A changed function of which the data holds places, as jumptable in
 * kernel/bpf/core.c; NULL when there is none.
 */
const struct span *entered_from(const struct span *span);

#endif
