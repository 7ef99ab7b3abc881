// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/names.h"

#include <ctype.h>
#include <string.h>

#include "lib/util.h"

/* Macros that paste __COUNTER__ or __LINE__ into names. */
static bool has_counter(const char *name)
{
	static const char *const prefixes[] = {
		"__UNIQUE_ID_", "__addressable_", "__initcall_", "__exitcall_", "___addressable_",
	};
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strstarts(name, prefixes[i]))
			return true;
	return false;
}

/* Length of ".123" at @name if that ends the name or a part of it; else 0. */
static size_t number_part(const char *name)
{
	size_t length = 1;

	if (*name != '.' || !isdigit((unsigned char)name[1]))
		return 0;
	while (isdigit((unsigned char)name[length]))
		length++;
	return name[length] == '\0' || name[length] == '.' ? length : 0;
}

bool is_numbered(const char *name)
{
	const char *dot;

	if (has_counter(name))
		return true;
	for (dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
		if (number_part(dot))
			return true;
	return false;
}

const char *stem_of(const char *name, struct arena *arena)
{
	bool counter = has_counter(name);
	char *stem, *to;
	size_t skip;

	if (!is_numbered(name))
		return name;
	stem = to = arena_alloc(arena, strlen(name) + 1);
	while (*name) {
		skip = number_part(name);
		if (!skip && counter && isdigit((unsigned char)*name))
			skip = 1;
		if (skip)
			name += skip;
		else
			*to++ = *name++;
	}
	return stem;
}

bool is_private_static(const char *name)
{
	static const char *const names[] = {
		/* include/linux/lockdep.h, once.h, once_lite.h, ratelimit.h, printk.h */
		"__key", "__warned", "__already_done", "__print_once", "_rs",
		"__func__", "__FUNCTION__", "__PRETTY_FUNCTION__",
		"_entry", "_entry_ptr", "descriptor", "__UNIQUE_ID_ddebug", "_alloc_tag",
		"___done", "__once_key", "___once_key",
		/* include/linux/compiler.h, CONFIG_PROFILE_ANNOTATED_BRANCHES */
		"______f", "______r",
		/* of gcc: values of a switch statement */
		"CSWTCH",
	};
	const char *part, *end;
	size_t i, length;

	/* gcc: __key.3; clang: the_function.__key.3 */
	for (part = name; part; part = *end ? end + 1 : NULL) {
		end = part + strcspn(part, ".");
		for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
			length = strlen(names[i]);
			if ((size_t)(end - part) == length && !strncmp(part, names[i], length))
				return true;
		}
		if (!*end)
			break;
	}
	return strstarts(name, "__UNIQUE_ID_ddebug");
}

bool is_prefix_symbol(const char *name)
{
	return strstarts(name, "__pfx_") || strstarts(name, "__cfi_");
}

size_t parent_length(const char *name)
{
	static const char *const marks[] = { ".cold", ".part." };
	const char *mark, *best = NULL;
	size_t i, length;

	for (i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		length = strlen(marks[i]);
		for (mark = strstr(name, marks[i]); mark; mark = strstr(mark + 1, marks[i]))
			if ((!mark[length] || mark[length] == '.' || mark[length - 1] == '.') &&
			    mark > best)
				best = mark;
	}
	return best && best > name ? (size_t)(best - name) : 0;
}
