/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which tasks are to be looked at when the CPUs are stopped.
 *
 * To look at ten thousand tasks takes milliseconds, for which the whole machine would
 * stand still.  So their stacks are looked at before, and a tracepoint of the scheduler
 * tells from then on which tasks get a CPU: all others are as they were seen.
 *
 * All can do without: NULL is what one gets where there is no memory or no tracepoint,
 * and means that every task is to be looked at.
 */
#ifndef KSPLICE_WATCH_H
#define KSPLICE_WATCH_H

#include <linux/atomic.h>
#include <linux/types.h>

struct task_struct;
struct tracepoint;

/* A set of tasks: a hash table, at most half full, and a list of what is in it. */
struct ksplice_watch {
	unsigned int bits;
	unsigned int mask;
	unsigned int room;
	atomic_t nr;			/* of tasks; a full set has lost some */
	struct tracepoint *tracepoint;
	struct task_struct **list;
	struct task_struct *places[];	/* references, or NULL */
};

/*
 * Begin to watch: from now on each task that gets a CPU is added.  Idle tasks are not.
 * Sleeps; takes locks of the text, and of the set of CPUs.
 */
struct ksplice_watch *ksplice_watch_begin(void);

/* Stop it, and free the set.  Sleeps as above. */
void ksplice_watch_end(struct ksplice_watch *watch);

/* Add @task, which may be in the way.  In any context; the set takes a reference. */
void ksplice_watch_add(struct ksplice_watch *watch, struct task_struct *task);

/* Under stop_machine(): whether the set has all tasks that may have run. */
static inline bool ksplice_watch_is_complete(const struct ksplice_watch *watch)
{
	return watch && (unsigned int)atomic_read(&watch->nr) < watch->room;
}

#endif
