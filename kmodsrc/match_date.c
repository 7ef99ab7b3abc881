// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dates and times of day that the compiler puts in: __DATE__ is "Mmm dd yyyy", with a
 * blank for the first digit of days below ten, and __TIME__ is "hh:mm:ss" (C11,
 * 6.10.8.1).  Those of the run are of the day when it was built, whichever that was.
 */
#include "match_internal.h"

#define MONTHS	12

/* The number with that many digits at @text, or -1. */
static int number(const u8 *text, u32 digits)
{
	int value = 0;
	u32 i;

	for (i = 0; i < digits; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = 10 * value + text[i] - '0';
	}
	return value;
}

static bool is_in(int value, int first, int last)
{
	return value >= first && value <= last;
}

static bool is_date(const u8 *text)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const u8 days[MONTHS] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	u32 month = 0;

	while (month < MONTHS && memcmp(text, names + 3 * month, 3) != 0)
		month++;
	if (month == MONTHS || text[3] != ' ' || text[6] != ' ' || number(text + 7, 4) < 0)
		return false;
	return text[4] == ' ' ? is_in(number(text + 5, 1), 1, 9) :
				is_in(number(text + 4, 2), 10, days[month]);
}

/* The second 60 is a leap second. */
static bool is_time(const u8 *text)
{
	return is_in(number(text, 2), 0, 23) && text[2] == ':' &&
	       is_in(number(text + 3, 2), 0, 59) && text[5] == ':' &&
	       is_in(number(text + 6, 2), 0, 60);
}

bool ksplice_date_match(const struct ksplice_old_reloc *reloc, const u8 *text)
{
	return reloc->kind == KSPLICE_RELOC_DATE ? is_date(text) : is_time(text);
}
