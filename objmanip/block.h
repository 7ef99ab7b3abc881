/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of a block of old code while it is being made. */
#ifndef KSPLICE_OBJMANIP_BLOCK_H
#define KSPLICE_OBJMANIP_BLOCK_H

#include "objmanip/manip.h"

/* Bytes that grow. */
struct bytes {
	unsigned char *data;
	size_t size, room;
};

/* A site, with the symbol of its argument before symbols have indexes. */
struct block_site {
	struct ksplice_old_site site;
	struct old_symbol *symbol;	/* becomes @site.arg; NULL: it is set */
	uint32_t section;
	size_t order;			/* of making, for equal places */
};

struct block_reloc {
	struct ksplice_old_reloc reloc;
	struct old_symbol *symbol;	/* NULL: refers to a section */
	struct span *string;		/* that it refers to, and whose place it tells; or NULL */
};

struct block {
	struct bytes sections;		/* struct ksplice_old_section */
	struct bytes section_symbols;	/* struct old_symbol * for each of them */
	struct bytes relocs;		/* struct block_reloc, by section */
	struct bytes sites;		/* struct block_site */
	struct bytes alternatives;	/* struct ksplice_old_alternative */
	struct bytes strings;
	struct bytes contents;
};

/* Append to a growing array; returns the offset.  Ends the program without memory. */
size_t bytes_append(struct bytes *bytes, const void *data, size_t size);

/* The strings section of a block: offset of a copy of @string, at most 511 bytes. */
uint32_t block_string(struct block *block, const char *string);

/* sites.c: add the sites of all pre objects; their sections exist already. */
int add_sites(struct manip *manip, struct block *block, struct ks_error *err);

void block_free(struct block *block);

#endif
