// SPDX-License-Identifier: GPL-2.0-or-later
/* The match engine's home in the kernel: it reads the running kernel itself. */
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#ifdef CONFIG_PARAVIRT
#include <asm/paravirt.h>
#endif

#include "core.h"
#include "fault.h"
#include "kernel.h"

static int run_read(void *context, unsigned long address, void *buffer, size_t size)
{
	return copy_from_kernel_nofault(buffer, (void *)address, size) == 0 ? 0 : -EFAULT;
}

struct symbol_request {
	int (*fn)(void *data, const char *name, unsigned long value);
	void *data;
};

/* What applied updates replaced is known by its old address, and dead code by none. */
static int add_symbol(void *data, const char *name, unsigned long value)
{
	struct symbol_request *request = data;

	/* Of the target alone, see below; it is data, which kallsyms may leave out. */
	if (ksplice_is_dead(value) || strcmp(name, "__this_module") == 0)
		return 0;
	return request->fn(request->data, name, ksplice_known_as(value));
}

static KSPLICE_SYMBOL_CALLBACK(each_symbol, context, name, module, value)
{
	if (!KSPLICE_OF_VMLINUX(module))
		return 0;
	return add_symbol(context, name, value);
}

static int each_of_vmlinux(struct symbol_request *request)
{
	int ret = ksplice_on_each_symbol(each_symbol, request);

#ifdef CONFIG_PARAVIRT
	/* Without KALLSYMS_ALL there are no variables; rules of sites need this one. */
	if (ret == 0)
		ret = add_symbol(request, "pv_ops", (unsigned long)&pv_ops);
#endif
	return ret != 0 ? ret : ksplice_each_new_symbol("vmlinux", add_symbol, request);
}

static int run_for_each_symbol(void *context,
			       int (*fn)(void *data, const char *name, unsigned long value),
			       void *data)
{
	const struct ksplice_target *target = context;
	struct symbol_request request = { .fn = fn, .data = data };
	int ret;

	if (!target->module)
		return each_of_vmlinux(&request);
	ret = ksplice_each_module_symbol(target->module, add_symbol, &request);
	if (ret == 0)
		ret = fn(data, "__this_module", (unsigned long)target->module);
	return ret != 0 ? ret : ksplice_each_new_symbol(target->name, add_symbol, &request);
}

static int run_for_each_import(void *context,
			       int (*fn)(void *data, const char *name, unsigned long value),
			       void *data)
{
	const struct ksplice_target *target = context;
	struct symbol_request request = { .fn = fn, .data = data };

	return target->module ? each_of_vmlinux(&request) : 0;
}

static unsigned long run_known_as(void *context, unsigned long address)
{
	return ksplice_known_as(address);
}

static unsigned long run_code_at(void *context, unsigned long address)
{
	return ksplice_code_at(address);
}

/* Lock prefixes, which are reserved too where there is one CPU, have a rule of their own. */
static bool run_is_probed(void *context, unsigned long address)
{
	return ksplice_has_kprobe(address, 1);
}

/* With a second CPU all lock prefixes come back (alternatives_enable_smp()). */
static bool run_may_be_up(void *context)
{
	return num_online_cpus() == 1;
}

static void *run_alloc(void *context, size_t size)
{
	return kvzalloc(size, GFP_KERNEL);
}

static void run_free(void *context, void *memory)
{
	kvfree(memory);
}

static void run_pause(void *context)
{
	cond_resched();
}

static const struct ksplice_matcher_ops run_ops = {
	.read = run_read,
	.for_each_symbol = run_for_each_symbol,
	.for_each_import = run_for_each_import,
	.known_as = run_known_as,
	.code_at = run_code_at,
	.is_probed = run_is_probed,
	.may_be_up = run_may_be_up,
	.alloc = run_alloc,
	.free = run_free,
	.pause = run_pause,
};

static int pin_target(struct ksplice_update *update, struct ksplice_target *target)
{
	struct module *module;

	if (strcmp(target->name, "vmlinux") == 0 || target->module)
		return 0;
	module = ksplice_fault("pin") ? ERR_PTR(-ENODEV) : ksplice_get_module(target->name);
	if (IS_ERR(module))
		return ksplice_fail(update, PTR_ERR(module), "%s: the module is %s", target->name,
				    PTR_ERR(module) == -ENODEV ?
					    "not loaded" :
					    "just being loaded or unloaded");
	target->module = module;
	return 0;
}

void ksplice_target_forget(struct ksplice_target *target)
{
	ksplice_matcher_free(target->matcher);
	target->matcher = NULL;
	if (target->module)
		module_put(target->module);
	target->module = NULL;
}

int ksplice_target_match(struct ksplice_update *update, struct ksplice_target *target)
{
	unsigned long functions, bytes;
	const struct ksplice_update *above;
	char cause[sizeof(update->cause)];
	int ret = pin_target(update, target);

	if (ret != 0)
		return ret;
	target->switches = ksplice_switches();
	if (!ksplice_fault("matcher"))
		target->matcher = ksplice_matcher_new(target->old->old_code, &run_ops, target);
	ret = !target->matcher || ksplice_fault("match") ? -ENOMEM : ksplice_match(target->matcher);
	if (ret == -ENOMEM)
		return ksplice_fail(update, ret, "%s: no memory to match", target->name);
	if (ret != 0) {
		ksplice_match_describe(target->matcher, ksplice_match_mismatch(target->matcher),
				       cause, sizeof(cause));
		above = ksplice_update_at(ksplice_match_mismatch(target->matcher)->address);
		return above ? ksplice_fail(update, ret, "%s: %s; that is update %s, and this one is not made upon it (ksplice-create --base-patch)",
					    target->name, cause, above->id) :
			       ksplice_fail(update, ret, "%s: %s", target->name, cause);
	}
	ksplice_match_totals(target->matcher, &functions, &bytes);
	update->matched_functions += functions;
	update->matched_bytes += bytes;
	return 0;
}
