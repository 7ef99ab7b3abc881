// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply/load_hint.h"
#include "apply/partial.h"
#include "kmodsrc/update_id.h"

static int path_of(char path[PATH_MAX], const char *base, const char *id,
		   const char *file)
{
	int len = snprintf(path, PATH_MAX, "%s/%s%s%s", base, id,
			   file ? "/" : "", file ? file : "");

	return len < PATH_MAX ? 0 : -1;
}

static int make_folder(const char *path, struct ks_error *err)
{
	struct stat st;

	if (mkdir(path, 0700) && errno != EEXIST)
		return ks_error_set(err, "%s: can't make this folder: %s", path,
				    strerror(errno));
	/* What is in it will run in the kernel. */
	if (lstat(path, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 022))
		return ks_error_set(err, "%s: not a folder that only we can write "
				    "to: remove it", path);
	return 0;
}

static int write_file(const char *path, const struct ks_update_file *file,
		      struct ks_error *err)
{
	size_t done = 0;
	ssize_t ret = 0;
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while (fd >= 0 && done < file->size) {
		ret = write(fd, file->data + done, file->size - done);
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret <= 0)
			break;
		done += ret;
	}
	if (fd >= 0 && !close(fd) && done == file->size)
		return 0;
	return ks_error_set(err, "%s: can't write it: %s", path, strerror(errno));
}

int partial_keep(const char *base, const struct ks_update *update,
		 const struct ks_update_target *target, struct ks_error *err)
{
	char path[PATH_MAX];

	if (make_folder(base, err) || path_of(path, base, update->id, NULL) ||
	    make_folder(path, err) ||
	    path_of(path, base, update->id, target->new_module))
		return -1;
	unlink(path);
	return write_file(path, target->new, err);
}

void partial_forget(const char *base, const char *id)
{
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *dir;

	if (path_of(path, base, id, NULL))
		return;
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, "ksplice_", 8) == 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(path);
}

/* Read a file that partial_keep() wrote; its data is for free(). */
static int read_file(const char *path, struct ks_update_file *file,
		     struct ks_error *err)
{
	struct stat st;
	ssize_t ret = 0;
	int fd;

	*file = (struct ks_update_file) { 0 };
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return ks_error_set(err, "%s: %s", path, strerror(errno));
	if (!fstat(fd, &st) && st.st_size <= (off_t)KS_UPDATE_SIZE_MAX)
		file->data = malloc(st.st_size + 1);
	while (file->data && file->size < (size_t)st.st_size) {
		ret = read(fd, file->data + file->size, st.st_size - file->size);
		if (ret <= 0)
			break;
		file->size += ret;
	}
	close(fd);
	if (file->data && file->size == (size_t)st.st_size)
		return 0;
	free(file->data);
	return ks_error_set(err, "%s: can't read it", path);
}

int partial_load(const char *base, struct modules *modules, const char *id,
		 const char *target, struct ks_error *err)
{
	char name[KS_MODULE_NAME_MAX + 1], path[PATH_MAX], hint[512];
	struct ks_update_file file;
	int ret;

	if (ksplice_why_no_id(id) || strchr(target, '/') ||
	    ks_update_module_name(name, id, target, "new") ||
	    path_of(path, base, id, name))
		return ks_error_set(err, "not an ID and the name of a target");
	if (read_file(path, &file, err))
		return -1;
	if (modules->is_loaded(modules, name) == 1)
		modules->unload(modules, name);
	ret = modules->load(modules, name, file.data, file.size);
	if (ret) {
		load_hint(hint, sizeof(hint), -ret, &file, &running_policy);
		ks_error_set(err, "can't load %s: %s: %s", name, strerror(-ret), hint);
	}
	free(file.data);
	return ret ? -1 : 0;
}
