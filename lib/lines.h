/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that differ in line numbers only.
 *
 * A line of a source file that a patch moves changes each __LINE__ behind it,
 * and with it code that does the same as before:
 *	WARN_ONCE(..., "%s (%d)", __FILE__, __LINE__)	net/core/dev.c, ASSERT_RTNL()
 *	__might_sleep(__FILE__, __LINE__)		proc_sys_compare()
 *	lockdep_rcu_suspicious(__FILE__, __LINE__, "…")	__synchronize_srcu()
 *	__btrfs_abort_transaction(trans, __func__, __LINE__, err)	split_node()
 * To take a real change of a constant for one of these would lose a fix, and to
 * replace a function for nothing costs little.  So each differing place must
 * pass all of these, or its function has changed:
 *
 * 1. The instruction puts a number into a register for arguments, or pushes it;
 *    it is the same instruction otherwise, of the same length, and all other
 *    instructions are the same at the same offsets.
 * 2. Straight on, without a branch and without another use of the number, a
 *    call follows, and the argument before the number is the name of a source
 *    file ("….c", "….h"), or of the function (__func__), or _acpi_module_name.
 *    So f(10) that becomes f(12) is a change, whatever else has moved.
 * 3. Both numbers can be lines, and moved as other lines of that file moved (in
 *    __bug_table, or passed elsewhere): in the same order, the same line to the
 *    same line, and as both neighbours if these moved equally.
 * 4. The name of a function says less than that of a file: printk("%s: %d tries",
 *    __func__, 10) has it as well.  With it there must be no format among the
 *    arguments, and another function must have a line next to this one that
 *    moved as far.
 */
#ifndef KSPLICE_LIB_LINES_H
#define KSPLICE_LIB_LINES_H

#include "lib/span.h"

/**
 * struct line_point - a line number of the pre object and its twin
 * @file:	name of the source file; NULL when only the function's is known
 * @pre_line, @post_line: from 1
 * @unit:	the function that has it
 * @candidate:	an immediate, to be judged; otherwise it is known to be a line
 * @rejected:	it is not to be taken for a line
 */
struct line_point {
	const char *file;
	uint32_t pre_line, post_line;
	struct span *unit;
	bool candidate, rejected;
};

/* What is known of lines in a pair of objects.  In @arena; zero the rest. */
struct lines {
	struct arena *arena;
	struct line_point *points;
	size_t count, max;
};

/*
 * Two functions that are not the same code: may it be for lines only (rules 1
 * and 2)?  If so, its places are noted for judge_lines().
 */
bool add_line_candidate(struct lines *lines, struct span *pre, struct span *post);

/* Note the lines in the __bug_table entries of two functions. */
void add_bug_lines(struct lines *lines, struct span *pre, const struct span *post);

/*
 * Rules 3 and 4, when all is noted: all points of a candidate that breaks them
 * are rejected.
 */
void judge_lines(struct lines *lines);

#endif
