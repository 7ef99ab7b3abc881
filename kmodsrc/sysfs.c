// SPDX-License-Identifier: GPL-2.0-or-later
/* /sys/kernel/ksplice: what userspace sees of updates, and how it drives them. */
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "core.h"

static const char *const stage_names[] = {
	[KSPLICE_STAGE_REGISTERED] = "registered", [KSPLICE_STAGE_MATCHED] = "matched",
	[KSPLICE_STAGE_LINKED] = "linked",	   [KSPLICE_STAGE_APPLIED] = "applied",
	[KSPLICE_STAGE_REVERSED] = "reversed",
};

static struct kobject *ksplice_kobj;

struct update_attribute {
	struct attribute attr;
	ssize_t (*show)(struct ksplice_update *update, char *page);
	int (*store)(struct ksplice_update *update, const char *text);
};

static struct ksplice_update *to_update(struct kobject *kobj)
{
	return container_of(kobj, struct ksplice_update, kobj);
}

static ssize_t update_show(struct kobject *kobj, struct attribute *attr, char *page)
{
	const struct update_attribute *attribute =
		container_of(attr, struct update_attribute, attr);
	ssize_t ret;

	mutex_lock(&ksplice_mutex);
	ret = attribute->show(to_update(kobj), page);
	mutex_unlock(&ksplice_mutex);
	return ret;
}

static ssize_t update_store(struct kobject *kobj, struct attribute *attr, const char *text,
			    size_t size)
{
	const struct update_attribute *attribute =
		container_of(attr, struct update_attribute, attr);
	struct ksplice_update *update = to_update(kobj);
	int ret;

	if (!attribute->store)
		return -EACCES;
	mutex_lock(&ksplice_mutex);
	update->error = 0;
	ret = attribute->store(update, text);
	mutex_unlock(&ksplice_mutex);
	return ret != 0 ? ret : (ssize_t)size;
}

static void update_release(struct kobject *kobj)
{
	kfree(to_update(kobj));
}

static ssize_t stage_show(struct ksplice_update *update, char *page)
{
	return sysfs_emit(page, "%s\n", stage_names[update->stage]);
}

static int stage_store(struct ksplice_update *update, const char *text)
{
	if (sysfs_streq(text, stage_names[KSPLICE_STAGE_MATCHED]))
		return ksplice_update_match(update);
	if (sysfs_streq(text, stage_names[KSPLICE_STAGE_APPLIED]))
		return ksplice_update_apply(update);
	if (sysfs_streq(text, stage_names[KSPLICE_STAGE_REVERSED]))
		return ksplice_update_reverse(update);
	return ksplice_fail(update, -EINVAL, "no such stage");
}

static const char *error_name(int error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
		{ -ENOENT, "ENOENT" },	 { -EBUSY, "EBUSY" },	{ -ETXTBSY, "ETXTBSY" },
		{ -ENOMEM, "ENOMEM" },	 { -EEXIST, "EEXIST" }, { -ENOEXEC, "ENOEXEC" },
		{ -ENODEV, "ENODEV" },	 { -EINVAL, "EINVAL" }, { -ERANGE, "ERANGE" },
		{ -EFAULT, "EFAULT" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].error == error)
			return names[i].name;
	return "EIO";
}

static ssize_t error_show(struct ksplice_update *update, char *page)
{
	if (update->error == 0)
		return sysfs_emit(page, "ok\n");
	return sysfs_emit(page, "%s %s\n", error_name(update->error), update->cause);
}

static ssize_t conflicts_show(struct ksplice_update *update, char *page)
{
	unsigned int i;
	int length = 0;

	for (i = 0; i < update->nr_conflicts; i++)
		length += sysfs_emit_at(page, length, "%d %s %s\n", update->conflicts[i].pid,
					update->conflicts[i].comm, update->conflicts[i].function);
	return length;
}

static ssize_t targets_show(struct ksplice_update *update, char *page)
{
	struct ksplice_target *target;
	int length = 0;

	list_for_each_entry(target, &update->targets, list)
		length += sysfs_emit_at(page, length, "%s%s%s\n", target->name,
					target->old ? " old" : "", target->new ? " new" : "");
	return length;
}

static ssize_t patches_show(struct ksplice_update *update, char *page)
{
	struct ksplice_target *target;
	unsigned long i;
	int length = 0;

	list_for_each_entry(target, &update->targets, list)
		for (i = 0; i < target->nr_jumps; i++)
			length += sysfs_emit_at(page, length, "%s %px %px\n",
						target->jumps[i].patch->name,
						(void *)target->jumps[i].patch->old_address,
						(void *)target->jumps[i].patch->new_address);
	return length;
}

static ssize_t match_show(struct ksplice_update *update, char *page)
{
	return sysfs_emit(page, "%lu %lu\n", update->matched_functions, update->matched_bytes);
}

static ssize_t pause_ns_show(struct ksplice_update *update, char *page)
{
	return sysfs_emit(page, "%llu\n", update->pause_ns);
}

static ssize_t description_show(struct ksplice_update *update, char *page)
{
	return sysfs_emit(page, "%s\n", update->description);
}

#define UPDATE_READ(name_)                                                       \
	static struct update_attribute name_##_attribute = {                    \
		.attr = { .name = #name_, .mode = 0400 },                       \
		.show = name_##_show,                                           \
	}

static struct update_attribute stage_attribute = {
	.attr = { .name = "stage", .mode = 0600 },
	.show = stage_show,
	.store = stage_store,
};
UPDATE_READ(error);
UPDATE_READ(conflicts);
UPDATE_READ(targets);
UPDATE_READ(patches);
UPDATE_READ(match);
UPDATE_READ(pause_ns);
UPDATE_READ(description);

static struct attribute *update_attrs[] = {
	&stage_attribute.attr,	   &error_attribute.attr,   &conflicts_attribute.attr,
	&targets_attribute.attr,   &patches_attribute.attr, &match_attribute.attr,
	&pause_ns_attribute.attr, &description_attribute.attr, NULL,
};
ATTRIBUTE_GROUPS(update);

static const struct sysfs_ops update_sysfs_ops = {
	.show = update_show,
	.store = update_store,
};

static struct kobj_type update_type = {
	.release = update_release,
	.sysfs_ops = &update_sysfs_ops,
	.default_groups = update_groups,
};

int ksplice_sysfs_add(struct ksplice_update *update)
{
	int ret = kobject_init_and_add(&update->kobj, &update_type, ksplice_kobj, "%s", update->id);

	if (ret != 0)
		kobject_put(&update->kobj);
	return ret;
}

static ssize_t abi_show(struct kobject *kobj, struct kobj_attribute *attribute, char *page)
{
	return sysfs_emit(page, "%d\n", KSPLICE_ABI);
}

static struct kobj_attribute abi_attribute = __ATTR(abi, 0400, abi_show, NULL);

int ksplice_sysfs_init(void)
{
	int ret;

	ksplice_kobj = kobject_create_and_add("ksplice", kernel_kobj);
	if (!ksplice_kobj)
		return -ENOMEM;
	ret = sysfs_create_file(ksplice_kobj, &abi_attribute.attr);
	if (ret != 0)
		kobject_put(ksplice_kobj);
	return ret;
}

void ksplice_sysfs_exit(void)
{
	kobject_put(ksplice_kobj);
}
