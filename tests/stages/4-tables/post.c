// SPDX-License-Identifier: GPL-2.0-or-later
#define PATCHED
#include "show.c"
