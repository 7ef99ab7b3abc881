// SPDX-License-Identifier: GPL-2.0-or-later
#include "objmanip/make.h"

#include <unistd.h>

#include "objmanip/block.h"
#include "objmanip/patches.h"
#include "objmanip/refuse.h"
#include "objmanip/report.h"

static void make_side(struct manip *manip, struct side *side)
{
	struct section *section;
	size_t i;

	side->spans = arena_array(&manip->arena, side->object->nr_sections, sizeof(*side->spans));
	side->sections =
		arena_array(&manip->arena, side->object->nr_sections, sizeof(*side->sections));
	side->out = arena_array(&manip->arena, side->object->nr_sections, sizeof(*side->out));
	for_each_section(side->object, section, i)
		side->spans[i] = arena_array(&manip->arena, section->nr_spans + 1,
					     sizeof(**side->spans));
}

static void add_notes(struct manip *manip, struct pointers *list, const struct pair *pair,
		      const struct diff_list *from)
{
	size_t i;

	for (i = 0; i < from->count; i++)
		add_note(manip, list, pair->post.object, from->items[i].name, from->items[i].reason);
}

int compare_pair(struct manip *manip, struct pair *pair, struct ks_error *err)
{
	struct object *pre = pair->pre.object, *post = pair->post.object;

	if (manip->word_size != 0 && manip->word_size != pre->word_size)
		return ks_error_set(err, "%s: is for another machine than the objects before",
				    pre->path);
	manip->word_size = pre->word_size;
	if (analyze_object(pre, err) != 0 || analyze_object(post, err) != 0 ||
	    diff_objects(&pair->diff, pre, post, err) != 0)
		return -1;
	pair->compared = true;
	add_notes(manip, &manip->skipped, pair, &pair->diff.skipped);
	add_notes(manip, &manip->refused, pair, &pair->diff.refused);
	make_side(manip, &pair->pre);
	make_side(manip, &pair->post);
	refuse_unsafe(manip, pair);
	return 0;
}

static int write_outputs(struct manip *manip, struct block *block, const struct outputs *outputs,
			 struct ks_error *err)
{
	/* Before anything is written, and then removed for the other's fault. */
	if (check_output(outputs->old, err) != 0 || check_output(outputs->new, err) != 0 ||
	    (outputs->symvers && check_output(outputs->symvers, err) != 0))
		return -1;
	if (write_old_code(manip, block, outputs->old, err) != 0)
		return -1;
	if (out_object_write(manip->new_code, outputs->new, err) == 0 &&
	    (!outputs->symvers || write_symvers(manip, outputs->symvers, err) == 0))
		return 0;
	/* One without the other is of no use. */
	unlink(outputs->old);
	unlink(outputs->new);
	return -1;
}

static int make(struct manip *manip, const struct outputs *outputs, struct ks_error *err)
{
	struct block block = { .strings = { .data = NULL } };
	int ret;

	manip->new_code = out_object_new(manip->pairs[0].pre.object->machine);
	ret = make_old_code(manip, &block, err);
	if (ret == 0)
		ret = make_new_code(manip, err);
	if (ret == 0 && manip->refused.count == 0) {
		make_patches(manip);
		ret = write_outputs(manip, &block, outputs, err);
	}
	block_free(&block);
	return ret;
}

int make_update(struct manip *manip, const struct outputs *outputs, struct ks_error *err)
{
	collect_definitions(manip);
	refuse_moved(manip);
	refuse_idle(manip);
	return manip->refused.count > 0 ? 0 : make(manip, outputs, err);
}

void free_manip(struct manip *manip)
{
	size_t i;

	for (i = 0; i < manip->nr_pairs; i++) {
		if (manip->pairs[i].compared)
			diff_free(&manip->pairs[i].diff);
		object_free(manip->pairs[i].pre.object);
		object_free(manip->pairs[i].post.object);
	}
	if (manip->new_code)
		out_object_free(manip->new_code);
	arena_free(&manip->arena);
}
