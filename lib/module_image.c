// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images of modules: what the kernel's loader makes of a file (kernel/module/main.c
 * and arch/x86/kernel/module.c of Linux 6.1; the same in 5.10 to 6.12), up to the
 * point where it begins to rewrite code.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/image_internal.h"
#include "lib/object.h"

#define PERCPU_SECTION ".data..percpu"

/* The kernel aligns nothing further than to a huge page. */
#define ALIGN_LIMIT ((uint64_t)1 << 21)

/* Imports that nobody is known to export are this far apart: their users add offsets. */
#define IMPORT_DISTANCE 4096

/*
 * Addresses that are made up.  Those of x86-64 keep what may refer to each other
 * within 2 GiB, and per-CPU data behind that of the kernel (some 200 KiB from 0).
 */
struct places {
	uint64_t sections;
	uint64_t imports;	/* and the end of the sections */
	uint64_t end;		/* of the imports */
	uint64_t percpu;
	uint64_t percpu_end;
};

static const struct places places64 = {
	.sections = 0xffffffffc0000000,
	.imports = 0xffffffffd0000000,
	.end = 0xfffffffff0000000,
	.percpu = 0x1000000,
	.percpu_end = 0x2000000,
};

static const struct places places32 = {
	.sections = 0xf8000000,
	.imports = 0xfc000000,
	.end = 0xff000000,
	.percpu = 0xf7000000,
	.percpu_end = 0xf8000000,
};

/* How an imported name was found in the kernel. */
enum found {
	NOT_IMPORTED,
	NOT_FOUND,
	FOUND_LOCAL,
	FOUND_GLOBAL,
};

/* What is needed only while a module is being read. */
struct loader {
	struct image *image;
	struct object *object;
	const struct places *places;
	struct ks_error *error;
	unsigned char *memory;		/* all that the file has, from places->sections on */
	uint64_t memory_size;
	bool *loaded;			/* by index of section */
	uint64_t *values;		/* by index of symbol; 0 until it is known */
	struct image_symbol **named;	/* by index of symbol; NULL when it has no name */
	enum found *found;		/* by index in image->named */
};

static bool is_percpu(const struct section *section)
{
	return strcmp(section->name, PERCPU_SECTION) == 0;
}

/*
 * The groups that sections are laid out in (layout_sections()): code, read-only
 * data, data, and last what has no bytes.  -1 for sections that are not loaded,
 * or elsewhere.
 */
static int section_group(const struct section *section)
{
	if (!is_alloc(section) || is_percpu(section))
		return -1;
	if (section->type == SHT_NOBITS)
		return 3;
	if (section->flags & SHF_EXECINSTR)
		return 0;
	return section->flags & SHF_WRITE ? 2 : 1;
}

/* Put a section at the first free place from *@next on. */
static int place_section(struct loader *loader, const struct section *section, uint64_t *next,
			 uint64_t end)
{
	struct image_section *placed = &loader->image->sections[section->index];
	uint64_t address;

	if (section->align > ALIGN_LIMIT)
		return ks_error_set(loader->error, "section %s: aligned to %" PRIu64 " bytes",
				    section->name, section->align);
	address = (*next + section->align - 1) & ~(section->align - 1);
	if (address > end || section->size > end - address)
		return ks_error_set(loader->error, "section %s: %" PRIu64
				    " bytes are too many for a module", section->name,
				    section->size);
	placed->address = address;
	loader->loaded[section->index] = true;
	*next = address + section->size;
	return 0;
}

static int lay_out(struct loader *loader)
{
	const struct places *places = loader->places;
	uint64_t next = places->sections, percpu = places->percpu;

	for (int group = 0; group < 4; group++) {
		for (size_t i = 1; i < loader->object->nr_sections; i++) {
			const struct section *section = loader->object->sections[i];

			if (!section)
				continue;
			if (section_group(section) == group &&
			    place_section(loader, section, &next, places->imports))
				return -1;
			if (group == 0 && is_alloc(section) && is_percpu(section) &&
			    place_section(loader, section, &percpu, places->percpu_end))
				return -1;
		}
		if (group == 2)
			loader->memory_size = next - places->sections;
	}
	if (next == places->sections)
		return ks_error_set(loader->error, "nothing in it is loaded into memory");
	return 0;
}

