// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds tasks that are in code that is to be switched.
 *
 * Everything here runs under stop_machine(): no task runs but the stoppers, no
 * lock can be waited for, and nothing may be allocated.
 */
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>

#include "compat.h"
#include "core.h"
#include "kernel.h"

/* Deeper than the stack of any task in practice; beyond it, words are scanned. */
#define TRACE_SIZE	256

/* Used under stop_machine() by one CPU. */
static unsigned long trace[TRACE_SIZE];

/* Whether the new code of @target has a function at @address. */
static bool in_new_code(const struct ksplice_target *target, unsigned long address)
{
	return ksplice_module_text_contains(target->new->owner, address);
}

/*
 * A call at the very end of a function returns behind it, so the end counts; no
 * return address is the start of the function that may follow.
 */
static const struct ksplice_range *find_range(const struct ksplice_target *target,
					      unsigned long address)
{
	unsigned long i;

	for (i = 0; i < target->nr_ranges; i++)
		if (address >= target->ranges[i].address &&
		    address - target->ranges[i].address <= target->ranges[i].size)
			return &target->ranges[i];
	return NULL;
}

static void note_conflict(struct ksplice_update *update, const struct task_struct *task,
			  const struct ksplice_range *range, unsigned long address)
{
	struct ksplice_conflict *conflict;

	if (update->nr_conflicts == KSPLICE_MAX_CONFLICTS)
		return;
	conflict = &update->conflicts[update->nr_conflicts++];
	conflict->pid = task->pid;
	strscpy(conflict->comm, task->comm, sizeof(conflict->comm));
	if (range)
		strscpy(conflict->function, range->name, sizeof(conflict->function));
	else
		snprintf(conflict->function, sizeof(conflict->function), "%ps", (void *)address);
}

static bool check_address(struct ksplice_update *update, bool reverse,
			  const struct task_struct *task, unsigned long address)
{
	const struct ksplice_range *range = NULL;
	struct ksplice_target *target;

	list_for_each_entry(target, &update->targets, list) {
		if (!reverse)
			range = find_range(target, address);
		if (range || (reverse && in_new_code(target, address))) {
			note_conflict(update, task, range, address);
			return false;
		}
	}
	return true;
}

/*
 * Any word that may be a return address counts as one, from where the stack of a
 * task that does not run begins, or our own.
 */
static bool scan_stack(struct ksplice_update *update, bool reverse, struct task_struct *task)
{
	unsigned long *word = task->stack, *end, sp = task->thread.sp;
	bool ok = true;

	/* It has exited.  Nobody else can free the stack while we look. */
	if (!word || refcount_read(&task->stack_refcount) == 0)
		return true;
	end = word + THREAD_SIZE / sizeof(*word);
	if (task == current)
		sp = (unsigned long)__builtin_frame_address(0);
	if (sp >= (unsigned long)word && sp < (unsigned long)end)
		word = (unsigned long *)(sp & ~(sizeof(*word) - 1));
	for (; ok && word < end; word++) {
		unsigned long address = ksplice_return_address(task, word);

		ok = check_address(update, reverse, task, address);
		if (ok && ksplice_is_kretprobe(address)) {	/* of whatever function */
			note_conflict(update, task, NULL, address);
			ok = false;
		}
	}
	return ok;
}

static void check_task(struct ksplice_update *update, bool reverse, struct task_struct *task)
{
	int count, i;

	/*
	 * The stopper of another CPU runs while we look.  It was called as we were,
	 * and we look at ourselves; what it called before and has left behind on its
	 * stack would be in the way for ever.
	 */
#ifdef CONFIG_SMP
	if (task->on_cpu && task != current)
		return;
#endif
	count = ksplice_stack_trace(task, trace, TRACE_SIZE);
	if (count < 0) {
		scan_stack(update, reverse, task);
		return;
	}
	for (i = 0; i < count; i++)
		if (!check_address(update, reverse, task, trace[i]))
			return;
}

int ksplice_check_stacks(struct ksplice_update *update, bool reverse)
{
	struct task_struct *process, *task;
	int cpu;

	update->nr_conflicts = 0;
	rcu_read_lock();
	for_each_process_thread(process, task)
		check_task(update, reverse, task);
	rcu_read_unlock();
	for_each_online_cpu(cpu)
		check_task(update, reverse, ksplice_idle_task(cpu));
	return update->nr_conflicts > 0 ? -EBUSY : 0;
}
