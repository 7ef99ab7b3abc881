// SPDX-License-Identifier: GPL-2.0-or-later
/* Old code without code: the text of the target. */
#include "stage.h"

#define TEXT	"unpatched\0\0\0\0\0\0"

#define STRINGS(_)	_(stage_text) _(stage_text__stage)

enum { STAGE_TEXT, NR_SYMBOLS };

STAGE_BLOCK(NR_SYMBOLS, 1, 0, 0, sizeof(TEXT));

STAGE_OLD_CODE = {
	.header = STAGE_HEADER,
	.strings = { STRINGS(STAGE_VALUE) },
	.symbols = {
		[STAGE_TEXT] = {
			.name = STRING(stage_text),
			.label = STRING(stage_text__stage),
			.section = 0,
		},
	},
	.names = { STAGE_TEXT },
	.labels = { STAGE_TEXT },
	.sections = {
		{
			.kind = KSPLICE_SECTION_RODATA,
			.symbol = STAGE_TEXT,
			.size = sizeof(TEXT),
			.unit = 1,
			.align = 1,
			.name = STRING(stage_text),
		},
	},
	.contents = TEXT,
};
STAGE_OLD_CODE_END;
