// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * threads N: N threads sleep for an hour.  Prints "ready" when all were made, and
 * at SIGTERM how many sleeps ended with an error.  Static, for guests.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_uint failed, started;

static void *sleep_long(void *arg)
{
	struct timespec hour = { .tv_sec = 3600 };

	(void)arg;
	atomic_fetch_add(&started, 1);
	/* Relative, and so on the way of hrtimer_nanosleep(). */
	if (syscall(SYS_nanosleep, &hour, NULL) != 0)
		atomic_fetch_add(&failed, 1);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int i, nr = argc > 1 ? atoi(argv[1]) : 1;
	pthread_attr_t attr;
	sigset_t signals;
	pthread_t thread;
	int ret, signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	pthread_attr_setguardsize(&attr, 0);
	for (i = 0; i < nr; i++) {
		ret = pthread_create(&thread, &attr, sleep_long, NULL);
		if (ret != 0) {
			fprintf(stderr, "threads: thread %u: %s\n", i, strerror(ret));
			return 1;
		}
	}
	while (atomic_load(&started) < nr)
		usleep(10000);
	puts("ready");
	fflush(stdout);
	sigwait(&signals, &signal);
	printf("failed %u\n", atomic_load(&failed));
	fflush(stdout);
	_exit(0);
}
