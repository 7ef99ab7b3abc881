/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks that were seen out of the way before the CPUs were stopped.
 *
 * To look at the stacks of ten thousand tasks takes milliseconds, for which the whole
 * machine would stand still.  So it is done before, and under stop_machine() only
 * those stacks are looked at whose tasks have run since: the scheduler counts each time
 * that a task leaves its CPU (__schedule(), kernel/sched/core.c), and a task that is on
 * none and has the same count as before has not run.
 *
 * All can do without: NULL is an empty set, and what one gets where there is no memory.
 */
#ifndef KSPLICE_SETTLED_H
#define KSPLICE_SETTLED_H

#include <linux/hash.h>
#include <linux/sched.h>

struct ksplice_settled_task {
	struct task_struct *task;	/* a reference, or NULL */
	unsigned long switches;
};

/* A hash table, at most half full. */
struct ksplice_settled {
	unsigned int bits;
	unsigned int mask;
	unsigned int room;		/* for so many more */
	struct ksplice_settled_task tasks[];
};

/* An empty set for all tasks that there are.  Sleeps. */
struct ksplice_settled *ksplice_settled_new(void);
void ksplice_settled_free(struct ksplice_settled *settled);

/* Add a task that was out of the way when @switches was its count. */
void ksplice_settled_add(struct ksplice_settled *settled, struct task_struct *task,
			 unsigned long switches);

/* How often a task has left its CPU. */
static inline unsigned long ksplice_task_switches(const struct task_struct *task)
{
	return READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

/*
 * Whether @task is on a CPU.  The acquire pairs with the release with which the
 * scheduler says that a task has left it (finish_task(), kernel/sched/core.c): then
 * its stack is complete, and its switches are counted.
 */
static inline bool ksplice_is_running(const struct task_struct *task)
{
#ifdef CONFIG_SMP
	return smp_load_acquire(&task->on_cpu);
#else
	return task == current;
#endif
}

/* The place of @task, or the free one where it would be. */
static inline struct ksplice_settled_task *ksplice_settled_place(struct ksplice_settled *settled,
								 const struct task_struct *task)
{
	unsigned int i = hash_ptr(task, settled->bits);

	while (settled->tasks[i].task && settled->tasks[i].task != task)
		i = (i + 1) & settled->mask;
	return &settled->tasks[i];
}

/* Under stop_machine(): whether @task is still out of the way. */
static inline bool ksplice_is_settled(struct ksplice_settled *settled,
				      const struct task_struct *task)
{
	const struct ksplice_settled_task *place;

	/* One that runs is not counted yet: the stoppers. */
	if (!settled || ksplice_is_running(task))
		return false;
	place = ksplice_settled_place(settled, task);
	return place->task && place->switches == ksplice_task_switches(task);
}

#endif
