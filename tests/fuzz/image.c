// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer entry for images of kernels and modules: lib/image.c,
 * lib/module_image.c, lib/unpack.c and lib/kallsyms.c.
 */
#include "lib/image.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_symbol(const char *name, uint64_t address, char type, void *context)
{
	char text[16];

	/* Looks at every byte of the name; never ends the walk, as no type is a newline. */
	return strlen(name) > 0 && !image_read(context, address, text, sizeof(text)) &&
	       type == '\n';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ks_error error;
	struct image_section section;
	struct image *image = image_open_memory("fuzz", data, size, &error);

	if (!image)
		image = image_open_module_memory("fuzz", data, size, NULL, &error);
	if (!image)
		return 0;
	image_for_each_symbol(image, read_symbol, image);
	/* The sum of two bytes is at most 510: reads the first and the last. */
	if (!image_find_section(image, ".text", &section) && section.bytes && section.size)
		if (section.bytes[0] + section.bytes[section.size - 1] > 510)
			abort();
	image_close(image);
	return 0;
}
