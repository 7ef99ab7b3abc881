// SPDX-License-Identifier: GPL-2.0-or-later
/* What came of run-pre matching; see match.h. */
#include "match_internal.h"

int ksplice_match_value(const struct ksplice_matcher *matcher, u32 symbol, unsigned long *value)
{
	return ksplice_symbol_settle(matcher, symbol, value);
}

const struct ksplice_matched *ksplice_match_section(const struct ksplice_matcher *matcher,
						    u32 section)
{
	return &matcher->matched[section];
}

const struct ksplice_mismatch *ksplice_match_mismatch(const struct ksplice_matcher *matcher)
{
	return &matcher->failure;
}

const char *ksplice_section_symbol(const struct ksplice_old_tables *tables, u32 section)
{
	u32 symbol = tables->sections[section].symbol;

	return symbol == KSPLICE_NONE ? "" : tables->strings + tables->symbols[symbol].name;
}

/* Whether it is a section for that alone, as .text.unlikely.NAME. */
static bool is_named_after(const char *section, const char *name)
{
	size_t length = strlen(section), name_length = strlen(name);

	return length > name_length && section[length - name_length - 1] == '.' &&
	       strcmp(section + length - name_length, name) == 0;
}

void ksplice_match_describe(const struct ksplice_matcher *matcher,
			    const struct ksplice_mismatch *mismatch, char *text, size_t size)
{
	const char *strings = matcher->tables.strings;
	const struct ksplice_old_section *sections = matcher->tables.sections;
	const char *section = "", *symbol = "", *function;

	if (mismatch->section != KSPLICE_NONE) {
		section = strings + sections[mismatch->section].name;
		function = ksplice_section_symbol(&matcher->tables, mismatch->section);
		/* Several may share one, as .sched.text and .data..read_mostly. */
		if (*function != '\0' &&
		    (sections[mismatch->section].kind == KSPLICE_SECTION_DATA ||
		     !is_named_after(section, function)))
			section = function;
	}
	if (mismatch->symbol != KSPLICE_NONE)
		symbol = strings + matcher->tables.symbols[mismatch->symbol].name;
	/* The label of a string begins with what it says. */
	if (mismatch->symbol != KSPLICE_NONE && *symbol == '\0')
		symbol = strings + matcher->tables.symbols[mismatch->symbol].label;
	if (!mismatch->reason)
		snprintf(text, size, "no mismatch");
	else if (mismatch->address == 0)
		snprintf(text, size, "%s: %s", *symbol ? symbol : section, mismatch->reason);
	else
		snprintf(text, size, "%s+0x%x: %s%s%s%s (running code at " KSPLICE_ADDRESS ")", section,
			 (unsigned int)mismatch->offset, mismatch->reason, *symbol ? " (" : "",
			 symbol, *symbol ? ")" : "", (void *)mismatch->address);
}

void ksplice_match_totals(const struct ksplice_matcher *matcher, unsigned long *functions,
			  unsigned long *bytes)
{
	u32 i;

	*functions = 0;
	*bytes = 0;
	for (i = 0; i < matcher->old->sections.count; i++) {
		u32 symbol = matcher->tables.sections[i].symbol;

		if (matcher->tables.sections[i].kind != KSPLICE_SECTION_TEXT ||
		    matcher->tables.symbols[symbol].name == 0 ||
		    matcher->matched[i].state != KSPLICE_SECTION_MATCHED)
			continue;
		(*functions)++;
		*bytes += matcher->matched[i].run_size;
	}
}
