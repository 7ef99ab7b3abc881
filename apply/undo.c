// SPDX-License-Identifier: GPL-2.0-or-later
/* ksplice-undo: take an update out of the running kernel. */
#include <stdio.h>

#include "apply/cli.h"
#include "kmodsrc/update_id.h"

static const char help[] =
"Usage: ksplice-undo [OPTION]... ID\n"
"Take the update ID out of the running kernel: the old code runs again.\n"
"\n"
"  --retries=N      try again N times when code is in use (default 10)\n"
"  --delay=SECONDS  wait so long before each retry (default 1)\n"
"  --nudge          wake tasks that sleep in the code, as a signal does\n"
"  --json           print the outcome as a JSON object\n"
"  --verbose        say what is being done\n"
"  --help           print this text\n"
"  --version        print the version\n"
"\n"
"Exit status: 0 undone, 1 error, 2 wrong usage, 3 code still in use, 6 no such\n"
"update is applied.\n";

int main(int argc, char **argv)
{
	struct cli cli = {
		.program = "ksplice-undo",
		.action = "undo",
		.help = help,
	};
	struct sequence_result result = { 0 };
	struct ks_error err;
	enum exit_code code;
	const char *reason;

	if (!cli_parse(&cli, argc, argv, &code))
		return code;
	reason = ksplice_why_no_id(cli.argument);
	if (reason) {
		ks_error_set(&err, "%s; see ksplice-view", reason);
		return cli_finish(&cli, EXIT_USAGE, &result, &err);
	}
	cli.id = cli.argument;
	code = cli_start(&cli, &err);
	if (!code)
		code = sequence_undo(&cli.sequence, cli.id, &result, &err);
	return cli_finish(&cli, code, &result, &err);
}
