/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table from strings to pointers, in an arena. */
#ifndef KSPLICE_LIB_HASH_H
#define KSPLICE_LIB_HASH_H

#include "lib/arena.h"

struct hash_entry {
	struct hash_entry *next;	/* of the bucket */
	struct hash_entry *same;	/* next value of an equal key, in order of adding */
	struct hash_entry *last;	/* of that list; only in its first entry */
	const char *key;
	void *value;
	unsigned int hash;
};

struct hash {
	struct arena *arena;
	struct hash_entry **buckets;
	size_t nr_buckets;		/* a power of two */
	size_t nr_entries;
};

/* @expected: number of keys to make room for; more are welcome. */
void hash_init(struct hash *hash, struct arena *arena, size_t expected);

/* Add a value.  Keys may repeat; the key must live as long as the table. */
void hash_add(struct hash *hash, const char *key, void *value);

/* First value of a key; NULL when there is none. */
void *hash_find(const struct hash *hash, const char *key);

/* All values of a key: for (e = hash_find_all(h, k); e; e = e->same). */
struct hash_entry *hash_find_all(const struct hash *hash, const char *key);

#endif
