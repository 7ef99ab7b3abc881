/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kallsyms does not have, has too often, or has for something else; what is only
 * found later.
 * Included by tests/unit/match.c, which has the fixture.
 */
#ifndef KSPLICE_TEST_MATCH_NAMES_H
#define KSPLICE_TEST_MATCH_NAMES_H

#define VARIABLE	(END_OF_TEXT + 0x100)

/* A function of the name of a variable, as without KALLSYMS_ALL, is not that. */
static void test_variable_or_function(void **state)
{
	static const struct {
		const char *what;
		u32 flags;
		bool in_kallsyms;	/* the variable */
		bool referred;		/* by f */
		int expected;
	} cases[] = {
		{ "a variable, by code", KSPLICE_SYMBOL_DATA, false, true, 0 },
		{ "a variable, by code and kallsyms", KSPLICE_SYMBOL_DATA, true, true, 0 },
		{ "a variable, by kallsyms", KSPLICE_SYMBOL_DATA, true, false, 0 },
		{ "a variable, unknown", KSPLICE_SYMBOL_DATA, false, false, -ENOENT },
		{ "either", 0, true, false, -ENOENT },
		{ "another one, by code", 0, false, true, -ENOENT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		static const char text[] = "48 8b 05 00 00 00 00 c3";
		struct fixture *fixture = new_fixture();
		struct build *build = &fixture->build;
		u32 variable;
		int ret;

		add_section(build, KSPLICE_SECTION_TEXT, "f", text);
		variable = add_extern(build, "watchdog");
		build->symbols[variable].flags = KSPLICE_SYMBOL_LOCAL | cases[i].flags;
		set_label(build, variable, "label_watchdog");
		if (cases[i].referred)
			add_branch(build, 3, variable);
		name_run(&fixture->run, "f", F);
		name_run(&fixture->run, "watchdog", STRANGER);
		if (cases[i].in_kallsyms)
			name_run(&fixture->run, "watchdog", VARIABLE);
		put_run(&fixture->run, F, text);
		if (cases[i].referred)
			put_rel32(&fixture->run, F + 3, VARIABLE);
		ret = match(fixture);
		if (ret != cases[i].expected)
			fail_msg("%s: %d: %s", cases[i].what, ret, fixture->text);
		if (ret == 0)
			assert_int_equal(label_offset(fixture, 0), VARIABLE);
		free_fixture(fixture);
	}
}

/* A static call whose key is not in kallsyms: the trampoline says what is called. */
static void test_keyless_call(void **state)
{
	static const struct {
		const char *what;
		const char *trampoline;
		u32 target;		/* of it */
		const char *site;
		u32 called;
		int expected;
	} cases[] = {
		{ "as compiled", JMP5, SC_FUNCTION, CALL5, CALLEE, 0 },
		{ "what the trampoline calls", JMP5, SC_FUNCTION, CALL5, SC_FUNCTION, 0 },
		{ "something else", JMP5, SC_FUNCTION, CALL5, STRANGER, -ENOENT },
		{ "nothing", "c3 cc cc cc cc", 0, NOP5, 0, 0 },
		{ "nothing for something", JMP5, SC_FUNCTION, NOP5, 0, -ENOENT },
		{ "zero", JMP5, RETURN0, "2e 2e 2e 31 c0", 0, 0 },
		{ "no trampoline", CALL5, SC_FUNCTION, CALL5, SC_FUNCTION, -ENOENT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture *fixture = new_fixture();
		struct build *build = &fixture->build;
		u32 key = add_extern(build, "__SCK__unknown");

		add_section(build, KSPLICE_SECTION_TEXT, "f", "53 e8 00 00 00 00 5b c3");
		add_branch(build, 2, add_extern(build, "callee"));
		add_site(build, 1, 5, KSPLICE_SITE_STATIC_CALL, key, 0);
		name_run(&fixture->run, "f", F);
		put_run(&fixture->run, F, "53 e8 00 00 00 00 5b c3");
		put_run(&fixture->run, F + 1, cases[i].site);
		if (cases[i].called != 0)
			put_rel32(&fixture->run, F + 2, cases[i].called);
		put_run(&fixture->run, CALLEE, cases[i].trampoline);
		if (cases[i].target != 0)
			put_rel32(&fixture->run, CALLEE + 1, cases[i].target);
		expect(fixture, cases[i].expected, cases[i].what);
	}
}

/* Values of one name are compared with each other, so there may not be any number. */
static void test_many_of_a_name(void **state)
{
	u32 count;

	(void)state;
	for (count = 8192; count <= 8193; count++) {
		struct fixture *fixture = new_fixture();

		add_extern(&fixture->build, "many");
		fixture->run.import = (struct run_symbol){ "many", 0 };
		fixture->run.more_imports = count - 1;
		assert_int_equal(match(fixture), count == 8192 ? 0 : -ENOENT);
		if (count > 8192)
			assert_string_equal(fixture->text,
					    "many: the running kernel has too many symbols of a name");
		free_fixture(fixture);
	}
}

static void test_missing(void **state)
{
	struct fixture *fixture = new_fixture();

	(void)state;
	add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
	expect(fixture, -ENOENT, "no such function");
	fixture = new_fixture();
	set_label(&fixture->build, add_extern(&fixture->build, "nowhere"), "label");
	expect(fixture, -ENOENT, "no such symbol");
	fixture = new_fixture();
	add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
	name_run(&fixture->run, "f", RUN_SIZE - 3);
	expect(fixture, -ENOENT, "at the end of what can be read");
}

/* Where functions share a section, the mismatch names the function. */
static void test_shared_section(void **state)
{
	static const char *const sections[][2] = {
		{ ".sched.text", "f+0x1: " },
		{ ".text.unlikely.f", ".text.unlikely.f+0x1: " },
		{ ".text", "f+0x1: " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		struct fixture *fixture = new_fixture();

		add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
		fixture->build.sections[0].name = add_text(&fixture->build, sections[i][0]);
		name_run(&fixture->run, "f", F);
		put_run(&fixture->run, F, "53 89 f3 5b c3");
		assert_int_equal(match(fixture), -ENOENT);
		if (strncmp(fixture->text, sections[i][1], strlen(sections[i][1])) != 0)
			fail_msg("%s: %s", sections[i][0], fixture->text);
		free_fixture(fixture);
	}
}

/* A static call whose key is known only after another function was matched. */
static void test_later(void **state)
{
	struct fixture *fixture = new_fixture();
	struct build *build = &fixture->build;
	u32 callee = add_extern(build, "callee"), key = add_extern(build, "key");

	(void)state;
	add_section(build, KSPLICE_SECTION_TEXT, "f", "e8 00 00 00 00 c3");
	add_branch(build, 1, callee);
	add_site(build, 0, 5, KSPLICE_SITE_STATIC_CALL, key, 0);
	add_section(build, KSPLICE_SECTION_TEXT, "g", "48 8d 05 00 00 00 00 c3");
	add_reloc(build, 3, key, KSPLICE_RELOC_PC32, -4, -4);
	name_run(&fixture->run, "f", F);
	name_run(&fixture->run, "g", G);
	name_run(&fixture->run, "key", SC_KEY);
	name_run(&fixture->run, "key", SC_KEY + 0x40);
	put_address(&fixture->run, SC_KEY + 0x40, SC_FUNCTION);
	put_run(&fixture->run, F, "e8 00 00 00 00 c3");
	put_rel32(&fixture->run, F + 1, SC_FUNCTION);
	put_run(&fixture->run, G, "48 8d 05 00 00 00 00 c3");
	put_rel32(&fixture->run, G + 3, SC_KEY + 0x40);
	expect(fixture, 0, "a key that is found later");
}

#endif
