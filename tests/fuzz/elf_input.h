/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For targets that take objects: seeds to compare the input with, and a mutator
 * that knows where an ELF file has its tables.  e_flags, which x86 does not use,
 * is the number of the seed.
 */
#ifndef KSPLICE_FUZZ_ELF_INPUT_H
#define KSPLICE_FUZZ_ELF_INPUT_H

#include <dirent.h>
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEEDS_MAX	64
#define SEED_SIZE	(64 * 1024)

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seed {
	uint8_t *bytes;
	size_t size;
};

static struct seed seeds[SEEDS_MAX];
static size_t nr_seeds;

static int is_object(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 2 && !strcmp(entry->d_name + length - 2, ".o");
}

/* The seeds are in the folder seeds/object next to the program, as tests/fuzz/run puts them. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct dirent **entries;
	char folder[512], path[1024];
	char *slash = strrchr((*argv)[0], '/');
	int i, count;

	(void)argc;
	snprintf(folder, sizeof(folder), "%.*sseeds/object",
		 slash ? (int)(slash + 1 - (*argv)[0]) : 0, (*argv)[0]);
	count = scandir(folder, &entries, is_object, alphasort);
	for (i = 0; i < count; i++) {
		struct seed *seed = &seeds[nr_seeds];
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		file = nr_seeds < SEEDS_MAX ? fopen(path, "r") : NULL;
		free(entries[i]);
		if (!file)
			continue;
		seed->bytes = malloc(SEED_SIZE);
		seed->size = fread(seed->bytes, 1, SEED_SIZE, file);
		fclose(file);
		nr_seeds++;
	}
	if (count >= 0)
		free(entries);
	else
		fprintf(stderr, "no seeds in %s: inputs are compared with themselves\n", folder);
	return 0;
}

/* For what the target writes: many may run at a time. */
static void temporary_path(char *path, size_t size, const char *suffix)
{
	const char *folder = getenv("TMPDIR");

	snprintf(path, size, "%s/fuzz-%d.%s", folder ? folder : ".", (int)getpid(), suffix);
}

static bool is_elf(const uint8_t *data, size_t size)
{
	return size >= sizeof(Elf64_Ehdr) && !memcmp(data, ELFMAG, SELFMAG);
}

/* The seed that the input asks for; NULL when there is none. */
static const struct seed *choose_seed(const uint8_t *data, size_t size)
{
	size_t at = data[EI_CLASS] == ELFCLASS64 ? offsetof(Elf64_Ehdr, e_flags) :
						    offsetof(Elf32_Ehdr, e_flags);

	return nr_seeds && is_elf(data, size) ? &seeds[data[at] % nr_seeds] : NULL;
}

/* A table of records, with the width of each field. */
struct table {
	uint8_t *bytes;
	size_t count, size;
	const char *widths;
};

struct random {
	uint64_t state;
};

static uint32_t next_random(struct random *random, uint32_t below)
{
	random->state = random->state * 6364136223846793005u + 1442695040888963407u;
	return below ? (uint32_t)(random->state >> 33) % below : 0;
}

static bool section_headers(uint8_t *data, size_t size, struct table *table)
{
	bool wide = data[EI_CLASS] == ELFCLASS64;
	Elf64_Ehdr h64;
	Elf32_Ehdr h32;
	uint64_t offset;

	memcpy(&h64, data, sizeof(h64));
	memcpy(&h32, data, sizeof(h32));
	offset = wide ? h64.e_shoff : h32.e_shoff;
	table->size = wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	table->widths = wide ? "4488884488" : "4444444444";
	if (offset >= size)
		return false;
	table->bytes = data + offset;
	table->count = (size - offset) / table->size;
	return table->count > 0;
}

/* The contents of a section as records; of bytes when it is no table. */
static bool section_contents(uint8_t *data, size_t size, const struct table *headers, size_t i,
			     struct table *table)
{
	bool wide = data[EI_CLASS] == ELFCLASS64;
	uint64_t offset, length;
	uint32_t type;
	Elf64_Shdr s64;
	Elf32_Shdr s32;

	memcpy(&s64, headers->bytes + i * headers->size, wide ? sizeof(s64) : 0);
	memcpy(&s32, headers->bytes + i * headers->size, wide ? 0 : sizeof(s32));
	offset = wide ? s64.sh_offset : s32.sh_offset;
	length = wide ? s64.sh_size : s32.sh_size;
	type = wide ? s64.sh_type : s32.sh_type;
	if (offset >= size || length > size - offset)
		return false;
	table->bytes = data + offset;
	table->widths = type == SHT_SYMTAB ? (wide ? "411288" : "444112") :
			type == SHT_RELA ? (wide ? "8448" : "444") :
			type == SHT_REL ? (wide ? "844" : "413") : "4";
	table->size = 0;
	for (const char *width = table->widths; *width; width++)
		table->size += *width - '0';
	table->count = length / table->size;
	return table->count > 0;
}

/* Give one field of one record a value that is likely to matter. */
static void mutate_record(struct table *table, size_t file_size, struct random *random)
{
	uint8_t *record = table->bytes + next_random(random, table->count) * table->size;
	const uint8_t *other = table->bytes + next_random(random, table->count) * table->size;
	uint32_t field = next_random(random, strlen(table->widths)), i;
	uint64_t value = 0;
	size_t at = 0, width;

	for (i = 0; i < field; i++)
		at += table->widths[i] - '0';
	width = table->widths[field] - '0';
	memcpy(&value, record + at, width);
	switch (next_random(random, 8)) {
	case 0:
		value = next_random(random, 4);
		break;
	case 1:
		value += next_random(random, 33) - 16;
		break;
	case 2:
		value = ~0ull >> next_random(random, 64);
		break;
	case 3:
		value = next_random(random, file_size);
		break;
	case 4:
		value ^= 1ull << next_random(random, 8 * width);
		break;
	case 5:
		memcpy(record, other, table->size);
		return;
	default:
		memcpy(&value, other + at, width);
		break;
	}
	memcpy(record + at, &value, width);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int number)
{
	struct random random = { number };
	struct table headers, table;
	uint32_t i, rounds;

	if (!is_elf(data, size) || !section_headers(data, size, &headers) ||
	    next_random(&random, 16) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	rounds = 1 + next_random(&random, 4);
	for (i = 0; i < rounds; i++) {
		switch (next_random(&random, 8)) {
		case 0:
			/* Another seed. */
			data[data[EI_CLASS] == ELFCLASS64 ? offsetof(Elf64_Ehdr, e_flags) :
				offsetof(Elf32_Ehdr, e_flags)] = next_random(&random, 256);
			break;
		case 1:
		case 2:
			mutate_record(&headers, size, &random);
			break;
		default:
			if (!section_contents(data, size, &headers,
					      next_random(&random, headers.count), &table))
				break;
			if (table.size == 4)
				LLVMFuzzerMutate(table.bytes, 4 * table.count, 4 * table.count);
			else
				mutate_record(&table, size, &random);
			break;
		}
	}
	return size;
}

#endif
