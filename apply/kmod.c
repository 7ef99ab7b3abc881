// SPDX-License-Identifier: GPL-2.0-or-later
/* Modules by libkmod. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libkmod.h>

#include "apply/modules.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U		/* linux/memfd.h of Linux 6.3 */
#endif

static int write_all(int fd, const char *data, size_t size)
{
	ssize_t done;

	while (size) {
		done = write(fd, data, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		size -= done;
	}
	return 0;
}

/*
 * Make a file in memory, open for reading only: the kernel refuses to load a
 * module from a file that someone can write (-ETXTBSY).
 */
static int memory_file(const char *name, const void *data, size_t size)
{
	char path[64];
	int fd, read_fd, ret;

	/* Linux 6.3 may be told to refuse the old way (vm.memfd_noexec=2). */
	fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write_all(fd, data, size);
	if (ret) {
		close(fd);
		return ret;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (read_fd < 0)
		read_fd = -errno;
	close(fd);
	return read_fd;
}

static int load(struct modules *modules, const char *name, const void *data,
		size_t size)
{
	struct kmod_module *module;
	char path[64];
	int fd, ret;

	fd = memory_file(name, data, size);
	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = kmod_module_new_from_path(modules->private, path, &module);
	if (ret >= 0) {
		ret = kmod_module_insert_module(module, 0, "");
		kmod_module_unref(module);
	}
	close(fd);
	return ret < 0 ? ret : 0;
}

static int unload(struct modules *modules, const char *name)
{
	struct kmod_module *module;
	int ret;

	ret = kmod_module_new_from_name(modules->private, name, &module);
	if (ret < 0)
		return ret;
	ret = kmod_module_remove_module(module, O_NONBLOCK);
	kmod_module_unref(module);
	return ret < 0 ? ret : 0;
}

static int is_loaded(struct modules *modules, const char *name)
{
	struct kmod_module *module;
	int ret;

	ret = kmod_module_new_from_name(modules->private, name, &module);
	if (ret < 0)
		return ret;
	ret = kmod_module_get_initstate(module);
	kmod_module_unref(module);
	return ret == -ENOENT ? 0 : ret < 0 ? ret : 1;
}

static int refcount(struct modules *modules, const char *name)
{
	struct kmod_module *module;
	int ret;

	ret = kmod_module_new_from_name(modules->private, name, &module);
	if (ret < 0)
		return ret;
	ret = kmod_module_get_refcnt(module);
	kmod_module_unref(module);
	return ret;
}

static void close_kmod(struct modules *modules)
{
	kmod_unref(modules->private);
}

/* libkmod's own messages would come without our prefix; errno says it all. */
static void no_log(void *data, int priority, const char *file, int line,
		   const char *fn, const char *format, va_list args)
{
	(void)data;
	(void)priority;
	(void)file;
	(void)line;
	(void)fn;
	(void)format;
	(void)args;
}

int modules_open(struct modules *modules, struct ks_error *err)
{
	/* An empty configuration: no aliases, options or install commands. */
	const char *const no_config = NULL;
	struct kmod_ctx *ctx = kmod_new(NULL, &no_config);

	if (!ctx)
		return ks_error_set(err, "can't set up libkmod");
	kmod_set_log_fn(ctx, no_log, NULL);
	*modules = (struct modules) {
		.load = load,
		.unload = unload,
		.is_loaded = is_loaded,
		.refcount = refcount,
		.close = close_kmod,
		.private = ctx,
	};
	return 0;
}
