// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lib/module_image.c on modules and a kernel that are compiled here, sound and
 * broken.  With KSPLICE_TEST_ROOT=DIR, an unpacked kernel package, also on all of
 * a stock kernel's file systems.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <glob.h>
#include <stdbool.h>

#include "lib/image.h"
#include "tests/unit/compile.h"

static const char module_source[] =
	"#define SECTION(name) __attribute__((section(name), used))\n"
	"int import(int), twice(void), elsewhere(void);\n"
	"extern int foreign[], nobody __attribute__((weak));\n"
	"static int zeros[100];\n"
	"int percpu SECTION(\".data..percpu\") = 5;\n"
	"const char info[] SECTION(\".modinfo\") =\n"
	"	\"license=GPL\\0name=some_module\\0vermagic=6.1.0-test SMP mod_unload \";\n"
	"struct { long name[16]; int (*init)(void); } __this_module\n"
	"	SECTION(\".gnu.linkonce.this_module\") __attribute__((aligned(64)));\n"
	"int table[] = { 1, 2, 3 };\n"
	"static int local(int i) { return table[i] + zeros[i]; }\n"
	"int (*const pointers[])(int) = { local, import };\n"
	"int *data[] = { &table[2], zeros, &foreign[3], &nobody, &percpu };\n"
	"int global(int i) { return 1 + import(i); }\n"
	"int calls(void) { return twice() + elsewhere(); }\n"
	"int init_module(void) { return 0; }\n";

static const char kernel_source[] =
	"const char linux_banner[] = \"Linux version 6.1.0-test (me@here) (gcc) #1 SMP\\n\";\n"
	"int import(int i) { return i; }\n"
	"int twice(void) { return linux_banner[0]; }\n"
	"int _start(void) { return twice() + import(1); }\n";

/* A local function that has the name of a global one, and comes first. */
static const char other_source[] =
	"static __attribute__((noinline, used)) int twice(void) { return 1; }\n"
	"int other_thing(void) { return twice(); }\n";

struct files {
	char *folder;
	char *module;
	char *module32;
	char kernel[256];
};

struct lookup {
	const char *name;
	unsigned int skip;
	uint64_t address;
	char type;
};

static int is_wanted(const char *name, uint64_t address, char type, void *context)
{
	struct lookup *lookup = context;

	if (strcmp(name, lookup->name) || lookup->skip-- > 0)
		return 0;
	lookup->address = address;
	lookup->type = type;
	return 1;
}

static uint64_t address_of(const struct image *image, const char *name, char type)
{
	struct lookup lookup = { .name = name };

	assert_int_equal(image_for_each_symbol(image, is_wanted, &lookup), 1);
	assert_true(image_has_symbol(image, name));
	assert_int_equal(lookup.type, type);
	return lookup.address;
}

