/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads an update: a file ksplice-ID.tar.gz with one folder ksplice-ID/, or
 * that folder itself.  Nothing in it is trusted.
 */
#ifndef KSPLICE_UPDATE_H
#define KSPLICE_UPDATE_H

#include <stddef.h>

#include "lib/error.h"

struct json_object;

/* The "format" in manifest.json that this reader knows. */
#define KS_UPDATE_FORMAT	1

/* Limits of an update, unpacked: bytes in all, files, bytes of the manifest. */
#define KS_UPDATE_SIZE_MAX	(256ul << 20)
#define KS_UPDATE_FILES_MAX	1024
#define KS_UPDATE_MANIFEST_MAX	(16ul << 20)

/* Longest module name (Linux 6.1, MODULE_NAME_LEN). */
#define KS_MODULE_NAME_MAX	55

/* @data has a NUL after its @size bytes. */
struct ks_update_file {
	char *name;
	char *data;
	size_t size;
};

/* Strings of the manifest, which owns them. */
struct ks_update_names {
	const char **names;
	size_t nr;
};

/*
 * What changes in vmlinux or in one module.
 *
 * @old, @new: the files of the two modules, never NULL
 * @old_module, @new_module: their names once loaded, ksplice_ID_TARGET_old/new
 * @changed, @new_functions: names of functions
 */
struct ks_update_target {
	const char *name;
	const struct ks_update_file *old;
	const struct ks_update_file *new;
	char old_module[KS_MODULE_NAME_MAX + 1];
	char new_module[KS_MODULE_NAME_MAX + 1];
	struct ks_update_names changed;
	struct ks_update_names new_functions;
};

/*
 * @kernel: release of the kernel that it was made for, as uname -r prints it
 * @description: may be empty
 * @core: the file ksplice.ko
 * @manifest: manifest.json as parsed; it owns the strings
 */
struct ks_update {
	const char *id;
	const char *kernel;
	const char *description;
	const struct ks_update_file *core;
	struct ks_update_target *targets;
	size_t nr_targets;
	struct ks_update_file *files;
	size_t nr_files;
	struct json_object *manifest;
};

/*
 * Read the update file or folder @path into memory and check it.  Returns 0 and
 * an update for ks_update_free(); -ENOENT when there is no such file, -EINVAL
 * when it is not a good update, or another negative errno of the system, with
 * @err saying what is wrong (without the path).
 */
int ks_update_open(struct ks_update **update, const char *path,
		   struct ks_error *err);

/* Free an update; NULL is allowed. */
void ks_update_free(struct ks_update *update);

/* The file @name of the update, or NULL. */
const struct ks_update_file *ks_update_find(const struct ks_update *update,
					    const char *name);

/* Does the module @file end with a signature?  Not whether that is a good one. */
int ks_update_file_signed(const struct ks_update_file *file);

/*
 * Name the module of one half ("old" or "new") of a target, as the loader knows
 * it: ("ab12", "nf-tables", "old") gives ksplice_ab12_nf_tables_old.  Returns 0,
 * or -1 when the name would be longer than the kernel allows.
 */
int ks_update_module_name(char name[KS_MODULE_NAME_MAX + 1], const char *id,
			  const char *target, const char *half);

#endif
