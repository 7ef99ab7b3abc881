/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the id of an update may be: it is part of names of modules and of labels, and
 * the name of a folder in /sys/kernel/ksplice.  For the core and for the programs.
 */
#ifndef KSPLICE_UPDATE_ID_H
#define KSPLICE_UPDATE_ID_H

#ifdef __KERNEL__
#include <linux/string.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#endif

/* Longest id that leaves room for labels in the kernel's table of versions. */
#define KSPLICE_ID_MAX		20

/* The file in /sys/kernel/ksplice that lies beside the folders of the updates. */
#define KSPLICE_ABI_FILE	"abi"

/* isalnum() depends on the locale, and in the kernel knows more than ASCII. */
static inline bool ksplice_is_id_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* Why @id cannot be the id of an update, or NULL when it can. */
static inline const char *ksplice_why_no_id(const char *id)
{
	size_t length = 0;

	while (length <= KSPLICE_ID_MAX && ksplice_is_id_char(id[length]))
		length++;
	if (length == 0 || length > KSPLICE_ID_MAX || id[length])
		return "an ID is 1 to 20 of the characters A-Z a-z 0-9 _";
	if (strcmp(id, KSPLICE_ABI_FILE) == 0)
		return "this ID is the name of a file in /sys/kernel/ksplice";
	return NULL;
}

#endif
