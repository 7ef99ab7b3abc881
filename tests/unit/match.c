// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Run-pre matching: blocks made by hand against memory made by hand.
 *
 * Environment:
 *	KSPLICE_TEST_SEED	of the mutations (default 1)
 *	KSPLICE_TEST_MUTATIONS	how many of them (default 20000)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/match_dates.h"
#include "tests/unit/match_fixture.h"

/*
 * Text without sites
 */

struct text_case {
	const char *what;
	const char *pre;
	const char *run;
	int expected;
};

static const struct text_case text_cases[] = {
	{ "the same", "53 89 fb 5b c3", "53 89 fb 5b c3", 0 },
	{ "another register", "53 89 fb 5b c3", "53 89 f3 5b c3", -ENOENT },
	{ "another constant", "b8 01 00 00 00 c3", "b8 02 00 00 00 c3", -ENOENT },
	{ "other nops", "53 0f 1f 40 00 5b c3", "53 66 90 66 90 5b c3", 0 },
	{ "more nops", "53 90 5b c3", "53 0f 1f 44 00 00 5b c3", 0 },
	{ "fewer nops", "53 0f 1f 44 00 00 5b c3", "53 5b c3", 0 },
	{ "a nop that is an instruction", "53 90 5b c3", "53 f4 5b c3", -ENOENT },
	/* jmp over mov: near in the old code, short in the run, and the reverse */
	{ "short for near", "e9 05 00 00 00 b8 01 00 00 00 c3", "eb 05 b8 01 00 00 00 c3", 0 },
	{ "near for short", "eb 05 b8 01 00 00 00 c3", "e9 05 00 00 00 b8 01 00 00 00 c3", 0 },
	{ "je for jne", "0f 84 05 00 00 00 b8 01 00 00 00 c3", "75 05 b8 01 00 00 00 c3", -ENOENT },
	{ "short je", "0f 84 05 00 00 00 b8 01 00 00 00 c3", "74 05 b8 01 00 00 00 c3", 0 },
	{ "too far", "e9 05 00 00 00 b8 01 00 00 00 c3", "eb 06 b8 01 00 00 00 c3", -ENOENT },
	/* 0: jne 9 (near); 6: mov %eax,%eax; 8: nop; 9: dec %edi; b: jne 0; d: ret */
	{ "backward over a shift", "0f 85 03 00 00 00 89 c0 90 ff cf 75 f3 c3",
	  "75 03 89 c0 90 ff cf 75 f7 c3", 0 },
	{ "backward to elsewhere", "0f 85 03 00 00 00 89 c0 90 ff cf 75 f3 c3",
	  "75 03 89 c0 90 ff cf 75 f9 c3", -ENOENT },
	/* a branch forward over another that is longer in the old code */
	{ "forward over a shift", "74 06 e9 01 00 00 00 90 89 c0 c3", "74 03 eb 01 90 89 c0 c3", 0 },
	{ "forward to elsewhere", "74 06 e9 01 00 00 00 90 89 c0 c3", "74 05 eb 01 90 89 c0 c3",
	  -ENOENT },
	{ "a probe", "53 89 fb 5b c3", "53 cc fb 5b c3", -EBUSY },
	{ "a probe on one byte", "53 89 fb 5b c3", "cc 89 fb 5b c3", -EBUSY },
	{ "a loop", "53 e3 00 5b c3", "53 e3 00 5b c3", 0 },
	{ "a loop with another counter", "53 e3 00 5b c3", "53 67 e3 00 5b c3", -ENOENT },
	{ "padding, not a probe", "53 89 fb 5b c3", "53 cc cc cc cc", -ENOENT },
	{ "no instruction", "53 89 fb 5b c3", "53 06 fb 5b c3", -ENOENT },
};

static void test_text(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(text_cases); i++) {
		struct fixture *fixture = new_fixture();

		add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", text_cases[i].pre);
		name_run(&fixture->run, "f", F);
		put_run(&fixture->run, F, text_cases[i].run);
		expect(fixture, text_cases[i].expected, text_cases[i].what);
	}
}

/*
 * Sites
 */

