// SPDX-License-Identifier: GPL-2.0-or-later
/* The target: a module that remembers what its text was when its init function ran. */
#include <linux/module.h>
#include <linux/string.h>

static const char stage_text[16] = "unpatched";

static char at_start[sizeof(stage_text)];
module_param_string(at_start, at_start, sizeof(at_start), 0400);
MODULE_PARM_DESC(at_start, "the text at the start");

/* A parameter can change: the compiler does not look through it. */
static char *text = (char *)stage_text;
module_param(text, charp, 0400);
MODULE_PARM_DESC(text, "the text");

static int __init stage_late_init(void)
{
	strscpy(at_start, text, sizeof(at_start));
	return 0;
}

static void __exit stage_late_exit(void)
{
}

module_init(stage_late_init);
module_exit(stage_late_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("stage 7: a target that is loaded late");
