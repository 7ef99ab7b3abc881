// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checks a block of old code (old_code.h) before anything in it is followed.
 */
#include "match_internal.h"

/* ALTERNATIVE_3() has three; more would only be slow. */
#define ALTERNATIVES_MAX	16

/* Far above the biggest object of a kernel, far below what overflows a u32. */
#define OLD_CODE_MAX	(256u << 20)

struct check {
	const struct ksplice_old_header *old;
	struct ksplice_old_tables tables;
	const char **reason;
};

static int malformed(struct check *check, const char *reason)
{
	*check->reason = reason;
	return -EINVAL;
}

/* Whether [start, start + count) lies within [0, limit). */
static bool fits_in(u32 start, u32 count, u32 limit)
{
	return start <= limit && count <= limit - start;
}

static bool table_fits(const struct ksplice_old_header *old,
		       const struct ksplice_old_table *table, u32 entry_size, u32 align)
{
	return table->offset % align == 0 && table->offset <= old->size &&
	       table->count <= (old->size - table->offset) / entry_size;
}

static int check_tables(struct check *check)
{
	const struct ksplice_old_header *old = check->old;

	if (!table_fits(old, &old->symbols, sizeof(struct ksplice_old_symbol), 4) ||
	    !table_fits(old, &old->names, sizeof(u32), 4) ||
	    !table_fits(old, &old->labels, sizeof(u32), 4) ||
	    !table_fits(old, &old->sections, sizeof(struct ksplice_old_section), 4) ||
	    !table_fits(old, &old->relocs, sizeof(struct ksplice_old_reloc), 8) ||
	    !table_fits(old, &old->sites, sizeof(struct ksplice_old_site), 4) ||
	    !table_fits(old, &old->alternatives, sizeof(struct ksplice_old_alternative), 4) ||
	    !table_fits(old, &old->strings, 1, 1) || !table_fits(old, &old->contents, 1, 1))
		return malformed(check, "a table lies outside the block");
	return 0;
}

void ksplice_old_tables(const struct ksplice_old_header *old, struct ksplice_old_tables *tables)
{
	const char *block = (const char *)old;

	tables->symbols = (const void *)(block + old->symbols.offset);
	tables->names = (const void *)(block + old->names.offset);
	tables->labels = (const void *)(block + old->labels.offset);
	tables->sections = (const void *)(block + old->sections.offset);
	tables->relocs = (const void *)(block + old->relocs.offset);
	tables->sites = (const void *)(block + old->sites.offset);
	tables->alternatives = (const void *)(block + old->alternatives.offset);
	tables->strings = block + old->strings.offset;
	tables->contents = (const u8 *)block + old->contents.offset;
}

static bool string_ok(const struct check *check, u32 string)
{
	const struct ksplice_old_table *strings = &check->old->strings;
	u32 left;

	if (string >= strings->count)
		return false;
	left = strings->count - string;
	if (left > KSPLICE_STRING_MAX)
		left = KSPLICE_STRING_MAX;
	return strnlen(check->tables.strings + string, left) < left;
}

static int check_symbols(struct check *check)
{
	const struct ksplice_old_symbol *symbol = check->tables.symbols;
	u32 i;

	if (!string_ok(check, 0) || check->tables.strings[0] != '\0')
		return malformed(check, "the first string is not empty");
	for (i = 0; i < check->old->symbols.count; i++, symbol++) {
		if (!string_ok(check, symbol->name) || !string_ok(check, symbol->label))
			return malformed(check, "the name of a symbol is not a string");
		if (i > 0 && (symbol[-1].section > symbol->section ||
			      (symbol[-1].section == symbol->section &&
			       symbol->section != KSPLICE_NONE &&
			       symbol[-1].offset > symbol->offset)))
			return malformed(check, "symbols are not sorted by place");
		if (symbol->section == KSPLICE_NONE)
			continue;
		if (symbol->section >= check->old->sections.count ||
		    symbol->offset > check->tables.sections[symbol->section].size)
			return malformed(check, "a symbol is defined outside its section");
	}
	return 0;
}

