// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A livepatch, as the kernel knows them, of the functions that string.patch and
 * gcd.patch change; gcd() gets the code of lib/math/gcd.c again.
 */
#include <linux/bitops.h>
#include <linux/livepatch.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/seq_file.h>

static int livepatch_loadavg_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "livepatched\n");
	return 0;
}

static unsigned long livepatch_gcd(unsigned long a, unsigned long b)
{
	unsigned long r = a | b;

	if (!a || !b)
		return r;
	b >>= __ffs(b);
	if (b == 1)
		return r & -r;
	for (;;) {
		a >>= __ffs(a);
		if (a == 1)
			return r & -r;
		if (a == b)
			return a << __ffs(r);
		if (a < b)
			swap(a, b);
		a -= b;
	}
}

static struct klp_func funcs[] = {
	{ .old_name = "loadavg_proc_show", .new_func = livepatch_loadavg_proc_show },
	{ .old_name = "gcd", .new_func = livepatch_gcd },
	{ }
};

static struct klp_object objs[] = {
	{ .funcs = funcs },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init livepatch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit livepatch_exit(void)
{
}

module_init(livepatch_init);
module_exit(livepatch_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("A livepatch of loadavg_proc_show() and gcd()");
