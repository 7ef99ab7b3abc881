/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a span of the pre object and one of the post object mean the same. */
#ifndef KSPLICE_LIB_COMPARE_H
#define KSPLICE_LIB_COMPARE_H

#include "lib/span.h"

/* Equal bytes outside of relocated fields, and fields of equal length at equal places. */
bool is_same_layout(const struct span *pre, const struct span *post);

/*
 * Do two relocs refer to the same thing: twins at the same place of them, equal
 * strings, equal constants, equal anonymous data?  PLT32 is as good as PC32, a
 * section symbol as good as a named one.
 */
bool is_same_reference(const struct reloc *pre, const struct reloc *post);

/* The same bytes outside of relocs and the same references: for data. */
bool is_same_data(struct span *pre, struct span *post);

/*
 * The same instructions, whatever the padding and the size of jumps, with the
 * same references: for functions, without their parts and table entries.
 */
bool is_same_code(struct span *pre, struct span *post);

/*
 * The same table entries that matter: alternatives, exception table, jump
 * labels, and so on; of bug entries only the flags, as lines are noise.
 */
bool is_same_entries(struct span *pre, struct span *post);

#endif
