// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading and writing objects, good and damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/diff.h"
#include "lib/object.h"
#include "lib/span.h"
#include "lib/writer.h"
#include "tests/unit/compile.h"

static const char source[] =
	"extern int e(const char *); int v = 5; static int w; const long c = 7;\n"
	"__attribute__((noinline)) static int s(int a) { return e(\"text\") + a + w++; }\n"
	"int f(int a) { v = 0x12345; return s(a) + s(2); }\n"
	"int g(int a) { return a * v; }\n"
	"__asm__(\".weak weak_one\\n.set alias, f\\n.globl alias\\n\");\n";

static struct object *read_object(const char *path)
{
	struct ks_error err;
	struct object *object = object_read(path, &err);

	if (!object)
		fail_msg("%s", err.text);
	return object;
}

static void check_contents(const char *path)
{
	struct object *object = read_object(path);
	struct symbol *f, *v;
	struct reloc *reloc;
	struct ks_error err;
	bool found = false;

	assert_int_equal(analyze_object(object, &err), 0);
	f = find_symbol(object, "f");
	assert_non_null(f);
	assert_int_equal(f->type, STT_FUNC);
	assert_int_equal(f->binding, STB_GLOBAL);
	assert_string_equal(f->section->name, ".text.f");
	assert_ptr_equal(f->span->symbol, f);
	v = find_symbol(object, "v");
	assert_int_equal(v->size, 4);
	assert_memory_equal(v->section->data, "\5\0\0\0", 4);
	assert_int_equal(find_symbol(object, "e")->place, SYMBOL_UNDEFINED);
	/* movl $0x12345, v(%rip): four bytes of immediate follow the field. */
	for_each_span_reloc(f->span, reloc) {
		if (reloc->span != v->span)
			continue;
		found = true;
		assert_int_equal(reloc->span_offset, 0);
		assert_int_equal(reloc->bias, reloc->pc_relative ? -8 : 0);
	}
	assert_true(found);
	assert_null(find_symbol(object, "nobody"));
	assert_null(find_section(object, ".nothing"));
	object_free(object);
}

static void test_read(void **state)
{
	char *path = compile(*state, "read", source, "");

	assert_non_null(path);
	check_contents(path);
	free(path);
}

static void test_read_i386(void **state)
{
	char *path = compile(*state, "read32", source, "-m32");

	if (!path)
		skip();
	check_contents(path);
	free(path);
}

/* Copy an object symbol by symbol and reloc by reloc: it must still mean the same. */
static struct out_object *copy_object(struct object *object)
{
	struct out_object *out = out_object_new(object->machine);
	struct out_section **sections;
	struct out_symbol **symbols;
	struct section *section;
	struct symbol *symbol;
	size_t i, j;

	sections = arena_array(&out->arena, object->nr_sections, sizeof(*sections));
	symbols = arena_array(&out->arena, object->nr_symbols, sizeof(*symbols));
	for_each_section(object, section, i) {
		sections[i] = out_section_add(out, section->name, section->type, section->flags,
					      section->align, section->entsize);
		out_section_append(out, sections[i], section->data, section->size, 1);
	}
	/* Backwards, so that globals come before locals. */
	for (i = object->nr_symbols; i-- > 1;) {
		symbol = object->symbols[i];
		if (!symbol)
			continue;
		if (symbol->type == STT_SECTION) {
			symbols[i] = out_section_symbol(out, sections[symbol->section->index]);
			continue;
		}
		symbols[i] = out_symbol_add(out, symbol->name,
					    symbol->section ? sections[symbol->section->index] :
					    NULL, symbol->value, symbol->size, symbol->type,
					    symbol->binding);
		symbols[i]->absolute = symbol->place == SYMBOL_ABSOLUTE;
	}
	for_each_section(object, section, i)
		for (j = 0; j < section->nr_relocs; j++)
			out_reloc_add(out, sections[i], section->relocs[j].offset,
				      section->relocs[j].type,
				      symbols[section->relocs[j].symbol->index],
				      section->relocs[j].addend);
	return out;
}

static void check_equal(struct object *pre, struct object *post)
{
	struct ks_error err;
	struct diff diff;

	assert_int_equal(analyze_object(pre, &err), 0);
	assert_int_equal(analyze_object(post, &err), 0);
	assert_int_equal(diff_objects(&diff, pre, post, &err), 0);
	assert_false(is_different(&diff));
	diff_free(&diff);
}

