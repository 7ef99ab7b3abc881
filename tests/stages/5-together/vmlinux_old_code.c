// SPDX-License-Identifier: GPL-2.0-or-later
#include "../2-function/old_code.c"
