// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ksplice-objmanip: from pairs of objects to the objects of an update's modules.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "kmodsrc/update_id.h"
#include "objmanip/exports.h"
#include "objmanip/make.h"
#include "objmanip/report.h"

enum {
	EXIT_DONE = 0,
	EXIT_TROUBLE = 1,
	EXIT_USAGE = 2,
	EXIT_REFUSED = 6,
};

struct options {
	const char *id;
	const char *target;
	struct outputs outputs;
	const char *crcs;
	const char *imports;
	const char *source_date;
	bool based;
};

static const char usage[] =
	"Usage: ksplice-objmanip --id=ID --target=NAME --old=FILE --new=FILE [OPTION]...\n"
	"                        PRE POST [PRE POST]...\n"
	"Make the objects of an update for one target from objects that were compiled\n"
	"without (PRE) and with (POST) a patch.  Part of ksplice-create.\n"
	"\n"
	"  --id=ID          the update's id\n"
	"  --target=NAME    vmlinux, or the name of a module\n"
	"  --old=FILE       write the object with the old code to FILE\n"
	"  --new=FILE       write the object with the new code to FILE\n"
	"  --symvers=FILE   write the symbols that the new code imports to FILE\n"
	"  --crcs=FILE      lines \"NAME 0xCRC\": the versions of symbols that POST exports\n"
	"  --imports=FILE   new code gets the symbols that are the lines of FILE from the\n"
	"                   kernel's exports, as other modules do\n"
	"  --source-date=N  the objects were compiled with SOURCE_DATE_EPOCH=N: any date\n"
	"                   may be in the running kernel where the compiler put that in\n"
	"  --based          PRE has patches of updates that this one is built upon\n"
	"  --report=FILE    write what changed to FILE, as JSON\n"
	"  --check-id=ID    only say why ID cannot be the id of an update, if so\n"
	"  --help           show this help\n"
	"  --version        show the version\n"
	"\n"
	"Objects that do not differ make an update that changes nothing.\n"
	"Exit status: 0 done; 1 trouble; 2 usage; 6 the change is refused as unsafe.\n";

static int check_id(const char *id)
{
	const char *reason = ksplice_why_no_id(id);

	if (!reason)
		return EXIT_DONE;
	puts(reason);
	return EXIT_USAGE;
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
		{ "crcs", required_argument, NULL, 'c' },
		{ "imports", required_argument, NULL, 'm' },
		{ "source-date", required_argument, NULL, 'd' },
		{ "based", no_argument, NULL, 'b' },
		{ "report", required_argument, NULL, 'r' },
		{ "check-id", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *reason;
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
			options->outputs.old = optarg;
			break;
		case 'n':
			options->outputs.new = optarg;
			break;
		case 's':
			options->outputs.symvers = optarg;
			break;
		case 'c':
			options->crcs = optarg;
			break;
		case 'm':
			options->imports = optarg;
			break;
		case 'd':
			options->source_date = optarg;
			break;
		case 'b':
			options->based = true;
			break;
		case 'r':
			options->outputs.report = optarg;
			break;
		case 'k':
			return check_id(optarg);
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
	if (!options->id || !options->target || !options->outputs.old ||
	    !options->outputs.new)
		return usage_error("--id, --target, --old and --new are needed");
	reason = ksplice_why_no_id(options->id);
	if (reason)
		return usage_error(reason);
	if (argc == optind || (argc - optind) % 2 != 0)
		return usage_error("objects come in pairs, PRE and POST");
	return -1;
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

static int run(struct manip *manip, const struct options *options, char **paths,
	       struct ks_error *err)
{
	struct pair *pair;
	size_t i;

	if (options->crcs && read_crcs(manip, options->crcs, err) != 0)
		return EXIT_TROUBLE;
	if (options->imports && read_imports(manip, options->imports, err) != 0)
		return EXIT_TROUBLE;
	for (i = 0; i < manip->nr_pairs; i++) {
		pair = &manip->pairs[i];
		pair->pre.object = object_read(paths[2 * i], err);
		if (!pair->pre.object)
			return EXIT_TROUBLE;
		pair->post.object = object_read(paths[2 * i + 1], err);
		if (!pair->post.object || compare_pair(manip, pair, err) != 0)
			return EXIT_TROUBLE;
	}
	if (make_update(manip, &options->outputs, err) != 0)
		return EXIT_TROUBLE;
	print_refusals(manip);
	if (options->outputs.report && write_report(manip, options->outputs.report, err) != 0)
		return EXIT_TROUBLE;
	return manip->refused.count > 0 ? EXIT_REFUSED : EXIT_DONE;
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
	manip.based = options.based;
	manip.nr_pairs = (size_t)(argc - optind) / 2;
	manip.pairs = arena_array(&manip.arena, manip.nr_pairs, sizeof(*manip.pairs));
	if (options.source_date && set_source_date(&manip, options.source_date) != 0)
		return usage_error("--source-date must be seconds since 1970, not after the year 9999");
	status = run(&manip, &options, argv + optind, &err);
	if (status == EXIT_TROUBLE)
		fprintf(stderr, "ksplice-objmanip: %s\n", err.text);
	free_manip(&manip);
	return status;
}
