/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks as they were seen before the CPUs were stopped.
 *
 * To look at the stacks of ten thousand tasks takes milliseconds, for which the whole
 * machine would stand still.  So it is done before, and under stop_machine() only
 * those stacks are looked at whose tasks have run since: the scheduler counts each time
 * that a task leaves its CPU (__schedule(), kernel/sched/core.c), and a task that is on
 * none and has the same count as before has not run.
 *
 * What is done for each task makes the pause.  Where the kernel counts the tasks that it
 * makes, and has made none since, these here are all that there are.  Else the kernel's
 * list of tasks is gone through; they are in its order, to be gone through side by side.
 *
 * The task that asks for the switch waits meanwhile: of its stack, what it had before
 * is as it was.
 *
 * All can do without: NULL is an empty set, and what one gets where there is no memory.
 */
#ifndef KSPLICE_SETTLED_H
#define KSPLICE_SETTLED_H

#include <linux/sched.h>

/* A count that no task has: it was in the way, or was running. */
#define KSPLICE_UNSETTLED (~0UL)

struct ksplice_settled_task {
	struct task_struct *task; /* a reference */
	unsigned long switches;
};

struct ksplice_settled {
	unsigned int nr;
	unsigned int room;
	bool has_all;		/* that there were when so many had been made: */
	unsigned long forks;
	/* The task that asks, and where the part of its stack begins that was seen. */
	const struct task_struct *asker;
	unsigned long seen_from;
	struct ksplice_settled_task tasks[]; /* the one behind the last has no task */
};

/* An empty set for all tasks that there are, to be added now.  Sleeps. */
struct ksplice_settled *ksplice_settled_new(void);
void ksplice_settled_free(struct ksplice_settled *settled);

/* Add the next task of the list, which was out of the way when @switches was its count. */
void ksplice_settled_add(struct ksplice_settled *settled, struct task_struct *task,
			 unsigned long switches);

/* Under stop_machine(): whether there is no task but these. */
bool ksplice_settled_is_complete(const struct ksplice_settled *settled);

/* The first of them, to go through them; of an empty set, one that is no task. */
const struct ksplice_settled_task *ksplice_settled_first(const struct ksplice_settled *settled);

/* From @place past those that are gone from the list, but for @task. */
const struct ksplice_settled_task *ksplice_settled_skip(const struct ksplice_settled_task *place,
							const struct task_struct *task);

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

/*
 * Under stop_machine(): whether @task, which is that of @place, is still out of the way.
 * One that runs is not counted yet.
 */
static inline bool ksplice_is_settled(const struct ksplice_settled_task *place,
				      const struct task_struct *task)
{
	return !ksplice_is_running(task) && place->switches == ksplice_task_switches(task);
}

#endif
