// SPDX-License-Identifier: GPL-2.0-or-later
#include "inspect/view.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "inspect/inspect.h"
#include "inspect/old_block.h"
#include "lib/special.h"
#include "lib/update.h"

/* Words in an entry of the tables below (kmodsrc/ksplice.h). */
#define ENTRY_WORDS	3

static const char *class_name(const struct section *section)
{
	static const char *const names[] = {
		[CLASS_TEXT] = "text",
		[CLASS_FIXED_TEXT] = "fixed text",
		[CLASS_INIT_TEXT] = "init text",
		[CLASS_AUX_TEXT] = "auxiliary text",
		[CLASS_DATA] = "data",
		[CLASS_BSS] = "bss",
		[CLASS_PERCPU] = "percpu",
		[CLASS_RO_AFTER_INIT] = "read-only after init",
		[CLASS_PRIVATE_DATA] = "private data",
		[CLASS_UBSAN] = "ubsan",
		[CLASS_INIT_DATA] = "init data",
		[CLASS_RODATA] = "rodata",
		[CLASS_STRINGS] = "strings",
		[CLASS_CONSTANTS] = "constants",
		[CLASS_TABLE] = "table",
		[CLASS_OBJECTS] = "objects",
		[CLASS_EXPORT] = "exports",
		[CLASS_METADATA] = "metadata",
		[CLASS_NOT_LOADED] = "not loaded",
	};

	/* The sections that only updates have are not in the table of kinds. */
	if (strncmp(section->name, ".ksplice_", 9) == 0)
		return "ksplice";
	if (!section->kind || section->kind->class >= sizeof(names) / sizeof(*names))
		return is_alloc(section) ? "unknown" : names[CLASS_NOT_LOADED];
	return names[section->kind->class];
}

static void add_table_entries(const struct section *section, struct json_object *item)
{
	uint64_t entry_size;
	struct ks_error err;

	if (!section->data || section->size == 0)
		return;
	entry_size = table_entry_size(section, &err);
	if (entry_size == 0) {
		json_add_string(item, "problem", err.text);
		return;
	}
	json_add_number(item, "entry_size", entry_size);
	json_add_number(item, "entries", (section->size + entry_size - 1) / entry_size);
}

static struct json_object *section_json(const struct section *section)
{
	struct json_object *item = json_object_new_object();
	char flags[4];

	flags[0] = is_alloc(section) ? 'A' : '-';
	flags[1] = section->flags & SHF_WRITE ? 'W' : '-';
	flags[2] = section->flags & SHF_EXECINSTR ? 'X' : '-';
	flags[3] = '\0';
	json_add_string(item, "name", section->name);
	json_add_number(item, "size", section->size);
	json_add_string(item, "flags", flags);
	json_add_string(item, "class", class_name(section));
	if (section->kind)
		json_add_string(item, "row", section->kind->pattern);
	if (is_class(section, CLASS_TABLE))
		add_table_entries(section, item);
	json_add_number(item, "relocs", section->nr_relocs);
	return item;
}

static void add_sections(struct object *object, struct json_object *view)
{
	struct json_object *list = json_add_array(view, "sections");
	size_t i;

	for (i = 0; i < object->nr_sections; i++) {
		struct section *section = object->sections[i];

		if (!section)
			continue;
		section->kind = find_section_kind(section);
		json_object_array_add(list, section_json(section));
	}
}

static const char *symbol_type(const struct symbol *symbol)
{
	switch (symbol->type) {
	case STT_FUNC:
		return "function";
	case STT_OBJECT:
		return "object";
	case STT_TLS:
		return "tls";
	case STT_NOTYPE:
		return "notype";
	default:
		return "other";
	}
}

static const char *symbol_binding(const struct symbol *symbol)
{
	return symbol->binding == STB_LOCAL ? "local" :
	       symbol->binding == STB_WEAK  ? "weak" :
					      "global";
}

