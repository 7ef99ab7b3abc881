/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that cannot be replaced, because the switch itself needs them. */
#ifndef KSPLICE_FORBIDDEN_H
#define KSPLICE_FORBIDDEN_H

/*
 * Why a function of vmlinux cannot be replaced, as the end of a sentence; NULL
 * when it can.  @name may end in a suffix of the compiler, as ".isra.0".
 */
const char *ksplice_forbidden(const char *name);

#endif
