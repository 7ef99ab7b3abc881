// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * without root|syslog COMMAND [ARG]...: run a command as nobody, or as root without
 * CAP_SYSLOG.  Static, for guests.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NOBODY	65534

static int fail(const char *what)
{
	fprintf(stderr, "without: %s: %s\n", what, strerror(errno));
	return 126;
}

int main(int argc, char **argv)
{
	if (argc < 3 || (strcmp(argv[1], "root") != 0 && strcmp(argv[1], "syslog") != 0)) {
		fputs("Usage: without root|syslog COMMAND [ARG]...\n", stderr);
		return 2;
	}
	/* What root has after exec is what this set has. */
	if (strcmp(argv[1], "syslog") == 0 && prctl(PR_CAPBSET_DROP, CAP_SYSLOG, 0, 0, 0) != 0)
		return fail("CAP_SYSLOG");
	if (strcmp(argv[1], "root") == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		return fail("nobody");
	execvp(argv[2], argv + 2);
	return fail(argv[2]);
}
