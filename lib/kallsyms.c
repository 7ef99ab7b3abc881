// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables lie in .rodata without a name or a header. Each begins at a
 * multiple of the word size, and zeros fill up to the next one:
 *
 *	before 6.4	offsets relative_base num_syms names markers
 *			[seqs_of_names] token_table token_index
 *	since 6.4	num_syms names markers token_table token_index
 *			offsets relative_base seqs_of_names
 *
 * (seqs_of_names came with 6.2 and was backported to 6.1.) token_index is easy
 * to recognize, and it describes token_table, which is right before it, to the
 * byte. num_syms is the one word before them from which a walk over so many
 * names ends at markers that agree with the walk, and at token_table. The
 * offsets are then at a known distance, and must decode to ascending
 * addresses, with the kernel's beginning in executable bytes.
 *
 * The input may be hostile: all work is charged to a budget.
 */
#include "lib/kallsyms.h"

#include <ctype.h>
#include <string.h>

/* Longest expanded name. KSYM_NAME_LEN is 128 before 6.1, then 512. */
#define NAME_MAX_LENGTH 1023

/* Every 256th name has a marker. */
#define MARKER_STEP 256

/* Ranks of names are stored in 3 bytes (seqs_of_names). */
#define SYMBOLS_MAX (1u << 24)

/* In steps (a word looked at, a name walked over); a stock kernel costs some 5 million. */
#define BUDGET (1ull << 27)

struct search {
	const struct kallsyms_area *areas;
	size_t area_count;
	unsigned int word_size;
	uint64_t budget;
	unsigned int token_tables;	/* candidates with a token_index that agrees */
	unsigned int name_tables;	/* … and names and markers that agree */
	unsigned int matches;		/* … and offsets that decode well */
	uint64_t token_address;		/* of the last candidate, for messages */
	struct kallsyms found;
};

/* One candidate for the tables in front of the offsets; all in @area, as offsets in it. */
struct candidate {
	const struct kallsyms_area *area;
	size_t num_syms;
	size_t names;
	size_t token_table;
	size_t token_index;
};

