// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/writer.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct out_object *out_object_new(uint16_t machine)
{
	struct arena arena = { 0 };
	struct out_object *out = arena_alloc(&arena, sizeof(*out));

	out->arena = arena;
	out->machine = machine;
	return out;
}

void out_object_free(struct out_object *out)
{
	struct arena arena;

	if (!out)
		return;
	arena = out->arena;	/* the object itself lives in it */
	arena_free(&arena);
}

/* Room for one more element of an array in the arena. */
static void *grow(struct arena *arena, void *array, size_t count, size_t *max, size_t size)
{
	void *bigger;

	if (count < *max)
		return array;
	*max = *max ? *max * 2 : 16;
	bigger = arena_array(arena, *max, size);
	if (count)
		memcpy(bigger, array, count * size);
	return bigger;
}

struct out_section *out_section_add(struct out_object *out, const char *name, uint32_t type,
				    uint64_t flags, uint64_t align, uint64_t entsize)
{
	struct out_section *section = arena_alloc(&out->arena, sizeof(*section));

	section->name = arena_strdup(&out->arena, name);
	section->type = type;
	section->flags = flags;
	section->align = align ? align : 1;
	section->entsize = entsize;
	out->sections = grow(&out->arena, out->sections, out->nr_sections, &out->max_sections,
			     sizeof(*out->sections));
	out->sections[out->nr_sections++] = section;
	return section;
}

uint64_t out_section_append(struct out_object *out, struct out_section *section,
			    const void *bytes, uint64_t size, uint64_t align)
{
	uint64_t offset = (section->size + align - 1) & ~(align - 1);
	unsigned char *bigger;

	if (align > section->align)
		section->align = align;
	section->size = offset + size;
	if (section->type == SHT_NOBITS)
		return offset;
	if (section->size > section->capacity || !section->data) {
		section->capacity = section->size * 2 + 16;
		bigger = arena_alloc(&out->arena, section->capacity);
		if (section->data)
			memcpy(bigger, section->data, offset < section->size ? offset : 0);
		section->data = bigger;
	}
	if (bytes && size)
		memcpy(section->data + offset, bytes, size);
	return offset;
}

struct out_symbol *out_symbol_add(struct out_object *out, const char *name,
				  struct out_section *section, uint64_t value, uint64_t size,
				  uint8_t type, uint8_t binding)
{
	struct out_symbol *symbol = arena_alloc(&out->arena, sizeof(*symbol));

	symbol->name = arena_strdup(&out->arena, name);
	symbol->section = section;
	symbol->value = value;
	symbol->size = size;
	symbol->type = type;
	symbol->binding = binding;
	out->symbols = grow(&out->arena, out->symbols, out->nr_symbols, &out->max_symbols,
			    sizeof(*out->symbols));
	out->symbols[out->nr_symbols++] = symbol;
	return symbol;
}

struct out_symbol *out_section_symbol(struct out_object *out, struct out_section *section)
{
	if (!section->section_symbol)
		section->section_symbol = out_symbol_add(out, "", section, 0, 0, STT_SECTION,
							 STB_LOCAL);
	return section->section_symbol;
}

void out_reloc_add(struct out_object *out, struct out_section *section, uint64_t offset,
		   uint32_t type, struct out_symbol *symbol, int64_t addend)
{
	struct out_reloc *reloc;

	section->relocs = grow(&out->arena, section->relocs, section->nr_relocs,
			       &section->max_relocs, sizeof(*section->relocs));
	reloc = &section->relocs[section->nr_relocs++];
	reloc->offset = offset;
	reloc->type = type;
	reloc->symbol = symbol;
	reloc->addend = addend;
}

/* A table of strings that grows; the first string is empty. */
struct strings {
	char *bytes;
	size_t size, capacity;
};

static size_t add_string(struct arena *arena, struct strings *strings, const char *string)
{
	size_t length = strlen(string) + 1, at = strings->size;
	char *bigger;

	if (!*string && strings->size)
		return 0;
	if (at + length > strings->capacity) {
		strings->capacity = (at + length) * 2 + 1024;
		bigger = arena_alloc(arena, strings->capacity);
		if (at)
			memcpy(bigger, strings->bytes, at);
		strings->bytes = bigger;
	}
	memcpy(strings->bytes + at, string, length);
	strings->size += length;
	return at;
}

