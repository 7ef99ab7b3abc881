// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/object.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util.h"

#ifndef SHF_COMPRESSED
#define SHF_COMPRESSED	(1 << 11)
#endif

/*
 * Far above what a kernel has, and low enough that sums of sizes, values and
 * addends do not overflow.
 */
#define MAX_FILE	(1ull << 30)
#define MAX_SIZE	UINT32_MAX	/* of a section */
#define MAX_ALIGN	(1ull << 24)
#define MAX_ADDEND	(INT64_MAX / 4)

/* What is needed only while an object is being read. */
struct reader {
	struct object *object;
	struct ks_error *err;
	Elf *elf;
	unsigned char *bytes;
	size_t size;
	GElf_Shdr *headers;
	size_t nr_sections;
	size_t symtab;		/* section index, 0: none */
	size_t shndx;		/* of SHT_SYMTAB_SHNDX, 0: none */
};

static bool is_debug_name(const char *name)
{
	static const char *const prefixes[] = {
		".debug", ".zdebug", ".stab", ".gnu.debug", ".line", ".gdb_index",
	};
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strstarts(name, prefixes[i]))
			return true;
	return false;
}

static bool has_own_contents(const GElf_Shdr *header)
{
	switch (header->sh_type) {
	case SHT_NULL:
	case SHT_SYMTAB:
	case SHT_STRTAB:
	case SHT_RELA:
	case SHT_REL:
	case SHT_GROUP:
	case SHT_SYMTAB_SHNDX:
		return false;
	default:
		return true;
	}
}

/* The string at @offset of string table @table; NULL when it is not one. */
static const char *get_string(struct reader *reader, size_t table, size_t offset)
{
	const GElf_Shdr *header;

	if (table == 0 || table >= reader->nr_sections)
		return NULL;
	header = &reader->headers[table];
	if (header->sh_type != SHT_STRTAB || offset >= header->sh_size)
		return NULL;
	if (!memchr(reader->bytes + header->sh_offset + offset, '\0', header->sh_size - offset))
		return NULL;
	return (const char *)reader->bytes + header->sh_offset + offset;
}

static int check_header(struct reader *reader)
{
	struct object *object = reader->object;
	GElf_Ehdr header;

	if (elf_kind(reader->elf) != ELF_K_ELF || !gelf_getehdr(reader->elf, &header))
		return ks_error_set(reader->err, "not an ELF file");
	if (header.e_ident[EI_DATA] != ELFDATA2LSB)
		return ks_error_set(reader->err, "not little-endian");
	if (header.e_type != ET_REL)
		return ks_error_set(reader->err, "not a relocatable object (ELF type %u)",
				    header.e_type);
	if (header.e_machine == EM_X86_64 && header.e_ident[EI_CLASS] == ELFCLASS64) {
		object->word_size = 8;
	} else if (header.e_machine == EM_386 && header.e_ident[EI_CLASS] == ELFCLASS32) {
		object->word_size = 4;
	} else {
		return ks_error_set(reader->err,
				    "not for x86-64 or i386 (ELF machine %u, class %u)",
				    header.e_machine, header.e_ident[EI_CLASS]);
	}
	object->machine = header.e_machine;
	return 0;
}

/* Where a section is in the file. */
struct extent {
	uint64_t offset, size;
	size_t index;
};

