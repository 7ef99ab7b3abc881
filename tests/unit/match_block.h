/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds blocks of old code, and a run to match them with, for tests/unit/match.c. */
#ifndef KSPLICE_TEST_MATCH_BLOCK_H
#define KSPLICE_TEST_MATCH_BLOCK_H

#include <stdlib.h>

#include "kmodsrc/match_internal.h"

#define MAX_ENTRIES	64
#define MAX_BYTES	8192
#define RUN_BASE	0xffffffff81000000ul
#define RUN_SIZE	0x8000u

/* Everything in order of making; build_block() sorts what must be sorted. */
struct build {
	struct ksplice_old_symbol symbols[MAX_ENTRIES];
	struct ksplice_old_section sections[MAX_ENTRIES];
	struct ksplice_old_reloc relocs[MAX_ENTRIES];
	struct ksplice_old_site sites[MAX_ENTRIES];
	struct ksplice_old_alternative alternatives[MAX_ENTRIES];
	char strings[MAX_BYTES];
	u8 contents[MAX_BYTES];
	u32 nr_symbols, nr_sections, nr_relocs, nr_sites, nr_alternatives;
	u32 strings_size, contents_size;
};

struct run_symbol {
	const char *name;
	u32 offset;
};

/* A function, and where its newest code is; both 0 when there is none. */
struct replaced {
	u32 known, newest;
};

/* Kernel memory from RUN_BASE on; nothing else can be read. */
struct run {
	u8 bytes[RUN_SIZE];
	struct run_symbol symbols[MAX_ENTRIES];
	u32 nr_symbols;
	struct run_symbol import;	/* of a kernel beside; or its name is NULL */
	u32 more_imports;		/* of the same name */
	struct replaced replaced;
	bool several_cpus;
	u32 probed;			/* where a kprobe is; 0: nowhere */
	unsigned int passes;		/* over the symbols */
	unsigned int reads;		/* after so many, the byte at @changing is another */
	u32 changing;			/* 0: none is */
	size_t allocated;
};

/* Bytes written as "53 e8 00 00 00 00"; returns how many. */
static inline u32 from_hex(const char *hex, u8 *bytes)
{
	u32 size = 0;
	char *end;

	for (;; hex = end) {
		unsigned long byte = strtoul(hex, &end, 16);

		if (end == hex)
			return size;
		bytes[size++] = (u8)byte;
	}
}

static inline u32 add_text(struct build *build, const char *string)
{
	u32 offset = build->strings_size;

	if (offset == 0)
		offset = build->strings_size = 1;
	if (*string == '\0')
		return 0;
	strcpy(build->strings + offset, string);
	build->strings_size += (u32)strlen(string) + 1;
	return offset;
}

static inline u32 add_symbol(struct build *build, const char *name, u32 section, u32 offset)
{
	build->symbols[build->nr_symbols] = (struct ksplice_old_symbol){
		.name = add_text(build, name),
		.section = section,
		.offset = offset,
	};
	return build->nr_symbols++;
}

/* A symbol that the old code only refers to. */
static inline u32 add_extern(struct build *build, const char *name)
{
	return add_symbol(build, name, KSPLICE_NONE, 0);
}

static inline u32 add_bytes(struct build *build, u32 kind, const char *name, const void *bytes,
			    u32 size)
{
	u32 index = build->nr_sections++;
	bool placed = kind == KSPLICE_SECTION_TEXT || kind == KSPLICE_SECTION_RODATA ||
		      kind == KSPLICE_SECTION_DATA;

	build->sections[index] = (struct ksplice_old_section){
		.kind = kind,
		.symbol = placed ? add_symbol(build, name, index, 0) : KSPLICE_NONE,
		.contents = build->contents_size,
		.size = size,
		.unit = 1,
		.align = 1,
		.relocs = build->nr_relocs,
		.sites = build->nr_sites,
		.name = add_text(build, *name ? name : "anonymous"),
	};
	memcpy(build->contents + build->contents_size, bytes, size);
	build->contents_size += size;
	return index;
}

/* A section; what follows adds to the last one.  Returns its index. */
static inline u32 add_section(struct build *build, u32 kind, const char *name, const char *hex)
{
	u8 bytes[1024];

	return add_bytes(build, kind, name, bytes, from_hex(hex, bytes));
}

static inline void add_reloc(struct build *build, u32 offset, u32 symbol, u8 kind, s8 bias,
			     s64 addend)
{
	build->relocs[build->nr_relocs++] = (struct ksplice_old_reloc){
		.offset = offset,
		.symbol = symbol,
		.section = KSPLICE_NONE,
		.kind = kind,
		.bias = bias,
		.addend = addend,
	};
	build->sections[build->nr_sections - 1].nr_relocs++;
}

