// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exports that a patch adds.  The new code has them in the form in which modules
 * are linked, whichever form the kernel's objects have: the module loader then
 * finds them like those of any module.  The name of a function that is in the
 * running kernel leads to that one, as everywhere.
 *
 * modpost must not see them: it would want a symbol of that name, and of an import
 * only the label is there.
 */
#include "objmanip/exports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* struct kernel_symbol: three 32-bit offsets (5.4 and later). */
#define ENTRY_SIZE	12

bool find_new_export(struct manip *manip, const struct diff_item *item, struct export *export)
{
	struct export before;
	size_t i;

	if (!item->post->symbol || !read_export(item->post->symbol, export))
		return false;
	for (i = 0; i < manip->nr_pairs; i++)
		if (read_export(find_symbol(manip->pairs[i].pre.object,
					    item->post->symbol->name), &before))
			return false;
	return true;
}

/* Takes a line of a file, without its end; false when it is not what it should be. */
typedef bool (*line_function)(struct manip *manip, char *line);

/* @what a line should be, for messages.  One without an end was cut off. */
static int each_line(struct manip *manip, const char *path, line_function function,
		     const char *what, struct ks_error *err)
{
	FILE *file = fopen(path, "r");
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int ret = 0;

	if (!file)
		return ks_error_set(err, "%s: cannot be read: %s", path, strerror(errno));
	while (ret == 0 && (length = getline(&line, &size, file)) > 0) {
		bool is_whole = line[--length] == '\n';

		number++;
		line[length] = '\0';
		if (!is_whole || strlen(line) != (size_t)length || !function(manip, line))
			ret = ks_error_set(err, "%s: line %u: not %s", path, number, what);
	}
	if (ret == 0 && ferror(file))
		ret = ks_error_set(err, "%s: cannot be read: %s", path, strerror(errno));
	free(line);
	fclose(file);
	return ret;
}

static bool read_crc(struct manip *manip, char *line)
{
	char *version = strchr(line, ' '), *end;
	uint32_t *crc = arena_alloc(&manip->arena, sizeof(*crc));

	if (!version || version == line)
		return false;
	*version++ = '\0';
	*crc = (uint32_t)strtoul(version, &end, 16);
	hash_add(&manip->crcs, arena_strdup(&manip->arena, line), crc);
	return end != version && *end == '\0';
}

int read_crcs(struct manip *manip, const char *path, struct ks_error *err)
{
	hash_init(&manip->crcs, &manip->arena, 256);
	return each_line(manip, path, read_crc, "the name and version of a symbol", err);
}

static bool read_import(struct manip *manip, char *line)
{
	char *name = arena_strdup(&manip->arena, line);

	hash_add(&manip->imports, name, name);
	return *name && !strpbrk(name, " \t");
}

int read_imports(struct manip *manip, const char *path, struct ks_error *err)
{
	hash_init(&manip->imports, &manip->arena, 4096);
	return each_line(manip, path, read_import, "the name of a symbol", err);
}

/* Until 5.18 the version is the value of a symbol __crc_NAME. */
static const uint32_t *find_crc(struct manip *manip, const struct object *object, const char *name)
{
	const struct symbol *symbol = find_symbol(object, arena_printf(&manip->arena, "__crc_%s",
									name));
	uint32_t *crc = manip->crcs.buckets ? hash_find(&manip->crcs, name) : NULL;

	if (crc || !symbol || symbol->place != SYMBOL_ABSOLUTE)
		return crc;
	crc = arena_alloc(&manip->arena, sizeof(*crc));
	*crc = (uint32_t)symbol->value;
	return crc;
}

/* The linker script of modules sorts and merges sections of such names. */
static struct out_section *add_section(struct manip *manip, const char *table,
				       const struct export *export)
{
	return out_section_add(manip->new_code,
			       arena_printf(&manip->arena, "___%s%s+%s", table,
					    export->gpl ? "_gpl" : "", export->name),
			       SHT_PROGBITS, SHF_ALLOC, 4, 0);
}

static void add_string(struct manip *manip, struct out_section *strings, const char *string,
		       struct out_section *entry, uint64_t offset)
{
	uint64_t place = out_section_append(manip->new_code, strings, string, strlen(string) + 1,
					    1);

	out_reloc_add(manip->new_code, entry, offset, R_X86_64_PC32,
		      out_section_symbol(manip->new_code, strings), (int64_t)place);
}

static void add_export(struct manip *manip, struct out_section *strings,
		       const struct export *export, const uint32_t *crc)
{
	struct out_object *out = manip->new_code;
	struct out_section *entry = add_section(manip, "ksymtab", export);
	struct out_symbol *symbol;
	int64_t addend;

	/* R_386_PC32 is the same number. */
	out_section_append(out, entry, NULL, ENTRY_SIZE, 4);
	symbol = symbol_of_reference(manip, export->value, &addend);
	out_reloc_add(out, entry, 0, R_X86_64_PC32, symbol, addend);
	add_string(manip, strings, export->name, entry, 4);
	add_string(manip, strings, export->namespace, entry, 8);
	if (crc)
		out_section_append(out, add_section(manip, "kcrctab", export), crc, sizeof(*crc),
				   4);
	pointers_add(manip, &manip->exports, (void *)export->name);
}

void make_exports(struct manip *manip)
{
	static const uint32_t no_crc;
	struct out_section *strings = NULL;
	const uint32_t *crc;
	bool versions = false;
	struct export export;
	size_t i, j, pass;

	/* The loader takes versions for all exports or for none. */
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < manip->nr_pairs; i++) {
			const struct pair *pair = &manip->pairs[i];

			for (j = 0; j < pair->diff.exports_new.count; j++) {
				if (!find_new_export(manip, &pair->diff.exports_new.items[j],
						     &export))
					continue;
				crc = find_crc(manip, pair->post.object, export.name);
				versions |= crc != NULL;
				if (pass == 0)
					continue;
				if (!strings)
					strings = out_section_add(manip->new_code,
								  "__ksymtab_strings",
								  SHT_PROGBITS, SHF_ALLOC, 1, 0);
				add_export(manip, strings, &export,
					   crc || !versions ? crc : &no_crc);
			}
		}
	}
}
