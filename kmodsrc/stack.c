// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds tasks that are in code that is to be switched.
 *
 * But for ksplice_look_ahead(), everything here runs under stop_machine(): no task
 * runs but the stoppers, no lock can be waited for, and nothing may be allocated.
 */
#include <linux/ctype.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>

#include "compat.h"
#include "core.h"
#include "fault.h"
#include "kernel.h"
#include "settled.h"

/* Deeper than the stack of any task in practice; beyond it, words are scanned. */
#define TRACE_SIZE	256

/* Used under stop_machine() by one CPU. */
static unsigned long trace[TRACE_SIZE];
/* All code that must not be in use is between these. */
static struct {
	unsigned long start, end;
} bounds;

/*
 * Whether the new code of @target has a function at @address, or one that ends there: a
 * call at the very end of a function returns behind it.  The exit function of the
 * module, which waits for us when that is unloaded by force, is none of it; where there
 * are frame pointers it has no tail call.
 */
static bool in_new_code(const struct ksplice_target *target, unsigned long address)
{
	if (address == target->new->leaves_to)
		return false;
	return ksplice_module_text_contains(target->new->owner, address) ||
	       ksplice_module_text_contains(target->new->owner, address - 1);
}

/* Here too the end counts; no return address is the start of the function that may follow. */
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

/* Whether the unwinder would warn, which it does of return addresses of tasks that run. */
static bool is_not_for_unwinder(const struct task_struct *task)
{
#ifdef CONFIG_RETHOOK
	return task != current && task->rethooks.first && task_is_running(task);
#else
	return false;
#endif
}

/* A task can choose its name, and must not write lines for others with it. */
static void copy_comm(char comm[TASK_COMM_LEN], const struct task_struct *task)
{
	char *end = comm + TASK_COMM_LEN - 1;

	memcpy(comm, task->comm, TASK_COMM_LEN);
	*end = '\0';
	while (end-- > comm)
		if (*end && iscntrl(*end))
			*end = '?';
}

static void note_conflict(struct ksplice_update *update, struct task_struct *task,
			  const struct ksplice_range *range, unsigned long address)
{
	unsigned int nr = update->nr_conflicts++;
	struct ksplice_conflict *conflict = &update->conflicts[nr];

	if (update->nudged)
		ksplice_nudge_note(update->nudged, task);
	if (nr >= KSPLICE_MAX_CONFLICTS)
		return;
	conflict->pid = task->pid;
	conflict->state = task_state_to_char(task);
	conflict->address = address;
	copy_comm(conflict->comm, task);
	strscpy(conflict->function, range ? range->name : "", sizeof(conflict->function));
	/* For people, who like to see as much as can be told. */
	conflict->nr_stack = is_not_for_unwinder(task) ? 0 :
			     ksplice_any_stack_trace(task, conflict->stack, KSPLICE_MAX_STACK);
}

static bool check_address(struct ksplice_update *update, bool reverse, struct task_struct *task,
			  unsigned long address)
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

/* The return addresses that kretprobes keep for a task; false if one is in the way. */
#if defined(CONFIG_RETHOOK) && defined(CONFIG_KRETPROBE_ON_RETHOOK)
static bool check_kretprobes(struct ksplice_update *update, bool reverse, struct task_struct *task)
{
	const struct rethook_node *node;
	struct llist_node *entry;

	for (entry = READ_ONCE(task->rethooks.first); entry; entry = entry->next) {
		node = container_of(entry, struct rethook_node, llist);
		if (!check_address(update, reverse, task, node->ret_addr))
			return false;
	}
	return true;
}

static bool is_unknown(unsigned long address)
{
	return false;
}
#else
static bool check_kretprobes(struct ksplice_update *update, bool reverse, struct task_struct *task)
{
	return true;
}

/* A kretprobe of whatever function; its address is in no list that we know. */
static bool is_unknown(unsigned long address)
{
	return ksplice_is_kretprobe(address);
}
#endif

