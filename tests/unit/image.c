// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lib/image.c and lib/kallsyms.c on images made here, in every layout of
 * kallsyms and both word sizes, sound and broken. With KSPLICE_TEST_IMAGE=FILE
 * also on a stock vmlinuz.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/image.h"
#include "tests/unit/keep.h"

#define BANNER "Linux version 6.1.0-test (me@here) (gcc) #1 SMP\n"
#define BANNER_STUB "Linux version 6.1.0-stub (me@here) (gcc) # SMP\n"
#define TEXT_SIZE 0x1000
#define RODATA_GAP 0x10000
#define SYMBOLS_MAX 700

enum layout {
	OLD,		/* before 6.2: offsets … markers token_table token_index */
	OLD_SEQS,	/* 6.1.y, 6.2: the same with seqs_of_names after markers */
	NEW,		/* 6.4: … token_index offsets relative_base seqs_of_names */
	LAYOUTS
};

enum fault {
	NO_FAULT,
	BAD_MARKER,
	BAD_OFFSET,	/* addresses that descend */
	BAD_BASE,	/* _text lies outside the text */
	BAD_TOKEN_INDEX,
	BAD_LENGTH,	/* a name of length 0 */
	TWO_TABLES,
};

/* What to build. */
struct plan {
	unsigned int word_size;
	enum layout layout;
	bool absolute_percpu;
	bool segments;
	bool symtab;
	bool no_kallsyms;
	unsigned int count;	/* symbols */
	enum fault fault;
	uint16_t type;		/* 0: ET_EXEC */
	uint16_t machine;	/* 0: by word size */
};

struct buffer {
	unsigned char *data;
	size_t size;
};

static void put(struct buffer *b, const void *bytes, size_t size)
{
	b->data = realloc(b->data, b->size + size + 1);
	assert_non_null(b->data);
	if (!size)
		return;
	memcpy(b->data + b->size, bytes, size);
	b->size += size;
}

static void put_number(struct buffer *b, uint64_t value, unsigned int bytes)
{
	unsigned char le[8];

	for (unsigned int i = 0; i < bytes; i++)
		le[i] = value >> 8 * i;
	put(b, le, bytes);
}

static void set_le32(unsigned char *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = value >> 8 * i;
}

static void align(struct buffer *b, unsigned int to)
{
	while (b->size % to)
		put(b, "", 1);
}

static uint64_t text_address(const struct plan *plan)
{
	return plan->word_size == 8 ? 0xffffffff81000000 : 0xc1000000;
}

/* Symbol @i of the plan: its type letter and name, and its address. */
static uint64_t plan_symbol(const struct plan *plan, unsigned int i, char *name)
{
	unsigned int percpu = plan->absolute_percpu ? 3 : 0;

	if (i < percpu) {
		sprintf(name, "Apercpu_%u", i);
		return 16 * i;
	}
	i -= percpu;
	if (i == 0)
		strcpy(name, "T_text");
	else if (i == 300)
		sprintf(name, "T%0200u", i);	/* two length bytes */
	else
		sprintf(name, "tfunc_%u", i);
	return text_address(plan) + 4 * i;
}

static const char *token(unsigned int code, char *buffer)
{
	if (code == 255)
		return "func_";
	if (code == 254)
		return "Apercpu_";
	sprintf(buffer, "%c", code > ' ' && code < 0x7f ? (int)code : 0);
	return buffer;
}

static void put_name(struct buffer *b, const char *name, bool bad)
{
	struct buffer codes = { 0 };

	while (*name) {
		if (!strncmp(name, "func_", 5)) {
			put(&codes, "\xff", 1);
			name += 5;
		} else if (!strncmp(name, "Apercpu_", 8)) {
			put(&codes, "\xfe", 1);
			name += 8;
		} else {
			put(&codes, name++, 1);
		}
	}
	if (bad)
		codes.size = 0;
	if (codes.size < 0x80) {
		put_number(b, codes.size, 1);
	} else {
		put_number(b, (codes.size & 0x7f) | 0x80, 1);
		put_number(b, codes.size >> 7, 1);
	}
	put(b, codes.data, codes.size);
	free(codes.data);
}

