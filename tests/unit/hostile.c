// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects that no compiler makes: each was once too much for lib/.  What would
 * take forever is ended by a signal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/time.h>

#include "lib/diff.h"
#include "lib/object.h"
#include "lib/span.h"
#include "lib/writer.h"
#include "tests/unit/compile.h"

#define SECONDS		60	/* of CPU time; each takes less than one, without sanitizers */

static const char *folder;

/* Writes, and frees, an object; the caller frees the path. */
static char *write_object(struct out_object *out, const char *name)
{
	struct ks_error err;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s.o", folder, name);
	if (out_object_write(out, path, &err))
		fail_msg("%s", err.text);
	out_object_free(out);
	return strdup(path);
}

static struct object *read_object(const char *path)
{
	struct ks_error err = { "" };
	struct object *object = object_read(path, &err);

	if (!object || analyze_object(object, &err))
		fail_msg("%s", err.text);
	return object;
}

static void refused(char *path, const char *text)
{
	struct ks_error err = { "" };
	struct object *object = object_read(path, &err);

	if (object || !strstr(err.text, text))
		fail_msg("'%s' does not contain '%s'", err.text, text);
	free(path);
}

/* Compare; the names of changed functions go to @changed, with a blank after each. */
static void compare(char *pre_path, char *post_path, char *changed)
{
	struct object *pre = read_object(pre_path), *post = read_object(post_path);
	struct ks_error err;
	struct diff diff;
	size_t i;

	assert_int_equal(diff_objects(&diff, pre, post, &err), 0);
	for (i = 0, *changed = '\0'; i < diff.functions_changed.count && i < 8; i++) {
		strcat(changed, diff.functions_changed.items[i].name);
		strcat(changed, " ");
	}
	diff_free(&diff);
	object_free(pre);
	object_free(post);
	free(pre_path);
	free(post_path);
}

static struct out_section *add_text(struct out_object *out, const char *name, const void *bytes,
				    size_t size)
{
	struct out_section *text = out_section_add(out, name, SHT_PROGBITS,
						   SHF_ALLOC | SHF_EXECINSTR, 16, 0);

	out_section_append(out, text, bytes, size, 1);
	return text;
}

static struct out_section *add_data(struct out_object *out, const char *name, size_t size)
{
	struct out_section *data = out_section_add(out, name, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE,
						   8, 0);

	out_section_append(out, data, NULL, size, 1);
	return data;
}

static void test_addends(void **state)
{
	static const int64_t addends[] = { INT64_MAX, INT64_MIN, INT64_MAX / 2 };
	struct out_object *out;
	struct out_section *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(addends) / sizeof(*addends); i++) {
		out = out_object_new(EM_X86_64);
		text = add_text(out, ".text.f", "\xe8\0\0\0\0\xc3", 6);
		out_reloc_add(out, text, 1, R_X86_64_PC32,
			      out_symbol_add(out, "f", text, 4, 2, STT_FUNC, STB_GLOBAL), addends[i]);
		refused(write_object(out, "addend"), ".text.f+0x1: the relocation goes too far");
	}
}

/* An alignment that needs a file of a terabyte, sections without contents of any size. */
static void test_sizes(void **state)
{
	struct out_object *out = out_object_new(EM_X86_64);
	struct out_section *section;

	(void)state;
	section = out_section_add(out, ".text.f", SHT_NOBITS, SHF_ALLOC | SHF_EXECINSTR, 1, 0);
	out_section_append(out, section, NULL, 1 << 30, 1);
	refused(write_object(out, "text"), "section .text.f: code without contents");

	out = out_object_new(EM_X86_64);
	section = out_section_add(out, ".bss.v", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 1, 0);
	out_section_append(out, section, NULL, 1ull << 60, 1);
	refused(write_object(out, "size"), "impossible size");

	out = out_object_new(EM_X86_64);
	section = out_section_add(out, ".bss.v", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 1 << 25, 0);
	refused(write_object(out, "align"), "section .bss.v: alignment 0x2000000 is too big");
}

static void test_sparse_file(void **state)
{
	char path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/sparse.o", folder);
	fclose(fopen(path, "w"));
	assert_int_equal(truncate(path, 1ll << 40), 0);
	refused(strdup(path), "sparse.o: bigger than 1024 MiB");
	unlink(path);
}

