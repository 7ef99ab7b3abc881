// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages of new code, for /sys/kernel/debug/printk/index (CONFIG_PRINTK_INDEX).
 *
 * printk() leaves a description of each message in the object, which only a table of
 * pointers refers to, not the code.  The module loader finds the table by the name of
 * its section (find_module_sections() in kernel/module/main.c, 6.1).
 */
#include <string.h>

#include "lib/compare.h"
#include "objmanip/manip.h"

/* What the entry points to. */
static struct span *message_of(const struct span *entry)
{
	const struct reloc *reloc = find_reloc(entry->section, entry->offset);

	return reloc ? reloc->span : NULL;
}

/* By its format, function, file and level, which are references; the rest is the line. */
static bool is_same_message(const struct span *pre, const struct span *post)
{
	const struct reloc *reloc, *other;
	size_t count = 0;

	if (pre->size != post->size)
		return false;
	for_each_span_reloc(pre, reloc) {
		other = find_reloc(post->section, post->offset + (reloc->offset - pre->offset));
		if (!other || !is_same_reference(reloc, other))
			return false;
		count++;
	}
	for_each_span_reloc(post, reloc)
		count--;
	return count == 0;
}

bool is_new_message(const struct pair *pair, const struct span *post)
{
	const struct span *message, *entry, *other;
	const struct section *section;

	if (strcmp(post->section->name, MESSAGE_SECTION) != 0)
		return false;
	message = message_of(post);
	if (!message)
		return false;
	section = find_section(pair->pre.object, MESSAGE_SECTION);
	if (!section)
		return true;
	for (entry = section->spans; entry < section->spans + section->nr_spans; entry++) {
		other = message_of(entry);
		if (other && is_same_message(other, message))
			return false;
	}
	return true;
}
