// SPDX-License-Identifier: GPL-2.0-or-later
#include "inspect/old_block.h"

#include <stdlib.h>

#include <json-c/json.h>

#include "inspect/inspect.h"

struct ksplice_old_header *old_block_read(const struct object *object, struct ks_error *err)
{
	const struct section *section = find_section(object, KSPLICE_OLD_SECTION);
	struct ksplice_old_header *old;
	const char *reason = "";

	err->text[0] = '\0';
	if (!section || !section->data)
		return NULL;
	/* A copy, because a file need not hold it at an aligned place. */
	old = malloc(section->size + 1);
	if (!old) {
		ks_error_set(err, "%s: out of memory", object->path);
		return NULL;
	}
	memcpy(old, section->data, section->size);
	if (ksplice_old_code_check(old, section->size, &reason) != 0) {
		ks_error_set(err, "%s: %s: %s; make the update again", object->path,
			     KSPLICE_OLD_SECTION, reason);
		free(old);
		return NULL;
	}
	if (old->word_size != object->word_size) {
		ks_error_set(err, "%s: %s: for another word size than the file; make the update again",
			     object->path, KSPLICE_OLD_SECTION);
		free(old);
		return NULL;
	}
	return old;
}

const char *old_section_kind_name(uint32_t kind)
{
	static const char *const names[KSPLICE_SECTION_KINDS] = {
		[KSPLICE_SECTION_TEXT] = "text",
		[KSPLICE_SECTION_RODATA] = "rodata",
		[KSPLICE_SECTION_STRINGS] = "strings",
		[KSPLICE_SECTION_CONSTANTS] = "constants",
		[KSPLICE_SECTION_REPLACEMENT] = "replacement",
		[KSPLICE_SECTION_DATA] = "data",
	};

	return kind < KSPLICE_SECTION_KINDS ? names[kind] : "?";
}

const char *old_reloc_kind_name(uint32_t kind)
{
	static const char *const names[KSPLICE_RELOC_KINDS] = {
		[KSPLICE_RELOC_ABS64] = "abs64",
		[KSPLICE_RELOC_ABS32] = "abs32",
		[KSPLICE_RELOC_ABS32S] = "abs32s",
		[KSPLICE_RELOC_PC32] = "pc32",
		[KSPLICE_RELOC_PC64] = "pc64",
		[KSPLICE_RELOC_PC8] = "pc8",
		[KSPLICE_RELOC_DATE] = "date",
		[KSPLICE_RELOC_TIME] = "time",
	};

	return kind < KSPLICE_RELOC_KINDS ? names[kind] : "?";
}

const char *old_site_kind_name(uint32_t kind)
{
	static const char *const names[KSPLICE_SITE_KINDS] = {
		[KSPLICE_SITE_FENTRY] = "fentry",
		[KSPLICE_SITE_ALTERNATIVE] = "alternative",
		[KSPLICE_SITE_PARAVIRT] = "paravirt",
		[KSPLICE_SITE_RETPOLINE] = "retpoline",
		[KSPLICE_SITE_RETURN] = "return",
		[KSPLICE_SITE_LOCK] = "lock",
		[KSPLICE_SITE_JUMP_LABEL] = "jump label",
		[KSPLICE_SITE_STATIC_CALL] = "static call",
		[KSPLICE_SITE_ENDBR] = "endbr",
		[KSPLICE_SITE_CALL] = "call",
		[KSPLICE_SITE_RUNTIME] = "runtime constant",
	};

	return kind < KSPLICE_SITE_KINDS ? names[kind] : "?";
}

static const char *section_name(const struct ksplice_old_tables *tables, uint32_t section)
{
	return tables->strings + tables->sections[section].name;
}

static const char *symbol_name(const struct ksplice_old_tables *tables, uint32_t symbol)
{
	return tables->strings + tables->symbols[symbol].name;
}

static struct json_object *reloc_json(const struct ksplice_old_tables *tables,
				      const struct ksplice_old_reloc *reloc)
{
	struct json_object *item = json_object_new_object();

	json_add_number(item, "offset", reloc->offset);
	json_add_string(item, "kind", old_reloc_kind_name(reloc->kind));
	if (reloc->section == KSPLICE_NONE && reloc->symbol != KSPLICE_NONE) {
		json_add_string(item, "symbol", symbol_name(tables, reloc->symbol));
		if (tables->symbols[reloc->symbol].section != KSPLICE_NONE)
			json_add_string(item, "in",
					section_name(tables, tables->symbols[reloc->symbol].section));
	} else if (reloc->section != KSPLICE_NONE) {
		json_add_string(item, "elements", section_name(tables, reloc->section));
		if (reloc->symbol != KSPLICE_NONE)
			json_add_string(item, "string",
					tables->strings + tables->symbols[reloc->symbol].label);
	}
	json_object_object_add(item, "addend", json_object_new_int64(reloc->addend));
	json_object_object_add(item, "bias", json_object_new_int(reloc->bias));
	return item;
}

