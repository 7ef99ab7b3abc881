// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/image_internal.h"
#include "lib/object.h"

/* Larger files and payloads are refused; a stock vmlinux has some 60 MiB. */
#define SIZE_LIMIT ((size_t)1 << 30)

#define BANNER_START "Linux version "

/* A banner is some 200 bytes; a release at most 64 (__NEW_UTS_LEN). */
#define BANNER_LIMIT 1024
#define RELEASE_LIMIT 64

static uint32_t get_le32(const unsigned char *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Is the range inside the file? */
static bool in_file(const struct image *image, uint64_t offset, uint64_t size)
{
	return offset <= image->file.size && size <= image->file.size - offset;
}

/*
 * Fields of the setup header (struct setup_header, asm/bootparam.h; see
 * Documentation/arch/x86/boot.rst). The payload is counted from the
 * protected-mode kernel, which follows the setup sectors.
 */
#define SETUP_SECTS 0x1f1
#define BOOT_FLAG 0x1fe
#define SETUP_MAGIC 0x202
#define SETUP_VERSION 0x206
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c

static bool is_bzimage(const struct bytes *file)
{
	return file->size >= PAYLOAD_LENGTH + 4 && file->data[BOOT_FLAG] == 0x55 &&
	       file->data[BOOT_FLAG + 1] == 0xaa && !memcmp(file->data + SETUP_MAGIC, "HdrS", 4);
}

/*
 * The last 4 bytes of the payload are the size of what it unpacks to: gzip's
 * own trailer, and appended to all others (arch/x86/boot/compressed/mkpiggy.c
 * takes it from there). These 4 must not reach the decompressors, which read
 * them as the next block.
 */
static int unpack_bzimage(const struct bytes *file, struct bytes *out, struct ks_error *error)
{
	const unsigned char *data = file->data;
	unsigned int version = data[SETUP_VERSION] | data[SETUP_VERSION + 1] << 8;
	unsigned int sectors = data[SETUP_SECTS] ? data[SETUP_SECTS] : 4;
	uint64_t start = (sectors + 1) * 512 + (uint64_t)get_le32(data + PAYLOAD_OFFSET);
	uint64_t length = get_le32(data + PAYLOAD_LENGTH);
	const char *kind;
	uint32_t expected;

	if (version < 0x208)
		return ks_error_set(error, "boot protocol %u.%02u is too old: 2.08 (Linux 2.6.26)"
				    " or later is needed", version >> 8, version & 0xff);
	if (start > file->size || length > file->size - start)
		return ks_error_set(error, "the payload reaches beyond the end of the file"
				    " (truncated?)");
	if (length <= 4)
		return ks_error_set(error, "the payload is empty");
	expected = get_le32(data + start + length - 4);
	if (expected > SIZE_LIMIT)
		return ks_error_set(error, "the payload unpacks to more than %zu MiB",
				    SIZE_LIMIT >> 20);
	kind = compression_of(data + start, length);
	if (!kind || strcmp(kind, "gzip"))
		length -= 4;
	if (decompress(data + start, length, expected, out, error))
		return ks_error_prefix(error, "payload");
	if (out->size != expected) {
		ks_error_set(error, "the payload unpacks to %zu bytes instead of %u (truncated?)",
			     out->size, expected);
		free(out->data);
		out->data = NULL;
		return -1;
	}
	return 0;
}

/* Makes an ELF file of @file, which is used up in any case. */
static int unpack(struct bytes *file, struct bytes *out, struct ks_error *error)
{
	int result;

	if (file->size >= SELFMAG && !memcmp(file->data, ELFMAG, SELFMAG)) {
		*out = *file;
		return 0;
	}
	if (is_bzimage(file))
		result = unpack_bzimage(file, out, error);
	else if (compression_of(file->data, file->size))
		result = decompress(file->data, file->size, SIZE_LIMIT, out, error);
	else
		result = ks_error_set(error, "neither a bzImage (vmlinuz) nor an ELF file"
				      " (vmlinux), compressed or not");
	free(file->data);
	if (result)
		return -1;
	if (out->size >= SELFMAG && !memcmp(out->data, ELFMAG, SELFMAG))
		return 0;
	free(out->data);
	return ks_error_set(error, "what is compressed in it is not an ELF file");
}

static int check_header(struct image *image, struct ks_error *error)
{
	GElf_Ehdr *header = &image->header;
	int class;

	if (!image->elf || elf_kind(image->elf) != ELF_K_ELF ||
	    !gelf_getehdr(image->elf, header))
		return ks_error_set(error, "not a valid ELF file: %s", elf_errmsg(-1));
	class = gelf_getclass(image->elf);
	if (header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    !((class == ELFCLASS64 && header->e_machine == EM_X86_64) ||
	      (class == ELFCLASS32 && header->e_machine == EM_386)))
		return ks_error_set(error, "ELF machine %u, class %d is neither x86-64 nor i386",
				    header->e_machine, class);
	image->word_size = class == ELFCLASS64 ? 8 : 4;
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return ks_error_set(error, "ELF type %u is not a linked kernel", header->e_type);
	/* libelf reads a table beyond the end of a file as no table at all. */
	if (!in_file(image, header->e_shoff, (uint64_t)header->e_shnum * header->e_shentsize) ||
	    !in_file(image, header->e_phoff, (uint64_t)header->e_phnum * header->e_phentsize))
		return ks_error_set(error, "section or program headers reach beyond the end of"
				    " the file (truncated?)");
	return 0;
}

static int read_sections(struct image *image, struct ks_error *error)
{
	size_t names;

	if (elf_getshdrnum(image->elf, &image->nr_sections) ||
	    elf_getshdrstrndx(image->elf, &names))
		return ks_error_set(error, "bad section headers: %s", elf_errmsg(-1));
	image->sections = calloc(image->nr_sections + 1, sizeof(*image->sections));
	if (!image->sections)
		return ks_error_set(error, "out of memory");
	for (size_t i = 1; i < image->nr_sections; i++) {
		struct image_section *section = &image->sections[i];
		GElf_Shdr header;

		if (!gelf_getshdr(elf_getscn(image->elf, i), &header))
			return ks_error_set(error, "section %zu: %s", i, elf_errmsg(-1));
		section->name = elf_strptr(image->elf, names, header.sh_name);
		if (!section->name)
			return ks_error_set(error, "section %zu has no readable name", i);
		section->address = header.sh_addr;
		section->size = header.sh_size;
		section->flags = header.sh_flags;
		if (header.sh_type == SHT_NOBITS)
			continue;
		if (!in_file(image, header.sh_offset, header.sh_size))
			return ks_error_set(error, "section %s reaches beyond the end of the file"
					    " (truncated?)", section->name);
		section->bytes = image->file.data + header.sh_offset;
	}
	return 0;
}

static void add_area(struct image *image, uint64_t address, const unsigned char *bytes,
		     uint64_t size, bool executable)
{
	if (!size)
		return;
	image->areas[image->nr_areas++] = (struct kallsyms_area){
		.address = address,
		.bytes = bytes,
		.size = size,
		.executable = executable,
	};
}

/* What is loaded: the segments, or the sections of a file without segments. */
static int read_areas(struct image *image, struct ks_error *error)
{
	size_t segments;

	if (elf_getphdrnum(image->elf, &segments))
		return ks_error_set(error, "bad program headers: %s", elf_errmsg(-1));
	image->areas = calloc(segments + image->nr_sections + 1, sizeof(*image->areas));
	if (!image->areas)
		return ks_error_set(error, "out of memory");
	for (size_t i = 0; i < segments; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(image->elf, i, &header))
			return ks_error_set(error, "segment %zu: %s", i, elf_errmsg(-1));
		if (header.p_type != PT_LOAD)
			continue;
		if (!in_file(image, header.p_offset, header.p_filesz))
			return ks_error_set(error, "segment %zu reaches beyond the end of the file"
					    " (truncated?)", i);
		add_area(image, header.p_vaddr, image->file.data + header.p_offset,
			 header.p_filesz, header.p_flags & PF_X);
	}
	if (image->nr_areas)
		return 0;
	for (size_t i = 1; i < image->nr_sections; i++) {
		const struct image_section *section = &image->sections[i];

		if (section->bytes && section->flags & SHF_ALLOC)
			add_area(image, section->address, section->bytes, section->size,
				 section->flags & SHF_EXECINSTR);
	}
	if (!image->nr_areas)
		return ks_error_set(error, "nothing in it is loaded into memory");
	return 0;
}