/* @index lists symbols in the order of the strings at offset @member in them. */
static int check_sorted(struct check *check, const u32 *index, u32 count, size_t member,
			bool unique)
{
	const char *last = NULL;
	u32 i;

	for (i = 0; i < count; i++) {
		const struct ksplice_old_symbol *symbol;
		const char *string;
		int order;

		if (index[i] >= check->old->symbols.count)
			return malformed(check, "a sorted table names no symbol");
		symbol = &check->tables.symbols[index[i]];
		string = check->tables.strings + *(const u32 *)((const char *)symbol + member);
		if (*string == '\0')
			return malformed(check, "a sorted table has an empty name");
		order = last ? strcmp(last, string) : -1;
		if (order > 0 || (order == 0 && unique))
			return malformed(check, unique ? "labels are not sorted" :
							 "names are not sorted");
		last = string;
	}
	return 0;
}

static bool date_ok(const struct ksplice_old_section *section,
		    const struct ksplice_old_reloc *reloc)
{
	return (section->kind == KSPLICE_SECTION_RODATA ||
		section->kind == KSPLICE_SECTION_STRINGS ||
		section->kind == KSPLICE_SECTION_DATA) &&
	       reloc->symbol == KSPLICE_NONE && reloc->section == KSPLICE_NONE &&
	       reloc->addend == 0 && reloc->bias == 0 && reloc->past == 0;
}

static int check_relocs(struct check *check, const struct ksplice_old_section *section)
{
	const struct ksplice_old_header *old = check->old;
	const struct ksplice_old_reloc *reloc;
	u32 i, end = 0;

	if (!fits_in(section->relocs, section->nr_relocs, old->relocs.count))
		return malformed(check, "a section has relocs outside their table");
	reloc = &check->tables.relocs[section->relocs];
	for (i = 0; i < section->nr_relocs; i++, reloc++) {
		if (reloc->kind >= KSPLICE_RELOC_KINDS)
			return malformed(check, "a reloc is of an unknown kind");
		if (reloc->offset < end)
			return malformed(check, "relocs are not sorted, or overlap");
		if (!fits_in(reloc->offset, ksplice_reloc_size(reloc), section->size))
			return malformed(check, "a reloc lies outside its section");
		end = reloc->offset + ksplice_reloc_size(reloc);
		if (ksplice_is_date(reloc)) {
			if (!date_ok(section, reloc))
				return malformed(check, "a date is not in strings or data");
			continue;
		}
		if (reloc->section == KSPLICE_NONE) {
			if (reloc->symbol >= old->symbols.count || reloc->past != 0)
				return malformed(check, "a reloc refers to no symbol");
			continue;
		}
		if (reloc->section >= old->sections.count ||
		    (check->tables.sections[reloc->section].kind != KSPLICE_SECTION_STRINGS &&
		     check->tables.sections[reloc->section].kind != KSPLICE_SECTION_CONSTANTS))
			return malformed(check, "a reloc refers to no strings or constants");
		if (reloc->symbol != KSPLICE_NONE &&
		    (reloc->symbol >= old->symbols.count ||
		     check->tables.symbols[reloc->symbol].section != reloc->section))
			return malformed(check, "a reloc refers to strings, and to a symbol elsewhere");
	}
	return 0;
}

static bool site_arguments_ok(const struct check *check, const struct ksplice_old_site *site)
{
	const struct ksplice_old_header *old = check->old;

	switch (site->kind) {
	case KSPLICE_SITE_ALTERNATIVE:
		return site->arg2 <= ALTERNATIVES_MAX &&
		       fits_in(site->arg, site->arg2, old->alternatives.count);
	case KSPLICE_SITE_PARAVIRT:
		return site->arg < old->symbols.count && site->arg2 < 0x10000;
	case KSPLICE_SITE_STATIC_CALL:
		return site->arg < old->symbols.count;
	case KSPLICE_SITE_RUNTIME:
		return site->arg < old->symbols.count && site->arg2 <= site->length &&
		       site->arg2 <= old->word_size;
	case KSPLICE_SITE_JUMP_LABEL:
		return site->arg < old->sections.count &&
		       site->arg2 <= check->tables.sections[site->arg].size &&
		       check->tables.sections[site->arg].kind == KSPLICE_SECTION_TEXT;
	case KSPLICE_SITE_LOCK:
		return site->length == 1;
	default:
		return true;
	}
}