static uint16_t get_le16(const unsigned char *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t get_le32(const unsigned char *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get_le64(const unsigned char *p)
{
	return get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

/* The first offset at or after @offset whose *address* is a multiple of the word size. */
static size_t align_up(const struct kallsyms_area *area, size_t offset, unsigned int word_size)
{
	return offset + (-(area->address + offset) & (word_size - 1));
}

static bool charge(struct search *search, uint64_t steps)
{
	if (search->budget < steps) {
		search->budget = 0;
		return false;
	}
	search->budget -= steps;
	return true;
}

/*
 * Length of the compressed name at @p in @length; returns where its codes
 * begin, or NULL when it does not end before @end. Since 6.1 a first byte with
 * its top bit set is followed by a second one with 7 more bits (a Rust symbol
 * of 200 characters may need it; C names never did).
 */
static const unsigned char *name_codes(const unsigned char *p, const unsigned char *end,
				       size_t *length)
{
	if (p == end)
		return NULL;
	*length = *p++;
	if (*length & 0x80) {
		if (p == end || *p & 0x80)
			return NULL;
		*length = (*length & 0x7f) | (size_t)*p++ << 7;
	}
	if (!*length || *length > (size_t)(end - p))
		return NULL;
	return p;
}

/*
 * Expands one name: the type's letter in front of it comes out as *type.
 * Returns false when it is not a name: only codes that no name uses have
 * empty strings. @end is the end of the names.
 */
static bool expand_name(const struct kallsyms *kallsyms, const unsigned char **p,
			const unsigned char *end, char *type, char *name)
{
	size_t length, used = 0;
	const unsigned char *codes = name_codes(*p, end, &length);
	char *out = name;

	if (!codes)
		return false;
	for (size_t i = 0; i < length; i++) {
		const unsigned char *token = kallsyms->tokens + kallsyms->token_index[codes[i]];

		if (!*token)
			return false;
		for (; *token; token++, used++) {
			if (used > NAME_MAX_LENGTH)
				return false;
			if (!used)
				*type = *token;
			else
				*out++ = *token;
		}
	}
	*out = '\0';
	*p = codes + length;
	return used > 1;
}

static uint64_t symbol_address(const struct kallsyms *kallsyms, uint32_t index)
{
	uint32_t offset = get_le32(kallsyms->offsets + 4 * (size_t)index);
	uint64_t address;

	if (!kallsyms->absolute_percpu)
		address = kallsyms->relative_base + offset;
	else if (offset < 0x80000000)
		address = offset;
	else
		address = kallsyms->relative_base + (uint32_t)~offset;
	return kallsyms->word_size == 4 ? (uint32_t)address : address;
}

int kallsyms_for_each(const struct kallsyms *kallsyms,
		      int (*symbol)(const char *name, uint64_t address, char type, void *context),
		      void *context)
{
	const unsigned char *p = kallsyms->names;
	const unsigned char *end = p + kallsyms->names_size;
	char name[NAME_MAX_LENGTH + 1];
	char type;

	for (uint32_t i = 0; i < kallsyms->count; i++) {
		int result;

		if (!expand_name(kallsyms, &p, end, &type, name))
			break;	/* can't be: kallsyms_find() expanded them all */
		result = symbol(name, symbol_address(kallsyms, i), type, context);
		if (result)
			return result;
	}
	return 0;
}

/* What the check of all symbols of a candidate has seen so far. */
struct verdict {
	const struct search *search;
	uint64_t last_address;
	bool bad;
	unsigned int beginnings;	/* symbols at the beginning of the kernel's text */
};

/* More than all names of beginnings together: a hostile table. */
#define BEGINNINGS_MAX 16

static bool is_executable(const struct search *search, uint64_t address)
{
	for (size_t i = 0; i < search->area_count; i++) {
		const struct kallsyms_area *area = &search->areas[i];

		if (area->executable && address - area->address < area->size)
			return true;
	}
	return false;
}

static int judge_symbol(const char *name, uint64_t address, char type, void *context)
{
	static const char *const beginnings[] = { "_text", "_stext", "startup_32", "startup_64" };
	struct verdict *verdict = context;

	/* The table is sorted by address; nm's types are letters and '?'. */
	if (address < verdict->last_address || (!isalpha((unsigned char)type) && type != '?'))
		verdict->bad = true;
	verdict->last_address = address;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		if (strcmp(name, beginnings[i]))
			continue;
		if (++verdict->beginnings > BEGINNINGS_MAX ||
		    !is_executable(verdict->search, address))
			verdict->bad = true;
	}
	return verdict->bad;
}

/*
 * Are the symbols right with the offsets at this place? Under
 * CONFIG_KALLSYMS_ABSOLUTE_PERCPU offsets with the top bit set count down from
 * relative_base - 1 and others are addresses; the kernel's own text is never
 * among the latter, so that the top bit tells which of the two it is.
 */
static bool are_offsets(const struct search *search, const struct kallsyms_area *area,
			size_t offsets, size_t relative_base, struct kallsyms *kallsyms)
{
	struct verdict verdict = { .search = search };
	const unsigned char *p = area->bytes + offsets;
	const unsigned char *base = area->bytes + relative_base;

	kallsyms->offsets = p;
	kallsyms->relative_base = search->word_size == 4 ? get_le32(base) : get_le64(base);
	kallsyms->absolute_percpu = false;
	for (uint32_t i = 0; i < kallsyms->count; i++)
		if (p[4 * (size_t)i + 3] & 0x80)
			kallsyms->absolute_percpu = true;
	kallsyms_for_each(kallsyms, judge_symbol, &verdict);
	return verdict.beginnings && !verdict.bad;
}

/*
 * Can all names be expanded? Required before kallsyms_for_each(). Charges for
 * the later passes too.
 */
static bool are_names(struct search *search, const struct kallsyms *kallsyms)
{
	const unsigned char *p = kallsyms->names;
	const unsigned char *end = p + kallsyms->names_size;
	char name[NAME_MAX_LENGTH + 1];
	char type;

	for (uint32_t i = 0; i < kallsyms->count; i++)
		if (!expand_name(kallsyms, &p, end, &type, name) ||
		    !charge(search, 3 + strlen(name) / 4))
			return false;
	return true;
}

static void accept(struct search *search, const struct kallsyms *kallsyms)
{
	search->matches++;
	search->found = *kallsyms;
}

/* The names of a candidate agree: look for the offsets at both of their places. */
static void try_offsets(struct search *search, const struct candidate *c, uint32_t count,
			size_t names_size)
{
	const struct kallsyms_area *area = c->area;
	unsigned int word = search->word_size;
	size_t room = ((size_t)4 * count + word - 1) & -(size_t)word;
	size_t after = align_up(area, c->token_index + 512, word);
	struct kallsyms kallsyms = {
		.names = area->bytes + c->names,
		.names_size = names_size,
		.tokens = area->bytes + c->token_table,
		.count = count,
		.word_size = word,
	};

	for (int i = 0; i < 256; i++)
		kallsyms.token_index[i] = get_le16(area->bytes + c->token_index + 2 * i);
	if (!are_names(search, &kallsyms))
		return;
	search->name_tables++;
	if (c->num_syms >= room + word &&
	    are_offsets(search, area, c->num_syms - word - room, c->num_syms - word, &kallsyms))
		accept(search, &kallsyms);
	if (after <= area->size && area->size - after >= room + word &&
	    are_offsets(search, area, after, after + room, &kallsyms))
		accept(search, &kallsyms);
}

/*
 * Walks over @count names. Returns their size in bytes, 0 when they are not so
 * many before @end. With @markers, each 256th name must begin where they say.
 */
static size_t walk_names(struct search *search, const unsigned char *names,
			 const unsigned char *end, uint32_t count, const unsigned char *markers)
{
	const unsigned char *p = names;
	uint32_t i;
	size_t length;

	for (i = 0; i < count; i++) {
		if (markers && i % MARKER_STEP == 0 &&
		    get_le32(markers + i / MARKER_STEP * 4) != (size_t)(p - names))
			break;
		p = name_codes(p, end, &length);
		if (!p)
			break;
		p += length;
	}
	if (!charge(search, i))
		return 0;
	return i == count ? (size_t)(p - names) : 0;
}

/* Is this num_syms? If so, goes on to the offsets. */
static void try_num_syms(struct search *search, struct candidate *c)
{
	const struct kallsyms_area *area = c->area;
	unsigned int word = search->word_size;
	uint32_t count = get_le32(area->bytes + c->num_syms);
	size_t marker_bytes = ((size_t)count + MARKER_STEP - 1) / MARKER_STEP * 4;
	const unsigned char *end = area->bytes + c->token_table;
	size_t size, markers, tables_end;

	c->names = align_up(area, c->num_syms + 4, word);
	if (!count || count > SYMBOLS_MAX || c->names >= c->token_table ||
	    2 * (size_t)count + marker_bytes > c->token_table - c->names)
		return;
	size = walk_names(search, area->bytes + c->names, end, count, NULL);
	if (!size)
		return;
	markers = align_up(area, c->names + size, word);
	tables_end = align_up(area, markers + marker_bytes, word);
	if (tables_end != c->token_table &&
	    align_up(area, tables_end + 3 * (size_t)count, word) != c->token_table)
		return;
	if (!walk_names(search, area->bytes + c->names, end, count, area->bytes + markers))
		return;
	try_offsets(search, c, count, size);
}

/*
 * Is there a token_index at @offset, and the token_table that it describes in
 * front of it? It is then in *table. No string is longer than
 * a name. The last one is never empty: scripts/kallsyms.c gives the best token
 * to the last code that no name uses as a character, and that is 255.
 */
static bool find_token_table(struct search *search, const struct kallsyms_area *area,
			     size_t offset, size_t *table)
{
	unsigned int word_size = search->word_size;
	const unsigned char *bytes = area->bytes;
	const unsigned char *index = bytes + offset;
	size_t end = offset, start, last = get_le16(index + 2 * 255);

	for (int i = 1; i < 256; i++)
		if (get_le16(index + 2 * i) <= get_le16(index + 2 * (i - 1)))
			return false;
	if (!charge(search, 1024))
		return false;
	while (end && !bytes[end - 1] && offset - end < word_size)
		end--;
	if (end == offset || !end || !bytes[end - 1])
		return false;
	for (start = end; start && bytes[start - 1] && end - start <= NAME_MAX_LENGTH;)
		start--;
	if (start < last || align_up(area, start - last, word_size) != start - last)
		return false;
	*table = start - last;
	for (int i = 0; i < 256; i++) {
		size_t from = *table + get_le16(index + 2 * i);
		size_t to = i < 255 ? *table + get_le16(index + 2 * (i + 1)) : end + 1;

		for (; from < to - 1; from++)
			if (bytes[from] <= ' ' || bytes[from] == 0x7f)
				return false;
		if (bytes[from])
			return false;
	}
	return true;
}

static void search_area(struct search *search, const struct kallsyms_area *area)
{
	unsigned int word = search->word_size;
	struct candidate c = { .area = area };

	if (area->size < 512)
		return;
	for (c.token_index = align_up(area, 0, word); c.token_index <= area->size - 512;
	     c.token_index += word) {
		const unsigned char *p = area->bytes + c.token_index;

		if (p[0] || p[1] || !(p[2] || p[3]) ||
		    !find_token_table(search, area, c.token_index, &c.token_table))
			continue;
		search->token_tables++;
		search->token_address = area->address + c.token_table;
		for (c.num_syms = c.token_table; c.num_syms >= word && charge(search, 1);) {
			c.num_syms -= word;
			try_num_syms(search, &c);
		}
	}
}

int kallsyms_find(struct kallsyms *kallsyms, const struct kallsyms_area *areas, size_t count,
		  unsigned int word_size, struct ks_error *error)
{
	struct search search = {
		.areas = areas,
		.area_count = count,
		.word_size = word_size,
		.budget = BUDGET,
	};

	for (size_t i = 0; i < count; i++)
		search_area(&search, &areas[i]);
	if (!search.budget)
		return ks_error_set(error, "search for kallsyms given up: too much looks like it");
	if (!search.token_tables)
		return ks_error_set(error, "no kallsyms found (a kernel without CONFIG_KALLSYMS?)");
	if (!search.name_tables)
		return ks_error_set(error, "kallsyms token table at %#llx, but no names and markers"
				    " that fit it (unknown layout)",
				    (unsigned long long)search.token_address);
	if (!search.matches)
		return ks_error_set(error, "kallsyms token table at %#llx and names, but no offsets"
				    " that fit them (unknown layout)",
				    (unsigned long long)search.token_address);
	if (search.matches > 1)
		return ks_error_set(error, "%u kallsyms found, can't tell which is right",
				    search.matches);
	*kallsyms = search.found;
	return 0;
}