/* Name of a symbol that image_for_each_symbol() reports; "" for another one, NULL when bad. */
static const char *symbol_name(const struct image *image, size_t index, GElf_Sym *symbol)
{
	if (!gelf_getsym(image->symbols, index, symbol))
		return NULL;
	if (symbol->st_shndx == SHN_UNDEF || GELF_ST_TYPE(symbol->st_info) == STT_FILE ||
	    GELF_ST_TYPE(symbol->st_info) == STT_SECTION)
		return "";
	return elf_strptr(image->elf, image->symbol_strings, symbol->st_name);
}

/* Sets @symbols when there is a symbol table, after checking every name. */
static int read_symbols(struct image *image, struct ks_error *error)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	GElf_Sym symbol;

	while ((section = elf_nextscn(image->elf, section))) {
		if (!gelf_getshdr(section, &header))
			return ks_error_set(error, "bad section headers: %s", elf_errmsg(-1));
		if (header.sh_type != SHT_SYMTAB)
			continue;
		image->symbols = elf_getdata(section, NULL);
		if (!image->symbols)
			return ks_error_set(error, "bad symbol table: %s", elf_errmsg(-1));
		image->symbol_strings = header.sh_link;
		image->nr_symbols = image->symbols->d_size /
				    gelf_fsize(image->elf, ELF_T_SYM, 1, EV_CURRENT);
		break;
	}
	for (size_t i = 1; i < image->nr_symbols; i++)
		if (!symbol_name(image, i, &symbol))
			return ks_error_set(error, "symbol %zu has no readable name", i);
	return 0;
}

