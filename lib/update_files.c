// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Brings the files of an update into memory, from a tar.gz or from a folder.
 *
 * The archive is unpacked by zlib first and given to libarchive as plain tar:
 * libarchive 3.6 does not check the CRC at the end of a gzip stream, so it takes
 * a file for good that was cut a few bytes before its end.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include "lib/update_files.h"

/* Refuse the update. */
#define bad(err, ...) (ks_error_set(err, __VA_ARGS__), -EINVAL)

struct buffer {
	char *data;
	size_t size;
	size_t room;
};

static int no_memory(struct ks_error *err)
{
	ks_error_set(err, "no memory for the update");
	return -ENOMEM;
}

static int too_big(struct ks_error *err)
{
	return bad(err, "the update is bigger than %lu MiB",
		   KS_UPDATE_SIZE_MAX >> 20);
}

/* Bytes of files that the update may still take. */
static size_t room_left(const struct ks_update *update)
{
	size_t i, size = 0;

	for (i = 0; i < update->nr_files; i++)
		size += update->files[i].size;
	return KS_UPDATE_SIZE_MAX - size;
}

/*
 * Add an empty file with memory for @size bytes and a NUL.  The name comes from
 * outside: ksplice-create makes only names of [A-Za-z0-9._-].
 */
static int add_file(struct ks_update *update, const char *name,
		    unsigned long long size, struct ks_update_file **result,
		    struct ks_error *err)
{
	struct ks_update_file *files, *file;
	size_t i;

	for (i = 0; name[i]; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return bad(err, "a file in it has a name with odd characters");
	if (i == 0 || i > NAME_MAX || !strcmp(name, ".") || !strcmp(name, ".."))
		return bad(err, "a file in it has no good name");
	if (ks_update_find(update, name))
		return bad(err, "%s is there twice", name);
	if (update->nr_files >= KS_UPDATE_FILES_MAX)
		return bad(err, "more than %d files", KS_UPDATE_FILES_MAX);
	if (size > room_left(update))
		return too_big(err);

	files = realloc(update->files, (update->nr_files + 1) * sizeof(*files));
	if (!files)
		return no_memory(err);
	update->files = files;
	file = &files[update->nr_files];
	file->name = strdup(name);
	file->data = calloc(1, size + 1);
	file->size = size;
	if (!file->name || !file->data) {
		free(file->name);
		free(file->data);
		return no_memory(err);
	}
	update->nr_files++;
	*result = file;
	return 0;
}

/* Unpack a gzip file whole, its CRC checked.  Takes over @fd. */
static int gunzip(struct buffer *tar, int fd, struct ks_error *err)
{
	/* Room for tar's headers and padding, two blocks of 512 a file. */
	const size_t max = KS_UPDATE_SIZE_MAX + KS_UPDATE_FILES_MAX * 2048ul;
	gzFile gz = gzdopen(fd, "rb");
	int got, error, ret = 0;
	char *data;

	if (!gz) {
		close(fd);
		return no_memory(err);
	}
	do {
		if (tar->size == tar->room) {
			tar->room = tar->room ? tar->room * 2 : 1 << 20;
			data = realloc(tar->data, tar->room);
			if (!data) {
				ret = no_memory(err);
				break;
			}
			tar->data = data;
		}
		got = gzread(gz, tar->data + tar->size, tar->room - tar->size);
		/* A file that is not gzip would be passed through as it is. */
		if (got >= 0 && gzdirect(gz))
			ret = bad(err, "not a gzip file, so not an update");
		else if (got > 0)
			tar->size += got;
		if (!ret && tar->size > max)
			ret = too_big(err);
	} while (!ret && got > 0);

	/* A cut file is an error of gzread() or, cut early, only seen here. */
	gzerror(gz, &error);
	if (!ret && error == Z_ERRNO) {
		ret = -errno;
		ks_error_set(err, "can't read it: %s", strerror(-ret));
	} else if (!ret && (got < 0 || error == Z_BUF_ERROR)) {
		ret = bad(err, "damaged gzip file: %s", error == Z_BUF_ERROR ?
			  "it is cut off" : "wrong data or checksum");
	}
	if (gzclose(gz) == Z_BUF_ERROR && !ret)
		ret = bad(err, "damaged gzip file: it is cut off");
	return ret;
}

/*
 * Split "ksplice-ID/NAME" into its folder, which must be the same in the whole
 * archive, and NAME, which is empty for the folder itself.
 */
static int split_path(const char *path, char **folder, const char **name,
		      struct ks_error *err)
{
	const char *slash;
	size_t len;

