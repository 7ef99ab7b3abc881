/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is freed all at once.  An object and everything that is learnt
 * about it live in one arena, so that no error path has anything to free.
 */
#ifndef KSPLICE_LIB_ARENA_H
#define KSPLICE_LIB_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;
	size_t used;		/* bytes of the first block */
	size_t room;		/* its capacity in bytes */
};

/*
 * Zeroed memory, aligned for any type.  Never fails: the program ends with a
 * message and status 2 when there is no memory left.
 */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *string);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void arena_free(struct arena *arena);

#endif
