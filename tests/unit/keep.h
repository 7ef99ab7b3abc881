/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inputs that unit tests make, left in $KSPLICE_SEEDS as seeds for tests/fuzz. */
#ifndef KSPLICE_TESTS_KEEP_H
#define KSPLICE_TESTS_KEEP_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Two pieces of one input; named by their contents, so each is there once. */
static inline void keep_seed(const void *bytes, size_t size, const void *more, size_t more_size)
{
	const char *folder = getenv("KSPLICE_SEEDS");
	const unsigned char *byte;
	uint64_t hash = 14695981039346656037u;
	char path[512];
	FILE *file;

	if (!folder)
		return;
	for (byte = bytes; byte < (const unsigned char *)bytes + size; byte++)
		hash = (hash ^ *byte) * 1099511628211u;
	snprintf(path, sizeof(path), "%s/%016llx", folder, (unsigned long long)hash);
	file = fopen(path, "w");
	if (!file)
		return;
	fwrite(bytes, 1, size, file);
	fwrite(more, 1, more_size, file);
	fclose(file);
}

#endif
