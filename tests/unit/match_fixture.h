/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A block, a run with the symbols that site rules need, and what comes of matching them. */
#ifndef KSPLICE_TEST_MATCH_FIXTURE_H
#define KSPLICE_TEST_MATCH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/keep.h"
#include "tests/unit/match_block.h"
#include "tests/unit/match_sites.h"

struct fixture {
	struct build build;
	struct run run;
	struct ksplice_old_header *block;
	struct ksplice_matcher *matcher;
	char text[256];
};

/* sarq $5, %gs:variable(%rip) */
static inline void put_count(struct run *run, u32 offset, u32 variable)
{
	put_run(run, offset, "65 48 c1 3d 00 00 00 00 05");
	put_rel32(run, offset + 4, variable - 1);
}

static inline struct fixture *new_fixture(void)
{
	static const struct run_symbol symbols[] = {
		{ "callee", CALLEE },
		{ "__x86_indirect_thunk_rax", THUNK_RAX },
		{ "__x86_indirect_thunk_r11", THUNK_R11 },
		{ "__x86_return_thunk", RETURN_THUNK },
		{ "its_return_thunk", ITS_RETURN },
		{ "srso_return_thunk", 0x20d0 },
		{ "srso_alias_return_thunk", 0x20d8 },
		{ "retbleed_return_thunk", 0x20e0 },
		{ "call_depth_return_thunk", 0x20e8 },
		{ "__x86_return_skl", 0x20f0 },
		{ "stranger", STRANGER },
		{ "pv_function", PV_FUNCTION },
		{ "_paravirt_nop", PARAVIRT_NOP },
		{ "nop_func", NOP_FUNC },
		{ "native_irq_disable", IRQ_DISABLE },
		{ "native_restore_fl", RESTORE_FL },
		{ "__raw_callee_save___native_queued_spin_unlock", SPIN_UNLOCK },
		{ "_text", 0 },
		{ "_etext", END_OF_TEXT },
		{ "ftrace_caller", FTRACE_CALLER },
		{ "ftrace_graph_caller", FTRACE_GRAPH_CALLER },
		{ "ftrace_regs_caller", FTRACE_REGS_CALLER },
		{ "skl_call_thunk_template", COUNT_TEMPLATE },
		{ "other", OTHER_COUNT + COUNT_SIZE },
		{ "sc_function", SC_FUNCTION },
		{ "__static_call_return0", RETURN0 },
		{ "pv_ops", PV_OPS },
		{ "__SCK__key", SC_KEY },
	};
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	size_t i;

	for (i = 0; i < ARRAY_SIZE(symbols); i++)
		name_run(&fixture->run, symbols[i].name, symbols[i].offset);
	put_run(&fixture->run, ITS_RAX, "ff e0 cc");
	put_run(&fixture->run, CALL_THUNK_R11 + COUNT_SIZE, "e8 01 00 00 00 cc 4c 89 1c 24 c3");
	put_run(&fixture->run, JUMP_THUNK_R11, "e8 01 00 00 00 cc 4c 89 1c 24 c3");
	put_count(&fixture->run, COUNT_TEMPLATE, COUNTED);
	put_count(&fixture->run, CALL_THUNK_R11, COUNTED);
	put_count(&fixture->run, CALLEE - COUNT_SIZE, COUNTED);
	put_count(&fixture->run, SC_FUNCTION - COUNT_SIZE, COUNTED);
	put_count(&fixture->run, OTHER_COUNT, COUNTED + 8);
	return fixture;
}

static inline int check_block(const struct ksplice_old_header *block, u32 size)
{
	const char *reason = NULL;
	int ret = ksplice_old_code_check(block, size, &reason);

	if (ret != 0)
		print_message("refused: %s\n", reason);
	return ret;
}

/* Match; the matcher stays for questions until free_fixture(). */
static inline int match(struct fixture *fixture)
{
	u32 size;
	int ret;

	fixture->block = build_block(&fixture->build, &size);
	assert_int_equal(check_block(fixture->block, size), 0);
	keep_seed(fixture->block, size, fixture->run.bytes, 512);
	fixture->matcher = ksplice_matcher_new(fixture->block, &run_ops, &fixture->run);
	assert_non_null(fixture->matcher);
	ret = ksplice_match(fixture->matcher);
	ksplice_match_describe(fixture->matcher, ksplice_match_mismatch(fixture->matcher),
			       fixture->text, sizeof(fixture->text));
	return ret;
}

static inline void free_fixture(struct fixture *fixture)
{
	ksplice_matcher_free(fixture->matcher);
	free(fixture->block);
	free(fixture);
}

static inline void expect(struct fixture *fixture, int expected, const char *what)
{
	int ret = match(fixture);

	if (ret != expected)
		fail_msg("%s: %d, not %d: %s", what, ret, expected, fixture->text);
	free_fixture(fixture);
}

/* The value of the label of a fixture that matched, as an offset; -1 for none. */
static inline long label_offset(const struct fixture *fixture, u32 label)
{
	const u32 *labels = fixture->matcher->tables.labels;
	unsigned long value;

	if (ksplice_match_value(fixture->matcher, labels[label], &value) != 0)
		return -1;
	return (long)(value - RUN_BASE);
}

#endif
