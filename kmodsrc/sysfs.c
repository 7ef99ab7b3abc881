// SPDX-License-Identifier: GPL-2.0-or-later
/* /sys/kernel/ksplice: what userspace sees of updates, and how it drives them. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "core.h"
#include "fault.h"
#include "late.h"

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

int ksplice_fail(struct ksplice_update *update, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(update->cause, sizeof(update->cause), format, arguments);
	va_end(arguments);
	update->error = error;
	return error;
}

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
	kfree(to_update(kobj)->below);
	kvfree(to_update(kobj));
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
		{ -EFAULT, "EFAULT" },	 { -EAGAIN, "EAGAIN" }, { -ENOSYS, "ENOSYS" },
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

static ssize_t nudge_show(struct ksplice_update *update, char *page)
{
	return sysfs_emit(page, "%d\n", update->nudge);
}

static int nudge_store(struct ksplice_update *update, const char *text)
{
	if (kstrtobool(text, &update->nudge) != 0)
		return ksplice_fail(update, -EINVAL, "neither 0 nor 1");
	return 0;
}

static ssize_t match_show(struct ksplice_update *update, char *page)
{
	return sysfs_emit(page, "%lu %lu\n", update->matched_functions, update->matched_bytes);
}

static ssize_t pause_ns_show(struct ksplice_update *update, char *page)
{
	return sysfs_emit(page, "%llu\n", update->pause_ns);
}

static ssize_t partial_show(struct ksplice_update *update, char *page)
{
	if (!*update->helper)
		return sysfs_emit(page, "no\n");
	return sysfs_emit(page, "%s %s\n", update->refuse ? "refuse" : "load", update->helper);
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
static struct update_attribute partial_attribute = {
	.attr = { .name = "partial", .mode = 0600 },
	.show = partial_show,
	.store = ksplice_late_allow,
};
static struct update_attribute nudge_attribute = {
	.attr = { .name = "nudge", .mode = 0600 },
	.show = nudge_show,
	.store = nudge_store,
};
UPDATE_READ(error);
UPDATE_READ(match);
UPDATE_READ(pause_ns);
UPDATE_READ(description);

static struct attribute *update_attrs[] = {
	&stage_attribute.attr,	  &error_attribute.attr,       &match_attribute.attr,
	&pause_ns_attribute.attr, &description_attribute.attr, &partial_attribute.attr,
	&nudge_attribute.attr,	  NULL,
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

/*
 * Lists can be longer than the page that an ordinary file of sysfs is limited to,
 * e.g. the patches of an update that changes 100 functions.
 */
struct list_text {
	char *bytes;		/* NULL: only find the length */
	size_t size;
	size_t length;
	bool addresses;		/* who opened the file may see them */
};

struct list_attribute {
	struct bin_attribute bin;
	void (*fill)(struct ksplice_update *update, struct list_text *text);
};

static __printf(2, 3) void add_text(struct list_text *text, const char *format, ...)
{
	char *end = text->bytes ? text->bytes + text->length : NULL;
	va_list arguments;

	va_start(arguments, format);
	text->length += vsnprintf(end, end ? text->size - text->length : 0, format, arguments);
	va_end(arguments);
}

/* Names of functions; an address that has none is nobody's business. */
static void add_conflict(struct list_text *text, const struct ksplice_conflict *conflict)
{
	char name[KSYM_SYMBOL_LEN];
	unsigned int i;

	add_text(text, "%d %c %s %s\n", conflict->pid, conflict->state, conflict->comm,
		 conflict->function);
	for (i = 0; i < conflict->nr_stack; i++) {
		snprintf(name, sizeof(name), "%pB", (void *)conflict->stack[i]);
		add_text(text, " %s\n", strchr(name, '+') ? name : "?");
	}
}

static void conflicts_fill(struct ksplice_update *update, struct list_text *text)
{
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, update->nr_conflicts, KSPLICE_MAX_CONFLICTS); i++)
		add_conflict(text, &update->conflicts[i]);
}

