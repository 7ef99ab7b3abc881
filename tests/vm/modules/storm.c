// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A storm of NMIs: each CPU's handler calls gcd(), looks at the result, and sends
 * an NMI to the next CPU.  4711 is the result before tests/patches/gcd.patch, and 1
 * with it.  The log says at the end how many there were, and how many were wrong.
 */
#include <linux/cpu.h>
#include <linux/gcd.h>
#include <linux/module.h>
#include <linux/nmi.h>
#include <asm/apic.h>
#include <asm/nmi.h>

static atomic_t calls, wrong;
static bool stopped;

static void send_to_next(void)
{
	int cpu = cpumask_next(raw_smp_processor_id(), cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_online_mask);
	apic->send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
}

static int storm_handler(unsigned int type, struct pt_regs *regs)
{
	unsigned long result = gcd(4711, 4711);

	atomic_inc(&calls);
	if (result != 4711 && result != 1)
		atomic_inc(&wrong);
	if (!READ_ONCE(stopped))
		send_to_next();
	return NMI_HANDLED;
}

static int __init storm_init(void)
{
	int ret = register_nmi_handler(NMI_LOCAL, storm_handler, 0, "ksplice_storm");

	if (ret != 0)
		return ret;
	preempt_disable();
	send_to_next();
	preempt_enable();
	return 0;
}

static void __exit storm_exit(void)
{
	WRITE_ONCE(stopped, true);
	synchronize_rcu();
	unregister_nmi_handler(NMI_LOCAL, "ksplice_storm");
	pr_info("storm: %u calls, %u wrong\n", atomic_read(&calls), atomic_read(&wrong));
}

module_init(storm_init);
module_exit(storm_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Calls gcd() in NMIs on all CPUs");
