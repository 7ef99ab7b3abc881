// SPDX-License-Identifier: GPL-2.0-or-later
/* The core of Ksplice: which updates there are, and what becomes of them. */
#define pr_fmt(format) KBUILD_MODNAME ": " format
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "compat.h"
#include "core.h"
#include "fault.h"
#include "kernel.h"
#include "late.h"

DEFINE_MUTEX(ksplice_mutex);
/*
 * Taken before ksplice_mutex by what adds and removes updates, and held until
 * their folder is there or gone.  ksplice_mutex must not be held for that: it
 * waits for readers and writers of the files, who want it.
 */
static DEFINE_MUTEX(registering);
LIST_HEAD(ksplice_updates);	/* changed with both held, read with one of them */
/* How often code was switched, there or back; protected by ksplice_mutex. */
static unsigned long switches;

static unsigned long kallsyms_lookup_name_address;
module_param_named(kallsyms_lookup_name, kallsyms_lookup_name_address, ulong, 0);
MODULE_PARM_DESC(kallsyms_lookup_name, "its address, for kernels without kprobes");

#ifdef KSPLICE_FAULTS
static char fault[32];
module_param_string(fault, fault, sizeof(fault), 0600);
MODULE_PARM_DESC(fault, "name of the step that fails");

bool ksplice_fault(const char *step)
{
	return sysfs_streq(fault, step);
}
#endif

static struct ksplice_update *find_update(const char *id)
{
	struct ksplice_update *update;

	list_for_each_entry(update, &ksplice_updates, list)
		if (strcmp(update->id, id) == 0)
			return update;
	return NULL;
}

static struct ksplice_target *find_target(struct ksplice_update *update, const char *name)
{
	struct ksplice_target *target;

	list_for_each_entry(target, &update->targets, list)
		if (strcmp(target->name, name) == 0)
			return target;
	list_for_each_entry(target, &update->absent, list)
		if (strcmp(target->name, name) == 0)
			return target;
	return NULL;
}

/* With no target left; its files may still be read until they are gone. */
static void remove_update(struct ksplice_update *update)
{
	ksplice_sysfs_remove(update);
	mutex_lock(&ksplice_mutex);
	list_del(&update->list);
	mutex_unlock(&ksplice_mutex);
	kfree(update->below);
	kvfree(update);
}

static int create_update(const struct ksplice_mod_change *change, struct ksplice_update **result)
{
	struct ksplice_update *update = NULL;
	int ret;

	if (!ksplice_fault("update"))
		update = kvzalloc(sizeof(*update), GFP_KERNEL);
	if (!update)
		return -ENOMEM;
	INIT_LIST_HEAD(&update->targets);
	INIT_LIST_HEAD(&update->absent);
	strscpy(update->id, change->id, sizeof(update->id));
	strscpy(update->description, change->description ?: "", sizeof(update->description));
	ret = ksplice_sysfs_add_folder(update);
	if (ret != 0) {
		kvfree(update);
		return ret;
	}
	mutex_lock(&ksplice_mutex);
	list_add_tail(&update->list, &ksplice_updates);
	mutex_unlock(&ksplice_mutex);
	ret = ksplice_sysfs_add_files(update);
	if (ret != 0)
		remove_update(update);
	else
		*result = update;
	return ret;
}

static int create_target(struct ksplice_update *update, const char *name,
			 struct ksplice_target **result)
{
	struct ksplice_target *target = NULL;

	if (!ksplice_fault("target"))
		target = kzalloc(sizeof(*target), GFP_KERNEL);
	if (!target)
		return ksplice_fail(update, -ENOMEM, "%s: no memory for a target", name);
	strscpy(target->name, name, sizeof(target->name));
	list_add_tail(&target->list, &update->targets);
	ksplice_late_watch(update, target);
	*result = target;
	return 0;
}

/* Publish for the next target whose new code is still to come. */
static int publish_next(struct ksplice_update *update)
{
	struct ksplice_target *target;

	list_for_each_entry(target, &update->targets, list)
		if (!target->new)
			return ksplice_publish(update, target);
	update->stage = KSPLICE_STAGE_LINKED;
	return 0;
}

static int attach_old(struct ksplice_update *update, struct ksplice_target *target,
		      struct ksplice_mod_change *change)
{
	if (target->old)
		return ksplice_fail(update, -EEXIST, "%s: its old code is loaded already",
				    target->name);
	if (update->stage != KSPLICE_STAGE_REGISTERED)
		return ksplice_fail(update, -EBUSY, "%s: too late for old code", target->name);
	target->old = change;
	return 0;
}

