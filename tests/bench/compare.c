// SPDX-License-Identifier: GPL-2.0-or-later
/* A module that compares text of the kernel with a copy of it, and says how long that takes. */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

static unsigned int size = 1 << 20;
module_param(size, uint, 0);
MODULE_PARM_DESC(size, "how many bytes");

static int __init compare_init(void)
{
	const void *text = (const void *)_printk;
	void *copy = vmalloc(size);
	u64 start, least = U64_MAX;
	int i, differ = 0;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, size);
	for (i = 0; i < 20; i++) {
		start = ktime_get_ns();
		differ |= memcmp(copy, text, size);
		least = min(least, ktime_get_ns() - start);
	}
	vfree(copy);
	pr_info("ksplice bench: memcmp %llu ns, %s\n", least, differ ? "different" : "equal");
	return 0;
}

static void __exit compare_exit(void)
{
}

module_init(compare_init);
module_exit(compare_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Times memcmp() of text of the kernel");
