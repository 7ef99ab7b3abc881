// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts the readers of /proc/cmdline by name of their PID namespace, which gets a new
 * field for that.  Hooks start the counter of the first one, and free all of them.
 */
#include <linux/pid_namespace.h>
#include <linux/seq_file.h>

#include "stage.h"

#define READS	0x5741

extern char cmdline_proc_show__stage[];

static int new_show(struct seq_file *m, void *v)
{
	unsigned long *reads;

	reads = ksplice_shadow_get_or_alloc(task_active_pid_ns(current), READS, sizeof(*reads),
					    GFP_KERNEL, NULL, NULL);
	seq_printf(m, "stage 6, read %lu\n", reads ? ++*reads : 0);
	return 0;
}

static int allocate(void)
{
	unsigned long *reads = ksplice_shadow_alloc(&init_pid_ns, READS, sizeof(*reads), GFP_KERNEL,
						    NULL, NULL);

	if (!reads)
		return -ENOMEM;
	*reads = 1000;
	return 0;
}

static void release(void)
{
	ksplice_shadow_free_all(READS, NULL);
}

STAGE_TABLE(ksplice_hook, ksplice_hooks,
	{ .function.check = allocate, .kind = KSPLICE_PRE_APPLY, .name = "allocate" },
	{ .function.act = release, .kind = KSPLICE_FAIL_APPLY, .name = "release" },
	{ .function.act = release, .kind = KSPLICE_POST_REVERSE, .name = "release" });
STAGE_TABLE(ksplice_patch, ksplice_patches, {
	.old_address = (unsigned long)cmdline_proc_show__stage,
	.new_address = (unsigned long)new_show,
	.name = "cmdline_proc_show",
});
STAGE_TABLE(ksplice_range, ksplice_ranges, {
	.address = (unsigned long)cmdline_proc_show__stage,
	.size = 42,
	.name = "cmdline_proc_show",
});
STAGE_OTHER_TABLES;