static uint64_t read_number(const struct image *image, uint64_t address, unsigned int size)
{
	unsigned char bytes[8];
	uint64_t value = 0;

	assert_int_equal(image_read(image, address, bytes, size), 0);
	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

/* Where the first call of a function goes. */
static uint64_t call_target(const struct image *image, uint64_t address)
{
	uint64_t mask = image_word_size(image) == 8 ? ~(uint64_t)0 : 0xffffffff;

	while (read_number(image, address, 1) != 0xe8)
		address++;
	return (address + 5 + (int32_t)read_number(image, address + 1, 4)) & mask;
}

static int set_up(void **state)
{
	struct files *files = calloc(1, sizeof(*files));
	char *kernel, *other, command[1024];

	files->folder = make_folder();
	files->module = compile(files->folder, "module", module_source,
				"-fno-common -fno-function-sections -fno-data-sections");
	files->module32 = compile(files->folder, "module32", module_source,
				  "-m32 -fno-common -fno-function-sections -fno-data-sections");
	kernel = compile(files->folder, "kernel", kernel_source, "");
	other = compile(files->folder, "other", other_source, "");
	if (!files->module || !kernel || !other)
		return -1;
	snprintf(files->kernel, sizeof(files->kernel), "%s/vmlinux", files->folder);
	snprintf(command, sizeof(command), "ld -Ttext=0xffffffff81000000 -o %s %s %s",
		 files->kernel, other, kernel);
	free(kernel);
	free(other);
	*state = files;
	return system(command) ? -1 : 0;
}

static int tear_down(void **state)
{
	struct files *files = *state;

	free(files->module);
	free(files->module32);
	remove_folder(files->folder);
	free(files);
	return 0;
}

static struct image *open_good(const char *path, const struct image *kernel)
{
	struct ks_error error = { "" };
	struct image *image = image_open_module(path, kernel, &error);

	if (!image)
		fail_msg("%s", error.text);
	return image;
}

/* What does not depend on where the imports are. */
static void check_layout(const struct image *image, uint64_t base)
{
	static const char *const names[] = { ".text", ".rodata", ".data", ".modinfo" };
	uint64_t table = address_of(image, "table", 'D');
	uint64_t zeros = address_of(image, "zeros", 'b');
	uint64_t pointers = address_of(image, "pointers", 'R');
	uint64_t data = address_of(image, "data", 'D');
	unsigned int word = image_word_size(image);
	struct image_section section;
	char byte;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(image_find_section(image, names[i], &section), 0);
		assert_true(section.address >= base && section.address < base + 0x10000);
	}
	assert_int_equal(image_find_section(image, ".gnu.linkonce.this_module", &section), 0);
	assert_int_equal(section.address % 64, 0);
	assert_int_equal(address_of(image, "__this_module", 'D'), section.address);
	assert_memory_equal(image_release(image), "6.1.0-test", sizeof("6.1.0-test"));
	assert_string_equal(image_module_name(image), "some_module");
	assert_null(image_banner(image));

	assert_int_equal(read_number(image, table + 4, 4), 2);
	assert_int_equal(read_number(image, pointers, word), address_of(image, "local", 't'));
	assert_int_equal(read_number(image, data, word), table + 8);
	assert_int_equal(read_number(image, data + word, word), zeros);
	assert_int_equal(read_number(image, data + 3 * word, word), 0);
	/* .bss and per-CPU data have addresses only. */
	assert_true(zeros >= base);
	assert_int_equal(image_read(image, zeros, &byte, 1), -EFAULT);
	assert_int_equal(read_number(image, data + 4 * word, word), address_of(image, "percpu", 'B'));
	assert_int_equal(image_read(image, address_of(image, "percpu", 'B'), &byte, 1), -EFAULT);
	assert_int_equal(image_find_section(image, ".data..percpu", &section), 0);
	assert_int_equal(section.address, address_of(image, "percpu", 'B'));
	assert_null(section.bytes);
}

/* Imports that are not in a kernel are apart from each other, and from all else. */
static void check_unknown(const struct image *image, const char *const *names, size_t count,
			  uint64_t from)
{
	char byte;

	for (size_t i = 0; i < count; i++) {
		uint64_t address = address_of(image, names[i], 'U');

		assert_true(address >= from);
		assert_int_equal(image_read(image, address, &byte, 1), -EFAULT);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(address, address_of(image, names[j], 'U'));
	}
}

static void test_alone(void **state)
{
	static const char *const names[] = { "import", "twice", "elsewhere", "foreign" };
	struct files *files = *state;
	struct image *image = open_good(files->module, NULL);

	check_layout(image, 0xffffffffc0000000);
	check_unknown(image, names, 4, 0xffffffffd0000000);
	assert_int_equal(call_target(image, address_of(image, "global", 'T')),
			 address_of(image, "import", 'U'));
	assert_int_equal(read_number(image, address_of(image, "data", 'D') + 16, 8),
			 address_of(image, "foreign", 'U') + 12);
	image_close(image);
}

static void test_with_kernel(void **state)
{
	static const char *const names[] = { "elsewhere", "foreign" };
	struct files *files = *state;
	struct ks_error error;
	struct image *kernel = image_open(files->kernel, &error), *image;
	struct lookup local = { .name = "twice" };
	uint64_t twice;

	assert_non_null(kernel);
	assert_null(image_module_name(kernel));
	twice = address_of(kernel, "import", 'T');
	image = open_good(files->module, kernel);
	check_layout(image, 0xffffffffc0000000);
	check_unknown(image, names, 2, 0xffffffffd0000000);
	assert_int_equal(address_of(image, "import", 'U'), twice);
	assert_int_equal(call_target(image, address_of(image, "global", 'T')), twice);
	/* The local one comes first in the table, and is not what is exported. */
	assert_int_equal(image_for_each_symbol(kernel, is_wanted, &local), 1);
	assert_int_equal(local.type, 't');
	local.skip = 1;
	assert_int_equal(image_for_each_symbol(kernel, is_wanted, &local), 1);
	assert_int_equal(local.type, 'T');
	assert_int_equal(address_of(image, "twice", 'U'), local.address);
	assert_int_equal(call_target(image, address_of(image, "calls", 'T')), local.address);
	assert_true(image_has_symbol(kernel, "other_thing"));
	assert_false(image_has_symbol(image, "other_thing"));
	image_close(image);
	image_close(kernel);
}

