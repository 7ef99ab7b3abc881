// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The memory of the running kernel: /proc/kcore, an ELF core file of the whole
 * address space, of which what is asked for is read, and kallsyms beside it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/image_internal.h"
#include "lib/util.h"

struct core_segment {
	uint64_t address, size, offset;
};

struct core_symbol {
	uint64_t address;
	char type;
	char *name;
	char *module;		/* NULL for vmlinux */
};

struct core_image {
	int fd;
	struct core_segment *segments;
	size_t nr_segments;
	struct core_symbol *symbols;
	size_t nr_symbols, room;
	char *target;		/* module whose symbols are reported; NULL: vmlinux */
};

static bool read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	while (size > 0) {
		ssize_t done = pread(fd, buffer, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		buffer = (char *)buffer + done;
		size -= (size_t)done;
		offset += (uint64_t)done;
	}
	return true;
}

bool core_image_is(const char *path)
{
	Elf64_Ehdr header;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is;

	if (fd < 0)
		return false;
	/* The type is at the same place for both word sizes. */
	is = read_at(fd, &header, offsetof(Elf64_Ehdr, e_version), 0) &&
	     memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_type == ET_CORE;
	close(fd);
	return is;
}

static bool read_header(struct image *image)
{
	struct core_image *core = image->core;
	Elf64_Ehdr header;
	Elf32_Ehdr small;

	if (!read_at(core->fd, &small, sizeof(small), 0))
		return false;
	if (small.e_ident[EI_CLASS] == ELFCLASS32) {
		image->word_size = 4;
		image->header.e_phoff = small.e_phoff;
		image->header.e_phnum = small.e_phnum;
		image->header.e_phentsize = small.e_phentsize;
		return small.e_phentsize == sizeof(Elf32_Phdr);
	}
	if (!read_at(core->fd, &header, sizeof(header), 0))
		return false;
	image->word_size = 8;
	image->header.e_phoff = header.e_phoff;
	image->header.e_phnum = header.e_phnum;
	image->header.e_phentsize = header.e_phentsize;
	return header.e_phentsize == sizeof(Elf64_Phdr);
}

static void add_segment(struct core_image *core, uint32_t type, uint64_t address, uint64_t size,
			uint64_t offset)
{
	if (type != PT_LOAD || size == 0)
		return;
	core->segments[core->nr_segments++] = (struct core_segment){
		.address = address,
		.size = size,
		.offset = offset,
	};
}

static int read_segments(struct image *image, struct ks_error *error)
{
	struct core_image *core = image->core;
	size_t i;

	if (!read_header(image))
		return ks_error_set(error, "not a valid ELF core file");
	core->segments = calloc(image->header.e_phnum + 1, sizeof(*core->segments));
	if (!core->segments)
		return ks_error_set(error, "out of memory");
	for (i = 0; i < image->header.e_phnum; i++) {
		uint64_t at = image->header.e_phoff + i * image->header.e_phentsize;
		Elf64_Phdr header;
		Elf32_Phdr small;

		if (image->word_size == 8 && read_at(core->fd, &header, sizeof(header), at))
			add_segment(core, header.p_type, header.p_vaddr, header.p_memsz,
				    header.p_offset);
		else if (image->word_size == 4 && read_at(core->fd, &small, sizeof(small), at))
			add_segment(core, small.p_type, small.p_vaddr, small.p_memsz,
				    small.p_offset);
		else
			return ks_error_set(error, "program header %zu cannot be read", i);
	}
	return 0;
}

/* A line of kallsyms: "ffffffff81000000 T _text", "… t init\t[zram]". */
static int add_symbol(struct core_image *core, char *line)
{
	struct core_symbol symbol = { .type = '?' };
	char name[1024], module[1024];
	unsigned long long address;
	int count = sscanf(line, "%llx %c %1023s [%1023[^]]]", &address, &symbol.type, name, module);

	if (count < 3)
		return 0;
	symbol.address = address;
	symbol.name = strdup(name);
	symbol.module = count == 4 ? strdup(module) : NULL;
	if (core->nr_symbols == core->room) {
		size_t room = core->room ? 2 * core->room : 1 << 16;
		struct core_symbol *symbols = realloc(core->symbols, room * sizeof(*symbols));

		if (symbols) {
			core->symbols = symbols;
			core->room = room;
		}
	}
	if (!symbol.name || (count == 4 && !symbol.module) || core->nr_symbols == core->room) {
		free(symbol.name);
		free(symbol.module);
		return -1;
	}
	core->symbols[core->nr_symbols++] = symbol;
	return 0;
}

