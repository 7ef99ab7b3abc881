// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Gets tasks out of the code that is to be switched, when the administrator asks.
 *
 * A user task that sleeps there is woken as if by a signal that it never sees, like
 * the fake signals of livepatches (kernel/livepatch/transition.c).  It leaves its
 * system call, and on the way out waits in park() until the switch was tried; then
 * the kernel restarts the system call.  Most can be restarted; those for which
 * signal(7) says "EINTR regardless" end with that.
 */
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include "core.h"
#include "kernel.h"

/* How long to wait for tasks that were woken, in jiffies. */
#define PATIENCE	(HZ / 2)
/* Tasks that come while we count. */
#define SLACK		64

struct nudged {
	struct callback_head work;
	struct task_struct *task;	/* a reference */
	struct ksplice_nudge *nudge;
	bool added;
	bool left;
};

struct ksplice_nudge {
	struct completion release;
	wait_queue_head_t wait;
	atomic_t parked;
	unsigned int size, count;
	struct nudged tasks[];
};

/* In a task that was woken, where it has left all other kernel code. */
static void park(struct callback_head *work)
{
	struct nudged *nudged = container_of(work, struct nudged, work);
	struct ksplice_nudge *nudge = nudged->nudge;

	atomic_inc(&nudge->parked);
	wake_up(&nudge->wait);
	if (!(current->flags & PF_EXITING))
		wait_for_completion(&nudge->release);
	smp_store_release(&nudged->left, true);
}

struct ksplice_nudge *ksplice_nudge_new(void)
{
	struct task_struct *process, *task;
	struct ksplice_nudge *nudge;
	unsigned int size = SLACK;

	rcu_read_lock();
	for_each_process_thread(process, task)
		size++;
	rcu_read_unlock();
	nudge = kvzalloc(struct_size(nudge, tasks, size), GFP_KERNEL);
	if (!nudge)
		return NULL;
	init_completion(&nudge->release);
	init_waitqueue_head(&nudge->wait);
	nudge->size = size;
	return nudge;
}

void ksplice_nudge_note(struct ksplice_nudge *nudge, struct task_struct *task)
{
	if ((task->flags & PF_KTHREAD) || nudge->count == nudge->size)
		return;
	get_task_struct(task);
	nudge->tasks[nudge->count++].task = task;
}

void ksplice_nudge_park(struct ksplice_nudge *nudge)
{
	unsigned int i, added = 0;

	for (i = 0; i < nudge->count; i++) {
		struct nudged *nudged = &nudge->tasks[i];

		nudged->nudge = nudge;
		init_task_work(&nudged->work, park);
		nudged->added = ksplice_task_work_add(nudged->task, &nudged->work) == 0;
		added += nudged->added;
	}
	wait_event_timeout(nudge->wait, atomic_read(&nudge->parked) == added, PATIENCE);
}

/* Waits for a task that is in park(), which is left soon. */
static void end_task(struct nudged *nudged)
{
	if (nudged->added && !ksplice_task_work_cancel(nudged->task, park))
		while (!smp_load_acquire(&nudged->left))
			schedule_timeout_uninterruptible(1);
	put_task_struct(nudged->task);
}

void ksplice_nudge_free(struct ksplice_nudge *nudge)
{
	bool parked;
	unsigned int i;

	if (!nudge)
		return;
	parked = atomic_read(&nudge->parked) > 0;
	complete_all(&nudge->release);
	for (i = 0; i < nudge->count; i++) {
		parked = parked || nudge->tasks[i].added;
		end_task(&nudge->tasks[i]);
	}
	kvfree(nudge);
	/* The last instructions of park() must be over before the core can go. */
	if (parked)
		synchronize_rcu_tasks();
}
