// SPDX-License-Identifier: GPL-2.0-or-later
#include "inspect/inspect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

void json_add_string(struct json_object *object, const char *key, const char *text)
{
	char *copy = strdup(text), *c;

	for (c = copy; c && *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	json_object_object_add(object, key, json_object_new_string(copy ? copy : ""));
	free(copy);
}

void json_add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_int64((int64_t)number));
}

void json_add_address(struct json_object *object, const char *key, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	json_object_object_add(object, key, json_object_new_string(text));
}

const char *json_string(struct json_object *object, const char *key)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, key, &member))
		return "";
	return json_object_get_string(member);
}

uint64_t json_number(struct json_object *object, const char *key)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, key, &member))
		return 0;
	return (uint64_t)json_object_get_int64(member);
}

struct json_object *json_add_array(struct json_object *object, const char *key)
{
	struct json_object *array = json_object_new_array();

	json_object_object_add(object, key, array);
	return array;
}