	if (!path)
		return bad(err, "a file in it has no good name");
	if (path[0] == '/')
		return bad(err, "it holds a file with an absolute path");
	if (!strncmp(path, "./", 2))
		path += 2;
	slash = strchr(path, '/');
	len = slash ? (size_t)(slash - path) : strlen(path);
	if (!len || (len == 1 && path[0] == '.') ||
	    (len == 2 && !strncmp(path, "..", 2)))
		return bad(err, "it holds a file outside of its folder");
	if (!*folder) {
		*folder = strndup(path, len);
		if (!*folder)
			return no_memory(err);
	}
	if (strlen(*folder) != len || strncmp(*folder, path, len))
		return bad(err, "it holds more than one folder");
	*name = slash ? slash + 1 : path + len;
	if (strchr(*name, '/'))
		return bad(err, "it holds a folder inside its folder");
	return 0;
}

static int read_entry(struct ks_update *update, struct archive *archive,
		      struct archive_entry *entry, char **folder,
		      struct ks_error *err)
{
	struct ks_update_file *file;
	const char *name;
	size_t done = 0;
	la_ssize_t got;
	int ret;

	ret = split_path(archive_entry_pathname(entry), folder, &name, err);
	if (ret)
		return ret;
	if (archive_entry_filetype(entry) == AE_IFDIR && !*name)
		return 0;
	if (archive_entry_filetype(entry) != AE_IFREG ||
	    archive_entry_hardlink(entry) || archive_entry_symlink(entry))
		return bad(err, "it holds a link, a folder or a special file");
	if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) < 0)
		return bad(err, "a file in it has no size");
	ret = add_file(update, name, archive_entry_size(entry), &file, err);
	if (ret)
		return ret;
	while (done < file->size) {
		got = archive_read_data(archive, file->data + done,
					file->size - done);
		if (got <= 0)
			return bad(err, "damaged archive: %s is cut off", name);
		done += got;
	}
	return 0;
}

static int read_tar(struct ks_update *update, const struct buffer *tar,
		    char **folder, struct ks_error *err)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	int status, ret = 0;

	if (!archive)
		return no_memory(err);
	if (archive_read_support_format_tar(archive) != ARCHIVE_OK ||
	    archive_read_open_memory(archive, tar->data, tar->size) != ARCHIVE_OK)
		ret = bad(err, "not a tar archive, so not an update");
	while (!ret) {
		status = archive_read_next_header(archive, &entry);
		if (status == ARCHIVE_EOF)
			break;
		if (status != ARCHIVE_OK)
			ret = bad(err, "damaged archive: %.200s",
				  archive_error_string(archive) ?: "bad header");
		else
			ret = read_entry(update, archive, entry, folder, err);
	}
	archive_read_free(archive);
	return ret;
}

/* Read one file of a folder.  It may be changed meanwhile, but not our limits. */
static int read_folder_file(struct ks_update *update, int dir, const char *name,
			    struct ks_error *err)
{
	struct ks_update_file *file;
	struct stat st;
	size_t done = 0;
	ssize_t got = 1;
	int fd, ret;

	/* O_NONBLOCK: do not hang in the open of a pipe. */
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return bad(err, "%.200s is a link", name);
	if (fd < 0 || fstat(fd, &st)) {
		ret = -errno;
		ks_error_set(err, "can't open %.200s: %s", name, strerror(-ret));
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		ret = bad(err, "%.200s is not a regular file", name);
		goto out;
	}
	ret = add_file(update, name, st.st_size, &file, err);
	while (!ret && done < file->size && got > 0) {
		got = read(fd, file->data + done, file->size - done);
		if (got > 0)
			done += got;
	}
	if (!ret && done < file->size)
		ret = bad(err, "can't read all of %s", name);
out:
	if (fd >= 0)
		close(fd);
	return ret;
}

/* Takes over @fd. */
static int read_folder(struct ks_update *update, int fd, struct ks_error *err)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int ret = 0;

	if (!dir) {
		close(fd);
		return no_memory(err);
	}
	while (!ret) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ret = read_folder_file(update, fd, entry->d_name, err);
	}
	if (!ret && errno) {
		ret = -errno;
		ks_error_set(err, "can't list the folder: %s", strerror(-ret));
	}
	closedir(dir);
	return ret;
}

int ks_update_read_files(struct ks_update *update, const char *path,
			 char **folder, struct ks_error *err)
{
	struct buffer tar = { 0 };
	struct stat st;
	int fd, ret;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		ret = -errno;
		ks_error_set(err, "can't open it: %s", strerror(-ret));
		if (fd >= 0)
			close(fd);
		return ret;
	}
	if (S_ISDIR(st.st_mode))
		return read_folder(update, fd, err);
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return bad(err, "neither a file nor a folder");
	}
	if ((unsigned long long)st.st_size > KS_UPDATE_SIZE_MAX) {
		close(fd);
		return too_big(err);
	}
	ret = gunzip(&tar, fd, err);
	if (!ret)
		ret = read_tar(update, &tar, folder, err);
	free(tar.data);
	return ret;
}
