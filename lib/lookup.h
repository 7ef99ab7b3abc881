/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables that code only looks things up in.
 *
 * New code can have a new table of its own in place of a constant one that the
 * patch changes, when nobody has kept the address of the old one: operations
 * that live objects point to are no such table, a list of DMI quirks is.
 */
#ifndef KSPLICE_LIB_LOOKUP_H
#define KSPLICE_LIB_LOOKUP_H

#include "lib/span.h"

/*
 * All that refers to @table is code of its object, which reads from it (mov
 * table(,%rax,8), %edx) or hands it to a function that only reads it (mov $table,
 * %rdi; call dmi_first_match).  False for anything else, such as an address that
 * is stored or compared, and for a table that other objects can name.
 */
bool is_lookup_table(const struct span *table);

#endif
