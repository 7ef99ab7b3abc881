// SPDX-License-Identifier: GPL-2.0-or-later
/* A function and a variable of the kernel that no module can use otherwise. */
#include <linux/seq_file.h>

#include "stage.h"

extern char cmdline_proc_show__stage[];
extern char *saved_command_line__stage;
int nr_processes__stage(void);

static int new_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s stage 3, %d processes\n", saved_command_line__stage,
		   nr_processes__stage());
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