/* Length of a banner, 0 when it is none; @release is the length of the release in it. */
static size_t banner_length(const unsigned char *text, size_t size, size_t *release)
{
	const unsigned char *start = text + strlen(BANNER_START);
	const unsigned char *end, *space;

	if (size > BANNER_LIMIT)
		size = BANNER_LIMIT;
	if (size <= strlen(BANNER_START) || *start < '0' || *start > '9')
		return 0;
	end = memchr(text, '\n', size);
	if (!end || memchr(text, '\0', end - text))
		return 0;
	space = memchr(start, ' ', end - start);
	if (!space || space[1] != '(' || space - start > RELEASE_LIMIT)
		return 0;
	*release = space - start;
	return end - text;
}

/*
 * "Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org) (gcc-12 …) #1
 * SMP …\n". Since 6.1 there is also a weak one with a build number not yet
 * known, "# SMP" (init/version.c), which is unused: taken for want of another.
 */
static int find_banner(struct image *image, struct ks_error *error)
{
	const unsigned char *found = NULL;
	size_t found_length = 0, found_release = 0, length, release;
	bool numbered = false;

	for (size_t i = 0; i < image->nr_areas && !numbered; i++) {
		const unsigned char *p = image->areas[i].bytes;
		const unsigned char *end = p + image->areas[i].size;

		for (; !numbered && (p = memmem(p, end - p, BANNER_START, strlen(BANNER_START)));
		     p++) {
			length = banner_length(p, end - p, &release);
			if (!length)
				continue;
			numbered = !memmem(p, length, " # ", 3);
			if (!found || numbered) {
				found = p;
				found_length = length;
				found_release = release;
			}
		}
	}
	if (!found)
		return 0;
	image->banner = strndup((const char *)found, found_length);
	image->release = strndup((const char *)found + strlen(BANNER_START), found_release);
	if (!image->banner || !image->release)
		return ks_error_set(error, "out of memory");
	return 0;
}

