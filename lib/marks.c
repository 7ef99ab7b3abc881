// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/marks.h"

#include "lib/names.h"

static bool is_data(const struct span *span)
{
	return is_class(span->section, CLASS_DATA) || is_class(span->section, CLASS_RO_AFTER_INIT);
}

/* A variable, and no other object has one of that name that may be used instead. */
static bool is_own_variable(const struct reloc *mark)
{
	const struct span *span = mark->span;

	return span && mark->span_offset == 0 && span->symbol &&
	       span->symbol->binding != STB_WEAK && !is_private_static(span->symbol->name) &&
	       (is_data(span) || is_class(span->section, CLASS_BSS) ||
		is_class(span->section, CLASS_RODATA));
}

const char *why_not_compared(const struct reloc *mark)
{
	const struct span *pre;

	if (!is_own_variable(mark))
		return "ksplice_assume_rodata() and ksplice_match_data_early() are for variables of "
		       "the same file that are neither weak nor per-CPU";
	pre = mark->span->twin;
	if (!pre)
		return "the unpatched object has no such variable: it is new, or the compiler does "
		       "without; leave the macro out";
	if (is_class(pre->section, CLASS_RODATA))
		return "it is a constant in the unpatched object, and compared as such; leave the "
		       "macro out";
	if (!is_data(pre) || !pre->section->data)
		return "it is zero in the unpatched object (.bss), with no initial value that could "
		       "be compared";
	return NULL;
}