static void put_offsets(struct buffer *b, const struct plan *plan)
{
	uint64_t base = text_address(plan);
	char name[256];

	align(b, plan->word_size);
	for (unsigned int i = 0; i < plan->count; i++) {
		uint64_t address = plan_symbol(plan, i, name);

		if (plan->fault == BAD_OFFSET && i == plan->count - 1)
			address = base;
		if (plan->absolute_percpu && address >= base)
			address = base - 1 - address;
		else if (!plan->absolute_percpu)
			address -= base;
		put_number(b, address, 4);
	}
	align(b, plan->word_size);
	put_number(b, plan->fault == BAD_BASE ? base + TEXT_SIZE : base, plan->word_size);
}

static void put_seqs(struct buffer *b, const struct plan *plan)
{
	align(b, plan->word_size);
	for (unsigned int i = 0; i < plan->count; i++)
		put_number(b, i, 3);
}

static void put_tokens(struct buffer *b, const struct plan *plan)
{
	uint16_t index[256];
	size_t start;
	char text[2];

	align(b, plan->word_size);
	start = b->size;
	for (unsigned int i = 0; i < 256; i++) {
		const char *string = token(i, text);

		index[i] = b->size - start;
		put(b, string, strlen(string) + 1);
	}
	if (plan->fault == BAD_TOKEN_INDEX)
		index[200]++;
	align(b, plan->word_size);
	for (unsigned int i = 0; i < 256; i++)
		put_number(b, index[i], 2);
}

static void put_kallsyms(struct buffer *b, const struct plan *plan)
{
	unsigned int nr_markers = 0;
	uint32_t markers[SYMBOLS_MAX / 256 + 1];
	char name[256];
	size_t start;

	if (plan->layout != NEW)
		put_offsets(b, plan);
	align(b, plan->word_size);
	put_number(b, plan->count, 4);
	align(b, plan->word_size);
	start = b->size;
	for (unsigned int i = 0; i < plan->count; i++) {
		if (i % 256 == 0)
			markers[nr_markers++] = b->size - start;
		plan_symbol(plan, i, name);
		put_name(b, name, plan->fault == BAD_LENGTH && i == 5);
	}
	if (plan->fault == BAD_MARKER)
		markers[nr_markers - 1]++;
	align(b, plan->word_size);
	for (unsigned int i = 0; i < nr_markers; i++)
		put_number(b, markers[i], 4);
	if (plan->layout == OLD_SEQS)
		put_seqs(b, plan);
	put_tokens(b, plan);
	if (plan->layout == NEW) {
		put_offsets(b, plan);
		put_seqs(b, plan);
	}
}

/* Sections of a plan's file, with what their headers need. */
struct part {
	const char *name;
	uint32_t type, flags, link, entsize;
	uint64_t address;
	struct buffer contents;
	size_t offset;
};

#define NR_PARTS 7
static const char part_names[] = "\0.text\0.rodata\0.bss\0.symtab\0.strtab\0.shstrtab";

static void put_symtab(struct buffer *symtab, struct buffer *strings, const struct plan *plan)
{
	char name[256];

	for (unsigned int i = 0; i < (plan->word_size == 8 ? 3 : 2); i++)
		put_number(symtab, 0, 8);
	put(strings, "", 1);
	for (unsigned int i = 0; i < plan->count; i++) {
		uint64_t address = plan_symbol(plan, i, name);
		unsigned char info = ELF64_ST_INFO(name[0] == 'T' ? STB_GLOBAL : STB_LOCAL,
						   STT_FUNC);

		put_number(symtab, strings->size, 4);
		if (plan->word_size == 4) {
			put_number(symtab, address, 4);
			put_number(symtab, 4, 4);
		}
		put_number(symtab, info, 1);
		put_number(symtab, 0, 1);
		put_number(symtab, name[0] == 'A' ? SHN_ABS : 1, 2);
		if (plan->word_size == 8) {
			put_number(symtab, address, 8);
			put_number(symtab, 4, 8);
		}
		put(strings, name + 1, strlen(name + 1) + 1);
	}
}

