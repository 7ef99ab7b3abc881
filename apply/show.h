/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns the core's files, which are lines of text, into output. */
#ifndef KSPLICE_APPLY_SHOW_H
#define KSPLICE_APPLY_SHOW_H

#include <stdio.h>

#include "apply/sysfs.h"

struct json_object;

/*
 * Make text safe for a terminal and for JSON, in place: control characters, and
 * bytes that are not UTF-8, become '?'.  Returns @text.
 */
char *show_printable(char *text);

/* Number of lines that do not begin with a blank, 0 for NULL. */
unsigned int show_count(const char *lines);

/*
 * JSON for the files patches ([{name, old, new}]), conflicts ([{pid, state,
 * comm, function, stack}]), targets ([{name, old, new, state}]) and match
 * ({functions, bytes}); empty for NULL.
 */
struct json_object *show_json_patches(const char *patches);
struct json_object *show_json_conflicts(const char *conflicts);
struct json_object *show_json_targets(const char *targets);
struct json_object *show_json_match(const char *match);

/* Nanoseconds as a JSON number of microseconds, like 512.345. */
struct json_object *show_json_us(unsigned long long ns);

/* Print a line for each task that is in the way, and its stack, each with @prefix. */
void show_conflicts(FILE *out, const char *prefix, const char *conflicts);

/* Print a line for each patched function, each with @prefix. */
void show_patches(FILE *out, const char *prefix, const char *patches);

/* Print a line for each target that is missing, each with @prefix. */
void show_missing(FILE *out, const char *prefix, const char *targets);

/* Print an object, indented, and a newline; frees it. */
void show_json(struct json_object *object);

#endif
