// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <json-c/json.h>

#include "apply/cli.h"
#include "apply/partial.h"
#include "apply/show.h"

#define LOCK_FILE	"/run/ksplice.lock"

/* Limits of --retries and --delay (seconds). */
#define RETRIES_MAX	1000000
#define DELAY_MAX	86400

/* Seconds of silence before a terminal is told that we wait. */
#define PATIENCE	2

static const char *const status_names[EXIT_CODES] = {
	[EXIT_DONE] = "done",
	[EXIT_ERROR] = "error",
	[EXIT_USAGE] = "usage",
	[EXIT_BUSY] = "busy",
	[EXIT_MISMATCH] = "mismatch",
	[EXIT_KERNEL] = "wrong-kernel",
	[EXIT_NOT_FOUND] = "not-found",
};

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec + (now.tv_nsec - start->tv_nsec) / 1e9;
}

/* Sleep until a signal that stops us, at most @seconds.  Returns 1 for one. */
static int sleep_for(struct cli *cli, double seconds)
{
	struct timespec start, left;
	double rest = seconds;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		left.tv_sec = rest;
		left.tv_nsec = (rest - left.tv_sec) * 1e9;
		ret = sigtimedwait(&cli->signals, NULL, &left);
		rest = seconds - seconds_since(&start);
	} while (ret < 0 && errno == EINTR && rest > 0);
	cli->stopped = ret > 0;
	return cli->stopped;
}

/* Wait with a countdown on a terminal, if it takes long. */
static int wait_seconds(struct sequence *seq, double seconds, unsigned int retry)
{
	struct cli *cli = seq->private;
	double step, rest = seconds;
	int shown = 0;

	if (cli->stopped)
		return 1;
	if (retry && !cli->waiting_since.tv_sec)
		clock_gettime(CLOCK_MONOTONIC, &cli->waiting_since);
	do {
		if (retry && isatty(STDERR_FILENO) &&
		    rest + seconds_since(&cli->waiting_since) >= PATIENCE) {
			fprintf(stderr, "\r%s: the code is in use; retry %u of %u "
				"in %.1f s \033[K", cli->program, retry,
				seq->retries, rest);
			shown = 1;
		}
		step = rest > 1 ? 1 : rest;
		rest -= step;
	} while (!sleep_for(cli, step) && rest > 0);
	if (shown)
		fprintf(stderr, "\r\033[K");
	return cli->stopped;
}

static void note(struct sequence *seq, const char *text)
{
	struct cli *cli = seq->private;

	if (cli->verbose)
		fprintf(stderr, "%s: %s\n", cli->program, text);
}

static void warn(struct sequence *seq, const char *text)
{
	struct cli *cli = seq->private;

	fprintf(stderr, "%s: warning: %s\n", cli->program, text);
}

static int usage(const struct cli *cli, const char *text, const char *arg)
{
	if (text)
		fprintf(stderr, "%s: %s%s\n", cli->program, text, arg);
	fprintf(stderr, "Try '%s --help'.\n", cli->program);
	return EXIT_USAGE;
}

/* Parse a number from 0 to @max; returns -1 for anything else. */
static double parse_number(const char *text, double max)
{
	char *end;
	double number;

	if (strspn(text, "0123456789.") != strlen(text))
		return -1;
	number = strtod(text, &end);
	return end == text || *end || number > max ? -1 : number;
}

static int parse_option(struct cli *cli, int option, enum exit_code *code)
{
	double number;

	switch (option) {
	case 'r':
		number = parse_number(optarg, RETRIES_MAX);
		if (number < 0 || number != (unsigned int)number) {
			*code = usage(cli, "not a number of retries: ", optarg);
			return 0;
		}
		cli->sequence.retries = number;
		return 1;
	case 'd':
		cli->sequence.delay = parse_number(optarg, DELAY_MAX);
		if (cli->sequence.delay < 0) {
			*code = usage(cli, "not a number of seconds: ", optarg);
			return 0;
		}
		return 1;
	case 'p':
		cli->sequence.partial = optarg ? optarg : "refuse";
		if (cli->helper && (!strcmp(cli->sequence.partial, "refuse") ||
				    !strcmp(cli->sequence.partial, "load")))
			return 1;
		*code = usage(cli, cli->helper ? "neither refuse nor load: " :
			      "no option of this program: ", cli->helper ?
			      optarg : "--partial");
		return 0;
	case 'n':
		cli->sequence.nudge = 1;
		return 1;
	case 'j':
		cli->json = 1;
		return 1;
	case 'v':
		cli->verbose = 1;
		return 1;
	case 'h':
		fputs(cli->help, stdout);
		*code = EXIT_DONE;
		return 0;
	case 'V':
		printf("%s (ksplice) %s\n", cli->program, PACKAGE_VERSION);
		*code = EXIT_DONE;
		return 0;
	default:
		*code = usage(cli, NULL, NULL);
		return 0;
	}
}

