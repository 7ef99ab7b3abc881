/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files in memory, decompressed: kernels, and what is inside them. */
#ifndef KSPLICE_LIB_UNPACK_H
#define KSPLICE_LIB_UNPACK_H

#include <stddef.h>

#include "lib/error.h"

/* Bytes in allocated memory; free() them. */
struct bytes {
	unsigned char *data;
	size_t size;
};

/*
 * Reads a whole regular file of at most @limit bytes. 0, or -1 with @error
 * set, without the path.
 */
int read_whole_file(const char *path, size_t limit, struct bytes *out, struct ks_error *error);

/*
 * Name of the compression that the bytes begin with (gzip, bzip2, xz, lzma,
 * lz4, zstd, lzop: all that the kernel's build knows); NULL when it is none.
 */
const char *compression_of(const unsigned char *data, size_t size);

/*
 * Decompresses, to at most @limit bytes. 0, or -1 with @error set; then
 * nothing is in @out.
 */
int decompress(const unsigned char *data, size_t size, size_t limit, struct bytes *out,
	       struct ks_error *error);

#endif
