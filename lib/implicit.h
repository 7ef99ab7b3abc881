/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Branches (and addresses, by lea) that the assembler resolved: within a section it
 * needs no relocation to go from one function to another, as in .sched.text or in
 * assembly.
 */
#ifndef KSPLICE_LIB_IMPLICIT_H
#define KSPLICE_LIB_IMPLICIT_H

#include "lib/object.h"

/*
 * Add a reloc for each branch out of its span that has none, of the type
 * R_*_PC32 or R_*_PC8.  After the sections were split into spans, before the
 * relocs are resolved.
 */
void add_implicit_relocs(struct object *object);

#endif
