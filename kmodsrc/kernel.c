// SPDX-License-Identifier: GPL-2.0-or-later
/* Unexported functions of the kernel, called directly; see kernel.h. */
#define pr_fmt(format) KBUILD_MODNAME ": " format
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/kprobes.h>
#include <linux/rcupdate.h>
#include <linux/sched/task_stack.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/static_call.h>
#include <linux/task_work.h>

#include "kernel.h"

/*
 * A static call needs a function of its type until the real one is known.  No
 * call is made before ksplice_kernel_init() has set all of them.
 */
static unsigned long no_lookup_name(const char *name)
{
	return 0;
}

static int no_on_each_symbol(ksplice_symbol_callback callback, void *data)
{
	return -ENOSYS;
}

static int no_stack_trace(struct task_struct *task, unsigned long *store, unsigned int size)
{
	return -ENOSYS;
}

static struct module *no_find_module(const char *name)
{
	return NULL;
}

static struct task_struct *no_idle_task(int cpu)
{
	return NULL;
}

static int no_stop_machine(int (*fn)(void *data), void *data, const struct cpumask *cpus)
{
	return -ENOSYS;
}

static void *no_kprobe(void *address)
{
	return NULL;
}

static void *no_livepatch(void *function)
{
	return NULL;
}

static int no_text_reserved(void *start, void *end)
{
	return 0;
}

static unsigned long no_graph_address(struct task_struct *task, int *index,
				      unsigned long address, unsigned long *word)
{
	return address;
}

static unsigned int no_trace(struct task_struct *task, unsigned long *store, unsigned int size,
			     unsigned int skip)
{
	return 0;
}

static int no_task_work(struct task_struct *task, struct callback_head *work,
			enum task_work_notify_mode notify)
{
	return -ENOSYS;
}

static struct callback_head *no_task_work_cancel(struct task_struct *task, task_work_func_t func)
{
	return NULL;
}

static bool no_show_value(const struct cred *cred)
{
	return false;
}

static int no_open(struct inode *inode, struct file *file)
{
	return -ENOSYS;
}

static void *no_start(struct seq_file *seq, loff_t *position)
{
	return NULL;
}

static void no_stop(struct seq_file *seq, void *item)
{
}

static void no_put_task_stack(struct task_struct *task)
{
}

static void no_function(void)
{
}

DEFINE_STATIC_CALL(ksplice_kallsyms_lookup_name, no_lookup_name);
DEFINE_STATIC_CALL(ksplice_kallsyms_on_each_symbol, no_on_each_symbol);
DEFINE_STATIC_CALL(ksplice_stack_trace_save_tsk_reliable, no_stack_trace);
DEFINE_STATIC_CALL(ksplice_find_module, no_find_module);
DEFINE_STATIC_CALL(ksplice_idle_task, no_idle_task);
DEFINE_STATIC_CALL(ksplice_stop_machine_cpuslocked, no_stop_machine);

/* Where kallsyms has no data, in place of locks. */
DEFINE_STATIC_CALL(ksplice_code_modify_prepare, no_function);
DEFINE_STATIC_CALL(ksplice_code_modify_post_process, no_function);
DEFINE_STATIC_CALL(ksplice_modules_open, no_open);
DEFINE_STATIC_CALL(ksplice_modules_start, no_start);
DEFINE_STATIC_CALL(ksplice_modules_stop, no_stop);

/* Those that a kernel may lack, rightly. */
DEFINE_STATIC_CALL(ksplice_kallsyms_show_value, no_show_value);
DEFINE_STATIC_CALL(ksplice_get_kprobe, no_kprobe);
DEFINE_STATIC_CALL(ksplice_alternatives_text_reserved, no_text_reserved);
DEFINE_STATIC_CALL(ksplice_stack_trace_save_tsk, no_trace);
DEFINE_STATIC_CALL(ksplice_task_work_add, no_task_work);
DEFINE_STATIC_CALL(ksplice_task_work_cancel, no_task_work_cancel);
DEFINE_STATIC_CALL(ksplice_put_task_stack, no_put_task_stack);
DEFINE_STATIC_CALL(ksplice_klp_find_ops, no_livepatch);
DEFINE_STATIC_CALL(ksplice_ftrace_graph_ret_addr, no_graph_address);

