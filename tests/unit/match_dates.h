/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text with a date and a time in it, and what the run has there; for tests/unit/match.c. */
#ifndef KSPLICE_TEST_MATCH_DATES_H
#define KSPLICE_TEST_MATCH_DATES_H

#include <errno.h>

#include "tests/unit/match_block.h"
#include "tests/unit/match_sites.h"

/* @from is where in the text the reference is to. */
struct date_case {
	const char *run;
	s64 from;
	int expected;
};

static const struct date_case date_cases[] = {
	{ "built Aug 23 1973, 03:52:47.", 0, 0 },
	{ "built Jan  1 2026, 00:00:00.", 0, 0 },
	{ "built Feb 29 2024, 23:59:60.", 0, 0 },
	{ "built Dec 31 9999, 19:09:09.", 0, 0 },
	{ "built Jan 01 2026, 00:00:00.", 0, -ENOENT },
	{ "built Jan  0 2026, 00:00:00.", 0, -ENOENT },
	{ "built Jan 32 2026, 00:00:00.", 0, -ENOENT },
	{ "built Feb 30 2024, 00:00:00.", 0, -ENOENT },
	{ "built jan  1 2026, 00:00:00.", 0, -ENOENT },
	{ "built JanX 1 2026, 00:00:00.", 0, -ENOENT },
	{ "built Jan  1 202x, 00:00:00.", 0, -ENOENT },
	{ "built Jan  1-2026, 00:00:00.", 0, -ENOENT },
	{ "built ?\?? ?? ?\?\?\?, 00:00:00.", 0, -ENOENT },
	{ "built Jan  1 2026, 24:00:00.", 0, -ENOENT },
	{ "built Jan  1 2026, 12:60:00.", 0, -ENOENT },
	{ "built Jan  1 2026, 12:00:61.", 0, -ENOENT },
	{ "built Jan  1 2026, 12.00:00.", 0, -ENOENT },
	{ "built Jan  1 2026, ?\?:?\?:?\?.", 0, -ENOENT },
	{ "Built Jan  1 2026, 00:00:00.", 0, -ENOENT },
	{ "built Jan  1 2026; 00:00:00.", 0, -ENOENT },
	{ "built Jan  1 2026, 00:00:00!", 0, -ENOENT },
	{ "built Jan  1 2026, 00:00:00.x", 0, -ENOENT },
	{ "built Jan  1 2026, 00:00:00", 0, -ENOENT },
	{ "built  Jan 1 2026, 00:00:00.", 0, -ENOENT },
	/* To the year: the date is compared as a whole, what is before it is not. */
	{ "xxxxx Jan  1 2026, 00:00:00.", 13, 0 },
	{ "built Jan 99 2026, 00:00:00.", 13, -ENOENT },
	{ "built Jan 99 2026, 00:00:00.", 17, 0 },
	{ "built Jan 99 2026, 00:00:61.", 17, -ENOENT },
	{ "not referred to", -3, 0 },
};

/* The text, behind "ab": a constant with a name, or a string that f refers to. */
static inline void put_dates(struct build *build, struct run *run, const struct date_case *date,
			     bool named)
{
	static const char pre[] = "ab\0built Aug 23 1973, 03:52:47.";
	u32 section = add_bytes(build, named ? KSPLICE_SECTION_RODATA : KSPLICE_SECTION_STRINGS,
				named ? "text" : "", pre, sizeof(pre));

	add_reloc(build, 3 + 6, KSPLICE_NONE, KSPLICE_RELOC_DATE, 0, 0);
	add_reloc(build, 3 + 19, KSPLICE_NONE, KSPLICE_RELOC_TIME, 0, 0);
	memcpy(run->bytes + DATA, "ab", sizeof("ab"));
	memcpy(run->bytes + DATA + 3, date->run, strlen(date->run) + 1);
	if (named) {
		name_run(run, "text", DATA);
		return;
	}
	add_section(build, KSPLICE_SECTION_TEXT, "f", "48 8d 05 00 00 00 00 c3");
	add_reloc(build, 3, KSPLICE_NONE, KSPLICE_RELOC_PC32, -4, 3 + date->from - 4);
	build->relocs[build->nr_relocs - 1].section = section;
	name_run(run, "f", F);
	put_run(run, F, "48 8d 05 00 00 00 00 c3");
	put_rel32(run, F + 3, (u32)(DATA + 3 + date->from));
}

#endif
