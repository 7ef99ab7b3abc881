/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface between the core (ksplice.ko) and the modules of an update.
 *
 * An update changes one or more targets (vmlinux or modules).  For each target
 * it has a pair of modules: ksplice_<id>_<target>_old with the old code, which
 * is only needed until the update is applied, and ksplice_<id>_<target>_new with
 * the code that takes over.
 */
#ifndef KSPLICE_H
#define KSPLICE_H

#include <linux/list.h>
#include <linux/module.h>

#include "ksplice-patch.h"

/* Raised whenever the structures below, the files in sysfs or the format of old_code.h change. */
#define KSPLICE_ABI	8

struct ksplice_old_header;
struct ksplice_update;

/*
 * A function to replace.  The module loader fills in @old_address: it is a
 * reference to the label that the core published for the function.
 */
struct ksplice_patch {
	unsigned long old_address;
	unsigned long new_address;
	const char *name;
};

/* Code of the running kernel that no task may be in during the switch. */
struct ksplice_range {
	unsigned long address;
	unsigned long size;
	const char *name;
};

/*
 * What the module loader leaves to the core, and the core writes before it lets any
 * function lead to the new code:
 *
 * - Boot writes the values of some variables into the code of vmlinux, and of no
 *   module (runtime_const_ptr(), 6.11 and later): @size bytes of the variable at
 *   @source go to @address in the new code.
 * - The new code takes the address of a function of which nobody did before, so
 *   that boot sealed it against indirect calls (IBT): @source is 0, and the ENDBR of
 *   the function at @address is restored if it was sealed.  It stays when the update
 *   is undone, because somebody may remember the address.
 */
struct ksplice_write {
	unsigned long address;
	unsigned long source;
	unsigned long size;
};

/* A function of the update that is called when the update is applied or reversed. */
struct ksplice_hook {
	union ksplice_hook_function function;
	unsigned long kind;		/* enum ksplice_hook_kind */
	const char *name;
};

/**
 * struct ksplice_mod_change - one half of the change to one target
 * @abi:	KSPLICE_ABI of the headers that the module was compiled with
 * @id:		the update's id
 * @target:	"vmlinux" or the name of a module
 * @description: one line of text, may be empty
 * @owner:	the module that holds this half
 * @old_code:	the old code (old_code.h); NULL in the half with the new code
 * @old_code_size: its size in bytes
 * @published:	memory for the table of published symbols, in module memory;
 *		24 bytes for each label, and for each export of the core
 * @published_size: its size in bytes
 * @patches:	functions to replace; NULL in the half with the old code
 * @nr_patches:	number of functions
 * @ranges:	code that must not be in use during the switch
 * @nr_ranges:	number of ranges
 * @writes:	what the core fills in; may be NULL
 * @nr_writes:	number of these
 * @constants:	read-only data to write in place; the new bytes are at the new address
 * @nr_constants: number of constants
 * @hooks:	functions of the half with the new code to call
 * @nr_hooks:	number of hooks
 * @update, @list: for the core
 * @leaves_to:	where unregister_ksplice_mod_change() returns to
 */
struct ksplice_mod_change {
	unsigned int abi;
	const char *id;
	const char *target;
	const char *description;
	struct module *owner;
	const struct ksplice_old_header *old_code;
	unsigned long old_code_size;
	void *published;
	unsigned long published_size;
	const struct ksplice_patch *patches;
	unsigned long nr_patches;
	const struct ksplice_range *ranges;
	unsigned long nr_ranges;
	const struct ksplice_write *writes;
	unsigned long nr_writes;
	const struct ksplice_patch *constants;
	unsigned long nr_constants;
	const struct ksplice_hook *hooks;
	unsigned long nr_hooks;
	/* private: */
	struct ksplice_update *update;
	struct list_head list;
	unsigned long leaves_to;
};

/*
 * Called by the init functions of the module pair.  Returns 0, or -ENOEXEC for
 * another ABI, -EEXIST when the update has this half already, -EINVAL for a
 * malformed change, -ENOMEM.  The update appears as /sys/kernel/ksplice/<id>.
 */
int register_ksplice_mod_change(struct ksplice_mod_change *change);

/* Called by their exit functions.  The update goes with its last half. */
void unregister_ksplice_mod_change(struct ksplice_mod_change *change);

#endif
