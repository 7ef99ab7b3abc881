// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Targets that are loaded after their update was applied.
 *
 * A notifier sees a module when it is linked and complete, before its init
 * function.  It cannot patch the module itself: the new code is a module as well,
 * which userspace must load, and that takes the lock of the chain that the notifier
 * is called from.  So the notifier puts late_init() in the place of the module's
 * init function.  That runs next, in the same task, without locks, where drivers
 * call request_module(): it matches, waits for a helper that loads the new code,
 * switches, and then calls the real init function.
 */
#define pr_fmt(format) KBUILD_MODNAME ": " format
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/umh.h>

#include "fault.h"
#include "late.h"

/* How long a module waits for code that is in use, or for an update in progress. */
#define LATE_TIMEOUT	(30 * HZ)
#define LATE_PAUSE_MS	100

/* A module whose init function was replaced, until it is live or gone. */
struct coming {
	struct list_head list;
	struct module *module;
	struct task_struct *task;	/* that loads it; one module at a time */
	int (*init)(void);		/* NULL if it has none */
};

/*
 * Targets that are modules, in the order of their updates.  Changed with
 * ksplice_mutex and watch_mutex held.
 */
static LIST_HEAD(watched);
static LIST_HEAD(comings);
/* For both lists; innermost, and never held for long: all modules pass here. */
static DEFINE_MUTEX(watch_mutex);

const char *ksplice_late_name(const struct ksplice_target *target)
{
	static const char *const names[] = {
		[KSPLICE_LATE_MISSING] = "missing",
		[KSPLICE_LATE_PATCHED] = "late",
		[KSPLICE_LATE_UNPATCHED] = "unpatched",
	};

	return names[target->late];
}

void ksplice_late_watch(struct ksplice_update *update, struct ksplice_target *target)
{
	target->update = update;
	mutex_lock(&watch_mutex);
	if (strcmp(target->name, "vmlinux") != 0)
		list_add_tail(&target->watch, &watched);
	else
		INIT_LIST_HEAD(&target->watch);
	mutex_unlock(&watch_mutex);
}

void ksplice_late_unwatch(struct ksplice_target *target)
{
	mutex_lock(&watch_mutex);
	list_del(&target->watch);
	mutex_unlock(&watch_mutex);
}

static bool is_watched(const char *name)
{
	struct ksplice_target *target;

	list_for_each_entry(target, &watched, watch)
		if (strcmp(target->name, name) == 0)
			return true;
	return false;
}

int ksplice_late_allow(struct ksplice_update *update, const char *text)
{
	bool refuse = strncmp(text, "refuse ", 7) == 0;
	size_t length;

	if (!refuse && strncmp(text, "load ", 5) != 0)
		return ksplice_fail(update, -EINVAL, "neither refuse nor load");
	if (update->stage != KSPLICE_STAGE_REGISTERED)
		return ksplice_fail(update, -EBUSY, "too late: it is matched");
	text += refuse ? 7 : 5;
	length = strcspn(text, "\n");
	if (*text != '/' || length >= sizeof(update->helper))
		return ksplice_fail(update, -EINVAL, "the helper is no absolute path, or too long");
	memcpy(update->helper, text, length);
	update->helper[length] = '\0';
	update->refuse = refuse;
	return 0;
}

/* Note what became of a target, and move it to the list where it belongs. */
static void set_late(struct ksplice_target *target, enum ksplice_late late)
{
	target->late = late;
	list_move_tail(&target->list, ksplice_is_absent(target) ? &target->update->absent :
								  &target->update->targets);
}

void ksplice_late_forget(struct ksplice_update *update)
{
	struct ksplice_target *target;

	list_splice_tail_init(&update->absent, &update->targets);
	list_for_each_entry(target, &update->targets, list)
		target->late = KSPLICE_LATE_NOT;
}

int ksplice_late_await(struct ksplice_update *update, struct ksplice_target *target)
{
	if (!*update->helper)
		return -ENODEV;
	set_late(target, KSPLICE_LATE_MISSING);
	update->error = 0;
	return 0;
}

int ksplice_late_attach(struct ksplice_update *update, struct ksplice_target *target,
			struct ksplice_mod_change *change)
{
	int ret;

