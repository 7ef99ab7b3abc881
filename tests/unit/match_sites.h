/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be at a site, kind by kind, and what may not; for tests/unit/match.c. */
#ifndef KSPLICE_TEST_MATCH_SITES_H
#define KSPLICE_TEST_MATCH_SITES_H

#include "kmodsrc/match_internal.h"

/* Where things are in the run. */
#define F		0x100	/* the function under test */
#define G		0x300	/* another one */
#define CALLEE		0x1000
#define THUNK_RAX	0x2000
#define THUNK_R11	0x2040
#define RETURN_THUNK	0x2080
#define ITS_RETURN	0x20c0
#define ITS_RAX		0x2100	/* without a name: allocated at boot */
#define STRANGER	0x3000
#define PV_FUNCTION	0x3100
#define PARAVIRT_NOP	0x3140
#define NOP_FUNC	0x3160
#define IRQ_DISABLE	0x3168
#define RESTORE_FL	0x3170
#define SPIN_UNLOCK	0x3178
#define SC_FUNCTION	0x3180
#define RETURN0		0x31c0
#define FTRACE_CALLER	0x3200
#define FTRACE_REGS_CALLER 0x3240
#define FTRACE_GRAPH_CALLER 0x3260
#define PV_OPS		0x4000
#define SC_KEY		0x4100
#define DATA		0x5000
/* Call depth tracking: what counts calls, and the thunks that count and do not. */
#define COUNT_TEMPLATE	0x5800
#define COUNTED		0x6000	/* a variable */
#define COUNT_SIZE	9
#define CALL_THUNK_R11	0x2140
#define JUMP_THUNK_R11	0x2180
#define OTHER_COUNT	(0x21c0 - COUNT_SIZE)	/* of another variable */
#define END_OF_TEXT	0x7000
#define TRAMPOLINE	0x7800
#define NEWEST		0x7a00	/* code of an update */
#define NOWHERE		0x9000	/* cannot be read */

#define PV_SLOT		3

/* A rel32, at its offset in the site or of no site at all. */
struct branch {
	u32 offset;	/* 0: none; it is never the first byte */
	const char *symbol;	/* of the old code */
	u32 target;	/* of the run */
};

struct site_case {
	const char *what;
	u32 kind;
	const char *pre;
	struct branch pre_branch;
	const char *run;
	struct branch run_branch;
	u32 word;	/* what is in the static call's key, or the slot of pv_ops */
	int expected;
};

#define NONE { 0, NULL, 0 }
#define TO(symbol) { 1, symbol, 0 }
#define AT(target) { 1, NULL, target }
#define AT2(target) { 2, NULL, target }
#define TO2(symbol) { 2, symbol, 0 }
#define JCC6 "0f 84 00 00 00 00"

#define FENTRY "e8 00 00 00 00"
#define CALL5 "e8 00 00 00 00"
#define JMP5 "e9 00 00 00 00"
#define NOP5 "0f 1f 44 00 00"
/* movabs $0x123456789abcdef, %rax */
#define RUNTIME "48 b8 ef cd ab 89 67 45 23 01"
#define PV_CALL "ff 14 25 00 00 00 00"

