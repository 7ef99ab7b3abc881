// SPDX-License-Identifier: GPL-2.0-or-later
/* The files beside the objects: versions of labels, and a report. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "objmanip/report.h"

/* Write a file by another name, then rename it. */
static int write_file(struct manip *manip, const char *path, const char *text,
		      struct ks_error *err)
{
	const char *temporary = arena_printf(&manip->arena, "%s.%d", path, (int)getpid());
	FILE *file;
	int failed;

	if (check_output(path, err) != 0)
		return -1;
	file = fopen(temporary, "w");
	if (!file)
		return ks_error_set(err, "%s: cannot be written: %s", temporary, strerror(errno));
	failed = fputs(text, file) < 0;
	failed |= fclose(file) != 0;
	if (failed || rename(temporary, path) != 0) {
		ks_error_set(err, "%s: cannot be written: %s", path, strerror(errno));
		unlink(temporary);
		return -1;
	}
	return 0;
}

int write_symvers(struct manip *manip, const char *path, struct ks_error *err)
{
	const struct old_symbol *symbol;
	const char *text = "";
	struct pointers lines = { .items = NULL };
	size_t length = 0, i;
	char *all, *end;

	for (i = 0; i < manip->labels.count; i++) {
		symbol = manip->labels.items[i];
		text = arena_printf(&manip->arena, "0x00000000\t%s\tksplice\tEXPORT_SYMBOL_GPL\t\n",
				    symbol->label);
		length += strlen(text);
		pointers_add(manip, &lines, (void *)text);
	}
	all = end = arena_alloc(&manip->arena, length + 1);
	for (i = 0; i < lines.count; i++)
		end = stpcpy(end, lines.items[i]);
	return write_file(manip, path, all, err);
}

static void add_names(struct json_object *array, const struct diff_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		json_object_array_add(array, json_object_new_string(list->items[i].name));
}

static struct json_object *make_notes(const struct pointers *list)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct note *note = list->items[i];
		struct json_object *object = json_object_new_object();

		json_object_object_add(object, "file", json_object_new_string(note->file));
		json_object_object_add(object, "symbol", json_object_new_string(note->symbol));
		json_object_object_add(object, "reason", json_object_new_string(note->reason));
		json_object_array_add(array, object);
	}
	return array;
}

/* Pointers to strings of its own do not outlive the new code. */
static struct json_object *count_strings(struct manip *manip)
{
	struct json_object *object = json_object_new_object();
	int64_t shared = 0, own = 0;
	struct section *section;
	struct span *span;
	size_t i, j;

	for (i = 0; i < manip->nr_pairs; i++) {
		for_each_span(manip->pairs[i].pre.object, section, span, j)
			if (is_class(section, CLASS_STRINGS))
				shared += pre_info(manip, span)->symbol != NULL;
		for_each_span(manip->pairs[i].post.object, section, span, j)
			if (is_class(section, CLASS_STRINGS))
				own += post_info(manip, span)->kept;
	}
	json_object_object_add(object, "shared", json_object_new_int64(shared));
	json_object_object_add(object, "own", json_object_new_int64(own));
	return object;
}

int write_report(struct manip *manip, const char *path, struct ks_error *err)
{
	struct json_object *report = json_object_new_object();
	struct json_object *changed = json_object_new_array();
	struct json_object *new = json_object_new_array();
	struct json_object *data = json_object_new_array();
	struct json_object *exports = json_object_new_array();
	const char *text;
	size_t i;
	int ret;

	for (i = 0; i < manip->nr_pairs; i++) {
		add_names(changed, &manip->pairs[i].diff.functions_changed);
		add_names(new, &manip->pairs[i].diff.functions_new);
		add_names(data, &manip->pairs[i].diff.data_new);
		add_names(data, &manip->pairs[i].diff.data_changed);
	}
	for (i = 0; i < manip->exports.count; i++)
		json_object_array_add(exports, json_object_new_string(manip->exports.items[i]));
	json_object_object_add(report, "changed", changed);
	json_object_object_add(report, "new", new);
	json_object_object_add(report, "data", data);
	json_object_object_add(report, "exports", exports);
	json_object_object_add(report, "imports", json_object_new_int64((int64_t)manip->labels.count));
	json_object_object_add(report, "strings", count_strings(manip));
	json_object_object_add(report, "skipped", make_notes(&manip->skipped));
	json_object_object_add(report, "refused", make_notes(&manip->refused));
	text = json_object_to_json_string_ext(report, JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	text = arena_printf(&manip->arena, "%s\n", text);
	ret = write_file(manip, path, text, err);
	json_object_put(report);
	return ret;
}
