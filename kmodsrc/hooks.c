// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Functions of an update that are called when it is applied or reversed.
 *
 * To apply, targets come in their order and hooks in the order of the table; to
 * reverse, all goes backwards, and so does what is done when a step fails.  Those
 * that may sleep are called with ksplice_mutex held, which is ours alone, and with
 * the text not locked.
 */
#define pr_fmt(format) KBUILD_MODNAME ": " format
#include <linux/err.h>
#include <linux/stop_machine.h>

#include "compat.h"
#include "core.h"

/* How far the kinds to reverse are behind those to apply. */
#define TO_REVERSE	(KSPLICE_PRE_REVERSE - KSPLICE_PRE_APPLY)

/* The target after @target, or before it; NULL: the first one, or no more. */
static struct ksplice_target *next_target(const struct ksplice_update *update,
					  const struct ksplice_target *target, bool backwards)
{
	const struct list_head *at = target ? &target->list : &update->targets;
	struct list_head *next = backwards ? at->prev : at->next;

	return next == &update->targets ? NULL : list_entry(next, struct ksplice_target, list);
}

static bool may_refuse(unsigned long kind)
{
	return kind == KSPLICE_PRE_APPLY || kind == KSPLICE_CHECK_APPLY ||
	       kind == KSPLICE_PRE_REVERSE || kind == KSPLICE_CHECK_REVERSE;
}

/* The cause goes to sysfs; this can be under stop_machine(). */
static int refuse(struct ksplice_update *update, const struct ksplice_target *target,
		  const struct ksplice_hook *hook, int ret)
{
	return ksplice_fail(update, ret < 0 && ret >= -MAX_ERRNO ? ret : -EINVAL,
			    "%s: the hook %s refuses, with %d", target->name, hook->name, ret);
}

static int call_hook(const struct ksplice_hook *hook)
{
	if (may_refuse(hook->kind))
		return hook->function.check();
	hook->function.act();
	return 0;
}

static int call_hooks(struct ksplice_update *update, const struct ksplice_target *target,
		      unsigned long kind, bool backwards)
{
	const struct ksplice_mod_change *new = target->new;
	unsigned long i;

	for (i = 0; i < new->nr_hooks; i++) {
		const struct ksplice_hook *hook = &new->hooks[backwards ? new->nr_hooks - 1 - i : i];
		int ret = hook->kind == kind ? call_hook(hook) : 0;

		if (ret != 0)
			return refuse(update, target, hook, ret);
	}
	return 0;
}

/* From the target @from on, or all of them. */
static void act(struct ksplice_update *update, const struct ksplice_target *from,
		unsigned long kind, bool backwards)
{
	const struct ksplice_target *target = from ? from : next_target(update, NULL, backwards);

	for (; target; target = next_target(update, target, backwards))
		call_hooks(update, target, kind, backwards);
}

/* Until one refuses: then @end is the target of that. */
static int check(struct ksplice_update *update, unsigned long kind, bool backwards,
		 const struct ksplice_target **end)
{
	const struct ksplice_target *target = NULL;
	int ret;

	while ((target = next_target(update, target, backwards)) != NULL) {
		ret = call_hooks(update, target, kind, backwards);
		if (ret != 0) {
			*end = target;
			return ret;
		}
	}
	*end = NULL;
	return 0;
}

static bool is_text(const struct ksplice_mod_change *change, const struct ksplice_hook *hook)
{
	return ksplice_module_text_contains(change->owner, (unsigned long)hook->function.act);
}

static bool is_inside(const struct ksplice_mod_change *change)
{
	unsigned long first = (unsigned long)change->hooks;
	unsigned long last = (unsigned long)(change->hooks + change->nr_hooks) - 1;

	return change->nr_hooks <= INT_MAX / sizeof(*change->hooks) &&
	       within_module_core(first, change->owner) && within_module_core(last, change->owner);
}

int ksplice_target_check_hooks(struct ksplice_update *update, const struct ksplice_target *target)
{
	const struct ksplice_mod_change *new = target->new;
	unsigned long i;

	if (new->nr_hooks > 0 && !is_inside(new))
		return ksplice_fail(update, -EINVAL, "%s: the table of hooks is malformed",
				    target->name);
	for (i = 0; i < new->nr_hooks; i++)
		if (new->hooks[i].kind >= KSPLICE_HOOK_KINDS || !new->hooks[i].name ||
		    !is_text(new, &new->hooks[i]))
			return ksplice_fail(update, -EINVAL, "%s: hook %lu is malformed",
					    target->name, i);
	return 0;
}

int ksplice_hooks_check(struct ksplice_update *update, bool reverse)
{
	const struct ksplice_target *end;

	return check(update, KSPLICE_CHECK_APPLY + (reverse ? TO_REVERSE : 0), reverse, &end);
}

void ksplice_hooks_act(struct ksplice_update *update, bool reverse)
{
	act(update, NULL, KSPLICE_APPLY + (reverse ? TO_REVERSE : 0), reverse);
}

int ksplice_switch_with_hooks(struct ksplice_update *update, bool reverse)
{
	unsigned long shift = reverse ? TO_REVERSE : 0;
	const struct ksplice_target *end;
	int ret;

	ret = check(update, KSPLICE_PRE_APPLY + shift, reverse, &end);
	if (ret == 0)
		ret = ksplice_constants_begin(update, reverse);
	if (ret == 0) {
		ret = ksplice_switch(update, reverse);
		ksplice_constants_end(update);
	}
	if (ret == 0)
		act(update, NULL, KSPLICE_POST_APPLY + shift, reverse);
	else
		act(update, end, KSPLICE_FAIL_APPLY + shift, !reverse);
	return ret;
}

struct going {
	const struct ksplice_target *target;
	unsigned long kind;
};

static bool has_hooks(const struct ksplice_target *target, unsigned long kind)
{
	unsigned long i;

	for (i = 0; i < target->new->nr_hooks; i++)
		if (target->new->hooks[i].kind == kind)
			return true;
	return false;
}

/* All hooks of a kind, backwards.  Returns how many refused, which changes nothing. */
static int call_all(void *data)
{
	const struct going *going = data;
	const struct ksplice_mod_change *new = going->target->new;
	unsigned long i;
	int refused = 0;

	for (i = new->nr_hooks; i-- > 0;)
		if (new->hooks[i].kind == going->kind)
			refused += call_hook(&new->hooks[i]) != 0;
	return refused;
}

void ksplice_hooks_lose(const struct ksplice_target *target)
{
	struct going going = { target, KSPLICE_PRE_REVERSE };

	if (call_all(&going) != 0)
		pr_warn("%s goes, though a hook refuses\n", target->name);
	going.kind = KSPLICE_REVERSE;
	if (has_hooks(target, going.kind) && stop_machine(call_all, &going, NULL) != 0)
		pr_warn("%s goes, and its hooks could not be called\n", target->name);
	going.kind = KSPLICE_POST_REVERSE;
	call_all(&going);
}
