// SPDX-License-Identifier: GPL-2.0-or-later
/* The old code of one object, matched with an image of which bytes can be replaced. */
#include "tests/match/mutate.h"

#include <stdlib.h>

#include "inspect/old_block.h"
#include "lib/object.h"

static int home_read(void *context, unsigned long address, void *buffer, size_t size)
{
	const struct home *home = context;
	unsigned long i;

	if (image_run_ops.read(context, address, buffer, size) != 0)
		return -EFAULT;
	for (i = 0; i < home->size; i++)
		if (home->address + i - address < size)
			((u8 *)buffer)[home->address + i - address] = home->bytes[i];
	return 0;
}

static bool is_named(const struct home *home, const char *name)
{
	const u32 *names = home->tables.names;
	u32 low = 0, high = home->old->names.count, i;

	for (i = 0; i < KSPLICE_KNOWN_COUNT; i++)
		if (strcmp(ksplice_known_names[i], name) == 0)
			return true;
	while (low < high) {
		u32 middle = low + (high - low) / 2;
		int order = strcmp(home->tables.strings +
				   home->tables.symbols[names[middle]].name, name);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static int collect(void *data, const char *name, unsigned long value)
{
	struct home *home = data;

	if (!is_named(home, name))
		return 0;
	home->named = realloc(home->named, (home->nr_named + 1) * sizeof(*home->named));
	if (!home->named)
		abort();
	home->named[home->nr_named].name = strdup(name);
	home->named[home->nr_named++].value = value;
	return 0;
}

/* All symbols of the image once, then those that matter. */
static int home_for_each_symbol(void *context,
				int (*fn)(void *data, const char *name, unsigned long value),
				void *data)
{
	struct home *home = context;
	int ret = 0;
	size_t i;

	if (!home->collected)
		image_run_ops.for_each_symbol(context, collect, home);
	home->collected = true;
	for (i = 0; i < home->nr_named && ret == 0; i++)
		ret = fn(data, home->named[i].name, home->named[i].value);
	return ret;
}

static struct ksplice_matcher *match_home(const struct ksplice_old_header *old, struct home *home,
					  int *ret)
{
	static struct ksplice_matcher_ops ops;
	struct ksplice_matcher *matcher;

	ops = image_run_ops;
	ops.read = home_read;
	ops.for_each_symbol = home_for_each_symbol;
	matcher = ksplice_matcher_new(old, &ops, home);
	if (!matcher)
		abort();
	*ret = ksplice_match(matcher);
	return matcher;
}

struct ksplice_matcher *subject_match(struct subject *subject, int *ret)
{
	return match_home(subject->old, &subject->home, ret);
}

int subject_read(const struct subject *subject, unsigned long address, void *buffer, size_t size)
{
	return home_read((void *)&subject->home, address, buffer, size);
}

u32 subject_offset(const struct subject *subject, u32 section, unsigned long address)
{
	const struct ksplice_matched *matched = &subject->matcher->matched[section];
	u32 size = subject->home.tables.sections[section].size, offset = 0;

	/* Few shifts, small functions: no need to be clever. */
	while (offset < size &&
	       ksplice_run_address(matched, matched->address, offset + 1) <= address)
		offset++;
	return offset;
}

static void add_range(struct subject *subject, unsigned long address, u32 size, u32 section,
		      bool text)
{
	subject->ranges = realloc(subject->ranges,
				  (subject->nr_ranges + 1) * sizeof(*subject->ranges));
	if (!subject->ranges)
		abort();
	subject->ranges[subject->nr_ranges++] = (struct range){
		.address = address,
		.size = size,
		.section = section,
		.text = text,
	};
	*(text ? &subject->text_bytes : &subject->data_bytes) += size;
}

/* The strings and constants that a function refers to. */
static void add_elements(struct subject *subject, u32 index)
{
	const struct ksplice_old_tables *tables = &subject->home.tables;
	const struct ksplice_old_section *section = &tables->sections[index];
	const struct ksplice_matched *matched = &subject->matcher->matched[index];
	u32 i;

	for (i = 0; i < section->nr_relocs; i++) {
		const struct ksplice_old_reloc *reloc = &tables->relocs[section->relocs + i];
		const struct ksplice_old_section *elements;
		unsigned long field, target;
		u32 offset, size;
		s32 value;

		if (reloc->section == KSPLICE_NONE || ksplice_reloc_size(reloc) != 4)
			continue;
		elements = &tables->sections[reloc->section];
		offset = (u32)(reloc->addend - reloc->bias - reloc->past);
		field = ksplice_run_address(matched, matched->address, reloc->offset);
		if (offset >= elements->size ||
		    home_read(&subject->home, field, &value, sizeof(value)) != 0)
			continue;
		target = (unsigned long)(long)value - (unsigned long)(long)reloc->bias - reloc->past;
		if (reloc->kind == KSPLICE_RELOC_PC32)
			target += field;
		if (elements->kind == KSPLICE_SECTION_STRINGS)
			size = (u32)strlen((const char *)tables->contents + elements->contents +
					   offset) + 1;
		else
			size = elements->unit - offset % elements->unit;
		add_range(subject, target, size, reloc->section, false);
	}
}

static void find_ranges(struct subject *subject)
{
	u32 i;

	for (i = 0; i < subject->old->sections.count; i++) {
		const struct ksplice_matched *matched = &subject->matcher->matched[i];

		if (matched->state != KSPLICE_SECTION_MATCHED)
			continue;
		add_range(subject, matched->address, matched->run_size, i,
			  subject->home.tables.sections[i].kind == KSPLICE_SECTION_TEXT);
		add_elements(subject, i);
	}
}

int subject_open(struct subject *subject, const char *file, const struct image *image)
{
	struct ks_error err = { .text = "" };
	struct object *object = object_read(file, &err);
	int ret = -1;

	memset(subject, 0, sizeof(*subject));
	subject->file = file;
	if (object)
		subject->old = old_block_read(object, &err);
	object_free(object);
	if (!subject->old) {
		fprintf(stderr, "mutate: %s: %s\n", file, err.text[0] ? err.text : "no old code");
		return -1;
	}
	ksplice_old_tables(subject->old, &subject->home.tables);
	subject->home.old = subject->old;
	subject->home.run.image = image;
	subject->matcher = subject_match(subject, &ret);
	if (ret != 0) {
		fprintf(stderr, "mutate: %s: does not match\n", file);
		subject_close(subject);
		return -1;
	}
	find_ranges(subject);
	return 0;
}

void subject_close(struct subject *subject)
{
	size_t i;

	ksplice_matcher_free(subject->matcher);
	for (i = 0; i < subject->home.nr_named; i++)
		free((char *)subject->home.named[i].name);
	free(subject->home.named);
	free(subject->ranges);
	free(subject->old);
}
