// SPDX-License-Identifier: GPL-2.0-or-later
/* Old code of stage_dated.c, whose date and time are those of another day. */
#include "stage.h"

#define BUILT	"built on Jan  1 1999 at 00:00:00"

#define STRINGS(_)	_(stage_built)

enum { STAGE_BUILT, NR_SYMBOLS };

STAGE_BLOCK(NR_SYMBOLS, 0, 2, 0, sizeof(BUILT));

STAGE_OLD_CODE = {
	.header = STAGE_HEADER,
	.strings = { STRINGS(STAGE_VALUE) },
	.symbols = {
		[STAGE_BUILT] = {
			.name = STRING(stage_built),
			.section = 0,
		},
	},
	.names = { STAGE_BUILT },
	.sections = {
		{
			.kind = KSPLICE_SECTION_RODATA,
			.symbol = STAGE_BUILT,
			.size = sizeof(BUILT),
			.unit = 1,
			.align = 1,
			.nr_relocs = 2,
			.name = STRING(stage_built),
		},
	},
	.relocs = {
		{
			.offset = 9,
			.kind = KSPLICE_RELOC_DATE,
			.symbol = KSPLICE_NONE,
			.section = KSPLICE_NONE,
		},
		{
			.offset = 24,
			.kind = KSPLICE_RELOC_TIME,
			.symbol = KSPLICE_NONE,
			.section = KSPLICE_NONE,
		},
	},
	.contents = BUILT,
};
STAGE_OLD_CODE_END;