/* NULL when this kernel has no data in kallsyms. */
static struct mutex *text_lock;
static struct mutex *module_lock;
static struct mutex *kprobe_lock;
static struct mutex *klp_lock;
static const unsigned long *total_forks;

/* 0 when this kernel has none. */
static unsigned long kretprobe_return;

/* Whether references to stacks can be given back. */
static bool can_put_stacks;

/* The text of vmlinux. */
static unsigned long text_start, text_end;

/*
 * kallsyms_lookup_name() is exported to nobody, but kprobes know where it is.  The
 * probe is never armed: to disarm it needs memory, and where there is none the
 * kernel only warns and goes on using the probe (__disarm_kprobe_ftrace() and
 * unregister_kprobe(), kernel/kprobes.c in 6.1).
 */
static int find_lookup_name(unsigned long *address)
{
	struct kprobe probe = {
		.symbol_name = "kallsyms_lookup_name",
		.flags = KPROBE_FLAG_DISABLED,
	};
	int ret = register_kprobe(&probe);

	if (ret != 0)
		return ret;
	*address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	return 0;
}

/*
 * The kernel's own, and not what a module calls so: kallsyms goes on to the modules
 * when it lacks data, and one of them may have a variable of that name.
 */
static void *lookup(const char *name)
{
	unsigned long address = static_call(ksplice_kallsyms_lookup_name)(name);

	return ksplice_is_module_address(address) ? NULL : (void *)address;
}

/* In 5.10 the pointer must be of the function's type, and not only fit. */
#define SET_CALL(call, address) static_call_update(call, (typeof(&STATIC_CALL_TRAMP(call)))(address))

#define FIND_OPTIONAL(call, name)                                               \
	({                                                                      \
		void *found = lookup(name);                                     \
		if (found)                                                      \
			SET_CALL(call, found);                                  \
		found != NULL;                                                  \
	})

#define FIND(call, name)                                                        \
	({                                                                      \
		bool is_found = FIND_OPTIONAL(call, name);                      \
		if (!is_found)                                                  \
			pr_err("this kernel has no function %s\n", name);       \
		is_found;                                                       \
	})

/* Without data in kallsyms, functions of ftrace lock the text for us. */
static bool find_text_lock(void)
{
	text_lock = lookup("text_mutex");
	return text_lock || (FIND(ksplice_code_modify_prepare, "ftrace_arch_code_modify_prepare") &&
			      FIND(ksplice_code_modify_post_process,
				   "ftrace_arch_code_modify_post_process"));
}

/*
 * Without data in kallsyms, what lists the modules locks them for us: the functions of
 * the seq_file /proc/modules (kernel/module/procfs.c in 6.1).
 */
static bool find_module_lock(void)
{
	const struct seq_file *seq;
	bool is_found = false;
	struct file *file;

	module_lock = lookup("module_mutex");
	if (module_lock)
		return true;
	if (!FIND(ksplice_modules_open, "modules_open"))
		return false;
	file = kzalloc(sizeof(*file), GFP_KERNEL);
	if (file) {
		file->f_cred = current_cred();
		is_found = static_call(ksplice_modules_open)(NULL, file) == 0;
	}
	if (is_found) {
		seq = file->private_data;
		SET_CALL(ksplice_modules_start, seq->op->start);
		SET_CALL(ksplice_modules_stop, seq->op->stop);
		seq_release(NULL, file);
	} else {
		pr_err("the list of modules cannot be locked\n");
	}
	kfree(file);
	return is_found;
}

