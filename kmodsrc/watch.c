// SPDX-License-Identifier: GPL-2.0-or-later
/* Which tasks are to be looked at when the CPUs are stopped: see watch.h. */
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <trace/events/sched.h>

#include "fault.h"
#include "watch.h"

/* For tasks that come while we watch. */
#define SLACK		64

/* A set that has room for all tasks.  No more than that and one for each CPU get in. */
static struct ksplice_watch *new_set(void)
{
	unsigned int room = SLACK + nr_cpu_ids, bits;
	struct task_struct *process, *task;
	struct ksplice_watch *watch;

	rcu_read_lock();
	for_each_process_thread(process, task)
		room++;
	rcu_read_unlock();
	bits = order_base_2(room) + 1;
	watch = kvzalloc(struct_size(watch, places, (1UL << bits) + room), GFP_KERNEL);
	if (watch) {
		watch->bits = bits;
		watch->mask = (1U << bits) - 1;
		watch->room = room;
		watch->list = watch->places + (1UL << bits);
	}
	return watch;
}

static void free_set(struct ksplice_watch *watch)
{
	unsigned int i;

	for (i = 0; i <= watch->mask; i++)
		if (watch->places[i])
			put_task_struct(watch->places[i]);
	kvfree(watch);
}

/* With the reference, its address does not become that of another task. */
void ksplice_watch_add(struct ksplice_watch *watch, struct task_struct *task)
{
	unsigned int i = hash_ptr(task, watch->bits), nr;
	struct task_struct *there;

	if ((unsigned int)atomic_read(&watch->nr) >= watch->room)
		return;
	while ((there = cmpxchg(&watch->places[i], NULL, task))) {
		if (there == task)
			return;
		i = (i + 1) & watch->mask;
	}
	get_task_struct(task);
	nr = atomic_inc_return(&watch->nr);
	if (nr <= watch->room)
		watch->list[nr - 1] = task;
}

#ifdef CONFIG_TRACEPOINTS
static notrace void on_switch(void *watch, bool preempt, struct task_struct *prev,
			      struct task_struct *next, unsigned int prev_state)
{
	if (!is_idle_task(next))
		ksplice_watch_add(watch, next);
}

/* Until 5.18, where nobody took that over (include/trace/events/sched.h). */
static notrace void on_stateless_switch(void *watch, bool preempt, struct task_struct *prev,
					struct task_struct *next)
{
	on_switch(watch, preempt, prev, next, 0);
}

#define PROBE								\
	__builtin_choose_expr(						\
		__builtin_types_compatible_p(				\
			typeof(check_trace_callback_type_sched_switch),	\
			void(typeof(on_stateless_switch) *)),		\
		on_stateless_switch, on_switch)

static void keep_sched_switch(struct tracepoint *tracepoint, void *data)
{
	if (strcmp(tracepoint->name, "sched_switch") == 0)
		*(struct tracepoint **)data = tracepoint;
}

static bool attach(struct ksplice_watch *watch)
{
	check_trace_callback_type_sched_switch(PROBE);
	for_each_kernel_tracepoint(keep_sched_switch, &watch->tracepoint);
	return watch->tracepoint &&
	       tracepoint_probe_register(watch->tracepoint, PROBE, watch) == 0;
}

static void detach(struct ksplice_watch *watch)
{
	tracepoint_probe_unregister(watch->tracepoint, PROBE, watch);
	tracepoint_synchronize_unregister();
}
#else
static bool attach(struct ksplice_watch *watch)
{
	return false;
}

static void detach(struct ksplice_watch *watch)
{
}
#endif

struct ksplice_watch *ksplice_watch_begin(void)
{
	struct ksplice_watch *watch = ksplice_fault("watch") ? NULL : new_set();

	if (!watch)
		return NULL;
	if (!attach(watch)) {
		free_set(watch);
		return NULL;
	}
	/* The scheduler may be just behind the tracepoint, with preemption disabled. */
	synchronize_rcu();
	return watch;
}

void ksplice_watch_end(struct ksplice_watch *watch)
{
	if (!watch)
		return;
	detach(watch);
	free_set(watch);
}
