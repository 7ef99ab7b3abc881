// SPDX-License-Identifier: GPL-2.0-or-later
/* Modules by the system calls themselves, and what /sys/module says. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "apply/modules.h"

static int load(struct modules *modules, const char *name, const void *data,
		size_t size)
{
	(void)modules;
	(void)name;
	return syscall(SYS_init_module, data, size, "") ? -errno : 0;
}

static int unload(struct modules *modules, const char *name)
{
	(void)modules;
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* Read a short file of /sys/module/NAME. */
static int read_attribute(const char *name, const char *file, char text[32])
{
	char path[256];
	ssize_t got;
	int fd, ret;

	snprintf(path, sizeof(path), "/sys/module/%s/%s", name, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, text, 31);
	ret = got < 0 ? -errno : 0;
	if (!ret)
		text[got] = '\0';
	close(fd);
	return ret;
}

/* What is built into the kernel has a folder there too, but no initstate. */
static int is_loaded(struct modules *modules, const char *name)
{
	char text[32];
	int ret = read_attribute(name, "initstate", text);

	(void)modules;
	return ret == -ENOENT ? 0 : ret ? ret : 1;
}

static int refcount(struct modules *modules, const char *name)
{
	char text[32];
	int ret = read_attribute(name, "refcnt", text);

	(void)modules;
	return ret ? ret : atoi(text);
}

static void close_nothing(struct modules *modules)
{
	(void)modules;
}

int modules_open(struct modules *modules, struct ks_error *err)
{
	(void)err;
	*modules = (struct modules) {
		.load = load,
		.unload = unload,
		.is_loaded = is_loaded,
		.refcount = refcount,
		.close = close_nothing,
	};
	return 0;
}