/* push %rbx; the site; pop %rbx; ret, four times */
static void run_site_case(const struct site_case *test)
{
	struct fixture *fixture = new_fixture();
	struct build *build = &fixture->build;
	struct run *run = &fixture->run;
	u32 arg = 0, arg2 = 0, size;
	u8 bytes[16];
	char text[128];

	size = from_hex(test->pre, bytes);
	snprintf(text, sizeof(text), "53 %s 5b c3 c3 c3 c3", test->pre);
	add_section(build, KSPLICE_SECTION_TEXT, "f", text);
	if (test->kind == KSPLICE_SITE_PARAVIRT) {
		arg = add_extern(build, "pv_ops");
		arg2 = PV_SLOT;
		add_reloc(build, 1 + 3, arg, KSPLICE_RELOC_ABS32S, 0, 8 * PV_SLOT);
	} else if (test->kind == KSPLICE_SITE_STATIC_CALL) {
		arg = add_extern(build, "__SCK__key");
	} else if (test->kind == KSPLICE_SITE_RUNTIME) {
		arg = add_extern(build, "__SCK__key");
		arg2 = 8;
	} else if (test->kind == KSPLICE_SITE_JUMP_LABEL) {
		arg2 = 7;
	}
	if (test->pre_branch.offset > 0)
		add_branch(build, 1 + test->pre_branch.offset,
			   add_extern(build, test->pre_branch.symbol));
	add_site(build, 1, test->kind == KSPLICE_SITE_LOCK ? 1 : (u16)size, (u16)test->kind, arg, arg2);

	name_run(run, "f", F);
	snprintf(text, sizeof(text), "53 %s 5b c3 c3 c3 c3", test->run);
	put_run(run, F, text);
	if (test->run_branch.offset > 0)
		put_rel32(run, F + 1 + test->run_branch.offset, test->run_branch.target);
	if (test->kind == KSPLICE_SITE_PARAVIRT && test->run_branch.offset == 0 &&
	    run->bytes[F + 1] == 0xff) {
		u32 slot = (u32)(RUN_BASE + PV_OPS + 8 * PV_SLOT);

		memcpy(run->bytes + F + 1 + 3, &slot, sizeof(slot));
	}
	if (test->word != 0) {
		put_address(run, PV_OPS + 8 * PV_SLOT, test->word);
		put_address(run, SC_KEY, test->word);
	}
	expect(fixture, test->expected, test->what);
}

static void test_sites(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(site_cases); i++)
		run_site_case(&site_cases[i]);
}

/*
 * Alternatives: call callee (5 bytes) and 3 nops, or one of
 *	clac (0f 01 ca), a call to stranger, jmp to the ret
 */
struct alternative_case {
	const char *what;
	const char *run;
	u32 rel32, target;	/* a rel32 of the run, from the site; 0 for none */
	int expected;
};

static const struct alternative_case alternative_cases[] = {
	{ "the original", "e8 00 00 00 00 90 90 90", 1, CALLEE, 0 },
	{ "merged nops", "e8 00 00 00 00 0f 1f 00", 1, CALLEE, 0 },
	{ "the original elsewhere", "e8 00 00 00 00 90 90 90", 1, PV_FUNCTION, -ENOENT },
	{ "the first", "0f 01 ca 0f 1f 44 00 00", 0, 0, 0 },
	{ "the first, single nops", "0f 01 ca 90 90 90 90 90", 0, 0, 0 },
	{ "half of the first", "0f 01 cb 0f 1f 44 00 00", 0, 0, -ENOENT },
	{ "the first and more", "0f 01 ca 0f 1f 00 89 c0", 0, 0, -ENOENT },
	{ "the call", "e8 00 00 00 00 0f 1f 00", 1, STRANGER, 0 },
	{ "the jump, near", "e9 00 00 00 00 0f 1f 00", 1, F + 10, 0 },
	{ "the jump, short", "eb 07 0f 1f 80 00 00 00", 0, 0, -ENOENT },
	{ "the jump, short and right", "eb 07 66 0f 1f 44 00 00", 0, 0, 0 },
	{ "the jump, elsewhere", "e9 00 00 00 00 0f 1f 00", 1, F + 9, -ENOENT },
	{ "nothing", "0f 1f 84 00 00 00 00 00", 0, 0, -ENOENT },
};

static void test_alternatives(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(alternative_cases); i++) {
		const struct alternative_case *test = &alternative_cases[i];
		struct fixture *fixture = new_fixture();
		struct build *build = &fixture->build;
		u32 replacement, f, first;
		char text[128];

		replacement = add_section(build, KSPLICE_SECTION_REPLACEMENT, "",
					  "0f 01 ca e8 00 00 00 00 e9 00 00 00 00");
		add_branch(build, 4, add_extern(build, "stranger"));
		f = build->nr_symbols;
		add_reloc(build, 9, f, KSPLICE_RELOC_PC32, -4, 10 - 4);
		first = add_alternative(build, replacement, 0, 3);
		add_alternative(build, replacement, 3, 5);
		add_alternative(build, replacement, 8, 5);

		add_section(build, KSPLICE_SECTION_TEXT, "f", "53 e8 00 00 00 00 90 90 90 5b c3");
		assert_int_equal(build->sections[1].symbol, f);
		add_branch(build, 2, add_extern(build, "callee"));
		add_site(build, 1, 8, KSPLICE_SITE_ALTERNATIVE, first, 3);
		name_run(&fixture->run, "f", F);
		snprintf(text, sizeof(text), "53 %s 5b c3", test->run);
		put_run(&fixture->run, F, text);
		if (test->rel32 > 0)
			put_rel32(&fixture->run, F + 1 + test->rel32, test->target);
		expect(fixture, test->expected, test->what);
	}
}