/* The loader's copy of the bytes, which relocations change. */
static int copy_sections(struct loader *loader)
{
	struct image *image = loader->image;

	loader->memory = arena_alloc(&loader->object->arena, loader->memory_size);
	for (size_t i = 1; i < loader->object->nr_sections; i++) {
		const struct section *section = loader->object->sections[i];
		unsigned char *bytes;

		if (!section || section_group(section) < 0 || section->type == SHT_NOBITS)
			continue;
		bytes = loader->memory + (image->sections[i].address - loader->places->sections);
		if (section->size)
			memcpy(bytes, section->data, section->size);
		image->sections[i].bytes = bytes;
	}
	image->areas = calloc(1, sizeof(*image->areas));
	if (!image->areas)
		return ks_error_set(loader->error, "out of memory");
	image->areas[0] = (struct kallsyms_area){
		.address = loader->places->sections,
		.bytes = loader->memory,
		.size = loader->memory_size,
		.executable = true,
	};
	image->nr_areas = loader->memory_size > 0;
	return 0;
}

static int read_sections(struct loader *loader)
{
	struct image *image = loader->image;

	image->nr_sections = loader->object->nr_sections;
	image->sections = calloc(image->nr_sections + 1, sizeof(*image->sections));
	if (!image->sections)
		return ks_error_set(loader->error, "out of memory");
	for (size_t i = 0; i < image->nr_sections; i++) {
		const struct section *section = loader->object->sections[i];

		image->sections[i].name = "";	/* tables of the file */
		if (!section)
			continue;
		image->sections[i].name = section->name;
		image->sections[i].size = section->size;
		image->sections[i].flags = section->flags;
		if (!is_alloc(section))
			image->sections[i].bytes = section->data;
	}
	return lay_out(loader) ? -1 : copy_sections(loader);
}

static struct image_symbol *add_named(struct loader *loader, const struct symbol *symbol,
				      char type)
{
	struct image *image = loader->image;
	struct image_symbol *named = &image->named[image->nr_named++];

	named->name = symbol->name;
	named->address = loader->values[symbol->index];
	named->type = type;
	hash_add(&image->named_by_name, named->name, named);
	loader->named[symbol->index] = named;
	return named;
}

/* A symbol with its value, unless it is imported. */
static int read_symbol(struct loader *loader, const struct symbol *symbol)
{
	struct image *image = loader->image;
	uint64_t *value = &loader->values[symbol->index];
	size_t index = SHN_ABS;

	switch (symbol->place) {
	case SYMBOL_UNDEFINED:
		if (!*symbol->name)
			return ks_error_set(loader->error, "symbol %u: imported without a name",
					    symbol->index);
		loader->found[add_named(loader, symbol, 'U') - image->named] = NOT_FOUND;
		return 0;
	case SYMBOL_COMMON:
		return ks_error_set(loader->error, "%s: a common symbol, which the kernel refuses"
				    " (compiled without -fno-common)", symbol->name);
	case SYMBOL_ABSOLUTE:
		*value = symbol->value;
		break;
	case SYMBOL_DEFINED:
		index = symbol->section->index;
		if (!loader->loaded[index])
			return 0;
		*value = image->sections[index].address + symbol->value;
		break;
	}
	if (*symbol->name && symbol->type != STT_FILE && !is_section_symbol(symbol))
		add_named(loader, symbol,
			  image_symbol_type(image, GELF_ST_INFO(symbol->binding, symbol->type),
					    index));
	return 0;
}

