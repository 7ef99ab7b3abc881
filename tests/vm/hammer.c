// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hammer CPU: calls functions that tests/patches/stress.patch changes without end, on
 * that CPU, at the lowest priority: a file of /proc, a system call, page faults.  Looks
 * at each result; at SIGTERM it prints "rounds N wrong M".  Static, for guests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 32

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* The line of an unpatched kernel ends with a number. */
static int is_file_wrong(void)
{
	static const char end[] = " patched\n";
	char line[200];
	ssize_t size;
	int fd = open("/proc/loadavg", O_RDONLY);

	if (fd < 0)
		return 1;
	size = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (size < (ssize_t)sizeof(end) || line[size - 1] != '\n')
		return 1;
	line[size] = '\0';
	return strcmp(line + size - strlen(end), end) != 0 &&
	       (line[size - 2] < '0' || line[size - 2] > '9');
}

static int is_memory_wrong(long page_size)
{
	unsigned char *memory = mmap(NULL, PAGES * page_size, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int wrong = 0, i;

	if (memory == MAP_FAILED)
		return 1;
	for (i = 0; i < PAGES; i++) {
		wrong |= memory[i * page_size];
		memory[i * page_size] = i + 1;
	}
	for (i = 0; i < PAGES; i++)
		wrong |= memory[i * page_size] != i + 1;
	munmap(memory, PAGES * page_size);
	return wrong != 0;
}

static int is_child_wrong(void)
{
	pid_t parent = getpid(), child = fork();
	int status;

	if (child == 0)
		_exit(syscall(SYS_getppid) == parent ? 42 : 1);
	return child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	       WEXITSTATUS(status) != 42;
}

int main(int argc, char **argv)
{
	long page_size = sysconf(_SC_PAGESIZE);
	unsigned long rounds = 0, wrong = 0;
	pid_t parent = getppid();
	cpu_set_t cpus;
	int i;

	CPU_ZERO(&cpus);
	CPU_SET(argc > 1 ? atoi(argv[1]) : 0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0) {
		perror("hammer: CPU");
		return 1;
	}
	if (nice(19) != 19)
		perror("hammer: nice");
	signal(SIGTERM, stop);
	while (!stopped) {
		for (i = 0; i < 100; i++)
			wrong += syscall(SYS_getppid) != parent;
		wrong += is_file_wrong();
		wrong += is_memory_wrong(page_size);
		wrong += is_child_wrong();
		rounds++;
	}
	printf("rounds %lu wrong %lu\n", rounds, wrong);
	return 0;
}
