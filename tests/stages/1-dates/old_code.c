// SPDX-License-Identifier: GPL-2.0-or-later
/* Old code without code: the text that tells when and with what the kernel was built. */
#include "stage.h"
#include "banner.h"

#ifndef BANNER
#define BANNER	STAGE_BANNER "\n"
#endif

#define STRINGS(_)	_(linux_banner) _(linux_banner__stage)

enum { LINUX_BANNER, NR_SYMBOLS };

STAGE_BLOCK(NR_SYMBOLS, 1, 0, 0, sizeof(BANNER) - 1);

STAGE_OLD_CODE = {
	.header = STAGE_HEADER,
	.strings = { STRINGS(STAGE_VALUE) },
	.symbols = {
		[LINUX_BANNER] = {
			.name = STRING(linux_banner),
			.label = STRING(linux_banner__stage),
			.section = 0,
		},
	},
	.names = { LINUX_BANNER },
	.labels = { LINUX_BANNER },
	.sections = {
		{
			.kind = KSPLICE_SECTION_RODATA,
			.symbol = LINUX_BANNER,
			.size = sizeof(BANNER) - 1,
			.unit = 1,
			.align = 1,
			.name = STRING(linux_banner),
		},
	},
	.contents = BANNER,
};
STAGE_OLD_CODE_END;
