/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block of old code in a module or object. */
#ifndef KSPLICE_INSPECT_OLD_BLOCK_H
#define KSPLICE_INSPECT_OLD_BLOCK_H

#include "kmodsrc/match_internal.h"
#include "lib/object.h"

struct json_object;

/*
 * Copies the block out of @object and checks it.  NULL, with @err left empty
 * when the object has no such section, else set ("PATH: what").  The caller
 * frees it with free().
 */
struct ksplice_old_header *old_block_read(const struct object *object, struct ks_error *err);

/* Names of the block's enums, for people; "?" for a value out of range. */
const char *old_section_kind_name(uint32_t kind);
const char *old_reloc_kind_name(uint32_t kind);
const char *old_site_kind_name(uint32_t kind);

/* All tables of a checked block as a new JSON object. */
struct json_object *old_block_json(const struct ksplice_old_header *old);

#endif
