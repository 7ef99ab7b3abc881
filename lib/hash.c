// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/hash.h"

#include <string.h>

/* FNV-1a */
static unsigned int hash_string(const char *string)
{
	unsigned int hash = 2166136261u;

	for (; *string; string++)
		hash = (hash ^ (unsigned char)*string) * 16777619u;
	return hash;
}

void hash_init(struct hash *hash, struct arena *arena, size_t expected)
{
	hash->arena = arena;
	hash->nr_entries = 0;
	for (hash->nr_buckets = 16; hash->nr_buckets < expected;)
		hash->nr_buckets *= 2;
	hash->buckets = arena_array(arena, hash->nr_buckets, sizeof(*hash->buckets));
}

static void grow(struct hash *hash)
{
	struct hash_entry **old = hash->buckets, *entry, *next, **bucket;
	size_t i, nr_old = hash->nr_buckets;

	hash->nr_buckets *= 4;
	hash->buckets = arena_array(hash->arena, hash->nr_buckets, sizeof(*hash->buckets));
	for (i = 0; i < nr_old; i++) {
		for (entry = old[i]; entry; entry = next) {
			next = entry->next;
			bucket = &hash->buckets[entry->hash & (hash->nr_buckets - 1)];
			entry->next = *bucket;
			*bucket = entry;
		}
	}
}

void hash_add(struct hash *hash, const char *key, void *value)
{
	struct hash_entry *entry, *first, **bucket;

	entry = arena_alloc(hash->arena, sizeof(*entry));
	entry->key = key;
	entry->value = value;
	entry->last = entry;
	first = hash_find_all(hash, key);
	if (first) {
		first->last->same = entry;
		first->last = entry;
		return;
	}
	if (hash->nr_entries++ > hash->nr_buckets)
		grow(hash);
	entry->hash = hash_string(key);
	bucket = &hash->buckets[entry->hash & (hash->nr_buckets - 1)];
	entry->next = *bucket;
	*bucket = entry;
}

struct hash_entry *hash_find_all(const struct hash *hash, const char *key)
{
	unsigned int value = hash_string(key);
	struct hash_entry *entry;

	for (entry = hash->buckets[value & (hash->nr_buckets - 1)]; entry; entry = entry->next)
		if (entry->hash == value && !strcmp(entry->key, key))
			return entry;
	return NULL;
}

void *hash_find(const struct hash *hash, const char *key)
{
	struct hash_entry *entry = hash_find_all(hash, key);

	return entry ? entry->value : NULL;
}