int cli_parse(struct cli *cli, int argc, char **argv, enum exit_code *code)
{
	static const struct option options[] = {
		{ "retries", required_argument, NULL, 'r' },
		{ "delay", required_argument, NULL, 'd' },
		{ "partial", optional_argument, NULL, 'p' },
		{ "nudge", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	cli->sequence.retries = 10;
	cli->sequence.delay = 1;
	/* getopt puts it before its messages. */
	argv[0] = (char *)cli->program;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!parse_option(cli, option, code))
			return 0;
	if (optind + 1 != argc) {
		*code = usage(cli, optind == argc ? "an argument is missing" :
			      "too many arguments: ",
			      optind == argc ? "" : argv[optind + 1]);
		return 0;
	}
	cli->argument = cli->subject = argv[optind];
	cli->lock = -1;
	return 1;
}

/*
 * Only one of us at a time: another one would take our half-applied update for
 * the remains of an interrupted run.  A guest without /run has one user anyway.
 * For another one we wait as long as for code in use.
 */
static enum exit_code take_lock(struct cli *cli, struct ks_error *err)
{
	double patience = cli->sequence.retries * cli->sequence.delay;
	struct timespec start;

	cli->lock = open(LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (cli->lock < 0) {
		if (errno == ENOENT || errno == EROFS)
			return EXIT_DONE;
		ks_error_set(err, "can't open " LOCK_FILE ": %s", strerror(errno));
		return EXIT_ERROR;
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		if (!flock(cli->lock, LOCK_EX | LOCK_NB))
			return EXIT_DONE;
	} while (errno == EWOULDBLOCK && seconds_since(&start) < patience &&
		 !sleep_for(cli, 0.05));
	ks_error_set(err, errno == EWOULDBLOCK ? "another ksplice-apply or "
		     "ksplice-undo is at work; it did not end in time" :
		     "can't lock " LOCK_FILE);
	return EXIT_ERROR;
}

enum exit_code cli_start(struct cli *cli, struct ks_error *err)
{
	struct sequence *seq = &cli->sequence;
	enum exit_code code;

	seq->sysfs = (struct sysfs) {
		.base = SYSFS_BASE,
		.write = sysfs_write_file,
	};
	seq->helper = cli->helper;
	seq->keep = PARTIAL_BASE;
	seq->wait = wait_seconds;
	seq->note = note;
	seq->warn = warn;
	seq->private = cli;

	if (geteuid()) {
		ks_error_set(err, "only root can change the running kernel");
		return EXIT_ERROR;
	}
	/* Held back, and looked at where we can stop (wait_seconds). */
	sigemptyset(&cli->signals);
	sigaddset(&cli->signals, SIGINT);
	sigaddset(&cli->signals, SIGTERM);
	sigaddset(&cli->signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &cli->signals, NULL);
	/* A reader of our output that goes must not leave things half done. */
	signal(SIGPIPE, SIG_IGN);
	code = take_lock(cli, err);
	if (code)
		return code;
	return modules_open(&seq->modules, err) ? EXIT_ERROR : EXIT_DONE;
}

static void print_json(struct cli *cli, enum exit_code code,
		       const struct sequence_result *result, char *error)
{
	json_object *object = json_object_new_object();

	json_object_object_add(object, "action",
			       json_object_new_string(cli->action));
	json_object_object_add(object, "id", cli->id ?
			       json_object_new_string(cli->id) : NULL);
	json_object_object_add(object, "status",
			       json_object_new_string(status_names[code]));
	json_object_object_add(object, "exit", json_object_new_int(code));
	if (code)
		json_object_object_add(object, "error",
				       json_object_new_string(error));
	json_object_object_add(object, "attempts",
			       json_object_new_int64(result->attempts));
	json_object_object_add(object, "pause_us",
			       show_json_us(result->pause_ns));
	json_object_object_add(object, "match", show_json_match(result->match));
	json_object_object_add(object, "functions",
			       show_json_patches(result->patches));
	json_object_object_add(object, "conflicts",
			       show_json_conflicts(result->conflicts));
	json_object_object_add(object, "targets",
			       show_json_targets(result->targets));
	show_json(object);
}

enum exit_code cli_finish(struct cli *cli, enum exit_code code,
			  struct sequence_result *result,
			  const struct ks_error *err)
{
	unsigned int nr = show_count(result->patches);
	int applied = !strcmp(cli->action, "apply");
	char prefix[64], error[sizeof(err->text)];

	snprintf(error, sizeof(error), "%s", code ? err->text : "");
	show_printable(error);
	if (code) {
		fprintf(stderr, "%s: %s: %s\n", cli->program, cli->subject, error);
		snprintf(prefix, sizeof(prefix), "%s:   ", cli->program);
		show_conflicts(stderr, prefix, result->conflicts);
	}
	if (cli->json)
		print_json(cli, code, result, error);
	else if (!code)
		printf("%s %s: %u function%s %s, pause %.1f us\n", cli->subject,
		       applied ? "applied" : "undone", nr, nr == 1 ? "" : "s",
		       applied ? "replaced" : "restored", result->pause_ns / 1e3);
	if (!cli->json && !code && applied)
		show_missing(stdout, "  not loaded, patched when it is: ",
			     result->targets);
	if ((fflush(stdout) || ferror(stdout)) && !code) {
		fprintf(stderr, "%s: %s: it is %s, but that can't be written: %s\n",
			cli->program, cli->subject,
			applied ? "applied" : "undone", strerror(errno));
		code = EXIT_ERROR;
	}

	sequence_free_result(result);
	if (cli->sequence.modules.close)
		cli->sequence.modules.close(&cli->sequence.modules);
	if (cli->lock >= 0)
		close(cli->lock);
	return code;
}