static bool has_new(const struct ksplice_update *update)
{
	const struct ksplice_target *target;

	list_for_each_entry(target, &update->targets, list)
		if (target->new)
			return true;
	list_for_each_entry(target, &update->absent, list)
		if (target->new)
			return true;
	return false;
}

static void drop_new(struct ksplice_update *update, struct ksplice_target *target)
{
	target->new = NULL;
	if (!has_new(update))
		ksplice_depend_on_none(update);
}

unsigned long ksplice_switches(void)
{
	return switches;
}

int ksplice_check_proof(struct ksplice_update *update, const struct ksplice_target *target)
{
	if (target->switches == switches)
		return 0;
	return ksplice_fail(update, -EBUSY, "%s: other updates changed since it was matched",
			    target->name);
}

static int attach_new(struct ksplice_update *update, struct ksplice_target *target,
		      struct ksplice_mod_change *change)
{
	int ret;

	if (target->new)
		return ksplice_fail(update, -EEXIST, "%s: its new code is loaded already",
				    target->name);
	if (update->stage != KSPLICE_STAGE_MATCHED || !ksplice_is_published(target))
		return ksplice_fail(update, -EINVAL, "%s: its old code was not matched",
				    target->name);
	ret = ksplice_check_proof(update, target);
	if (ret != 0)
		return ret;
	target->new = change;
	ret = ksplice_target_check_hooks(update, target);
	if (ret == 0)
		ret = ksplice_target_link(update, target);
	if (ret == 0) {
		ksplice_unpublish(target);
		ret = publish_next(update);
		if (ret != 0) {
			ksplice_target_unlink(target);
			update->stage = KSPLICE_STAGE_REGISTERED;
		}
	}
	if (ret != 0)
		drop_new(update, target);
	return ret;
}

static void drop_from(struct list_head *targets)
{
	struct ksplice_target *target, *next;

	list_for_each_entry_safe(target, next, targets, list) {
		if (target->old || target->new)
			continue;
		ksplice_target_forget(target);
		ksplice_late_unwatch(target);
		list_del(&target->list);
		kfree(target);
	}
}

/* Free targets that no module stands for any more.  Returns whether none is left. */
static bool drop_unused(struct ksplice_update *update)
{
	drop_from(&update->targets);
	drop_from(&update->absent);
	return list_empty(&update->targets) && list_empty(&update->absent);
}

static int check_change(const struct ksplice_mod_change *change)
{
	const char *reason;

	if (change->abi != KSPLICE_ABI) {
		pr_err("update for ABI %u, but the core has %u\n", change->abi, KSPLICE_ABI);
		return -ENOEXEC;
	}
	reason = ksplice_change_check(change);
	if (!reason)
		return 0;
	pr_err("malformed update refused: %s\n", reason);
	return -EINVAL;
}

static int attach(struct ksplice_update *update, struct ksplice_mod_change *change)
{
	struct ksplice_target *target;
	bool gone = false;
	int ret = 0;

	mutex_lock(&ksplice_mutex);
	target = find_target(update, change->target);
	if (!target)
		ret = create_target(update, change->target, &target);
	if (ret == 0)
		ret = change->old_code ? attach_old(update, target, change) :
		      ksplice_is_absent(target) ? ksplice_late_attach(update, target, change) :
						  attach_new(update, target, change);
	if (ret == 0) {
		change->update = update;
	} else {
		pr_err("%s: refused: %s\n", update->id, update->cause);
		gone = drop_unused(update);
	}
	mutex_unlock(&ksplice_mutex);
	if (gone)
		remove_update(update);
	return ret;
}

int register_ksplice_mod_change(struct ksplice_mod_change *change)
{
	struct ksplice_update *update;
	int ret = check_change(change);

	if (ret != 0)
		return ret;
	mutex_lock(&registering);
	update = find_update(change->id);
	if (!update && change->old_code)
		ret = create_update(change, &update);
	else if (!update)
		ret = -EINVAL;
	if (ret == 0)
		ret = attach(update, change);
	else
		pr_err("%s: %s\n", change->id,
		       change->old_code ? "cannot be added" : "its old code is not loaded");
	mutex_unlock(&registering);
	return ret;
}
EXPORT_SYMBOL_GPL(register_ksplice_mod_change);

