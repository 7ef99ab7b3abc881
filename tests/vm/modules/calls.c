// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Says in the log how many cycles 1000 calls of gcd(0, 1) take, and 1000 of nothing:
 * instructions, where QEMU counts them (-icount shift=0) and the TSC shows it.
 * gcd() returns before it comes to what tests/patches/gcd.patch changes.
 */
#include <linux/gcd.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <asm/msr.h>

#define CALLS 1000

static unsigned long noinline gcd_of(unsigned long (*function)(unsigned long, unsigned long))
{
	unsigned long sum = 0, flags;
	u64 start;
	int i;

	local_irq_save(flags);
	start = rdtsc_ordered();
	for (i = 0; i < CALLS; i++) {
		if (function)
			sum += gcd(0, 1);
		barrier();
	}
	start = rdtsc_ordered() - start;
	local_irq_restore(flags);
	return function && sum != CALLS ? 0 : start;
}

static int __init calls_init(void)
{
	unsigned long empty, full;

	/* The first round is for the emulator to translate. */
	gcd_of(gcd);
	gcd_of(NULL);
	full = gcd_of(gcd);
	empty = gcd_of(NULL);
	pr_info("ksplice bench: calls %lu empty %lu\n", full, empty);
	return 0;
}

static void __exit calls_exit(void)
{
}

module_init(calls_init);
module_exit(calls_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Counts the instructions of calls");
