// SPDX-License-Identifier: GPL-2.0-or-later
/* ksplice-inspect: shows, and proves on a kernel image, what an update consists of. */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "inspect/inspect.h"
#include "inspect/matching.h"
#include "inspect/view.h"
#include "lib/update.h"

struct options {
	bool json;
	bool sections;
	const char *image;
	const char *kernel_image;
	const char *file;
};

/* What the old code is compared with; the kernel is NULL when none is given. */
struct images {
	struct image *image;
	struct image *kernel;
};

static const char usage[] =
	"Usage: ksplice-inspect [OPTION]... FILE...\n"
	"Show what is in a module or object of an update, or in a whole update; or prove\n"
	"that its old code is the code of a kernel image.\n"
	"\n"
	"FILE is a module (FILE.ko), an object (FILE.o), an update (ksplice-ID.tar.gz),\n"
	"or a folder with the content of an update.  With --match there can be several.\n"
	"\n"
	"  --json           print one JSON object\n"
	"  --sections       show all sections and how they are understood\n"
	"  --match=IMAGE    compare the old code with IMAGE: a vmlinuz, a vmlinux, a module,\n"
	"                   or /proc/kcore for the running kernel\n"
	"  --kernel-image=FILE\n"
	"                   the vmlinuz or vmlinux that IMAGE, a module, belongs to\n"
	"  --help           show this help\n"
	"  --version        show the version\n"
	"\n"
	"Exit status: 0 shown, or the image matches; 1 trouble; 2 usage; 4 no match.\n";

static int trouble(const struct ks_error *err)
{
	fprintf(stderr, "ksplice-inspect: %s\n", err->text);
	return EXIT_TROUBLE;
}

static int usage_error(const char *message)
{
	fprintf(stderr, "ksplice-inspect: %s; see ksplice-inspect --help\n", message);
	return EXIT_USAGE;
}

static void print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
}

static bool ends_in(const char *string, const char *end)
{
	size_t length = strlen(string), end_length = strlen(end);

	return length >= end_length && strcmp(string + length - end_length, end) == 0;
}

/* A tar file or a folder; a file that claims to be an object is read as one. */
static bool is_update(const char *path)
{
	char magic[4] = "";
	FILE *file = fopen(path, "r");
	bool elf;

	if (!file)
		return !ends_in(path, ".o") && !ends_in(path, ".ko");
	elf = fread(magic, 1, sizeof(magic), file) == sizeof(magic) &&
	      memcmp(magic, "\177ELF", sizeof(magic)) == 0;
	fclose(file);
	return !elf && !ends_in(path, ".o") && !ends_in(path, ".ko");
}

static int show_object(const struct options *options)
{
	struct json_object *view;
	struct ks_error err;
	struct object *object = object_read(options->file, &err);

	if (!object)
		return trouble(&err);
	view = view_object(object, options->sections, &err);
	if (view && options->json)
		print_json(view);
	else if (view)
		print_object_view(view);
	json_object_put(view);
	object_free(object);
	return view ? EXIT_SHOWN : trouble(&err);
}

/* The running kernel has all targets: the one of an _old.ko is in its description. */
static void select_target(const struct object *object, struct image *image)
{
	static const char before[] = ", old code of ";
	const struct section *section = find_section(object, ".modinfo");
	const char *found;
	char name[64];

	if (!section || !section->data)
		return;
	found = memmem(section->data, section->size, before, strlen(before));
	if (!found)
		return;
	found += strlen(before);
	snprintf(name, sizeof(name), "%.*s",
		 (int)((const char *)section->data + section->size - found), found);
	image_select(image, name);
}

static int match_file(const struct options *options, const struct images *images)
{
	struct json_object *result;
	struct ks_error err;
	struct object *object = object_read(options->file, &err);
	int ret;

	if (!object)
		return trouble(&err);
	select_target(object, images->image);
	result = json_object_new_object();
	json_add_string(result, "file", options->file);
	ret = match_object(object, images->image, images->kernel, result, &err);
	if (ret < 0)
		trouble(&err);
	else if (options->json)
		print_json(result);
	else
		print_match(options->file, result);
	if (ret > 0)
		report_mismatch(options->file, result);
	json_object_put(result);
	object_free(object);
	return ret < 0 ? EXIT_TROUBLE : ret > 0 ? EXIT_NO_MATCH : EXIT_SHOWN;
}

static int open_update(struct ks_update **update, const char *path)
{
	struct ks_error err;

	if (ks_update_open(update, path, &err) == 0)
		return 0;
	fprintf(stderr, "ksplice-inspect: %s: %s\n", path, err.text);
	return -1;
}

/* The object in a file of an update; NULL and @err. */
static struct object *read_member(const struct options *options, const struct ks_update_file *file,
				  struct ks_error *err)
{
	struct object *object = object_read_memory(file->name, file->data, file->size, err);

	if (!object)
		ks_error_prefix(err, "%s", options->file);
	return object;
}

static int show_update(const struct options *options)
{
	struct json_object *view;
	struct ks_update *update;
	struct ks_error err;

	if (open_update(&update, options->file) != 0)
		return EXIT_TROUBLE;
	view = view_update(update, options->sections, &err);
	if (view && options->json)
		print_json(view);
	else if (view)
		print_update_view(view);
	json_object_put(view);
	ks_update_free(update);
	if (view)
		return EXIT_SHOWN;
	ks_error_prefix(&err, "%s", options->file);
	return trouble(&err);
}

