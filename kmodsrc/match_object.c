// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the linker put what belongs to one object. */
#include "match_internal.h"

/* Bytes of a section's name before that of the function. */
static size_t group_length(const char *name)
{
	static const char *const groups[] = {
		".text.unlikely.", ".text.hot.", ".text.startup.", ".text.exit.", ".text.",
	};
	size_t i, length;

	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		length = strlen(groups[i]);
		if (strncmp(name, groups[i], length) == 0)
			return length;
	}
	return strlen(name);
}

static bool is_same_group(const char *a, const char *b)
{
	size_t length = group_length(a);

	return length == group_length(b) && strncmp(a, b, length) == 0;
}

/*
 * The linker keeps together what an object has in one group of sections
 * (TEXT_TEXT in include/asm-generic/vmlinux.lds.h), so a place between functions
 * of the object that were found is in the object too.  But for weak functions: what
 * was found may be another of the same code.
 */
bool ksplice_is_in_object(const struct ksplice_matcher *matcher, u32 section,
			  unsigned long address)
{
	const struct ksplice_old_section *sections = matcher->tables.sections;
	const char *strings = matcher->tables.strings;
	bool before = false, after = false;
	u32 i;

	for (i = 0; i < matcher->old->sections.count && !(before && after); i++) {
		if (sections[i].kind != KSPLICE_SECTION_TEXT ||
		    sections[i].object != sections[section].object ||
		    matcher->matched[i].state != KSPLICE_SECTION_MATCHED ||
		    (matcher->tables.symbols[sections[i].symbol].flags & KSPLICE_SYMBOL_WEAK) ||
		    !is_same_group(strings + sections[i].name, strings + sections[section].name))
			continue;
		before = before || matcher->matched[i].address < address;
		after = after || matcher->matched[i].address > address;
	}
	return before && after;
}

bool ksplice_any_in_object(const struct ksplice_matcher *matcher, u32 section,
			   const struct ksplice_symbol *symbol)
{
	const struct ksplice_symval *val;

	list_for_each_entry(val, &symbol->vals, list)
		if (ksplice_is_in_object(matcher, section, val->val))
			return true;
	return false;
}

bool ksplice_is_misplaced(const struct ksplice_matcher *matcher, u32 section)
{
	const struct ksplice_symbol *symbol =
		&matcher->symbols[matcher->tables.sections[section].symbol];
	const struct ksplice_matched *matched = &matcher->matched[section];

	if (list_is_singular(&symbol->vals) || !ksplice_any_in_object(matcher, section, symbol))
		return false;
	/* Had it fitted where its object is, that would have decided between places. */
	return matched->state == KSPLICE_SECTION_UNMATCHED ||
	       (matched->state == KSPLICE_SECTION_MATCHED &&
		!ksplice_is_in_object(matcher, section, matched->address));
}