static int read_symbols(struct core_image *core, const char *path, struct ks_error *error)
{
	FILE *file = fopen(path, "r");
	bool hidden = true;
	char *line = NULL;
	size_t size = 0, i;
	int ret = 0;

	if (!file)
		return ks_error_set(error, "%s: %s", path, strerror(errno));
	while (ret == 0 && getline(&line, &size, file) > 0)
		ret = add_symbol(core, line);
	free(line);
	fclose(file);
	if (ret != 0)
		return ks_error_set(error, "out of memory");
	for (i = 0; i < core->nr_symbols && hidden; i++)
		hidden = core->symbols[i].address == 0;
	if (hidden)
		return ks_error_set(error, "%s: no addresses in it: are you root, and is kernel.kptr_restrict 0 or 1?",
				    path);
	return 0;
}

/* "Linux version 6.1.0-56-amd64 (…" beside the core file, where there is one. */
static void read_version(struct image *image, const char *path)
{
	static const char start[] = "Linux version ";
	FILE *file = fopen(path, "r");
	char line[1024];

	if (!file)
		return;
	if (fgets(line, sizeof(line), file) && strstarts(line, start)) {
		line[strcspn(line, "\n")] = '\0';
		image->banner = strdup(line);
		image->release = strndup(line + strlen(start), strcspn(line + strlen(start), " "));
	}
	fclose(file);
}

int core_image_read(struct image *image, const char *path, struct ks_error *error)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;
	char beside[4096];

	image->core = calloc(1, sizeof(*image->core));
	if (!image->core)
		return ks_error_set(error, "out of memory");
	image->core->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (image->core->fd < 0)
		return ks_error_set(error, "%s", strerror(errno));
	if (read_segments(image, error) != 0)
		return -1;
	snprintf(beside, sizeof(beside), "%.*skallsyms", folder, path);
	if (read_symbols(image->core, beside, error) != 0)
		return -1;
	snprintf(beside, sizeof(beside), "%.*sversion", folder, path);
	read_version(image, beside);
	return 0;
}

void core_image_free(struct core_image *core)
{
	size_t i;

	if (!core)
		return;
	if (core->fd >= 0)
		close(core->fd);
	for (i = 0; i < core->nr_symbols; i++) {
		free(core->symbols[i].name);
		free(core->symbols[i].module);
	}
	free(core->symbols);
	free(core->segments);
	free(core->target);
	free(core);
}

int core_image_copy(const struct core_image *core, uint64_t address, void *buffer, size_t size)
{
	size_t i;

	for (i = 0; i < core->nr_segments; i++) {
		const struct core_segment *segment = &core->segments[i];
		uint64_t offset = address - segment->address;

		if (offset < segment->size && size <= segment->size - offset)
			return read_at(core->fd, buffer, size, segment->offset + offset) ? 0 :
											   -EFAULT;
	}
	return -EFAULT;
}

/* The symbols of a module, or for NULL those of vmlinux. */
static int each_of(const struct core_image *core, const char *module, image_symbol_fn symbol,
		   void *context)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < core->nr_symbols && ret == 0; i++) {
		const struct core_symbol *found = &core->symbols[i];

		if (module ? found->module && strcmp(found->module, module) == 0 : !found->module)
			ret = symbol(found->name, found->address, found->type, context);
	}
	return ret;
}

int core_image_for_each_symbol(const struct core_image *core, image_symbol_fn symbol,
			       void *context)
{
	return each_of(core, core->target, symbol, context);
}

int core_image_for_each_import(const struct core_image *core, image_symbol_fn symbol,
			       void *context)
{
	return core->target ? each_of(core, NULL, symbol, context) : 0;
}

bool image_is_live(const struct image *image)
{
	return image->core;
}

bool image_select(struct image *image, const char *module)
{
	size_t i;

	if (!image->core)
		return false;
	free(image->core->target);
	image->core->target = NULL;
	if (strcmp(module, "vmlinux") == 0)
		return true;
	image->core->target = strdup(module);
	for (i = 0; i < image->core->nr_symbols; i++)
		if (image->core->symbols[i].module &&
		    strcmp(image->core->symbols[i].module, module) == 0)
			return image->core->target != NULL;
	return false;
}