/*
 * End what a half that goes was part of.  resolve_symbol() unlocks before
 * simplify_symbols() reads the value from our table (kernel/module/main.c in 6.1),
 * without sleeping in between: wait until no task can be there, because the table
 * goes with the old code.
 */
static void stop_publishing(struct ksplice_update *update)
{
	struct ksplice_target *target;

	list_for_each_entry(target, &update->targets, list) {
		if (!ksplice_is_published(target))
			continue;
		ksplice_unpublish(target);
		synchronize_rcu_tasks();
	}
}

static void detach_old(struct ksplice_update *update, struct ksplice_target *target)
{
	stop_publishing(update);
	ksplice_matcher_free(target->matcher);
	target->matcher = NULL;
	target->old = NULL;
	if (update->stage == KSPLICE_STAGE_MATCHED || update->stage == KSPLICE_STAGE_LINKED)
		update->stage = KSPLICE_STAGE_REGISTERED;
}

/*
 * rmmod -f on new code in use: it may only go once nothing leads there.  A late target
 * may be in the way, whose new code is still to be registered.  The new code that we
 * are here for is still attached, which keeps the target and its update.
 */
static void reverse_forced(struct ksplice_update *update)
{
	pr_warn("update %s is unloaded by force\n", update->id);
	while (update->stage == KSPLICE_STAGE_APPLIED && ksplice_update_reverse(update) != 0) {
		pr_warn_ratelimited("update %s cannot be reversed yet: %s\n", update->id,
				    update->cause);
		mutex_unlock(&ksplice_mutex);
		mutex_unlock(&registering);
		msleep(100);
		mutex_lock(&registering);
		mutex_lock(&ksplice_mutex);
	}
}

static void detach_new(struct ksplice_update *update, struct ksplice_target *target)
{
	if (ksplice_late_detach(update, target)) {
		drop_new(update, target);
		return;
	}
	if (update->stage == KSPLICE_STAGE_APPLIED)
		reverse_forced(update);
	/* A task that exits is in no list any more while it runs its last code. */
	if (update->stage == KSPLICE_STAGE_REVERSED)
		synchronize_rcu_tasks();
	ksplice_target_unlink(target);
	drop_new(update, target);
	/* Whoever unloads the rest must be able to tell that it was applied. */
	if (update->stage == KSPLICE_STAGE_REVERSED && has_new(update))
		return;
	/* Another target's half may be what is published. */
	if (update->stage != KSPLICE_STAGE_MATCHED)
		update->stage = KSPLICE_STAGE_REGISTERED;
}

/* The graph tracer would put another return address in place of its own. */
void notrace unregister_ksplice_mod_change(struct ksplice_mod_change *change)
{
	struct ksplice_update *update = change->update;
	struct ksplice_target *target;
	bool gone;

	change->leaves_to = (unsigned long)__builtin_return_address(0);
	mutex_lock(&registering);
	mutex_lock(&ksplice_mutex);
	target = find_target(update, change->target);
	if (change->old_code)
		detach_old(update, target);
	else
		detach_new(update, target);
	gone = drop_unused(update);
	mutex_unlock(&ksplice_mutex);
	if (gone)
		remove_update(update);
	mutex_unlock(&registering);
}
EXPORT_SYMBOL_GPL(unregister_ksplice_mod_change);

static void forget_match(struct ksplice_update *update)
{
	struct ksplice_target *target;

	ksplice_late_forget(update);
	list_for_each_entry(target, &update->targets, list)
		ksplice_target_forget(target);
	update->matched_functions = 0;
	update->matched_bytes = 0;
}

int ksplice_update_match(struct ksplice_update *update)
{
	struct ksplice_target *target, *next;
	int ret = 0;

	if (update->stage != KSPLICE_STAGE_REGISTERED)
		return ksplice_fail(update, -EEXIST, "already matched");
	ksplice_late_forget(update);
	if (list_empty(&update->targets))	/* its folder is just coming or going */
		return ksplice_fail(update, -EINVAL, "its old code is not loaded");
	list_for_each_entry(target, &update->targets, list)
		if (!target->old || target->new)
			return ksplice_fail(update, -EINVAL, "%s: its %s", target->name,
					    target->new ? "new code is loaded already" :
							  "old code is not loaded");
	/* What was proved in an attempt before may have changed. */
	forget_match(update);
	list_for_each_entry_safe(target, next, &update->targets, list) {
		ret = ksplice_target_match(update, target);
		if (ret == -ENODEV)
			ret = ksplice_late_await(update, target);
		if (ret != 0)
			break;
	}
	update->stage = KSPLICE_STAGE_MATCHED;
	if (ret == 0)
		ret = publish_next(update);	/* all may be missing: linked */
	if (ret != 0) {
		update->stage = KSPLICE_STAGE_REGISTERED;
		forget_match(update);
	}
	return ret;
}

