/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All of ksplice-objmanip but its command line. */
#ifndef KSPLICE_OBJMANIP_MAKE_H
#define KSPLICE_OBJMANIP_MAKE_H

#include "objmanip/manip.h"

/* Paths of files to write; @symvers and @report may be NULL for none. */
struct outputs {
	const char *old;
	const char *new;
	const char *symvers;
	const char *report;
};

/*
 * Compare a pair of manip->pairs whose two objects have been read; what can't be
 * updated is added to manip->refused.  Returns 0, or -1 with @err set.
 */
int compare_pair(struct manip *manip, struct pair *pair, struct ks_error *err);

/*
 * Make the old and the new code of all pairs, which have been compared, and write
 * them but for the report.  Returns 0, or -1 with @err set; nothing is left behind
 * then, nor when manip->refused is not empty afterwards.
 */
int make_update(struct manip *manip, const struct outputs *outputs, struct ks_error *err);

/* Free all that @manip has, but not @manip itself. */
void free_manip(struct manip *manip);

#endif
