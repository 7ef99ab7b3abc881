/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by lib/image.c (kernels), lib/module_image.c and lib/core_image.c. */
#ifndef KSPLICE_LIB_IMAGE_INTERNAL_H
#define KSPLICE_LIB_IMAGE_INTERNAL_H

#include <gelf.h>
#include <libelf.h>

#include "lib/hash.h"
#include "lib/image.h"
#include "lib/kallsyms.h"
#include "lib/unpack.h"

/* A symbol of a module; imported ones have the type 'U'. */
struct image_symbol {
	const char *name;
	uint64_t address;
	char type;
};

struct image {
	struct bytes file;		/* the ELF file; first, so that all else can point into it */
	Elf *elf;
	GElf_Ehdr header;
	unsigned int word_size;
	struct kallsyms_area *areas;	/* what is loaded, with its bytes */
	size_t nr_areas;
	struct image_section *sections;	/* by index in the file */
	size_t nr_sections;
	Elf_Data *symbols;		/* NULL when there is no symbol table */
	size_t nr_symbols;
	size_t symbol_strings;		/* index of their string section */
	struct kallsyms kallsyms;	/* when there is none */
	char *banner;
	char *release;

	/* Of modules only, instead of the file, elf and all symbols above. */
	struct object *module;		/* what follows lives in its arena */
	struct image_symbol *named;
	size_t nr_named;
	struct hash named_by_name;	/* struct image_symbol */
	char *module_name;

	/* Of the running kernel only, instead of all but the release. */
	struct core_image *core;
};

/* The letter that nm prints for a symbol of a section: lower case for local ones. */
char image_symbol_type(const struct image *image, unsigned char info, size_t index);

/* Make a module image of @image->file, which is freed; 0, or -1 and @error. */
int module_image_read(struct image *image, const struct image *kernel, struct ks_error *error);

/* image_for_each_symbol() of a module. */
int module_image_for_each_symbol(const struct image *image, image_symbol_fn symbol,
				 void *context);

/* Is the file an ELF core file? */
bool core_image_is(const char *path);

/* Make an image of one; 0, or -1 and @error. */
int core_image_read(struct image *image, const char *path, struct ks_error *error);
void core_image_free(struct core_image *core);

/* image_read(), image_for_each_symbol() and image_for_each_import() of one. */
int core_image_copy(const struct core_image *core, uint64_t address, void *buffer, size_t size);
int core_image_for_each_symbol(const struct core_image *core, image_symbol_fn symbol,
			       void *context);
int core_image_for_each_import(const struct core_image *core, image_symbol_fn symbol,
			       void *context);

#endif
