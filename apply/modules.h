/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading and unloading kernel modules.  Two backends: kmod.c with libkmod, and
 * syscalls.c for static programs, since libkmod exists only as a shared library.
 */
#ifndef KSPLICE_APPLY_MODULES_H
#define KSPLICE_APPLY_MODULES_H

#include <stddef.h>

#include "lib/error.h"

/*
 * Names are as in /proc/modules.  All functions return a negative errno on
 * failure; for load and unload it is what the kernel returned.
 *
 * @load: load the module file in memory
 * @unload: unload; does not wait: -EAGAIN while the module is in use
 * @is_loaded: 1 or 0
 * @refcount: number of users
 * @close: free what modules_open() made
 */
struct modules {
	int (*load)(struct modules *modules, const char *name, const void *data,
		    size_t size);
	int (*unload)(struct modules *modules, const char *name);
	int (*is_loaded)(struct modules *modules, const char *name);
	int (*refcount)(struct modules *modules, const char *name);
	void (*close)(struct modules *modules);
	void *private;
};

/* Set up the backend that the program is linked with.  Returns 0 or -1. */
int modules_open(struct modules *modules, struct ks_error *err);

#endif
