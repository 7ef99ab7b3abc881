// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects with more sections than fit into 16 bits and 100,000 symbols, through
 * ksplice-objdiff and ksplice-objmanip, in a time that grows with their size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "lib/object.h"
#include "lib/writer.h"
#include "tests/unit/compile.h"

#define FUNCTION_SIZE	32

/* How an object is made. */
struct plan {
	size_t functions;	/* and as many variables */
	bool sections;		/* each in a section of its own */
	bool all_changed;
};

static const char *folder;

/* call __fentry__; mov variable(%rip),%eax; mov $immediate,%ecx; ret; int3... */
static void add_function(struct out_object *out, struct out_section *text, uint32_t immediate,
			 const char *name, struct out_symbol *variable, struct out_symbol *fentry)
{
	unsigned char code[FUNCTION_SIZE];
	uint64_t at;

	memset(code, 0xcc, sizeof(code));
	memcpy(code, "\xe8\0\0\0\0\x8b\x05\0\0\0\0\xb9", 12);
	memcpy(code + 12, &immediate, 4);
	code[16] = 0xc3;
	at = out_section_append(out, text, code, sizeof(code), 16);
	out_symbol_add(out, name, text, at, 17, STT_FUNC, STB_GLOBAL);
	out_reloc_add(out, text, at + 1, R_X86_64_PLT32, fentry, -4);
	out_reloc_add(out, text, at + 7, R_X86_64_PC32, variable, -4);
}

static void write_object(const char *path, const struct plan *plan, bool post)
{
	struct out_object *out = out_object_new(EM_X86_64);
	struct out_section *text = NULL, *data = NULL;
	struct out_symbol *fentry, *variable;
	struct ks_error err;
	char name[64];
	size_t i;

	fentry = out_symbol_add(out, "__fentry__", NULL, 0, 0, STT_NOTYPE, STB_GLOBAL);
	for (i = 0; i < plan->functions; i++) {
		if (!text || plan->sections) {
			snprintf(name, sizeof(name), ".text.f%zu", i);
			text = out_section_add(out, plan->sections ? name : ".text", SHT_PROGBITS,
					       SHF_ALLOC | SHF_EXECINSTR, 16, 0);
			snprintf(name, sizeof(name), ".data.v%zu", i);
			data = out_section_add(out, plan->sections ? name : ".data", SHT_PROGBITS,
					       SHF_ALLOC | SHF_WRITE, 8, 0);
		}
		snprintf(name, sizeof(name), "v%zu", i);
		variable = out_symbol_add(out, name, data, out_section_append(out, data, NULL, 8, 8),
					  8, STT_OBJECT, STB_GLOBAL);
		snprintf(name, sizeof(name), "f%zu", i);
		add_function(out, text, i + (post && (plan->all_changed || i == 7)), name, variable,
			     fentry);
	}
	if (out_object_write(out, path, &err))
		fail_msg("%s", err.text);
	out_object_free(out);
}

/* Seconds of CPU time of a command, which must end with this status. */
static double run(int status, const char *format, ...)
{
	struct rusage before, after;
	char command[2048];
	va_list args;
	int got;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	getrusage(RUSAGE_CHILDREN, &before);
	got = system(command);
	getrusage(RUSAGE_CHILDREN, &after);
	if (!WIFEXITED(got) || WEXITSTATUS(got) != status)
		fail_msg("%s: status %#x", command, got);
	return after.ru_utime.tv_sec - before.ru_utime.tv_sec +
	       (after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6;
}

static size_t count_lines(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t lines = 0;
	int c;

	assert_non_null(file);
	while ((c = fgetc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}

/* The new code has as many functions as changed, and can be read. */
static void check_new_code(const char *path, const struct plan *plan)
{
	struct ks_error err;
	struct object *object = object_read(path, &err);
	size_t i, functions = 0;

	if (!object)
		fail_msg("%s", err.text);
	for (i = 1; i < object->nr_symbols; i++)
		functions += object->symbols[i] && object->symbols[i]->type == STT_FUNC;
	assert_int_equal(functions, plan->all_changed ? plan->functions : 1);
	assert_non_null(find_symbol(object, "f7"));
	if (plan->all_changed && plan->sections && plan->functions > SHN_LORESERVE)
		assert_true(object->nr_sections > SHN_LORESERVE);
	object_free(object);
}

static double try_plan(const struct plan *plan)
{
	const char *bin = getenv("KSPLICE_BINDIR") ?: ".";
	char path[256];
	double seconds;

	snprintf(path, sizeof(path), "%s/pre.o", folder);
	write_object(path, plan, false);
	snprintf(path, sizeof(path), "%s/post.o", folder);
	write_object(path, plan, true);
	seconds = run(1, "%s/ksplice-objdiff %s/pre.o %s/post.o > %s/diff", bin, folder, folder,
		      folder);
	snprintf(path, sizeof(path), "%s/diff", folder);
	assert_int_equal(count_lines(path), plan->all_changed ? plan->functions : 1);
	seconds += run(0, "%s/ksplice-objmanip --id=big --target=vmlinux --old=%s/old.o --new=%s/new.o "
		       "%s/pre.o %s/post.o", bin, folder, folder, folder, folder);
	snprintf(path, sizeof(path), "%s/new.o", folder);
	check_new_code(path, plan);
	return seconds;
}

/* What is quadratic takes 64 times as long for 8 times as much. */
static void check_growth(struct plan plan)
{
	size_t count = plan.functions;
	double small, big;

	plan.functions = count / 8;
	small = try_plan(&plan);
	plan.functions = count;
	big = try_plan(&plan);
	print_message("%zu functions: %.2f s, %zu functions: %.2f s\n", count / 8, small, count, big);
	/* Less than a tick of the clock says nothing. */
	if (big > 20 * (small > 0.05 ? small : 0.05))
		fail_msg("%.2f s for 8 times as much as took %.2f s", big, small);
}

static void test_sections(void **state)
{
	(void)state;
	check_growth((struct plan){ .functions = 50000, .sections = true });
}

static void test_one_section(void **state)
{
	(void)state;
	check_growth((struct plan){ .functions = 50000 });
}

static void test_all_changed(void **state)
{
	(void)state;
	check_growth((struct plan){ .functions = 70000, .sections = true, .all_changed = true });
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_one_section),
		cmocka_unit_test(test_all_changed),
	};

	return cmocka_run_group_tests_name("big", tests, setup, teardown);
}