	if (target->new)
		return ksplice_fail(update, -EEXIST, "%s: its new code is loaded already",
				    target->name);
	if (!target->linking || !ksplice_is_published(target))
		return ksplice_fail(update, -EINVAL, "%s: the module is not just being loaded",
				    target->name);
	ret = ksplice_check_proof(update, target);
	if (ret != 0)
		return ret;
	target->new = change;
	ret = ksplice_target_check_hooks(update, target);
	if (ret == 0)
		ret = ksplice_target_link(update, target);
	if (ret != 0)
		target->new = NULL;
	else
		ksplice_unpublish(target);
	return ret;
}

bool ksplice_late_detach(struct ksplice_update *update, struct ksplice_target *target)
{
	if (!ksplice_is_absent(target))
		return false;
	/* Of a module that is gone: maybe a task still runs its last code there. */
	synchronize_rcu_tasks();
	ksplice_target_unlink(target);
	return true;
}

int ksplice_late_check(struct ksplice_update *update)
{
	struct ksplice_target *target;

	list_for_each_entry(target, &update->absent, list) {
		if (target->linking)
			return ksplice_fail(update, -EBUSY, "%s: the module is just being loaded",
					    target->name);
		if (update->refuse && target->late == KSPLICE_LATE_UNPATCHED)
			return ksplice_fail(update, -EAGAIN,
					    "%s: the module was loaded meanwhile, start again",
					    target->name);
	}
	return 0;
}

/*
 * Run the helper, which loads the new code.  Unlocks ksplice_mutex meanwhile.  A wait
 * that a signal could end (UMH_KILLABLE) would leave a process that is still to be
 * started, and with arguments that are on our stack; the helper limits its own time.
 */