static void put_new_code(struct ksplice_update *update, const struct ksplice_target *end)
{
	struct ksplice_target *target;

	list_for_each_entry(target, &update->targets, list) {
		if (target == end)
			break;
		module_put(target->new->owner);
	}
}

/* New code cannot be unloaded while it is in use. */
static int get_new_code(struct ksplice_update *update)
{
	struct ksplice_target *target;

	list_for_each_entry(target, &update->targets, list) {
		if (!ksplice_fault("get") && try_module_get(target->new->owner))
			continue;
		put_new_code(update, target);
		return ksplice_fail(update, -ETXTBSY, "%s: its new code is being unloaded",
				    target->name);
	}
	return 0;
}

int ksplice_update_apply(struct ksplice_update *update)
{
	int ret;

	if (update->stage == KSPLICE_STAGE_APPLIED)
		return ksplice_fail(update, -EEXIST, "already applied");
	if (update->stage == KSPLICE_STAGE_REVERSED)
		return ksplice_fail(update, -EINVAL, "reversed: unload its new code first");
	if (update->stage != KSPLICE_STAGE_LINKED)
		return ksplice_fail(update, -EINVAL, "not linked: old code and new code must be loaded");
	ret = ksplice_late_check(update);
	if (ret == 0)
		ret = get_new_code(update);
	if (ret != 0)
		return ret;
	ret = ksplice_switch_with_hooks(update, false);
	if (ret != 0) {
		put_new_code(update, NULL);
		return ret;
	}
	update->stage = KSPLICE_STAGE_APPLIED;
	update->applied_at = ++switches;
	/* As the kernel does it for its own livepatches. */
	add_taint(TAINT_LIVEPATCH, LOCKDEP_STILL_OK);
	pr_info("update %s applied\n", update->id);
	return 0;
}

/* Others may use what the new code exports; rmmod -f does not ask. */
static int check_users(struct ksplice_update *update)
{
	struct ksplice_target *target;

	update->nr_conflicts = 0;
	list_for_each_entry(target, &update->targets, list)
		if (module_is_live(target->new->owner) && module_refcount(target->new->owner) > 1)
			return ksplice_fail(update, -EBUSY,
					    "%s: other modules use what its new code exports, or trace it (see lsmod)",
					    target->name);
	return 0;
}

int ksplice_update_reverse(struct ksplice_update *update)
{
	const struct ksplice_update *above;
	int ret;

	if (update->stage == KSPLICE_STAGE_REVERSED)
		return ksplice_fail(update, -EEXIST, "already reversed");
	if (update->stage != KSPLICE_STAGE_APPLIED)
		return ksplice_fail(update, -EINVAL, "not applied");
	above = ksplice_update_above(update);
	if (above)
		return ksplice_fail(update, -EBUSY, "update %s is built upon it: undo that first",
				    above->id);
	ret = check_users(update);
	if (ret == 0)
		ret = ksplice_late_check(update);
	if (ret == 0)
		ret = ksplice_switch_with_hooks(update, true);
	if (ret != 0)
		return ret;
	update->stage = KSPLICE_STAGE_REVERSED;
	switches++;
	put_new_code(update, NULL);
	pr_info("update %s reversed\n", update->id);
	return 0;
}

static int __init ksplice_init(void)
{
	int ret = ksplice_fault("exports") ? -ENOEXEC : ksplice_check_exports();

	if (ret == 0)
		ret = ksplice_fault("kernel") ? -ENOENT :
						ksplice_kernel_init(kallsyms_lookup_name_address);
	if (ret == 0)
		ret = ksplice_late_init();
	if (ret != 0)
		return ret;
	ret = ksplice_sysfs_init();
	if (ret != 0)
		ksplice_late_exit();
	return ret;
}

static void __exit ksplice_exit(void)
{
	ksplice_sysfs_exit();
	ksplice_late_exit();
	ksplice_shadow_exit();
}

module_init(ksplice_init);
module_exit(ksplice_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Ksplice: replaces functions of the running kernel");
