// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer entry for ksplice-objmanip, without its command line.  The input is the
 * post object of a seed (see elf_input.h), then the pre object.  What comes out is
 * an object, and a block of old code that the kernel side takes.
 */
#include "kmodsrc/match.h"
#include "lib/object.h"
#include "objmanip/make.h"
#include "tests/fuzz/elf_input.h"

static char old_path[256], new_path[256];

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	abort();
}

static void check_outputs(void)
{
	struct ks_error err;
	struct object *old = object_read(old_path, &err), *new;
	struct section *section;
	const char *reason = "no section";

	if (!old)
		fail("old code", err.text);
	section = find_section(old, KSPLICE_OLD_SECTION);
	if (!section || ksplice_old_code_check((const void *)section->data, section->size, &reason) != 0)
		fail("block of old code", reason);
	object_free(old);
	new = object_read(new_path, &err);
	if (!new)
		fail("new code", err.text);
	object_free(new);
}

static void make(const uint8_t *pre, size_t pre_size, const uint8_t *post, size_t post_size)
{
	static const struct outputs outputs = { .old = old_path, .new = new_path };
	struct manip manip = { .id = "fuzz", .target = "vmlinux", .nr_pairs = 1 };
	struct ks_error err = { "" };
	struct pair *pair = arena_array(&manip.arena, 1, sizeof(*pair));

	manip.pairs = pair;
	pair->pre.object = object_read_memory("pre", pre, pre_size, &err);
	if (pair->pre.object)
		pair->post.object = object_read_memory("post", post, post_size, &err);
	if (pair->post.object && compare_pair(&manip, pair, &err) == 0 &&
	    make_update(&manip, &outputs, &err) == 0 && manip.refused.count == 0) {
		check_outputs();
		remove(old_path);
		remove(new_path);
	}
	free_manip(&manip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct seed *seed = size > EI_CLASS ? choose_seed(data, size) : NULL;

	temporary_path(old_path, sizeof(old_path), "old");
	temporary_path(new_path, sizeof(new_path), "new");
	if (seed) {
		make(seed->bytes, seed->size, data, size);
		make(data, size, seed->bytes, seed->size);
	} else {
		make(data, size, data, size);
	}
	return 0;
}
