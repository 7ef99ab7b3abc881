// SPDX-License-Identifier: GPL-2.0-or-later
#include "inspect/matching.h"

#include <inttypes.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "inspect/disassemble.h"
#include "inspect/image_run.h"
#include "inspect/inspect.h"
#include "inspect/old_block.h"

/* Instructions that are shown before and after the first difference. */
#define LINES_BEFORE	4
#define LINES_AFTER	4

/* Mismatches that are reported on stderr; all are in the result. */
#define REPORTED_MAX	10

/* One matching, as its parts see it. */
struct matching {
	const struct ksplice_old_header *old;
	struct ksplice_old_tables tables;
	struct image_run run;		/* the engine's context */
	struct ksplice_matcher_ops ops;
	struct ksplice_matcher *matcher;
	struct json_object *mismatches;
};

struct nearest {
	uint64_t address;
	uint64_t best;
	char name[KSPLICE_STRING_MAX];
};

static int is_nearer(const char *name, uint64_t address, char type, void *context)
{
	struct nearest *nearest = context;

	(void)type;
	if (address <= nearest->address && address > nearest->best) {
		nearest->best = address;
		snprintf(nearest->name, sizeof(nearest->name), "%s", name);
	}
	return 0;
}

/* Appends " <symbol+0x…>" when the instruction names an address of the kernel. */
static void append_symbol(const struct image_run *run, char text[INSN_TEXT_MAX])
{
	const char *number = NULL;
	struct nearest nearest = { .best = 0 };
	char symbol[KSPLICE_STRING_MAX + 32];

	if (image_word_size(run->image) == 8)
		number = strstr(text, "0xffffffff");
	else if (!(number = strstr(text, "0xc")))
		number = strstr(text, "0xf");
	if (!number)
		return;
	nearest.address = strtoull(number, NULL, 16);
	image_for_each_symbol(run->image, is_nearer, &nearest);
	image_for_each_import(run->image, is_nearer, &nearest);
	if (run->kernel)
		image_for_each_symbol(run->kernel, is_nearer, &nearest);
	if (nearest.best == 0)
		return;
	snprintf(symbol, sizeof(symbol), " <%s+0x%" PRIx64 ">", nearest.name,
		 nearest.address - nearest.best);
	strncat(text, symbol, INSN_TEXT_MAX - 1 - strlen(text));
}

/* What the old code refers to in [from, to), as " # symbol+addend". */
static void append_relocs(const struct matching *matching,
			  const struct ksplice_old_section *section, uint32_t from, uint32_t to,
			  char text[INSN_TEXT_MAX])
{
	const struct ksplice_old_tables *tables = &matching->tables;
	uint32_t i;

	for (i = 0; i < section->nr_relocs; i++) {
		const struct ksplice_old_reloc *reloc = &tables->relocs[section->relocs + i];
		size_t length = strlen(text);
		int64_t addend = (int64_t)((uint64_t)reloc->addend - (uint64_t)reloc->bias);
		const char *name;

		if (reloc->offset < from || reloc->offset >= to || ksplice_is_date(reloc))
			continue;
		name = tables->strings + (reloc->section == KSPLICE_NONE ?
						  tables->symbols[reloc->symbol].name :
						  tables->sections[reloc->section].name);
		snprintf(text + length, INSN_TEXT_MAX - length, addend ? "  # %s%+" PRId64 : "  # %s",
			 name, addend);
	}
}

static void add_line(struct json_object *list, uint64_t offset, const char *text)
{
	struct json_object *line = json_object_new_object();

	json_add_number(line, "offset", offset);
	json_add_string(line, "text", text);
	json_object_array_add(list, line);
}

/* Offset of the instruction @count before the one at @offset, from the start. */
static uint32_t instructions_before(const struct matching *matching, const uint8_t *bytes,
				    uint32_t offset, unsigned int count)
{
	uint32_t recent[LINES_BEFORE + 1] = { 0 }, at = 0;
	struct ksplice_insn insn;
	unsigned int i;

	while (at < offset) {
		for (i = 0; i < count; i++)
			recent[i] = recent[i + 1];
		recent[count] = at;
		if (ksplice_insn_decode(&insn, bytes + at, offset - at,
					(int)matching->old->word_size) != 0)
			return offset;
		at += insn.length;
	}
	return at == offset ? recent[1] : offset;
}

/* Lines of data that are shown: their bytes, and how many from the difference on. */
#define DATA_LINE	16
#define DATA_LINES	3

