// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file in /proc.  Its function has an entry in each of the tables that go with code:
 * a jump label, a static call, a WARN, alternatives (stac and clac among them), and an
 * exception table for the read of address 8, where cat has nothing.
 */
#include <linux/bug.h>
#include <linux/jump_label.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>

#ifdef PATCHED
#define VERSION	"patched"
#else
#define VERSION	"unpatched"
#endif

static DEFINE_STATIC_KEY_FALSE(stage_key);

static int twice(int number)
{
	return 2 * number;
}

static int square(int number)
{
	return number * number;
}

DEFINE_STATIC_CALL(stage_call, twice);

static noinline int stage_show(struct seq_file *m, void *v)
{
	u32 __user *nothing = (u32 __user *)8;
	u32 word;

	WARN_ONCE(!m->private && m->count > PAGE_SIZE, VERSION);
	seq_printf(m, VERSION " %d", static_call(stage_call)(7));
	if (static_branch_unlikely(&stage_key))
		seq_puts(m, " key");
	if (static_cpu_has(X86_FEATURE_FPU))
		seq_puts(m, " fpu");
	if (!user_access_begin(nothing, sizeof(*nothing)))
		return -EFAULT;
	unsafe_get_user(word, nothing, fault);
	user_access_end();
	seq_printf(m, " %u\n", word);
	return 0;
fault:
	user_access_end();
	seq_puts(m, " fault\n");
	return 0;
}

static ssize_t stage_write(struct file *file, const char __user *text, size_t size, loff_t *at)
{
	static_branch_enable(&stage_key);
	static_call_update(stage_call, square);
	return size;
}

static int stage_open(struct inode *inode, struct file *file)
{
	return single_open(file, stage_show, NULL);
}

static const struct proc_ops stage_ops = {
	.proc_open = stage_open,
	.proc_read = seq_read,
	.proc_write = stage_write,
	.proc_release = single_release,
};

static int __init stage_init(void)
{
	return proc_create("stage", 0600, NULL, &stage_ops) ? 0 : -ENOMEM;
}

static void __exit stage_exit(void)
{
	remove_proc_entry("stage", NULL);
}

module_init(stage_init);
module_exit(stage_exit);
MODULE_LICENSE("GPL");
