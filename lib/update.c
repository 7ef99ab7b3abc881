// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The manifest of an update, and what makes an update complete.  How its files
 * come into memory is in update_files.c.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "kmodsrc/update_id.h"
#include "lib/update.h"
#include "lib/update_files.h"

/* Deepest nesting of the manifest; today's has four levels. */
#define JSON_DEPTH_MAX	16

/* Longest name of a function: KSYM_NAME_LEN of Linux 6.1. */
#define FUNCTION_NAME_MAX 511

/* Refuse the update. */
#define bad(err, ...) (ks_error_set(err, __VA_ARGS__), -EINVAL)

int ks_update_module_name(char name[KS_MODULE_NAME_MAX + 1], const char *id,
			  const char *target, const char *half)
{
	int len;

	len = snprintf(name, KS_MODULE_NAME_MAX + 1, "ksplice_%s_%s_%s", id,
		       target, half);
	if (len < 0 || len > KS_MODULE_NAME_MAX)
		return -1;
	for (; *name; name++)
		if (*name == '-')
			*name = '_';
	return 0;
}

const struct ks_update_file *ks_update_find(const struct ks_update *update,
					    const char *name)
{
	size_t i;

	for (i = 0; i < update->nr_files; i++)
		if (!strcmp(update->files[i].name, name))
			return &update->files[i];
	return NULL;
}

int ks_update_file_signed(const struct ks_update_file *file)
{
	/* MODULE_SIG_STRING of Linux 6.1, include/linux/module_signature.h */
	static const char mark[] = "~Module signature appended~\n";
	size_t size = sizeof(mark) - 1;

	return file->size >= size &&
	       !memcmp(file->data + file->size - size, mark, size);
}

/* A name from the manifest that is safe to print: no blanks, no controls. */
static int is_name(const char *name, size_t max)
{
	size_t len;

	for (len = 0; name[len]; len++)
		if (!isgraph((unsigned char)name[len]))
			return 0;
	return len >= 1 && len <= max;
}

static int is_target_name(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_' &&
		    name[i] != '-')
			return 0;
	return i > 0;
}

/* The string @key of @object; NULL when missing, not a string, or with a NUL. */
static const char *get_string(json_object *object, const char *key)
{
	json_object *value;
	const char *string;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	string = json_object_get_string(value);
	if (strlen(string) != (size_t)json_object_get_string_len(value))
		return NULL;
	return string;
}

/* Read a list of function names; a missing list is empty. */
static int read_names(struct ks_update_names *names, json_object *object,
		      const char *key, struct ks_error *err)
{
	json_object *list, *item;
	size_t i, nr;

	if (!json_object_object_get_ex(object, key, &list))
		return 0;
	if (!json_object_is_type(list, json_type_array))
		return bad(err, "manifest.json: \"%s\" is not a list", key);
	nr = json_object_array_length(list);
	names->names = calloc(nr + 1, sizeof(*names->names));
	if (!names->names) {
		ks_error_set(err, "no memory for the manifest");
		return -ENOMEM;
	}
	for (i = 0; i < nr; i++) {
		item = json_object_array_get_idx(list, i);
		if (!json_object_is_type(item, json_type_string) ||
		    !is_name(json_object_get_string(item), FUNCTION_NAME_MAX))
			return bad(err, "manifest.json: \"%s\" holds something "
				   "other than names of functions", key);
		names->names[i] = json_object_get_string(item);
	}
	names->nr = nr;
	return 0;
}

/*
 * Find the file of one half of a target.  Its name is fixed, because the module
 * is unloaded under that name later.
 */
static int read_half(const struct ks_update *update, json_object *object,
		     const char *half, const char *target, char *module,
		     const struct ks_update_file **file, struct ks_error *err)
{
	const char *name = get_string(object, half);
	char expected[KS_MODULE_NAME_MAX + 4];

	if (!name)
		return bad(err, "manifest.json: target %s has no file \"%s\"",
			   target, half);
	if (ks_update_module_name(module, update->id, target, half))
		return bad(err, "manifest.json: the target name %.99s is too "
			   "long for a module name", target);
	snprintf(expected, sizeof(expected), "%s.ko", module);
	if (strcmp(name, expected))
		return bad(err, "manifest.json: \"%s\" of target %s is not %s",
			   half, target, expected);
	*file = ks_update_find(update, expected);
	if (!*file)
		return bad(err, "%s is missing", expected);
	return 0;
}

static int read_target(struct ks_update *update, json_object *object,
		       struct ks_error *err)
{
	struct ks_update_target *target = &update->targets[update->nr_targets];
	size_t i;
	int ret;

	target->name = get_string(object, "name");
	if (!target->name || !is_target_name(target->name))
		return bad(err, "manifest.json: a target has no good \"name\"");
	update->nr_targets++;
	ret = read_half(update, object, "old", target->name, target->old_module,
			&target->old, err);
	if (ret)
		return ret;
	ret = read_half(update, object, "new", target->name, target->new_module,
			&target->new, err);
	if (ret)
		return ret;
	/* "a-b" and "a_b" would be the same module. */
	for (i = 0; i + 1 < update->nr_targets; i++)
		if (update->targets[i].old == target->old)
			return bad(err, "manifest.json: target %s is there twice",
				   target->name);
	ret = read_names(&target->changed, object, "changed", err);
	if (ret)
		return ret;
	return read_names(&target->new_functions, object, "new_functions", err);
}

