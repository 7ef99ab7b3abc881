// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "apply/show.h"

/* A line of patches, or a first one of conflicts, its three fields as strings. */
struct fields {
	char *first;
	char *middle;
	char *last;
};

/*
 * Length in bytes of the UTF-8 sequence at @s, which ends with a NUL; 0 if it is
 * not one, or a control character (U+0080 to U+009F are controls as well).
 */
static size_t utf8_length(const unsigned char *s)
{
	size_t len, i;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	for (i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, beyond U+10FFFF, controls. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f) ||
	    (s[0] == 0xc2 && s[1] < 0xa0))
		return 0;
	return len;
}

char *show_printable(char *text)
{
	unsigned char *s = (unsigned char *)text;
	size_t len;

	while (*s) {
		len = utf8_length(s);
		if (!len) {
			*s = '?';
			len = 1;
		}
		s += len;
	}
	return text;
}

unsigned int show_count(const char *lines)
{
	unsigned int nr = 0;

	while (lines && *lines) {
		nr += *lines != ' ';
		lines = strchr(lines, '\n');
		if (lines)
			lines++;
	}
	return nr;
}

/*
 * Cut the next line out of *@text, NULL at the end.  The first and the last
 * blank divide it, as the name of a task may hold blanks: "7 my task do_wait".
 */
static int next_fields(char **text, struct fields *fields)
{
	char *line = strsep(text, "\n");
	char *last;

	if (!line)
		return 0;
	show_printable(line);
	fields->first = line;
	fields->middle = "";
	fields->last = "";
	last = strrchr(line, ' ');
	if (!last)
		return 1;
	*last = '\0';
	fields->last = last + 1;
	fields->middle = strchr(line, ' ') ?: "";
	if (*fields->middle)
		*fields->middle++ = '\0';
	return 1;
}

static void add_string(json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

json_object *show_json_patches(const char *patches)
{
	json_object *list = json_object_new_array(), *item;
	char *copy = strdup(patches ? patches : "");
	struct fields fields;
	char *text = copy;

	while (next_fields(&text, &fields)) {
		if (!*fields.first)
			continue;
		item = json_object_new_object();
		add_string(item, "name", fields.first);
		add_string(item, "old", fields.middle);
		add_string(item, "new", fields.last);
		json_object_array_add(list, item);
	}
	free(copy);
	return list;
}

/* "S my task": the state, and *@comm set to what follows. */
static char split_state(char *text, const char **comm)
{
	*comm = *text && text[1] == ' ' ? text + 2 : text;
	return *comm == text ? '?' : *text;
}

json_object *show_json_conflicts(const char *conflicts)
{
	json_object *list = json_object_new_array(), *item, *stack = NULL;
	char *copy = strdup(conflicts ? conflicts : "");
	char *text = copy, state[2] = "";
	struct fields fields;
	const char *comm;

	while (text && *text) {
		if (*text == ' ') {
			char *line = show_printable(strsep(&text, "\n"));

			if (stack)
				json_object_array_add(stack, json_object_new_string(line + 1));
			continue;
		}
		if (!next_fields(&text, &fields) || !*fields.first)
			continue;
		item = json_object_new_object();
		stack = json_object_new_array();
		state[0] = split_state(fields.middle, &comm);
		json_object_object_add(item, "pid",
				       json_object_new_int(atoi(fields.first)));
		add_string(item, "state", state);
		add_string(item, "comm", comm);
		add_string(item, "function", fields.last);
		json_object_object_add(item, "stack", stack);
		json_object_array_add(list, item);
	}
	free(copy);
	return list;
}

json_object *show_json_targets(const char *targets)
{
	json_object *list = json_object_new_array(), *item;
	char *copy = strdup(targets ? targets : "");
	struct sysfs_target *parsed;
	int i, nr;

	nr = sysfs_parse_targets(copy, &parsed);
	for (i = 0; i < nr; i++) {
		item = json_object_new_object();
		add_string(item, "name", show_printable(parsed[i].name));
		json_object_object_add(item, "old", json_object_new_boolean(
				       parsed[i].has_old));
		json_object_object_add(item, "new", json_object_new_boolean(
				       parsed[i].has_new));
		add_string(item, "state", target_states[parsed[i].state]);
		json_object_array_add(list, item);
	}
	if (nr >= 0)
		sysfs_free_targets(parsed, nr);
	free(copy);
	return list;
}

json_object *show_json_match(const char *match)
{
	json_object *object = json_object_new_object();
	unsigned long long functions = 0, bytes = 0;

	if (match)
		sscanf(match, "%llu %llu", &functions, &bytes);
	json_object_object_add(object, "functions",
			       json_object_new_int64(functions));
	json_object_object_add(object, "bytes", json_object_new_int64(bytes));
	return object;
}

json_object *show_json_us(unsigned long long ns)
{
	char text[32];

	/* A double alone is printed with 17 digits: 512.34500000000003. */
	snprintf(text, sizeof(text), "%llu.%03llu", ns / 1000, ns % 1000);
	return json_object_new_double_s(ns / 1e3, text);
}

void show_conflicts(FILE *out, const char *prefix, const char *conflicts)
{
	char *copy = strdup(conflicts ? conflicts : "");
	struct fields fields;
	const char *comm;
	char *text = copy;
	char state;

	while (text && *text) {
		if (*text == ' ') {
			fprintf(out, "%s   %s\n", prefix,
				show_printable(strsep(&text, "\n")));
			continue;
		}
		if (!next_fields(&text, &fields) || !*fields.first)
			continue;
		state = split_state(fields.middle, &comm);
		fprintf(out, "%stask %s (%s, state %c) is in %s\n", prefix,
			fields.first, comm, state, fields.last);
	}
	free(copy);
}

void show_patches(FILE *out, const char *prefix, const char *patches)
{
	char *copy = strdup(patches ? patches : "");
	struct fields fields;
	char *text = copy;

	while (next_fields(&text, &fields))
		if (*fields.first)
			fprintf(out, "%s%s %s -> %s\n", prefix, fields.first,
				fields.middle, fields.last);
	free(copy);
}

void show_missing(FILE *out, const char *prefix, const char *targets)
{
	char *copy = strdup(targets ? targets : "");
	struct sysfs_target *parsed;
	int i, nr;

	nr = sysfs_parse_targets(copy, &parsed);
	for (i = 0; i < nr; i++)
		if (parsed[i].state == TARGET_MISSING)
			fprintf(out, "%s%s\n", prefix, show_printable(parsed[i].name));
	if (nr >= 0)
		sysfs_free_targets(parsed, nr);
	free(copy);
}

void show_json(json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}
