// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks as they were seen before the CPUs were stopped: see settled.h. */
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "kernel.h"
#include "settled.h"

/* Tasks that come while we count. */
#define SLACK		64

struct ksplice_settled *ksplice_settled_new(void)
{
	struct task_struct *process, *task;
	struct ksplice_settled *settled;
	unsigned int room = SLACK;

	rcu_read_lock();
	for_each_process_thread(process, task)
		room++;
	rcu_read_unlock();
	settled = kvzalloc(struct_size(settled, tasks, room + 1), GFP_KERNEL);
	if (settled) {
		settled->room = room;
		settled->has_all = ksplice_count_forks(&settled->forks);
	}
	return settled;
}

/* With the reference, its address does not become that of another task. */
void ksplice_settled_add(struct ksplice_settled *settled, struct task_struct *task,
			 unsigned long switches)
{
	struct ksplice_settled_task *place = &settled->tasks[settled->nr];

	if (settled->nr == settled->room) {
		settled->has_all = false;
		return;
	}
	settled->nr++;
	get_task_struct(task);
	place->task = task;
	place->switches = switches;
}

bool ksplice_settled_is_complete(const struct ksplice_settled *settled)
{
	unsigned long forks;

	return settled && settled->has_all && ksplice_count_forks(&forks) &&
	       forks == settled->forks;
}

const struct ksplice_settled_task *ksplice_settled_first(const struct ksplice_settled *settled)
{
	static const struct ksplice_settled_task none;

	return settled ? settled->tasks : &none;
}

/* A task leaves the list when it loses its pid (__unhash_process(), kernel/exit.c). */
const struct ksplice_settled_task *ksplice_settled_skip(const struct ksplice_settled_task *place,
							const struct task_struct *task)
{
	while (place->task && place->task != task && !pid_alive(place->task))
		place++;
	return place;
}

void ksplice_settled_free(struct ksplice_settled *settled)
{
	unsigned int i;

	if (!settled)
		return;
	for (i = 0; i < settled->nr; i++)
		put_task_struct(settled->tasks[i].task);
	kvfree(settled);
}
