// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int ks_error_set(struct ks_error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return -1;
}

int ks_error_prefix(struct ks_error *err, const char *format, ...)
{
	char prefix[sizeof(err->text)];
	size_t length, room;
	va_list args;

	va_start(args, format);
	vsnprintf(prefix, sizeof(prefix) - 2, format, args);
	va_end(args);
	strcat(prefix, ": ");
	length = strlen(prefix);
	room = sizeof(err->text) - length;
	memmove(err->text + length, err->text, room);
	memcpy(err->text, prefix, length);
	err->text[sizeof(err->text) - 1] = '\0';
	return -1;
}
