/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Targets of an update that are modules and not loaded when it is applied: they
 * are awaited, and patched when they come, before their init function runs.
 */
#ifndef KSPLICE_LATE_H
#define KSPLICE_LATE_H

#include "core.h"

/* Whether it is in the list of that name: nothing of it is patched. */
static inline bool ksplice_is_absent(const struct ksplice_target *target)
{
	return target->late == KSPLICE_LATE_MISSING || target->late == KSPLICE_LATE_UNPATCHED;
}

/* "missing", "late", "unpatched"; NULL for a target that was there. */
const char *ksplice_late_name(const struct ksplice_target *target);

/*
 * From now on notice when a module of the target's name comes and goes.  These
 * and all below with ksplice_mutex held.
 */
void ksplice_late_watch(struct ksplice_update *update, struct ksplice_target *target);
void ksplice_late_unwatch(struct ksplice_target *target);

/*
 * Allow that targets are missing; before the match.  @text is what was written
 * to the file partial: "refuse HELPER" when a module that cannot be patched must
 * not be loaded, "load HELPER" when it may.  "HELPER --late ID TARGET" is run to
 * load the new code of a target.
 */
int ksplice_late_allow(struct ksplice_update *update, const char *text);

/* All targets may have come meanwhile; before they are matched again. */
void ksplice_late_forget(struct ksplice_update *update);

/* A target is not loaded: 0 when that is allowed, else -ENODEV. */
int ksplice_late_await(struct ksplice_update *update, struct ksplice_target *target);

/* Attach new code that the helper loads; called in place of attach_new(). */
int ksplice_late_attach(struct ksplice_update *update, struct ksplice_target *target,
			struct ksplice_mod_change *change);

/* The new code of a target that is not patched goes; false if it is patched. */
bool ksplice_late_detach(struct ksplice_update *update, struct ksplice_target *target);

/*
 * Before a switch: -EBUSY while a target is just being patched, -EAGAIN when one was
 * loaded while the update was being applied.
 */
int ksplice_late_check(struct ksplice_update *update);

int ksplice_late_init(void);
void ksplice_late_exit(void);

#endif
