// SPDX-License-Identifier: GPL-2.0-or-later
/* ksplice-apply: put an update into the running kernel. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "apply/cli.h"
#include "lib/update.h"

static const char help[] =
"Usage: ksplice-apply [OPTION]... UPDATE\n"
"Put an update into the running kernel.  UPDATE is a file ksplice-ID.tar.gz or\n"
"a folder with the same content.\n"
"\n"
"  --retries=N      try again N times when code is in use (default 10)\n"
"  --delay=SECONDS  wait so long before each retry (default 1)\n"
"  --json           print the outcome as a JSON object\n"
"  --verbose        say what is being done\n"
"  --help           print this text\n"
"  --version        print the version\n"
"\n"
"Exit status: 0 applied, 1 error, 2 wrong usage, 3 code still in use, 4 the\n"
"running kernel is not what the update was made for, 5 other kernel release,\n"
"6 UPDATE not found.\n";

static enum exit_code check_kernel(const struct ks_update *update,
				   struct ks_error *err)
{
	struct utsname uts;

	uname(&uts);
	if (!strcmp(uts.release, update->kernel))
		return EXIT_DONE;
	ks_error_set(err, "made for kernel %s, but %s is running: make one for "
		     "that with ksplice-create --kernel=%s", update->kernel,
		     uts.release, uts.release);
	return EXIT_KERNEL;
}

int main(int argc, char **argv)
{
	struct cli cli = {
		.program = "ksplice-apply",
		.action = "apply",
		.help = help,
	};
	struct sequence_result result = { 0 };
	struct ks_update *update;
	struct ks_error err;
	enum exit_code code;
	int ret;

	if (!cli_parse(&cli, argc, argv, &code))
		return code;
	ret = ks_update_open(&update, cli.argument, &err);
	if (ret) {
		code = ret == -ENOENT || ret == -ENOTDIR ? EXIT_NOT_FOUND :
							   EXIT_ERROR;
		return cli_finish(&cli, code, &result, &err);
	}
	cli.id = update->id;
	code = check_kernel(update, &err);
	if (!code)
		code = cli_start(&cli, &err);
	if (!code) {
		cli.subject = cli.id;
		code = sequence_apply(&cli.sequence, update, &result, &err);
	}
	code = cli_finish(&cli, code, &result, &err);
	ks_update_free(update);
	return code;
}
