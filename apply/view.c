// SPDX-License-Identifier: GPL-2.0-or-later
/* ksplice-view: show the updates that are in the running kernel, or a file. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "apply/sequence.h"
#include "apply/show.h"
#include "kmodsrc/update_id.h"
#include "lib/update.h"

#define PROGRAM	"ksplice-view"

static const char help[] =
"Usage: ksplice-view [--json] [ID | --file=UPDATE]\n"
"List the updates that are in the running kernel, show one of them in detail,\n"
"or show what an update file holds.\n"
"\n"
"  --file=UPDATE    show this update file or folder\n"
"  --json           print a JSON object\n"
"  --help           print this text\n"
"  --version        print the version\n"
"\n"
"Exit status: 0 shown, 1 error, 2 wrong usage, 6 not found.\n";

struct options {
	const char *id;
	const char *file;
	int json;
};

/* The core's files of one update; NULL where one can't be read. */
struct state {
	const char *id;
	char *stage;
	char *description;
	char *targets;
	char *patches;
	char *match;
	char *pause;
	char *error;
	char *conflicts;
};

static enum exit_code fail(const char *subject, enum exit_code code,
			   const char *text)
{
	fprintf(stderr, PROGRAM ": %s: %s\n", subject, text);
	return code;
}

static int read_state(const struct sysfs *sysfs, const char *id,
		      struct state *state)
{
	int ret;

	memset(state, 0, sizeof(*state));
	state->id = id;
	ret = sysfs_read(sysfs, id, "stage", &state->stage);
	if (ret)
		return ret;
	sysfs_read(sysfs, id, "description", &state->description);
	sysfs_read(sysfs, id, "targets", &state->targets);
	sysfs_read(sysfs, id, "patches", &state->patches);
	sysfs_read(sysfs, id, "match", &state->match);
	sysfs_read(sysfs, id, "pause_ns", &state->pause);
	sysfs_read(sysfs, id, "error", &state->error);
	sysfs_read(sysfs, id, "conflicts", &state->conflicts);
	show_printable(state->stage);
	if (state->description)
		show_printable(state->description);
	if (state->error)
		show_printable(state->error);
	return 0;
}

static void free_state(struct state *state)
{
	free(state->stage);
	free(state->description);
	free(state->targets);
	free(state->patches);
	free(state->match);
	free(state->pause);
	free(state->error);
	free(state->conflicts);
}

static unsigned long long pause_ns(const struct state *state)
{
	return state->pause ? strtoull(state->pause, NULL, 10) : 0;
}

static void add_string(json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key,
			       json_object_new_string(text ? text : ""));
}

static json_object *json_state(const struct state *state)
{
	json_object *object = json_object_new_object();

	add_string(object, "id", state->id);
	add_string(object, "stage", state->stage);
	add_string(object, "description", state->description);
	json_object_object_add(object, "targets", show_json_targets(state->targets));
	json_object_object_add(object, "functions",
			       show_json_patches(state->patches));
	json_object_object_add(object, "match", show_json_match(state->match));
	json_object_object_add(object, "pause_us",
			       show_json_us(pause_ns(state)));
	add_string(object, "error", state->error);
	json_object_object_add(object, "conflicts",
			       show_json_conflicts(state->conflicts));
	return object;
}

static void print_state(const struct state *state)
{
	unsigned long long functions, bytes;
	char *copy, *rest, *line;

	printf("id:          %s\n", state->id);
	printf("stage:       %s\n", state->stage);
	printf("description: %s\n", state->description ? state->description : "");
	copy = rest = strdup(state->targets ? state->targets : "");
	while ((line = strsep(&rest, "\n")))
		if (*line)
			printf("target:      %s\n", show_printable(line));
	free(copy);
	if (state->match &&
	    sscanf(state->match, "%llu %llu", &functions, &bytes) == 2)
		printf("matched:     %llu functions, %llu bytes\n", functions, bytes);
	printf("pause:       %.1f us\n", pause_ns(state) / 1e3);
	if (state->error && *state->error && strcmp(state->error, "ok"))
		printf("last error:  %s\n", state->error);
	show_patches(stdout, "function:    ", state->patches);
	show_conflicts(stdout, "conflict:    ", state->conflicts);
}

static enum exit_code state_error(const char *id, int error)
{
	switch (error) {
	case -ENOENT:
		return fail(id, EXIT_NOT_FOUND, "no such update is in the kernel");
	case -EACCES:
		return fail(id, EXIT_ERROR, "only root can see it");
	default:
		return fail(id, EXIT_ERROR, strerror(-error));
	}
}

static enum exit_code view_one(const struct sysfs *sysfs,
			       const struct options *options)
{
	struct state state;
	int ret;

	ret = read_state(sysfs, options->id, &state);
	if (ret)
		return state_error(options->id, ret);
	if (options->json)
		show_json(json_state(&state));
	else
		print_state(&state);
	free_state(&state);
	return EXIT_DONE;
}