/* N headers for the same N bytes would be N * N bytes to read. */
static void test_overlap(void **state)
{
	struct out_object *out = out_object_new(EM_X86_64);
	Elf64_Shdr header;
	Elf64_Ehdr start;
	char *path;
	FILE *file;

	(void)state;
	add_text(out, ".text.f", "\xc3\xc3\xc3\xc3", 4);
	add_text(out, ".text.g", "\xc3\xc3\xc3\xc3", 4);
	path = write_object(out, "overlap");
	file = fopen(path, "r+");
	assert_int_equal(fread(&start, sizeof(start), 1, file), 1);
	fseek(file, start.e_shoff + 2 * sizeof(header), SEEK_SET);
	assert_int_equal(fread(&header, sizeof(header), 1, file), 1);
	header.sh_offset -= 15;
	fseek(file, start.e_shoff + 2 * sizeof(header), SEEK_SET);
	fwrite(&header, sizeof(header), 1, file);
	fclose(file);
	refused(path, "sections 1 and 2 are at the same place of the file");
}

/* a.cold has the other name b, and b.cold the other name a: each a part of the other. */
static void test_circle_of_parts(void **state)
{
	char changed[256];
	char *path[2];
	int side, i;

	(void)state;
	for (side = 0; side < 2; side++) {
		struct out_object *out = out_object_new(EM_X86_64);

		for (i = 0; i < 2; i++) {
			struct out_section *text = add_text(out, i ? ".text.b.cold" : ".text.a.cold",
							    side ? "\x90\xf4\xc3" : "\x90\xfa\xc3", 3);

			out_symbol_add(out, i ? "b.cold" : "a.cold", text, 0, 3, STT_FUNC, STB_GLOBAL);
			out_symbol_add(out, i ? "a" : "b", text, 0, 3, STT_FUNC, STB_GLOBAL);
		}
		path[side] = write_object(out, side ? "post" : "pre");
	}
	compare(path[0], path[1], changed);
	assert_true(changed[0]);
}

/*
 * A function that uses data without names, each piece of which refers twice to the
 * next: 2^length ways.  Without @twice a list, as deep as it is long.
 */
static char *write_list(const char *name, size_t length, bool twice, unsigned char last)
{
	struct out_object *out = out_object_new(EM_X86_64);
	struct out_section *text = add_text(out, ".text.f", "\x8b\x04\x25\0\0\0\0\xc3", 8);
	struct out_section *data = NULL, *next;
	char text_name[64];
	size_t i;

	out_symbol_add(out, "f", text, 0, 8, STT_FUNC, STB_GLOBAL);
	for (i = 0; i < length; i++) {
		snprintf(text_name, sizeof(text_name), ".data..L%zu", i);
		next = add_data(out, text_name, 24);
		if (i == 0)
			out_reloc_add(out, text, 3, R_X86_64_32S, out_section_symbol(out, next), 0);
		else
			out_reloc_add(out, data, 0, R_X86_64_64, out_section_symbol(out, next), 0);
		if (i && twice)
			out_reloc_add(out, data, 8, R_X86_64_64, out_section_symbol(out, next), 0);
		data = next;
	}
	data->data[16] = last;
	return write_object(out, name);
}

static void test_lists(void **state)
{
	char changed[256];

	(void)state;
	compare(write_list("pre", 100, true, 1), write_list("post", 100, true, 1), changed);
	assert_string_equal(changed, "");
	compare(write_list("pre", 100, true, 1), write_list("post", 100, true, 2), changed);
	assert_string_equal(changed, "f ");
	/* Too deep to follow, so it counts as changed. */
	compare(write_list("pre", 200000, false, 1), write_list("post", 200000, false, 1), changed);
	assert_string_equal(changed, "f ");
}

/* Of one thing in pre two are made in post: no longer the same, although alike in parts. */
static void test_one_becomes_two(void **state)
{
	char changed[256];
	char *path[2];
	int side, i;

	(void)state;
	for (side = 0; side < 2; side++) {
		struct out_object *out = out_object_new(EM_X86_64);
		struct out_section *text = add_text(out, ".text.f", "\x8b\x04\x25\0\0\0\0\xc3", 8);
		struct out_section *data[2];

		out_symbol_add(out, "f", text, 0, 8, STT_FUNC, STB_GLOBAL);
		data[0] = add_data(out, ".data..L1", 16);
		data[1] = side ? add_data(out, ".data..L2", 16) : data[0];
		data[1]->data[8] = side;
		for (i = 0; i <= side; i++)
			out_reloc_add(out, data[i], 0, R_X86_64_64,
				      out_section_symbol(out, data[1 - i]), 0);
		out_reloc_add(out, text, 3, R_X86_64_32S, out_section_symbol(out, data[0]), 0);
		path[side] = write_object(out, side ? "post" : "pre");
	}
	compare(path[0], path[1], changed);
	assert_string_equal(changed, "f ");
}