/* "call *slot(%rip)" of pv_ops that 6.8 and later make direct. */
struct slot_call_case {
	const char *what;
	const char *run;
	u32 rel32, target;
	u32 word;	/* in the slot */
	int expected;
};

static const struct slot_call_case slot_call_cases[] = {
	{ "slot, as compiled", "ff 15 00 00 00 00", 2, PV_OPS + 8 * PV_SLOT, PV_FUNCTION, 0 },
	{ "slot, direct", "e8 00 00 00 00 90", 1, PV_FUNCTION, PV_FUNCTION, 0 },
	{ "slot, another function", "e8 00 00 00 00 90", 1, CALLEE, PV_FUNCTION, -ENOENT },
	{ "slot, the replacement as it is", "e8 00 00 00 00 90", 1, STRANGER, PV_FUNCTION, -ENOENT },
	{ "slot, direct and more", "e8 00 00 00 00 50", 1, PV_FUNCTION, PV_FUNCTION, -ENOENT },
	{ "slot, nothing to do", "66 0f 1f 44 00 00", 0, 0, NOP_FUNC, 0 },
	{ "slot, nops for a function", "66 0f 1f 44 00 00", 0, 0, PV_FUNCTION, -ENOENT },
	{ "slot, the other alternative", "fa 0f 1f 44 00 00", 0, 0, PV_FUNCTION, 0 },
};

static void test_slot_calls(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(slot_call_cases); i++) {
		const struct slot_call_case *test = &slot_call_cases[i];
		struct fixture *fixture = new_fixture();
		struct build *build = &fixture->build;
		u32 replacement, first;
		char text[128];

		replacement = add_section(build, KSPLICE_SECTION_REPLACEMENT, "", "e8 00 00 00 00 fa");
		add_branch(build, 1, add_extern(build, "stranger"));
		first = add_alternative(build, replacement, 0, 5);
		build->alternatives[first].feature = KSPLICE_ALTERNATIVE_DIRECT_CALL | 0x75;
		add_alternative(build, replacement, 5, 1);

		add_section(build, KSPLICE_SECTION_TEXT, "f", "53 ff 15 00 00 00 00 5b c3");
		add_reloc(build, 3, add_extern(build, "pv_ops"), KSPLICE_RELOC_PC32, -4,
			  8 * PV_SLOT - 4);
		add_site(build, 1, 6, KSPLICE_SITE_ALTERNATIVE, first, 2);
		name_run(&fixture->run, "f", F);
		snprintf(text, sizeof(text), "53 %s 5b c3", test->run);
		put_run(&fixture->run, F, text);
		put_address(&fixture->run, PV_OPS + 8 * PV_SLOT, test->word);
		if (test->rel32 > 0)
			put_rel32(&fixture->run, F + 1 + test->rel32, test->target);
		expect(fixture, test->expected, test->what);
	}
}

/*
 * References
 */

/* lea to data: a string, a constant, a table; mov of its address. */
static struct fixture *new_reference(u32 kind, const char *hex, u32 unit, s64 offset)
{
	struct fixture *fixture = new_fixture();
	struct build *build = &fixture->build;
	u32 section = add_section(build, kind, "", hex);

	build->sections[section].unit = unit;
	add_section(build, KSPLICE_SECTION_TEXT, "f", "48 8d 05 00 00 00 00 c3");
	add_reloc(build, 3, KSPLICE_NONE, KSPLICE_RELOC_PC32, -4, offset - 4);
	build->relocs[build->nr_relocs - 1].section = section;
	name_run(&fixture->run, "f", F);
	put_run(&fixture->run, F, "48 8d 05 00 00 00 00 c3");
	put_rel32(&fixture->run, F + 3, DATA);
	return fixture;
}