/* Where the stack of a task begins that does not run, or our own from here on. */
static __always_inline unsigned long stack_pointer(const struct task_struct *task)
{
	return task == current ? (unsigned long)__builtin_frame_address(0) : task->thread.sp;
}

/*
 * Any word that may be a return address counts as one, from where the stack of a
 * task that does not run begins, or our own.
 */
static void scan_stack(struct ksplice_update *update, bool reverse, struct task_struct *task)
{
	unsigned long *word = task->stack, *end, sp = stack_pointer(task);

	end = word + THREAD_SIZE / sizeof(*word);
	if (sp >= (unsigned long)word && sp < (unsigned long)end)
		word = (unsigned long *)(sp & ~(sizeof(*word) - 1));
	if (!check_kretprobes(update, reverse, task))
		return;
	for (; word < end; word++) {
		unsigned long address = ksplice_return_address(task, word);

		if (!check_address(update, reverse, task, address))
			return;
		if (is_unknown(address)) {
			note_conflict(update, task, NULL, address);
			return;
		}
	}
}

static void widen_bounds(unsigned long start, unsigned long end)
{
	bounds.start = min(bounds.start, start);
	bounds.end = max(bounds.end, end);
}

static void find_bounds(const struct ksplice_update *update, bool reverse)
{
	const struct ksplice_target *target;
	unsigned long start, size, i;

	bounds.start = ULONG_MAX;
	bounds.end = 0;
	list_for_each_entry(target, &update->targets, list) {
		if (reverse) {
			ksplice_module_text(target->new->owner, &start, &size);
			widen_bounds(start, start + size);
		}
		for (i = 0; !reverse && i < target->nr_ranges; i++)
			widen_bounds(target->ranges[i].address,
				     target->ranges[i].address + target->ranges[i].size);
	}
}

/* Whether return addresses of @task may be elsewhere than on its stack. */
static bool hides_addresses(const struct task_struct *task)
{
#ifdef CONFIG_FUNCTION_GRAPH_TRACER
	if (task->ret_stack)
		return true;
#endif
#ifdef CONFIG_RETHOOK
	if (task->rethooks.first)
		return true;
#elif defined(CONFIG_KRETPROBES)
	return true;
#endif
	return false;
}

static __always_inline bool is_address(const unsigned long *word, unsigned long start,
				       unsigned long size)
{
	return READ_ONCE_NOCHECK(*word) - start <= size;
}

/* Whether a word between these is an address of such code.  Most of a pause is spent here. */
static bool has_address(unsigned long from, unsigned long to)
{
	const unsigned long *word = (const unsigned long *)(from & ~(sizeof(*word) - 1));
	const unsigned long *end = (const unsigned long *)to;
	unsigned long start = bounds.start, size = bounds.end - bounds.start;

	for (; end - word >= 4; word += 4)
		if (is_address(word, start, size) || is_address(word + 1, start, size) ||
		    is_address(word + 2, start, size) || is_address(word + 3, start, size))
			return true;
	for (; word < end; word++)
		if (is_address(word, start, size))
			return true;
	return false;
}

/*
 * A first look, much faster than the unwinder, which makes the difference with ten
 * thousand tasks: where no word of the stack is an address of such code, no return
 * address is, nor where an interrupt came.
 */
static bool may_use_code(const struct task_struct *task, const struct ksplice_settled *settled)
{
	unsigned long start = (unsigned long)task->stack, end = start + THREAD_SIZE;
	unsigned long sp = stack_pointer(task);

	if (hides_addresses(task) || sp < start || sp >= end)
		return true;
	if (settled && settled->asker == task)
		end = settled->seen_from;
	return has_address(sp, end);
}

/*
 * Until 6.3 the unwinder also believes to be at the end where it knows nothing, as in
 * a thunk in which a task was preempted (UNWIND_HINT_EMPTY).  The end of a stack that
 * is all there is the return address below the registers of user space, or where
 * those of a kernel thread would be.
 */