static void check_writing(const char *folder, const char *flags)
{
	char *path = compile(folder, "original", source, flags);
	char copy[256], command[1024];
	struct object *object, *again;
	struct out_object *out;
	struct ks_error err;

	if (!path)
		skip();
	object = read_object(path);
	out = copy_object(object);
	snprintf(copy, sizeof(copy), "%s/copy.o", folder);
	if (out_object_write(out, copy, &err))
		fail_msg("%s", err.text);
	out_object_free(out);
	again = read_object(copy);
	check_equal(object, again);
	object_free(again);
	object_free(object);

	snprintf(command, sizeof(command),
		 "LC_ALL=C readelf -aW %s >/dev/null 2>%s/log && test ! -s %s/log && "
		 "ld -m %s -r -o %s/linked.o %s", copy, folder, folder,
		 *flags ? "elf_i386" : "elf_x86_64", folder, copy);
	assert_int_equal(system(command), 0);
	free(path);
}

static void test_write(void **state)
{
	check_writing(*state, "");
}

static void test_write_i386(void **state)
{
	check_writing(*state, "-m32");
}

static void test_write_fails(void **state)
{
	struct out_object *out = out_object_new(EM_X86_64);
	struct ks_error err;

	(void)state;
	assert_int_equal(out_object_write(out, "no/such/folder/x.o", &err), -1);
	assert_non_null(strstr(err.text, "no/such/folder"));
	out_object_free(out);
}

/* More sections than fit into 16 bits. */
static void test_many_sections(void **state)
{
	const size_t count = 70000;
	struct out_object *out = out_object_new(EM_X86_64);
	struct out_section *section;
	struct out_symbol *target, *made;
	char name[64], path[256];
	struct object *object;
	struct symbol *symbol;
	struct ks_error err;
	size_t i;

	target = out_symbol_add(out, "outside", NULL, 0, 0, STT_NOTYPE, STB_GLOBAL);
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), ".data.v%zu", i);
		section = out_section_add(out, name, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 8, 0);
		out_section_append(out, section, NULL, 8, 8);
		made = out_symbol_add(out, name + 6, section, 0, 8, STT_OBJECT, STB_GLOBAL);
		if (i % 1000 == 0)
			out_reloc_add(out, section, 0, R_X86_64_64, i ? made : target, i);
	}
	snprintf(path, sizeof(path), "%s/many.o", (char *)*state);
	if (out_object_write(out, path, &err))
		fail_msg("%s", err.text);
	out_object_free(out);

	object = read_object(path);
	if (analyze_object(object, &err))
		fail_msg("%s", err.text);
	symbol = find_symbol(object, "v69000");
	assert_non_null(symbol);
	assert_string_equal(symbol->section->name, ".data.v69000");
	assert_true(symbol->section->index > SHN_LORESERVE);
	assert_int_equal(symbol->section->nr_relocs, 1);
	assert_ptr_equal(symbol->section->relocs[0].span, symbol->span);
	assert_int_equal(symbol->section->relocs[0].span_offset, 69000);
	object_free(object);
}

static void read_bytes(const unsigned char *bytes, size_t size)
{
	struct ks_error err = { "" };
	struct object *object = object_read_memory("damaged", bytes, size, &err);

	if (object && !analyze_object(object, &err)) {
		struct object *twin = object_read_memory("damaged", bytes, size, &err);
		struct diff diff;

		assert_non_null(twin);
		assert_int_equal(analyze_object(twin, &err), 0);
		assert_int_equal(diff_objects(&diff, object, twin, &err), 0);
		diff_free(&diff);
		object_free(twin);
	} else {
		assert_true(err.text[0] != '\0');
	}
	object_free(object);
}

/* Whatever is in the file: it is read or refused.  Meant for the sanitizers. */
static void test_damaged(void **state)
{
	char *path = compile(*state, "damaged", source, "");
	unsigned char bytes[65536];
	unsigned int seed = 1, i, j;
	size_t size, at;
	unsigned char old[4];
	FILE *file;

	assert_non_null(path);
	file = fopen(path, "r");
	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	free(path);
	assert_in_range(size, 1000, sizeof(bytes) - 1);
	for (at = 0; at < size; at += 7)
		read_bytes(bytes, at);
	for (i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		at = (seed >> 8) % (size - 4);
		memcpy(old, bytes + at, 4);
		for (j = 0; j < 1 + (seed & 3); j++)
			bytes[at + j] = i & 1 ? 0xffu << (seed >> 30) : seed >> (j * 8);
		read_bytes(bytes, size);
		memcpy(bytes + at, old, 4);
	}
}

static void test_missing(void **state)
{
	struct ks_error err;

	(void)state;
	assert_null(object_read("no-such-file.o", &err));
	assert_non_null(strstr(err.text, "no-such-file.o"));
	assert_null(object_read(".", &err));
	assert_null(object_read("/dev/null", &err));
}

static int setup(void **state)
{
	*state = make_folder();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	remove_folder(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_i386),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_i386),
		cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_many_sections),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests_name("object", tests, setup, teardown);
}
