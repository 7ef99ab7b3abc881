/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For hand-written halves of an update: what ksplice-objmanip writes otherwise.
 *
 * kmodsrc/old.c and new.c find their tables between two symbols, as ksplice_patches
 * and ksplice_patches_end; so each table is a section of its own.
 */
#ifndef KSPLICE_STAGE_H
#define KSPLICE_STAGE_H

#include <linux/stddef.h>

#include "ksplice.h"
#include "old_code.h"

/* Variables follow each other as in the source, with no gap. */
#define STAGE_PLACED(section_)	\
	__attribute__((used, no_reorder, section(section_), aligned(8)))

/* A table of new code: ksplice_patches, _ranges, _writes, _constants or _hooks. */
#define STAGE_TABLE(type, name, ...)							\
	STAGE_PLACED("." #name) const struct type name[] = { __VA_ARGS__ };		\
	STAGE_PLACED("." #name) const struct type name##_end[0] = { }

/* Those that no stage has anything for. */
#define STAGE_OTHER_TABLES								\
	STAGE_TABLE(ksplice_write, ksplice_writes);					\
	STAGE_TABLE(ksplice_patch, ksplice_constants)

/* Names in the block, for STRINGS(_) of the old code; offset 0 is the empty string. */
#define STAGE_MEMBER(name)	char name[sizeof(#name)];
#define STAGE_VALUE(name)	.name = #name,
#define STRING(name)		offsetof(struct strings, name)

/* The parts of a block of old code, and how many entries they have. */
#define STAGE_BLOCK(nr_symbols, nr_labels, nr_relocs, nr_sites, nr_contents)		\
struct strings {									\
	char none[1];									\
	STRINGS(STAGE_MEMBER)								\
};											\
struct block {										\
	struct ksplice_old_header header;						\
	struct ksplice_old_symbol symbols[nr_symbols];					\
	__u32 names[nr_symbols];							\
	__u32 labels[nr_labels];							\
	struct ksplice_old_section sections[1];						\
	struct ksplice_old_reloc relocs[nr_relocs] __aligned(8);			\
	struct ksplice_old_site sites[nr_sites];					\
	struct ksplice_old_alternative alternatives[0];					\
	struct strings strings;								\
	__u8 contents[nr_contents];							\
}

#define STAGE_PART(member)								\
	.member = {									\
		.offset = offsetof(struct block, member),				\
		.count = ARRAY_SIZE(((struct block *)NULL)->member),			\
	}

#define STAGE_HEADER									\
	{										\
		.magic = KSPLICE_OLD_MAGIC,						\
		.version = KSPLICE_OLD_VERSION,						\
		.size = sizeof(struct block),						\
		.word_size = sizeof(long),						\
		STAGE_PART(symbols), STAGE_PART(names), STAGE_PART(labels),		\
		STAGE_PART(sections), STAGE_PART(relocs), STAGE_PART(sites),		\
		STAGE_PART(alternatives), STAGE_PART(contents),				\
		.strings = { offsetof(struct block, strings), sizeof(struct strings) },	\
	}

/* The block, and memory for labels: 24 bytes each, also for the core's exports. */
#define STAGE_OLD_CODE									\
	STAGE_PLACED(".data.ksplice_published") char ksplice_published[24 * 32];	\
	STAGE_PLACED(".data.ksplice_published") char ksplice_published_end[0];		\
	STAGE_PLACED(KSPLICE_OLD_SECTION) const struct block ksplice_old_code
#define STAGE_OLD_CODE_END								\
	STAGE_PLACED(KSPLICE_OLD_SECTION) const char ksplice_old_code_end[0] = { }

#endif