/* What is needed only while an object is being written. */
struct writer {
	struct out_object *out;
	struct ks_error *err;
	Elf *elf;
	int class;
	struct strings names, section_names;
	struct out_symbol **order;	/* local symbols first; order[0] is NULL */
	size_t nr_symbols, first_global;
	size_t symtab;			/* section index */
	uint32_t *extended;		/* of .symtab_shndx; NULL when not needed */
};

static int elf_failed(struct writer *writer)
{
	return ks_error_set(writer->err, "libelf: %s", elf_errmsg(-1));
}

static Elf_Scn *new_section(struct writer *writer, const char *name, GElf_Shdr *header,
			    void *bytes, size_t size, Elf_Type type)
{
	Elf_Scn *scn = elf_newscn(writer->elf);
	GElf_Shdr shdr;
	Elf_Data *data;

	if (!scn || !gelf_getshdr(scn, &shdr))
		return NULL;
	header->sh_name = add_string(&writer->out->arena, &writer->section_names, name);
	if (!gelf_update_shdr(scn, header))
		return NULL;
	data = elf_newdata(scn);
	if (!data)
		return NULL;
	data->d_buf = bytes;
	data->d_size = size;
	data->d_type = type;
	data->d_align = header->sh_addralign;
	data->d_version = EV_CURRENT;
	return scn;
}

static int compare_relocs(const void *a, const void *b)
{
	const struct out_reloc *x = *(struct out_reloc *const *)a;
	const struct out_reloc *y = *(struct out_reloc *const *)b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x < y ? -1 : x > y;	/* they are in one array, in order of adding */
}

static struct out_reloc **sorted_relocs(struct writer *writer, const struct out_section *section)
{
	struct out_reloc **relocs;
	size_t i;

	relocs = arena_array(&writer->out->arena, section->nr_relocs, sizeof(*relocs));
	for (i = 0; i < section->nr_relocs; i++)
		relocs[i] = &section->relocs[i];
	qsort(relocs, section->nr_relocs, sizeof(*relocs), compare_relocs);
	return relocs;
}

/* On i386 the addend is in the contents. */
static int store_addend(struct writer *writer, const struct out_section *section,
			const struct out_reloc *reloc)
{
	unsigned int length;

	switch (reloc->type) {
	case R_386_NONE:
		return 0;
	case R_386_8:
	case R_386_PC8:
		length = 1;
		break;
	case R_386_16:
	case R_386_PC16:
		length = 2;
		break;
	default:
		length = 4;
	}
	if (!section->data || reloc->offset > section->size ||
	    length > section->size - reloc->offset)
		return ks_error_set(writer->err, "section %s: relocation outside of it",
				    section->name);
	memcpy(section->data + reloc->offset, &reloc->addend, length);
	return 0;
}

static int write_relocs(struct writer *writer, struct out_section *section)
{
	bool rela = writer->class == ELFCLASS64;
	struct out_reloc **relocs = sorted_relocs(writer, section);
	struct arena *arena = &writer->out->arena;
	size_t size = gelf_fsize(writer->elf, rela ? ELF_T_RELA : ELF_T_REL, 1, EV_CURRENT), i;
	unsigned char *table = arena_array(arena, section->nr_relocs, size);
	GElf_Shdr header = {
		.sh_type = rela ? SHT_RELA : SHT_REL,
		.sh_flags = SHF_INFO_LINK,
		.sh_link = writer->symtab,
		.sh_info = section->index,
		.sh_addralign = rela ? 8 : 4,
		.sh_entsize = size,
	};
	Elf64_Rela *rela64 = (Elf64_Rela *)table;
	Elf32_Rel *rel32 = (Elf32_Rel *)table;

	for (i = 0; i < section->nr_relocs; i++) {
		size_t symbol = relocs[i]->symbol ? relocs[i]->symbol->index : 0;

		if (rela) {
			rela64[i].r_offset = relocs[i]->offset;
			rela64[i].r_info = ELF64_R_INFO((uint64_t)symbol, relocs[i]->type);
			rela64[i].r_addend = relocs[i]->addend;
		} else {
			rel32[i].r_offset = relocs[i]->offset;
			rel32[i].r_info = ELF32_R_INFO(symbol, relocs[i]->type);
		}
	}
	if (!new_section(writer, arena_printf(arena, ".rel%s%s", rela ? "a" : "", section->name),
			 &header, table, section->nr_relocs * size,
			 rela ? ELF_T_RELA : ELF_T_REL))
		return elf_failed(writer);
	return 0;
}

