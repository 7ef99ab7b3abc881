// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/export.h"

#include <string.h>

#include "lib/special.h"
#include "lib/util.h"

/* Offsets in struct kernel_symbol of 32-bit offsets: value, name, namespace. */
#define NAMESPACE_OFFSET	8

/* The string at @offset of the section, or NULL. */
static const char *string_at(const struct section *section, uint64_t offset)
{
	if (!section || !section->data || offset >= section->size ||
	    !memchr(section->data + offset, 0, section->size - offset))
		return NULL;
	return (const char *)section->data + offset;
}

static void read_entry(const struct symbol *symbol, struct export *export)
{
	const struct reloc *namespace = find_reloc(symbol->section,
						   symbol->value + NAMESPACE_OFFSET);

	export->gpl = strstarts(symbol->section->name, "___ksymtab_gpl");
	export->value = find_reloc(symbol->section, symbol->value);
	export->namespace = "";
	if (!namespace)		/* before 5.4 */
		return;
	export->namespace = !namespace->symbol ? NULL :
		string_at(namespace->symbol->section,
			  namespace->symbol->value + (uint64_t)namespace->addend -
				  (uint64_t)(int64_t)namespace->bias);
}

static void read_note(const struct symbol *symbol, struct export *export)
{
	const struct section *section = symbol->section;
	uint64_t word = section->object->word_size, offset = symbol->value;
	const char *license = string_at(section, offset);

	export->value = NULL;
	export->namespace = NULL;
	if (!license)
		return;
	export->gpl = strcmp(license, "GPL") == 0;
	offset += strlen(license) + 1;
	export->namespace = string_at(section, offset);
	if (!export->namespace)
		return;
	offset += strlen(export->namespace) + 1;
	export->value = find_reloc(section, (offset + word - 1) / word * word);
}

bool read_export(const struct symbol *symbol, struct export *export)
{
	static const char entry[] = "__ksymtab_", note[] = "__export_symbol_";
	bool is_entry;

	memset(export, 0, sizeof(*export));
	if (!symbol || !symbol->section || is_section_symbol(symbol) ||
	    !is_class(symbol->section, CLASS_EXPORT))
		return false;
	is_entry = strstarts(symbol->name, entry);
	if (!is_entry && !strstarts(symbol->name, note))
		return false;
	export->name = symbol->name + (is_entry ? strlen(entry) : strlen(note));
	if (is_entry)
		read_entry(symbol, export);
	else
		read_note(symbol, export);
	if (!export->namespace) {
		export->namespace = "";
		export->value = NULL;
	}
	return true;
}