static void test_elements(void **state)
{
	struct fixture *fixture;

	(void)state;
	/* "ab" and "cd" */
	fixture = new_reference(KSPLICE_SECTION_STRINGS, "61 62 00 63 64 00", 1, 3);
	put_run(&fixture->run, DATA, "63 64 00 78");
	expect(fixture, 0, "a string");
	fixture = new_reference(KSPLICE_SECTION_STRINGS, "61 62 00 63 64 00", 1, 3);
	put_run(&fixture->run, DATA, "63 64 65 00");
	expect(fixture, -ENOENT, "a longer string");
	fixture = new_reference(KSPLICE_SECTION_STRINGS, "61 62 00 63 64 00", 1, 1);
	put_run(&fixture->run, DATA - 1, "78 62 00 79");
	expect(fixture, 0, "the end of a string, merged into another");
	fixture = new_reference(KSPLICE_SECTION_STRINGS, "61 00 62 00 00 00", 2, 0);
	put_run(&fixture->run, DATA, "61 00 62 00 00 00");
	expect(fixture, 0, "a wide string");
	fixture = new_reference(KSPLICE_SECTION_STRINGS, "61 00 62 00 00 00", 2, 0);
	put_run(&fixture->run, DATA, "61 00 63 00 00 00");
	expect(fixture, -ENOENT, "another wide string");
	/* "ab" + 5, which is the end of "cd" in the old code and of nothing in the run */
	fixture = new_reference(KSPLICE_SECTION_STRINGS, "61 62 00 63 64 00", 1, 5);
	fixture->build.relocs[0].past = 5;
	put_run(&fixture->run, DATA - 5, "61 62 00 78 79");
	expect(fixture, 0, "behind a string");
	fixture = new_reference(KSPLICE_SECTION_STRINGS, "61 62 00 63 64 00", 1, 5);
	fixture->build.relocs[0].past = 5;
	put_run(&fixture->run, DATA - 5, "61 63 00 78 79");
	expect(fixture, -ENOENT, "behind another string");
	fixture = new_reference(KSPLICE_SECTION_STRINGS, "61 62 00", 1, 9);
	expect(fixture, -ENOENT, "outside of the strings");
	fixture = new_reference(KSPLICE_SECTION_CONSTANTS, "01 02 03 04 05 06 07 08", 4, 4);
	put_run(&fixture->run, DATA, "05 06 07 08 99");
	expect(fixture, 0, "a constant");
	fixture = new_reference(KSPLICE_SECTION_CONSTANTS, "01 02 03 04 05 06 07 08", 4, 4);
	put_run(&fixture->run, DATA, "05 06 07 09");
	expect(fixture, -ENOENT, "another constant");
}

static void test_dates(void **state)
{
	const struct date_case *date = date_cases;
	struct fixture *fixture;
	int named;

	(void)state;
	for (; date < date_cases + ARRAY_SIZE(date_cases); date++) {
		for (named = 0; named <= (date->from == 0); named++) {
			fixture = new_fixture();
			put_dates(&fixture->build, &fixture->run, date, named);
			expect(fixture, date->expected, date->run);
		}
	}
}

/*
 * The new code uses "cd" of { "ab", "cd" }.  f refers to it, and g to what is @distance
 * from its start, which in the run is at DATA + @other.
 */
static struct fixture *new_shared_string(u32 distance, u16 past, u32 other)
{
	struct fixture *fixture = new_reference(KSPLICE_SECTION_STRINGS, "61 62 00 63 64 00", 1, 3);
	struct build *build = &fixture->build;
	u32 symbol = add_symbol(build, "", 0, 3);

	set_label(build, symbol, "label_cd");
	build->relocs[0].symbol = symbol;
	add_section(build, KSPLICE_SECTION_TEXT, "g", "48 8d 05 00 00 00 00 c3");
	add_reloc(build, 3, symbol, KSPLICE_RELOC_PC32, -4, 3 + (s64)distance - 4);
	build->relocs[1].section = 0;
	build->relocs[1].past = past;
	name_run(&fixture->run, "g", G);
	put_run(&fixture->run, G, "48 8d 05 00 00 00 00 c3");
	put_rel32(&fixture->run, G + 3, DATA + other);
	put_run(&fixture->run, DATA - 3, "78 61 62 63 64 00 79");
	put_run(&fixture->run, DATA + 16, "63 64 00");
	put_run(&fixture->run, DATA + 32, "78 64 00");
	return fixture;
}

static void test_shared_strings(void **state)
{
	static const struct {
		u32 distance;
		u16 past;
		u32 other;
		int expected;
		const char *what;
	} cases[] = {
		{ 0, 0, 0, 0, "a string at one place" },
		{ 1, 0, 1, 0, "its end" },
		{ 3, 3, 3, 0, "behind it" },
		{ 0, 0, 16, -ENOENT, "an equal string at another place" },
		{ 1, 0, 17, -ENOENT, "the end of an equal string" },
		{ 1, 0, 33, -ENOENT, "the end of another string" },
		{ 3, 3, 19, -ENOENT, "behind an equal string" },
	};
	struct fixture *fixture;
	u32 size;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture = new_shared_string(cases[i].distance, cases[i].past, cases[i].other);
		if (match(fixture) != cases[i].expected)
			fail_msg("%s: not %d: %s", cases[i].what, cases[i].expected, fixture->text);
		if (cases[i].expected == 0)
			assert_int_equal(label_offset(fixture, 0), DATA);
		free_fixture(fixture);
	}
	fixture = new_shared_string(0, 0, 0);
	fixture->build.relocs[0].symbol = KSPLICE_NONE;
	fixture->build.relocs[1].symbol = KSPLICE_NONE;
	assert_int_equal(match(fixture), -ENOENT);
	assert_non_null(strstr(fixture->text, "label_cd: needed by the new code"));
	free_fixture(fixture);
	fixture = new_shared_string(0, 0, 0);
	fixture->build.relocs[1].symbol = fixture->build.sections[1].symbol;
	fixture->block = build_block(&fixture->build, &size);
	assert_int_equal(check_block(fixture->block, size), -EINVAL);
	free_fixture(fixture);
}