/* Breakpoints, each of which might be the beginning of the padding. */
static void test_padding(void **state)
{
	const size_t size = 1 << 20;
	unsigned char *code = malloc(size);
	char changed[256];
	char *path[2];
	int side;

	(void)state;
	memset(code, 0xcc, size);
	for (side = 0; side < 2; side++) {
		struct out_object *out = out_object_new(EM_X86_64);

		code[size - 1] = side ? 0xf4 : 0xfa;
		out_symbol_add(out, "f", add_text(out, ".text.f", code, size), 0, size, STT_FUNC,
			       STB_GLOBAL);
		path[side] = write_object(out, side ? "post" : "pre");
	}
	free(code);
	compare(path[0], path[1], changed);
	assert_string_equal(changed, "f ");
}

/* Near jumps to the end of a function, which a nop before them moves. */
static void test_branches(void **state)
{
	const size_t count = 100000, size = 6 * count + 2;
	unsigned char *code = malloc(size);
	int32_t distance;
	char changed[256];
	char *path[2];
	size_t i;
	int side;

	(void)state;
	for (side = 0; side < 2; side++) {
		struct out_object *out = out_object_new(EM_X86_64);

		for (i = 0; i < count; i++) {
			distance = 6 * (count - i - 1);
			memcpy(code + side + 6 * i, "\x0f\x84", 2);
			memcpy(code + side + 6 * i + 2, &distance, 4);
		}
		code[0] = side ? 0x90 : code[0];
		code[side + 6 * count] = 0xc3;
		out_symbol_add(out, "f", add_text(out, ".text.f", code, size - 1 + side), 0,
			       size - 1 + side, STT_FUNC, STB_GLOBAL);
		path[side] = write_object(out, side ? "post" : "pre");
	}
	free(code);
	compare(path[0], path[1], changed);
	assert_string_equal(changed, "");
}

/* A changed function that uses many static variables of one name. */
static void test_names_alike(void **state)
{
	const size_t count = 20000;
	char changed[256], name[64];
	char *path[2];
	size_t i;
	int side;

	(void)state;
	for (side = 0; side < 2; side++) {
		struct out_object *out = out_object_new(EM_X86_64);
		struct out_section *text = add_text(out, ".text.f", NULL, 8 * count + 8);
		struct out_section *data = add_data(out, ".data", 8 * count);

		out_symbol_add(out, "f", text, 0, 8 * count + 8, STT_FUNC, STB_GLOBAL);
		text->data[8 * count] = side;
		for (i = 0; i < count; i++) {
			snprintf(name, sizeof(name), "v.%zu", i + side);
			memcpy(text->data + 8 * i, "\x8b\x04\x25\0\0\0\0\x90", 8);
			out_reloc_add(out, text, 8 * i + 3, R_X86_64_32S,
				      out_symbol_add(out, name, data, 8 * i, 8, STT_OBJECT, STB_LOCAL),
				      0);
		}
		path[side] = write_object(out, side ? "post" : "pre");
	}
	compare(path[0], path[1], changed);
	assert_string_equal(changed, "f ");
}

static int setup(void **state)
{
	(void)state;
	folder = make_folder();
	return folder ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	remove_folder((char *)folder);
	return 0;
}

/* SIGVTALRM after so many seconds, 0 for never. */
static void set_limit(time_t seconds)
{
	const struct itimerval limit = { .it_value = { .tv_sec = seconds } };

	setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

static int begin(void **state)
{
	(void)state;
	set_limit(SECONDS);
	return 0;
}

static int end(void **state)
{
	(void)state;
	set_limit(0);
	return 0;
}

#define hostile_test(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		hostile_test(test_addends),
		hostile_test(test_sizes),
		hostile_test(test_sparse_file),
		hostile_test(test_overlap),
		hostile_test(test_circle_of_parts),
		hostile_test(test_lists),
		hostile_test(test_one_becomes_two),
		hostile_test(test_padding),
		hostile_test(test_branches),
		hostile_test(test_names_alike),
	};

	return cmocka_run_group_tests_name("hostile", tests, setup, teardown);
}
