/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the parts of ksplice-inspect. */
#ifndef KSPLICE_INSPECT_H
#define KSPLICE_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

struct json_object;

/* ksplice-create tells a mismatch from trouble by these. */
enum exit_status {
	EXIT_SHOWN = 0,
	EXIT_TROUBLE = 1,
	EXIT_USAGE = 2,
	EXIT_NO_MATCH = 4,
};

/*
 * Adding to JSON objects.  Bytes that are not printable ASCII become "?", so
 * that names from a damaged file neither break JSON nor reach a terminal.
 */
void json_add_string(struct json_object *object, const char *key, const char *text);
void json_add_number(struct json_object *object, const char *key, uint64_t number);

/* As "0x…", because JSON numbers lose the low bits of an address. */
void json_add_address(struct json_object *object, const char *key, uint64_t address);

/* Getting them back: "" and 0 when there is no such member. */
const char *json_string(struct json_object *object, const char *key);
uint64_t json_number(struct json_object *object, const char *key);

/* A new array as member @key; the object owns it. */
struct json_object *json_add_array(struct json_object *object, const char *key);

#endif