static void put_elf_header(struct buffer *b, const struct plan *plan, size_t shoff)
{
	unsigned int word = plan->word_size;
	uint16_t machine = plan->machine ? plan->machine : word == 8 ? EM_X86_64 : EM_386;
	unsigned char ident[EI_NIDENT] = { 0x7f, 'E', 'L', 'F', word == 8 ? ELFCLASS64 : ELFCLASS32,
					   ELFDATA2LSB, EV_CURRENT };

	put(b, ident, sizeof(ident));
	put_number(b, plan->type ? plan->type : ET_EXEC, 2);
	put_number(b, machine, 2);
	put_number(b, EV_CURRENT, 4);
	put_number(b, text_address(plan), word);
	put_number(b, plan->segments ? (word == 8 ? 64 : 52) : 0, word);
	put_number(b, shoff, word);
	put_number(b, 0, 4);
	put_number(b, word == 8 ? 64 : 52, 2);
	put_number(b, word == 8 ? 56 : 32, 2);
	put_number(b, plan->segments ? 2 : 0, 2);
	put_number(b, word == 8 ? 64 : 40, 2);
	put_number(b, NR_PARTS, 2);
	put_number(b, NR_PARTS - 1, 2);
}

static void put_segment(struct buffer *b, const struct plan *plan, const struct part *part)
{
	unsigned int word = plan->word_size;
	uint32_t flags = part->flags & SHF_EXECINSTR ? PF_R | PF_X : PF_R;

	put_number(b, PT_LOAD, 4);
	if (word == 8)
		put_number(b, flags, 4);
	put_number(b, part->offset, word);
	put_number(b, part->address, word);
	put_number(b, part->address, word);
	put_number(b, part->contents.size, word);
	put_number(b, part->contents.size, word);
	if (word == 4)
		put_number(b, flags, 4);
	put_number(b, 16, word);
}

static void put_section(struct buffer *b, const struct plan *plan, const struct part *part)
{
	unsigned int word = plan->word_size;
	const char *name = part_names;

	while (part->type && strcmp(name, part->name))
		name += strlen(name) + 1;
	put_number(b, name - part_names, 4);
	put_number(b, part->type, 4);
	put_number(b, part->flags, word);
	put_number(b, part->address, word);
	put_number(b, part->offset, word);
	put_number(b, part->type == SHT_NOBITS ? 64 : part->contents.size, word);
	put_number(b, part->link, 4);
	put_number(b, part->type == SHT_SYMTAB ? 1 : 0, 4);
	put_number(b, part->type ? 16 : 0, word);
	put_number(b, part->entsize, word);
}

/* An ELF file after the plan; its section headers are its last bytes. */
static struct buffer build(const struct plan *plan)
{
	uint64_t text = text_address(plan);
	struct part parts[NR_PARTS] = {
		{ .name = "" },
		{ ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, .address = text },
		{ ".rodata", SHT_PROGBITS, SHF_ALLOC, .address = text + RODATA_GAP },
		{ ".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, .address = text + 0x100000 },
		{ ".symtab", plan->symtab ? SHT_SYMTAB : SHT_PROGBITS, .link = 5,
		  .entsize = plan->word_size == 8 ? 24 : 16 },
		{ .name = ".strtab", .type = SHT_STRTAB },
		{ .name = ".shstrtab", .type = SHT_STRTAB },
	};
	struct buffer file = { 0 }, header = { 0 };
	size_t start = plan->word_size == 8 ? 64 + 2 * 56 : 52 + 2 * 32;

	for (unsigned int i = 0; i < TEXT_SIZE; i++)
		put_number(&parts[1].contents, i % 251, 1);
	put(&parts[2].contents, "Linux version %s", 17);
	put(&parts[2].contents, BANNER_STUB, sizeof(BANNER_STUB));
	put(&parts[2].contents, BANNER, sizeof(BANNER));
	for (int i = 0; i < (plan->no_kallsyms ? 0 : plan->fault == TWO_TABLES ? 2 : 1); i++)
		put_kallsyms(&parts[2].contents, plan);
	if (plan->symtab)
		put_symtab(&parts[4].contents, &parts[5].contents, plan);
	put(&parts[6].contents, part_names, sizeof(part_names));

