// SPDX-License-Identifier: GPL-2.0-or-later
/* A module that holds the date and the time of day when it was compiled. */
#include <linux/module.h>

static const char stage_built[] = "built on " __DATE__ " at " __TIME__;

static char *built = (char *)stage_built;
module_param(built, charp, 0400);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("stage 1: a target with a date");