/* The file's bytes are @image->file now: all the rest is learnt from them. */
static int parse(struct image *image, struct ks_error *error)
{
	elf_version(EV_CURRENT);
	image->elf = elf_memory((char *)image->file.data, image->file.size);
	if (check_header(image, error) || read_sections(image, error) ||
	    read_areas(image, error) || read_symbols(image, error) ||
	    find_banner(image, error))
		return -1;
	if (image->symbols)
		return 0;
	return kallsyms_find(&image->kallsyms, image->areas, image->nr_areas, image->word_size,
			     error);
}

/* What a caller expects a file to be. */
enum accept {
	ACCEPT_KERNEL = 1,
	ACCEPT_MODULE = 2,
};

/* A relocatable file, of any machine; the header is checked later. */
static bool is_relocatable(const struct bytes *file)
{
	return file->size > offsetof(Elf32_Ehdr, e_type) + 1 &&
	       file->data[offsetof(Elf32_Ehdr, e_type)] == ET_REL &&
	       file->data[offsetof(Elf32_Ehdr, e_type) + 1] == 0;
}

static int read_image(struct image *image, enum accept accept, const struct image *kernel,
		      struct ks_error *error)
{
	if (is_relocatable(&image->file)) {
		if (!(accept & ACCEPT_MODULE))
			return ks_error_set(error, "a module or object, not a linked kernel");
		return module_image_read(image, kernel, error);
	}
	if (!(accept & ACCEPT_KERNEL))
		return ks_error_set(error, "not a module (ET_REL)");
	return parse(image, error);
}

/* Takes over @file. */
static struct image *open_bytes(const char *name, struct bytes *file, enum accept accept,
				const struct image *kernel, struct ks_error *error)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image) {
		free(file->data);
		ks_error_set(error, "%s: out of memory", name);
		return NULL;
	}
	if (unpack(file, &image->file, error)) {
		free(image);
	} else if (read_image(image, accept, kernel, error)) {
		image_close(image);
	} else {
		return image;
	}
	ks_error_prefix(error, "%s", name);
	return NULL;
}

static struct image *open_core(const char *path, struct ks_error *error)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image)
		ks_error_set(error, "%s: out of memory", path);
	else if (core_image_read(image, path, error) != 0)
		ks_error_prefix(error, "%s", path);
	else
		return image;
	image_close(image);
	return NULL;
}

static struct image *open_path(const char *path, enum accept accept, const struct image *kernel,
			       struct ks_error *error)
{
	struct bytes file;

	if ((accept & ACCEPT_KERNEL) && core_image_is(path))
		return open_core(path, error);
	if (read_whole_file(path, SIZE_LIMIT, &file, error)) {
		ks_error_prefix(error, "%s", path);
		return NULL;
	}
	return open_bytes(path, &file, accept, kernel, error);
}

static struct image *open_memory(const char *name, const void *bytes, size_t size,
				 enum accept accept, const struct image *kernel,
				 struct ks_error *error)
{
	struct bytes file = { .size = size };

	if (size > SIZE_LIMIT) {
		ks_error_set(error, "%s: larger than %zu MiB", name, SIZE_LIMIT >> 20);
		return NULL;
	}
	file.data = malloc(size + 1);
	if (!file.data) {
		ks_error_set(error, "%s: out of memory", name);
		return NULL;
	}
	if (size)
		memcpy(file.data, bytes, size);
	return open_bytes(name, &file, accept, kernel, error);
}

struct image *image_open(const char *path, struct ks_error *error)
{
	return open_path(path, ACCEPT_KERNEL, NULL, error);
}

struct image *image_open_memory(const char *name, const void *bytes, size_t size,
				struct ks_error *error)
{
	return open_memory(name, bytes, size, ACCEPT_KERNEL, NULL, error);
}

struct image *image_open_module(const char *path, const struct image *kernel,
				struct ks_error *error)
{
	return open_path(path, ACCEPT_MODULE, kernel, error);
}

struct image *image_open_module_memory(const char *name, const void *bytes, size_t size,
				       const struct image *kernel, struct ks_error *error)
{
	return open_memory(name, bytes, size, ACCEPT_MODULE, kernel, error);
}

