// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keeps a folder of sysfs, and the one above it, until it is unloaded, as the kernel
 * does for a moment where CONFIG_DEBUG_KOBJECT_RELEASE is set.
 */
#include <linux/fs.h>
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/namei.h>

static char *folder = "";
module_param(folder, charp, 0);
MODULE_PARM_DESC(folder, "its path");

static struct kobject *held, *above;

static int __init holder_init(void)
{
	const struct kernfs_node *node;
	struct path path;
	int ret = kern_path(folder, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

	if (ret != 0)
		return ret;
	node = d_inode(path.dentry)->i_private;
	held = kobject_get(node->priv);
	above = kobject_get(held->parent);
	path_put(&path);
	return 0;
}

static void __exit holder_exit(void)
{
	kobject_put(held);
	kobject_put(above);
}

module_init(holder_init);
module_exit(holder_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Holds a folder of sysfs");
