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

#include <linux/cred.h>
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

/* The same as far as it can be told, for people. */
unsigned int ksplice_any_stack_trace(struct task_struct *task, unsigned long *addresses,
				     unsigned int size);

struct task_struct *ksplice_idle_task(int cpu);

/*
 * How many tasks were ever made.  One is in the list of tasks before it is counted, both
 * under a lock (copy_process(), kernel/fork.c in 6.1).  False where the kernel does not
 * tell.
 */
bool ksplice_count_forks(unsigned long *forks);

/* A reference to the stack of @task; false when it has none, or this kernel no way back. */
bool ksplice_get_task_stack(struct task_struct *task);
void ksplice_put_task_stack(struct task_struct *task);

/*
 * A reference to the module of that name, for module_put(); -ENODEV when it is
 * not loaded, -ETXTBSY when it is just being loaded or unloaded.
 */
struct module *ksplice_get_module(const char *name);

/* stop_machine() for a caller that has locked the text. */
int ksplice_stop_machine(int (*fn)(void *data), void *data);

/*
 * What the stack at @word says is a return address of @task: the real one where
 * the function graph tracer has put its own.
 */
unsigned long ksplice_return_address(struct task_struct *task, unsigned long *word);

/*
 * Have @task, which is woken if a signal would wake it, call @work when it leaves the
 * kernel; 0, -ESRCH when it exits, or -ENOSYS.
 */
int ksplice_task_work_add(struct task_struct *task, struct callback_head *work);

/* Take back work with that function.  Returns whether it had not been begun. */
bool ksplice_task_work_cancel(struct task_struct *task,
			      void (*function)(struct callback_head *work));

/* Whether @address is where functions with a kretprobe return to. */
bool ksplice_is_kretprobe(unsigned long address);

/* Whether /proc/kallsyms has addresses for @reader (kptr_restrict, see sysctl/kernel.rst). */
bool ksplice_may_show_addresses(const struct cred *reader);

/* Whether @address is in the text of vmlinux. */
bool ksplice_is_core_text(unsigned long address);

/* Whether some of @size bytes of text have a kprobe, maybe a disabled one. */
bool ksplice_has_kprobe(unsigned long address, size_t size);

/*
 * Whether the kernel may write to some of @size bytes of text later: they have a
 * kprobe, or a lock prefix that was removed because there is one CPU.  With the
 * text locked.
 */
bool ksplice_is_text_reserved(unsigned long address, size_t size);

/*
 * Under stop_machine(): whether a kprobe came there although the text is locked, as it can
 * where the kprobes could not be locked.
 */
bool ksplice_has_late_kprobe(unsigned long address, size_t size);

/*
 * Whether a livepatch of the kernel replaces @function: ftrace then goes there from
 * the slot that is before our jump.  With the text locked.
 */
bool ksplice_is_livepatched(unsigned long function);

/* Lock all text against other writers, the kprobes, livepatches, and the set of CPUs. */
void ksplice_lock_text(void);
void ksplice_unlock_text(void);

/* Lock the list of modules and their tables of exports. */
void ksplice_lock_modules(void);
void ksplice_unlock_modules(void);

#endif