static int load_new_code(struct ksplice_update *update, struct ksplice_target *target)
{
	char *argv[] = { update->helper, "--late", update->id, target->name, NULL };
	char *envp[] = { "HOME=/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	bool attached;
	int ret;

	mutex_unlock(&ksplice_mutex);
	ret = call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
	mutex_lock(&ksplice_mutex);
	/* What is there may be left of an attempt before, and linked with what is gone. */
	attached = !ksplice_is_published(target);
	ksplice_unpublish(target);
	if (attached && target->new && try_module_get(target->new->owner))
		return 0;
	/* Then it was refused, and is to be matched again. */
	if (ksplice_check_proof(update, target) != 0)
		return -EBUSY;
	if (ret < 0)
		return ksplice_fail(update, ret, "%s: %s cannot be run (errno %d)", target->name,
				    update->helper, -ret);
	return ksplice_fail(update, -ENOEXEC, "%s: %s did not load its new code (status %d)",
			    target->name, update->helper, ret >> 8 & 0xff);
}

/* Switch one target alone, as if it were all of an update. */
static int switch_target(struct ksplice_update *update, struct ksplice_target *target)
{
	struct ksplice_update *part = NULL;
	int ret;

	if (!ksplice_fault("part"))
		part = kvzalloc(sizeof(*part), GFP_KERNEL);
	if (!part)
		return ksplice_fail(update, -ENOMEM, "%s: no memory to switch", target->name);
	INIT_LIST_HEAD(&part->targets);
	strscpy(part->id, update->id, sizeof(part->id));
	list_move(&target->list, &part->targets);
	ret = ksplice_switch_with_hooks(part, false);
	list_move_tail(&target->list, &update->absent);
	if (ret != 0)
		ksplice_fail(update, ret, "%s", part->cause);
	update->nr_conflicts = part->nr_conflicts;
	memcpy(update->conflicts, part->conflicts, sizeof(part->conflicts));
	kvfree(part);
	return ret;
}

/* Nobody runs the module's init, but its parameters may be read and written to. */
static int switch_insistently(struct ksplice_update *update, struct ksplice_target *target,
			      unsigned long deadline)
{
	int ret = switch_target(update, target);

	while (ret == -EBUSY && time_before(jiffies, deadline) && !fatal_signal_pending(current)) {
		mutex_unlock(&ksplice_mutex);
		msleep(LATE_PAUSE_MS);
		mutex_lock(&ksplice_mutex);
		ret = switch_target(update, target);
	}
	return ret;
}

/* The old code stays loaded, and so the target and its update are there at the end. */
static int patch_target(struct ksplice_target *target, struct module *module,
			unsigned long deadline)
{
	struct ksplice_update *update = target->update;
	unsigned long functions = update->matched_functions, bytes = update->matched_bytes;
	struct module *old;
	int ret;

	if (!target->old)
		return ksplice_fail(update, -ENOENT, "%s: its old code is not loaded any more",
				    target->name);
	old = target->old->owner;
	if (!try_module_get(old))
		return ksplice_fail(update, -ENOENT, "%s: its old code is being unloaded",
				    target->name);
	__module_get(module);
	target->module = module;
	target->linking = true;
	ret = ksplice_target_match(update, target);
	if (ret == 0)
		ret = ksplice_publish(update, target);
	if (ret == 0)
		ret = load_new_code(update, target);
	if (ret == 0) {
		ret = switch_insistently(update, target, deadline);
		if (ret != 0)
			module_put(target->new->owner);
	}
	if (ret != 0) {
		ksplice_target_forget(target);
		update->matched_functions = functions;
		update->matched_bytes = bytes;
	}
	target->linking = false;
	module_put(old);
	return ret;
}

/*
 * The target of that name whose turn it is: updates may be built upon those that were
 * applied before.  One that is not applied yet, but has been matched, comes last.
 */
static struct ksplice_target *find_missing(const char *name)
{
	struct ksplice_target *target, *found = NULL;

	list_for_each_entry(target, &watched, watch) {
		if (target->late != KSPLICE_LATE_MISSING || strcmp(target->name, name) != 0 ||
		    target->update->stage < KSPLICE_STAGE_MATCHED ||
		    target->update->stage > KSPLICE_STAGE_APPLIED)
			continue;
		if (target->update->stage != KSPLICE_STAGE_APPLIED) {
			found = found ?: target;
			continue;
		}
		if (!found || found->update->stage != KSPLICE_STAGE_APPLIED ||
		    target->update->applied_at < found->update->applied_at)
			found = target;
	}
	return found;
}

/*
 * A module cannot be patched: may it be loaded all the same?  An update that is left
 * half applied is no reason against it; then that update cannot be applied any more.
 */
static int give_up(struct ksplice_target *target, int error)
{
	struct ksplice_update *update = target->update;

	if (update->stage != KSPLICE_STAGE_APPLIED) {
		pr_warn("%s: it is still not applied, %s does not wait for it any longer\n",
			update->id, target->name);
		set_late(target, KSPLICE_LATE_UNPATCHED);
		return 0;
	}
	if (!update->refuse) {
		pr_warn("%s: %s is loaded but not patched: %s\n", update->id, target->name,
			update->cause);
		set_late(target, KSPLICE_LATE_UNPATCHED);
		return 0;
	}
	pr_err("%s: %s is refused, for it cannot be patched: %s\n", update->id, target->name,
	       update->cause);
	return error == -EBUSY ? -EBUSY : -ENOEXEC;
}

/* Bring all updates into a module that is about to start.  Returns 0 if it may. */
static int patch_module(struct module *module)
{
	unsigned long deadline = jiffies + LATE_TIMEOUT;
	struct ksplice_target *target;
	int ret = 0;

	mutex_lock(&ksplice_mutex);
	while (ret == 0 && (target = find_missing(module->name))) {
		if (target->update->stage == KSPLICE_STAGE_APPLIED)
			ret = patch_target(target, module, deadline);
		else
			ret = -EBUSY;
		if (ret == 0) {
			set_late(target, KSPLICE_LATE_PATCHED);
			target->update->error = 0;
			pr_info("update %s applied to %s\n", target->update->id, target->name);
		} else if (ret == -EBUSY && time_before(jiffies, deadline) &&
			   !fatal_signal_pending(current)) {
			mutex_unlock(&ksplice_mutex);
			msleep(LATE_PAUSE_MS);
			mutex_lock(&ksplice_mutex);
			ret = 0;
		} else {
			ret = give_up(target, ret);
		}
	}
	mutex_unlock(&ksplice_mutex);
	return ret;
}

static struct coming *find_coming(const struct task_struct *task, const struct module *module)
{
	struct coming *coming, *found = NULL;

	mutex_lock(&watch_mutex);
	list_for_each_entry(coming, &comings, list)
		if (coming->task == task || coming->module == module)
			found = coming;
	mutex_unlock(&watch_mutex);
	return found;
}

/* Called by do_init_module() as the module's init function. */
static int late_init(void)
{
	struct coming *coming = find_coming(current, NULL);
	int (*init)(void) = coming->init;
	int ret = patch_module(coming->module);

	coming->module->init = init;
	return ret == 0 && init ? init() : ret;
}

/* We may not be unloaded while late_init() is to be called, or runs. */
static int module_comes(struct module *module)
{
	struct coming *coming = NULL;
	bool ours;

	mutex_lock(&watch_mutex);
	ours = is_watched(module->name);
	mutex_unlock(&watch_mutex);
	if (!ours || !try_module_get(THIS_MODULE))
		return 0;
	if (!ksplice_fault("coming"))
		coming = kzalloc(sizeof(*coming), GFP_KERNEL);
	if (!coming) {
		module_put(THIS_MODULE);
		return -ENOMEM;
	}
	coming->module = module;
	coming->task = current;
	coming->init = module->init;
	mutex_lock(&watch_mutex);
	list_add(&coming->list, &comings);
	mutex_unlock(&watch_mutex);
	module->init = late_init;
	return 0;
}

/* It runs, or has failed.  The notifier chain is what keeps us loaded from here. */
static void module_came(struct module *module)
{
	struct coming *coming = find_coming(NULL, module);

	if (!coming)
		return;
	mutex_lock(&watch_mutex);
	list_del(&coming->list);
	mutex_unlock(&watch_mutex);
	kfree(coming);
	module_put(THIS_MODULE);
}

/*
 * A patched module goes: because its init function failed, or by force.  Its memory
 * goes with the jumps in it, and nothing leads to the new code any more.
 */
static void lose_target(struct ksplice_target *target)
{
	struct ksplice_update *update = target->update;
	unsigned long functions, bytes;

	if (update->stage == KSPLICE_STAGE_APPLIED)
		ksplice_hooks_lose(target);
	if (target->matcher) {
		ksplice_match_totals(target->matcher, &functions, &bytes);
		update->matched_functions -= functions;
		update->matched_bytes -= bytes;
	}
	ksplice_unpublish(target);
	ksplice_target_unlink(target);
	ksplice_target_forget(target);
	if (update->stage == KSPLICE_STAGE_APPLIED) {
		module_put(target->new->owner);
		set_late(target, KSPLICE_LATE_MISSING);
	} else if (update->stage != KSPLICE_STAGE_REVERSED) {
		update->stage = KSPLICE_STAGE_REGISTERED;
	}
}

static void module_goes(struct module *module)
{
	struct ksplice_target *target;
	bool ours;

	mutex_lock(&watch_mutex);
	ours = is_watched(module->name);
	mutex_unlock(&watch_mutex);
	if (!ours)
		return;
	mutex_lock(&ksplice_mutex);
	list_for_each_entry(target, &watched, watch) {
		if (target->module == module)
			lose_target(target);
		else if (target->late == KSPLICE_LATE_UNPATCHED &&
			 strcmp(target->name, module->name) == 0)
			set_late(target, KSPLICE_LATE_MISSING);
	}
	mutex_unlock(&ksplice_mutex);
}

static int notice_module(struct notifier_block *block, unsigned long state, void *data)
{
	int ret = 0;

	if (state == MODULE_STATE_COMING)
		ret = module_comes(data);
	if (state == MODULE_STATE_GOING)
		module_goes(data);
	if (state == MODULE_STATE_GOING || state == MODULE_STATE_LIVE)
		module_came(data);
	return notifier_from_errno(ret);
}

static struct notifier_block notifier = { .notifier_call = notice_module };

int ksplice_late_init(void)
{
	return register_module_notifier(&notifier);
}

void ksplice_late_exit(void)
{
	unregister_module_notifier(&notifier);
}