	for (size_t i = 0; i < start; i++)
		put(&file, "", 1);
	for (int i = 1; i < NR_PARTS; i++) {
		align(&file, 16);
		parts[i].offset = file.size;
		put(&file, parts[i].contents.data, parts[i].contents.size);
	}
	align(&file, 16);
	put_elf_header(&header, plan, file.size);
	put_segment(&header, plan, &parts[1]);
	put_segment(&header, plan, &parts[2]);
	memcpy(file.data, header.data, header.size);
	for (int i = 0; i < NR_PARTS; i++) {
		put_section(&file, plan, &parts[i]);
		free(parts[i].contents.data);
	}
	free(header.data);
	keep_seed(file.data, file.size, "", 0);
	return file;
}

static struct buffer compress_bytes(const struct buffer *in, const char *filter)
{
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	struct buffer out = { .data = malloc(2 * in->size + 65536) };

	archive_entry_set_filetype(entry, AE_IFREG);
	assert_int_equal(archive_write_add_filter_by_name(archive, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_set_format_raw(archive), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(archive, 1);
	assert_int_equal(archive_write_open_memory(archive, out.data, 2 * in->size + 65536,
						   &out.size), ARCHIVE_OK);
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(archive, in->data, in->size), in->size);
	assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
	archive_write_free(archive);
	archive_entry_free(entry);
	return out;
}

/* The legacy frame that the kernel's build uses: magic, size, one block of literals. */
static struct buffer compress_lz4_legacy(const struct buffer *in)
{
	struct buffer out = { 0 }, block = { 0 };
	size_t rest = in->size - 15;

	put_number(&block, 0xf0, 1);
	for (; rest >= 255; rest -= 255)
		put_number(&block, 255, 1);
	put_number(&block, rest, 1);
	put(&block, in->data, in->size);
	put_number(&out, 0x184c2102, 4);
	put_number(&out, block.size, 4);
	put(&out, block.data, block.size);
	free(block.data);
	return out;
}

/* A bzImage of the payload; the 4 bytes of its size follow unless it is gzip. */
static struct buffer make_bzimage(const struct buffer *payload, uint32_t size, bool gzip)
{
	struct buffer b = { 0 };
	size_t length = payload->size + (gzip ? 0 : 4);

	for (int i = 0; i < 2 * 512 + 16; i++)
		put(&b, "", 1);
	b.data[0x1f1] = 1;
	b.data[0x1fe] = 0x55;
	b.data[0x1ff] = 0xaa;
	memcpy(b.data + 0x202, "HdrS\x0f\x02", 6);
	set_le32(b.data + 0x248, 16);
	set_le32(b.data + 0x24c, length);
	put(&b, payload->data, payload->size);
	if (!gzip)
		put_number(&b, size, 4);
	keep_seed(b.data, b.size, "", 0);
	return b;
}

static struct image *open_buffer(const struct buffer *b, struct ks_error *error)
{
	/* An allocation of exactly this size, so that a sanitizer sees overreads. */
	unsigned char *copy = malloc(b->size ? b->size : 1);
	struct image *image;

