/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KSPLICE_OBJDIFF_DISASSEMBLE_H
#define KSPLICE_OBJDIFF_DISASSEMBLE_H

#include "lib/diff.h"

/*
 * Print the instructions of all changed functions and their parts to stdout, as
 * a diff: "-" only in pre, "+" only in post.  Branch targets are shown as the
 * function and the offset in it.
 */
void print_instruction_diffs(const struct diff *diff);

#endif