static void test_i386(void **state)
{
	static const char *const names[] = { "import", "twice", "elsewhere", "foreign" };
	struct files *files = *state;
	struct ks_error error;
	struct image *kernel, *image;

	if (!files->module32)
		skip();
	image = open_good(files->module32, NULL);
	assert_int_equal(image_word_size(image), 4);
	check_layout(image, 0xf8000000);
	check_unknown(image, names, 4, 0xfc000000);
	assert_int_equal(call_target(image, address_of(image, "global", 'T')),
			 address_of(image, "import", 'U'));
	/* An addend in the field. */
	assert_int_equal(read_number(image, address_of(image, "data", 'D') + 8, 4),
			 address_of(image, "foreign", 'U') + 12);
	image_close(image);
	kernel = image_open(files->kernel, &error);
	assert_null(image_open_module(files->module32, kernel, &error));
	assert_non_null(strstr(error.text, "module32.o: for another architecture"));
	image_close(kernel);
}

static void test_targets(void **state)
{
	struct files *files = *state;
	char command[512], path[256];
	struct ks_error error;
	struct image *image;

	image = image_open_target(files->kernel, NULL, &error);
	assert_non_null(image);
	assert_null(image_module_name(image));
	image_close(image);
	image = image_open_target(files->module, NULL, &error);
	assert_non_null(image);
	assert_string_equal(image_module_name(image), "some_module");
	image_close(image);
	assert_null(image_open(files->module, &error));
	assert_non_null(strstr(error.text, "module.o: a module or object, not a linked kernel"));
	assert_null(image_open_module(files->kernel, NULL, &error));
	assert_non_null(strstr(error.text, "vmlinux: not a module"));
	for (int i = 0; i < 2; i++) {
		snprintf(command, sizeof(command), "%s -k %s", i ? "xz" : "gzip", files->module);
		assert_int_equal(system(command), 0);
		snprintf(path, sizeof(path), "%s.%s", files->module, i ? "xz" : "gz");
		image = open_good(path, NULL);
		check_layout(image, 0xffffffffc0000000);
		image_close(image);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *source, *flags, *text;
	} cases[] = {
		{ "int common, i = 1;", "-fcommon", "common: a common symbol" },
		{ "asm(\".data; .long foo\");", "", "foo does not fit" },
		{ "asm(\".data; .quad foo@GOTPCREL\");", "", "relocation type" },
		{ "asm(\".data; .short foo\");", "", "type 12, which the kernel does not apply" },
		{ "asm(\".section .x; y: .long 1; .data; .quad y\");", "",
		  "refers to section .x, which is not loaded" },
		{ "char big[0x20000000];", "", "are too many for a module" },
		{ "asm(\".section .x, \\\"a\\\"; .balign 0x400000; .long 1\");", "",
		  "section .x: aligned to 4194304 bytes" },
		{ "asm(\".section .data..percpu, \\\"aw\\\"; .space 0x2000000\");", "",
		  "are too many for a module" },
	};
	struct files *files = *state;
	struct ks_error error;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *path = compile(files->folder, "refused", cases[i].source, cases[i].flags);

		assert_non_null(path);
		assert_null(image_open_module(path, NULL, &error));
		if (!strstr(error.text, cases[i].text) || strncmp(error.text, path, strlen(path)))
			fail_msg("%s: %s", cases[i].text, error.text);
		free(path);
	}
}

