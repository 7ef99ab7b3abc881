// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ksplice-objmanip: from pairs of objects to the objects of an update's modules.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "objmanip/block.h"
#include "objmanip/patches.h"
#include "objmanip/refuse.h"
#include "objmanip/report.h"

enum {
	EXIT_DONE = 0,
	EXIT_TROUBLE = 1,
	EXIT_USAGE = 2,
	EXIT_REFUSED = 6,
};

/* Longest id that leaves room for labels in the kernel's table of versions. */
#define ID_MAX	20

struct options {
	const char *id;
	const char *target;
	const char *old;
	const char *new;
	const char *symvers;
	const char *report;
};

static const char usage[] =
	"Usage: ksplice-objmanip --id=ID --target=NAME --old=FILE --new=FILE [OPTION]...\n"
	"                        PRE POST [PRE POST]...\n"
	"Make the objects of an update for one target from objects that were compiled\n"
	"without (PRE) and with (POST) a patch.  Part of ksplice-create.\n"
	"\n"
	"  --id=ID          the update's id: 1 to 20 letters, digits and _\n"
	"  --target=NAME    vmlinux, or the name of a module\n"
	"  --old=FILE       write the object with the old code to FILE\n"
	"  --new=FILE       write the object with the new code to FILE\n"
	"  --symvers=FILE   write the symbols that the new code imports to FILE\n"
	"  --report=FILE    write what changed to FILE, as JSON\n"
	"  --help           show this help\n"
	"  --version        show the version\n"
	"\n"
	"Objects that do not differ make an update that changes nothing.\n"
	"Exit status: 0 done; 1 trouble; 2 usage; 6 the change is refused as unsafe.\n";

static bool valid_id(const char *id)
{
	return strlen(id) >= 1 && strlen(id) <= ID_MAX &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
		       strlen(id);
}

static int usage_error(const char *message)
{
	fprintf(stderr, "ksplice-objmanip: %s; see ksplice-objmanip --help\n", message);
	return EXIT_USAGE;
}

/* Returns -1 to go on, or the exit status. */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option longopts[] = {
		{ "id", required_argument, NULL, 'i' },
		{ "target", required_argument, NULL, 't' },
		{ "old", required_argument, NULL, 'o' },
		{ "new", required_argument, NULL, 'n' },
		{ "symvers", required_argument, NULL, 's' },
		{ "report", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		switch (option) {
		case 'i':
			options->id = optarg;
			break;
		case 't':
			options->target = optarg;
			break;
		case 'o':
			options->old = optarg;
			break;
		case 'n':
			options->new = optarg;
			break;
		case 's':
			options->symvers = optarg;
			break;
		case 'r':
			options->report = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_DONE;
		case 'V':
			puts("ksplice-objmanip " PACKAGE_VERSION);
			return EXIT_DONE;
		default:
			return EXIT_USAGE;
		}
	}
	if (!options->id || !options->target || !options->old || !options->new)
		return usage_error("--id, --target, --old and --new are needed");
	if (!valid_id(options->id))
		return usage_error("the id must be 1 to 20 letters, digits and _");
	if (argc == optind || (argc - optind) % 2 != 0)
		return usage_error("objects come in pairs, PRE and POST");
	return -1;
}

static void make_side(struct manip *manip, struct side *side)
{
	struct section *section;
	size_t i;

	side->spans = arena_array(&manip->arena, side->object->nr_sections, sizeof(*side->spans));
	side->sections =
		arena_array(&manip->arena, side->object->nr_sections, sizeof(*side->sections));
	side->out = arena_array(&manip->arena, side->object->nr_sections, sizeof(*side->out));
	for_each_section(side->object, section, i)
		side->spans[i] = arena_array(&manip->arena, section->nr_spans + 1,
					     sizeof(**side->spans));
}

static void add_notes(struct manip *manip, struct pointers *list, const struct pair *pair,
		      const struct diff_list *from)
{
	size_t i;

	for (i = 0; i < from->count; i++)
		add_note(manip, list, pair->post.object, from->items[i].name, from->items[i].reason);
}

/* What is left can be added up without overflow; the whole of memory is 2^57 bytes. */
static int check_addends(const struct object *object, struct ks_error *err)
{
	const struct reloc *reloc;
	struct section *section;
	size_t i;

	for_each_section(object, section, i)
		for (reloc = section->relocs; reloc < section->relocs + section->nr_relocs; reloc++)
			if (reloc->addend > INT64_MAX / 4 || reloc->addend < INT64_MIN / 4)
				return ks_error_set(err, "%s: %s+0x%llx: the relocation goes too far",
						    object->path, section->name,
						    (unsigned long long)reloc->offset);
	return 0;
}

