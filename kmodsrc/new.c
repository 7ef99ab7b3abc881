// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Template of the module that carries the new code of one target.  Compiled with
 * KSPLICE_ID, KSPLICE_TARGET and KSPLICE_DESCRIPTION defined as strings, and
 * linked with the new_code.o that ksplice-objmanip made.
 */
#include <linux/init.h>

#include "ksplice.h"

/* From new_code.o. */
extern const struct ksplice_patch ksplice_patches[], ksplice_patches_end[];
extern const struct ksplice_range ksplice_ranges[], ksplice_ranges_end[];
extern const struct ksplice_write ksplice_writes[], ksplice_writes_end[];
extern const struct ksplice_patch ksplice_constants[], ksplice_constants_end[];
extern const struct ksplice_hook ksplice_hooks[], ksplice_hooks_end[];

static struct ksplice_mod_change ksplice_change = {
	.abi = KSPLICE_ABI,
	.id = KSPLICE_ID,
	.target = KSPLICE_TARGET,
	.description = KSPLICE_DESCRIPTION,
	.owner = THIS_MODULE,
	.patches = ksplice_patches,
	.ranges = ksplice_ranges,
	.writes = ksplice_writes,
	.constants = ksplice_constants,
	.hooks = ksplice_hooks,
};

static int __init ksplice_new_init(void)
{
	ksplice_change.nr_patches = ksplice_patches_end - ksplice_patches;
	ksplice_change.nr_ranges = ksplice_ranges_end - ksplice_ranges;
	ksplice_change.nr_writes = ksplice_writes_end - ksplice_writes;
	ksplice_change.nr_constants = ksplice_constants_end - ksplice_constants;
	ksplice_change.nr_hooks = ksplice_hooks_end - ksplice_hooks;
	return register_ksplice_mod_change(&ksplice_change);
}

static void __exit ksplice_new_exit(void)
{
	unregister_ksplice_mod_change(&ksplice_change);
}

module_init(ksplice_new_init);
module_exit(ksplice_new_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Ksplice update " KSPLICE_ID ", new code of " KSPLICE_TARGET);
