// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK ((size_t)1 << 20)

int read_whole_file(const char *path, size_t limit, struct bytes *out, struct ks_error *error)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	int result = 0;

	out->data = NULL;
	out->size = 0;
	if (!file)
		return ks_error_set(error, "%s", strerror(errno));
	if (fstat(fileno(file), &st))
		result = ks_error_set(error, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		result = ks_error_set(error, "not a regular file");
	else if ((unsigned long long)st.st_size > limit)
		result = ks_error_set(error, "larger than %zu MiB", limit >> 20);
	else if (!(out->data = malloc(st.st_size + 1)))
		result = ks_error_set(error, "out of memory");
	if (!result) {
		out->size = fread(out->data, 1, st.st_size, file);
		if (ferror(file))
			result = ks_error_set(error, "%s", strerror(errno));
		else if (out->size != (size_t)st.st_size)
			result = ks_error_set(error, "became shorter while it was read");
	}
	fclose(file);
	if (result) {
		free(out->data);
		out->data = NULL;
	}
	return result;
}

const char *compression_of(const unsigned char *data, size_t size)
{
	static const struct {
		const char *name;
		size_t length;
		unsigned char magic[6];
	} kinds[] = {
		{ "gzip", 3, { 0x1f, 0x8b, 0x08 } },
		{ "bzip2", 3, { 'B', 'Z', 'h' } },
		{ "xz", 6, { 0xfd, '7', 'z', 'X', 'Z', 0 } },
		{ "lzma", 3, { 0x5d, 0, 0 } },
		{ "lz4", 4, { 0x02, 0x21, 0x4c, 0x18 } },	/* legacy, as the kernel's */
		{ "lz4", 4, { 0x04, 0x22, 0x4d, 0x18 } },
		{ "zstd", 4, { 0x28, 0xb5, 0x2f, 0xfd } },
		{ "lzop", 4, { 0x89, 'L', 'Z', 'O' } },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (size >= kinds[i].length && !memcmp(data, kinds[i].magic, kinds[i].length))
			return kinds[i].name;
	return NULL;
}

/* Room for one more chunk: doubled, so that copying stays linear. */
static int grow(struct bytes *out, size_t *room, struct ks_error *error)
{
	unsigned char *data;

	if (*room - out->size >= CHUNK)
		return 0;
	*room = *room * 2 + CHUNK;
	data = realloc(out->data, *room);
	if (!data)
		return ks_error_set(error, "out of memory");
	out->data = data;
	return 0;
}

static int read_archive(struct archive *archive, size_t limit, struct bytes *out,
			struct ks_error *error)
{
	struct archive_entry *entry;
	size_t room = 0;
	la_ssize_t got;

	if (archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		return ks_error_set(error, "%s", archive_error_string(archive));
	do {
		if (grow(out, &room, error))
			return -1;
		got = archive_read_data(archive, out->data + out->size, CHUNK);
		if (got < 0)
			return ks_error_set(error, "%s", archive_error_string(archive));
		out->size += got;
		if (out->size > limit)
			return ks_error_set(error, "more than %zu bytes", limit);
	} while (got);
	return 0;
}

/*
 * Only the filters that the kernel's build can need: libarchive runs programs
 * for some of the others (grzip, lrzip), which data must not be able to choose.
 * Debian's does so for lzop, too: nothing else there can unpack that.
 */
static int set_filters(struct archive *archive)
{
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_lzma(archive);
	archive_read_support_filter_lz4(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_filter_lzop(archive);
	return archive_read_support_format_raw(archive);
}

int decompress(const unsigned char *data, size_t size, size_t limit, struct bytes *out,
	       struct ks_error *error)
{
	const char *kind = compression_of(data, size);
	struct archive *archive;
	int result;

	out->data = NULL;
	out->size = 0;
	if (!kind)
		return ks_error_set(error, "compressed in an unknown way");
	archive = archive_read_new();
	if (!archive)
		return ks_error_set(error, "out of memory");
	if (set_filters(archive) != ARCHIVE_OK ||
	    archive_read_open_memory(archive, data, size) != ARCHIVE_OK)
		result = ks_error_set(error, "%s%s", archive_error_string(archive),
				      strcmp(kind, "lzop") ? "" : " (install lzop)");
	else if (archive_filter_count(archive) < 2)	/* the last one is "none" */
		result = ks_error_set(error, "this libarchive can't decompress it");
	else if (archive_filter_count(archive) > 2)	/* each one could be a bomb of its own */
		result = ks_error_set(error, "compressed more than once");
	else
		result = read_archive(archive, limit, out, error);
	archive_read_free(archive);
	if (result) {
		free(out->data);
		out->data = NULL;
		out->size = 0;
		ks_error_prefix(error, "%s", kind);
	}
	return result;
}