	if (b->size)
		memcpy(copy, b->data, b->size);
	memset(error, 0, sizeof(*error));
	image = image_open_memory("test", copy, b->size, error);
	free(copy);
	return image;
}

/* Must be refused with a message that contains @text. Frees the buffer. */
static void refused(struct buffer b, const char *text)
{
	struct ks_error error;
	struct image *image = open_buffer(&b, &error);

	free(b.data);
	assert_null(image);
	assert_int_equal(strncmp(error.text, "test: ", 6), 0);
	if (!strstr(error.text, text))
		fail_msg("'%s' does not contain '%s'", error.text, text);
}

struct walk {
	const struct plan *plan;
	unsigned int seen;
};

static int check_symbol(const char *name, uint64_t address, char type, void *context)
{
	struct walk *walk = context;
	char expected[256];

	assert_true(walk->seen < walk->plan->count);
	assert_int_equal(address, plan_symbol(walk->plan, walk->seen++, expected));
	assert_string_equal(name, expected + 1);
	/* the plan's per-CPU symbols are local in .symtab */
	assert_int_equal(type & ~0x20, expected[0] & ~0x20);
	return 0;
}

static int stop_at_third(const char *name, uint64_t address, char type, void *context)
{
	(void)name;
	(void)address;
	(void)type;
	return ++*(int *)context == 3 ? -7 : 0;
}

static void check_image(struct buffer b, const struct plan *plan)
{
	struct walk walk = { .plan = plan };
	struct ks_error error;
	struct image *image = open_buffer(&b, &error);
	struct image_section section;
	unsigned char text[16];
	uint64_t base = text_address(plan);
	int calls = 0;

	free(b.data);
	if (!image)
		fail_msg("layout %d, word %u: %s", plan->layout, plan->word_size, error.text);
	assert_int_equal(image_word_size(image), plan->word_size);
	assert_string_equal(image_release(image), "6.1.0-test");
	assert_memory_equal(image_banner(image), BANNER, strlen(BANNER) - 1);
	assert_int_equal(image_for_each_symbol(image, check_symbol, &walk), 0);
	assert_int_equal(walk.seen, plan->count);
	assert_int_equal(image_for_each_symbol(image, stop_at_third, &calls), -7);
	assert_int_equal(calls, 3);

	assert_int_equal(image_read(image, base + 3, text, 5), 0);
	assert_memory_equal(text, "\3\4\5\6\7", 5);
	assert_int_equal(image_read(image, base + TEXT_SIZE - 16, text, 16), 0);
	assert_int_equal(image_read(image, base + TEXT_SIZE - 15, text, 16), -EFAULT);
	assert_int_equal(image_read(image, base - 1, text, 2), -EFAULT);
	assert_int_equal(image_read(image, base, text, SIZE_MAX), -EFAULT);
	assert_int_equal(image_read(image, base + 0x100000, text, 1), -EFAULT);

	assert_int_equal(image_find_section(image, ".text", &section), 0);
	assert_int_equal(section.address, base);
	assert_int_equal(section.size, TEXT_SIZE);
	assert_int_equal(section.bytes[1], 1);
	assert_int_equal(image_find_section(image, ".bss", &section), 0);
	assert_null(section.bytes);
	assert_int_equal(image_find_section(image, ".none", &section), -ENOENT);
	image_close(image);
}

static void test_layouts(void **state)
{
	static const unsigned int counts[] = { 10, 255, 256, 257, 512, 600 };

	(void)state;
	for (unsigned int word = 4; word <= 8; word += 4)
		for (int layout = 0; layout < LAYOUTS; layout++)
			for (int bits = 0; bits < 4; bits++)
				for (unsigned int i = 0; i < 6; i++) {
					struct plan plan = {
						.word_size = word,
						.layout = layout,
						.absolute_percpu = bits & 1,
						.segments = bits & 2,
						.count = counts[i],
					};

					check_image(build(&plan), &plan);
				}
}

static void test_symtab(void **state)
{
	struct plan plan = { .symtab = true, .no_kallsyms = true, .count = 600,
			     .absolute_percpu = true };

	(void)state;
	for (plan.word_size = 4; plan.word_size <= 8; plan.word_size += 4)
		check_image(build(&plan), &plan);
}

static void test_compressed(void **state)
{
	static const char *const filters[] = { "gzip", "bzip2", "xz", "lzma", "lz4", "zstd" };
	struct plan plan = { .word_size = 8, .layout = NEW, .count = 300 };
	struct buffer elf = build(&plan), packed;

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		packed = compress_bytes(&elf, filters[i]);
		check_image(make_bzimage(&packed, elf.size, i == 0), &plan);
		check_image(packed, &plan);
	}
	packed = compress_lz4_legacy(&elf);
	check_image(make_bzimage(&packed, elf.size, false), &plan);
	free(packed.data);
	free(elf.data);
}

/* A program of this name that takes away the magic number; none for NULL. */
static void put_lzop(const char *folder, const char *script)
{
	char *path, *name;
	FILE *file;

	assert_true(asprintf(&path, "%s:%s", folder, script ? getenv("PATH") : folder) > 0);
	assert_true(asprintf(&name, "%s/lzop", folder) > 0);
	unlink(name);
	if (script) {
		file = fopen(name, "w");
		assert_non_null(file);
		fputs(script, file);
		fclose(file);
		assert_int_equal(chmod(name, 0755), 0);
	}
	setenv("PATH", path, 1);
	free(name);
	free(path);
}

/* Where libarchive has no decoder of its own for lzop, it runs the program. */
static void test_lzop(void **state)
{
	static const char magic[] = "\x89LZO\0\r\n\x1a\n";
	char folder[] = "/tmp/ksplice-test-XXXXXX", *path = strdup(getenv("PATH"));
	struct plan plan = { .word_size = 8, .layout = NEW, .count = 300 };
	struct archive *archive = archive_read_new();
	bool own = archive_read_support_filter_lzop(archive) == ARCHIVE_OK;
	struct buffer elf = build(&plan), packed = { 0 };

	(void)state;
	archive_read_free(archive);
	put(&packed, magic, sizeof(magic) - 1);
	put(&packed, elf.data, elf.size);
	if (!own) {
		assert_non_null(mkdtemp(folder));
		put_lzop(folder, "#!/bin/sh\nexec tail -c +10\n");
		check_image(make_bzimage(&packed, elf.size, false), &plan);
		put_lzop(folder, "#!/bin/sh\nexit 1\n");
		refused(make_bzimage(&packed, elf.size, false), "payload: lzop: ");
		put_lzop(folder, NULL);
		refused(make_bzimage(&packed, elf.size, false), "(install lzop)");
		setenv("PATH", path, 1);
		rmdir(folder);
	}
	free(packed.data);
	free(elf.data);
	free(path);
	if (own)
		skip();
}

static void test_faults(void **state)
{
	static const struct {
		enum fault fault;
		const char *text;
	} cases[] = {
		{ BAD_MARKER, "no names and markers that fit" },
		{ BAD_LENGTH, "no names and markers that fit" },
		{ BAD_OFFSET, "no offsets that fit" },
		{ BAD_BASE, "no offsets that fit" },
		{ BAD_TOKEN_INDEX, "no kallsyms found" },
		{ TWO_TABLES, "can't tell which is right" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int layout = 0; layout < LAYOUTS; layout++) {
			struct plan plan = { .word_size = 8, .layout = layout, .count = 600,
					     .absolute_percpu = true, .fault = cases[i].fault };

			refused(build(&plan), cases[i].text);
			plan.word_size = 4;
			refused(build(&plan), cases[i].text);
		}
}

static void test_refused(void **state)
{
	struct plan plan = { .word_size = 8, .count = 10 };
	struct buffer elf = build(&plan), packed = compress_bytes(&elf, "xz"), b;

	(void)state;
	b = make_bzimage(&packed, elf.size, false);
	b.data[0x206] = 7;
	refused(b, "boot protocol 2.07 is too old");
	refused(make_bzimage(&packed, elf.size + 1, false), "truncated?");
	refused(make_bzimage(&packed, elf.size - 1, false), "more than");
	refused(make_bzimage(&packed, 0xffffffff, false), "1024 MiB");
	b = make_bzimage(&packed, elf.size, false);
	b.data[2 * 512 + 16] = 'x';
	refused(b, "payload: compressed in an unknown way");
	refused(compress_bytes(&packed, "gzip"), "compressed more than once");
	free(packed.data);
	packed = (struct buffer){ .data = (unsigned char *)"not ELF", .size = 7 };
	refused(compress_bytes(&packed, "gzip"), "not an ELF file");
	free(elf.data);

	plan.type = ET_REL;
	refused(build(&plan), "a module or object, not a linked kernel");
	plan.type = ET_CORE;
	refused(build(&plan), "ELF type 4");
	plan.type = 0;
	plan.machine = EM_AARCH64;
	refused(build(&plan), "neither x86-64 nor i386");
	plan.machine = 0;
	plan.no_kallsyms = true;
	refused(build(&plan), "CONFIG_KALLSYMS");
	refused((struct buffer){ 0 }, "neither a bzImage");
}

static void test_files(void **state)
{
	struct plan plan = { .word_size = 8, .count = 10 };
	struct buffer elf = build(&plan);
	char path[32];
	struct ks_error error;
	struct image *image;
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "image-test.%d.tmp", (int)getpid());
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(elf.data, 1, elf.size, file), elf.size);
	assert_int_equal(fclose(file), 0);
	free(elf.data);
	image = image_open(path, &error);
	unlink(path);
	assert_non_null(image);
	image_close(image);
	assert_null(image_open(path, &error));
	assert_non_null(strstr(error.text, ": No such file or directory"));
	assert_null(image_open(".", &error));
	assert_string_equal(error.text, ".: not a regular file");
	image_close(NULL);
}

