// SPDX-License-Identifier: GPL-2.0-or-later
/* What takes over: it has the arguments and the result of cmdline_proc_show(). */
#include <linux/seq_file.h>

#include "stage.h"

extern char cmdline_proc_show__stage[];

static int new_show(struct seq_file *m, void *v)
{
	seq_puts(m, "stage 2\n");
	return 0;
}

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
STAGE_TABLE(ksplice_hook, ksplice_hooks);
STAGE_OTHER_TABLES;
