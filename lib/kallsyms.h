/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own symbol table (kallsyms), found and decoded in the bytes of
 * a kernel that has no ELF symbol table, e.g. what /boot/vmlinuz unpacks to.
 *
 * Written by the kernel's scripts/kallsyms.c and read by kernel/kallsyms.c;
 * checked against Linux 5.10 to 6.12, little-endian, 32 and 64 bits.
 */
#ifndef KSPLICE_LIB_KALLSYMS_H
#define KSPLICE_LIB_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* A run of bytes with the address that the kernel is linked to have it at. */
struct kallsyms_area {
	uint64_t address;
	const unsigned char *bytes;
	size_t size;
	bool executable;
};

/* Where the tables are. The pointers point into the areas: these must stay. */
struct kallsyms {
	const unsigned char *names;
	size_t names_size;		/* bytes */
	const unsigned char *tokens;	/* 256 strings, one after the other */
	uint16_t token_index[256];	/* offsets in @tokens */
	const unsigned char *offsets;	/* u32 for each symbol */
	uint32_t count;			/* symbols */
	uint64_t relative_base;		/* address */
	unsigned int word_size;		/* bytes: 4 or 8 */
	bool absolute_percpu;		/* CONFIG_KALLSYMS_ABSOLUTE_PERCPU */
};

/*
 * Finds the tables in any of the areas. Areas may hold any bytes: what is
 * reported as found has been decoded once from the first to the last symbol.
 * Returns 0, or -1 with @error set.
 */
int kallsyms_find(struct kallsyms *kallsyms, const struct kallsyms_area *areas, size_t count,
		  unsigned int word_size, struct ks_error *error);

/*
 * Calls @symbol for each symbol in the order of the table (ascending
 * addresses) until it returns nonzero, and returns that, else 0. @type is a
 * letter as nm(1) prints it. @name is valid during the call only. On x86-64
 * with CONFIG_SMP before 6.15 the addresses of per-CPU variables are their
 * small offsets in the per-CPU area.
 */
int kallsyms_for_each(const struct kallsyms *kallsyms,
		      int (*symbol)(const char *name, uint64_t address, char type, void *context),
		      void *context);

#endif