/* No part of a file is a whole one. */
static void check_prefixes(const struct buffer *whole)
{
	struct ks_error error;

	for (size_t size = 0; size < whole->size; size++) {
		struct buffer prefix = { .data = whole->data, .size = size };

		assert_null(open_buffer(&prefix, &error));
		assert_int_equal(strncmp(error.text, "test: ", 6), 0);
	}
}

static void test_prefixes(void **state)
{
	struct plan plan = { .word_size = 4, .layout = OLD_SEQS, .count = 12, .segments = true };
	struct buffer elf, packed, b;

	(void)state;
	for (; plan.word_size <= 8; plan.word_size += 4) {
		elf = build(&plan);
		check_prefixes(&elf);
		packed = compress_bytes(&elf, plan.word_size == 4 ? "gzip" : "xz");
		b = make_bzimage(&packed, elf.size, plan.word_size == 4);
		check_prefixes(&b);
		free(elf.data);
		free(packed.data);
		free(b.data);
	}
}

static int count_symbol(const char *name, uint64_t address, char type, void *context)
{
	(void)type;
	*(uint64_t *)context += strlen(name) + (address & 1);
	return 0;
}

static void check_flips(const struct buffer *whole, unsigned int rounds)
{
	struct buffer b = { .data = malloc(whole->size), .size = whole->size };
	uint32_t random = 12345;

	for (unsigned int round = 0; round < rounds; round++) {
		struct ks_error error;
		struct image *image;
		uint64_t sum = 0;

		memcpy(b.data, whole->data, b.size);
		for (unsigned int i = 0; i <= round % 4; i++) {
			random = random * 1664525 + 1013904223;
			b.data[(random >> 8) % b.size] ^= 1 << (random >> 5) % 8;
		}
		image = open_buffer(&b, &error);
		if (image)
			image_for_each_symbol(image, count_symbol, &sum);
		else
			assert_int_equal(strncmp(error.text, "test: ", 6), 0);
		image_close(image);
	}
	free(b.data);
}