/* Is the image that of the target?  A dash in a file name is no dash in /proc/modules. */
static bool is_target(struct image *image, const char *name)
{
	const char *module = image_module_name(image);

	if (image_select(image, name))
		return true;
	if (!module)
		return strcmp(name, "vmlinux") == 0;
	for (; *name && (*name == *module || (*name == '-' && *module == '_')); name++)
		module++;
	return *name == *module;
}

static bool has_target(struct image *image, const struct ks_update *update)
{
	size_t i;

	for (i = 0; i < update->nr_targets; i++)
		if (is_target(image, update->targets[i].name))
			return true;
	return false;
}

/* Adds what became of one target to @totals; as match_object(). */
static int match_target(const struct options *options, const struct images *images,
			const struct ks_update_target *target, struct json_object *totals,
			struct ks_error *err)
{
	struct json_object *result = json_object_new_object(), *targets;
	struct object *object;
	int ret = 0;

	json_object_object_get_ex(totals, "targets", &targets);
	json_object_array_add(targets, result);
	json_add_string(result, "name", target->name);
	if (!is_target(images->image, target->name)) {
		json_add_string(result, "status", "not in the image");
	} else {
		object = read_member(options, target->old, err);
		ret = object ? match_object(object, images->image, images->kernel, result, err) :
			       -1;
		object_free(object);
	}
	json_add_number(totals, "functions",
			json_number(totals, "functions") + json_number(result, "functions"));
	json_add_number(totals, "bytes", json_number(totals, "bytes") + json_number(result, "bytes"));
	if (ret > 0)
		json_add_string(totals, "status", "mismatch");
	if (ret >= 0 && !options->json)
		print_match(target->name, result);
	if (ret > 0)
		report_mismatch(target->old->name, result);
	return ret;
}

static int match_update(const struct options *options, const struct images *images)
{
	struct json_object *totals;
	const char *release = image_release(images->image);
	struct ks_update *update;
	struct ks_error err;
	bool matches = true;
	int ret = 0;
	size_t i;

	if (open_update(&update, options->file) != 0)
		return EXIT_TROUBLE;
	if (!has_target(images->image, update)) {
		fprintf(stderr, "ksplice-inspect: %s: none of its targets is in %s\n", options->file,
			options->image);
		ks_update_free(update);
		return EXIT_TROUBLE;
	}
	totals = json_object_new_object();
	json_add_string(totals, "file", options->file);
	json_add_string(totals, "status", "match");
	json_add_array(totals, "targets");
	for (i = 0; i < update->nr_targets && ret >= 0; i++) {
		ret = match_target(options, images, &update->targets[i], totals, &err);
		matches = matches && ret == 0;
	}
	if (ret < 0)
		trouble(&err);
	else if (options->json)
		print_json(totals);
	if (ret >= 0 && !matches && release && strcmp(release, update->kernel) != 0)
		fprintf(stderr, "ksplice-inspect: %s: made for %s, and the image is %s\n",
			options->file, update->kernel, release);
	json_object_put(totals);
	ks_update_free(update);
	return ret < 0 ? EXIT_TROUBLE : matches ? EXIT_SHOWN : EXIT_NO_MATCH;
}

/* All files; the worst of their statuses: trouble, then a mismatch. */
static int match_files(struct options *options, const struct images *images, char **files)
{
	int worst = EXIT_SHOWN, status;

	for (; *files; files++) {
		options->file = *files;
		status = is_update(*files) ? match_update(options, images) :
					     match_file(options, images);
		if (worst != EXIT_TROUBLE && status != EXIT_SHOWN)
			worst = status;
	}
	return worst;
}

static int match(struct options *options, char **files)
{
	struct images images = { .image = NULL };
	struct ks_error err;
	int status;

	if (options->kernel_image) {
		images.kernel = image_open(options->kernel_image, &err);
		if (!images.kernel)
			return trouble(&err);
	}
	images.image = image_open_target(options->image, images.kernel, &err);
	if (!images.image)
		status = trouble(&err);
	else if (images.kernel && !image_module_name(images.image))
		status = usage_error("--kernel-image is for a --match with a module");
	else
		status = match_files(options, &images, files);
	image_close(images.image);
	image_close(images.kernel);
	return status;
}

static int inspect(struct options *options, char **files)
{
	int status = options->image		? match(options, files) :
		     is_update(options->file) ? show_update(options) :
						show_object(options);

	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "ksplice-inspect: cannot write the result: %s\n", strerror(errno));
		status = EXIT_TROUBLE;
	}
	return status;
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "sections", no_argument, NULL, 's' },
		{ "match", required_argument, NULL, 'm' },
		{ "kernel-image", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .image = NULL };
	int option;

	while ((option = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		switch (option) {
		case 'j':
			options.json = true;
			break;
		case 's':
			options.sections = true;
			break;
		case 'm':
			options.image = optarg;
			break;
		case 'k':
			options.kernel_image = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SHOWN;
		case 'V':
			puts("ksplice-inspect " PACKAGE_VERSION);
			return EXIT_SHOWN;
		default:
			fputs("Try 'ksplice-inspect --help'.\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (argc - optind < 1 || (argc - optind > 1 && !options.image))
		return usage_error("one file is needed");
	if (options.image && options.sections)
		return usage_error("--match and --sections don't go together");
	if (options.kernel_image && !options.image)
		return usage_error("--kernel-image goes with --match");
	options.file = argv[optind];
	return inspect(&options, argv + optind);
}
