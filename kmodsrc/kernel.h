/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of the kernel that the core uses although they are not exported.
 *
 * They are found by name when the core is loaded, and called directly, through
 * static calls: with IBT an indirect call to a function whose ENDBR was sealed
 * would be fatal.
 */
#ifndef KSPLICE_KERNEL_H
#define KSPLICE_KERNEL_H

#include <linux/mutex.h>
#include <linux/sched.h>

#include "compat.h"

typedef KSPLICE_SYMBOL_CALLBACK((*ksplice_symbol_callback), data, name, module, value);

/*
 * Find them all.  @lookup is the address of kallsyms_lookup_name(), or 0 to find
 * it with a kprobe.  Returns 0 or -ENOENT, and logs the name that is missing.
 */
int ksplice_kernel_init(unsigned long lookup);

/* Call @callback for each symbol of vmlinux.  Sleeps. */
int ksplice_on_each_symbol(ksplice_symbol_callback callback, void *data);

/*
 * The return addresses on the stack of @task; it must not be running.  Returns
 * how many; an error when the stack cannot be read reliably, or @size is too
 * small, or this kernel has no reliable unwinder.
 */
int ksplice_stack_trace(struct task_struct *task, unsigned long *addresses,
			unsigned int size);

struct task_struct *ksplice_idle_task(int cpu);

/* stop_machine() for a caller that holds cpus_read_lock(). */
int ksplice_stop_machine(int (*fn)(void *data), void *data);

/* Write to text under stop_machine(), with the text locked. */
void ksplice_write_text(unsigned long address, const void *bytes, size_t size);

/* Lock all text against other writers; after cpus_read_lock(), as everywhere. */
void ksplice_lock_text(void);
void ksplice_unlock_text(void);

/* Lock the list of modules and their tables of exports. */
void ksplice_lock_modules(void);
void ksplice_unlock_modules(void);

#endif