/* The usual reloc of a call or jump with its rel32 at @offset. */
static inline void add_branch(struct build *build, u32 offset, u32 symbol)
{
	add_reloc(build, offset, symbol, KSPLICE_RELOC_PC32, -4, -4);
}

static inline void add_site(struct build *build, u32 offset, u16 length, u16 kind, u32 arg,
			    u32 arg2)
{
	build->sites[build->nr_sites++] = (struct ksplice_old_site){
		.offset = offset,
		.length = length,
		.kind = kind,
		.arg = arg,
		.arg2 = arg2,
	};
	build->sections[build->nr_sections - 1].nr_sites++;
}

static inline u32 add_alternative(struct build *build, u32 section, u32 offset, u32 length)
{
	build->alternatives[build->nr_alternatives] = (struct ksplice_old_alternative){
		.section = section,
		.offset = offset,
		.length = length,
	};
	return build->nr_alternatives++;
}

static inline void set_label(struct build *build, u32 symbol, const char *label)
{
	build->symbols[symbol].label = add_text(build, label);
}

/* Sorts symbols by place, and gives the new indexes to all that refer to them. */
static inline void sort_places(struct build *build)
{
	struct ksplice_old_symbol sorted[MAX_ENTRIES] = { { .name = 0 } };
	u32 place[MAX_ENTRIES], i, j;

	for (i = 0; i < build->nr_symbols; i++) {
		const struct ksplice_old_symbol *a = &build->symbols[i];

		place[i] = 0;
		for (j = 0; j < build->nr_symbols; j++) {
			const struct ksplice_old_symbol *b = &build->symbols[j];

			place[i] += b->section != a->section ? b->section < a->section :
				    b->offset != a->offset   ? b->offset < a->offset :
							       j < i;
		}
		sorted[place[i]] = *a;
	}
	memcpy(build->symbols, sorted, sizeof(*sorted) * build->nr_symbols);
	for (i = 0; i < build->nr_sections; i++)
		if (build->sections[i].symbol != KSPLICE_NONE)
			build->sections[i].symbol = place[build->sections[i].symbol];
	for (i = 0; i < build->nr_relocs; i++)
		if (build->relocs[i].symbol != KSPLICE_NONE)
			build->relocs[i].symbol = place[build->relocs[i].symbol];
	for (i = 0; i < build->nr_sites; i++)
		if (build->sites[i].kind == KSPLICE_SITE_PARAVIRT ||
		    build->sites[i].kind == KSPLICE_SITE_RUNTIME ||
		    build->sites[i].kind == KSPLICE_SITE_STATIC_CALL)
			build->sites[i].arg = place[build->sites[i].arg];
}

/* Indexes of the symbols with a name (or a label), sorted by it. */
static inline u32 sort_strings(const struct build *build, bool labels, u32 *index)
{
	u32 count = 0, i, j;

	for (i = 0; i < build->nr_symbols; i++) {
		u32 string = labels ? build->symbols[i].label : build->symbols[i].name;

		if (string == 0)
			continue;
		for (j = count++; j > 0; j--) {
			const struct ksplice_old_symbol *other = &build->symbols[index[j - 1]];

			if (strcmp(build->strings + (labels ? other->label : other->name),
				   build->strings + string) <= 0)
				break;
			index[j] = index[j - 1];
		}
		index[j] = i;
	}
	return count;
}

static inline void put_table(u8 *block, u32 *size, struct ksplice_old_table *table,
			     const void *entries, u32 count, u32 entry_size)
{
	*size = (*size + 7) & ~7u;
	table->offset = *size;
	table->count = count;
	memcpy(block + *size, entries, (size_t)count * entry_size);
	*size += count * entry_size;
}

