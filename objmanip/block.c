// SPDX-License-Identifier: GPL-2.0-or-later
/* Growing arrays for the tables of a block. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objmanip/block.h"

size_t bytes_append(struct bytes *bytes, const void *data, size_t size)
{
	size_t offset = bytes->size;

	if (bytes->room - bytes->size < size) {
		bytes->room = 2 * bytes->room + size + 4096;
		bytes->data = realloc(bytes->data, bytes->room);
		if (!bytes->data) {
			fputs("ksplice-objmanip: out of memory\n", stderr);
			exit(1);
		}
	}
	if (size > 0)
		memcpy(bytes->data + offset, data, size);
	bytes->size += size;
	return offset;
}

uint32_t block_string(struct block *block, const char *string)
{
	if (block->strings.size == 0)
		bytes_append(&block->strings, "", 1);
	if (*string == '\0')
		return 0;
	if (strlen(string) >= KSPLICE_STRING_MAX)
		return 0;
	return (uint32_t)bytes_append(&block->strings, string, strlen(string) + 1);
}

void block_free(struct block *block)
{
	free(block->sections.data);
	free(block->section_symbols.data);
	free(block->relocs.data);
	free(block->sites.data);
	free(block->alternatives.data);
	free(block->strings.data);
	free(block->contents.data);
}