/* A symbol of the kernel; image_for_each_symbol() gives them all. */
static int try_export(const char *name, uint64_t address, char type, void *context)
{
	struct loader *loader = context;
	struct image *image = loader->image;
	struct hash_entry *entry = hash_find_all(&image->named_by_name, name);
	enum found how = type >= 'A' && type <= 'Z' ? FOUND_GLOBAL : FOUND_LOCAL;

	for (; entry; entry = entry->same) {
		struct image_symbol *named = entry->value;
		enum found *found = &loader->found[named - image->named];

		if (*found == NOT_IMPORTED || *found >= how)
			continue;
		*found = how;
		named->address = address;
	}
	return 0;
}

/* Give what nobody is known to export an address of its own, and all their values. */
static int finish_imports(struct loader *loader)
{
	struct image *image = loader->image;
	uint64_t next = loader->places->imports;

	for (size_t i = 1; i < loader->object->nr_symbols; i++) {
		const struct symbol *symbol = loader->object->symbols[i];
		struct image_symbol *named = loader->named[i];

		if (!named || loader->found[named - image->named] == NOT_IMPORTED)
			continue;
		if (loader->found[named - image->named] == NOT_FOUND &&
		    symbol->binding != STB_WEAK) {
			if (next >= loader->places->end)
				return ks_error_set(loader->error, "too many imported symbols");
			named->address = next;
			next += IMPORT_DISTANCE;
		}
		loader->values[i] = named->address;
	}
	return 0;
}

static int read_symbols(struct loader *loader, const struct image *kernel)
{
	struct object *object = loader->object;
	struct image *image = loader->image;

	loader->values = arena_array(&object->arena, object->nr_symbols, sizeof(*loader->values));
	loader->named = arena_array(&object->arena, object->nr_symbols, sizeof(*loader->named));
	loader->found = arena_array(&object->arena, object->nr_symbols, sizeof(*loader->found));
	image->named = arena_array(&object->arena, object->nr_symbols, sizeof(*image->named));
	hash_init(&image->named_by_name, &object->arena, object->nr_symbols);
	for (size_t i = 1; i < object->nr_symbols; i++)
		if (object->symbols[i] && read_symbol(loader, object->symbols[i]))
			return -1;
	if (kernel)
		image_for_each_symbol(kernel, try_export, loader);
	return finish_imports(loader);
}

/* Bytes of a field of a type that the kernel's loader knows; 0 for other types. */
static unsigned int field_size(const struct loader *loader, uint32_t type)
{
	if (loader->object->machine == EM_386)
		return type == R_386_32 || type == R_386_PC32 || type == R_386_PLT32 ? 4 : 0;
	switch (type) {
	case R_X86_64_64:
	case R_X86_64_PC64:
		return 8;
	case R_X86_64_32:
	case R_X86_64_32S:
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		return 4;
	default:
		return 0;
	}
}

/* Does the value fit into its field?  On i386 it wraps around. */
static bool fits(const struct loader *loader, uint32_t type, uint64_t value)
{
	if (loader->object->machine == EM_386)
		return true;
	switch (type) {
	case R_X86_64_32:
		return value == (uint32_t)value;
	case R_X86_64_32S:
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		return value == (uint64_t)(int32_t)value;
	default:
		return true;
	}
}