static void add_data_line(struct json_object *list, uint32_t offset, const uint8_t *bytes,
			  uint32_t size)
{
	char text[3 * DATA_LINE + 1] = "";
	uint32_t i;

	for (i = 0; i < size; i++)
		snprintf(text + 3 * i, sizeof(text) - 3 * i, "%02x ", bytes[i]);
	add_line(list, offset, text);
}

static void list_data(const struct matching *matching, const struct ksplice_mismatch *mismatch,
		      struct json_object *pre, struct json_object *run)
{
	const struct ksplice_old_section *section = &matching->tables.sections[mismatch->section];
	const uint8_t *bytes = matching->tables.contents + section->contents;
	uint32_t at = mismatch->offset - mismatch->offset % DATA_LINE, size;
	uint8_t found[DATA_LINE];
	unsigned int lines;

	for (lines = 0; lines < DATA_LINES && at < section->size; lines++, at += size) {
		size = section->size - at < DATA_LINE ? section->size - at : DATA_LINE;
		add_data_line(pre, at, bytes + at, size);
		if (image_read(matching->run.image, mismatch->address - mismatch->offset + at, found,
			       size) == 0)
			add_data_line(run, at, found, size);
	}
}

static void list_pre(const struct matching *matching, const struct ksplice_mismatch *mismatch,
		     struct json_object *list)
{
	const struct ksplice_old_section *section = &matching->tables.sections[mismatch->section];
	const uint8_t *bytes = matching->tables.contents + section->contents;
	uint32_t at = instructions_before(matching, bytes, mismatch->offset, LINES_BEFORE);
	char text[INSN_TEXT_MAX];
	unsigned int lines = 0;
	size_t length;

	while (at < section->size && lines < LINES_AFTER) {
		length = disassemble_one(bytes + at, section->size - at, at,
					 matching->old->word_size, text);
		append_relocs(matching, section, at, at + (uint32_t)(length ? length : 1), text);
		add_line(list, at, text);
		lines += at >= mismatch->offset;
		at += length ? (uint32_t)length : 1;
	}
}

static void list_run(const struct matching *matching, const struct ksplice_mismatch *mismatch,
		     struct json_object *list)
{
	const struct ksplice_old_section *section = &matching->tables.sections[mismatch->section];
	const uint8_t *pre = matching->tables.contents + section->contents;
	uint32_t at = instructions_before(matching, pre, mismatch->offset, LINES_BEFORE);
	unsigned char bytes[KSPLICE_INSN_MAX];
	char text[INSN_TEXT_MAX];
	unsigned int lines = 0;
	size_t length;

	while (lines < LINES_AFTER) {
		uint64_t address = mismatch->address - mismatch->offset + at;

		if (image_read(matching->run.image, address, bytes, sizeof(bytes)) != 0)
			break;
		length = disassemble_one(bytes, sizeof(bytes), address, matching->old->word_size,
					 text);
		append_symbol(&matching->run, text);
		add_line(list, at, text);
		lines += at >= mismatch->offset;
		at += length ? (uint32_t)length : 1;
	}
}

/* The site of the old code at the first difference, or NULL. */
static const struct ksplice_old_site *site_at(const struct matching *matching,
					      const struct ksplice_mismatch *mismatch)
{
	const struct ksplice_old_section *section = &matching->tables.sections[mismatch->section];
	const struct ksplice_old_site *site = &matching->tables.sites[section->sites];
	uint32_t i;

	for (i = 0; i < section->nr_sites; i++, site++)
		if (mismatch->offset >= site->offset &&
		    mismatch->offset - site->offset < site->length)
			return site;
	return NULL;
}

