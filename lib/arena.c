// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_FIRST	(16 * 1024)	/* then each block twice as big, up to: */
#define ARENA_BLOCK	(256 * 1024)
#define ARENA_ALIGN	16

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(ARENA_ALIGN) unsigned char bytes[];
};

static void out_of_memory(void)
{
	fputs("ksplice: out of memory\n", stderr);
	exit(2);
}

static void add_block(struct arena *arena, size_t size)
{
	struct arena_block *block = calloc(1, sizeof(*block) + size);

	if (!block)
		out_of_memory();
	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->used = 0;
	arena->room = size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t block = arena->blocks ? arena->room * 2 : ARENA_FIRST;
	void *memory;

	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (block > ARENA_BLOCK)
		block = ARENA_BLOCK;
	if (!arena->blocks || size > arena->room - arena->used)
		add_block(arena, size > block ? size : block);
	memory = arena->blocks->bytes + arena->used;
	arena->used += size;
	return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		out_of_memory();
	return arena_alloc(arena, bytes);
}

char *arena_strdup(struct arena *arena, const char *string)
{
	size_t size = strlen(string) + 1;

	return memcpy(arena_alloc(arena, size), string, size);
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int length;

	if (!format)	/* or gcc 12 warns of it with -fsanitize=undefined */
		return NULL;
	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	text = arena_alloc(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}

void arena_free(struct arena *arena)
{
	struct arena_block *block, *next;

	for (block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	memset(arena, 0, sizeof(*arena));
}
