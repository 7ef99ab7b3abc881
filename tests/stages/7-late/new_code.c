// SPDX-License-Identifier: GPL-2.0-or-later
/* New code without code: what is written over the text of the target. */
#include "stage.h"

extern char stage_text__stage[];

static const char new_text[16] = "patched";

STAGE_TABLE(ksplice_patch, ksplice_patches);
STAGE_TABLE(ksplice_range, ksplice_ranges);
STAGE_TABLE(ksplice_write, ksplice_writes);
STAGE_TABLE(ksplice_patch, ksplice_constants, {
	.old_address = (unsigned long)stage_text__stage,
	.new_address = (unsigned long)new_text,
	.name = "stage_text",
});
STAGE_TABLE(ksplice_hook, ksplice_hooks);