/* f refers to a nameless table of two pointers, { callee, f + 0 }. */
static struct fixture *new_table(u32 first, u32 second)
{
	struct fixture *fixture = new_fixture();
	struct build *build = &fixture->build;
	u32 table = build->nr_symbols, callee, f;

	add_section(build, KSPLICE_SECTION_RODATA, "",
		    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 2a 00");
	callee = add_extern(build, "callee");
	f = build->nr_symbols;
	add_reloc(build, 0, callee, KSPLICE_RELOC_ABS64, 0, 0);
	add_reloc(build, 8, f, KSPLICE_RELOC_ABS64, 0, 0);
	add_section(build, KSPLICE_SECTION_TEXT, "f", "48 c7 c0 00 00 00 00 c3");
	add_reloc(build, 3, table, KSPLICE_RELOC_ABS32S, 0, 0);
	set_label(build, table, "label_table");
	name_run(&fixture->run, "f", F);
	put_run(&fixture->run, F, "48 c7 c0 00 50 00 81 c3");
	put_address(&fixture->run, DATA, first);
	put_address(&fixture->run, DATA + 8, second);
	put_run(&fixture->run, DATA + 16, "2a 00");
	return fixture;
}

static void test_rodata(void **state)
{
	struct fixture *fixture = new_table(CALLEE, F);

	(void)state;
	assert_int_equal(match(fixture), 0);
	assert_int_equal(label_offset(fixture, 0), DATA);
	free_fixture(fixture);
	expect(new_table(STRANGER, F), -ENOENT, "another pointer");
	expect(new_table(CALLEE, F + 4), -ENOENT, "into the function");
	fixture = new_table(CALLEE, F);
	put_run(&fixture->run, DATA + 16, "2b 00");
	expect(fixture, -ENOENT, "another number");
}

/* A variable that the patch wants compared, where the run may have it; 0 for nowhere. */
static struct fixture *new_variable(u32 kind, u32 first, u32 second)
{
	struct fixture *fixture = new_fixture();
	struct build *build = &fixture->build;
	u32 section = add_section(build, kind, "limit", "05 00 00 00");

	set_label(build, build->sections[section].symbol, "label_limit");
	name_run(&fixture->run, "__start_rodata", DATA - 0x100);
	name_run(&fixture->run, "__end_rodata", DATA);
	name_run(&fixture->run, "_end", RUN_SIZE);
	if (first != 0)
		name_run(&fixture->run, "limit", first);
	if (second != 0)
		name_run(&fixture->run, "limit", second);
	put_run(&fixture->run, DATA, "05 00 00 00 06 00 00 00 05 00 00 00");
	return fixture;
}

static void test_variable(void **state)
{
	struct fixture *fixture = new_variable(KSPLICE_SECTION_DATA, DATA, 0);

	(void)state;
	assert_int_equal(match(fixture), 0);
	assert_int_equal(label_offset(fixture, 0), DATA);
	free_fixture(fixture);
	expect(new_variable(KSPLICE_SECTION_RODATA, DATA, 0), -ENOENT, "a constant there");
	fixture = new_variable(KSPLICE_SECTION_DATA, DATA + 4, 0);
	assert_int_equal(match(fixture), -ENOENT);
	assert_non_null(strstr(fixture->text, "limit+0x0: it does not hold its initial value"));
	free_fixture(fixture);
	fixture = new_variable(KSPLICE_SECTION_DATA, DATA + 4, DATA + 8);
	assert_int_equal(match(fixture), 0);
	assert_int_equal(label_offset(fixture, 0), DATA + 8);
	free_fixture(fixture);
	expect(new_variable(KSPLICE_SECTION_DATA, DATA, DATA + 8), -ENOENT, "two with the value");
	expect(new_variable(KSPLICE_SECTION_DATA, 0, 0), -ENOENT, "a variable that is nowhere");
}

/* lea here(%rip), for _THIS_IP_, behind a jump whose size differs. */
static void test_own_address(void **state)
{
	static const char pre[] = "0f 84 08 00 00 00 48 8d 05 00 00 00 00 90 c3";
	u32 targets[] = { F + 3, F + 2 }, i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		struct fixture *fixture = new_fixture();
		u32 f = fixture->build.nr_symbols;

		add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", pre);
		/* The instruction at 6 in the old code is at 2 in the run; 7 is at 3. */
		add_reloc(&fixture->build, 9, f, KSPLICE_RELOC_PC32, -4, 7 - 4);
		name_run(&fixture->run, "f", F);
		put_run(&fixture->run, F, "74 08 48 8d 05 00 00 00 00 90 c3");
		put_rel32(&fixture->run, F + 5, targets[i]);
		expect(fixture, i == 0 ? 0 : -ENOENT, "its own address");
	}
}

