// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks that were seen out of the way before the CPUs were stopped: see settled.h. */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "settled.h"

/* Tasks that come while we count. */
#define SLACK		64

struct ksplice_settled *ksplice_settled_new(void)
{
	struct task_struct *process, *task;
	struct ksplice_settled *settled;
	unsigned int room = SLACK, bits;

	rcu_read_lock();
	for_each_process_thread(process, task)
		room++;
	rcu_read_unlock();
	bits = order_base_2(room) + 1;
	settled = kvzalloc(struct_size(settled, tasks, 1UL << bits), GFP_KERNEL);
	if (settled) {
		settled->bits = bits;
		settled->mask = (1U << bits) - 1;
		settled->room = room;
	}
	return settled;
}

/* With the reference, its address does not become that of another task. */
void ksplice_settled_add(struct ksplice_settled *settled, struct task_struct *task,
			 unsigned long switches)
{
	struct ksplice_settled_task *place = ksplice_settled_place(settled, task);

	if (place->task || settled->room == 0)
		return;
	settled->room--;
	get_task_struct(task);
	place->task = task;
	place->switches = switches;
}

void ksplice_settled_free(struct ksplice_settled *settled)
{
	unsigned int i;

	if (!settled)
		return;
	for (i = 0; i <= settled->mask; i++)
		if (settled->tasks[i].task)
			put_task_struct(settled->tasks[i].task);
	kvfree(settled);
}