static struct json_object *mismatch_json(const struct matching *matching,
					 const struct ksplice_mismatch *mismatch)
{
	const struct ksplice_old_tables *tables = &matching->tables;
	struct json_object *object = json_object_new_object(), *pre, *run;
	const struct ksplice_old_site *site;
	char text[1024];

	ksplice_match_describe(matching->matcher, mismatch, text, sizeof(text));
	json_add_string(object, "text", text);
	json_add_string(object, "reason", mismatch->reason ? mismatch->reason : "");
	if (mismatch->symbol != KSPLICE_NONE)
		json_add_string(object, "symbol",
				tables->strings + tables->symbols[mismatch->symbol].name);
	if (mismatch->section == KSPLICE_NONE)
		return object;
	json_add_string(object, "section",
			tables->strings + tables->sections[mismatch->section].name);
	if (tables->sections[mismatch->section].kind == KSPLICE_SECTION_TEXT)
		json_add_string(object, "function",
				ksplice_section_symbol(tables, mismatch->section));
	json_add_number(object, "offset", mismatch->offset);
	json_add_address(object, "address", mismatch->address);
	if (mismatch->address == 0)
		return object;
	pre = json_add_array(object, "pre");
	run = json_add_array(object, "run");
	if (tables->sections[mismatch->section].kind != KSPLICE_SECTION_TEXT) {
		list_data(matching, mismatch, pre, run);
		return object;
	}
	site = site_at(matching, mismatch);
	if (site)
		json_add_string(object, "site", old_site_kind_name(site->kind));
	list_pre(matching, mismatch, pre);
	list_run(matching, mismatch, run);
	return object;
}

/* Each section that differs, as the engine finds it. */
static void add_mismatch(void *context, const struct ksplice_mismatch *mismatch)
{
	struct matching *matching =
		(void *)((char *)context - offsetof(struct matching, run));

	json_object_array_add(matching->mismatches, mismatch_json(matching, mismatch));
}

struct override {
	const char *name;
	char type[2];
};

static int find_type(const char *name, uint64_t address, char type, void *context)
{
	struct override *override = context;

	(void)address;
	if (strcmp(name, override->name) != 0)
		return 0;
	override->type[0] = type;
	return 1;
}

/* The letter that nm has for what took the place of a weak function. */
static void add_override(const struct matching *matching, const char *name,
			 struct json_object *item)
{
	struct override override = { .name = name };

	image_for_each_symbol(matching->run.image, find_type, &override);
	json_add_string(item, "image_type", override.type);
}

static void add_sections(const struct matching *matching, struct json_object *result)
{
	static const char *const states[] = {
		[KSPLICE_SECTION_UNMATCHED] = "unmatched",
		[KSPLICE_SECTION_MATCHED] = "matched",
		[KSPLICE_SECTION_SKIPPED] = "overridden",
		[KSPLICE_SECTION_DIFFERS] = "differs",
	};
	const struct ksplice_old_tables *tables = &matching->tables;
	struct json_object *list = json_add_array(result, "sections");
	uint32_t i;

	for (i = 0; i < matching->old->sections.count; i++) {
		const struct ksplice_old_section *section = &tables->sections[i];
		const struct ksplice_matched *found = ksplice_match_section(matching->matcher, i);
		struct json_object *item;

		if (section->symbol == KSPLICE_NONE)
			continue;	/* compared where they are referred to */
		item = json_object_new_object();
		json_add_string(item, "name", tables->strings + section->name);
		json_add_string(item, "symbol",
				tables->strings + tables->symbols[section->symbol].name);
		json_add_string(item, "kind", old_section_kind_name(section->kind));
		json_add_string(item, "state", states[found->state]);
		if (found->state == KSPLICE_SECTION_SKIPPED)
			add_override(matching, tables->strings + tables->symbols[section->symbol].name,
				     item);
		if (found->state == KSPLICE_SECTION_MATCHED) {
			json_add_address(item, "address", found->address);
			json_add_number(item, "bytes", found->run_size);
		}
		json_object_array_add(list, item);
	}
}

static void add_labels(const struct matching *matching, struct json_object *result)
{
	const struct ksplice_old_tables *tables = &matching->tables;
	struct json_object *labels = json_object_new_object();
	unsigned long value;
	uint32_t i;

	json_object_object_add(result, "symbols", labels);
	for (i = 0; i < matching->old->labels.count; i++) {
		uint32_t symbol = tables->labels[i];

		if (ksplice_match_value(matching->matcher, symbol, &value) == 0)
			json_add_address(labels, tables->strings + tables->symbols[symbol].label,
					 value);
	}
}

static int run_matching(struct matching *matching, const char *path, struct json_object *result,
			struct ks_error *err)
{
	unsigned long functions, bytes;
	int ret;

	matching->mismatches = json_object_new_array();
	json_object_object_add(result, "mismatches", matching->mismatches);
	ret = ksplice_match(matching->matcher);