/* f jumps into the middle of g and g back into that of f; both are laid out anew. */
static void test_into_each_other(void **state)
{
	static const char pre[] = "0f 84 01 00 00 00 90 89 c0 e9 00 00 00 00";
	static const char text[] = "74 01 90 89 c0 e9 00 00 00 00";
	u32 wrong;

	(void)state;
	for (wrong = 0; wrong < 2; wrong++) {
		struct fixture *fixture = new_fixture();
		struct build *build = &fixture->build;

		add_section(build, KSPLICE_SECTION_TEXT, "f", pre);
		add_reloc(build, 10, 1, KSPLICE_RELOC_PC32, -4, 7 - 4);
		add_section(build, KSPLICE_SECTION_TEXT, "g", pre);
		add_reloc(build, 10, 0, KSPLICE_RELOC_PC32, -4, 7 - 4);
		name_run(&fixture->run, "f", F);
		name_run(&fixture->run, "g", G);
		put_run(&fixture->run, F, text);
		put_rel32(&fixture->run, F + 6, G + 3 + wrong);
		put_run(&fixture->run, G, text);
		put_rel32(&fixture->run, G + 6, F + 3);
		expect(fixture, wrong ? -ENOENT : 0, "into each other");
	}
}

/*
 * Candidates
 */

#include "tests/unit/match_home.h"
#include "tests/unit/match_names.h"

static void test_by_bytes(void **state)
{
	struct fixture *fixture = new_fixture();

	(void)state;
	add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
	set_label(&fixture->build, 0, "label_f");
	name_run(&fixture->run, "f", F);
	name_run(&fixture->run, "f", G);
	put_run(&fixture->run, F, "53 89 f3 5b c3");
	put_run(&fixture->run, G, "53 89 fb 5b c3");
	assert_int_equal(match(fixture), 0);
	assert_int_equal(label_offset(fixture, 0), G);
	free_fixture(fixture);
}

/* Two equal functions f; g, if there is one, calls the second. */
static struct fixture *new_twins(bool with_caller, bool needed)
{
	struct fixture *fixture = new_fixture();
	struct build *build = &fixture->build;

	add_section(build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
	if (needed)
		set_label(build, 0, "label_f");
	name_run(&fixture->run, "f", F);
	name_run(&fixture->run, "f", F + 0x80);
	put_run(&fixture->run, F, "53 89 fb 5b c3");
	put_run(&fixture->run, F + 0x80, "53 89 fb 5b c3");
	if (with_caller) {
		add_section(build, KSPLICE_SECTION_TEXT, "g", "e8 00 00 00 00 c3");
		add_branch(build, 1, 0);
		name_run(&fixture->run, "g", G);
		put_run(&fixture->run, G, "e8 00 00 00 00 c3");
		put_rel32(&fixture->run, G + 1, F + 0x80);
	}
	return fixture;
}

static void test_twins(void **state)
{
	struct fixture *fixture = new_twins(true, true);

	(void)state;
	assert_int_equal(match(fixture), 0);
	assert_int_equal(label_offset(fixture, 0), F + 0x80);
	free_fixture(fixture);
	expect(new_twins(false, false), 0, "twins that nobody needs");
	fixture = new_twins(false, true);
	assert_int_equal(match(fixture), -ENOENT);
	assert_non_null(strstr(fixture->text, "ambiguous"));
	free_fixture(fixture);
}

#include "tests/unit/match_busy.h"

/* f, the first section, is of object 1, as are others before and after @offset. */
static void put_in_object(struct fixture *fixture, u32 offset)
{
	const struct {
		const char *name;
		u32 offset;
	} others[] = {
		{ ".text.a", offset - 0x40 },
		{ ".text.b", offset + 0x40 },
	};
	size_t i;

	fixture->build.sections[0].object = 1;
	fixture->build.sections[0].name = add_text(&fixture->build, ".text.f");
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		u32 section = add_section(&fixture->build, KSPLICE_SECTION_TEXT, others[i].name,
					  "90 c3");

		fixture->build.sections[section].object = 1;
		name_run(&fixture->run, others[i].name, others[i].offset);
		put_run(&fixture->run, others[i].offset, "90 c3");
	}
}

/* Of two places for f, the second is between other functions of its object. */
static void test_twins_in_object(void **state)
{
	struct fixture *fixture;
	unsigned int variant;

	(void)state;
	/* 0: as it should be; 1: b is not of the object; 2: it is of other sections */
	for (variant = 0; variant < 3; variant++) {
		fixture = new_twins(false, true);
		put_in_object(fixture, F + 0x80);
		if (variant == 1)
			fixture->build.sections[2].object = 2;
		if (variant == 2)
			fixture->build.sections[2].name =
				add_text(&fixture->build, ".text.unlikely.b");
		assert_int_equal(match(fixture), variant == 0 ? 0 : -ENOENT);
		if (variant == 0)
			assert_int_equal(label_offset(fixture, 0), F + 0x80);
		free_fixture(fixture);
	}
}

