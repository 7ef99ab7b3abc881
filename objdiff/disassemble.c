// SPDX-License-Identifier: GPL-2.0-or-later
#include <config.h>

#include "objdiff/disassemble.h"

#include <dis-asm.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/names.h"

/* @key is what is compared: the text, with addresses replaced by what they mean. */
struct line {
	uint64_t offset;
	char *key;
};

struct listing {
	struct arena arena;
	struct span *span;
	struct line *lines;
	size_t count;
	char text[512];		/* of the instruction that is being printed */
};

static int append(void *stream, const char *format, ...)
{
	struct listing *listing = stream;
	size_t length = strlen(listing->text);
	va_list args;
	int result;

	va_start(args, format);
	result = vsnprintf(listing->text + length, sizeof(listing->text) - length, format, args);
	va_end(args);
	return result;
}

static int append_styled(void *stream, enum disassembler_style style, const char *format, ...)
{
	struct listing *listing = stream;
	size_t length = strlen(listing->text);
	va_list args;
	int result;

	(void)style;
	va_start(args, format);
	result = vsnprintf(listing->text + length, sizeof(listing->text) - length, format, args);
	va_end(args);
	return result;
}

static void print_address(bfd_vma address, struct disassemble_info *info)
{
	struct listing *listing = info->stream;
	const struct section *section = listing->span->section;
	struct span *span = NULL;

	if (address < section->size)
		span = find_span(section, address);
	if (span == listing->span)
		append(listing, "+%#" PRIx64, (uint64_t)address - span->offset);
	else if (span)
		append(listing, "%s+%#" PRIx64, span_name(span), (uint64_t)address - span->offset);
	else
		append(listing, "%#" PRIx64, (uint64_t)address);
}

static void append_string(struct listing *listing, const struct reloc *reloc)
{
	const unsigned char *bytes = span_bytes(reloc->span);
	int64_t i;

	append(listing, "\"");
	for (i = reloc->span_offset; i >= 0 && (uint64_t)i < reloc->span->size && bytes[i]; i++)
		append(listing, bytes[i] >= ' ' && bytes[i] < 127 ? "%c" : "\\x%02x", bytes[i]);
	append(listing, "\"");
}

static void append_target(struct listing *listing, const struct reloc *reloc)
{
	const char *name;
	int64_t offset;

	if (!reloc->symbol)
		return;
	append(listing, "\t# ");
	if (reloc->span && is_class(reloc->span->section, CLASS_STRINGS)) {
		append_string(listing, reloc);
		return;
	}
	offset = reloc->span ? reloc->span_offset : reloc->addend - reloc->bias;
	name = reloc->span && reloc->span->symbol ? reloc->span->stem :
	       reloc->span ? reloc->span->section->name : reloc->symbol->name;
	append(listing, offset ? "%s%+" PRId64 : "%s", name, offset);
}

static void init_info(struct disassemble_info *info, struct listing *listing)
{
	const struct section *section = listing->span->section;
	bool is_64 = section->object->machine == EM_X86_64;

	init_disassemble_info(info, listing, append, append_styled);
	info->arch = bfd_arch_i386;
	info->mach = is_64 ? bfd_mach_x86_64 : bfd_mach_i386_i386;
	info->buffer = (bfd_byte *)section->data;
	info->buffer_length = section->size;
	info->print_address_func = print_address;
	disassemble_init_for_target(info);
}

static void list_instructions(struct listing *listing, struct span *span)
{
	uint64_t at = span->offset, end = span->offset + span->size;
	struct section *section = span->section;
	struct disassemble_info info;
	const struct reloc *reloc;
	disassembler_ftype print;
	int length;

	listing->span = span;
	listing->lines = arena_array(&listing->arena, span->size + 1, sizeof(*listing->lines));
	init_info(&info, listing);
	print = disassembler(info.arch, FALSE, info.mach, NULL);
	if (!print || !section->data)
		return;
	while (at < end) {
		listing->text[0] = '\0';
		length = print(at, &info);
		if (length <= 0)
			break;
		reloc = section->relocs + find_reloc_index(section, at);
		for (; reloc < section->relocs + section->nr_relocs &&
		       reloc->offset < at + length; reloc++)
			append_target(listing, reloc);
		listing->lines[listing->count].offset = at - span->offset;
		listing->lines[listing->count++].key = arena_strdup(&listing->arena, listing->text);
		at += length;
	}
	disassemble_free_target(&info);
}

static void print_line(char mark, const struct line *line)
{
	printf("%c %5" PRIx64 ":\t%s\n", mark, line->offset, line->key);
}

/*
 * Longest common subsequence by a table, up to @limit cells; longer functions
 * are compared after their common beginning and end have been cut off.
 */
static void print_changes(const struct line *a, size_t nr_a, const struct line *b, size_t nr_b)
{
	const size_t limit = 25 * 1000 * 1000;
	size_t i = 0, j = 0, width = nr_b + 1;
	uint16_t *table = NULL;

	if (nr_a < 65535 && nr_b < 65535 && (nr_a + 1) * width < limit)
		table = calloc((nr_a + 1) * width, sizeof(*table));
	for (i = nr_a; table && i-- > 0;) {
		for (j = nr_b; j-- > 0;) {
			uint16_t down = table[(i + 1) * width + j];
			uint16_t right = table[i * width + j + 1];

			if (!strcmp(a[i].key, b[j].key))
				table[i * width + j] = table[(i + 1) * width + j + 1] + 1;
			else
				table[i * width + j] = down > right ? down : right;
		}
	}
	i = j = 0;
	while (i < nr_a || j < nr_b) {
		if (table && i < nr_a && j < nr_b && !strcmp(a[i].key, b[j].key)) {
			print_line(' ', &b[j++]);
			i++;
		} else if (i < nr_a && (j == nr_b || !table ||
				       table[(i + 1) * width + j] >= table[i * width + j + 1])) {
			print_line('-', &a[i++]);
		} else {
			print_line('+', &b[j++]);
		}
	}
	free(table);
}

static void print_spans(struct span *pre, struct span *post)
{
	struct listing x = { 0 }, y = { 0 };

	if (pre)
		list_instructions(&x, pre);
	if (post)
		list_instructions(&y, post);
	printf("\n--- %s\n+++ %s\n", pre ? span_name(pre) : "(none)",
	       post ? span_name(post) : "(none)");
	print_changes(x.lines, x.count, y.lines, y.count);
	arena_free(&x.arena);
	arena_free(&y.arena);
}

void print_instruction_diffs(const struct diff *diff)
{
	const struct diff_item *item;
	struct span *part;
	size_t i;

	for (i = 0; i < diff->functions_changed.count; i++) {
		item = &diff->functions_changed.items[i];
		print_spans(item->pre, item->post);
		for (part = item->pre->parts; part; part = part->next_part)
			print_spans(part, part->twin);
		for (part = item->post->parts; part; part = part->next_part)
			if (!part->twin)
				print_spans(NULL, part);
	}
}
