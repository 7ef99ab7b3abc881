// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Constants that are written in place, because code that does not change uses them.
 *
 * They are in memory that cannot be written, so it is mapped a second time for the
 * length of the switch.  All of it was compared with the old code, and what it is
 * replaced with refers to nothing of the new code (ksplice-objmanip sees to that): a
 * task that has read it does not bring anybody there after an undo.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core.h"
#include "fault.h"
#include "match_internal.h"
#include "writable.h"

/* Bytes that the old code has at @address, which it was found to match; or 0. */
static u32 matched_size(const struct ksplice_matcher *matcher, unsigned long address)
{
	u32 i;

	for (i = 0; i < matcher->old->sections.count; i++)
		if (matcher->tables.sections[i].kind != KSPLICE_SECTION_TEXT &&
		    matcher->matched[i].state == KSPLICE_SECTION_MATCHED &&
		    matcher->matched[i].address == address)
			return matcher->tables.sections[i].size;
	return 0;
}

/* Twice the same one: the second would be compared with what the first one wrote. */
static bool is_listed(const struct ksplice_target *target, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		if (target->new->constants[i].old_address == target->new->constants[nr].old_address)
			return true;
	return false;
}

static int link_constant(struct ksplice_update *update, const struct ksplice_target *target,
			 unsigned long nr)
{
	const struct ksplice_patch *patch = &target->new->constants[nr];
	struct ksplice_constant *constant = &target->constants[nr];
	const struct module *owner = target->new->owner;

	constant->patch = patch;
	constant->size = matched_size(target->matcher, patch->old_address);
	if (constant->size == 0)
		return ksplice_fail(update, -ENOENT, "%s: the constant %s was not matched",
				    target->name, patch->name);
	if (!within_module_core(patch->new_address, owner) ||
	    !within_module_core(patch->new_address + constant->size - 1, owner) ||
	    is_listed(target, nr))
		return ksplice_fail(update, -EINVAL, "%s: the table of constants is malformed",
				    target->name);
	constant->saved = kvmalloc(constant->size, GFP_KERNEL);
	if (!constant->saved)
		return ksplice_fail(update, -ENOMEM, "%s: no memory for constants", target->name);
	if (copy_from_kernel_nofault(constant->saved, (void *)patch->old_address,
				     constant->size) != 0)
		return ksplice_fail(update, -EFAULT, "%s: %s cannot be read", target->name,
				    patch->name);
	return 0;
}

int ksplice_target_link_constants(struct ksplice_update *update, struct ksplice_target *target)
{
	const struct ksplice_mod_change *new = target->new;
	unsigned long i;
	int ret = 0;

	if (new->nr_constants == 0)
		return 0;
	if (!ksplice_fault("constants"))
		target->constants = kvcalloc(new->nr_constants, sizeof(*target->constants),
					     GFP_KERNEL);
	if (!target->constants)
		return ksplice_fail(update, -ENOMEM, "%s: no memory for constants", target->name);
	target->nr_constants = new->nr_constants;
	for (i = 0; ret == 0 && i < new->nr_constants; i++)
		ret = link_constant(update, target, i);
	if (ret != 0)
		ksplice_target_unlink_constants(target);
	return ret;
}

void ksplice_target_unlink_constants(struct ksplice_target *target)
{
	unsigned long i;

	for (i = 0; i < target->nr_constants; i++)
		kvfree(target->constants[i].saved);
	kvfree(target->constants);
	target->constants = NULL;
	target->nr_constants = 0;
}

static int map_constant(struct ksplice_update *update, const struct ksplice_target *target,
			struct ksplice_constant *constant, bool reverse)
{
	const struct ksplice_patch *patch = constant->patch;
	const void *expected = reverse ? (void *)patch->new_address : constant->saved;

	constant->writable = ksplice_map_writable(patch->old_address, constant->size);
	if (!constant->writable)
		return ksplice_fail(update, -ENOMEM, "%s: %s cannot be mapped", target->name,
				    patch->name);
	/* Not where it is itself: KASAN would see what is between it and the next one read. */
	if (memcmp(constant->writable, expected, constant->size) != 0)
		return ksplice_fail(update, -EBUSY, "%s: the constant %s was changed by somebody else",
				    target->name, patch->name);
	return 0;
}

int ksplice_constants_begin(struct ksplice_update *update, bool reverse)
{
	struct ksplice_target *target;
	unsigned long i;
	int ret;

	list_for_each_entry(target, &update->targets, list) {
		for (i = 0; i < target->nr_constants; i++) {
			ret = map_constant(update, target, &target->constants[i], reverse);
			if (ret == 0)
				continue;
			ksplice_constants_end(update);
			return ret;
		}
	}
	return 0;
}

void ksplice_constants_end(struct ksplice_update *update)
{
	struct ksplice_target *target;
	unsigned long i;

	list_for_each_entry(target, &update->targets, list) {
		for (i = 0; i < target->nr_constants; i++) {
			struct ksplice_constant *constant = &target->constants[i];

			ksplice_unmap_writable(constant->writable);
			constant->writable = NULL;
		}
	}
}

/* Nobody reads it now but NMIs, which find each pointer whole. */
static void write_words(u8 *to, const u8 *from, unsigned long size)
{
	unsigned long word;

	while (size > 0) {
		if (IS_ALIGNED((unsigned long)to, sizeof(word)) && size >= sizeof(word)) {
			memcpy(&word, from, sizeof(word));
			WRITE_ONCE(*(unsigned long *)to, word);
			to += sizeof(word);
			from += sizeof(word);
			size -= sizeof(word);
		} else {
			WRITE_ONCE(*to++, *from++);
			size--;
		}
	}
}

void ksplice_constants_write(const struct ksplice_update *update, bool reverse)
{
	const struct ksplice_target *target;
	unsigned long i;

	list_for_each_entry(target, &update->targets, list) {
		for (i = 0; i < target->nr_constants; i++) {
			const struct ksplice_constant *constant = &target->constants[i];

			write_words(constant->writable,
				    reverse ? constant->saved :
					      (void *)constant->patch->new_address,
				    constant->size);
		}
	}
}
