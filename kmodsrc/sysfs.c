// SPDX-License-Identifier: GPL-2.0-or-later
/* /sys/kernel/ksplice: what userspace sees of updates, and how it drives them. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "core.h"
#include "fault.h"
#include "kernel.h"
#include "late.h"

static const char *const stage_names[] = {
	[KSPLICE_STAGE_REGISTERED] = "registered", [KSPLICE_STAGE_MATCHED] = "matched",
	[KSPLICE_STAGE_LINKED] = "linked",	   [KSPLICE_STAGE_APPLIED] = "applied",
	[KSPLICE_STAGE_REVERSED] = "reversed",
};

static struct kobject *ksplice_kobj;

/* The functions of @file find the update and call these. */
struct update_attribute {
	struct kobj_attribute file;
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

/*
 * The update whose folder @kobj is: it is in the list as long as it has files.
 *
 * A folder is no part of its update.  Its last reference may be put when the core is
 * gone (CONFIG_DEBUG_KOBJECT_RELEASE makes sure of it), so what frees it must be a
 * function of the kernel: that of kobject_create_and_add().
 */
static struct ksplice_update *to_update(const struct kobject *kobj)
{
	struct ksplice_update *update;

	list_for_each_entry(update, &ksplice_updates, list)
		if (update->kobj == kobj)
			return update;
	return NULL;
}

static ssize_t update_show(struct kobject *kobj, struct kobj_attribute *file, char *page)
{
	const struct update_attribute *attribute =
		container_of(file, struct update_attribute, file);
	ssize_t ret;

	mutex_lock(&ksplice_mutex);
	ret = attribute->show(to_update(kobj), page);
	mutex_unlock(&ksplice_mutex);
	return ret;
}

static ssize_t update_store(struct kobject *kobj, struct kobj_attribute *file, const char *text,
			    size_t size)
{
	const struct update_attribute *attribute =
		container_of(file, struct update_attribute, file);
	struct ksplice_update *update;
	int ret;

	if (!attribute->store)
		return -EACCES;
	mutex_lock(&ksplice_mutex);
	update = to_update(kobj);
	update->error = 0;
	ret = attribute->store(update, text);
	mutex_unlock(&ksplice_mutex);
	return ret != 0 ? ret : (ssize_t)size;
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

/* Any errno, as hooks return what they like; a number if this kernel has no name for it. */
static ssize_t error_show(struct ksplice_update *update, char *page)
{
	char name[24];

	if (update->error == 0)
		return sysfs_emit(page, "ok\n");
	snprintf(name, sizeof(name), "%pe", ERR_PTR(update->error));
	return sysfs_emit(page, "%s %s\n", name + 1, update->cause); /* without the minus */
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

#define UPDATE_FILE(name_, mode_, store_)                                        \
	static struct update_attribute name_##_attribute = {                    \
		.file = __ATTR(name_, mode_, update_show, update_store),        \
		.show = name_##_show,                                           \
		.store = store_,                                                \
	}

UPDATE_FILE(stage, 0600, stage_store);
UPDATE_FILE(partial, 0600, ksplice_late_allow);
UPDATE_FILE(nudge, 0600, nudge_store);
UPDATE_FILE(error, 0400, NULL);
UPDATE_FILE(match, 0400, NULL);
UPDATE_FILE(pause_ns, 0400, NULL);
UPDATE_FILE(description, 0400, NULL);

static struct attribute *update_attrs[] = {
	&stage_attribute.file.attr,	  &error_attribute.file.attr,
	&match_attribute.file.attr,	  &pause_ns_attribute.file.attr,
	&description_attribute.file.attr, &partial_attribute.file.attr,
	&nudge_attribute.file.attr,	  NULL,
};
static const struct attribute_group update_group = { .attrs = update_attrs };

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
	struct list_text text = {
		.addresses = file_ns_capable(file, &init_user_ns, CAP_SYSLOG) &&
			     ksplice_may_show_addresses(file->f_cred),
	};
	struct ksplice_update *update;
	ssize_t ret = -ENOMEM;

	mutex_lock(&ksplice_mutex);
	update = to_update(kobj);
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

/* No reader or writer of its files is left afterwards. */
static void remove_folder(struct kobject *folder)
{
	kobject_del(folder);
	kobject_put(folder);
}

int ksplice_sysfs_add_folder(struct ksplice_update *update)
{
	update->kobj = kobject_create_and_add(update->id, ksplice_kobj);
	return update->kobj ? 0 : -ENOMEM;
}

int ksplice_sysfs_add_files(struct ksplice_update *update)
{
	int ret = sysfs_create_group(update->kobj, &update_group);
	size_t i;

	for (i = 0; ret == 0 && i < ARRAY_SIZE(lists); i++)
		ret = i == 1 && ksplice_fault("files") ? -ENOMEM :
			 sysfs_create_bin_file(update->kobj, &lists[i].bin);
	return ret;
}

void ksplice_sysfs_remove(struct ksplice_update *update)
{
	remove_folder(update->kobj);
}

static ssize_t abi_show(struct kobject *kobj, struct kobj_attribute *attribute, char *page)
{
	return sysfs_emit(page, "%d\n", KSPLICE_ABI);
}

static struct kobj_attribute abi_attribute = {
	.attr = { .name = KSPLICE_ABI_FILE, .mode = 0400 },
	.show = abi_show,
};

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
		remove_folder(ksplice_kobj);
	return ret;
}

void ksplice_sysfs_exit(void)
{
	remove_folder(ksplice_kobj);
}
