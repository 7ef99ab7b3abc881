/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Symbols that an object exports to modules, in each form that kernels have. */
#ifndef KSPLICE_LIB_EXPORT_H
#define KSPLICE_LIB_EXPORT_H

#include "lib/object.h"

/**
 * struct export - an EXPORT_SYMBOL()
 * @name:	the exported name
 * @namespace:	"" for none
 * @gpl:	for modules under the GPL only
 * @value:	the reference to what is exported; NULL when it is not as expected
 */
struct export {
	const char *name;
	const char *namespace;
	bool gpl;
	const struct reloc *value;
};

/*
 * Read the export that @symbol, which may be NULL, names: false when it is none.
 * @value and @namespace are only there in an analyzed object.
 *
 * Until 6.3 __ksymtab_NAME is an entry of struct kernel_symbol in the section
 * ___ksymtab+NAME or ___ksymtab_gpl+NAME (include/linux/export.h,
 * include/asm-generic/export.h); since 6.4 __export_symbol_NAME is a note for
 * modpost in .export_symbol: two strings and a pointer.
 */
bool read_export(const struct symbol *symbol, struct export *export);

#endif
