/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small things that the kernel has and the C library has not. */
#ifndef KSPLICE_LIB_UTIL_H
#define KSPLICE_LIB_UTIL_H

#include <stdbool.h>
#include <string.h>

static inline bool strstarts(const char *string, const char *prefix)
{
	return strncmp(string, prefix, strlen(prefix)) == 0;
}

#endif
