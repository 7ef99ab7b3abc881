/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of functions to replace, in the new code. */
#ifndef KSPLICE_OBJMANIP_PATCHES_H
#define KSPLICE_OBJMANIP_PATCHES_H

#include "objmanip/manip.h"

/* Why a jump can't be written into a pre function; NULL when it can. */
const char *why_no_jump(const struct span *span);

/*
 * Is an entry of HOOK_SECTION of a post object in the pre object too?  Then the hook
 * is that of an update below (ksplice-create --base-patch), which calls it.
 */
bool is_hook_of_base(const struct span *entry);

/* Why an entry of HOOK_SECTION of a post object can't be a hook; NULL when it can. */
const char *why_no_hook(const struct span *entry);

/* Add the tables to the new code, whose spans were copied already. */
void make_patches(struct manip *manip);

#endif
