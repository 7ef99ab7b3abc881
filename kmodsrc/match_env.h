/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the match engine uses of its surroundings.  The same sources are compiled
 * into ksplice.ko and into ksplice-inspect; outside the kernel this header
 * stands in for the few kernel headers that they need.
 */
#ifndef KSPLICE_MATCH_ENV_H
#define KSPLICE_MATCH_ENV_H

#ifdef __KERNEL__

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/string.h>
#include <linux/types.h>

/* How to show an address of the run: not as a number, which is a secret. */
#define KSPLICE_ADDRESS	"%pS"

#else

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define KSPLICE_ADDRESS	"%p"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	entry->prev = head->prev;
	entry->next = head;
	head->prev->next = entry;
	head->prev = entry;
}

static inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline bool list_is_singular(const struct list_head *head)
{
	return !list_empty(head) && head->next == head->prev;
}

#define list_entry(pointer, type, member) \
	((type *)((char *)(pointer) - offsetof(type, member)))

#define list_for_each_entry(position, head, member)                             \
	for (position = list_entry((head)->next, __typeof__(*position), member); \
	     &position->member != (head);                                        \
	     position = list_entry(position->member.next, __typeof__(*position), member))

#endif /* __KERNEL__ */

#endif
