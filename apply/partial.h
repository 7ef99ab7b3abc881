/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * New code for targets that are not loaded yet.  It is kept in a folder until the
 * core runs "ksplice-apply --late ID TARGET" because the target is being loaded.
 */
#ifndef KSPLICE_APPLY_PARTIAL_H
#define KSPLICE_APPLY_PARTIAL_H

#include "apply/modules.h"
#include "lib/error.h"
#include "lib/update.h"

/* In memory: an update is gone after a reboot, and so is this. */
#define PARTIAL_BASE	"/run/ksplice"

/*
 * Keep the new code of a target in BASE/ID, which only its owner can read.
 * Returns 0 or -1.
 */
int partial_keep(const char *base, const struct ks_update *update,
		 const struct ks_update_target *target, struct ks_error *err);

/* Remove BASE/ID, if it is there. */
void partial_forget(const char *base, const char *id);

/*
 * Load the new code that was kept for a target, after unloading what is left of
 * an earlier time.  Returns 0 or -1.
 */
int partial_load(const char *base, struct modules *modules, const char *id,
		 const char *target, struct ks_error *err);

#endif
