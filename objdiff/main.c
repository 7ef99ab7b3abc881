// SPDX-License-Identifier: GPL-2.0-or-later
/* ksplice-objdiff: what a patch changed in an object. */
#include <config.h>

#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/diff.h"
#include "objdiff/disassemble.h"

enum {
	EXIT_SAME = 0,
	EXIT_DIFFERENT = 1,
	EXIT_TROUBLE = 2,
};

static const char usage[] =
	"Usage: ksplice-objdiff [OPTION]... PRE.o POST.o\n"
	"Say which functions and data differ between two objects that were compiled\n"
	"from unpatched and patched source, whatever the layout of the objects.\n"
	"\n"
	"  -d, --disassemble  show the differing instructions of changed functions\n"
	"  -j, --json         print one JSON object\n"
	"  -h, --help         show this help and exit\n"
	"  -V, --version      show the version and exit\n"
	"\n"
	"Exit status: 0 nothing differs but line numbers, 1 something differs, 2 trouble.\n";

static json_object *json_names(const struct diff_list *list)
{
	json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_object_array_add(array, json_object_new_string(list->items[i].name));
	return array;
}

static json_object *json_reasons(const struct diff_list *list)
{
	json_object *array = json_object_new_array(), *item;
	size_t i;

	for (i = 0; i < list->count; i++) {
		item = json_object_new_object();
		json_object_object_add(item, "symbol", json_object_new_string(list->items[i].name));
		json_object_object_add(item, "reason",
				       json_object_new_string(list->items[i].reason));
		json_object_array_add(array, item);
	}
	return array;
}

static json_object *json_kinds(const struct diff_list *changed, const struct diff_list *new,
			       const struct diff_list *deleted)
{
	json_object *object = json_object_new_object();

	json_object_object_add(object, "changed", json_names(changed));
	json_object_object_add(object, "new", json_names(new));
	json_object_object_add(object, "deleted", json_names(deleted));
	return object;
}

static void print_json(const struct diff *diff)
{
	json_object *object = json_object_new_object(), *data;

	json_object_object_add(object, "functions",
			       json_kinds(&diff->functions_changed, &diff->functions_new,
					  &diff->functions_deleted));
	json_object_object_add(object, "line_only", json_names(&diff->functions_line_only));
	data = json_kinds(&diff->data_changed, &diff->data_new, &diff->data_deleted);
	json_object_object_add(data, "compared", json_names(&diff->data_compared));
	json_object_object_add(object, "data", data);
	json_object_object_add(object, "exports_new", json_names(&diff->exports_new));
	json_object_object_add(object, "skipped", json_reasons(&diff->skipped));
	json_object_object_add(object, "refused", json_reasons(&diff->refused));
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

static void print_list(const struct diff_list *list, const char *what)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		printf("%s %s", what, list->items[i].name);
		if (list->items[i].reason)
			printf(": %s", list->items[i].reason);
		putchar('\n');
	}
}

static void print_text(const struct diff *diff)
{
	print_list(&diff->functions_changed, "changed function");
	print_list(&diff->functions_new, "new function");
	print_list(&diff->functions_deleted, "deleted function");
	print_list(&diff->functions_line_only, "line-only function");
	print_list(&diff->data_changed, "changed data");
	print_list(&diff->data_compared, "compared data");
	print_list(&diff->data_new, "new data");
	print_list(&diff->data_deleted, "deleted data");
	print_list(&diff->exports_new, "new export");
	print_list(&diff->skipped, "skipped");
	print_list(&diff->refused, "refused");
}

static struct object *read_object(const char *path, struct ks_error *err)
{
	struct object *object = object_read(path, err);

	if (object && analyze_object(object, err)) {
		object_free(object);
		return NULL;
	}
	return object;
}

static int compare(const char *pre_path, const char *post_path, bool json, bool disassemble)
{
	struct object *pre, *post = NULL;
	struct ks_error err;
	struct diff diff;
	int status = EXIT_TROUBLE;

	pre = read_object(pre_path, &err);
	if (pre)
		post = read_object(post_path, &err);
	if (post && !diff_objects(&diff, pre, post, &err)) {
		status = is_different(&diff) ? EXIT_DIFFERENT : EXIT_SAME;
		if (json)
			print_json(&diff);
		else
			print_text(&diff);
		if (disassemble)
			print_instruction_diffs(&diff);
		diff_free(&diff);
	} else {
		fprintf(stderr, "ksplice-objdiff: %s\n", err.text);
	}
	object_free(post);
	object_free(pre);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "ksplice-objdiff: can not write the result\n");
		status = EXIT_TROUBLE;
	}
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "disassemble", no_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false, disassemble = false;
	int option;

	while ((option = getopt_long(argc, argv, "djhV", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			disassemble = true;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SAME;
		case 'V':
			puts("ksplice-objdiff " PACKAGE_VERSION);
			return EXIT_SAME;
		default:
			fputs("Try 'ksplice-objdiff --help'.\n", stderr);
			return EXIT_TROUBLE;
		}
	}
	if (argc - optind != 2 || (json && disassemble)) {
		fputs("ksplice-objdiff: two objects are needed, and one of --json and "
		      "--disassemble\nTry 'ksplice-objdiff --help'.\n", stderr);
		return EXIT_TROUBLE;
	}
	return compare(argv[optind], argv[optind + 1], json, disassemble);
}
