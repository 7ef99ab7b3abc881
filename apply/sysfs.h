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

/* A target of an update, and which of its two halves are registered. */
struct sysfs_target {
	char *name;
	int has_old;
	int has_new;
};

/*
 * Parse the file targets, one "NAME [old] [new]" a line.  Returns the number of
 * targets and *@targets for sysfs_free_targets(), or a negative errno.
 */
int sysfs_targets(const struct sysfs *sysfs, const char *id,
		  struct sysfs_target **targets);

void sysfs_free_targets(struct sysfs_target *targets, int nr);

#endif
