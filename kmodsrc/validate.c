// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checks what the modules of an update hand over, before any of it is followed:
 * every table and string must lie in the module that it comes with.
 */
#include <linux/module.h>

#include "compat.h"
#include "core.h"
#include "update_id.h"

/* More functions than any update replaces. */
#define MAX_ENTRIES	65536

static bool in_module(const struct module *module, const void *start, unsigned long size)
{
	unsigned long first = (unsigned long)start;

	/* Its last byte too, and no hole between: areas are far apart, or one is left out. */
	return size > 0 && first + size > first && within_module_core(first, module) &&
	       within_module_core(first + size - 1, module);
}

static bool has_table(const struct module *module, const void *start, unsigned long count,
		      size_t size)
{
	return count <= MAX_ENTRIES && IS_ALIGNED((unsigned long)start, sizeof(long)) &&
	       (count == 0 || in_module(module, start, count * size));
}

/* Whether @text is in the module, and ends there before @max bytes. */
static bool has_string(const struct module *module, const char *text, size_t max)
{
	size_t i;

	for (i = 0; i < max && in_module(module, text + i, 1); i++)
		if (!text[i])
			return true;
	return false;
}

static const char *check_old(const struct ksplice_mod_change *change)
{
	const char *reason;

	if (change->nr_patches > 0 || change->nr_ranges > 0)
		return "old code with a table of functions to replace";
	if (!in_module(change->owner, change->old_code, change->old_code_size))
		return "the old code is not in its module";
	if (!IS_ALIGNED((unsigned long)change->old_code, sizeof(u32)))
		return "the old code is not aligned";
	if (!in_module(change->owner, change->published, change->published_size) ||
	    !IS_ALIGNED((unsigned long)change->published, sizeof(u32)))
		return "the memory for symbols is not in its module";
	if (ksplice_old_code_check(change->old_code, change->old_code_size, &reason) != 0)
		return reason;
	return NULL;
}

static const char *check_new(const struct ksplice_mod_change *change)
{
	const struct module *owner = change->owner;
	unsigned long start, size, i;

	if (!has_table(owner, change->patches, change->nr_patches, sizeof(*change->patches)))
		return "the table of functions to replace is not in its module";
	if (!has_table(owner, change->ranges, change->nr_ranges, sizeof(*change->ranges)))
		return "the table of code that must not be in use is not in its module";
	if (!has_table(owner, change->writes, change->nr_writes, sizeof(*change->writes)))
		return "the table of what to write is not in its module";
	if (!has_table(owner, change->constants, change->nr_constants, sizeof(*change->constants)))
		return "the table of constants is not in its module";
	if (!has_table(owner, change->hooks, change->nr_hooks, sizeof(*change->hooks)))
		return "the table of hooks is not in its module";
	ksplice_module_text(owner, &start, &size);
	for (i = 0; i < change->nr_patches; i++) {
		if (change->patches[i].new_address - start >= size)
			return "new code that is not in its module";
		if (!has_string(owner, change->patches[i].name, KSYM_NAME_LEN))
			return "the name of a function is not in its module";
	}
	for (i = 0; i < change->nr_hooks; i++)
		if (!has_string(owner, change->hooks[i].name, KSYM_NAME_LEN))
			return "the name of a hook is not in its module";
	for (i = 0; i < change->nr_constants; i++)
		if (!has_string(owner, change->constants[i].name, KSYM_NAME_LEN))
			return "the name of a constant is not in its module";
	for (i = 0; i < change->nr_ranges; i++)
		if (!has_string(owner, change->ranges[i].name, KSYM_NAME_LEN))
			return "the name of code that must not be in use is not in its module";
	return NULL;
}

const char *ksplice_change_check(const struct ksplice_mod_change *change)
{
	const struct module *owner = change->owner;
	const char *reason;

	if (!owner || !in_module(owner, change, sizeof(*change)))
		return "not part of the module that it names";
	if (!has_string(owner, change->id, KSPLICE_ID_MAX + 1))
		return "its ID is too long, or not in its module";
	reason = ksplice_why_no_id(change->id);
	if (reason)
		return reason;
	if (!has_string(owner, change->target, MODULE_NAME_LEN) || !*change->target)
		return "not the name of a target";
	if (change->description && !has_string(owner, change->description, PAGE_SIZE))
		return "the description is not in its module";
	if (!change->old_code == !change->patches)
		return "neither old nor new code";
	return change->old_code ? check_old(change) : check_new(change);
}
