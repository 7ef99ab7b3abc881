// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Time of run-pre matching against a kernel image, beside memcmp() over the same
 * text: match IMAGE OLD.ko.  All times are of the CPU, so that a busy machine
 * changes them little.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "inspect/image_run.h"
#include "inspect/old_block.h"
#include "lib/image.h"

#define MATCHES		20
#define COMPARISONS	2000

/* The engine's home in ksplice-inspect, with the time that symbols take. */
struct home {
	struct image_run run;
	double symbols;		/* seconds */
	unsigned int passes;	/* over the symbols of the image */
	size_t peak;		/* bytes allocated at a time */
};

struct result {
	double symbols;		/* seconds, as is all below */
	double text;
	double memcmp;
	unsigned long functions;
	unsigned long bytes;
	unsigned long names;	/* that are looked for in kallsyms */
	double passes;		/* over kallsyms, for each match */
	size_t peak;
	size_t old_size;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int home_read(void *context, unsigned long address, void *buffer, size_t size)
{
	struct home *home = context;

	return image_run_ops.read(&home->run, address, buffer, size);
}

static int home_for_each_symbol(void *context,
				int (*fn)(void *data, const char *name, unsigned long value),
				void *data)
{
	struct home *home = context;
	double start = now();
	int ret = image_run_ops.for_each_symbol(&home->run, fn, data);

	home->symbols += now() - start;
	home->passes++;
	return ret;
}

static int home_for_each_import(void *context,
				int (*fn)(void *data, const char *name, unsigned long value),
				void *data)
{
	struct home *home = context;
	double start = now();
	int ret = image_run_ops.for_each_import(&home->run, fn, data);

	home->symbols += now() - start;
	return ret;
}

static void *home_alloc(void *context, size_t size)
{
	struct home *home = context;
	void *memory = image_run_ops.alloc(&home->run, size);

	if (home->run.allocated > home->peak)
		home->peak = home->run.allocated;
	return memory;
}

static void home_free(void *context, void *memory)
{
	struct home *home = context;

	image_run_ops.free(&home->run, memory);
}

static void home_pause(void *context)
{
	(void)context;
}

static const struct ksplice_matcher_ops home_ops = {
	.read = home_read,
	.for_each_symbol = home_for_each_symbol,
	.for_each_import = home_for_each_import,
	.alloc = home_alloc,
	.free = home_free,
	.pause = home_pause,
};

/*
 * memcmp() of the run with a copy of itself, of the size that was matched: the
 * least that any comparison costs.
 */
static double time_memcmp(const struct image *image, const struct ksplice_old_header *old,
			  const struct ksplice_matcher *matcher, size_t bytes)
{
	unsigned char *run = malloc(2 * bytes + 1), *copy = run + bytes;
	volatile int differs = 0;
	size_t done = 0;
	double start;
	uint32_t i;

	if (!run)
		return 0;
	for (i = 0; i < old->sections.count; i++) {
		const struct ksplice_matched *found = ksplice_match_section(matcher, i);

		if (found->state != KSPLICE_SECTION_MATCHED || found->run_size > bytes - done)
			continue;
		if (image_read(image, found->address, run + done, found->run_size) == 0)
			done += found->run_size;
	}
	memcpy(copy, run, done);
	start = now();
	for (i = 0; i < COMPARISONS; i++)
		differs = differs + memcmp(run, copy, done);
	start = now() - start;
	free(run);
	return start / COMPARISONS;
}

static int measure(const struct image *image, const struct ksplice_old_header *old,
		   struct result *result)
{
	struct home home = { .run.image = image };
	double start = now();
	unsigned int i;
	int ret = 0;

	for (i = 0; i < MATCHES && ret == 0; i++) {
		struct ksplice_matcher *matcher = ksplice_matcher_new(old, &home_ops, &home);

		if (!matcher)
			return -1;
		ret = ksplice_match(matcher);
		ksplice_match_totals(matcher, &result->functions, &result->bytes);
		if (i == MATCHES - 1) {
			result->symbols = home.symbols / MATCHES;
			result->passes = (double)home.passes / MATCHES;
			result->names = old->names.count;
			result->peak = home.peak;
			result->old_size = old->size;
			result->text = (now() - start) / MATCHES - result->symbols;
			result->memcmp = time_memcmp(image, old, matcher, result->bytes);
		}
		ksplice_matcher_free(matcher);
	}
	return ret;
}

static void print(const struct result *result)
{
	double mega = (double)result->bytes / 1e6;

	printf("  %lu functions, %lu bytes of text\n", result->functions, result->bytes);
	printf("  symbols of the image: %8.3f ms, %g pass(es) for %lu names\n", result->symbols * 1e3,
	       result->passes, result->names);
	printf("  memory at a time:     %8.1f MB, and %.1f MB of old code\n",
	       (double)result->peak / 1e6, (double)result->old_size / 1e6);
	printf("  matching the text:    %8.3f ms, %.1f MB/s\n", result->text * 1e3,
	       mega / result->text);
	printf("  memcmp() of it:       %8.3f ms, %.1f MB/s\n", result->memcmp * 1e3,
	       mega / result->memcmp);
	printf("  ratio matching / memcmp(): %.0f\n", result->text / result->memcmp);
}

int main(int argc, char **argv)
{
	struct ksplice_old_header *old = NULL;
	struct result result = { 0 };
	struct ks_error err = { "" };
	struct object *object = NULL;
	struct image *image = NULL;
	int status = 1;

	if (argc != 3) {
		fprintf(stderr, "Usage: match IMAGE OLD.ko\n");
		return 2;
	}
	image = image_open(argv[1], &err);
	if (image)
		object = object_read(argv[2], &err);
	if (object)
		old = old_block_read(object, &err);
	if (!old)
		fprintf(stderr, "match: %s\n", err.text[0] ? err.text : "no old code");
	else if (measure(image, old, &result) != 0)
		fprintf(stderr, "match: %s does not match %s\n", argv[2], argv[1]);
	else
		status = 0;
	if (status == 0)
		print(&result);
	free(old);
	object_free(object);
	image_close(image);
	return status;
}
