// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stuck vfork|fault: a task that stays in the kernel until it is killed: with a child that
 * has not called exec() yet; or in a page fault that nobody handles, which the kernel runs
 * into itself as it copies a time to user space.  Static, for guests.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "stuck: %s: %s\n", what, strerror(errno));
	return 1;
}

static int stay_in_vfork(void)
{
	pid_t pid = vfork();

	if (pid != 0)
		return fail("vfork");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static int stay_in_fault(void)
{
	size_t size = sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { (uintptr_t)page, size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || page == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) != 0 ||
	    ioctl(fd, UFFDIO_REGISTER, &range) != 0)
		return fail("userfaultfd");
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, page);
	return fail("clock_gettime");
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "vfork") == 0)
		return stay_in_vfork();
	if (argc == 2 && strcmp(argv[1], "fault") == 0)
		return stay_in_fault();
	fputs("Usage: stuck vfork|fault\n", stderr);
	return 2;
}
