// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes the block of old code: sorts the symbols, and gives all their indexes. */
#include <stdlib.h>
#include <string.h>

#include "objmanip/block.h"

/* For each label, and each export of the core, this much of published[]. */
#define PUBLISHED_ENTRY	24
/* More exports than the core has. */
#define CORE_EXPORTS	16

static int compare_places(const void *a, const void *b)
{
	const struct old_symbol *x = *(struct old_symbol *const *)a;
	const struct old_symbol *y = *(struct old_symbol *const *)b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int compare_names(const void *a, const void *b)
{
	const struct old_symbol *x = *(struct old_symbol *const *)a;
	const struct old_symbol *y = *(struct old_symbol *const *)b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : x->index < y->index ? -1 : x->index > y->index;
}

static int compare_labels(const void *a, const void *b)
{
	const struct old_symbol *x = *(struct old_symbol *const *)a;
	const struct old_symbol *y = *(struct old_symbol *const *)b;

	return strcmp(x->label, y->label);
}

static void sort_symbols(struct manip *manip)
{
	struct old_symbol **symbols = (struct old_symbol **)manip->symbols.items;
	size_t i;

	for (i = 0; i < manip->symbols.count; i++)
		symbols[i]->index = (uint32_t)i;
	if (manip->symbols.count > 0)
		qsort(symbols, manip->symbols.count, sizeof(*symbols), compare_places);
	for (i = 0; i < manip->symbols.count; i++)
		symbols[i]->index = (uint32_t)i;
}

static void add_table(struct bytes *out, struct ksplice_old_table *table, const void *data,
		      size_t size, size_t entry_size)
{
	static const char zeros[8];

	bytes_append(out, zeros, -out->size % sizeof(zeros));
	table->offset = (uint32_t)bytes_append(out, data, size);
	table->count = (uint32_t)(size / entry_size);
}

static void add_symbols(struct manip *manip, struct block *block, struct bytes *out,
			struct ksplice_old_table *table)
{
	struct bytes symbols = { .data = NULL };
	size_t i;

	for (i = 0; i < manip->symbols.count; i++) {
		const struct old_symbol *symbol = manip->symbols.items[i];
		struct ksplice_old_symbol old = {
			.name = block_string(block, symbol->name),
			.label = symbol->label ? block_string(block, symbol->label) : 0,
			.section = symbol->section,
			.offset = symbol->offset,
			.flags = symbol->flags,
		};

		bytes_append(&symbols, &old, sizeof(old));
	}
	add_table(out, table, symbols.data, symbols.size, sizeof(struct ksplice_old_symbol));
	free(symbols.data);
}

/* Indexes of the symbols that @wanted is true for, in the order of @compare. */
static void add_index(struct manip *manip, struct bytes *out, struct ksplice_old_table *table,
		      bool (*wanted)(const struct old_symbol *),
		      int (*compare)(const void *, const void *))
{
	size_t count = 0, i;
	struct old_symbol **sorted =
		arena_array(&manip->arena, manip->symbols.count + 1, sizeof(*sorted));
	uint32_t *indexes = arena_array(&manip->arena, manip->symbols.count + 1, sizeof(*indexes));

	for (i = 0; i < manip->symbols.count; i++)
		if (wanted(manip->symbols.items[i]))
			sorted[count++] = manip->symbols.items[i];
	qsort(sorted, count, sizeof(*sorted), compare);
	for (i = 0; i < count; i++)
		indexes[i] = sorted[i]->index;
	add_table(out, table, indexes, count * sizeof(*indexes), sizeof(*indexes));
}

static bool has_name(const struct old_symbol *symbol)
{
	return *symbol->name != '\0';
}

static bool has_label(const struct old_symbol *symbol)
{
	return symbol->label != NULL;
}

static void add_sections(struct block *block, struct bytes *out, struct ksplice_old_table *table)
{
	struct ksplice_old_section *sections = (void *)block->sections.data;
	struct old_symbol **symbols = (void *)block->section_symbols.data;
	size_t i;

	for (i = 0; i < block->sections.size / sizeof(*sections); i++)
		if (symbols[i])
			sections[i].symbol = symbols[i]->index;
	add_table(out, table, sections, block->sections.size, sizeof(*sections));
}

static void add_relocs(struct manip *manip, struct block *block, struct bytes *out,
		       struct ksplice_old_table *table)
{
	struct block_reloc *relocs = (void *)block->relocs.data;
	struct bytes old = { .data = NULL };
	size_t i;

	for (i = 0; i < block->relocs.size / sizeof(*relocs); i++) {
		/* Only strings that the new code uses have one. */
		if (relocs[i].string)
			relocs[i].symbol = pre_info(manip, relocs[i].string)->symbol;
		if (relocs[i].symbol)
			relocs[i].reloc.symbol = relocs[i].symbol->index;
		bytes_append(&old, &relocs[i].reloc, sizeof(relocs[i].reloc));
	}
	add_table(out, table, old.data, old.size, sizeof(struct ksplice_old_reloc));
	free(old.data);
}

static void add_block_sites(struct block *block, struct bytes *out,
			    struct ksplice_old_table *table)
{
	struct block_site *sites = (void *)block->sites.data;
	struct bytes old = { .data = NULL };
	size_t i;

	for (i = 0; i < block->sites.size / sizeof(*sites); i++) {
		if (sites[i].symbol)
			sites[i].site.arg = sites[i].symbol->index;
		bytes_append(&old, &sites[i].site, sizeof(sites[i].site));
	}
	add_table(out, table, old.data, old.size, sizeof(struct ksplice_old_site));
	free(old.data);
}

static void make_block(struct manip *manip, struct block *block, struct bytes *out)
{
	struct ksplice_old_header header = {
		.magic = KSPLICE_OLD_MAGIC,
		.version = KSPLICE_OLD_VERSION,
		.word_size = manip->word_size,
	};

	sort_symbols(manip);
	bytes_append(out, &header, sizeof(header));
	block_string(block, "");
	add_symbols(manip, block, out, &header.symbols);
	add_index(manip, out, &header.names, has_name, compare_names);
	add_index(manip, out, &header.labels, has_label, compare_labels);
	add_sections(block, out, &header.sections);
	add_relocs(manip, block, out, &header.relocs);
	add_block_sites(block, out, &header.sites);
	add_table(out, &header.alternatives, block->alternatives.data, block->alternatives.size,
		  sizeof(struct ksplice_old_alternative));
	add_table(out, &header.strings, block->strings.data, block->strings.size, 1);
	add_table(out, &header.contents, block->contents.data, block->contents.size, 1);
	header.size = (uint32_t)out->size;
	memcpy(out->data, &header, sizeof(header));
}

int write_old_code(struct manip *manip, struct block *block, const char *path,
		   struct ks_error *err)
{
	struct out_object *object = out_object_new(manip->new_code->machine);
	struct out_section *section;
	struct bytes out = { .data = NULL };
	uint64_t published = (manip->labels.count + CORE_EXPORTS) * PUBLISHED_ENTRY;
	int ret;

	make_block(manip, block, &out);
	if (out.size > UINT32_MAX) {
		ret = ks_error_set(err, "%s: more old code than 4 GiB", path);
		goto out;
	}
	section = out_section_add(object, KSPLICE_OLD_SECTION, SHT_PROGBITS, SHF_ALLOC, 8, 0);
	out_section_append(object, section, out.data, out.size, 8);
	out_symbol_add(object, "ksplice_old_code", section, 0, out.size, STT_OBJECT, STB_GLOBAL);
	out_symbol_add(object, "ksplice_old_code_end", section, out.size, 0, STT_NOTYPE,
		       STB_GLOBAL);
	section = out_section_add(object, ".bss.ksplice_published", SHT_NOBITS,
				  SHF_ALLOC | SHF_WRITE, 8, 0);
	out_section_append(object, section, NULL, published, 8);
	out_symbol_add(object, "ksplice_published", section, 0, published, STT_OBJECT, STB_GLOBAL);
	out_symbol_add(object, "ksplice_published_end", section, published, 0, STT_NOTYPE,
		       STB_GLOBAL);
	ret = out_object_write(object, path, err);
out:
	out_object_free(object);
	free(out.data);
	return ret;
}
