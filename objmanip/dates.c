// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the compiler put in for __DATE__ and __TIME__.  It is told a date of which no
 * source speaks (create/objects.sh), so these texts are nothing else.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "objmanip/manip.h"

/* Gcc takes no more than the end of the year 9999 (gcc/c-family/c-common.c in 12). */
#define SOURCE_DATE_MAX	253402300799LL

int set_source_date(struct manip *manip, const char *seconds)
{
	struct tm tm;
	long long value;
	time_t when;
	char *end;

	errno = 0;
	value = strtoll(seconds, &end, 10);
	when = (time_t)value;
	if (!isdigit((unsigned char)*seconds) || *end != '\0' || errno != 0 ||
	    value > SOURCE_DATE_MAX || when != value || !gmtime_r(&when, &tm))
		return -1;
	strftime(manip->date, sizeof(manip->date), "%b %e %Y", &tm);
	strftime(manip->time, sizeof(manip->time), "%H:%M:%S", &tm);
	return 0;
}

/* Offset of @text in [start, end) of the section, or @end. */
static uint64_t find_text(const struct section *section, uint64_t start, uint64_t end,
			  const char *text)
{
	const unsigned char *found = NULL;

	if (*text != '\0' && section->data && start < end)
		found = memmem(section->data + start, end - start, text, strlen(text));
	return found ? (uint64_t)(found - section->data) : end;
}

uint64_t find_date(const struct manip *manip, const struct section *section, uint64_t start,
		   uint64_t end, uint8_t *kind)
{
	uint64_t date = find_text(section, start, end, manip->date);
	uint64_t time = find_text(section, start, end, manip->time);

	*kind = date < time ? KSPLICE_RELOC_DATE : KSPLICE_RELOC_TIME;
	return date < time ? date : time;
}