static int read_pair(struct manip *manip, struct pair *pair, char **paths, struct ks_error *err)
{
	pair->pre.object = object_read(paths[0], err);
	if (!pair->pre.object)
		return -1;
	pair->post.object = object_read(paths[1], err);
	if (!pair->post.object)
		return -1;
	if (pair->pre.object->machine != pair->post.object->machine)
		return ks_error_set(err, "%s: is for another machine than %s", paths[1], paths[0]);
	if (manip->word_size != 0 && manip->word_size != pair->pre.object->word_size)
		return ks_error_set(err, "%s: is for another machine than the objects before",
				    paths[0]);
	manip->word_size = pair->pre.object->word_size;
	if (check_addends(pair->pre.object, err) != 0 || check_addends(pair->post.object, err) != 0)
		return -1;
	if (analyze_object(pair->pre.object, err) != 0 ||
	    analyze_object(pair->post.object, err) != 0 ||
	    diff_objects(&pair->diff, pair->pre.object, pair->post.object, err) != 0)
		return -1;
	pair->compared = true;
	add_notes(manip, &manip->skipped, pair, &pair->diff.skipped);
	add_notes(manip, &manip->refused, pair, &pair->diff.refused);
	refuse_unsafe(manip, pair);
	make_side(manip, &pair->pre);
	make_side(manip, &pair->post);
	return 0;
}

/* Print all refusals, so that the user can deal with them in one go. */
static void print_refusals(const struct manip *manip)
{
	size_t i;

	for (i = 0; i < manip->refused.count; i++) {
		const struct note *note = manip->refused.items[i];

		fprintf(stderr, "ksplice-objmanip: %s: %s: %s\n", note->file, note->symbol, note->reason);
	}
}

static int write_outputs(struct manip *manip, struct block *block, const struct options *options,
			 struct ks_error *err)
{
	if (write_old_code(manip, block, options->old, err) != 0)
		return -1;
	if (out_object_write(manip->new_code, options->new, err) == 0 &&
	    (!options->symvers || write_symvers(manip, options->symvers, err) == 0))
		return 0;
	/* One without the other is of no use. */
	unlink(options->old);
	unlink(options->new);
	return -1;
}

static int make(struct manip *manip, const struct options *options, struct ks_error *err)
{
	struct block block = { .strings = { .data = NULL } };
	int ret;

	manip->new_code = out_object_new(manip->pairs[0].pre.object->machine);
	ret = make_old_code(manip, &block, err);
	if (ret == 0)
		ret = make_new_code(manip, err);
	if (ret == 0 && manip->refused.count == 0) {
		make_patches(manip);
		ret = write_outputs(manip, &block, options, err);
	}
	block_free(&block);
	return ret;
}

static int run(struct manip *manip, const struct options *options, char **paths,
	       struct ks_error *err)
{
	size_t i;

	for (i = 0; i < manip->nr_pairs; i++)
		if (read_pair(manip, &manip->pairs[i], paths + 2 * i, err) != 0)
			return EXIT_TROUBLE;
	collect_definitions(manip);
	refuse_moved(manip);
	refuse_idle(manip);
	if (manip->refused.count == 0 && make(manip, options, err) != 0)
		return EXIT_TROUBLE;
	print_refusals(manip);
	if (options->report && write_report(manip, options->report, err) != 0)
		return EXIT_TROUBLE;
	return manip->refused.count > 0 ? EXIT_REFUSED : EXIT_DONE;
}

static void free_manip(struct manip *manip)
{
	size_t i;

	for (i = 0; i < manip->nr_pairs; i++) {
		if (manip->pairs[i].compared)
			diff_free(&manip->pairs[i].diff);
		object_free(manip->pairs[i].pre.object);
		object_free(manip->pairs[i].post.object);
	}
	if (manip->new_code)
		out_object_free(manip->new_code);
	arena_free(&manip->arena);
}

int main(int argc, char **argv)
{
	struct options options = { .id = NULL };
	struct manip manip = { .nr_pairs = 0 };
	struct ks_error err = { .text = "" };
	int status = parse_options(argc, argv, &options);

	if (status >= 0)
		return status;
	manip.id = options.id;
	manip.target = options.target;
	manip.nr_pairs = (size_t)(argc - optind) / 2;
	manip.pairs = arena_array(&manip.arena, manip.nr_pairs, sizeof(*manip.pairs));
	status = run(&manip, &options, argv + optind, &err);
	if (status == EXIT_TROUBLE)
		fprintf(stderr, "ksplice-objmanip: %s\n", err.text);
	free_manip(&manip);
	return status;
}
