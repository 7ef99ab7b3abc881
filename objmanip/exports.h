/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KSPLICE_OBJMANIP_EXPORTS_H
#define KSPLICE_OBJMANIP_EXPORTS_H

#include "lib/export.h"
#include "objmanip/manip.h"

/*
 * The export that an item of diff.exports_new is, unless an object of the update
 * exported it before: then it only moves, and the running kernel has it.
 */
bool find_new_export(struct manip *manip, const struct diff_item *item, struct export *export);

/*
 * Versions of exported symbols, from lines "NAME 0xCRC"; -1 and @err when the file
 * can't be read or has something else in it.
 */
int read_crcs(struct manip *manip, const char *path, struct ks_error *err);

/*
 * Names that new code imports from the kernel's exports, a line each: kallsyms may
 * not have them.  -1 and @err as for versions.
 */
int read_imports(struct manip *manip, const char *path, struct ks_error *err);

/* Make the new code export what the patch exports, after all else is copied. */
void make_exports(struct manip *manip);

#endif