struct image *image_open_target(const char *path, const struct image *kernel,
				struct ks_error *error)
{
	return open_path(path, ACCEPT_KERNEL | ACCEPT_MODULE, kernel, error);
}

void image_close(struct image *image)
{
	if (!image)
		return;
	elf_end(image->elf);
	object_free(image->module);
	core_image_free(image->core);
	free(image->banner);
	free(image->release);
	free(image->module_name);
	free(image->sections);
	free(image->areas);
	free(image->file.data);
	free(image);
}

unsigned int image_word_size(const struct image *image)
{
	return image->word_size;
}

const char *image_release(const struct image *image)
{
	return image->release;
}

const char *image_module_name(const struct image *image)
{
	return image->module_name;
}

const char *image_banner(const struct image *image)
{
	return image->banner;
}

int image_read(const struct image *image, uint64_t address, void *buffer, size_t size)
{
	if (image->core)
		return core_image_copy(image->core, address, buffer, size);
	for (size_t i = 0; i < image->nr_areas; i++) {
		const struct kallsyms_area *area = &image->areas[i];
		uint64_t offset = address - area->address;

		if (offset < area->size && size <= area->size - offset) {
			memcpy(buffer, area->bytes + offset, size);
			return 0;
		}
	}
	return -EFAULT;
}

int image_find_section(const struct image *image, const char *name,
		       struct image_section *section)
{
	for (size_t i = 1; i < image->nr_sections; i++) {
		if (!strcmp(image->sections[i].name, name)) {
			*section = image->sections[i];
			return 0;
		}
	}
	return -ENOENT;
}

char image_symbol_type(const struct image *image, unsigned char info, size_t index)
{
	bool local = GELF_ST_BIND(info) == STB_LOCAL;
	const struct image_section *section;

	if (GELF_ST_BIND(info) == STB_WEAK)
		return GELF_ST_TYPE(info) == STT_OBJECT ? 'V' : 'W';
	if (index == SHN_ABS)
		return local ? 'a' : 'A';
	if (index >= image->nr_sections)
		return '?';
	section = &image->sections[index];
	if (section->flags & SHF_EXECINSTR)
		return local ? 't' : 'T';
	if (!section->bytes)
		return local ? 'b' : 'B';
	if (section->flags & SHF_WRITE)
		return local ? 'd' : 'D';
	return local ? 'r' : 'R';
}

int image_for_each_symbol(const struct image *image, image_symbol_fn symbol, void *context)
{
	if (image->module)
		return module_image_for_each_symbol(image, symbol, context);
	if (image->core)
		return core_image_for_each_symbol(image->core, symbol, context);
	if (!image->symbols)
		return kallsyms_for_each(&image->kallsyms, symbol, context);
	for (size_t i = 1; i < image->nr_symbols; i++) {
		GElf_Sym elf_symbol;
		const char *name = symbol_name(image, i, &elf_symbol);
		int result;

		if (!name || !*name)
			continue;
		result = symbol(name, elf_symbol.st_value,
				image_symbol_type(image, elf_symbol.st_info, elf_symbol.st_shndx),
				context);
		if (result)
			return result;
	}
	return 0;
}

struct imports {
	image_symbol_fn symbol;
	void *context;
};

static int if_imported(const char *name, uint64_t address, char type, void *context)
{
	const struct imports *imports = context;

	return type == 'U' ? imports->symbol(name, address, type, imports->context) : 0;
}

int image_for_each_import(const struct image *image, image_symbol_fn symbol, void *context)
{
	struct imports imports = { .symbol = symbol, .context = context };

	if (image->core)
		return core_image_for_each_import(image->core, symbol, context);
	return image->module ? module_image_for_each_symbol(image, if_imported, &imports) : 0;
}

static int is_named(const char *name, uint64_t address, char type, void *context)
{
	(void)address;
	(void)type;
	return !strcmp(name, context);
}

bool image_has_symbol(const struct image *image, const char *name)
{
	if (image->module)
		return hash_find(&image->named_by_name, name);
	return image_for_each_symbol(image, is_named, (void *)name);
}
