// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer entry for update files: lib/update.c and lib/update_files.c.  The input
 * is a gzip file, or what is in one, as nobody would guess a CRC, or the text of a
 * manifest.
 */
#include "lib/update.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_file(struct archive *archive, const char *name, const void *bytes, size_t size)
{
	struct archive_entry *entry = archive_entry_new();
	char path[64];

	snprintf(path, sizeof(path), "ksplice-ab12/%s", name);
	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, size);
	archive_write_header(archive, entry);
	archive_write_data(archive, bytes, size);
	archive_entry_free(entry);
}

/* An archive with this manifest, and the files that a good one asks for. */
static void write_archive(int fd, const uint8_t *data, size_t size)
{
	struct archive *archive = archive_write_new();

	archive_write_set_format_ustar(archive);
	archive_write_add_filter_gzip(archive);
	archive_write_open_fd(archive, fd);
	add_file(archive, "manifest.json", data, size);
	add_file(archive, "ksplice.ko", "core", 4);
	add_file(archive, "ksplice_ab12_vmlinux_old.ko", "old", 3);
	add_file(archive, "ksplice_ab12_vmlinux_new.ko", "new", 3);
	archive_write_close(archive);
	archive_write_free(archive);
}

static void write_gzip(int fd, const uint8_t *data, size_t size)
{
	gzFile gz = gzdopen(dup(fd), "wb0");

	gzwrite(gz, data, size);
	gzclose(gz);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("update", 0);
	struct ks_update *update = NULL;
	struct ks_error err = { "" };
	char path[64];

	if (fd < 0)
		abort();
	if (size > 2 && data[0] == 0x1f && data[1] == 0x8b) {
		if (write(fd, data, size) != (ssize_t)size)
			abort();
	} else if (size > 0 && data[0] == '{') {
		write_archive(fd, data, size);
	} else {
		write_gzip(fd, data, size);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* A refusal is one line that says why. */
	if (ks_update_open(&update, path, &err) && (!err.text[0] || strchr(err.text, '\n')))
		abort();
	ks_update_free(update);
	close(fd);
	return 0;
}
