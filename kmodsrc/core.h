/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the parts of the core; not for the modules of an update. */
#ifndef KSPLICE_CORE_H
#define KSPLICE_CORE_H

#include <linux/kallsyms.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>

#include "ksplice.h"
#include "match.h"
#include "update_id.h"

/* A jump: opcode and 32-bit displacement. */
#define KSPLICE_JUMP_SIZE	5
/* Conflicts that are remembered; the first ones are enough to act on. */
#define KSPLICE_MAX_CONFLICTS	32
/* And of the stack of each. */
#define KSPLICE_MAX_STACK	48

enum ksplice_stage {
	KSPLICE_STAGE_REGISTERED,	/* old code is loaded */
	KSPLICE_STAGE_MATCHED,		/* and proved to be the run */
	KSPLICE_STAGE_LINKED,		/* new code is loaded, for all targets */
	KSPLICE_STAGE_APPLIED,
	KSPLICE_STAGE_REVERSED,
};

/* The jump from a function to its replacement. */
struct ksplice_jump {
	const struct ksplice_patch *patch;
	unsigned long address;		/* of the jump: after ENDBR and fentry */
	u8 saved[KSPLICE_JUMP_SIZE];	/* what was there before */
	u8 jump[KSPLICE_JUMP_SIZE];
	u8 *writable;			/* a second mapping, during the switch */
	unsigned long cut;		/* bytes in which the old instructions are not to be seen */
};

/* A place that is filled in when the jumps are written, see struct ksplice_write. */
struct ksplice_fill {
	unsigned long address;
	u8 size;
	bool is_endbr;		/* of code that runs, as opposed to a constant in new code */
	u8 saved[sizeof(unsigned long)];	/* what was there before */
	u8 bytes[sizeof(unsigned long)];
	u8 *writable;		/* as of a jump, when an update is applied */
};

/* What became of a target that was not loaded when its update was matched (late.c). */
enum ksplice_late {
	KSPLICE_LATE_NOT,	/* it was */
	KSPLICE_LATE_MISSING,	/* still not loaded */
	KSPLICE_LATE_PATCHED,	/* when it came */
	KSPLICE_LATE_UNPATCHED,	/* it is loaded, but does not match */
};

/* Read-only data that is written in place. */
struct ksplice_constant {
	const struct ksplice_patch *patch;
	unsigned long size;
	void *saved;			/* what was there before */
	void *writable;			/* a second mapping, during the switch */
};

/* One target of an update; its halves come and go with their modules. */
struct ksplice_target {
	struct list_head list;
	struct ksplice_mod_change *old;
	struct ksplice_mod_change *new;
	struct module *module;			/* pinned since it was matched; NULL for vmlinux */
	struct ksplice_matcher *matcher;	/* from matched until old goes */
	unsigned long switches;			/* of all updates when it was matched */
	struct ksplice_jump *jumps;		/* from linked on */
	unsigned long nr_jumps;
	struct ksplice_fill *fills;		/* likewise */
	unsigned long nr_fills;
	struct ksplice_range *ranges;		/* as they are in the run */
	unsigned long nr_ranges;
	enum ksplice_late late;
	bool linking;				/* it is late, and patch_target() is at work */
	struct ksplice_update *update;
	struct list_head watch;			/* of late.c */
	struct ksplice_constant *constants;
	unsigned long nr_constants;
	char name[MODULE_NAME_LEN];
};

/* A task that was found in code that is to be switched. */
struct ksplice_conflict {
	pid_t pid;
	char state;			/* as ps shows it */
	char comm[TASK_COMM_LEN];
	char function[KSYM_NAME_LEN];	/* "": that of @address */
	unsigned long address;		/* the one that is in the way */
	unsigned int nr_stack;
	unsigned long stack[KSPLICE_MAX_STACK];	/* return addresses, the innermost first */
};

struct ksplice_nudge;
struct ksplice_settled;