static unsigned char *read_file(const char *path, size_t *size)
{
	unsigned char *bytes = malloc(1 << 20);
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	*size = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

static void test_relocated_already(void **state)
{
	struct files *files = *state;
	struct ks_error error;
	size_t size, found = 0;
	unsigned char *bytes = read_file(files->module, &size);
	Elf64_Ehdr *header = (Elf64_Ehdr *)bytes;
	Elf64_Shdr *sections = (Elf64_Shdr *)(bytes + header->e_shoff);

	for (size_t i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_type == SHT_RELA) {
			Elf64_Rela *rela = (Elf64_Rela *)(bytes + sections[i].sh_offset);

			bytes[sections[sections[i].sh_info].sh_offset + rela->r_offset] = 1;
			found++;
		}
	assert_true(found > 0);
	assert_null(image_open_module_memory("x", bytes, size, NULL, &error));
	assert_non_null(strstr(error.text, "relocated already?"));
	free(bytes);
}

static int use_symbol(const char *name, uint64_t address, char type, void *context)
{
	unsigned char bytes[16];

	(void)image_read(context, address, bytes, sizeof(bytes));
	return type == 0 || (*name == 0 && address == 0 && strlen(name) > 0);
}

/* Opens any bytes, and uses whatever comes of them. */
static bool survives(const unsigned char *bytes, size_t size)
{
	struct ks_error error = { "" };
	struct image *image = image_open_module_memory("x", bytes, size, NULL, &error);

	if (!image) {
		assert_memory_equal(error.text, "x: ", 3);
		return false;
	}
	assert_int_equal(image_for_each_symbol(image, use_symbol, image), 0);
	image_close(image);
	return true;
}

static void test_prefixes(void **state)
{
	struct files *files = *state;
	size_t size;
	unsigned char *bytes = read_file(files->module, &size);

	/* The table of sections comes last. */
	for (size_t length = 0; length < size; length++)
		assert_false(survives(bytes, length));
	assert_true(survives(bytes, size));
	free(bytes);
}

/* Each byte in turn, and random ones: much is refused, and some is not. */
static void test_damaged(void **state)
{
	static const unsigned char values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	struct files *files = *state;
	const char *const paths[] = { files->module, files->module32 };
	uint32_t random = 1;

	for (int i = 0; i < 2 && paths[i]; i++) {
		size_t size, at;
		unsigned char *good = read_file(paths[i], &size), *bad = malloc(size);

		for (at = 0; at < 5 * size; at++) {
			memcpy(bad, good, size);
			bad[at / 5] = values[at % 5];
			survives(bad, size);
		}
		for (at = 0; at < 2000; at++) {
			memcpy(bad, good, size);
			for (int n = 0; n < 8; n++) {
				random = random * 1103515245 + 12345;
				bad[(random >> 8) % size] = values[(random >> 4) % 5];
			}
			survives(bad, size);
		}
		free(good);
		free(bad);
	}
}

static int count_symbol(const char *name, uint64_t address, char type, void *context)
{
	(void)name;
	(void)address;
	(void)type;
	++*(size_t *)context;
	return 0;
}

static void test_stock(void **state)
{
	const char *root = getenv("KSPLICE_TEST_ROOT");
	struct image *kernel, *image;
	struct ks_error error;
	char pattern[1024];
	glob_t found;

	(void)state;
	if (!root)
		skip();
	snprintf(pattern, sizeof(pattern), "%s/boot/vmlinuz-*", root);
	if (glob(pattern, 0, NULL, &found))
		fail_msg("%s: none", pattern);
	kernel = image_open(found.gl_pathv[0], &error);
	assert_non_null(kernel);
	globfree(&found);
	snprintf(pattern, sizeof(pattern), "%s/lib/modules/*/kernel/fs/*/*.ko*", root);
	if (glob(pattern, 0, NULL, &found))
		fail_msg("%s: none", pattern);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		size_t count = 0;

		image = open_good(found.gl_pathv[i], kernel);
		assert_string_equal(image_release(image), image_release(kernel));
		assert_true(*image_module_name(image));
		image_for_each_symbol(image, count_symbol, &count);
		assert_true(count > 2);
		if (image_has_symbol(image, "_printk"))
			assert_int_equal(address_of(image, "_printk", 'U'),
					 address_of(kernel, "_printk", 'T'));
		image_close(image);
	}
	print_message("%zu modules\n", found.gl_pathc);
	globfree(&found);
	image_close(kernel);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_with_kernel),
		cmocka_unit_test(test_i386),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_relocated_already),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_stock),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
