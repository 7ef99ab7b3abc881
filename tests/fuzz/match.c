// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer entry for the match engine.
 *
 * The input is a block of old code and, behind its size, bytes of the run.  All
 * symbols that the block names are at the same few places in it.
 */
#include <stdlib.h>

#include "kmodsrc/match_internal.h"

#define RUN_BASE	0xffffffff81000000ul
#define ALLOCATED_MAX	(16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	const struct ksplice_old_header *block;
	const uint8_t *bytes;
	size_t size;
	size_t allocated;
};

static int run_read(void *context, unsigned long address, void *buffer, size_t size)
{
	const struct run *run = context;

	if (address < RUN_BASE || address - RUN_BASE > run->size ||
	    size > run->size - (address - RUN_BASE))
		return -EFAULT;
	memcpy(buffer, run->bytes + (address - RUN_BASE), size);
	return 0;
}

static int run_for_each_symbol(void *context,
			       int (*fn)(void *data, const char *name, unsigned long value),
			       void *data)
{
	const struct run *run = context;
	struct ksplice_old_tables tables;
	int ret = 0;
	u32 i;

	ksplice_old_tables(run->block, &tables);
	for (i = 0; i < run->block->symbols.count && ret == 0; i++) {
		ret = fn(data, tables.strings + tables.symbols[i].name, RUN_BASE + 16 * (i % 8));
		if (ret == 0 && i % 3 == 0)
			ret = fn(data, tables.strings + tables.symbols[i].name, RUN_BASE);
	}
	for (i = 0; i < KSPLICE_KNOWN_COUNT && ret == 0; i++)
		ret = fn(data, ksplice_known_names[i], RUN_BASE + 8 * i);
	return ret;
}

static void *run_alloc(void *context, size_t size)
{
	struct run *run = context;

	if (size > ALLOCATED_MAX - run->allocated)
		return NULL;
	run->allocated += size;
	return calloc(1, size);
}

static void run_free(void *context, void *memory)
{
	(void)context;
	free(memory);
}

static void run_pause(void *context)
{
	(void)context;
}

static void match(struct run *run)
{
	static const struct ksplice_matcher_ops ops = {
		.read = run_read,
		.for_each_symbol = run_for_each_symbol,
		.alloc = run_alloc,
		.free = run_free,
		.pause = run_pause,
	};
	struct ksplice_matcher *matcher = ksplice_matcher_new(run->block, &ops, run);
	char text[64];

	if (!matcher)
		return;
	ksplice_match(matcher);
	ksplice_match_describe(matcher, ksplice_match_mismatch(matcher), text, sizeof(text));
	ksplice_matcher_free(matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ksplice_old_header *block = malloc(size + 1);
	struct run run = { .block = block };
	const char *reason;

	memcpy(block, data, size);
	/* What a fuzzer need not find out. */
	if (size >= sizeof(*block)) {
		block->magic = KSPLICE_OLD_MAGIC;
		block->version = KSPLICE_OLD_VERSION;
		if (block->size > size)
			block->size = (u32)size;
	}
	if (ksplice_old_code_check(block, size, &reason) == 0) {
		run.bytes = data + block->size;
		run.size = size - block->size;
		match(&run);
	}
	free(block);
	return 0;
}
