// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Strictness of run-pre matching: changes of the running code, at random, that
 * must be noticed.
 *
 * Usage: mutate COUNT SEED IMAGE OLD...
 * Each OLD is matched with the image; then COUNT times one of the functions, or of
 * what it refers to, is changed in memory and its object matched again.  Prints
 * how many changes of each kind were detected, and each accepted one with the
 * reason why it does not change what the code does, or "hole".  Exit status: 0,
 * 1 when there was a hole, 2 trouble.
 */
#include "tests/match/mutate.h"

#include <inttypes.h>
#include <stdlib.h>

#include "inspect/disassemble.h"
#include "inspect/old_block.h"

enum kind {
	FLIP_BIT,
	FLIP_DATA_BIT,
	IMMEDIATE,
	REGISTERS,
	BRANCH,
	DISPLACEMENT,
	REFERENCE,
	REMOVE,
	KINDS,
};

static const char *const kind_names[KINDS] = {
	[FLIP_BIT] = "a bit of code flipped",
	[FLIP_DATA_BIT] = "a bit of constant data flipped",
	[IMMEDIATE] = "another immediate",
	[REGISTERS] = "other registers",
	[BRANCH] = "another target of a call or jump",
	[DISPLACEMENT] = "another offset in a structure",
	[REFERENCE] = "a reference to other data",
	[REMOVE] = "an instruction removed",
};

