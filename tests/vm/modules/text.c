// SPDX-License-Identifier: GPL-2.0-or-later
/* Logs bytes of the kernel as they are in memory, and is not loaded then. */
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/uaccess.h>

static unsigned long address;
module_param(address, ulong, 0);
MODULE_PARM_DESC(address, "of the first one");

static int __init text_init(void)
{
	unsigned char bytes[64];

	if (copy_from_kernel_nofault(bytes, (void *)address, sizeof(bytes)) != 0)
		return -EFAULT;
	pr_info("text: %*phN\n", (int)sizeof(bytes), bytes);
	return -ECANCELED;
}

module_init(text_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Logs bytes of the kernel");
