/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes that lib/diff.h can describe, but that an update can't make. */
#ifndef KSPLICE_OBJMANIP_REFUSE_H
#define KSPLICE_OBJMANIP_REFUSE_H

#include "objmanip/manip.h"

/* Of one pair of objects; reasons are added to manip->refused. */
void refuse_unsafe(struct manip *manip, const struct pair *pair);

/* Of all pairs together, after collect_definitions(): what moves between files. */
void refuse_moved(struct manip *manip);

/* Of all pairs together: an update that would replace nothing. */
void refuse_idle(struct manip *manip);

#endif
