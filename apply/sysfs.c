// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply/sysfs.h"
#include "kmodsrc/update_id.h"

/* More than any file of the core can hold. */
#define FILE_MAX	(1 << 20)

const char *const stage_names[STAGES] = {
	[STAGE_REGISTERED] = "registered",
	[STAGE_MATCHED] = "matched",
	[STAGE_LINKED] = "linked",
	[STAGE_APPLIED] = "applied",
	[STAGE_REVERSED] = "reversed",
};

const char *const target_states[TARGET_STATES] = {
	[TARGET_OPEN] = "",
	[TARGET_PATCHED] = "patched",
	[TARGET_MISSING] = "missing",
	[TARGET_LATE] = "late",
	[TARGET_UNPATCHED] = "unpatched",
};

static int open_file(const struct sysfs *sysfs, const char *id,
		     const char *file, int flags)
{
	char path[PATH_MAX];
	int len, fd;

	len = snprintf(path, sizeof(path), "%s/%s%s%s", sysfs->base,
		       id ? id : "", id ? "/" : "", file);
	if (len >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sysfs_read(const struct sysfs *sysfs, const char *id, const char *file,
	       char **text)
{
	size_t size = 0, room = 4096;
	char *buffer, *bigger;
	ssize_t got;
	int fd, ret = 0;

	*text = NULL;
	fd = open_file(sysfs, id, file, O_RDONLY);
	if (fd < 0)
		return fd;
	buffer = malloc(room + 1);
	while (buffer) {
		got = read(fd, buffer + size, room - size);
		if (got <= 0) {
			ret = got ? -errno : 0;
			break;
		}
		size += got;
		if (size < room)
			continue;
		room *= 2;
		if (room > FILE_MAX) {
			ret = -EFBIG;
			break;
		}
		bigger = realloc(buffer, room + 1);
		if (!bigger) {
			ret = -ENOMEM;
			break;
		}
		buffer = bigger;
	}
	close(fd);
	if (ret || !buffer) {
		free(buffer);
		return ret ? ret : -ENOMEM;
	}
	if (size && buffer[size - 1] == '\n')
		size--;
	buffer[size] = '\0';
	*text = buffer;
	return 0;
}

int sysfs_write_file(struct sysfs *sysfs, const char *id, const char *file,
		     const char *text)
{
	size_t len = strlen(text);
	ssize_t done;
	int fd, ret;

	fd = open_file(sysfs, id, file, O_WRONLY);
	if (fd < 0)
		return fd;
	/* One call: each write is a request of its own to the core. */
	done = write(fd, text, len);
	ret = done < 0 ? -errno : (size_t)done == len ? 0 : -EIO;
	close(fd);
	return ret;
}

int sysfs_stage(const struct sysfs *sysfs, const char *id)
{
	int ret, stage;
	char *text;

	ret = sysfs_read(sysfs, id, "stage", &text);
	if (ret)
		return ret;
	for (stage = 0; stage < STAGES; stage++)
		if (!strcmp(text, stage_names[stage]))
			break;
	free(text);
	return stage < STAGES ? stage : -EPROTO;
}

int sysfs_abi(const struct sysfs *sysfs)
{
	char *text, *end;
	long abi;
	int ret;

	ret = sysfs_read(sysfs, NULL, KSPLICE_ABI_FILE, &text);
	if (ret)
		return ret;
	abi = strtol(text, &end, 10);
	ret = end == text || *end || abi < 0 || abi > INT_MAX ? -EPROTO : abi;
	free(text);
	return ret;
}

static int is_update(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && !ksplice_why_no_id(entry->d_name);
}

int sysfs_list(const struct sysfs *sysfs, char ***ids)
{
	struct dirent **entries;
	int i, nr, ret = 0;

	*ids = NULL;
	nr = scandir(sysfs->base, &entries, is_update, alphasort);
	if (nr < 0)
		return errno == ENOENT ? 0 : -errno;
	*ids = calloc(nr + 1, sizeof(**ids));
	for (i = 0; i < nr; i++) {
		if (*ids)
			(*ids)[i] = strdup(entries[i]->d_name);
		if (!*ids || !(*ids)[i])
			ret = -ENOMEM;
		free(entries[i]);
	}
	free(entries);
	if (ret) {
		sysfs_free_list(*ids, nr);
		*ids = NULL;
	}
	return ret ? ret : nr;
}

void sysfs_free_list(char **ids, int nr)
{
	while (ids && nr > 0)
		free(ids[--nr]);
	free(ids);
}

static int parse_state(enum target_state *state, const char *word)
{
	int i;

	for (i = 0; i < TARGET_STATES; i++) {
		if (strcmp(word, target_states[i]))
			continue;
		*state = i;
		return 0;
	}
	return -EPROTO;
}

/* Parse one line of the file targets, which is cut up for it. */
static int parse_target(struct sysfs_target *target, char *line)
{
	char *save, *word = strtok_r(line, " ", &save);

	if (!word)
		return -EPROTO;
	target->name = strdup(word);
	if (!target->name)
		return -ENOMEM;
	while ((word = strtok_r(NULL, " ", &save))) {
		if (!strcmp(word, "old"))
			target->has_old = 1;
		else if (!strcmp(word, "new"))
			target->has_new = 1;
		else if (parse_state(&target->state, word))
			return -EPROTO;
	}
	return 0;
}

void sysfs_free_targets(struct sysfs_target *targets, int nr)
{
	while (nr > 0)
		free(targets[--nr].name);
	free(targets);
}

int sysfs_parse_targets(char *text, struct sysfs_target **result)
{
	struct sysfs_target *targets = NULL, *bigger;
	char *line, *save;
	int ret = 0, nr = 0;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line && !ret;
	     line = strtok_r(NULL, "\n", &save)) {
		bigger = realloc(targets, (nr + 1) * sizeof(*targets));
		if (!bigger) {
			ret = -ENOMEM;
			break;
		}
		targets = bigger;
		targets[nr] = (struct sysfs_target) { 0 };
		ret = parse_target(&targets[nr++], line);
	}
	if (ret) {
		sysfs_free_targets(targets, nr);
		return ret;
	}
	*result = targets;
	return nr;
}

int sysfs_targets(const struct sysfs *sysfs, const char *id,
		  struct sysfs_target **targets)
{
	char *text;
	int ret;

	ret = sysfs_read(sysfs, id, "targets", &text);
	if (ret)
		return ret;
	ret = sysfs_parse_targets(text, targets);
	free(text);
	return ret;
}
