// SPDX-License-Identifier: GPL-2.0-or-later
#include "inspect/image_run.h"

#include <stdlib.h>

/* In front of each allocation, so that freeing it can be counted. */
union allocation {
	size_t size;
	max_align_t aligned;
};

struct each_symbol {
	int (*fn)(void *data, const char *name, unsigned long value);
	void *data;
	const struct image *except;	/* leave out the names that this one has; or NULL */
	bool imports;			/* leave them in */
};

static int run_read(void *context, unsigned long address, void *buffer, size_t size)
{
	const struct image_run *run = context;

	if (image_read(run->image, address, buffer, size) == 0)
		return 0;
	return run->kernel ? image_read(run->kernel, address, buffer, size) : -EFAULT;
}

static int each_symbol(const char *name, uint64_t address, char type, void *context)
{
	const struct each_symbol *each = context;

	if (type == 'U' && !each->imports)
		return 0;
	if (each->except && image_has_symbol(each->except, name))
		return 0;
	return each->fn(each->data, name, (unsigned long)address);
}

static int run_for_each_symbol(void *context,
			       int (*fn)(void *data, const char *name, unsigned long value),
			       void *data)
{
	const struct image_run *run = context;
	struct each_symbol each = { .fn = fn, .data = data };

	return image_for_each_symbol(run->image, each_symbol, &each);
}

/* What the loader would take comes first; it hides others of its name. */
static int run_for_each_import(void *context,
			       int (*fn)(void *data, const char *name, unsigned long value),
			       void *data)
{
	const struct image_run *run = context;
	struct each_symbol each = { .fn = fn, .data = data, .imports = true };
	int ret = image_for_each_import(run->image, each_symbol, &each);

	if (ret != 0 || !run->kernel)
		return ret;
	each.except = run->image;
	return image_for_each_symbol(run->kernel, each_symbol, &each);
}

/* A file is as it was linked. */
static bool run_may_be_up(void *context)
{
	const struct image_run *run = context;

	return image_is_live(run->image);
}

static void *run_alloc(void *context, size_t size)
{
	struct image_run *run = context;
	union allocation *allocation;

	if (size > IMAGE_RUN_MEMORY_MAX - run->allocated)
		return NULL;
	allocation = calloc(1, sizeof(*allocation) + size);
	if (!allocation)
		return NULL;
	allocation->size = size;
	run->allocated += size;
	return allocation + 1;
}

static void run_free(void *context, void *memory)
{
	struct image_run *run = context;
	union allocation *allocation = memory;

	if (!memory)
		return;
	allocation--;
	run->allocated -= allocation->size;
	free(allocation);
}

static void run_pause(void *context)
{
	(void)context;
}

const struct ksplice_matcher_ops image_run_ops = {
	.read = run_read,
	.for_each_symbol = run_for_each_symbol,
	.for_each_import = run_for_each_import,
	.may_be_up = run_may_be_up,
	.alloc = run_alloc,
	.free = run_free,
	.pause = run_pause,
};
