/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors as one line of text.  A function that can fail takes a struct ks_error
 * and returns -1 or NULL after setting it; callers may put context in front.
 */
#ifndef KSPLICE_LIB_ERROR_H
#define KSPLICE_LIB_ERROR_H

struct ks_error {
	char text[1024];
};

/* Set the text, printf-like.  Always returns -1, so: return ks_error_set(...); */
int ks_error_set(struct ks_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Put "FORMAT: " in front of the text.  Always returns -1. */
int ks_error_prefix(struct ks_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