static bool is_whole(struct task_struct *task, int count)
{
	const unsigned long *regs = (const unsigned long *)task_pt_regs(task);

	return count > 0 && count < TRACE_SIZE && trace[count - 1] == READ_ONCE_NOCHECK(regs[-1]);
}

static void check_task(struct ksplice_update *update, bool reverse, struct task_struct *task)
{
	int count, i;

	/*
	 * The stopper of another CPU runs while we look.  It was called as we were,
	 * and we look at ourselves; what it called before and has left behind on its
	 * stack would be in the way for ever.
	 */
	if (ksplice_is_running(task) && task != current)
		return;
	/* One without a stack has exited.  Nobody can free it while we look. */
	if (!task->stack || refcount_read(&task->stack_refcount) == 0 ||
	    !may_use_code(task, update->settled))
		return;
	count = is_not_for_unwinder(task) ? -EINVAL : ksplice_stack_trace(task, trace, TRACE_SIZE);
	for (i = 0; i < count; i++)
		if (!check_address(update, reverse, task, trace[i]))
			return;
	if (!is_whole(task, count))
		scan_stack(update, reverse, task);
}

/* Whether a task is out of the way, if it does not begin to run meanwhile. */
static bool is_out_of_the_way(struct task_struct *task)
{
	bool is_out;

	if (ksplice_is_running(task) || !ksplice_get_task_stack(task))
		return false;
	is_out = !may_use_code(task, NULL);
	ksplice_put_task_stack(task);
	return is_out;
}

struct ksplice_settled *ksplice_look_ahead(const struct ksplice_update *update, bool reverse,
					   unsigned long frame)
{
	struct ksplice_settled *settled = ksplice_fault("settled") ? NULL : ksplice_settled_new();
	struct task_struct *process, *task;

	if (!settled)
		return NULL;
	find_bounds(update, reverse);
	if (!has_address(frame, (unsigned long)task_stack_page(current) + THREAD_SIZE)) {
		settled->asker = current;
		settled->seen_from = frame;
	}
	rcu_read_lock();
	for_each_process_thread(process, task) {
		unsigned long switches = ksplice_task_switches(task);

		smp_rmb();
		ksplice_settled_add(settled, task,
				    is_out_of_the_way(task) ? switches : KSPLICE_UNSETTLED);
	}
	rcu_read_unlock();
	return settled;
}

/* The tasks that were seen before, when there are no others.  Dead ones may be among them. */
static void check_seen(struct ksplice_update *update, bool reverse)
{
	const struct ksplice_settled_task *place = ksplice_settled_first(update->settled);

	for (; place->task; place++)
		if (!ksplice_is_settled(place, place->task) && pid_alive(place->task))
			check_task(update, reverse, place->task);
}

/* All tasks of the kernel's list. */
static void check_listed(struct ksplice_update *update, bool reverse)
{
	const struct ksplice_settled_task *place = ksplice_settled_first(update->settled);
	struct task_struct *process, *task;

	for_each_process_thread(process, task) {
		if (place->task != task)
			place = ksplice_settled_skip(place, task);
		/* One that is not where it should be counts as new. */
		if (place->task != task || !ksplice_is_settled(place++, task))
			check_task(update, reverse, task);
	}
}

int ksplice_check_stacks(struct ksplice_update *update, bool reverse)
{
	int cpu;

	update->nr_conflicts = 0;
	find_bounds(update, reverse);
	rcu_read_lock();
	if (ksplice_settled_is_complete(update->settled))
		check_seen(update, reverse);
	else
		check_listed(update, reverse);
	rcu_read_unlock();
	for_each_online_cpu(cpu)
		check_task(update, reverse, ksplice_idle_task(cpu));
	return update->nr_conflicts > 0 ? -EBUSY : 0;
}
