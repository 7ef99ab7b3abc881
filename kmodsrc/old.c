// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Template of the module that carries the old code of one target.  Compiled with
 * KSPLICE_ID, KSPLICE_TARGET and KSPLICE_DESCRIPTION defined as strings, and
 * linked with the old_code.o that ksplice-objmanip made.
 */
#include <linux/init.h>

#include "ksplice.h"

/* From old_code.o. */
extern const char ksplice_old_code[], ksplice_old_code_end[];
extern char ksplice_published[], ksplice_published_end[];

static struct ksplice_mod_change ksplice_change = {
	.abi = KSPLICE_ABI,
	.id = KSPLICE_ID,
	.target = KSPLICE_TARGET,
	.description = KSPLICE_DESCRIPTION,
	.owner = THIS_MODULE,
	.old_code = (const struct ksplice_old_header *)ksplice_old_code,
	.published = ksplice_published,
};

static int __init ksplice_old_init(void)
{
	ksplice_change.old_code_size = ksplice_old_code_end - ksplice_old_code;
	ksplice_change.published_size = ksplice_published_end - ksplice_published;
	return register_ksplice_mod_change(&ksplice_change);
}

static void __exit ksplice_old_exit(void)
{
	unregister_ksplice_mod_change(&ksplice_change);
}

module_init(ksplice_old_init);
module_exit(ksplice_old_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Ksplice update " KSPLICE_ID ", old code of " KSPLICE_TARGET);