static void find_optional(void)
{
	/* Since 5.19, since 5.15, and before (arch/x86/kernel/rethook.c, kprobes). */
	static const char *const names[] = {
		"arch_rethook_trampoline", "__kretprobe_trampoline", "kretprobe_trampoline",
	};
	size_t i;

	text_start = (unsigned long)lookup("_stext");
	text_end = (unsigned long)lookup("_etext");
	kprobe_lock = lookup("kprobe_mutex");
	total_forks = lookup("total_forks");
	/* By its function: task_work_cancel() until 6.1.104 and 6.11 (kernel/task_work.c). */
	if (FIND_OPTIONAL(ksplice_task_work_cancel, "task_work_cancel_func") ||
	    FIND_OPTIONAL(ksplice_task_work_cancel, "task_work_cancel"))
		FIND_OPTIONAL(ksplice_task_work_add, "task_work_add");
	FIND_OPTIONAL(ksplice_stack_trace_save_tsk, "stack_trace_save_tsk");
	klp_lock = lookup("klp_mutex");
	if (klp_lock)
		FIND_OPTIONAL(ksplice_klp_find_ops, "klp_find_ops");
	can_put_stacks = FIND_OPTIONAL(ksplice_put_task_stack, "put_task_stack");
	FIND_OPTIONAL(ksplice_kallsyms_show_value, "kallsyms_show_value");
	FIND_OPTIONAL(ksplice_get_kprobe, "get_kprobe");
	FIND_OPTIONAL(ksplice_alternatives_text_reserved, "alternatives_text_reserved");
	FIND_OPTIONAL(ksplice_ftrace_graph_ret_addr, "ftrace_graph_ret_addr");
	for (i = 0; i < ARRAY_SIZE(names) && kretprobe_return == 0; i++)
		kretprobe_return = (unsigned long)lookup(names[i]);
}

int ksplice_kernel_init(unsigned long address)
{
	int ret = address != 0 ? 0 : find_lookup_name(&address);

	if (ret != 0) {
		pr_err("kprobes do not tell where kallsyms_lookup_name is: error %d\n", ret);
		return ret;
	}
	SET_CALL(ksplice_kallsyms_lookup_name, address);
	if (IS_ENABLED(CONFIG_HAVE_RELIABLE_STACKTRACE) &&
	    !FIND(ksplice_stack_trace_save_tsk_reliable, "stack_trace_save_tsk_reliable"))
		return -ENOENT;
	if (!FIND(ksplice_kallsyms_on_each_symbol, "kallsyms_on_each_symbol") ||
	    !FIND(ksplice_find_module, "find_module") ||
	    !FIND(ksplice_idle_task, "idle_task") ||
	    !FIND(ksplice_stop_machine_cpuslocked, "stop_machine_cpuslocked") ||
	    !find_text_lock() || !find_module_lock())
		return -ENOENT;
	find_optional();
	return 0;
}

int ksplice_stack_trace(struct task_struct *task, unsigned long *addresses, unsigned int size)
{
	return static_call(ksplice_stack_trace_save_tsk_reliable)(task, addresses, size);
}

unsigned int ksplice_any_stack_trace(struct task_struct *task, unsigned long *addresses,
				     unsigned int size)
{
	return static_call(ksplice_stack_trace_save_tsk)(task, addresses, size, 0);
}

struct module *ksplice_get_module(const char *name)
{
	struct module *module;

	/*
	 * What find_module() wants: the list of modules may not change meanwhile.  Until
	 * 5.11 it asks for the mutex (kernel/module.c).
	 */
	if (LINUX_VERSION_CODE < KERNEL_VERSION(5, 12, 0))
		ksplice_lock_modules();
	rcu_read_lock_sched();
	module = static_call(ksplice_find_module)(name);
	if (!module)
		module = ERR_PTR(-ENODEV);
	else if (module->state != MODULE_STATE_LIVE || !try_module_get(module))
		module = ERR_PTR(-ETXTBSY);
	rcu_read_unlock_sched();
	if (LINUX_VERSION_CODE < KERNEL_VERSION(5, 12, 0))
		ksplice_unlock_modules();
	return module;
}

bool ksplice_count_forks(unsigned long *forks)
{
	if (!total_forks)
		return false;
	/* Pairs with the order of the writes: what is counted will be seen in the list. */
	*forks = smp_load_acquire(total_forks);
	return true;
}

bool ksplice_get_task_stack(struct task_struct *task)
{
	return can_put_stacks && try_get_task_stack(task);
}

