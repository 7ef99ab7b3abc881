/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The old code of one object, and what of the image it matches; for mutate.c. */
#ifndef KSPLICE_TEST_MATCH_MUTATE_H
#define KSPLICE_TEST_MATCH_MUTATE_H

#include "inspect/image_run.h"
#include "kmodsrc/match_internal.h"

#define MUTATION_MAX	32	/* bytes */

/* A symbol of the image that the block names. */
struct named {
	const char *name;
	unsigned long value;
};

/* A part of the image that is compared. */
struct range {
	unsigned long address;
	u32 size;
	u32 section;		/* of the block; of text: the place that is mutated */
	bool text;
};

/* Memory of the image with @size bytes at @address replaced. */
struct home {
	struct image_run run;	/* first: the context of image_run_ops */
	unsigned long address;
	u32 size;
	u8 bytes[MUTATION_MAX];
	struct named *named;
	size_t nr_named;
	bool collected;		/* @named is complete */
	const struct ksplice_old_header *old;
	struct ksplice_old_tables tables;
};

struct subject {
	const char *file;
	struct ksplice_old_header *old;
	struct home home;
	struct ksplice_matcher *matcher;	/* of the unchanged image */
	struct range *ranges;
	size_t nr_ranges;
	u32 text_bytes, data_bytes;
};

/* Matches @file with @image; 0, or -1 with a message on stderr. */
int subject_open(struct subject *subject, const char *file, const struct image *image);
void subject_close(struct subject *subject);

/* A matcher that has matched the mutated image; *@ret is what ksplice_match() said. */
struct ksplice_matcher *subject_match(struct subject *subject, int *ret);

/* Reads the mutated image: 0 or -EFAULT. */
int subject_read(const struct subject *subject, unsigned long address, void *buffer, size_t size);

/* Offset in the section of the old code of run address @address. */
u32 subject_offset(const struct subject *subject, u32 section, unsigned long address);

/*
 * forms.c: what the mutated image has at a site of the old code, if the kernel can put that
 * there and it does the same; else NULL.
 */
const char *site_form(struct subject *subject, u32 section, const struct ksplice_old_site *site);

#endif
