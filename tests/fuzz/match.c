// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer entry for the match engine.
 *
 * The input is a block of old code and, behind its size, bytes of the run.  All
 * symbols that the block names are at the same few places in it.  The first byte of
 * the run says what the home answers, also what no kernel would.
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
	unsigned int asked;	/* how often for other addresses */
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

#define ANSWER_UP	0x01
#define ANSWER_REPLACED	0x02	/* each function has newer code, and is known as another */
#define ANSWER_HOSTILE	0x04	/* that cannot be read, or is not the same the next time */
#define ANSWER_IMPORTS	0x08
#define ANSWER_STOP	0x10	/* no memory for the imports */

static bool answers(const struct run *run, uint8_t answer)
{
	return run->size > 0 && (run->bytes[0] & answer);
}

/* Names that the target has too, elsewhere, and one that nobody has. */
static int run_for_each_import(void *context,
			       int (*fn)(void *data, const char *name, unsigned long value),
			       void *data)
{
	const struct run *run = context;
	struct ksplice_old_tables tables;
	int ret = 0;
	u32 i;

	if (!answers(run, ANSWER_IMPORTS))
		return 0;
	ksplice_old_tables(run->block, &tables);
	for (i = 0; i < run->block->symbols.count && ret == 0; i += 2)
		ret = fn(data, tables.strings + tables.symbols[i].name, RUN_BASE + 24 * (i % 16));
	if (ret == 0)
		ret = fn(data, "", ~0ul);
	return ret == 0 && answers(run, ANSWER_STOP) ? -ENOMEM : ret;
}

static unsigned long other_address(struct run *run, unsigned long address, unsigned long distance)
{
	if (!answers(run, ANSWER_REPLACED))
		return address;
	if (answers(run, ANSWER_HOSTILE))
		return run->asked++ % 3 == 0 ? ~address : address + run->asked;
	return RUN_BASE + ((address - RUN_BASE) ^ distance);
}

static unsigned long run_known_as(void *context, unsigned long address)
{
	return other_address(context, address, 16);
}

static unsigned long run_code_at(void *context, unsigned long address)
{
	return other_address(context, address, 16);
}

static bool run_may_be_up(void *context)
{
	return answers(context, ANSWER_UP);
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
		.for_each_import = run_for_each_import,
		.known_as = run_known_as,
		.code_at = run_code_at,
		.may_be_up = run_may_be_up,
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
