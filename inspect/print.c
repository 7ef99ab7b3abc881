// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints for people what view.c collected. */
#include <inttypes.h>
#include <stdio.h>

#include <json-c/json.h>

#include "inspect/inspect.h"
#include "inspect/view.h"

typedef void (*print_item)(struct json_object *item);

/* A headline and a line for each item; nothing when there are none. */
static void print_list(struct json_object *object, const char *key, const char *title,
		       print_item print)
{
	struct json_object *list;
	size_t i;

	if (!json_object_object_get_ex(object, key, &list) ||
	    json_object_array_length(list) == 0)
		return;
	printf("%s (%zu):\n", title, json_object_array_length(list));
	for (i = 0; i < json_object_array_length(list); i++)
		print(json_object_array_get_idx(list, i));
}

static void print_signed(struct json_object *object, const char *key)
{
	int64_t number = (int64_t)json_number(object, key);

	if (number != 0)
		printf("%s0x%" PRIx64, number < 0 ? "-" : "+",
		       number < 0 ? -(uint64_t)number : (uint64_t)number);
}

static void print_text(struct json_object *item)
{
	printf("  %s\n", json_string(item, "text"));
}

static void print_name(struct json_object *item)
{
	printf("  %s\n", json_string(item, "name"));
}

static void print_section(struct json_object *item)
{
	printf("  %-32s %8" PRIu64 " %s  %s", json_string(item, "name"),
	       json_number(item, "size"), json_string(item, "flags"), json_string(item, "class"));
	if (*json_string(item, "row"))
		printf(" (%s)", json_string(item, "row"));
	if (json_number(item, "entry_size"))
		printf(", %" PRIu64 " entries of %" PRIu64 " bytes", json_number(item, "entries"),
		       json_number(item, "entry_size"));
	if (*json_string(item, "problem"))
		printf(", %s", json_string(item, "problem"));
	putchar('\n');
}

static void print_symbol(struct json_object *item)
{
	printf("  %-6s %-8s %s  %s+0x%" PRIx64 ", %" PRIu64 " bytes\n", json_string(item, "binding"),
	       json_string(item, "type"), json_string(item, "name"), json_string(item, "section"),
	       json_number(item, "value"), json_number(item, "size"));
}

static void print_reloc(struct json_object *item)
{
	printf("  %s+0x%" PRIx64 " type %" PRIu64 " %s", json_string(item, "section"),
	       json_number(item, "offset"), json_number(item, "type"), json_string(item, "symbol"));
	print_signed(item, "addend");
	putchar('\n');
}

static void print_patch(struct json_object *item)
{
	printf("  %s: %s -> %s\n", json_string(item, "name"), json_string(item, "old"),
	       json_string(item, "new"));
}

static void print_range(struct json_object *item)
{
	printf("  %s: %s, %" PRIu64 " bytes\n", json_string(item, "name"),
	       json_string(item, "address"), json_number(item, "size"));
}

static void print_hook(struct json_object *item)
{
	printf("  %s: %s\n", json_string(item, "kind"), json_string(item, "name"));
}

static void print_old_reloc(struct json_object *item)
{
	const char *symbol = json_string(item, "symbol");

	printf("    +0x%" PRIx64 " %s ", json_number(item, "offset"), json_string(item, "kind"));
	if (*json_string(item, "elements"))
		printf("element of %s", json_string(item, "elements"));
	else
		printf("%s", *symbol ? symbol : json_string(item, "in"));
	print_signed(item, "addend");
	putchar('\n');
}

static void print_alternative(struct json_object *item)
{
	printf("      feature %" PRIu64 ": %" PRIu64 " bytes at 0x%" PRIx64 "\n",
	       json_number(item, "feature"), json_number(item, "length"),
	       json_number(item, "offset"));
}

static void print_site(struct json_object *item)
{
	struct json_object *member;
	const char *symbol = json_string(item, "symbol");

	printf("    +0x%" PRIx64 " %s, %" PRIu64 " bytes", json_number(item, "offset"),
	       json_string(item, "kind"), json_number(item, "length"));
	if (*symbol)
		printf(", %s", symbol);
	if (json_object_object_get_ex(item, "slot", &member))
		printf(", slot %" PRIu64, json_number(item, "slot"));
	if (json_object_object_get_ex(item, "target", &member))
		printf(", to %s+0x%" PRIx64, json_string(item, "section"),
		       json_number(item, "target"));
	putchar('\n');
	print_list(item, "alternatives", "      replacements", print_alternative);
}

static void print_old_section(struct json_object *item)
{
	printf("  %s: %s, %" PRIu64 " bytes", json_string(item, "name"), json_string(item, "kind"),
	       json_number(item, "size"));
	if (*json_string(item, "symbol"))
		printf(", symbol %s", json_string(item, "symbol"));
	putchar('\n');
	print_list(item, "relocs", "   relocs", print_old_reloc);
	print_list(item, "sites", "   sites", print_site);
}

static void print_old_symbol(struct json_object *item)
{
	const char *name = json_string(item, "name");

	printf("  %s", *name ? name : "(no name)");
	if (*json_string(item, "section"))
		printf("  %s+0x%" PRIx64, json_string(item, "section"), json_number(item, "offset"));
	if (json_number(item, "local"))
		fputs(", local", stdout);
	if (json_number(item, "data"))
		fputs(", data", stdout);
	if (json_number(item, "weak"))
		fputs(", weak", stdout);
	if (json_number(item, "any"))
		fputs(", not checked", stdout);
	if (*json_string(item, "label"))
		printf(", needed as %s", json_string(item, "label"));
	putchar('\n');
}

void print_object_view(struct json_object *view)
{
	struct json_object *old;

	printf("%s: %" PRIu64 "-bit\n", json_string(view, "file"), 8 * json_number(view, "word_size"));
	print_list(view, "modinfo", "module information", print_text);
	print_list(view, "sections", "sections", print_section);
	print_list(view, "patches", "functions to replace", print_patch);
	print_list(view, "ranges", "code that must not be in use meanwhile", print_range);
	print_list(view, "constants", "constants to replace", print_patch);
	print_list(view, "hooks", "hooks", print_hook);
	print_list(view, "imports", "imports", print_name);
	print_list(view, "symbols", "symbols", print_symbol);
	print_list(view, "relocs", "relocs", print_reloc);
	if (!json_object_object_get_ex(view, "old_code", &old))
		return;
	printf("old code, version %" PRIu64 ", %" PRIu64 " bytes\n", json_number(old, "version"),
	       json_number(old, "size"));
	print_list(old, "symbols", "symbols of the old code", print_old_symbol);
	print_list(old, "sections", "sections of the old code", print_old_section);
}

static void print_file(struct json_object *item)
{
	printf("  %s, %" PRIu64 " bytes\n", json_string(item, "name"), json_number(item, "size"));
}

static void print_module(struct json_object *item)
{
	putchar('\n');
	print_object_view(item);
}

void print_update_view(struct json_object *view)
{
	struct json_object *manifest;

	if (json_object_object_get_ex(view, "manifest", &manifest))
		printf("manifest:\n%s\n",
		       json_object_to_json_string_ext(manifest, JSON_C_TO_STRING_PRETTY |
								JSON_C_TO_STRING_NOSLASHESCAPE));
	print_list(view, "files", "files", print_file);
	print_list(view, "modules", "modules", print_module);
}
