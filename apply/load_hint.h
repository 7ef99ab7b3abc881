/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the kernel does not load a module, and what to do about it. */
#ifndef KSPLICE_APPLY_LOAD_HINT_H
#define KSPLICE_APPLY_LOAD_HINT_H

#include <stddef.h>

#include "lib/update.h"

/*
 * The files that say what the kernel demands of modules.
 *
 * @lockdown: "none [integrity] confidentiality"
 * @disabled: "1" when no module may be loaded any more
 * @enforce: "Y" when modules must be signed
 */
struct load_policy {
	const char *lockdown;
	const char *disabled;
	const char *enforce;
};

/* Those of the running kernel. */
extern const struct load_policy running_policy;

/*
 * Write into @text what the errno @error (positive) of loading @file means and
 * what to do.  Errors are those of load_module() in Linux 6.1
 * (kernel/module/main.c, signing.c).
 */
void load_hint(char *text, size_t size, int error,
	       const struct ks_update_file *file, const struct load_policy *policy);

#endif