static enum exit_code view_list(const struct sysfs *sysfs,
				const struct options *options)
{
	json_object *object = json_object_new_object();
	json_object *list = json_object_new_array();
	enum exit_code code = EXIT_DONE;
	struct state state;
	int i, nr, ret;
	char **ids;

	nr = sysfs_list(sysfs, &ids);
	if (nr < 0)
		code = fail(sysfs->base, EXIT_ERROR, strerror(-nr));
	for (i = 0; i < nr && !code; i++) {
		ret = read_state(sysfs, ids[i], &state);
		/* One that was undone since the list was made. */
		if (ret == -ENOENT)
			continue;
		if (ret)
			code = state_error(ids[i], ret);
		else if (options->json)
			json_object_array_add(list, json_state(&state));
		else
			printf("%-20s %-10s %3u function%s  %s\n", ids[i],
			       state.stage, show_count(state.patches),
			       show_count(state.patches) == 1 ? " " : "s",
			       state.description ? state.description : "");
		free_state(&state);
	}
	if (nr == 0 && !options->json)
		puts("no updates");
	if (nr >= 0)
		sysfs_free_list(ids, nr);
	json_object_object_add(object, "updates", list);
	if (options->json && !code)
		show_json(object);
	else
		json_object_put(object);
	return code;
}

static void print_names(const char *label, const struct ks_update_names *names)
{
	size_t i;

	for (i = 0; i < names->nr; i++)
		printf("  %s %s\n", label, names->names[i]);
}

static void print_update(const struct ks_update *update)
{
	char *description = strdup(update->description);
	size_t i;

	printf("id:          %s\n", update->id);
	printf("kernel:      %s\n", update->kernel);
	printf("description: %s\n", description ? show_printable(description) : "");
	free(description);
	for (i = 0; i < update->nr_targets; i++) {
		printf("target:      %s\n", update->targets[i].name);
		print_names("changed:  ", &update->targets[i].changed);
		print_names("new:      ", &update->targets[i].new_functions);
	}
	for (i = 0; i < update->nr_files; i++)
		printf("file:        %s, %zu bytes%s\n", update->files[i].name,
		       update->files[i].size,
		       ks_update_file_signed(&update->files[i]) ? ", signed" : "");
}

static void json_update(const struct ks_update *update)
{
	json_object *object = json_object_new_object();
	json_object *files = json_object_new_array(), *file;
	size_t i;

	for (i = 0; i < update->nr_files; i++) {
		file = json_object_new_object();
		add_string(file, "name", update->files[i].name);
		json_object_object_add(file, "size", json_object_new_int64(
				       update->files[i].size));
		json_object_object_add(file, "signed", json_object_new_boolean(
				       ks_update_file_signed(&update->files[i])));
		json_object_array_add(files, file);
	}
	json_object_object_add(object, "manifest",
			       json_object_get(update->manifest));
	json_object_object_add(object, "files", files);
	show_json(object);
}

static enum exit_code view_file(const struct options *options)
{
	struct ks_update *update;
	struct ks_error err;
	int ret;

	ret = ks_update_open(&update, options->file, &err);
	if (ret)
		return fail(options->file, ret == -ENOENT || ret == -ENOTDIR ?
			    EXIT_NOT_FOUND : EXIT_ERROR, show_printable(err.text));
	if (options->json)
		json_update(update);
	else
		print_update(update);
	ks_update_free(update);
	return EXIT_DONE;
}

static enum exit_code usage(const char *text)
{
	if (text)
		fprintf(stderr, PROGRAM ": %s\n", text);
	fprintf(stderr, "Try '" PROGRAM " --help'.\n");
	return EXIT_USAGE;
}

/* Returns 1 to go on, or 0 when the program is done, with *@code. */
static int parse(struct options *options, int argc, char **argv,
		 enum exit_code *code)
{
	static const struct option long_options[] = {
		{ "file", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	const char *reason;
	int option;

	argv[0] = PROGRAM;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'f':
			options->file = optarg;
			break;
		case 'j':
			options->json = 1;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		case 'V':
			printf(PROGRAM " (ksplice) %s\n", PACKAGE_VERSION);
			return 0;
		default:
			*code = usage(NULL);
			return 0;
		}
	}
	if (argc - optind > 1 || (argc > optind && options->file)) {
		*code = usage("give one ID, or one --file, or nothing");
		return 0;
	}
	options->id = argv[optind];
	reason = options->id ? ksplice_why_no_id(options->id) : NULL;
	if (reason) {
		*code = usage(reason);
		return 0;
	}
	return 1;
}

int main(int argc, char **argv)
{
	const struct sysfs sysfs = { .base = SYSFS_BASE };
	struct options options = { 0 };
	enum exit_code code = EXIT_DONE;

	if (parse(&options, argc, argv, &code)) {
		if (options.file)
			code = view_file(&options);
		else if (options.id)
			code = view_one(&sysfs, &options);
		else
			code = view_list(&sysfs, &options);
	}
	if ((fflush(stdout) || ferror(stdout)) && !code)
		code = fail("standard output", EXIT_ERROR, strerror(errno));
	return code;
}
