// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The one table of functions that cannot be replaced.  Names are those of Linux
 * 5.10 to 6.12; what a kernel does not have does no harm.  Code that may not be
 * instrumented at all (.noinstr.text, .entry.text) needs no names: ksplice-objmanip
 * refuses these sections.
 */
#ifdef __KERNEL__
#include <linux/kernel.h>
#include <linux/string.h>
#else
#include <stddef.h>
#include <string.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

#include "forbidden.h"

struct group {
	const char *reason;
	const char *const *names;	/* up to NULL; "foo*" is all that begin so */
};

/*
 * arch/x86/kernel/traps.c and kprobes/core.c, kernel/notifier.c, kernel/rcu/tree.c,
 * kernel/context_tracking.c: a breakpoint here leads to the next one.
 */
static const char *const breakpoint[] = {
	"do_int3", "kgdb_ll_trap", "kgdb_notify", "__kgdb_notify", "kprobe_int3_handler",
	"get_kprobe", "kprobe_exceptions_notify", "notify_die", "atomic_notifier_call_chain",
	"notifier_call_chain", "rcu_nmi_enter", "rcu_nmi_exit", "ct_nmi_enter", "ct_nmi_exit",
	"rcu_is_watching",
	NULL,
};

/* kernel/stop_machine.c: on the stack of those who look at the stacks. */
static const char *const stopping[] = {
	"stop_machine*", "multi_cpu_stop", "cpu_stop*", "stop_cpus", "__stop_cpus",
	"queue_stop_cpus_work", "smpboot_thread_fn", "kthread", "ret_from_fork",
	"rcu_momentary_dyntick_idle", "rcu_momentary_eqs",
	NULL,
};

/* kernel/stacktrace.c, arch/x86/kernel/stacktrace.c, unwind_*.c, dumpstack*.c. */
static const char *const walking[] = {
	"stack_trace_save_tsk_reliable", "stack_trace_consume_entry*", "arch_stack_walk_reliable",
	"unwind_*", "__unwind_start", "orc_find", "orc_ftrace_find", "__orc_find",
	"deref_stack_*", "get_stack_info*", "ftrace_graph_ret_addr", "rethook_find_ret_addr",
	NULL,
};

static const struct group groups[] = {
	{ "it handles breakpoints, which keep NMIs out of a jump that is being written",
	  breakpoint },
	{ "the CPUs are stopped by it, and so it is always in use", stopping },
	{ "the stacks are examined by it, and so it is always in use", walking },
};

/* Whether @name, up to a suffix of the compiler, is @pattern. */
static int fits(const char *pattern, const char *name)
{
	const char *star = strchr(pattern, '*');
	size_t length = strcspn(name, ".");
	size_t head = star ? (size_t)(star - pattern) : strlen(pattern);

	if (length < head || strncmp(pattern, name, head) != 0)
		return 0;
	if (!star)
		return length == head;
	head = strlen(++star);
	return length >= (size_t)(star - 1 - pattern) + head &&
	       strncmp(name + length - head, star, head) == 0;
}

const char *ksplice_forbidden(const char *name)
{
	const char *const *pattern;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		for (pattern = groups[i].names; *pattern; pattern++)
			if (fits(*pattern, name))
				return groups[i].reason;
	return NULL;
}
