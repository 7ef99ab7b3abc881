/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What compilers and macros do to names of symbols. */
#ifndef KSPLICE_LIB_NAMES_H
#define KSPLICE_LIB_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/arena.h"

/*
 * The name without the numbers that each build deals out anew:
 *	foo.123 -> foo				static variable of a function
 *	foo.isra.0.cold.7 -> foo.isra.cold	clones and parts of functions
 *	__UNIQUE_ID_ddebug412.3 -> __UNIQUE_ID_ddebug	__COUNTER__ in macros
 * Returns @name itself when there is nothing to strip.
 */
const char *stem_of(const char *name, struct arena *arena);

/* The name has such numbers, so it may mean another thing in another build. */
bool is_numbered(const char *name);

/*
 * A static variable of which each copy of the code may have its own: __func__,
 * __key, _rs, …: nothing is lost when new code gets a new one.
 */
bool is_private_static(const char *name);

/* __pfx_foo and __cfi_foo: the padding before foo, of kernels since 6.2. */
bool is_prefix_symbol(const char *name);

/*
 * Length of the name of the function that NAME is a part of: for foo.cold,
 * foo.cold.3, foo.part.0 the length of "foo"; 0 for other names.
 */
size_t parent_length(const char *name);

#endif
