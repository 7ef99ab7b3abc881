// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Updates on top of updates.
 *
 * A function keeps the address that it had at boot: the symbol's value.  Its code
 * is where the jumps of applied updates lead, each of them at the start of the
 * code that was the newest before.  So the next update is matched with the newest
 * code, and its jump goes there; undone, the one below is in use again.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "core.h"

static bool is_applied(const struct ksplice_update *update)
{
	return update->stage == KSPLICE_STAGE_APPLIED;
}

unsigned long ksplice_known_as(unsigned long address)
{
	const struct ksplice_update *update;
	const struct ksplice_target *target;
	unsigned long i;

	list_for_each_entry(update, &ksplice_updates, list) {
		if (!is_applied(update))
			continue;
		list_for_each_entry(target, &update->targets, list)
			for (i = 0; i < target->nr_jumps; i++)
				if (target->jumps[i].patch->new_address == address)
					return target->jumps[i].patch->old_address;
	}
	return address;
}

unsigned long ksplice_code_at(unsigned long address)
{
	const struct ksplice_update *update;
	const struct ksplice_target *target;
	unsigned long code = address, newest = 0, i;

	list_for_each_entry(update, &ksplice_updates, list) {
		if (!is_applied(update) || update->applied_at < newest)
			continue;
		list_for_each_entry(target, &update->targets, list) {
			for (i = 0; i < target->nr_jumps; i++) {
				if (target->jumps[i].patch->old_address != address)
					continue;
				code = target->jumps[i].patch->new_address;
				newest = update->applied_at;
			}
		}
	}
	return code;
}

bool ksplice_is_dead(unsigned long address)
{
	const struct ksplice_update *update;
	const struct ksplice_target *target;
	unsigned long i;

	if (ksplice_code_at(address) != address || ksplice_known_as(address) != address)
		return false;
	list_for_each_entry(update, &ksplice_updates, list) {
		if (!is_applied(update))
			continue;
		list_for_each_entry(target, &update->targets, list)
			for (i = 0; i < target->nr_ranges; i++)
				if (address - target->ranges[i].address < target->ranges[i].size)
					return true;
	}
	return false;
}

static bool has_made(const struct ksplice_target *target, unsigned long address)
{
	unsigned long i;

	for (i = 0; i < target->nr_constants; i++)
		if (address - target->constants[i].patch->old_address < target->constants[i].size)
			return true;
	return target->new && within_module_core(address, target->new->owner);
}

/* Of several that wrote a constant, each is built upon the one before it. */
const struct ksplice_update *ksplice_update_at(unsigned long address)
{
	const struct ksplice_update *update, *newest = NULL;
	const struct ksplice_target *target;

	list_for_each_entry(update, &ksplice_updates, list) {
		if (!is_applied(update))
			continue;
		list_for_each_entry(target, &update->targets, list)
			if (has_made(target, address) &&
			    (!newest || update->applied_at > newest->applied_at))
				newest = update;
	}
	return newest;
}

int ksplice_each_module_symbol(const struct module *module,
			       int (*fn)(void *data, const char *name, unsigned long value),
			       void *data)
{
	/*
	 * It is pinned.  This table is what it has after its init function, and complete
	 * before it too (add_kallsyms(), kernel/module/kallsyms.c).
	 */
	const struct mod_kallsyms *kallsyms = &module->core_kallsyms;
	unsigned int i;
	int ret = 0;

	for (i = 1; ret == 0 && i < kallsyms->num_symtab; i++) {
		const Elf_Sym *symbol = &kallsyms->symtab[i];

		if (symbol->st_shndx != SHN_UNDEF)
			ret = fn(data, kallsyms->strtab + symbol->st_name, symbol->st_value);
	}
	return ret;
}

int ksplice_each_new_symbol(const char *name,
			    int (*fn)(void *data, const char *name, unsigned long value),
			    void *data)
{
	const struct ksplice_update *update;
	const struct ksplice_target *target;
	int ret = 0;

	list_for_each_entry(update, &ksplice_updates, list) {
		if (!is_applied(update))
			continue;
		list_for_each_entry(target, &update->targets, list)
			/* Of a target that was not loaded there is none. */
			if (ret == 0 && target->new && strcmp(target->name, name) == 0)
				ret = ksplice_each_module_symbol(target->new->owner, fn, data);
	}
	return ret;
}

int ksplice_depend(struct ksplice_update *update, unsigned long address)
{
	const struct ksplice_update *below = ksplice_update_at(address), **bigger;
	unsigned int i;

	if (!below || below == update)
		return 0;
	for (i = 0; i < update->nr_below; i++)
		if (update->below[i] == below)
			return 0;
	bigger = krealloc(update->below, (update->nr_below + 1) * sizeof(*bigger), GFP_KERNEL);
	if (!bigger)
		return ksplice_fail(update, -ENOMEM, "no memory for what it is built upon");
	update->below = bigger;
	update->below[update->nr_below++] = below;
	return 0;
}

void ksplice_depend_on_none(struct ksplice_update *update)
{
	kfree(update->below);
	update->below = NULL;
	update->nr_below = 0;
}

const struct ksplice_update *ksplice_update_above(const struct ksplice_update *update)
{
	const struct ksplice_update *above;
	unsigned int i;

	list_for_each_entry(above, &ksplice_updates, list)
		for (i = 0; i < above->nr_below; i++)
			if (above->below[i] == update)
				return above;
	return NULL;
}
