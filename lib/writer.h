/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A relocatable object to be written.
 *
 * Build it with the functions below in any order, then write it once.  Symbols
 * are local first in the file whatever the order of adding, relocs are RELA on
 * x86-64 and REL on i386, section indexes are extended when there are too many:
 * all that is the writer's business.
 */
#ifndef KSPLICE_LIB_WRITER_H
#define KSPLICE_LIB_WRITER_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/error.h"

struct out_reloc {
	uint64_t offset;
	uint32_t type;
	struct out_symbol *symbol;
	int64_t addend;
};

/**
 * struct out_section - a section
 * @data:	@size bytes, in the arena; NULL for SHT_NOBITS
 * @link:	for SHF_LINK_ORDER, may be set by the caller; NULL otherwise
 * @index:	in the file; set while writing
 */
struct out_section {
	const char *name;
	uint32_t type;
	uint64_t flags;
	uint64_t align;
	uint64_t entsize;
	unsigned char *data;
	uint64_t size;
	uint64_t capacity;
	struct out_section *link;
	struct out_symbol *section_symbol;
	struct out_reloc *relocs;
	size_t nr_relocs, max_relocs;
	size_t index;
};

/**
 * struct out_symbol - a symbol
 * @section:	NULL when undefined, or absolute
 * @index:	in the file; set while writing
 */
struct out_symbol {
	const char *name;
	struct out_section *section;
	uint64_t value;
	uint64_t size;
	uint8_t type;
	uint8_t binding;
	uint8_t visibility;
	bool absolute;
	size_t index;
};

struct out_object {
	struct arena arena;
	uint16_t machine;
	struct out_section **sections;
	size_t nr_sections, max_sections;
	struct out_symbol **symbols;
	size_t nr_symbols, max_symbols;
};

/* @machine: EM_X86_64 or EM_386.  The caller frees it with out_object_free(). */
struct out_object *out_object_new(uint16_t machine);
void out_object_free(struct out_object *out);

/*
 * A new, empty section.  Names may repeat.  Names and contents are copied.  The
 * result lives as long as the object, like those of the other functions.
 */
struct out_section *out_section_add(struct out_object *out, const char *name, uint32_t type,
				    uint64_t flags, uint64_t align, uint64_t entsize);

/*
 * Append bytes at the next multiple of @align (a power of two), zeros where @bytes
 * is NULL; returns their offset.  For SHT_NOBITS @bytes must be NULL.
 */
uint64_t out_section_append(struct out_object *out, struct out_section *section,
			    const void *bytes, uint64_t size, uint64_t align);

/* A symbol.  @section: NULL for an undefined one. */
struct out_symbol *out_symbol_add(struct out_object *out, const char *name,
				  struct out_section *section, uint64_t value, uint64_t size,
				  uint8_t type, uint8_t binding);

/* The STT_SECTION symbol of a section, made at the first call. */
struct out_symbol *out_section_symbol(struct out_object *out, struct out_section *section);

void out_reloc_add(struct out_object *out, struct out_section *section, uint64_t offset,
		   uint32_t type, struct out_symbol *symbol, int64_t addend);

/*
 * Write the object to @path: a temporary file next to it, then rename.  -1 and
 * @err on failure, and then nothing is left behind.  Relocs of one section are
 * written sorted by offset, of one offset in the order of adding.
 */
int out_object_write(struct out_object *out, const char *path, struct ks_error *err);

/*
 * Files are written under another name and renamed: -1 and @err when @path is a
 * device, a pipe or a folder, which that would replace.
 */
int check_output(const char *path, struct ks_error *err);

#endif