static void test_flips(void **state)
{
	struct plan plan = { .word_size = 4, .count = 20 };
	struct buffer elf, packed, b;

	(void)state;
	for (; plan.word_size <= 8; plan.word_size += 4)
		for (int layout = 0; layout < LAYOUTS; layout++) {
			plan.layout = layout;
			plan.symtab = layout == OLD_SEQS;
			plan.segments = layout == NEW;
			elf = build(&plan);
			check_flips(&elf, 3000);
			free(elf.data);
		}
	plan.word_size = 8;
	elf = build(&plan);
	packed = compress_bytes(&elf, "zstd");
	b = make_bzimage(&packed, elf.size, false);
	check_flips(&b, 3000);
	free(elf.data);
	free(packed.data);
	free(b.data);
}

struct stock {
	uint64_t function;	/* loadavg_proc_show: in every kernel with /proc */
	unsigned int count;
};

static int see_stock(const char *name, uint64_t address, char type, void *context)
{
	struct stock *stock = context;

	stock->count++;
	if (!strcmp(name, "loadavg_proc_show")) {
		assert_int_equal(type, 't');
		stock->function = address;
	}
	return 0;
}

static void test_stock(void **state)
{
	const char *path = getenv("KSPLICE_TEST_IMAGE");
	struct stock stock = { 0 };
	struct ks_error error;
	struct image *image;
	struct image_section text;
	unsigned char code[9];

	(void)state;
	if (!path || !*path) {
		print_message("KSPLICE_TEST_IMAGE names no stock vmlinuz: not checked\n");
		skip();
	}
	image = image_open(path, &error);
	if (!image)
		fail_msg("%s", error.text);
	assert_non_null(image_release(image));
	assert_int_equal(image_for_each_symbol(image, see_stock, &stock), 0);
	assert_true(stock.count > 20000);
	assert_int_equal(image_find_section(image, ".text", &text), 0);
	assert_true(stock.function - text.address < text.size);
	/* It begins with its fentry call, e8, after an endbr64 where there is one. */
	assert_int_equal(image_read(image, stock.function, code, sizeof(code)), 0);
	assert_int_equal(code[memcmp(code, "\xf3\x0f\x1e\xfa", 4) ? 0 : 4], 0xe8);
	print_message("%s: %u symbols\n", image_release(image), stock.count);
	image_close(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_symtab),
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_lzop),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_stock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
