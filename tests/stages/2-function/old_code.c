// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmdline_proc_show() of fs/proc/cmdline.c, as gcc 12 makes it for Debian's 6.1; what
 * the linker fills in is zero here, and named in a table.
 */
#include "stage.h"

#define STRINGS(_)	\
	_(__fentry__) _(__x86_return_thunk) _(cmdline_proc_show) _(cmdline_proc_show__stage)	\
	_(saved_command_line) _(seq_putc) _(seq_puts)

enum { SHOW, FENTRY, COMMAND_LINE, PUTS, PUTC, RETURN_THUNK, NR_SYMBOLS };

STAGE_BLOCK(NR_SYMBOLS, 1, 5, 2, 42);

#define NAMED(name_)	{ .name = STRING(name_), .section = KSPLICE_NONE }
#define PC32(offset_, symbol_)	\
	{ offset_, symbol_, KSPLICE_NONE, KSPLICE_RELOC_PC32, .bias = -4, .addend = -4 }

STAGE_OLD_CODE = {
	.header = STAGE_HEADER,
	.strings = { STRINGS(STAGE_VALUE) },
	.symbols = {
		[SHOW] = {
			.name = STRING(cmdline_proc_show),
			.label = STRING(cmdline_proc_show__stage),
			.section = 0,
			.flags = KSPLICE_SYMBOL_LOCAL | KSPLICE_SYMBOL_REPLACED,
		},
		[FENTRY] = NAMED(__fentry__),
		[COMMAND_LINE] = NAMED(saved_command_line),
		[PUTS] = NAMED(seq_puts),
		[PUTC] = NAMED(seq_putc),
		[RETURN_THUNK] = NAMED(__x86_return_thunk),
	},
	.names = { FENTRY, RETURN_THUNK, SHOW, COMMAND_LINE, PUTC, PUTS },	/* sorted */
	.labels = { SHOW },
	.sections = {
		{
			.kind = KSPLICE_SECTION_TEXT,
			.symbol = SHOW,
			.size = 42,
			.unit = 1,
			.align = 16,
			.nr_relocs = 5,
			.nr_sites = 2,
			.name = STRING(cmdline_proc_show),
		},
	},
	.relocs = {
		PC32(0x01, FENTRY),
		PC32(0x09, COMMAND_LINE),
		PC32(0x11, PUTS),
		PC32(0x1e, PUTC),
		PC32(0x26, RETURN_THUNK),
	},
	.sites = {
		{ 0x00, 5, KSPLICE_SITE_FENTRY },
		{ 0x25, 5, KSPLICE_SITE_RETURN },
	},
	.contents = {
		0xe8, 0, 0, 0, 0,		/* call __fentry__ */
		0x53,				/* push %rbx */
		0x48, 0x8b, 0x35, 0, 0, 0, 0,	/* mov saved_command_line(%rip),%rsi */
		0x48, 0x89, 0xfb,		/* mov %rdi,%rbx */
		0xe8, 0, 0, 0, 0,		/* call seq_puts */
		0x48, 0x89, 0xdf,		/* mov %rbx,%rdi */
		0xbe, '\n', 0, 0, 0,		/* mov $'\n',%esi */
		0xe8, 0, 0, 0, 0,		/* call seq_putc */
		0x31, 0xc0,			/* xor %eax,%eax */
		0x5b,				/* pop %rbx */
		0xe9, 0, 0, 0, 0,		/* jmp __x86_return_thunk */
	},
};
STAGE_OLD_CODE_END;