	if (ret != 0 && ret != -ENOENT && ret != -EBUSY)
		return ks_error_set(err, "%s: cannot be matched: %s", path, strerror(-ret));
	ksplice_match_totals(matching->matcher, &functions, &bytes);
	json_add_string(result, "status",
			ret == 0 ? "match" : ret == -EBUSY ? "busy" : "mismatch");
	json_add_number(result, "functions", functions);
	json_add_number(result, "bytes", bytes);
	add_sections(matching, result);
	add_labels(matching, result);
	/* No section, but a symbol that the new code needs. */
	if (ret != 0 && json_object_array_length(matching->mismatches) == 0)
		add_mismatch(&matching->run, ksplice_match_mismatch(matching->matcher));
	return ret != 0;
}

int match_object(const struct object *object, const struct image *image,
		 const struct image *kernel, struct json_object *result, struct ks_error *err)
{
	struct matching matching = { .run = { .image = image, .kernel = kernel } };
	struct ksplice_old_header *old = old_block_read(object, err);
	int ret;

	if (!old)
		return err->text[0] ? -1 :
				      ks_error_set(err, "%s: no old code in it; --match takes an _old.ko or an update",
						   object->path);
	if (old->word_size != image_word_size(image)) {
		free(old);
		return ks_error_set(err, "%s: made for another architecture than the image",
				    object->path);
	}
	matching.old = old;
	ksplice_old_tables(old, &matching.tables);
	matching.ops = image_run_ops;
	matching.ops.differs = add_mismatch;
	matching.matcher = ksplice_matcher_new(old, &matching.ops, &matching.run);
	if (matching.matcher)
		ret = run_matching(&matching, object->path, result, err);
	else
		ret = ks_error_set(err, "%s: out of memory", object->path);
	ksplice_matcher_free(matching.matcher);
	free(old);
	return ret;
}

static void print_line(struct json_object *list, size_t index, uint64_t difference)
{
	struct json_object *line = json_object_array_get_idx(list, index);
	char text[INSN_TEXT_MAX + 32];

	if (!line) {
		printf("  %-56s", "");
		return;
	}
	snprintf(text, sizeof(text), "%c %4" PRIx64 "  %s",
		 json_number(line, "offset") == difference ? '>' : ' ', json_number(line, "offset"),
		 json_string(line, "text"));
	printf("%-58s", text);
}

static void print_mismatch(struct json_object *mismatch)
{
	struct json_object *pre, *run;
	uint64_t offset = json_number(mismatch, "offset");
	size_t i;

	printf("mismatch: %s\n", json_string(mismatch, "text"));
	if (*json_string(mismatch, "site"))
		printf("at a site of kind %s\n", json_string(mismatch, "site"));
	if (!json_object_object_get_ex(mismatch, "pre", &pre) ||
	    !json_object_object_get_ex(mismatch, "run", &run))
		return;
	printf("%-58s| %s\n", "  old code", "  kernel image");
	for (i = 0; i < json_object_array_length(pre) || i < json_object_array_length(run); i++) {
		print_line(pre, i, offset);
		printf("| ");
		print_line(run, i, offset);
		putchar('\n');
	}
}

void print_match(const char *name, struct json_object *result)
{
	struct json_object *list;
	size_t i;

	if (json_object_object_get_ex(result, "sections", &list))
		for (i = 0; i < json_object_array_length(list); i++) {
			struct json_object *item = json_object_array_get_idx(list, i);
			const char *symbol = json_string(item, "symbol");

			printf("%-10s %-8s %-18s %s\n", json_string(item, "state"),
			       json_string(item, "kind"), json_string(item, "address"),
			       *symbol ? symbol : json_string(item, "name"));
		}
	if (json_object_object_get_ex(result, "mismatches", &list))
		for (i = 0; i < json_object_array_length(list); i++)
			print_mismatch(json_object_array_get_idx(list, i));
	printf("%s: %s, %" PRIu64 " functions, %" PRIu64 " bytes\n", name,
	       json_string(result, "status"), json_number(result, "functions"),
	       json_number(result, "bytes"));
}

void report_mismatch(const char *name, struct json_object *result)
{
	struct json_object *list;
	size_t i, count;

	if (!json_object_object_get_ex(result, "mismatches", &list))
		return;
	count = json_object_array_length(list);
	for (i = 0; i < count && i < REPORTED_MAX; i++)
		fprintf(stderr, "ksplice-inspect: %s: does not match the image: %s\n", name,
			json_string(json_object_array_get_idx(list, i), "text"));
	if (count > REPORTED_MAX)
		fprintf(stderr, "ksplice-inspect: %s: and %zu more\n", name, count - REPORTED_MAX);
}
