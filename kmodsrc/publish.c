// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lets the module loader link new code: what run-pre matching proved becomes the
 * core's own exports, under labels that only the new code knows, until it is
 * loaded.  The loader then does all that it does for any module.
 */
#define pr_fmt(format) KBUILD_MODNAME ": " format
#include <linux/rcupdate.h>

#include "core.h"
#include "fault.h"
#include "kernel.h"
#include "match_internal.h"

/* The core's own exports, while others are published; protected by ksplice_mutex. */
static struct {
	const struct ksplice_update *update;
	const struct ksplice_target *target;	/* NULL: nothing is published */
	const struct kernel_symbol *symbols;
	typeof(THIS_MODULE->gpl_crcs) crcs;
	unsigned int count;
} own;

/* Whether entries of a table of exports are as compat.h says; 0 or -ENOEXEC. */
int ksplice_check_exports(void)
{
	const struct ksplice_kernel_symbol *exports = (const void *)THIS_MODULE->gpl_syms;

	/* Those of shadow.c are first by name. */
	exports += KSPLICE_SHADOW_EXPORTS;
	if (THIS_MODULE->num_gpl_syms == KSPLICE_SHADOW_EXPORTS + 2 &&
	    ksplice_export_value(&exports[0]) == (unsigned long)register_ksplice_mod_change &&
	    ksplice_export_value(&exports[1]) == (unsigned long)unregister_ksplice_mod_change &&
	    strcmp(ksplice_export_name(&exports[0]), "register_ksplice_mod_change") == 0)
		return 0;
	pr_err("the exports of this kernel have an unknown layout\n");
	return -ENOEXEC;
}

/*
 * Replace the core's table of exports.  Lookups hold module_mutex, or run with
 * preemption off and are waited for: they never see the count of one table with the
 * other one.
 */
static void set_exports(const struct kernel_symbol *symbols, typeof(THIS_MODULE->gpl_crcs) crcs,
			unsigned int count)
{
	ksplice_lock_modules();
	WRITE_ONCE(THIS_MODULE->num_gpl_syms, 0);
	synchronize_rcu();
	THIS_MODULE->gpl_syms = symbols;
	THIS_MODULE->gpl_crcs = crcs;
	synchronize_rcu();
	WRITE_ONCE(THIS_MODULE->num_gpl_syms, count);
	ksplice_unlock_modules();
}

/* Merge labels and the core's own exports, both sorted by name. */
static int merge(struct ksplice_update *update, const struct ksplice_target *target,
		 struct ksplice_kernel_symbol *table, unsigned int *count)
{
	const struct ksplice_old_header *old = target->old->old_code;
	const struct ksplice_kernel_symbol *exports = (const void *)THIS_MODULE->gpl_syms;
	struct ksplice_old_tables tables;
	unsigned int label = 0, export = 0;

	ksplice_old_tables(old, &tables);
	for (*count = 0; label < old->labels.count || export < THIS_MODULE->num_gpl_syms;
	     (*count)++) {
		const char *name = NULL;
		unsigned long value;
		int order = -1;

		if (label < old->labels.count)
			name = tables.strings + tables.symbols[tables.labels[label]].label;
		if (export < THIS_MODULE->num_gpl_syms)
			order = name ? strcmp(name, ksplice_export_name(&exports[export])) : 1;
		if (order == 0)
			return ksplice_fail(update, -ENOEXEC, "label %s is an export of the core",
					    name);
		if (order > 0) {
			ksplice_export(&table[*count], ksplice_export_value(&exports[export]),
				       ksplice_export_name(&exports[export]));
			export++;
			continue;
		}
		if (ksplice_match_value(target->matcher, tables.labels[label], &value) != 0)
			return ksplice_fail(update, -ENOENT, "label %s has no value", name);
		ksplice_export(&table[*count], value, name);
		if (ksplice_export_value(&table[*count]) != value)
			return ksplice_fail(update, -ERANGE, "%s is out of reach for a module",
					    name);
		label++;
	}
	return 0;
}

int ksplice_publish(struct ksplice_update *update, struct ksplice_target *target)
{
	const struct ksplice_mod_change *old = target->old;
	unsigned int count;
	int ret;

	if (own.target)
		return ksplice_fail(update, -EBUSY,
				    "update %s is just being loaded; unload it if that was interrupted",
				    own.update->id);
	if (old->old_code->labels.count + THIS_MODULE->num_gpl_syms >
	    old->published_size / sizeof(struct ksplice_kernel_symbol))
		return ksplice_fail(update, -EINVAL, "%s: no room to publish symbols",
				    target->name);
	if (ksplice_fault("publish"))
		return ksplice_fail(update, -ERANGE, "fault: publish");
	ret = merge(update, target, old->published, &count);
	if (ret != 0)
		return ret;
	own.update = update;
	own.target = target;
	own.symbols = THIS_MODULE->gpl_syms;
	own.crcs = THIS_MODULE->gpl_crcs;
	own.count = THIS_MODULE->num_gpl_syms;
	set_exports(old->published, NULL, count);
	return 0;
}

bool ksplice_is_published(const struct ksplice_target *target)
{
	return own.target == target;
}

void ksplice_unpublish(const struct ksplice_target *target)
{
	if (!ksplice_is_published(target))
		return;
	set_exports(own.symbols, own.crcs, own.count);
	own.target = NULL;
}