static void add_symbols(const struct object *object, struct json_object *view)
{
	struct json_object *symbols = json_add_array(view, "symbols");
	struct json_object *imports = json_add_array(view, "imports");
	size_t i;

	for (i = 1; i < object->nr_symbols; i++) {
		const struct symbol *symbol = object->symbols[i];
		struct json_object *item;

		if (!symbol || is_section_symbol(symbol) || symbol->type == STT_FILE ||
		    *symbol->name == '\0')
			continue;
		item = json_object_new_object();
		json_add_string(item, "name", symbol->name);
		if (symbol->place == SYMBOL_UNDEFINED) {
			json_object_array_add(imports, item);
			continue;
		}
		json_add_string(item, "section", symbol->section ? symbol->section->name : "*absolute*");
		json_add_number(item, "value", symbol->value);
		json_add_number(item, "size", symbol->size);
		json_add_string(item, "type", symbol_type(symbol));
		json_add_string(item, "binding", symbol_binding(symbol));
		json_object_array_add(symbols, item);
	}
}

static void add_relocs(const struct object *object, struct json_object *view)
{
	struct json_object *list = json_add_array(view, "relocs");
	size_t i, j;

	for (i = 0; i < object->nr_sections; i++) {
		const struct section *section = object->sections[i];

		for (j = 0; section && j < section->nr_relocs; j++) {
			const struct reloc *reloc = &section->relocs[j];
			struct json_object *item = json_object_new_object();

			json_add_string(item, "section", section->name);
			json_add_number(item, "offset", reloc->offset);
			json_add_number(item, "type", reloc->type);
			json_add_string(item, "symbol", reloc->symbol ? reloc->symbol->name : "");
			json_object_object_add(item, "addend", json_object_new_int64(reloc->addend));
			json_object_array_add(list, item);
		}
	}
}

/* What a pointer in a table of ours refers to, by name; "" when it does not say. */
static const char *pointer_name(const struct section *section, uint64_t offset)
{
	const struct reloc *reloc = find_reloc(section, offset);
	const struct section *target;
	size_t i;

	if (!reloc || !reloc->symbol)
		return "";
	if (!is_section_symbol(reloc->symbol))
		return reloc->symbol->name;
	target = reloc->symbol->section;
	for (i = 0; target && i < target->nr_symbols; i++)
		if (target->symbols[i]->value == (uint64_t)reloc->addend)
			return target->symbols[i]->name;
	return reloc->symbol->name;
}

/* The string that a pointer refers to; NULL when there is none. */
static const char *pointer_string(const struct section *section, uint64_t offset)
{
	const struct reloc *reloc = find_reloc(section, offset);
	const struct section *target;
	uint64_t start;

	if (!reloc || !reloc->symbol || !reloc->symbol->section)
		return NULL;
	target = reloc->symbol->section;
	start = reloc->symbol->value + (uint64_t)reloc->addend;
	if (!target->data || start >= target->size ||
	    !memchr(target->data + start, '\0', target->size - start))
		return NULL;
	return (const char *)target->data + start;
}

static uint64_t word_at(const struct section *section, uint64_t offset)
{
	uint64_t word = 0;

	memcpy(&word, section->data + offset, section->object->word_size);
	return word;
}

/* A table of the core: its section, and what its entries are: { first, second, name }. */
struct table {
	const char *section;
	const char *key;
	const char *first;	/* a pointer */
	const char *second;	/* a pointer or a number */
};

static const struct table tables[] = {
	{ ".ksplice_patches", "patches", "old", "new" },
	{ ".ksplice_ranges", "ranges", "address", "size" },
	{ ".ksplice_constant_table", "constants", "old", "new" },
	{ ".ksplice_hook_table", "hooks", "function", "kind" },
};

/* enum ksplice_hook_kind (kmodsrc/ksplice-patch.h) */
static const char *hook_kind(uint64_t kind)
{
	static const char *const names[] = {
		"pre_apply", "check_apply", "apply", "post_apply", "fail_apply",
		"pre_reverse", "check_reverse", "reverse", "post_reverse", "fail_reverse",
	};

	return kind < sizeof(names) / sizeof(*names) ? names[kind] : "unknown";
}

static void add_second(const struct section *section, uint64_t at, const struct table *table,
		       struct json_object *item)
{
	if (find_reloc(section, at))
		json_add_string(item, table->second, pointer_name(section, at));
	else if (strcmp(table->second, "kind") == 0)
		json_add_string(item, table->second, hook_kind(word_at(section, at)));
	else
		json_add_number(item, table->second, word_at(section, at));
}

