/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of applying and reversing an update: modules are loaded and
 * unloaded, and in between the core is told what to do.
 */
#ifndef KSPLICE_APPLY_SEQUENCE_H
#define KSPLICE_APPLY_SEQUENCE_H

#include "apply/modules.h"
#include "apply/sysfs.h"
#include "lib/error.h"
#include "lib/update.h"

/* Exit codes of ksplice-apply, ksplice-undo and ksplice-view. */
enum exit_code {
	EXIT_DONE,
	EXIT_ERROR,
	EXIT_USAGE,
	EXIT_BUSY,		/* code in use, after all retries */
	EXIT_MISMATCH,		/* the running code is not the old code */
	EXIT_KERNEL,		/* made for another kernel release */
	EXIT_NOT_FOUND,		/* no such file, or not applied */
	EXIT_CODES,
};

/*
 * @partial: what about targets that are not loaded: NULL: fail; else apply the
 *           rest, and when one is loaded later and can't be patched, "refuse" it
 *           or "load" it all the same
 * @helper: path of the program that the core runs then, as "HELPER --late ID TARGET"
 * @keep: folder for the new code of these targets (partial.h)
 * @retries: further attempts when code is busy
 * @delay: seconds before each
 * @nudge: wake tasks that sleep in the code
 * @wait: wait so many seconds (0: none) before retry number @retry; returns 1
 *        when the user wants to stop, else 0
 * @note: what is being done, for the curious
 * @warn: what went wrong but does not change the outcome
 * @private: for these three
 */
struct sequence {
	struct sysfs sysfs;
	struct modules modules;
	const char *partial;
	const char *helper;
	const char *keep;
	unsigned int retries;
	double delay;
	int nudge;
	int (*wait)(struct sequence *sequence, double seconds, unsigned int retry);
	void (*note)(struct sequence *sequence, const char *text);
	void (*warn)(struct sequence *sequence, const char *text);
	void *private;
};

/*
 * What the core said; strings are its files of that name, NULL if not read.
 *
 * @attempts: how often the switch was tried
 * @pause_ns: how long all CPUs stood still
 * @targets: lines as sysfs_targets() reads
 */
struct sequence_result {
	unsigned int attempts;
	unsigned long long pause_ns;
	char *patches;
	char *match;
	char *conflicts;
	char *targets;
};

/*
 * Apply an update.  On failure everything is unloaded again that was loaded.
 * What an interrupted run left of this update is removed first.  Does not look
 * at the kernel release.  Free @result with sequence_free_result() always.
 */
enum exit_code sequence_apply(struct sequence *sequence,
			      const struct ks_update *update,
			      struct sequence_result *result,
			      struct ks_error *err);

/* Reverse the update @id and unload its modules, and the core if unused. */
enum exit_code sequence_undo(struct sequence *sequence, const char *id,
			     struct sequence_result *result,
			     struct ks_error *err);

void sequence_free_result(struct sequence_result *result);

#endif