static const struct site_case site_cases[] = {
	{ "fentry call", KSPLICE_SITE_FENTRY, FENTRY, TO("callee"), CALL5, AT(CALLEE), 0, 0 },
	{ "fentry ftrace_caller", KSPLICE_SITE_FENTRY, FENTRY, TO("callee"), CALL5,
	  AT(FTRACE_CALLER), 0, 0 },
	{ "fentry ftrace_regs_caller", KSPLICE_SITE_FENTRY, FENTRY, TO("callee"), CALL5,
	  AT(FTRACE_REGS_CALLER), 0, 0 },
	{ "fentry ftrace_graph_caller", KSPLICE_SITE_FENTRY, FENTRY, TO("callee"), CALL5,
	  AT(FTRACE_GRAPH_CALLER), 0, 0 },
	{ "fentry trampoline", KSPLICE_SITE_FENTRY, FENTRY, TO("callee"), CALL5, AT(TRAMPOLINE), 0,
	  0 },
	{ "fentry call to a function", KSPLICE_SITE_FENTRY, FENTRY, TO("callee"), CALL5,
	  AT(STRANGER), 0, -ENOENT },
	{ "fentry call to nowhere", KSPLICE_SITE_FENTRY, FENTRY, TO("callee"), CALL5, AT(NOWHERE), 0,
	  -ENOENT },
	{ "fentry nop", KSPLICE_SITE_FENTRY, FENTRY, TO("callee"), NOP5, NONE, 0, 0 },
	{ "fentry jmp", KSPLICE_SITE_FENTRY, FENTRY, TO("callee"), JMP5, AT(CALLEE), 0, -ENOENT },
	{ "fentry other", KSPLICE_SITE_FENTRY, FENTRY, TO("callee"), "b8 00 00 00 00", NONE, 0,
	  -ENOENT },

	{ "paravirt original", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE, PV_CALL, NONE, PV_FUNCTION, 0 },
	{ "paravirt direct", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE, CALL5 " 66 90", AT(PV_FUNCTION),
	  PV_FUNCTION, 0 },
	{ "paravirt wrong", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE, CALL5 " 66 90", AT(STRANGER),
	  PV_FUNCTION, -ENOENT },
	{ "paravirt no nop", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE, CALL5 " 89 c0", AT(PV_FUNCTION),
	  PV_FUNCTION, -ENOENT },
	{ "paravirt nothing", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE, "0f 1f 80 00 00 00 00", NONE,
	  PARAVIRT_NOP, 0 },
	{ "paravirt nops for a function", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE,
	  "0f 1f 80 00 00 00 00", NONE, PV_FUNCTION, -ENOENT },
	{ "paravirt inlined", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE, "fa 66 0f 1f 44 00 00", NONE,
	  IRQ_DISABLE, 0 },
	{ "paravirt inlined, two instructions", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE,
	  "57 9d 0f 1f 44 00 00", NONE, RESTORE_FL, 0 },
	{ "paravirt inlined, one of two instructions", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE,
	  "57 66 0f 1f 44 00 00", NONE, RESTORE_FL, -ENOENT },
	{ "paravirt inlined, a callee-save thunk", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE,
	  "c6 07 00 0f 1f 40 00", NONE, SPIN_UNLOCK, 0 },
	{ "paravirt inlined for i386", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE,
	  "c6 00 00 0f 1f 40 00", NONE, SPIN_UNLOCK, -ENOENT },
	{ "paravirt inlined, of another function", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE,
	  "fa 66 0f 1f 44 00 00", NONE, RESTORE_FL, -ENOENT },
	{ "paravirt inlined, another instruction", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE,
	  "fb 66 0f 1f 44 00 00", NONE, IRQ_DISABLE, -ENOENT },
	{ "paravirt inlined, no nops behind", KSPLICE_SITE_PARAVIRT, PV_CALL, NONE,
	  "fa 89 c0 0f 1f 40 00", NONE, IRQ_DISABLE, -ENOENT },

	{ "retpoline call", KSPLICE_SITE_RETPOLINE, CALL5, TO("__x86_indirect_thunk_rax"), CALL5,
	  AT(THUNK_RAX), 0, 0 },
	{ "retpoline other register", KSPLICE_SITE_RETPOLINE, CALL5, TO("__x86_indirect_thunk_rax"),
	  CALL5, AT(THUNK_R11), 0, -ENOENT },
	{ "retpoline call rax", KSPLICE_SITE_RETPOLINE, CALL5, TO("__x86_indirect_thunk_rax"),
	  "ff d0 0f 1f 00", NONE, 0, 0 },
	{ "retpoline call rcx", KSPLICE_SITE_RETPOLINE, CALL5, TO("__x86_indirect_thunk_rax"),
	  "ff d1 0f 1f 00", NONE, 0, -ENOENT },
	{ "retpoline jmp for call", KSPLICE_SITE_RETPOLINE, CALL5, TO("__x86_indirect_thunk_rax"),
	  "ff e0 0f 1f 00", NONE, 0, -ENOENT },
	{ "retpoline lfence", KSPLICE_SITE_RETPOLINE, CALL5, TO("__x86_indirect_thunk_rax"),
	  "0f ae e8 ff d0", NONE, 0, 0 },
	{ "retpoline mfence", KSPLICE_SITE_RETPOLINE, CALL5, TO("__x86_indirect_thunk_rax"),
	  "0f ae f0 ff d0", NONE, 0, -ENOENT },
	{ "retpoline call r11", KSPLICE_SITE_RETPOLINE, CALL5, TO("__x86_indirect_thunk_r11"),
	  "41 ff d3 66 90", NONE, 0, 0 },
	{ "retpoline call r11 with prefixes", KSPLICE_SITE_RETPOLINE, CALL5,
	  TO("__x86_indirect_thunk_r11"), "2e 2e 41 ff d3", NONE, 0, 0 },
	{ "retpoline call rbx for r11", KSPLICE_SITE_RETPOLINE, CALL5,
	  TO("__x86_indirect_thunk_r11"), "ff d3 0f 1f 00", NONE, 0, -ENOENT },
	{ "retpoline jmp rax", KSPLICE_SITE_RETPOLINE, JMP5, TO("__x86_indirect_thunk_rax"),
	  "ff e0 cc cc cc", NONE, 0, 0 },
	{ "retpoline ITS thunk", KSPLICE_SITE_RETPOLINE, JMP5, TO("__x86_indirect_thunk_rax"), JMP5,
	  AT(ITS_RAX), 0, 0 },
	{ "retpoline ITS thunk of rax for r11", KSPLICE_SITE_RETPOLINE, JMP5,
	  TO("__x86_indirect_thunk_r11"), JMP5, AT(ITS_RAX), 0, -ENOENT },
	{ "retpoline to a stranger", KSPLICE_SITE_RETPOLINE, CALL5, TO("__x86_indirect_thunk_rax"),
	  CALL5, AT(STRANGER), 0, -ENOENT },

	{ "retpoline, counted call", KSPLICE_SITE_RETPOLINE, CALL5,
	  TO("__x86_indirect_thunk_r11"), CALL5, AT(CALL_THUNK_R11), 0, 0 },
	{ "retpoline, call that is not counted", KSPLICE_SITE_RETPOLINE, CALL5,
	  TO("__x86_indirect_thunk_r11"), CALL5, AT(JUMP_THUNK_R11), 0, 0 },
	{ "retpoline, jump of call depth tracking", KSPLICE_SITE_RETPOLINE, JMP5,
	  TO("__x86_indirect_thunk_r11"), JMP5, AT(JUMP_THUNK_R11), 0, 0 },
	{ "retpoline, counted call of r11 for rax", KSPLICE_SITE_RETPOLINE, CALL5,
	  TO("__x86_indirect_thunk_rax"), CALL5, AT(CALL_THUNK_R11), 0, -ENOENT },
	{ "retpoline with a prefix", KSPLICE_SITE_RETPOLINE, "2e e8 00 00 00 00",
	  TO2("__x86_indirect_thunk_r11"), "2e e8 00 00 00 00", AT2(CALL_THUNK_R11), 0, 0 },
	{ "retpoline and more", KSPLICE_SITE_RETPOLINE, "2e e8 00 00 00 00",
	  TO2("__x86_indirect_thunk_rax"), "e8 00 00 00 00 50", AT(ITS_RAX), 0, -ENOENT },

	{ "jcc to a thunk", KSPLICE_SITE_RETPOLINE, JCC6, TO2("__x86_indirect_thunk_rax"), JCC6,
	  AT2(THUNK_RAX), 0, 0 },
	{ "jcc to an ITS thunk", KSPLICE_SITE_RETPOLINE, JCC6, TO2("__x86_indirect_thunk_rax"), JCC6,
	  AT2(ITS_RAX), 0, 0 },
	{ "jcc, another condition", KSPLICE_SITE_RETPOLINE, JCC6, TO2("__x86_indirect_thunk_rax"),
	  "0f 85 00 00 00 00", AT2(ITS_RAX), 0, -ENOENT },
	{ "jcc over a jump", KSPLICE_SITE_RETPOLINE, JCC6, TO2("__x86_indirect_thunk_rax"),
	  "75 04 ff e0 cc 90", NONE, 0, 0 },
	{ "jcc over a jump, not negated", KSPLICE_SITE_RETPOLINE, JCC6,
	  TO2("__x86_indirect_thunk_rax"), "74 04 ff e0 cc 90", NONE, 0, -ENOENT },
	{ "jcc elsewhere", KSPLICE_SITE_RETPOLINE, JCC6, TO2("__x86_indirect_thunk_rax"),
	  "75 02 ff e0 cc 90", NONE, 0, -ENOENT },
	{ "jcc over a call", KSPLICE_SITE_RETPOLINE, JCC6, TO2("__x86_indirect_thunk_rax"),
	  "75 04 ff d0 cc 90", NONE, 0, -ENOENT },

	{ "return thunk", KSPLICE_SITE_RETURN, JMP5, TO("__x86_return_thunk"), JMP5,
	  AT(RETURN_THUNK), 0, 0 },
	{ "ret", KSPLICE_SITE_RETURN, JMP5, TO("__x86_return_thunk"), "c3 cc cc cc cc", NONE, 0, 0 },
	{ "ret and more", KSPLICE_SITE_RETURN, JMP5, TO("__x86_return_thunk"), "c3 cc cc cc 50", NONE,
	  0, -ENOENT },
	{ "its", KSPLICE_SITE_RETURN, JMP5, TO("__x86_return_thunk"), JMP5, AT(ITS_RETURN), 0, 0 },
	{ "srso", KSPLICE_SITE_RETURN, JMP5, TO("__x86_return_thunk"), JMP5, AT(0x20d0), 0, 0 },
	{ "srso alias", KSPLICE_SITE_RETURN, JMP5, TO("__x86_return_thunk"), JMP5, AT(0x20d8), 0, 0 },
	{ "retbleed", KSPLICE_SITE_RETURN, JMP5, TO("__x86_return_thunk"), JMP5, AT(0x20e0), 0, 0 },
	{ "call depth", KSPLICE_SITE_RETURN, JMP5, TO("__x86_return_thunk"), JMP5, AT(0x20e8), 0, 0 },
	{ "call depth, 6.2", KSPLICE_SITE_RETURN, JMP5, TO("__x86_return_thunk"), JMP5, AT(0x20f0), 0,
	  0 },
	{ "a call is no return", KSPLICE_SITE_RETURN, JMP5, TO("__x86_return_thunk"), CALL5,
	  AT(RETURN_THUNK), 0, -ENOENT },
	{ "return to a stranger", KSPLICE_SITE_RETURN, JMP5, TO("__x86_return_thunk"), JMP5,
	  AT(STRANGER), 0, -ENOENT },

	{ "static call trampoline", KSPLICE_SITE_STATIC_CALL, CALL5, TO("callee"), CALL5, AT(CALLEE),
	  SC_FUNCTION, 0 },
	{ "static call key", KSPLICE_SITE_STATIC_CALL, CALL5, TO("callee"), CALL5, AT(SC_FUNCTION),
	  SC_FUNCTION, 0 },
	{ "static call stranger", KSPLICE_SITE_STATIC_CALL, CALL5, TO("callee"), CALL5, AT(STRANGER),
	  SC_FUNCTION, -ENOENT },
	{ "static call NULL", KSPLICE_SITE_STATIC_CALL, CALL5, TO("callee"), NOP5, NONE, 0, 0 },
	{ "static call nop for a function", KSPLICE_SITE_STATIC_CALL, CALL5, TO("callee"), NOP5, NONE,
	  SC_FUNCTION, -ENOENT },
	{ "static call return0", KSPLICE_SITE_STATIC_CALL, CALL5, TO("callee"), "2e 2e 2e 31 c0", NONE,
	  RETURN0, 0 },
	{ "static call return0, 5.10", KSPLICE_SITE_STATIC_CALL, CALL5, TO("callee"), "66 66 48 31 c0",
	  NONE, RETURN0, 0 },
	{ "static call xor for a function", KSPLICE_SITE_STATIC_CALL, CALL5, TO("callee"),
	  "2e 2e 2e 31 c0", NONE, SC_FUNCTION, -ENOENT },
	{ "static tail call", KSPLICE_SITE_STATIC_CALL, JMP5, TO("callee"), JMP5, AT(SC_FUNCTION),
	  SC_FUNCTION, 0 },
	{ "static tail call NULL", KSPLICE_SITE_STATIC_CALL, JMP5, TO("callee"), "c3 cc cc cc cc",
	  NONE, 0, 0 },
	{ "static tail call NULL, thunk", KSPLICE_SITE_STATIC_CALL, JMP5, TO("callee"), JMP5,
	  AT(RETURN_THUNK), 0, 0 },
	{ "static call for a tail call", KSPLICE_SITE_STATIC_CALL, JMP5, TO("callee"), CALL5,
	  AT(SC_FUNCTION), SC_FUNCTION, -ENOENT },

	{ "endbr", KSPLICE_SITE_ENDBR, "f3 0f 1e fa", NONE, "f3 0f 1e fa", NONE, 0, 0 },
	{ "endbr sealed", KSPLICE_SITE_ENDBR, "f3 0f 1e fa", NONE, "66 0f 1f 00", NONE, 0, 0 },
	{ "endbr gone", KSPLICE_SITE_ENDBR, "f3 0f 1e fa", NONE, "89 c0 89 c0", NONE, 0, -ENOENT },

	{ "runtime as compiled", KSPLICE_SITE_RUNTIME, RUNTIME, NONE, RUNTIME, NONE, STRANGER, 0 },
	{ "runtime set", KSPLICE_SITE_RUNTIME, RUNTIME, NONE, "48 b8 00 30 00 81 ff ff ff ff", NONE,
	  STRANGER, 0 },
	{ "runtime another value", KSPLICE_SITE_RUNTIME, RUNTIME, NONE,
	  "48 b8 00 31 00 81 ff ff ff ff", NONE, STRANGER, -ENOENT },
	{ "runtime another register", KSPLICE_SITE_RUNTIME, RUNTIME, NONE,
	  "48 b9 ef cd ab 89 67 45 23 01", NONE, STRANGER, -ENOENT },

	{ "lock", KSPLICE_SITE_LOCK, "f0 ff 03", NONE, "f0 ff 03", NONE, 0, 0 },
	{ "no lock", KSPLICE_SITE_LOCK, "f0 ff 03", NONE, "3e ff 03", NONE, 0, 0 },
	{ "another prefix", KSPLICE_SITE_LOCK, "f0 ff 03", NONE, "2e ff 03", NONE, 0, -ENOENT },

	{ "call", KSPLICE_SITE_CALL, CALL5, TO("callee"), CALL5, AT(CALLEE), 0, 0 },
	{ "call, counted", KSPLICE_SITE_CALL, CALL5, TO("callee"), CALL5, AT(CALLEE - COUNT_SIZE), 0,
	  0 },
	{ "call, counted elsewhere", KSPLICE_SITE_CALL, CALL5, TO("other"), CALL5, AT(OTHER_COUNT), 0,
	  -ENOENT },
	{ "call elsewhere, counted", KSPLICE_SITE_CALL, CALL5, TO("stranger"), CALL5,
	  AT(CALLEE - COUNT_SIZE), 0, -ENOENT },
	{ "static call, counted", KSPLICE_SITE_STATIC_CALL, CALL5, TO("stranger"), CALL5,
	  AT(SC_FUNCTION - COUNT_SIZE), SC_FUNCTION, 0 },
	{ "call elsewhere", KSPLICE_SITE_CALL, CALL5, TO("callee"), CALL5, AT(STRANGER), 0, -ENOENT },

	/* Jump labels go behind the ret at +0x7, see run_site_case(). */
	{ "label nop", KSPLICE_SITE_JUMP_LABEL, NOP5, NONE, NOP5, NONE, 0, 0 },
	{ "label short nop", KSPLICE_SITE_JUMP_LABEL, "66 90", NONE, "66 90", NONE, 0, 0 },
	{ "label jmp", KSPLICE_SITE_JUMP_LABEL, NOP5, NONE, JMP5, AT(F + 7), 0, 0 },
	{ "label jmp elsewhere", KSPLICE_SITE_JUMP_LABEL, NOP5, NONE, JMP5, AT(F + 8), 0, -ENOENT },
	{ "label call", KSPLICE_SITE_JUMP_LABEL, NOP5, NONE, CALL5, AT(F + 7), 0, -ENOENT },
	{ "label short jmp in a long place", KSPLICE_SITE_JUMP_LABEL, NOP5, NONE, "eb 04 0f 1f 00",
	  NONE, 0, -ENOENT },
	{ "label probe", KSPLICE_SITE_JUMP_LABEL, NOP5, NONE, "cc 1f 44 00 00", NONE, 0, -EBUSY },
	{ "label being written", KSPLICE_SITE_JUMP_LABEL, "66 90", NONE, "cc 04", NONE, 0, -EBUSY },
	{ "label being taken away", KSPLICE_SITE_JUMP_LABEL, NOP5, NONE, "cc 04 00 00 00", NONE, 0,
	  -EBUSY },
	{ "label in padding", KSPLICE_SITE_JUMP_LABEL, NOP5, NONE, "cc cc cc cc cc", NONE, 0,
	  -ENOENT },
};

#endif