/* What became of a target, as far as that is decided. */
static const char *target_state(const struct ksplice_update *update,
				const struct ksplice_target *target)
{
	if (update->stage == KSPLICE_STAGE_REVERSED)
		return NULL;
	if (target->late != KSPLICE_LATE_NOT)
		return ksplice_late_name(target);
	return update->stage == KSPLICE_STAGE_APPLIED ? "patched" : NULL;
}

static void targets_add(struct ksplice_update *update, const struct list_head *targets,
			struct list_text *text)
{
	struct ksplice_target *target;

	list_for_each_entry(target, targets, list) {
		const char *state = target_state(update, target);

		add_text(text, "%s%s%s%s%s\n", target->name, target->old ? " old" : "",
			 target->new ? " new" : "", state ? " " : "", state ?: "");
	}
}

static void targets_fill(struct ksplice_update *update, struct list_text *text)
{
	targets_add(update, &update->targets, text);
	targets_add(update, &update->absent, text);
}

static void patches_fill(struct ksplice_update *update, struct list_text *text)
{
	struct ksplice_target *target;
	unsigned long i;

	list_for_each_entry(target, &update->targets, list) {
		for (i = 0; i < target->nr_jumps; i++) {
			const struct ksplice_patch *patch = target->jumps[i].patch;

			add_text(text, "%s %0*lx %0*lx\n", patch->name, (int)(2 * sizeof(long)),
				 text->addresses ? patch->old_address : 0,
				 (int)(2 * sizeof(long)),
				 text->addresses ? patch->new_address : 0);
		}
	}
}

static ssize_t list_read(struct file *file, struct kobject *kobj,
			 KSPLICE_BIN_ATTRIBUTE *attr, char *buffer, loff_t offset, size_t size)
{
	const struct list_attribute *list = container_of(attr, struct list_attribute, bin);
	struct ksplice_update *update = to_update(kobj);
	struct list_text text = {
		.addresses = file_ns_capable(file, &init_user_ns, CAP_SYSLOG),
	};
	ssize_t ret = -ENOMEM;

	mutex_lock(&ksplice_mutex);
	list->fill(update, &text);
	text.size = text.length + 1;
	text.length = 0;
	text.bytes = kvmalloc(text.size, GFP_KERNEL);
	if (text.bytes)
		list->fill(update, &text);
	mutex_unlock(&ksplice_mutex);
	if (text.bytes)
		ret = memory_read_from_buffer(buffer, size, &offset, text.bytes, text.length);
	kvfree(text.bytes);
	return ret;
}

#define UPDATE_LIST(name_)                                                      \
	{                                                                       \
		.bin = {                                                        \
			.attr = { .name = #name_, .mode = 0400 },               \
			.read = list_read,                                      \
		},                                                              \
		.fill = name_##_fill,                                           \
	}

static const struct list_attribute lists[] = {
	UPDATE_LIST(conflicts),
	UPDATE_LIST(targets),
	UPDATE_LIST(patches),
};

int ksplice_sysfs_add(struct ksplice_update *update)
{
	int ret = kobject_init_and_add(&update->kobj, &update_type, ksplice_kobj, "%s", update->id);
	size_t i;

	for (i = 0; ret == 0 && i < ARRAY_SIZE(lists); i++)
		ret = i == 1 && ksplice_fault("files") ? -ENOMEM :
			 sysfs_create_bin_file(&update->kobj, &lists[i].bin);
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

	if (ksplice_fault("folder"))
		return -ENOMEM;
	ksplice_kobj = kobject_create_and_add("ksplice", kernel_kobj);
	if (!ksplice_kobj)
		return -ENOMEM;
	ret = ksplice_fault("abi") ? -ENOMEM :
				     sysfs_create_file(ksplice_kobj, &abi_attribute.attr);
	if (ret != 0)
		kobject_put(ksplice_kobj);
	return ret;
}

void ksplice_sysfs_exit(void)
{
	kobject_put(ksplice_kobj);
}