static int write_section(struct writer *writer, struct out_section *section)
{
	GElf_Shdr header = {
		.sh_type = section->type,
		.sh_flags = section->flags,
		.sh_link = section->link ? section->link->index : 0,
		.sh_addralign = section->align,
		.sh_entsize = section->entsize,
		.sh_size = section->size,
	};
	size_t i;

	if (writer->class == ELFCLASS32)
		for (i = 0; i < section->nr_relocs; i++)
			if (store_addend(writer, section, &section->relocs[i]))
				return -1;
	if (!new_section(writer, section->name, &header, section->data, section->size, ELF_T_BYTE))
		return elf_failed(writer);
	return 0;
}

static void order_symbols(struct writer *writer)
{
	struct out_object *out = writer->out;
	size_t i, count = 1;
	int global;

	writer->order = arena_array(&out->arena, out->nr_symbols + 1, sizeof(*writer->order));
	for (global = 0; global < 2; global++) {
		for (i = 0; i < out->nr_symbols; i++) {
			if ((out->symbols[i]->binding != STB_LOCAL) != global)
				continue;
			out->symbols[i]->index = count;
			writer->order[count++] = out->symbols[i];
		}
		if (!global)
			writer->first_global = count;
	}
	writer->nr_symbols = count;
}

static uint16_t symbol_section(struct writer *writer, const struct out_symbol *symbol)
{
	if (symbol->absolute)
		return SHN_ABS;
	if (!symbol->section)
		return SHN_UNDEF;
	if (symbol->section->index < SHN_LORESERVE)
		return symbol->section->index;
	writer->extended[symbol->index] = symbol->section->index;
	return SHN_XINDEX;
}

static int write_symbols(struct writer *writer, size_t strtab)
{
	struct arena *arena = &writer->out->arena;
	size_t size = gelf_fsize(writer->elf, ELF_T_SYM, 1, EV_CURRENT), i;
	unsigned char *table = arena_array(arena, writer->nr_symbols, size);
	GElf_Shdr header = {
		.sh_type = SHT_SYMTAB,
		.sh_link = strtab,
		.sh_info = writer->first_global,
		.sh_addralign = writer->class == ELFCLASS64 ? 8 : 4,
		.sh_entsize = size,
	};
	const struct out_symbol *symbol;
	size_t name;

	add_string(arena, &writer->names, "");
	for (i = 1; i < writer->nr_symbols; i++) {
		symbol = writer->order[i];
		name = add_string(arena, &writer->names, symbol->name);
		if (writer->class == ELFCLASS64) {
			((Elf64_Sym *)table)[i] = (Elf64_Sym){
				.st_name = name, .st_value = symbol->value, .st_size = symbol->size,
				.st_info = ELF64_ST_INFO(symbol->binding, symbol->type),
				.st_other = symbol->visibility,
				.st_shndx = symbol_section(writer, symbol),
			};
		} else {
			((Elf32_Sym *)table)[i] = (Elf32_Sym){
				.st_name = name, .st_value = symbol->value, .st_size = symbol->size,
				.st_info = ELF32_ST_INFO(symbol->binding, symbol->type),
				.st_other = symbol->visibility,
				.st_shndx = symbol_section(writer, symbol),
			};
		}
	}
	if (!new_section(writer, ".symtab", &header, table, writer->nr_symbols * size, ELF_T_SYM))
		return elf_failed(writer);
	return 0;
}

static int write_tables(struct writer *writer)
{
	GElf_Shdr header = { .sh_type = SHT_STRTAB, .sh_addralign = 1 };
	GElf_Shdr extended = {
		.sh_type = SHT_SYMTAB_SHNDX, .sh_addralign = 4, .sh_entsize = 4,
		.sh_link = writer->symtab,
	};
	Elf_Scn *names;

	if (write_symbols(writer, writer->symtab + 1))
		return -1;
	if (!new_section(writer, ".strtab", &header, writer->names.bytes, writer->names.size,
			 ELF_T_BYTE))
		return elf_failed(writer);
	if (writer->extended &&
	    !new_section(writer, ".symtab_shndx", &extended, writer->extended,
			 writer->nr_symbols * sizeof(*writer->extended), ELF_T_WORD))
		return elf_failed(writer);
	add_string(&writer->out->arena, &writer->section_names, ".shstrtab");
	header.sh_size = 0;
	names = elf_newscn(writer->elf);
	if (!names)
		return elf_failed(writer);
	header.sh_name = writer->section_names.size - sizeof(".shstrtab");
	if (!gelf_update_shdr(names, &header) || elf_ndxscn(names) == SHN_UNDEF)
		return elf_failed(writer);
	Elf_Data *data = elf_newdata(names);

	if (!data)
		return elf_failed(writer);
	data->d_buf = writer->section_names.bytes;
	data->d_size = writer->section_names.size;
	data->d_type = ELF_T_BYTE;
	data->d_align = 1;
	data->d_version = EV_CURRENT;
	return 0;
}

