/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core's files, /sys/kernel/ksplice/ID/FILE. */
#ifndef KSPLICE_APPLY_SYSFS_H
#define KSPLICE_APPLY_SYSFS_H

#include <stddef.h>

#define SYSFS_BASE	"/sys/kernel/ksplice"

enum stage {
	STAGE_REGISTERED,	/* the old code is loaded */
	STAGE_MATCHED,		/* the run was proved to be that code */
	STAGE_LINKED,		/* the new code is loaded */
	STAGE_APPLIED,
	STAGE_REVERSED,
	STAGES,
};

extern const char *const stage_names[STAGES];

/*
 * @base: SYSFS_BASE, or the top of an imitation for tests
 * @write: writes a file, sysfs_write_file() but for tests
 * @private: for the write of a test
 */
struct sysfs {
	const char *base;
	int (*write)(struct sysfs *sysfs, const char *id, const char *file,
		     const char *text);
	void *private;
};

/*
 * Read a file of an update, or of the core if @id is NULL, with the newline at
 * its end removed.  Returns 0 and *@text for free(), or a negative errno; then
 * *@text is NULL.
 */
int sysfs_read(const struct sysfs *sysfs, const char *id, const char *file,
	       char **text);

/* Write a file.  Returns 0 or the core's negative errno. */
int sysfs_write_file(struct sysfs *sysfs, const char *id, const char *file,
		     const char *text);

/* The stage of an update: enum stage or a negative errno, -ENOENT if none. */
int sysfs_stage(const struct sysfs *sysfs, const char *id);

/* The number in the core's file abi, or a negative errno. */
int sysfs_abi(const struct sysfs *sysfs);

/*
 * List the updates, sorted.  Returns their number, 0 without a core, and *@ids
 * for sysfs_free_list(); or a negative errno.
 */
int sysfs_list(const struct sysfs *sysfs, char ***ids);

void sysfs_free_list(char **ids, int nr);

/* What became of a target, as far as that is decided. */
enum target_state {
	TARGET_OPEN,
	TARGET_PATCHED,
	TARGET_MISSING,		/* it is not loaded; when it is, it will be patched */
	TARGET_LATE,		/* it was patched when it was loaded */
	TARGET_UNPATCHED,	/* it was loaded later, and could not be patched */
	TARGET_STATES,
};

/* Their words in the file targets; "" for TARGET_OPEN. */
extern const char *const target_states[TARGET_STATES];

/* A target of an update, and which of its two halves are registered. */
struct sysfs_target {
	char *name;
	int has_old;
	int has_new;
	enum target_state state;
};

/*
 * Parse the file targets, one "NAME [old] [new] [STATE]" a line.  Returns the number of
 * targets and *@targets for sysfs_free_targets(), or a negative errno.
 */
int sysfs_targets(const struct sysfs *sysfs, const char *id,
		  struct sysfs_target **targets);

/* The same for the text of that file, which is changed; NULL has no targets. */
int sysfs_parse_targets(char *text, struct sysfs_target **targets);

void sysfs_free_targets(struct sysfs_target *targets, int nr);

#endif
