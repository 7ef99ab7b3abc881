/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a span of the pre object and one of the post object mean the same. */
#ifndef KSPLICE_LIB_COMPARE_H
#define KSPLICE_LIB_COMPARE_H

#include "kmodsrc/insn.h"
#include "lib/span.h"

/* Equal bytes outside of relocated fields, and fields of equal length at equal places. */
bool is_same_layout(const struct span *pre, const struct span *post);

/*
 * Do two relocs refer to the same thing: twins at the same place of them, equal
 * strings, equal constants, equal anonymous data?  PLT32 is as good as PC32, a
 * section symbol as good as a named one.
 */
bool is_same_reference(const struct reloc *pre, const struct reloc *post);

/*
 * Where in its twin the place at @offset of an unchanged function is: padding and
 * the size of jumps may differ.
 */
int64_t place_in_twin(const struct span *span, int64_t offset);

/* The same bytes outside of relocs and the same references: for data. */
bool is_same_data(struct span *pre, struct span *post);

/*
 * The same instructions, whatever the padding and the size of jumps, with the
 * same references: for functions, without their parts and table entries.
 */
bool is_same_code(struct span *pre, struct span *post);

/*
 * Compare two functions of one size, instruction by instruction at the same
 * offsets, and ask @differs about each that is not the same; @x and @y are
 * offsets in the sections, @insn is that of @pre.  False when it says so, or
 * when more differs than that.
 */
typedef bool difference_fn(void *data, uint64_t x, uint64_t y, const struct ksplice_insn *insn);
bool compare_same_length(struct span *pre, struct span *post, difference_fn *differs,
			 void *data);

/*
 * The same table entries that matter: alternatives, exception table, jump
 * labels, and so on; of bug entries only the flags, as lines are noise.
 */
bool is_same_entries(struct span *pre, struct span *post);

#endif
