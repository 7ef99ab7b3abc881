// SPDX-License-Identifier: GPL-2.0-or-later
/* New code that replaces nothing; it reads the text by its label. */
#include <linux/moduleparam.h>

#include "stage.h"

extern char linux_banner__stage[];

static char *banner = linux_banner__stage;
module_param(banner, charp, 0400);

STAGE_TABLE(ksplice_patch, ksplice_patches);
STAGE_TABLE(ksplice_range, ksplice_ranges);
STAGE_TABLE(ksplice_hook, ksplice_hooks);
STAGE_OTHER_TABLES;