static int apply_reloc(struct loader *loader, const struct section *section,
		       const struct reloc *reloc)
{
	static const unsigned char zeros[8];
	uint64_t place = loader->image->sections[section->index].address + reloc->offset;
	unsigned char *field = loader->memory + (place - loader->places->sections);
	unsigned int size = field_size(loader, reloc->type);
	const struct symbol *symbol = reloc->symbol;
	uint64_t value;

	if (!size)
		return ks_error_set(loader->error, "%s+%#" PRIx64 ": relocation type %u, which the"
				    " kernel does not apply to modules", section->name,
				    reloc->offset, reloc->type);
	if (symbol->place == SYMBOL_DEFINED && !loader->loaded[symbol->section->index])
		return ks_error_set(loader->error, "%s+%#" PRIx64 ": refers to section %s, which"
				    " is not loaded", section->name, reloc->offset,
				    symbol->section->name);
	/* As the kernel: RELA, so what is there already comes from a relocation. */
	if (loader->object->machine == EM_X86_64 && memcmp(field, zeros, size))
		return ks_error_set(loader->error, "%s+%#" PRIx64 ": to be relocated, but not"
				    " zero (relocated already?)", section->name, reloc->offset);
	value = loader->values[symbol->index] + (uint64_t)reloc->addend;
	if (reloc->pc_relative)
		value -= place;
	if (!fits(loader, reloc->type, value))
		return ks_error_set(loader->error, "%s+%#" PRIx64 ": %s does not fit (%#" PRIx64
				    ", relocation type %u)", section->name, reloc->offset,
				    symbol->name, value, reloc->type);
	for (unsigned int i = 0; i < size; i++)
		field[i] = value >> 8 * i;
	return 0;
}

/* Those of per-CPU data and of .bss have no bytes, and the kernel ignores them too. */
static int apply_relocs(struct loader *loader)
{
	for (size_t i = 1; i < loader->object->nr_sections; i++) {
		const struct section *section = loader->object->sections[i];

		if (!section || !loader->image->sections[i].bytes || !loader->loaded[i])
			continue;
		for (size_t j = 0; j < section->nr_relocs; j++)
			if (!is_none_reloc(&section->relocs[j]) &&
			    apply_reloc(loader, section, &section->relocs[j]))
				return -1;
	}
	return 0;
}

/*
 * A copy of the value of "KEY=value" in .modinfo, up to @delimiter or the end;
 * NULL when there is none, or no memory.
 */
static char *modinfo(const struct object *object, const char *key, char delimiter)
{
	const struct section *section = find_section(object, ".modinfo");
	size_t length = strlen(key), at = 0;

	while (section && section->data && at < section->size) {
		const char *text = (const char *)section->data + at;
		const char *value = text + length + 1;
		size_t size = strnlen(text, section->size - at);

		if (size > length && !memcmp(text, key, length) && text[length] == '=') {
			const char *end = memchr(value, delimiter, text + size - value);

			return strndup(value, (end ? end : text + size) - value);
		}
		at += size + 1;
	}
	return NULL;
}

static int read_modinfo(struct loader *loader)
{
	struct image *image = loader->image;

	image->release = modinfo(loader->object, "vermagic", ' ');
	image->module_name = modinfo(loader->object, "name", '\0');
	if (!image->module_name)
		image->module_name = strdup("");
	return image->module_name ? 0 : ks_error_set(loader->error, "out of memory");
}

int module_image_read(struct image *image, const struct image *kernel, struct ks_error *error)
{
	struct loader loader = { .image = image, .error = error };
	struct object *object;

	object = object_read_memory("module", image->file.data, image->file.size, error);
	free(image->file.data);
	image->file.data = NULL;
	if (!object)
		return -1;
	image->module = object;
	image->word_size = object->word_size;
	if (kernel && image_word_size(kernel) != object->word_size)
		return ks_error_set(error, "for another architecture than the kernel image");
	loader.object = object;
	loader.places = object->word_size == 8 ? &places64 : &places32;
	loader.loaded = arena_array(&object->arena, object->nr_sections, sizeof(*loader.loaded));
	if (read_sections(&loader) || read_symbols(&loader, kernel) || apply_relocs(&loader))
		return -1;
	return read_modinfo(&loader);
}

int module_image_for_each_symbol(const struct image *image, image_symbol_fn symbol,
				 void *context)
{
	for (size_t i = 0; i < image->nr_named; i++) {
		const struct image_symbol *named = &image->named[i];
		int result;

		/* A weak import that nobody exports: the kernel lets it be 0. */
		if (named->type == 'U' && !named->address)
			continue;
		result = symbol(named->name, named->address, named->type, context);
		if (result)
			return result;
	}
	return 0;
}