static void add_alternatives(const struct ksplice_old_tables *tables, struct json_object *item,
			     const struct ksplice_old_site *site)
{
	struct json_object *list = json_add_array(item, "alternatives");
	uint32_t i;

	for (i = 0; i < site->arg2; i++) {
		const struct ksplice_old_alternative *alternative =
			&tables->alternatives[site->arg + i];
		struct json_object *entry = json_object_new_object();

		json_add_number(entry, "feature", alternative->feature);
		json_add_number(entry, "offset", alternative->offset);
		json_add_number(entry, "length", alternative->length);
		json_object_array_add(list, entry);
	}
}

static struct json_object *site_json(const struct ksplice_old_tables *tables,
				     const struct ksplice_old_site *site)
{
	struct json_object *item = json_object_new_object();

	json_add_number(item, "offset", site->offset);
	json_add_number(item, "length", site->length);
	json_add_string(item, "kind", old_site_kind_name(site->kind));
	switch (site->kind) {
	case KSPLICE_SITE_ALTERNATIVE:
		add_alternatives(tables, item, site);
		break;
	case KSPLICE_SITE_PARAVIRT:
		json_add_string(item, "symbol", symbol_name(tables, site->arg));
		json_add_number(item, "slot", site->arg2);
		break;
	case KSPLICE_SITE_JUMP_LABEL:
		json_add_string(item, "section", section_name(tables, site->arg));
		json_add_number(item, "target", site->arg2);
		break;
	case KSPLICE_SITE_STATIC_CALL:
	case KSPLICE_SITE_RUNTIME:
		json_add_string(item, "symbol", symbol_name(tables, site->arg));
		break;
	default:
		break;
	}
	return item;
}

static struct json_object *section_json(const struct ksplice_old_tables *tables,
					const struct ksplice_old_section *section)
{
	struct json_object *item = json_object_new_object(), *list;
	uint32_t i;

	json_add_string(item, "name", tables->strings + section->name);
	json_add_string(item, "kind", old_section_kind_name(section->kind));
	if (section->symbol != KSPLICE_NONE)
		json_add_string(item, "symbol", symbol_name(tables, section->symbol));
	json_add_number(item, "size", section->size);
	json_add_number(item, "unit", section->unit);
	list = json_add_array(item, "relocs");
	for (i = 0; i < section->nr_relocs; i++)
		json_object_array_add(list, reloc_json(tables, &tables->relocs[section->relocs + i]));
	list = json_add_array(item, "sites");
	for (i = 0; i < section->nr_sites; i++)
		json_object_array_add(list, site_json(tables, &tables->sites[section->sites + i]));
	return item;
}

static struct json_object *symbol_json(const struct ksplice_old_tables *tables,
				       const struct ksplice_old_symbol *symbol)
{
	struct json_object *item = json_object_new_object();

	json_add_string(item, "name", tables->strings + symbol->name);
	if (symbol->label != 0)
		json_add_string(item, "label", tables->strings + symbol->label);
	if (symbol->section != KSPLICE_NONE) {
		json_add_string(item, "section", section_name(tables, symbol->section));
		json_add_number(item, "offset", symbol->offset);
	}
	json_object_object_add(item, "local",
			       json_object_new_boolean(symbol->flags & KSPLICE_SYMBOL_LOCAL));
	json_object_object_add(item, "weak",
			       json_object_new_boolean(symbol->flags & KSPLICE_SYMBOL_WEAK));
	json_object_object_add(item, "data",
			       json_object_new_boolean(symbol->flags & KSPLICE_SYMBOL_DATA));
	json_object_object_add(item, "any",
			       json_object_new_boolean(symbol->flags & KSPLICE_SYMBOL_ANY));
	return item;
}

struct json_object *old_block_json(const struct ksplice_old_header *old)
{
	struct json_object *block = json_object_new_object(), *list;
	struct ksplice_old_tables tables;
	uint32_t i;

	ksplice_old_tables(old, &tables);
	json_add_number(block, "version", old->version);
	json_add_number(block, "size", old->size);
	list = json_add_array(block, "sections");
	for (i = 0; i < old->sections.count; i++)
		json_object_array_add(list, section_json(&tables, &tables.sections[i]));
	list = json_add_array(block, "symbols");
	for (i = 0; i < old->symbols.count; i++)
		json_object_array_add(list, symbol_json(&tables, &tables.symbols[i]));
	return block;
}