static int compare_extents(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Else a small file could be a lot to read. */
static int check_overlap(struct reader *reader)
{
	const GElf_Shdr *header;
	struct extent *extents;
	size_t i, count = 0;

	extents = arena_array(&reader->object->arena, reader->nr_sections, sizeof(*extents));
	for (i = 1; i < reader->nr_sections; i++) {
		header = &reader->headers[i];
		if (header->sh_type != SHT_NOBITS && header->sh_type != SHT_NULL &&
		    header->sh_size)
			extents[count++] = (struct extent){
				.offset = header->sh_offset, .size = header->sh_size, .index = i,
			};
	}
	qsort(extents, count, sizeof(*extents), compare_extents);
	for (i = 1; i < count; i++)
		if (extents[i].offset - extents[i - 1].offset < extents[i - 1].size)
			return ks_error_set(reader->err,
					    "sections %zu and %zu are at the same place of the file",
					    extents[i - 1].index, extents[i].index);
	return 0;
}

static int read_section_headers(struct reader *reader)
{
	GElf_Shdr *header;
	Elf_Scn *scn;
	GElf_Ehdr ehdr;
	size_t i;

	/* libelf takes a truncated file for one without sections. */
	if (elf_getshdrnum(reader->elf, &reader->nr_sections) ||
	    !gelf_getehdr(reader->elf, &ehdr) || reader->nr_sections == 0 ||
	    (ehdr.e_shnum && ehdr.e_shnum != reader->nr_sections) ||
	    reader->nr_sections > reader->size)
		return ks_error_set(reader->err,
				    "damaged table of sections (is the file complete?)");
	reader->headers = arena_array(&reader->object->arena, reader->nr_sections,
				      sizeof(*reader->headers));
	for (i = 1; i < reader->nr_sections; i++) {
		header = &reader->headers[i];
		scn = elf_getscn(reader->elf, i);
		if (!scn || !gelf_getshdr(scn, header))
			return ks_error_set(reader->err, "section %zu: damaged header", i);
		if (header->sh_type != SHT_NOBITS && header->sh_type != SHT_NULL &&
		    (header->sh_offset > reader->size ||
		     header->sh_size > reader->size - header->sh_offset))
			return ks_error_set(reader->err,
					    "section %zu: contents are outside of the file", i);
		if (header->sh_size > MAX_SIZE)
			return ks_error_set(reader->err, "section %zu: impossible size", i);
		if (header->sh_type == SHT_SYMTAB) {
			if (reader->symtab)
				return ks_error_set(reader->err, "two symbol tables");
			reader->symtab = i;
		} else if (header->sh_type == SHT_SYMTAB_SHNDX) {
			reader->shndx = i;
		}
	}
	return check_overlap(reader);
}

static int read_section(struct reader *reader, size_t index, const char *name)
{
	const GElf_Shdr *header = &reader->headers[index];
	struct object *object = reader->object;
	struct section *section;

	section = arena_alloc(&object->arena, sizeof(*section));
	section->object = object;
	section->name = name;
	section->index = index;
	section->type = header->sh_type;
	section->flags = header->sh_flags;
	section->align = header->sh_addralign ? header->sh_addralign : 1;
	section->entsize = header->sh_entsize;
	section->size = header->sh_size;
	if (section->align & (section->align - 1))
		return ks_error_set(reader->err, "section %s: alignment is not a power of two",
				    name);
	if (section->align > MAX_ALIGN)
		return ks_error_set(reader->err, "section %s: alignment %#" PRIx64 " is too big",
				    name, section->align);
	if (header->sh_type == SHT_NOBITS && is_text(section) && section->size)
		return ks_error_set(reader->err, "section %s: code without contents", name);
	if (header->sh_flags & SHF_COMPRESSED) {
		if (is_alloc(section))
			return ks_error_set(reader->err, "section %s: compressed", name);
		section->debug = true;
	}
	if (!is_alloc(section) && is_debug_name(name))
		section->debug = true;
	if (header->sh_type != SHT_NOBITS && !section->debug)
		section->data = reader->bytes + header->sh_offset;
	object->sections[index] = section;
	hash_add(&object->sections_by_name, name, section);
	return 0;
}

static int read_sections(struct reader *reader)
{
	struct object *object = reader->object;
	size_t i, names, link;
	const char *name;

	if (elf_getshdrstrndx(reader->elf, &names))
		return ks_error_set(reader->err, "no table of section names");
	object->nr_sections = reader->nr_sections;
	object->sections = arena_array(&object->arena, reader->nr_sections,
				       sizeof(*object->sections));
	hash_init(&object->sections_by_name, &object->arena, reader->nr_sections);
	for (i = 1; i < reader->nr_sections; i++) {
		name = get_string(reader, names, reader->headers[i].sh_name);
		if (!name)
			return ks_error_set(reader->err, "section %zu: damaged name", i);
		if (has_own_contents(&reader->headers[i]) && read_section(reader, i, name))
			return -1;
	}
	for (i = 1; i < reader->nr_sections; i++) {
		link = reader->headers[i].sh_link;
		if (!object->sections[i] || !(reader->headers[i].sh_flags & SHF_LINK_ORDER))
			continue;
		/* Binutils writes 0 when the section that it follows was dropped. */
		if (link >= reader->nr_sections || (link && !object->sections[link]))
			return ks_error_set(reader->err,
					    "section %s: follows section %zu, which is not there",
					    object->sections[i]->name, link);
		object->sections[i]->link = link ? object->sections[link] : NULL;
	}
	return 0;
}

static int place_symbol(struct reader *reader, struct symbol *symbol, const GElf_Sym *elf_symbol,
			size_t index)
{
	struct object *object = reader->object;

	switch (index) {
	case SHN_UNDEF:
		symbol->place = SYMBOL_UNDEFINED;
		return 0;
	case SHN_ABS:
		symbol->place = SYMBOL_ABSOLUTE;
		return 0;
	case SHN_COMMON:
		symbol->place = SYMBOL_COMMON;
		return 0;
	case SHN_XINDEX:
		break;
	default:
		if (index >= SHN_LORESERVE && index <= SHN_HIRESERVE &&
		    elf_symbol->st_shndx != SHN_XINDEX)
			return ks_error_set(reader->err, "symbol %u: reserved section index %#zx",
					    symbol->index, index);
	}
	if (index >= reader->nr_sections)
		return ks_error_set(reader->err, "symbol %u: no section %zu", symbol->index, index);
	symbol->place = SYMBOL_DEFINED;
	symbol->section = object->sections[index];
	if (!symbol->section) {
		/* Section symbols of groups and such: nothing can refer to them. */
		symbol->place = SYMBOL_ABSOLUTE;
		return 0;
	}
	if (symbol->value > symbol->section->size ||
	    symbol->size > symbol->section->size - symbol->value)
		return ks_error_set(reader->err, "symbol %u (%s): not inside its section %s",
				    symbol->index, symbol->name, symbol->section->name);
	return 0;
}

static int read_symbol(struct reader *reader, Elf_Data *table, Elf_Data *shndx, size_t i,
		       const char **file)
{
	struct object *object = reader->object;
	struct symbol *symbol;
	GElf_Sym elf_symbol;
	Elf32_Word extended = 0;
	size_t index;

	if (!gelf_getsymshndx(table, shndx, i, &elf_symbol, &extended))
		return ks_error_set(reader->err, "symbol %zu: damaged", i);
	if (elf_symbol.st_shndx == SHN_XINDEX && !shndx)
		return ks_error_set(reader->err, "symbol %zu: no extended section index", i);
	index = elf_symbol.st_shndx == SHN_XINDEX ? extended : elf_symbol.st_shndx;

	symbol = arena_alloc(&object->arena, sizeof(*symbol));
	symbol->object = object;
	symbol->index = i;
	symbol->value = elf_symbol.st_value;
	symbol->size = elf_symbol.st_size;
	symbol->type = GELF_ST_TYPE(elf_symbol.st_info);
	symbol->binding = GELF_ST_BIND(elf_symbol.st_info);
	symbol->visibility = GELF_ST_VISIBILITY(elf_symbol.st_other);
	symbol->name = get_string(reader, reader->headers[reader->symtab].sh_link,
				  elf_symbol.st_name);
	if (!symbol->name)
		return ks_error_set(reader->err, "symbol %zu: damaged name", i);
	if (elf_symbol.st_shndx == SHN_XINDEX && index < SHN_LORESERVE && index == 0)
		return ks_error_set(reader->err, "symbol %zu: extended section index 0", i);
	/* Past 0xff00 an extended index is a plain number, SHN_ABS is not meant. */
	if (elf_symbol.st_shndx == SHN_XINDEX && index >= SHN_LORESERVE &&
	    index < reader->nr_sections) {
		symbol->place = SYMBOL_DEFINED;
		symbol->section = object->sections[index];
		if (!symbol->section || symbol->value > symbol->section->size ||
		    symbol->size > symbol->section->size - symbol->value)
			return ks_error_set(reader->err, "symbol %zu: not inside its section", i);
	} else if (place_symbol(reader, symbol, &elf_symbol, index)) {
		return -1;
	}
	if (symbol->type == STT_FILE)
		*file = symbol->name;
	else if (symbol->binding == STB_LOCAL)
		symbol->file = *file;
	if (symbol->type == STT_SECTION) {
		if (!symbol->section)
			return 0;	/* stays NULL in the table */
		symbol->name = symbol->section->name;
		symbol->section->section_symbol = symbol;
	}
	object->symbols[i] = symbol;
	if (symbol->type != STT_SECTION && symbol->type != STT_FILE && symbol->name[0])
		hash_add(&object->symbols_by_name, symbol->name, symbol);
	return 0;
}

static int compare_symbols(const void *a, const void *b)
{
	const struct symbol *x = *(struct symbol *const *)a, *y = *(struct symbol *const *)b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Give each section the sorted list of the symbols that it defines. */
static void list_symbols_of_sections(struct object *object)
{
	struct section *section;
	struct symbol *symbol;
	size_t i;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		for (i = 1; i < object->nr_symbols; i++) {
			symbol = object->symbols[i];
			if (!symbol || !symbol->section || symbol->type == STT_SECTION)
				continue;
			section = symbol->section;
			if (pass == 1)
				section->symbols[section->nr_symbols] = symbol;
			section->nr_symbols++;
		}
		for (i = 1; i < object->nr_sections; i++) {
			section = object->sections[i];
			if (!section || pass == 1)
				continue;
			section->symbols = arena_array(&object->arena, section->nr_symbols,
						       sizeof(*section->symbols));
			section->nr_symbols = 0;
		}
	}
	for (i = 1; i < object->nr_sections; i++) {
		section = object->sections[i];
		if (section && section->nr_symbols)
			qsort(section->symbols, section->nr_symbols, sizeof(*section->symbols),
			      compare_symbols);
	}
}

static Elf_Data *get_table(struct reader *reader, size_t index, size_t entry_size)
{
	const GElf_Shdr *header = &reader->headers[index];
	Elf_Data *data;

	if (header->sh_entsize != entry_size || header->sh_size % entry_size)
		goto damaged;
	data = elf_getdata(elf_getscn(reader->elf, index), NULL);
	if (!data || data->d_size != header->sh_size)
		goto damaged;
	return data;
damaged:
	ks_error_set(reader->err, "section %zu: damaged table", index);
	return NULL;
}

static int read_symbols(struct reader *reader)
{
	struct object *object = reader->object;
	Elf_Data *table, *shndx = NULL;
	const char *file = NULL;
	size_t i, size;

	object->nr_symbols = 1;
	hash_init(&object->symbols_by_name, &object->arena, 16);
	if (!reader->symtab) {
		object->symbols = arena_array(&object->arena, 1, sizeof(*object->symbols));
		return 0;
	}
	size = gelf_fsize(reader->elf, ELF_T_SYM, 1, EV_CURRENT);
	table = get_table(reader, reader->symtab, size);
	if (!table)
		return -1;
	if (reader->shndx) {
		shndx = get_table(reader, reader->shndx, sizeof(Elf32_Word));
		if (!shndx)
			return -1;
	}
	if (table->d_size / size > 1)
		object->nr_symbols = table->d_size / size;
	object->symbols = arena_array(&object->arena, object->nr_symbols,
				      sizeof(*object->symbols));
	for (i = 1; i < object->nr_symbols; i++)
		if (read_symbol(reader, table, shndx, i, &file))
			return -1;
	list_symbols_of_sections(object);
	return 0;
}

/*
 * Length and kind of the field.  Only the types that the kernel's module loader
 * applies, the GOT-relative ones that compilers emit around them (they are told
 * apart later, by name, where they matter) and 8 and 16 bits of real-mode code.
 */
static bool describe_reloc(struct reloc *reloc, uint16_t machine)
{
	static const struct {
		uint16_t machine;
		uint8_t type, length, pc_relative;
	} types[] = {
		{ EM_X86_64, R_X86_64_NONE, 0, 0 },
		{ EM_X86_64, R_X86_64_64, 8, 0 },
		{ EM_X86_64, R_X86_64_32, 4, 0 },
		{ EM_X86_64, R_X86_64_32S, 4, 0 },
		{ EM_X86_64, R_X86_64_PC32, 4, 1 },
		{ EM_X86_64, R_X86_64_PLT32, 4, 1 },
		{ EM_X86_64, R_X86_64_PC64, 8, 1 },
		{ EM_X86_64, R_X86_64_16, 2, 0 },
		{ EM_X86_64, R_X86_64_PC16, 2, 1 },
		{ EM_X86_64, R_X86_64_8, 1, 0 },
		{ EM_X86_64, R_X86_64_PC8, 1, 1 },
		{ EM_X86_64, R_X86_64_GOTPCREL, 4, 1 },
		{ EM_X86_64, 41 /* GOTPCRELX */, 4, 1 },
		{ EM_X86_64, 42 /* REX_GOTPCRELX */, 4, 1 },
		{ EM_386, R_386_NONE, 0, 0 },
		{ EM_386, R_386_32, 4, 0 },
		{ EM_386, R_386_PC32, 4, 1 },
		{ EM_386, R_386_PLT32, 4, 1 },
		{ EM_386, R_386_16, 2, 0 },
		{ EM_386, R_386_PC16, 2, 1 },
		{ EM_386, R_386_8, 1, 0 },
		{ EM_386, R_386_PC8, 1, 1 },
		{ EM_386, R_386_GOTOFF, 4, 0 },
		{ EM_386, R_386_GOTPC, 4, 1 },
		{ EM_386, R_386_GOT32, 4, 0 },
		{ EM_386, 43 /* GOT32X */, 4, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (types[i].machine == machine && types[i].type == reloc->type) {
			reloc->length = types[i].length;
			reloc->pc_relative = types[i].pc_relative;
			return true;
		}
	}
	return false;
}

static int64_t read_addend(const unsigned char *field, unsigned int length)
{
	int32_t value32;
	int16_t value16;

	switch (length) {
	case 4:
		memcpy(&value32, field, 4);
		return value32;
	case 2:
		memcpy(&value16, field, 2);
		return value16;
	case 1:
		return (int8_t)*field;
	default:
		return 0;
	}
}

static int read_reloc(struct reader *reader, struct section *section, Elf_Data *data, size_t i,
		      bool rela)
{
	struct object *object = reader->object;
	struct reloc *reloc = &section->relocs[section->nr_relocs];
	GElf_Rela elf_rela = { 0 };
	GElf_Rel elf_rel;
	size_t symbol;

	if (rela ? !gelf_getrela(data, i, &elf_rela) : !gelf_getrel(data, i, &elf_rel))
		return ks_error_set(reader->err, "section %s: relocation %zu is damaged",
				    section->name, i);
	if (!rela) {
		elf_rela.r_offset = elf_rel.r_offset;
		elf_rela.r_info = elf_rel.r_info;
	}
	reloc->section = section;
	reloc->offset = elf_rela.r_offset;
	reloc->type = GELF_R_TYPE(elf_rela.r_info);
	reloc->addend = elf_rela.r_addend;
	if (!describe_reloc(reloc, object->machine))
		return ks_error_set(reader->err, "%s+%#" PRIx64 ": relocation type %u is not known",
				    section->name, reloc->offset, reloc->type);
	if (reloc->offset > section->size || reloc->length > section->size - reloc->offset ||
	    (reloc->length && !section->data))
		return ks_error_set(reader->err,
				    "%s+%#" PRIx64 ": relocation outside of the section",
				    section->name, reloc->offset);
	if (!rela && section->data)
		reloc->addend = read_addend(section->data + reloc->offset, reloc->length);
	if (reloc->addend > MAX_ADDEND || reloc->addend < -MAX_ADDEND)
		return ks_error_set(reader->err, "%s+%#" PRIx64 ": the relocation goes too far",
				    section->name, reloc->offset);
	symbol = GELF_R_SYM(elf_rela.r_info);
	if (symbol && (symbol >= object->nr_symbols || !object->symbols[symbol]))
		return ks_error_set(reader->err, "%s+%#" PRIx64 ": relocation to no symbol",
				    section->name, reloc->offset);
	reloc->symbol = symbol ? object->symbols[symbol] : NULL;
	if (!reloc->symbol && reloc->length)
		return ks_error_set(reader->err, "%s+%#" PRIx64 ": relocation without a symbol",
				    section->name, reloc->offset);
	section->nr_relocs++;
	return 0;
}

/* A stable order for relocs of one offset: they lie in one array, as in the file. */
static int compare_relocs(const void *a, const void *b)
{
	const struct reloc *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->span_offset < y->span_offset ? -1 : x->span_offset > y->span_offset;
}

static void sort_relocs(struct section *section)
{
	size_t i;

	for (i = 0; i < section->nr_relocs; i++)
		section->relocs[i].span_offset = i;
	qsort(section->relocs, section->nr_relocs, sizeof(*section->relocs), compare_relocs);
	for (i = 0; i < section->nr_relocs; i++)
		section->relocs[i].span_offset = 0;
}

static int read_relocs(struct reader *reader)
{
	struct object *object = reader->object;
	size_t i, j, count, size;
	struct section *section;
	const GElf_Shdr *header;
	Elf_Data *data;
	bool rela;

	for (i = 1; i < reader->nr_sections; i++) {
		header = &reader->headers[i];
		if (header->sh_type != SHT_RELA && header->sh_type != SHT_REL)
			continue;
		if (header->sh_info >= reader->nr_sections ||
		    !object->sections[header->sh_info] || header->sh_link != reader->symtab)
			return ks_error_set(reader->err,
					    "section %zu: relocations of no section", i);
		section = object->sections[header->sh_info];
		if (section->debug || !header->sh_size)
			continue;
		if (section->relocs)
			return ks_error_set(reader->err, "section %s: two relocation sections",
					    section->name);
		rela = header->sh_type == SHT_RELA;
		if (rela != (object->machine == EM_X86_64))
			return ks_error_set(reader->err,
					    "section %s: %s is not used on this machine",
					    section->name, rela ? "RELA" : "REL");
		size = gelf_fsize(reader->elf, rela ? ELF_T_RELA : ELF_T_REL, 1, EV_CURRENT);
		data = get_table(reader, i, size);
		if (!data)
			return -1;
		count = data->d_size / size;
		section->relocs = arena_array(&object->arena, count, sizeof(*section->relocs));
		for (j = 0; j < count; j++)
			if (read_reloc(reader, section, data, j, rela))
				return -1;
		sort_relocs(section);
	}
	return 0;
}

static int read_groups(struct reader *reader)
{
	struct object *object = reader->object;
	const GElf_Shdr *header;
	const char *name;
	uint32_t member;
	size_t i, j;

	for (i = 1; i < reader->nr_sections; i++) {
		header = &reader->headers[i];
		if (header->sh_type != SHT_GROUP)
			continue;
		if (header->sh_info >= object->nr_symbols)
			return ks_error_set(reader->err, "section %zu: group without a name", i);
		name = object->symbols[header->sh_info] ?
			object->symbols[header->sh_info]->name : "";
		for (j = 4; j + 4 <= header->sh_size; j += 4) {
			memcpy(&member, reader->bytes + header->sh_offset + j, 4);
			if (member >= reader->nr_sections)
				return ks_error_set(reader->err, "group %s: no section %u", name,
						    member);
			if (object->sections[member])
				object->sections[member]->group = name;
		}
	}
	return 0;
}

static int read_everything(struct reader *reader)
{
	elf_version(EV_CURRENT);
	reader->elf = elf_memory((char *)reader->bytes, reader->size);
	if (!reader->elf)
		return ks_error_set(reader->err, "not an ELF file: %s", elf_errmsg(-1));
	if (check_header(reader) || read_section_headers(reader) || read_sections(reader) ||
	    read_symbols(reader) || read_relocs(reader) || read_groups(reader))
		return -1;
	return 0;
}

/* Takes over an arena that holds @bytes. */
static struct object *read_from_arena(struct arena arena, const char *path, unsigned char *bytes,
				      size_t size, struct ks_error *err)
{
	struct object *object = arena_alloc(&arena, sizeof(*object));
	struct reader reader = { .object = object, .err = err, .bytes = bytes, .size = size };
	int failed;

	object->path = arena_strdup(&arena, path);
	object->arena = arena;
	failed = read_everything(&reader);
	if (reader.elf)
		elf_end(reader.elf);
	if (!failed)
		return object;
	ks_error_prefix(err, "%s", path);
	object_free(object);
	return NULL;
}

struct object *object_read_memory(const char *path, const void *bytes, size_t size,
				  struct ks_error *err)
{
	struct arena arena = { 0 };
	unsigned char *copy = arena_alloc(&arena, size);

	memcpy(copy, bytes, size);
	return read_from_arena(arena, path, copy, size, err);
}

static unsigned char *read_file(struct arena *arena, const char *path, size_t *size,
				struct ks_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char *bytes = NULL;
	ssize_t got = 0;
	struct stat st;
	size_t done;

	if (fd < 0) {
		ks_error_set(err, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st)) {
		ks_error_set(err, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		ks_error_set(err, "%s: not a regular file", path);
	} else if ((unsigned long long)st.st_size > MAX_FILE) {
		ks_error_set(err, "%s: bigger than %llu MiB, which no object of a kernel is", path,
			     MAX_FILE >> 20);
	} else {
		bytes = arena_alloc(arena, st.st_size);
		for (done = 0; done < (size_t)st.st_size; done += got) {
			got = read(fd, bytes + done, st.st_size - done);
			if (got <= 0)
				break;
		}
		if (got < 0) {
			ks_error_set(err, "%s: %s", path, strerror(errno));
			bytes = NULL;
		}
		*size = done;
	}
	close(fd);
	return bytes;
}

struct object *object_read(const char *path, struct ks_error *err)
{
	struct arena arena = { 0 };
	unsigned char *bytes;
	size_t size = 0;

	bytes = read_file(&arena, path, &size, err);
	if (!bytes) {
		arena_free(&arena);
		return NULL;
	}
	return read_from_arena(arena, path, bytes, size, err);
}

void object_free(struct object *object)
{
	struct arena arena;

	if (!object)
		return;
	arena = object->arena;	/* the object itself lives in it */
	arena_free(&arena);
}

struct section *find_section(const struct object *object, const char *name)
{
	return hash_find(&object->sections_by_name, name);
}

struct symbol *find_symbol(const struct object *object, const char *name)
{
	struct hash_entry *entry = hash_find_all(&object->symbols_by_name, name), *e;
	struct symbol *symbol;

	for (e = entry; e; e = e->same) {
		symbol = e->value;
		if (symbol->binding != STB_LOCAL)
			return symbol;
	}
	return entry ? entry->value : NULL;
}

size_t find_symbol_index(const struct section *section, uint64_t value)
{
	size_t low = 0, high = section->nr_symbols, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (section->symbols[middle]->value < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t find_reloc_index(const struct section *section, uint64_t offset)
{
	size_t low = 0, high = section->nr_relocs, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (section->relocs[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct reloc *find_reloc(const struct section *section, uint64_t offset)
{
	size_t i = find_reloc_index(section, offset);

	for (; i < section->nr_relocs && section->relocs[i].offset == offset; i++)
		if (!is_none_reloc(&section->relocs[i]))
			return &section->relocs[i];
	return NULL;
}
