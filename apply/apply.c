// SPDX-License-Identifier: GPL-2.0-or-later
/* ksplice-apply: put an update into the running kernel. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "apply/cli.h"
#include "apply/partial.h"
#include "lib/update.h"

/*
 * Seconds for --late: a module is being loaded and waits for us, so end before
 * anybody loses patience.
 */
#define TIME_LIMIT	60

static const char help[] =
"Usage: ksplice-apply [OPTION]... UPDATE\n"
"Put an update into the running kernel.  UPDATE is a file ksplice-ID.tar.gz or\n"
"a folder with the same content.\n"
"\n"
"  --retries=N      try again N times when code is in use (default 10)\n"
"  --delay=SECONDS  wait so long before each retry (default 1)\n"
"  --partial[=WHAT] apply to the targets that are loaded, and patch others when\n"
"                   they are; when one can't be patched then, \"refuse\" it (the\n"
"                   default) or \"load\" it all the same\n"
"  --nudge          wake tasks that sleep in the code, as a signal does\n"
"  --json           print the outcome as a JSON object\n"
"  --verbose        say what is being done\n"
"  --late ID TARGET (for the kernel: load the new code of such a target)\n"
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

/*
 * The kernel starts us without open files; an error must not go to whatever is
 * opened as number 2, so it goes to the kernel's log.
 */
static void open_standard_files(void)
{
	static char buffer[1024];
	int closed = fcntl(STDERR_FILENO, F_GETFD) < 0, fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < STDERR_FILENO);
	if (closed && freopen("/dev/kmsg", "w", stderr))
		setvbuf(stderr, buffer, _IOLBF, sizeof(buffer));
}

/* ksplice-apply --late ID TARGET */
static enum exit_code load_late(const char *id, const char *target)
{
	struct modules modules = { 0 };
	struct ks_error err;
	int ret;

	open_standard_files();
	alarm(TIME_LIMIT);
	ret = modules_open(&modules, &err);
	if (!ret)
		ret = partial_load(PARTIAL_BASE, &modules, id, target, &err);
	if (ret)
		fprintf(stderr, "ksplice-apply: %s: %s: %s\n", id, target, err.text);
	if (modules.close)
		modules.close(&modules);
	return ret ? EXIT_ERROR : EXIT_DONE;
}

/* Our own path, which the kernel can run later. */
static const char *own_path(char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (len < 0)
		return "/usr/sbin/ksplice-apply";
	path[len] = '\0';
	return path;
}

int main(int argc, char **argv)
{
	char path[PATH_MAX];
	struct cli cli = {
		.program = "ksplice-apply",
		.action = "apply",
		.help = help,
		.helper = own_path(path),
	};
	struct sequence_result result = { 0 };
	struct ks_update *update;
	struct ks_error err;
	enum exit_code code;
	int ret;

	if (argc == 4 && !strcmp(argv[1], "--late"))
		return load_late(argv[2], argv[3]);
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
