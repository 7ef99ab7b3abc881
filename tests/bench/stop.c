// SPDX-License-Identifier: GPL-2.0-or-later
/* A module that stops the machine for nothing, and says how long that takes. */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/stop_machine.h>

static unsigned int count = 20;
module_param(count, uint, 0);
MODULE_PARM_DESC(count, "how often");

static int do_nothing(void *data)
{
	return 0;
}

static int __init stop_init(void)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		u64 start = ktime_get_ns();

		stop_machine(do_nothing, NULL, NULL);
		pr_info("ksplice bench: empty stop_machine %llu ns\n", ktime_get_ns() - start);
	}
	return 0;
}

static void __exit stop_exit(void)
{
}

module_init(stop_init);
module_exit(stop_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Times an empty stop_machine()");
