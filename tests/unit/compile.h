/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects for tests, made by the compiler at hand. */
#ifndef KSPLICE_TESTS_COMPILE_H
#define KSPLICE_TESTS_COMPILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A new folder below the current one; the caller frees the name. */
static inline char *make_folder(void)
{
	char *folder = strdup("unit-test.XXXXXX");

	return folder && mkdtemp(folder) ? folder : NULL;
}

static inline void remove_folder(char *folder)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	if (system(command))
		fprintf(stderr, "%s is left behind\n", folder);
	free(folder);
}

/*
 * Compile source text to FOLDER/NAME.o as the kernel is compiled, with @flags
 * on top; the caller frees the path, NULL when the compiler says no.  Lines are
 * counted from 1, so objects differ in lines as sources do.
 */
static inline char *compile(const char *folder, const char *name, const char *source,
			    const char *flags)
{
	char path[256], command[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%s/source.c", folder);
	file = fopen(path, "w");
	if (!file)
		return NULL;
	fputs(source, file);
	if (fclose(file))
		return NULL;
	snprintf(path, sizeof(path), "%s/%s.o", folder, name);
	snprintf(command, sizeof(command),
		 "${CC:-gcc} -w -O2 -ffunction-sections -fdata-sections -fno-pic -mcmodel=kernel "
		 "-fno-asynchronous-unwind-tables -fcf-protection=none %s -c -o %s %s/source.c",
		 flags, path, folder);
	/* -mcmodel=kernel is for 64 bits only */
	if (strstr(flags, "-m32"))
		memset(strstr(command, "-mcmodel=kernel"), ' ', strlen("-mcmodel=kernel"));
	return system(command) ? NULL : strdup(path);
}

#endif