/**
 * struct ksplice_update - an update, as long as one of its modules is loaded
 * @kobj:	its folder in sysfs
 * @list:	in ksplice_updates; updates in the order they came
 * @error:	errno of the last request, 0 or negative
 * @cause:	text about it
 * @targets:	those that are, or are to be, patched; since linked each has new code
 * @absent:	those that are not, because they were not loaded in time (late.c)
 * @helper:	program that loads new code for late targets; empty: none may be late
 * @refuse:	late targets that cannot be patched must not be loaded
 */
struct ksplice_update {
	struct kobject *kobj;
	struct list_head list;
	struct list_head targets;
	struct list_head absent;
	enum ksplice_stage stage;
	unsigned long applied_at;	/* the number of the switch that applied it */
	/* Updates that code or data it uses belongs to; while it is linked or more. */
	const struct ksplice_update **below;
	unsigned int nr_below;
	int error;
	char cause[256];
	char id[KSPLICE_ID_MAX + 1];
	char description[256];
	char helper[256];
	bool refuse;
	unsigned long matched_functions;
	unsigned long matched_bytes;
	u64 pause_ns;
	bool nudge;			/* wake tasks that are in the way */
	struct ksplice_nudge *nudged;	/* those of the switch that is under way */
	struct ksplice_settled *settled; /* the same */
	unsigned int nr_conflicts;	/* the first of them are remembered */
	struct ksplice_conflict conflicts[KSPLICE_MAX_CONFLICTS];
};

/* Protects all updates and the list of them. */
extern struct mutex ksplice_mutex;
extern struct list_head ksplice_updates;

/* Note why a request failed, for sysfs; returns @error. */
__printf(3, 4) int ksplice_fail(struct ksplice_update *update, int error, const char *format,
				...);

/* validate.c: why a change cannot be accepted, or NULL.  Its ABI was checked. */
const char *ksplice_change_check(const struct ksplice_mod_change *change);

/* core.c: what writing to the stage file does.  With ksplice_mutex held. */
int ksplice_update_match(struct ksplice_update *update);
int ksplice_update_apply(struct ksplice_update *update);
int ksplice_update_reverse(struct ksplice_update *update);

/* How often code was switched, there or back. */
unsigned long ksplice_switches(void);

/* What was proved for @target may be the jump of another update now: -EBUSY, or 0. */
int ksplice_check_proof(struct ksplice_update *update, const struct ksplice_target *target);

/* run.c: match the old code of a target with the running kernel. */
int ksplice_target_match(struct ksplice_update *update, struct ksplice_target *target);

/* Forget that; the target, a module, may go again. */
void ksplice_target_forget(struct ksplice_target *target);

/* stacking.c: what applied updates made of the kernel.  With ksplice_mutex held. */

/* The address that a function has for the rest of the kernel, if @address is new code of it. */
unsigned long ksplice_known_as(unsigned long address);

/* Where the newest code of the function at @address is. */
unsigned long ksplice_code_at(unsigned long address);

/* Whether @address is in code that was replaced, and not where the function starts. */
bool ksplice_is_dead(unsigned long address);

/* The applied update whose new module @address is in, or NULL. */
const struct ksplice_update *ksplice_update_at(unsigned long address);

/* Call @fn for the symbols of a pinned module; of the new code for target @name. */
int ksplice_each_module_symbol(const struct module *module,
			       int (*fn)(void *data, const char *name, unsigned long value),
			       void *data);
int ksplice_each_new_symbol(const char *name,
			    int (*fn)(void *data, const char *name, unsigned long value),
			    void *data);

/* Note that @update uses what is at @address; 0 or -ENOMEM. */
int ksplice_depend(struct ksplice_update *update, unsigned long address);
void ksplice_depend_on_none(struct ksplice_update *update);

/* An update that is built upon @update, or NULL. */
const struct ksplice_update *ksplice_update_above(const struct ksplice_update *update);

/* publish.c: let the module loader find what was proved; one target at a time. */
int ksplice_check_exports(void);
int ksplice_publish(struct ksplice_update *update, struct ksplice_target *target);
bool ksplice_is_published(const struct ksplice_target *target);
void ksplice_unpublish(const struct ksplice_target *target);