static int check_sites(struct check *check, const struct ksplice_old_section *section)
{
	const struct ksplice_old_site *site;
	u32 i;

	if (!fits_in(section->sites, section->nr_sites, check->old->sites.count))
		return malformed(check, "a section has sites outside their table");
	site = &check->tables.sites[section->sites];
	for (i = 0; i < section->nr_sites; i++, site++) {
		if (site->kind >= KSPLICE_SITE_KINDS || site->length == 0)
			return malformed(check, "a site is of an unknown kind");
		if (!fits_in(site->offset, site->length, section->size))
			return malformed(check, "a site lies outside its section");
		if (i > 0 && (site[-1].offset > site->offset ||
			      (site[-1].offset == site->offset && site[-1].length < site->length)))
			return malformed(check, "sites are not sorted");
		if (!site_arguments_ok(check, site))
			return malformed(check, "a site has an argument out of range");
	}
	return 0;
}

static int check_sections(struct check *check)
{
	const struct ksplice_old_header *old = check->old;
	const struct ksplice_old_section *section = check->tables.sections;
	int ret;
	u32 i;

	for (i = 0; i < old->sections.count; i++, section++) {
		bool placed = ksplice_is_placed(section);

		if (section->kind >= KSPLICE_SECTION_KINDS)
			return malformed(check, "a section is of an unknown kind");
		if (!string_ok(check, section->name))
			return malformed(check, "the name of a section is not a string");
		if (!fits_in(section->contents, section->size, old->contents.count))
			return malformed(check, "a section has contents outside the block");
		if (section->unit == 0 || section->unit > 64)
			return malformed(check, "a section has elements of an odd size");
		if (placed ? section->symbol >= old->symbols.count :
			     section->symbol != KSPLICE_NONE)
			return malformed(check, "a section has the wrong kind of symbol");
		if (placed && (check->tables.symbols[section->symbol].section != i ||
			       check->tables.symbols[section->symbol].offset != 0))
			return malformed(check, "the symbol of a section is not at its start");
		ret = check_relocs(check, section);
		if (ret == 0)
			ret = check_sites(check, section);
		if (ret != 0)
			return ret;
	}
	return 0;
}

static int check_alternatives(struct check *check)
{
	const struct ksplice_old_alternative *alternative = check->tables.alternatives;
	u32 i;

	for (i = 0; i < check->old->alternatives.count; i++, alternative++) {
		const struct ksplice_old_section *section;

		if (alternative->section >= check->old->sections.count)
			return malformed(check, "an alternative has no section");
		section = &check->tables.sections[alternative->section];
		/* Without bytes it is all nops, from no section in particular. */
		if (alternative->length == 0)
			continue;
		if (section->kind != KSPLICE_SECTION_REPLACEMENT ||
		    !fits_in(alternative->offset, alternative->length, section->size))
			return malformed(check, "an alternative lies outside the replacements");
	}
	return 0;
}

int ksplice_old_code_check(const struct ksplice_old_header *old, size_t size,
			   const char **reason)
{
	struct check check = { .old = old, .reason = reason };
	int ret;

	if (size < sizeof(*old) || old->magic != KSPLICE_OLD_MAGIC)
		return malformed(&check, "not a block of old code");
	if (old->version != KSPLICE_OLD_VERSION)
		return malformed(&check, "made by another version of ksplice-create");
	if (old->size > size || old->size > OLD_CODE_MAX || old->size < sizeof(*old))
		return malformed(&check, "the block is truncated");
	if (old->word_size != 4 && old->word_size != 8)
		return malformed(&check, "the word size is neither 4 nor 8");
	ret = check_tables(&check);
	if (ret != 0)
		return ret;
	ksplice_old_tables(old, &check.tables);
	ret = check_symbols(&check);
	if (ret == 0)
		ret = check_sorted(&check, check.tables.names, old->names.count,
				   offsetof(struct ksplice_old_symbol, name), false);
	if (ret == 0)
		ret = check_sorted(&check, check.tables.labels, old->labels.count,
				   offsetof(struct ksplice_old_symbol, label), true);
	if (ret == 0)
		ret = check_sections(&check);
	if (ret == 0)
		ret = check_alternatives(&check);
	return ret;
}