/* Of three places for f, the one in its object has other code. */
static void test_twins_elsewhere(void **state)
{
	struct fixture *fixture;
	unsigned int copies;

	(void)state;
	for (copies = 1; copies <= 2; copies++) {
		fixture = new_twins(false, false);
		if (copies == 1)
			put_run(&fixture->run, F, "c3");
		name_run(&fixture->run, "f", F + 0x100);
		put_run(&fixture->run, F + 0x100, "53 89 f3 5b c3");
		put_in_object(fixture, F + 0x100);
		assert_int_equal(match(fixture), -ENOENT);
		assert_non_null(strstr(fixture->text, "where its object is"));
		free_fixture(fixture);
	}
}

/* A weak function that differs, where its object is: it was not overridden. */
static void test_weak_in_object(void **state)
{
	struct fixture *fixture;
	unsigned int variant;

	(void)state;
	for (variant = 0; variant < 2; variant++) {
		fixture = new_fixture();
		add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
		fixture->build.symbols[0].flags = KSPLICE_SYMBOL_WEAK;
		name_run(&fixture->run, "f", F);
		put_run(&fixture->run, F, "53 89 f3 5b c3");
		put_in_object(fixture, variant == 0 ? F : F + 0x400);
		expect(fixture, variant == 0 ? -ENOENT : 0, "a weak one that differs");
	}
}

static void test_weak(void **state)
{
	static const u32 flags[] = {
		KSPLICE_SYMBOL_WEAK, 0, KSPLICE_SYMBOL_WEAK | KSPLICE_SYMBOL_REPLACED,
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct fixture *fixture = new_fixture();

		add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
		fixture->build.symbols[0].flags = flags[i];
		set_label(&fixture->build, 0, "label_f");
		name_run(&fixture->run, "f", F);
		put_run(&fixture->run, F, "b8 01 00 00 00 c3");
		expect(fixture, flags[i] == KSPLICE_SYMBOL_WEAK ? 0 : -ENOENT, "an overridden one");
	}
}

/*
 * Damage
 */

static u32 random_number(u32 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static unsigned long from_environment(const char *name, unsigned long value)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : value;
}

/* One of everything. */
static struct fixture *new_everything(void)
{
	struct fixture *fixture = new_table(CALLEE, F);
	struct build *build = &fixture->build;
	u32 strings, replacement, pv_ops, key, first, symbol;

	add_section(build, KSPLICE_SECTION_DATA, "callee", "00 00");
	strings = add_bytes(build, KSPLICE_SECTION_STRINGS, "", "ab\0cd\0Aug 23 1973", 18);
	add_reloc(build, 6, KSPLICE_NONE, KSPLICE_RELOC_DATE, 0, 0);
	replacement = add_section(build, KSPLICE_SECTION_REPLACEMENT, "", "0f 01 ca");
	first = add_alternative(build, replacement, 0, 3);
	pv_ops = add_extern(build, "pv_ops");
	key = add_extern(build, "__SCK__key");
	add_section(build, KSPLICE_SECTION_TEXT, "g",
		    "f3 0f 1e fa e8 00 00 00 00 90 90 90 ff 14 25 00 00 00 00 66 90 "
		    "e8 00 00 00 00 f0 ff 03 48 8d 05 00 00 00 00 e9 00 00 00 00");
	symbol = add_extern(build, "stranger");
	add_branch(build, 5, symbol);
	add_reloc(build, 15, pv_ops, KSPLICE_RELOC_ABS32S, 0, 8 * PV_SLOT);
	add_branch(build, 22, symbol);
	add_reloc(build, 32, KSPLICE_NONE, KSPLICE_RELOC_PC32, -4, 3 - 4);
	build->relocs[build->nr_relocs - 1].section = strings;
	build->relocs[build->nr_relocs - 1].symbol = add_symbol(build, "", strings, 3);
	set_label(build, build->nr_symbols - 1, "label_string");
	add_branch(build, 37, add_extern(build, "__x86_return_thunk"));
	add_site(build, 0, 4, KSPLICE_SITE_ENDBR, 0, 0);
	add_site(build, 4, 5, KSPLICE_SITE_FENTRY, 0, 0);
	add_site(build, 9, 3, KSPLICE_SITE_ALTERNATIVE, first, 1);
	add_site(build, 12, 7, KSPLICE_SITE_PARAVIRT, pv_ops, PV_SLOT);
	add_site(build, 19, 2, KSPLICE_SITE_JUMP_LABEL, 1, 0);
	add_site(build, 21, 5, KSPLICE_SITE_STATIC_CALL, key, 0);
	add_site(build, 26, 1, KSPLICE_SITE_LOCK, 0, 0);
	add_site(build, 36, 5, KSPLICE_SITE_RETURN, 0, 0);
	set_label(build, symbol, "label_stranger");
	name_run(&fixture->run, "g", G);
	put_run(&fixture->run, G,
		"66 0f 1f 00 0f 1f 44 00 00 0f 01 ca e8 00 00 00 00 66 90 66 90 "
		"0f 1f 44 00 00 3e ff 03 48 8d 05 00 00 00 00 c3 cc cc cc cc");
	put_rel32(&fixture->run, G + 13, PV_FUNCTION);
	put_address(&fixture->run, PV_OPS + 8 * PV_SLOT, PV_FUNCTION);
	put_rel32(&fixture->run, G + 32, DATA + 0x100);
	put_run(&fixture->run, DATA + 0x100, "63 64 00");
	return fixture;
}

