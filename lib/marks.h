/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks: what a patch says of variables.  The macros of kmodsrc/ksplice-patch.h leave
 * a pointer to the variable in a section of the post object, which is not copied.
 *
 * ksplice_match_data_early: its initial value is compared with the running kernel.
 * ksplice_assume_rodata: that, and it counts as a constant, for nobody writes it.
 */
#ifndef KSPLICE_LIB_MARKS_H
#define KSPLICE_LIB_MARKS_H

#include "lib/span.h"

/*
 * Why the variable that @mark refers to can't be compared with the running kernel, as
 * the end of a sentence; NULL when it can.  After the objects were paired (twin.h).
 */
const char *why_not_compared(const struct reloc *mark);

#endif