static int write_header(struct writer *writer, size_t names)
{
	Elf_Scn *first;
	GElf_Ehdr header;
	GElf_Shdr shdr;

	if (!gelf_getehdr(writer->elf, &header))
		return elf_failed(writer);
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	header.e_type = ET_REL;
	header.e_machine = writer->out->machine;
	header.e_version = EV_CURRENT;
	header.e_shstrndx = names < SHN_LORESERVE ? names : SHN_XINDEX;
	if (!gelf_update_ehdr(writer->elf, &header))
		return elf_failed(writer);
	if (names < SHN_LORESERVE)
		return 0;
	first = elf_getscn(writer->elf, 0);
	if (!first || !gelf_getshdr(first, &shdr))
		return elf_failed(writer);
	shdr.sh_link = names;
	return gelf_update_shdr(first, &shdr) ? 0 : elf_failed(writer);
}

/*
 * Order in the file: the sections, their relocations, .symtab, .strtab,
 * .symtab_shndx when needed, .shstrtab.
 */
static int write_everything(struct writer *writer, int fd)
{
	struct out_object *out = writer->out;
	size_t i, relocs = 0;

	elf_version(EV_CURRENT);
	writer->elf = elf_begin(fd, ELF_C_WRITE, NULL);
	if (!writer->elf || !gelf_newehdr(writer->elf, writer->class))
		return elf_failed(writer);
	add_string(&out->arena, &writer->section_names, "");
	for (i = 0; i < out->nr_sections; i++) {
		out->sections[i]->index = i + 1;
		relocs += out->sections[i]->nr_relocs != 0;
	}
	writer->symtab = 1 + out->nr_sections + relocs;
	order_symbols(writer);
	if (out->nr_sections + 1 >= SHN_LORESERVE)
		writer->extended = arena_array(&out->arena, writer->nr_symbols,
					       sizeof(*writer->extended));
	if (write_header(writer, writer->symtab + 2 + (writer->extended != NULL)))
		return -1;
	for (i = 0; i < out->nr_sections; i++)
		if (write_section(writer, out->sections[i]))
			return -1;
	for (i = 0; i < out->nr_sections; i++)
		if (out->sections[i]->nr_relocs && write_relocs(writer, out->sections[i]))
			return -1;
	if (write_tables(writer))
		return -1;
	return elf_update(writer->elf, ELF_C_WRITE) < 0 ? elf_failed(writer) : 0;
}

int check_output(const char *path, struct ks_error *err)
{
	struct stat status;

	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return ks_error_set(err, "%s: is no regular file, and would be replaced; give another name",
				    path);
	return 0;
}

int out_object_write(struct out_object *out, const char *path, struct ks_error *err)
{
	struct writer writer = {
		.out = out, .err = err,
		.class = out->machine == EM_X86_64 ? ELFCLASS64 : ELFCLASS32,
	};
	char *temporary = arena_printf(&out->arena, "%s.XXXXXX", path);
	mode_t mask = umask(0);
	int fd, failed;

	umask(mask);
	if (check_output(path, err))
		return -1;
	fd = mkstemp(temporary);
	if (fd < 0)
		return ks_error_set(err, "%s: %s", temporary, strerror(errno));
	failed = write_everything(&writer, fd);
	if (writer.elf)
		elf_end(writer.elf);
	if (failed) {
		ks_error_prefix(err, "%s", path);
	} else if (fchmod(fd, 0666 & ~mask) || rename(temporary, path)) {
		failed = ks_error_set(err, "%s: %s", path, strerror(errno));
	}
	close(fd);
	if (failed)
		unlink(temporary);
	return failed ? -1 : 0;
}
