// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer entry for objects: all that ksplice-objdiff does, and lib/writer.c.
 * The input is compared with itself, and with a seed (see elf_input.h) as the pre
 * object.
 */
#include "lib/diff.h"
#include "lib/object.h"
#include "lib/span.h"
#include "lib/writer.h"
#include "tests/fuzz/elf_input.h"

static struct object *read_object(const uint8_t *data, size_t size)
{
	struct ks_error err = { "" };
	struct object *object = object_read_memory("fuzz", data, size, &err);

	if (object && analyze_object(object, &err)) {
		object_free(object);
		object = NULL;
	}
	/* A refusal is one line that says why. */
	if (!object && (!err.text[0] || strchr(err.text, '\n')))
		if (!memchr(data, '\n', size))
			abort();
	return object;
}

static void diff(const uint8_t *pre_bytes, size_t pre_size, const uint8_t *data, size_t size)
{
	struct object *pre = read_object(pre_bytes, pre_size);
	struct object *post = pre ? read_object(data, size) : NULL;
	struct ks_error err;
	struct diff diff;

	if (post && !diff_objects(&diff, pre, post, &err)) {
		if (is_different(&diff) && pre_bytes == data && diff.functions_line_only.count)
			abort();
		diff_free(&diff);
	}
	object_free(post);
	object_free(pre);
}

static struct out_section *copy_section(struct out_object *out, const struct section *section,
					struct out_symbol **symbols)
{
	struct out_section *copy;
	const struct symbol *symbol;
	size_t i;

	copy = out_section_add(out, section->name, section->data ? SHT_PROGBITS : SHT_NOBITS,
			       section->flags & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR),
			       section->align, section->entsize);
	out_section_append(out, copy, section->data, section->size, section->align);
	for (i = 0; i < section->nr_symbols; i++) {
		symbol = section->symbols[i];
		symbols[symbol->index] = out_symbol_add(out, symbol->name, copy, symbol->value,
							symbol->size, symbol->type, symbol->binding);
	}
	if (section->section_symbol)
		symbols[section->section_symbol->index] = out_section_symbol(out, copy);
	return copy;
}

static void copy_relocs(struct out_object *out, struct out_section *copy,
			const struct section *section, struct out_symbol **symbols)
{
	const struct reloc *reloc;

	for (reloc = section->relocs; reloc < section->relocs + section->nr_relocs; reloc++)
		if (!reloc->symbol || symbols[reloc->symbol->index])
			out_reloc_add(out, copy, reloc->offset, reloc->type,
				      reloc->symbol ? symbols[reloc->symbol->index] : NULL,
				      reloc->addend);
}

/* What is written of an object can be read again. */
static void copy(const uint8_t *data, size_t size)
{
	struct ks_error err;
	struct object *object = object_read_memory("fuzz", data, size, &err), *again;
	struct out_section **sections;
	struct out_symbol **symbols;
	struct out_object *out;
	struct section *section;
	char path[256];
	size_t i;

	if (!object)
		return;
	temporary_path(path, sizeof(path), "o");
	out = out_object_new(object->machine);
	symbols = arena_array(&out->arena, object->nr_symbols, sizeof(*symbols));
	sections = arena_array(&out->arena, object->nr_sections, sizeof(*sections));
	for (i = 1; i < object->nr_symbols; i++)
		if (object->symbols[i] && !object->symbols[i]->section)
			symbols[i] = out_symbol_add(out, object->symbols[i]->name, NULL, 0, 0,
						    STT_NOTYPE, STB_GLOBAL);
	for_each_section(object, section, i)
		if (is_alloc(section))
			sections[i] = copy_section(out, section, symbols);
	for_each_section(object, section, i)
		if (sections[i])
			copy_relocs(out, sections[i], section, symbols);
	if (!out_object_write(out, path, &err)) {
		again = object_read(path, &err);
		if (!again) {
			fprintf(stderr, "%s\n", err.text);
			abort();
		}
		object_free(again);
		remove(path);
	}
	out_object_free(out);
	object_free(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct seed *seed = size > EI_CLASS ? choose_seed(data, size) : NULL;

	diff(data, size, data, size);
	if (seed)
		diff(seed->bytes, seed->size, data, size);
	copy(data, size);
	return 0;
}