/* The block, of *@size bytes exactly, so that ASan sees what is read beyond it. */
static inline struct ksplice_old_header *build_block(struct build *build, u32 *size)
{
	u8 *block = calloc(1, 4 * MAX_BYTES + sizeof(*build));
	struct ksplice_old_header header = {
		.magic = KSPLICE_OLD_MAGIC,
		.version = KSPLICE_OLD_VERSION,
		.word_size = 8,
	};
	u32 index[MAX_ENTRIES], count;

	*size = sizeof(header);
	if (build->strings_size == 0)
		build->strings_size = 1;
	sort_places(build);
	put_table(block, size, &header.symbols, build->symbols, build->nr_symbols,
		  sizeof(*build->symbols));
	count = sort_strings(build, false, index);
	put_table(block, size, &header.names, index, count, sizeof(*index));
	count = sort_strings(build, true, index);
	put_table(block, size, &header.labels, index, count, sizeof(*index));
	put_table(block, size, &header.sections, build->sections, build->nr_sections,
		  sizeof(*build->sections));
	put_table(block, size, &header.relocs, build->relocs, build->nr_relocs,
		  sizeof(*build->relocs));
	put_table(block, size, &header.sites, build->sites, build->nr_sites, sizeof(*build->sites));
	put_table(block, size, &header.alternatives, build->alternatives, build->nr_alternatives,
		  sizeof(*build->alternatives));
	put_table(block, size, &header.strings, build->strings, build->strings_size, 1);
	put_table(block, size, &header.contents, build->contents, build->contents_size, 1);
	header.size = *size;
	memcpy(block, &header, sizeof(header));
	return realloc(block, *size);
}

/*
 * The run
 */

static inline void put_run(struct run *run, u32 offset, const char *hex)
{
	from_hex(hex, run->bytes + offset);
}

/* The rel32 at @offset goes to @target, another offset. */
static inline void put_rel32(struct run *run, u32 offset, u32 target)
{
	u32 distance = target - (offset + 4);

	memcpy(run->bytes + offset, &distance, sizeof(distance));
}

static inline void put_address(struct run *run, u32 offset, u32 target)
{
	u64 address = RUN_BASE + target;

	memcpy(run->bytes + offset, &address, sizeof(address));
}

static inline void name_run(struct run *run, const char *name, u32 offset)
{
	run->symbols[run->nr_symbols++] = (struct run_symbol){ name, offset };
}

static inline int read_run_bytes(void *context, unsigned long address, void *buffer, size_t size)
{
	struct run *run = context;

	if (address < RUN_BASE || address - RUN_BASE > RUN_SIZE ||
	    size > RUN_SIZE - (address - RUN_BASE))
		return -EFAULT;
	if (run->changing && run->reads-- == 0) {
		run->bytes[run->changing] ^= 0x10;
		run->changing = 0;
	}
	memcpy(buffer, run->bytes + (address - RUN_BASE), size);
	return 0;
}

static inline int each_run_symbol(void *context,
				  int (*fn)(void *data, const char *name, unsigned long value),
				  void *data)
{
	struct run *run = context;
	int ret = 0;
	u32 i;

	run->passes++;
	for (i = 0; i < run->nr_symbols && ret == 0; i++)
		ret = fn(data, run->symbols[i].name, RUN_BASE + run->symbols[i].offset);
	return ret;
}

static inline int each_run_import(void *context,
				  int (*fn)(void *data, const char *name, unsigned long value),
				  void *data)
{
	const struct run *run = context;
	int ret = 0;
	u32 i;

	for (i = 0; run->import.name && i <= run->more_imports && ret == 0; i++)
		ret = fn(data, run->import.name, RUN_BASE + run->import.offset + i);
	return ret;
}

static inline bool is_probed(void *context, unsigned long address)
{
	const struct run *run = context;

	return run->probed != 0 && address == RUN_BASE + run->probed;
}

static inline unsigned long run_known_as(void *context, unsigned long address)
{
	const struct replaced *replaced = &((const struct run *)context)->replaced;

	return replaced->newest && address == RUN_BASE + replaced->newest ?
		       RUN_BASE + replaced->known : address;
}

static inline unsigned long run_code_at(void *context, unsigned long address)
{
	const struct replaced *replaced = &((const struct run *)context)->replaced;

	return replaced->newest && address == RUN_BASE + replaced->known ?
		       RUN_BASE + replaced->newest : address;
}

static inline bool may_be_up(void *context)
{
	const struct run *run = context;

	return !run->several_cpus;
}

static inline void *alloc_run(void *context, size_t size)
{
	struct run *run = context;

	run->allocated += size;
	return run->allocated > (64u << 20) ? NULL : calloc(1, size);
}

static inline void free_run(void *context, void *memory)
{
	(void)context;
	free(memory);
}

static inline void pause_run(void *context)
{
	(void)context;
}

static const struct ksplice_matcher_ops run_ops = {
	.read = read_run_bytes,
	.for_each_symbol = each_run_symbol,
	.for_each_import = each_run_import,
	.is_probed = is_probed,
	.known_as = run_known_as,
	.code_at = run_code_at,
	.may_be_up = may_be_up,
	.alloc = alloc_run,
	.free = free_run,
	.pause = pause_run,
};

#endif