/* Nops as the kernel makes them (arch/x86/include/asm/nops.h). */
static const u8 nops[][9] = {
	{ 0x90 },
	{ 0x66, 0x90 },
	{ 0x0f, 0x1f, 0x00 },
	{ 0x0f, 0x1f, 0x40, 0x00 },
	{ 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
	{ 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
	{ 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
};

/* The change being tried: of the instruction at @address, or of data there. */
struct mutation {
	enum kind kind;
	struct subject *subject;
	const struct range *range;
	unsigned long address;
	u32 size;
	u8 before[MUTATION_MAX];
	u8 after[MUTATION_MAX];
};

static u64 state;

/* xorshift64*, below @limit */
static u32 below(u32 limit)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (u32)((state * 0x2545f4914f6cdd1dull) >> 33) % limit;
}

static bool read_image(const struct mutation *mutation, unsigned long address, void *buffer,
		       size_t size)
{
	return image_read(mutation->subject->home.run.image, address, buffer, size) == 0;
}

/* An instruction of the range at random; its length, or 0. */
static u32 pick_instruction(struct mutation *mutation, struct ksplice_insn *insn)
{
	const struct range *range = mutation->range;
	unsigned long at = range->address, wanted = range->address + below(range->size);
	u8 bytes[KSPLICE_INSN_MAX];

	while (at < range->address + range->size) {
		if (!read_image(mutation, at, bytes, sizeof(bytes)) ||
		    ksplice_insn_decode(insn, bytes, sizeof(bytes), 8) != 0)
			return 0;
		if (at + insn->length > wanted)
			break;
		at += insn->length;
	}
	mutation->address = at;
	mutation->size = insn->length;
	memcpy(mutation->before, bytes, insn->length);
	memcpy(mutation->after, bytes, insn->length);
	return insn->length;
}

static bool is_branch_kind(const struct ksplice_insn *insn)
{
	return insn->branch != KSPLICE_BRANCH_NONE && insn->rel_size == 4;
}

/* Something else in a field of @size bytes, mostly near what was there. */
static void change_field(u8 *field, u32 size)
{
	static const s32 steps[] = { 1, -1, 4, 8, -8, 16, 0x40, 0x1000 };
	u64 value = 0;

	memcpy(&value, field, size < sizeof(value) ? size : sizeof(value));
	value += (u64)(s64)steps[below(ARRAY_SIZE(steps))];
	memcpy(field, &value, size < sizeof(value) ? size : sizeof(value));
}

/* To another symbol of the object, or to a place nearby. */
static void retarget(struct mutation *mutation, u8 *field, unsigned long end)
{
	const struct home *home = &mutation->subject->home;
	s32 distance;

	if (below(2) == 0 || home->nr_named == 0) {
		change_field(field, 4);
		return;
	}
	distance = (s32)(home->named[below((u32)home->nr_named)].value - end);
	memcpy(field, &distance, sizeof(distance));
}

static bool change_modrm(struct mutation *mutation, const struct ksplice_insn *insn)
{
	u8 *modrm = &mutation->after[insn->modrm_offset];

	if (insn->modrm_offset == 0)
		return false;
	if (*modrm >= 0xc0 && below(2) == 0)	/* swap the two */
		*modrm = (u8)(0xc0 | (*modrm & 7) << 3 | (*modrm >> 3 & 7));
	else if (*modrm >= 0xc0)
		*modrm ^= (u8)(1 << below(6));
	else
		*modrm ^= (u8)(8 << below(3));
	return true;
}

static void remove_instruction(struct mutation *mutation)
{
	u32 left = mutation->size, i = 0;

	while (left > 0) {
		u32 size = below(2) ? 1 : left < sizeof(nops[0]) ? left : (u32)sizeof(nops[0]);

		memcpy(mutation->after + i, nops[size - 1], size);
		i += size;
		left -= size;
	}
}

static bool change_code(struct mutation *mutation)
{
	struct ksplice_insn insn;
	u8 *after = mutation->after;

	if (pick_instruction(mutation, &insn) == 0)
		return false;
	switch (mutation->kind) {
	case FLIP_BIT:
		after[below(mutation->size)] ^= (u8)(1 << below(8));
		return true;
	case IMMEDIATE:
		if (insn.imm_size == 0)
			return false;
		change_field(after + insn.imm_offset, insn.imm_size);
		return true;
	case REGISTERS:
		return change_modrm(mutation, &insn);
	case BRANCH:
		if (!is_branch_kind(&insn))
			return false;
		retarget(mutation, after + insn.rel_offset, mutation->address + insn.length);
		return true;
	case DISPLACEMENT:
		if (insn.disp_size == 0 || (insn.flags & KSPLICE_INSN_RIP))
			return false;
		change_field(after + insn.disp_offset, insn.disp_size);
		return true;
	case REFERENCE:
		if (!(insn.flags & KSPLICE_INSN_RIP))
			return false;
		retarget(mutation, after + insn.disp_offset, mutation->address + insn.length);
		return true;
	default:
		remove_instruction(mutation);
		return true;
	}
}

static bool change_data(struct mutation *mutation)
{
	mutation->address = mutation->range->address + below(mutation->range->size);
	mutation->size = 1;
	if (!read_image(mutation, mutation->address, mutation->before, 1))
		return false;
	mutation->after[0] = (u8)(mutation->before[0] ^ (1 << below(8)));
	return true;
}

/* A range of text, or of data, each by its size. */
static const struct range *pick_range(const struct subject *subject, bool text)
{
	u32 total = text ? subject->text_bytes : subject->data_bytes, at;
	size_t i;

	if (total == 0)
		return NULL;
	at = below(total);
	for (i = 0; i < subject->nr_ranges; i++) {
		if (subject->ranges[i].text != text)
			continue;
		if (at < subject->ranges[i].size)
			return &subject->ranges[i];
		at -= subject->ranges[i].size;
	}
	return NULL;
}

static bool make_mutation(struct mutation *mutation, struct subject *subject)
{
	bool made;

	memset(mutation, 0, sizeof(*mutation));
	mutation->kind = below(KINDS);
	mutation->subject = subject;
	mutation->range = pick_range(subject, mutation->kind != FLIP_DATA_BIT);
	if (!mutation->range)
		return false;
	made = mutation->kind == FLIP_DATA_BIT ? change_data(mutation) : change_code(mutation);
	return made && memcmp(mutation->before, mutation->after, mutation->size) != 0;
}

/* Instructions that do nothing, all of them. */
static bool all_nops(const u8 *bytes, u32 size)
{
	struct ksplice_insn insn;
	u32 i;

	for (i = 0; i < size; i += insn.length)
		if (ksplice_insn_decode(&insn, bytes + i, size - i, 8) != 0 ||
		    !(insn.flags & KSPLICE_INSN_NOP))
			return false;
	return true;
}

/* Whether there are only nops in the image from the change to the end of the range. */
static bool is_behind_all(const struct mutation *mutation)
{
	const struct range *range = mutation->range;
	unsigned long at = mutation->address, end = range->address + range->size;
	struct ksplice_insn insn;
	u8 bytes[KSPLICE_INSN_MAX];

	for (; at < end; at += insn.length)
		if (!read_image(mutation, at, bytes, sizeof(bytes)) ||
		    ksplice_insn_decode(&insn, bytes, sizeof(bytes), 8) != 0 ||
		    !(insn.flags & KSPLICE_INSN_NOP))
			return false;
	return true;
}

/* Whether all bytes that differ are in the site. */
static bool is_within(const struct mutation *mutation, const struct ksplice_old_site *site)
{
	u32 section = mutation->range->section, i, offset;

	for (i = 0; i < mutation->size; i++) {
		if (mutation->before[i] == mutation->after[i])
			continue;
		offset = subject_offset(mutation->subject, section, mutation->address + i);
		if (offset < site->offset || offset >= site->offset + site->length)
			return false;
	}
	return true;
}

/* Where the change is within a site, one of the forms of that kind; else NULL. */
static const char *excuse_site(const struct mutation *mutation, const char **kind)
{
	const struct ksplice_old_tables *tables = &mutation->subject->home.tables;
	const struct ksplice_old_section *section = &tables->sections[mutation->range->section];
	const char *why = NULL;
	u32 i;

	for (i = 0; i < section->nr_sites && !why; i++) {
		const struct ksplice_old_site *site = &tables->sites[section->sites + i];

		if (!is_within(mutation, site))
			continue;
		*kind = old_site_kind_name(site->kind);
		why = site_form(mutation->subject, mutation->range->section, site);
	}
	return why;
}

/* Why an accepted change does nothing, @kind of site included; NULL when it does something. */
static const char *excuse(const struct mutation *mutation, const char **kind)
{
	*kind = "no site";
	if (!mutation->range->text)
		return NULL;
	if (all_nops(mutation->before, mutation->size) &&
	    all_nops(mutation->after, mutation->size))
		return "nops before and after";
	if (is_behind_all(mutation))
		return "padding behind the function";
	return excuse_site(mutation, kind);
}

static void print_bytes(const struct mutation *mutation, const u8 *bytes)
{
	char text[INSN_TEXT_MAX];
	u32 i;

	for (i = 0; i < mutation->size; i++)
		printf("%02x ", bytes[i]);
	if (mutation->range->text) {
		disassemble_one(bytes, mutation->size, mutation->address, 8, text);
		printf("(%s) ", text);
	}
}

static void print_accepted(const struct mutation *mutation, const char *kind, const char *why)
{
	const struct home *home = &mutation->subject->home;
	const struct ksplice_old_section *section =
		&home->tables.sections[mutation->range->section];

	printf("accepted: %s, %s: %s+0x%lx: %s: ", why ? kind : "hole", why ? why : kind,
	       home->tables.strings + section->name, mutation->address - mutation->range->address,
	       kind_names[mutation->kind]);
	print_bytes(mutation, mutation->before);
	fputs("-> ", stdout);
	print_bytes(mutation, mutation->after);
	printf("in %s\n", mutation->subject->file);
}

/* Whether the change, which stays in memory, was noticed. */
static bool is_detected(struct mutation *mutation)
{
	struct home *home = &mutation->subject->home;
	struct ksplice_matcher *matcher;
	int ret;

	home->address = mutation->address;
	home->size = mutation->size;
	memcpy(home->bytes, mutation->after, mutation->size);
	matcher = subject_match(mutation->subject, &ret);
	ksplice_matcher_free(matcher);
	return ret != 0;
}

static unsigned long mutate(struct subject *subjects, u32 nr_subjects, unsigned long count)
{
	unsigned long tried[KINDS] = { 0 }, detected[KINDS] = { 0 }, holes = 0, done = 0;
	unsigned int kind;

	while (done < count) {
		struct mutation mutation;
		const char *why, *site;

		if (!make_mutation(&mutation, &subjects[below(nr_subjects)]))
			continue;
		done++;
		tried[mutation.kind]++;
		if (is_detected(&mutation)) {
			detected[mutation.kind]++;
		} else {
			why = excuse(&mutation, &site);
			holes += !why;
			print_accepted(&mutation, site, why);
		}
		mutation.subject->home.size = 0;
	}
	for (kind = 0; kind < KINDS; kind++)
		printf("%-34s %6lu tried, %6lu detected\n", kind_names[kind], tried[kind],
		       detected[kind]);
	return holes;
}

int main(int argc, char **argv)
{
	struct ks_error err = { .text = "" };
	struct subject *subjects;
	struct image *image;
	unsigned long holes;
	u32 nr_subjects = 0;
	int i;

	if (argc < 5) {
		fprintf(stderr, "Usage: mutate COUNT SEED IMAGE OLD...\n");
		return 2;
	}
	state = strtoul(argv[2], NULL, 0) * 2 + 1;
	image = image_open(argv[3], &err);
	subjects = calloc((size_t)argc, sizeof(*subjects));
	if (!image || !subjects) {
		fprintf(stderr, "mutate: %s\n", err.text);
		return 2;
	}
	for (i = 4; i < argc; i++) {
		if (subject_open(&subjects[nr_subjects], argv[i], image) != 0)
			return 2;
		if (subjects[nr_subjects].text_bytes > 0)
			nr_subjects++;
		else
			subject_close(&subjects[nr_subjects]);
	}
	if (nr_subjects == 0)
		return 2;
	holes = mutate(subjects, nr_subjects, strtoul(argv[1], NULL, 0));
	printf("%lu mutations of the text and constants of %u objects, %lu holes\n",
	       strtoul(argv[1], NULL, 0), nr_subjects, holes);
	while (nr_subjects > 0)
		subject_close(&subjects[--nr_subjects]);
	free(subjects);
	image_close(image);
	return holes > 0;
}
