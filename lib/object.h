/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A relocatable ELF object (ET_REL; x86-64 or i386), read and validated.
 *
 * Whatever bytes are given: they are read or refused with a message.  After
 * object_read() every offset is inside its section, every pointer is set as
 * described and every string ends, so that nothing else needs to check.
 */
#ifndef KSPLICE_LIB_OBJECT_H
#define KSPLICE_LIB_OBJECT_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/error.h"
#include "lib/hash.h"

struct section_kind;	/* special.h */
struct span;		/* span.h */
struct text;		/* text.h */

/**
 * struct section - a section with contents of its own
 * @object:	the object that it belongs to
 * @name:	its name, never NULL
 * @index:	its index in the file
 * @type, @flags, @align, @entsize, @size: as in the section header, in bytes
 * @data:	@size bytes; NULL for SHT_NOBITS and when @debug
 * @link:	the section that SHF_LINK_ORDER ties it to; NULL otherwise
 * @group:	name of the group (COMDAT) that it is a member of; NULL otherwise
 * @debug:	only its name is kept: .debug*, .stab*, compressed sections
 * @section_symbol: its STT_SECTION symbol; NULL when the assembler left it out
 * @symbols:	defined in it, sorted by value, then index; no section or file symbols
 * @relocs:	sorted by offset, then as in the file
 * @kind:	row of the table of section kinds; set by classify_sections()
 * @spans:	sorted by offset, without gaps; set by split_into_spans()
 * @text:	instructions, for text.c
 */
struct section {
	struct object *object;
	const char *name;
	uint32_t index;
	uint32_t type;
	uint64_t flags;
	uint64_t align;
	uint64_t entsize;
	uint64_t size;
	const unsigned char *data;
	struct section *link;
	const char *group;
	bool debug;
	struct symbol *section_symbol;
	struct symbol **symbols;
	size_t nr_symbols;
	struct reloc *relocs;
	size_t nr_relocs;
	const struct section_kind *kind;
	struct span *spans;
	size_t nr_spans;
	struct text *text;
};

enum symbol_place {
	SYMBOL_UNDEFINED,
	SYMBOL_DEFINED,		/* in @section */
	SYMBOL_ABSOLUTE,
	SYMBOL_COMMON,		/* @value is the alignment */
};

/**
 * struct symbol - a symbol
 * @name:	its name; a section symbol has the name of its section
 * @index:	index in the symbol table of the file, from 1
 * @value:	offset in @section, or an absolute value; at most @section->size
 * @size:	in bytes; 0 when unknown
 * @type:	STT_*
 * @binding:	STB_*
 * @visibility:	STV_*
 * @file:	name of the STT_FILE symbol before a local symbol; NULL otherwise
 * @section:	NULL unless @place is SYMBOL_DEFINED
 * @span:	the span that @value is in; set by split_into_spans()
 */
struct symbol {
	struct object *object;
	const char *name;
	uint32_t index;
	enum symbol_place place;
	uint64_t value;
	uint64_t size;
	uint8_t type;
	uint8_t binding;
	uint8_t visibility;
	const char *file;
	struct section *section;
	struct span *span;
};

/**
 * struct reloc - a relocation
 * @section:	the section whose bytes it changes
 * @offset:	of these bytes
 * @type:	R_X86_64_* or R_386_*
 * @length:	number of bytes, 0 for R_*_NONE
 * @pc_relative: the place is subtracted
 * @symbol:	NULL for symbol index 0
 * @addend:	of the relocation, or of the contents on i386 (REL)
 * @bias:	what @addend contains only because the field is PC-relative (-4, -5, …)
 * @span:	where it points; NULL when @symbol is not in this object
 * @span_offset: @symbol + @addend - @bias, from the start of @span
 *
 * The last three are set by resolve_relocs() (span.h).
 */
struct reloc {
	struct section *section;
	uint64_t offset;
	uint32_t type;
	uint8_t length;
	bool pc_relative;
	int8_t bias;
	struct symbol *symbol;
	int64_t addend;
	struct span *span;
	int64_t span_offset;
};

/**
 * struct object - an object file
 * @path:	for messages
 * @machine:	EM_X86_64 or EM_386
 * @word_size:	8 or 4
 * @sections:	by index in the file; NULL where a section has no contents of
 *		its own (symbol and string tables, relocations, groups)
 * @symbols:	by index in the file; the first is NULL
 * @nr_spans:	of all sections; set by analyze_object()
 * @comparing:	private to compare.c
 */
struct object {
	struct arena arena;
	const char *path;
	uint16_t machine;
	unsigned int word_size;
	struct section **sections;
	size_t nr_sections;
	struct symbol **symbols;
	size_t nr_symbols;
	struct hash sections_by_name;
	struct hash symbols_by_name;
	unsigned int nr_spans;
	struct {
		unsigned int depth, count, round;
	} comparing;
};

/*
 * Read an object; NULL and @err ("PATH: what") when it can't be read or is
 * refused.  The caller frees it with object_free(), which frees all of it.
 */
struct object *object_read(const char *path, struct ks_error *err);

/* The same from memory; the bytes are copied.  @path is for messages. */
struct object *object_read_memory(const char *path, const void *bytes, size_t size,
				  struct ks_error *err);
void object_free(struct object *object);

/* First section of that name; NULL when there is none. */
struct section *find_section(const struct object *object, const char *name);

/* A symbol of that name, a global or weak one if there is; NULL when there is none. */
struct symbol *find_symbol(const struct object *object, const char *name);

/* Index of the first symbol of the section at or after @value. */
size_t find_symbol_index(const struct section *section, uint64_t value);

/* Index of the first reloc of the section at or after @offset. */
size_t find_reloc_index(const struct section *section, uint64_t offset);

/* The first reloc with exactly this offset that is not R_*_NONE; NULL when there is none. */
struct reloc *find_reloc(const struct section *section, uint64_t offset);

static inline bool is_alloc(const struct section *section)
{
	return section->flags & SHF_ALLOC;
}

static inline bool is_text(const struct section *section)
{
	return (section->flags & (SHF_ALLOC | SHF_EXECINSTR)) == (SHF_ALLOC | SHF_EXECINSTR);
}

static inline bool is_section_symbol(const struct symbol *symbol)
{
	return symbol->type == STT_SECTION;
}

/* R_X86_64_NONE and R_386_NONE are both 0. */
static inline bool is_none_reloc(const struct reloc *reloc)
{
	return reloc->type == 0;
}

#endif
