/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Brings the files of an update into memory; only for lib/update.c. */
#ifndef KSPLICE_UPDATE_FILES_H
#define KSPLICE_UPDATE_FILES_H

#include "lib/update.h"

/*
 * Read the files of @path, a tar.gz or a folder, into @update, within its
 * limits and below one folder only.  For an archive @folder becomes the name of
 * that folder, for free(); for a folder it is left alone.  Returns as
 * ks_update_open(); what was read before an error stays in @update.
 */
int ks_update_read_files(struct ks_update *update, const char *path,
			 char **folder, struct ks_error *err);

#endif
