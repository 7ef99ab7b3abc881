// SPDX-License-Identifier: GPL-2.0-or-later
/* The old code of a kernel that was built on another day. */
#include "banner.h"
#define BANNER	STAGE_BANNER " (1999-12-31)\n"
#include "old_code.c"