static void match_mutated(const struct ksplice_old_header *block, u32 size, struct run *run)
{
	struct ksplice_matcher *matcher;
	const char *reason = NULL;
	char text[64];
	int ret;

	if (ksplice_old_code_check(block, size, &reason) != 0) {
		assert_non_null(reason);
		return;
	}
	matcher = ksplice_matcher_new(block, &run_ops, run);
	if (!matcher)
		return;
	ret = ksplice_match(matcher);
	if (ret != 0 && ret != -ENOENT && ret != -EBUSY && ret != -ENOMEM)
		fail_msg("a result that is not documented: %d", ret);
	ksplice_match_describe(matcher, ksplice_match_mismatch(matcher), text, sizeof(text));
	ksplice_matcher_free(matcher);
}

/*
 * Each field of a block, and each byte of the run, gets other values: whatever
 * comes of it, nothing outside of the block and the run is touched (ASan, UBSan).
 */
static void test_mutations(void **state)
{
	u32 seed = (u32)from_environment("KSPLICE_TEST_SEED", 1), size, i;
	unsigned long mutations = from_environment("KSPLICE_TEST_MUTATIONS", 20000), n;
	static const u32 values[] = { 0, 1, 2, 4, 8, 0x7f, 0xff, 0x1000, 0x7fffffff, 0x80000000,
				      0xfffffffe, 0xffffffff };
	struct fixture *fixture = new_everything();
	u8 *good, *bad;

	(void)state;
	if (match(fixture) != 0)
		fail_msg("everything: %s", fixture->text);
	size = fixture->block->size;
	good = (u8 *)fixture->block;
	bad = malloc(size);
	/* Each word, with each of the values. */
	for (i = 0; i < size / 4 * ARRAY_SIZE(values); i++) {
		memcpy(bad, good, size);
		memcpy(bad + i / ARRAY_SIZE(values) * 4, &values[i % ARRAY_SIZE(values)], 4);
		fixture->run.allocated = 0;
		match_mutated((void *)bad, size, &fixture->run);
	}
	/* Several at once, in the run too. */
	for (n = 0; n < mutations; n++) {
		struct run run = fixture->run;

		memcpy(bad, good, size);
		for (i = random_number(&seed) % 4; i > 0; i--)
			bad[random_number(&seed) % size] = (u8)random_number(&seed);
		for (i = random_number(&seed) % 4; i > 0; i--)
			run.bytes[(random_number(&seed) % 2 ? F : G) + random_number(&seed) % 48] =
				(u8)random_number(&seed);
		run.allocated = 0;
		match_mutated((void *)bad, size, &run);
	}
	/* Cut off. */
	for (i = 0; i < size; i++) {
		u8 *cut = malloc(i + 1);

		memcpy(cut, good, i);
		if (i < sizeof(struct ksplice_old_header) || ((u32 *)good)[2] > i)
			assert_int_equal(ksplice_old_code_check((void *)cut, i,
								&(const char *){ NULL }),
					 -EINVAL);
		free(cut);
	}
	free(bad);
	free_fixture(fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_sites),
		cmocka_unit_test(test_alternatives),
		cmocka_unit_test(test_slot_calls),
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_shared_strings),
		cmocka_unit_test(test_rodata),
		cmocka_unit_test(test_variable),
		cmocka_unit_test(test_own_address),
		cmocka_unit_test(test_into_each_other),
		cmocka_unit_test(test_locks),
		cmocka_unit_test(test_imports),
		cmocka_unit_test(test_one_pass),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_probed_alternative),
		cmocka_unit_test(test_by_bytes),
		cmocka_unit_test(test_twins),
		cmocka_unit_test(test_twins_in_object),
		cmocka_unit_test(test_twins_elsewhere),
		cmocka_unit_test(test_weak),
		cmocka_unit_test(test_weak_in_object),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_shared_section),
		cmocka_unit_test(test_variable_or_function),
		cmocka_unit_test(test_keyless_call),
		cmocka_unit_test(test_many_of_a_name),
		cmocka_unit_test(test_probed_twins),
		cmocka_unit_test(test_probed_stranger),
		cmocka_unit_test(test_probed_weak),
		cmocka_unit_test(test_into_unmatched),
		cmocka_unit_test(test_changing),
		cmocka_unit_test(test_bad_branch),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