static int add_table(const struct object *object, const struct table *table,
		     struct json_object *view, struct ks_error *err)
{
	const char *name = table->section;
	const struct section *section = find_section(object, name);
	uint64_t word = object->word_size, at;
	struct json_object *list;

	if (!section || !section->data)
		return 0;
	if (section->size % (ENTRY_WORDS * word) != 0)
		return ks_error_set(err, "%s: %s: the last entry is cut off; make the update again",
				    object->path, name);
	list = json_add_array(view, table->key);
	for (at = 0; at < section->size; at += ENTRY_WORDS * word) {
		const char *string = pointer_string(section, at + 2 * word);
		struct json_object *item = json_object_new_object();

		json_object_array_add(list, item);
		if (!string || !find_reloc(section, at))
			return ks_error_set(err,
					    "%s: %s+0x%llx: an entry without a name or an address; make the update again",
					    object->path, name, (unsigned long long)at);
		json_add_string(item, "name", string);
		json_add_string(item, table->first, pointer_name(section, at));
		add_second(section, at + word, table, item);
	}
	return 0;
}

static int add_tables(const struct object *object, struct json_object *view, struct ks_error *err)
{
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		if (add_table(object, &tables[i], view, err) != 0)
			return -1;
	return 0;
}

/* Adds strings like "vermagic=6.1.0-56-amd64 SMP …" that the loader looks at. */
static void add_modinfo(const struct object *object, struct json_object *view)
{
	const struct section *section = find_section(object, ".modinfo");
	struct json_object *list;
	const char *at, *end;

	if (!section || !section->data)
		return;
	list = json_add_array(view, "modinfo");
	end = (const char *)section->data + section->size;
	for (at = (const char *)section->data; at < end; at += strnlen(at, end - at) + 1) {
		struct json_object *item;

		if (*at == '\0' || !memchr(at, '\0', end - at))
			continue;
		item = json_object_new_object();
		json_add_string(item, "text", at);
		json_object_array_add(list, item);
	}
}

struct json_object *view_object(struct object *object, bool sections, struct ks_error *err)
{
	struct json_object *view = json_object_new_object();
	struct ksplice_old_header *old = old_block_read(object, err);

	json_add_string(view, "file", object->path);
	json_add_number(view, "word_size", object->word_size);
	add_modinfo(object, view);
	if (sections)
		add_sections(object, view);
	add_symbols(object, view);
	add_relocs(object, view);
	if ((!old && err->text[0]) || add_tables(object, view, err) != 0) {
		free(old);
		json_object_put(view);
		return NULL;
	}
	if (old)
		json_object_object_add(view, "old_code", old_block_json(old));
	free(old);
	return view;
}

static int add_module(const struct ks_update_file *file, bool sections, struct json_object *list,
		      struct ks_error *err)
{
	struct object *object = object_read_memory(file->name, file->data, file->size, err);
	struct json_object *view;

	if (!object)
		return -1;
	view = view_object(object, sections, err);
	object_free(object);
	if (!view)
		return -1;
	json_object_array_add(list, view);
	return 0;
}

struct json_object *view_update(const struct ks_update *update, bool sections,
				struct ks_error *err)
{
	struct json_object *view = json_object_new_object(), *list;
	size_t i;
	int ret;

	json_object_object_add(view, "manifest", json_object_get(update->manifest));
	list = json_add_array(view, "files");
	for (i = 0; i < update->nr_files; i++) {
		struct json_object *item = json_object_new_object();

		json_add_string(item, "name", update->files[i].name);
		json_add_number(item, "size", update->files[i].size);
		json_object_array_add(list, item);
	}
	list = json_add_array(view, "modules");
	ret = add_module(update->core, sections, list, err);
	for (i = 0; ret == 0 && i < update->nr_targets; i++) {
		ret = add_module(update->targets[i].old, sections, list, err);
		if (ret == 0)
			ret = add_module(update->targets[i].new, sections, list, err);
	}
	if (ret == 0)
		return view;
	json_object_put(view);
	return NULL;
}