/* jump.c: prepare the jumps of a target, and what must not be in use. */
int ksplice_target_link(struct ksplice_update *update, struct ksplice_target *target);
void ksplice_target_unlink(struct ksplice_target *target);

/*
 * poke.c: write the jumps of an update, or what was there before.  Under
 * stop_machine(), step by step; after each, all CPUs must serialize.
 */
enum ksplice_poke_step {
	KSPLICE_POKE_BREAKPOINT,
	KSPLICE_POKE_TAIL,
	KSPLICE_POKE_HEAD,
	KSPLICE_POKE_STEPS,
};

void ksplice_poke(const struct ksplice_update *update, enum ksplice_poke_step step, bool reverse);

/* Before the first step of applying: what nobody runs yet. */
void ksplice_poke_constants(const struct ksplice_update *update);

/*
 * Before and after that: make the text writable and take care of breakpoints.  0 or
 * -ENOMEM; how many breakpoints were hit.
 */
int ksplice_poke_begin(struct ksplice_update *update, bool reverse);
unsigned int ksplice_poke_end(struct ksplice_update *update);

/* switch.c: switch all targets at once, to the new code or back; 0 or -EBUSY. */
int ksplice_switch(struct ksplice_update *update, bool reverse);

/*
 * hooks.c: the hooks of new code, checked before any is called; and the switch with
 * the hooks around it.  0 or the errno of what refused.
 */
int ksplice_target_check_hooks(struct ksplice_update *update, const struct ksplice_target *target);
int ksplice_switch_with_hooks(struct ksplice_update *update, bool reverse);

/* Under stop_machine(), before and after the last moment when that can fail. */
int ksplice_hooks_check(struct ksplice_update *update, bool reverse);
void ksplice_hooks_act(struct ksplice_update *update, bool reverse);

/* constants.c: prepare what is written in place, of a target, and for a switch. */
int ksplice_target_link_constants(struct ksplice_update *update, struct ksplice_target *target);
void ksplice_target_unlink_constants(struct ksplice_target *target);
int ksplice_constants_begin(struct ksplice_update *update, bool reverse);
void ksplice_constants_end(struct ksplice_update *update);

/* Write it, under stop_machine(). */
void ksplice_constants_write(const struct ksplice_update *update, bool reverse);

/* The module that @target is goes, and its jumps with it: what an undo calls, but the checks. */
void ksplice_hooks_lose(const struct ksplice_target *target);

/* shadow.c: forget all shadow data, where it is the core's. */
void ksplice_shadow_exit(void);

/*
 * stack.c: the tasks, and which of them are out of the way now; to be freed.  The
 * caller's stack will not change above @frame.
 */
struct ksplice_settled *ksplice_look_ahead(const struct ksplice_update *update, bool reverse,
					   unsigned long frame);

/* stack.c: find tasks that use the code; under stop_machine.  0 or -EBUSY. */
int ksplice_check_stacks(struct ksplice_update *update, bool reverse);

/*
 * nudge.c: get tasks out of the way.  A new one is empty, or NULL without memory;
 * under stop_machine(), note the tasks; then let them come and wait; free it, which
 * lets them go.
 */
struct ksplice_nudge *ksplice_nudge_new(void);
void ksplice_nudge_note(struct ksplice_nudge *nudge, struct task_struct *task);
void ksplice_nudge_park(struct ksplice_nudge *nudge);
void ksplice_nudge_free(struct ksplice_nudge *nudge);

/* sysfs.c */
int ksplice_sysfs_init(void);
void ksplice_sysfs_exit(void);
/* The folder, empty; its files, when the update is in the list; neither of them any more. */
int ksplice_sysfs_add_folder(struct ksplice_update *update);
int ksplice_sysfs_add_files(struct ksplice_update *update);
void ksplice_sysfs_remove(struct ksplice_update *update);

#endif