void ksplice_put_task_stack(struct task_struct *task)
{
	static_call(ksplice_put_task_stack)(task);
}

struct task_struct *ksplice_idle_task(int cpu)
{
	return static_call(ksplice_idle_task)(cpu);
}

int ksplice_stop_machine(int (*fn)(void *data), void *data)
{
	return static_call(ksplice_stop_machine_cpuslocked)(fn, data, cpu_online_mask);
}

unsigned long ksplice_return_address(struct task_struct *task, unsigned long *word)
{
	int index = 0;

	return static_call(ksplice_ftrace_graph_ret_addr)(task, &index, READ_ONCE_NOCHECK(*word),
							  word);
}

int ksplice_task_work_add(struct task_struct *task, struct callback_head *work)
{
	return static_call(ksplice_task_work_add)(task, work, TWA_SIGNAL);
}

bool ksplice_task_work_cancel(struct task_struct *task, task_work_func_t function)
{
	return static_call(ksplice_task_work_cancel)(task, function) != NULL;
}

bool ksplice_is_kretprobe(unsigned long address)
{
	return kretprobe_return != 0 && address == kretprobe_return;
}

bool ksplice_may_show_addresses(const struct cred *reader)
{
	return static_call(ksplice_kallsyms_show_value)(reader);
}

bool ksplice_is_core_text(unsigned long address)
{
	return address >= text_start && address < text_end;
}

bool ksplice_has_kprobe(unsigned long address, size_t size)
{
	bool found = false;
	size_t i;

	preempt_disable();
	for (i = 0; i < size && !found; i++)
		found = static_call(ksplice_get_kprobe)((void *)(address + i)) != NULL;
	preempt_enable();
	return found;
}

bool ksplice_is_text_reserved(unsigned long address, size_t size)
{
	return ksplice_has_kprobe(address, size) ||
	       static_call(ksplice_alternatives_text_reserved)((void *)address,
							       (void *)(address + size));
}

bool ksplice_has_late_kprobe(unsigned long address, size_t size)
{
	return !kprobe_lock && ksplice_has_kprobe(address, size);
}

bool ksplice_is_livepatched(unsigned long function)
{
	return static_call(ksplice_klp_find_ops)((void *)function) != NULL;
}

/*
 * The order is that of kprobe_optimizer() (kernel/kprobes.c in 6.1); livepatches
 * write text with theirs held (kernel/livepatch/core.c).
 */
void ksplice_lock_text(void)
{
	if (klp_lock)
		mutex_lock(klp_lock);
	if (kprobe_lock)
		mutex_lock(kprobe_lock);
	cpus_read_lock();
	if (text_lock)
		mutex_lock(text_lock);
	else
		static_call(ksplice_code_modify_prepare)();
}

void ksplice_unlock_text(void)
{
	if (text_lock)
		mutex_unlock(text_lock);
	else
		static_call(ksplice_code_modify_post_process)();
	cpus_read_unlock();
	if (kprobe_lock)
		mutex_unlock(kprobe_lock);
	if (klp_lock)
		mutex_unlock(klp_lock);
}

void ksplice_lock_modules(void)
{
	loff_t position = 0;

	if (module_lock)
		mutex_lock(module_lock);
	else
		static_call(ksplice_modules_start)(NULL, &position);
}

void ksplice_unlock_modules(void)
{
	if (module_lock)
		mutex_unlock(module_lock);
	else
		static_call(ksplice_modules_stop)(NULL, NULL);
}

int ksplice_on_each_symbol(ksplice_symbol_callback callback, void *data)
{
	int ret;

	/* Until 5.12 it goes through the modules too (kernel/kallsyms.c). */
	if (LINUX_VERSION_CODE < KERNEL_VERSION(5, 12, 0))
		ksplice_lock_modules();
	ret = static_call(ksplice_kallsyms_on_each_symbol)(callback, data);
	if (LINUX_VERSION_CODE < KERNEL_VERSION(5, 12, 0))
		ksplice_unlock_modules();
	return ret;
}
