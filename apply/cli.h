/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ksplice-apply and ksplice-undo have in common as programs. */
#ifndef KSPLICE_APPLY_CLI_H
#define KSPLICE_APPLY_CLI_H

#include <signal.h>
#include <time.h>

#include "apply/sequence.h"

/*
 * @program: name of the program
 * @action: "apply" or "undo"
 * @help: text of --help
 * @helper: path of the program itself, for --partial; NULL without that option
 * @argument: the one argument, an update file or an ID
 * @id: the update's ID, NULL until known
 * @subject: what messages are about, the argument or the ID
 * @signals: signals that stop the retries
 * @stopped: one of them came
 * @waiting_since: monotonic time of the first retry, 0 before
 * @lock: descriptor of the lock file, or -1
 */
struct cli {
	const char *program;
	const char *action;
	const char *help;
	const char *helper;
	const char *argument;
	const char *id;
	const char *subject;
	int verbose;
	int json;
	struct sequence sequence;
	sigset_t signals;
	int stopped;
	struct timespec waiting_since;
	int lock;
};

/*
 * Parse the options of ksplice-apply and ksplice-undo.  Returns 1 to go on, or
 * 0 when the program is done, with *@code.
 */
int cli_parse(struct cli *cli, int argc, char **argv, enum exit_code *code);

/*
 * Prepare for changing the kernel: root only, one at a time, signals held back,
 * modules and sysfs ready.  Followed by cli_finish() always.
 */
enum exit_code cli_start(struct cli *cli, struct ks_error *err);

/*
 * Print how it went and release what cli_start() took, @result included.
 * Returns @code, or EXIT_ERROR when that cannot be printed.
 */
enum exit_code cli_finish(struct cli *cli, enum exit_code code,
			  struct sequence_result *result,
			  const struct ks_error *err);

#endif