static int read_targets(struct ks_update *update, struct ks_error *err)
{
	json_object *list, *item;
	size_t i, nr;
	int ret;

	if (!json_object_object_get_ex(update->manifest, "targets", &list) ||
	    !json_object_is_type(list, json_type_array) ||
	    !json_object_array_length(list))
		return bad(err, "manifest.json has no \"%s\"", "targets");
	nr = json_object_array_length(list);
	update->targets = calloc(nr, sizeof(*update->targets));
	if (!update->targets) {
		ks_error_set(err, "no memory for %zu targets", nr);
		return -ENOMEM;
	}
	for (i = 0; i < nr; i++) {
		item = json_object_array_get_idx(list, i);
		if (!json_object_is_type(item, json_type_object))
			return bad(err, "manifest.json: \"%s\" holds something "
				   "other than objects", "targets");
		ret = read_target(update, item, err);
		if (ret)
			return ret;
	}
	return 0;
}

static int check_format(json_object *manifest, struct ks_error *err)
{
	json_object *format;

	if (!json_object_object_get_ex(manifest, "format", &format) ||
	    !json_object_is_type(format, json_type_int))
		return bad(err, "manifest.json has no \"%s\" number", "format");
	if (json_object_get_int64(format) == KS_UPDATE_FORMAT)
		return 0;
	return bad(err, "the update has format %lld and this program reads "
		   "format %d: use the programs of the version that made it",
		   (long long)json_object_get_int64(format), KS_UPDATE_FORMAT);
}

static int parse_json(struct ks_update *update, const struct ks_update_file *file,
		      struct ks_error *err)
{
	json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	enum json_tokener_error error;
	size_t end;

	if (!tokener) {
		ks_error_set(err, "no memory for the manifest");
		return -ENOMEM;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
			       JSON_TOKENER_ALLOW_TRAILING_CHARS |
			       JSON_TOKENER_VALIDATE_UTF8);
	/* The NUL after the data counts as the end of a cut text. */
	update->manifest = json_tokener_parse_ex(tokener, file->data,
						 (int)file->size + 1);
	error = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	if (error != json_tokener_success)
		return bad(err, "manifest.json is not JSON: %s",
			   json_tokener_error_desc(error));
	while (end < file->size && isspace((unsigned char)file->data[end]))
		end++;
	if (end < file->size)
		return bad(err, "manifest.json has more than one value");
	if (!json_object_is_type(update->manifest, json_type_object))
		return bad(err, "manifest.json is not an object");
	return 0;
}

static int read_manifest(struct ks_update *update, const char *folder,
			 struct ks_error *err)
{
	const struct ks_update_file *file = ks_update_find(update, "manifest.json");
	const char *reason;
	json_object *value;
	int ret;

	if (!file)
		return bad(err, "%s is missing: not an update", "manifest.json");
	if (file->size > KS_UPDATE_MANIFEST_MAX)
		return bad(err, "%s is too big", "manifest.json");
	ret = parse_json(update, file, err);
	if (ret)
		return ret;
	ret = check_format(update->manifest, err);
	if (ret)
		return ret;

	update->id = get_string(update->manifest, "id");
	reason = update->id ? ksplice_why_no_id(update->id) : "no text";
	if (reason)
		return bad(err, "manifest.json: \"%s\": %s", "id", reason);
	if (folder && (strncmp(folder, "ksplice-", 8) ||
		       strcmp(folder + 8, update->id)))
		return bad(err, "the folder in the archive is not ksplice-%s, as "
			   "its manifest says", update->id);
	update->kernel = get_string(update->manifest, "kernel");
	if (!update->kernel || !is_name(update->kernel, 64))
		return bad(err, "manifest.json: \"%s\" is not a kernel release",
			   "kernel");
	update->description = "";
	if (json_object_object_get_ex(update->manifest, "description", &value))
		update->description = get_string(update->manifest, "description");
	if (!update->description)
		return bad(err, "manifest.json: \"%s\" is not text", "description");

	update->core = ks_update_find(update, "ksplice.ko");
	if (!update->core)
		return bad(err, "%s is missing", "ksplice.ko");
	return read_targets(update, err);
}

int ks_update_open(struct ks_update **result, const char *path,
		   struct ks_error *err)
{
	struct ks_update *update;
	char *folder = NULL;
	int ret;

	*result = NULL;
	update = calloc(1, sizeof(*update));
	if (!update) {
		ks_error_set(err, "no memory");
		return -ENOMEM;
	}
	ret = ks_update_read_files(update, path, &folder, err);
	if (!ret)
		ret = read_manifest(update, folder, err);
	free(folder);
	if (ret)
		ks_update_free(update);
	else
		*result = update;
	return ret;
}

void ks_update_free(struct ks_update *update)
{
	size_t i;

	if (!update)
		return;
	for (i = 0; i < update->nr_targets; i++) {
		free(update->targets[i].changed.names);
		free(update->targets[i].new_functions.names);
	}
	free(update->targets);
	for (i = 0; i < update->nr_files; i++) {
		free(update->files[i].name);
		free(update->files[i].data);
	}
	free(update->files);
	json_object_put(update->manifest);
	free(update);
}
