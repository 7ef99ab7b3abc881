/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the home tells the engine: whose symbols there are, how many CPUs, what was
 * replaced; and what the engine tells of somebody's breakpoints.
 * Included by tests/unit/match.c, which has the fixture.
 */
#ifndef KSPLICE_TEST_MATCH_HOME_H
#define KSPLICE_TEST_MATCH_HOME_H

/* Lock prefixes in two functions: all are there, or none is. */
static void test_locks(void **state)
{
	static const struct {
		const char *what;
		const char *section;	/* of the second function */
		u8 first, second;
		bool several_cpus;
		int expected;
	} cases[] = {
		{ "all locks", ".text.g", 0xf0, 0xf0, true, 0 },
		{ "no locks", ".text.g", 0x3e, 0x3e, false, 0 },
		{ "no locks, several CPUs", ".text.g", 0x3e, 0x3e, true, -ENOENT },
		{ "the first lock", ".text.g", 0xf0, 0x3e, false, -ENOENT },
		{ "the second lock", ".text.g", 0x3e, 0xf0, false, -ENOENT },
		{ "a lock in other text", ".text.unlikely.g", 0x3e, 0xf0, false, 0 },
		{ "no lock in other text alone", ".text.unlikely.g", 0xf0, 0x3e, false, -ENOENT },
		{ "another prefix", ".text.g", 0x3e, 0x2e, false, -ENOENT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture *fixture = new_fixture();
		struct build *build = &fixture->build;
		static const char text[] = "f0 ff 03 c3";
		u32 section;

		fixture->run.several_cpus = cases[i].several_cpus;
		section = add_section(build, KSPLICE_SECTION_TEXT, "f", text);
		build->sections[section].name = add_text(build, ".text.f");
		add_site(build, 0, 1, KSPLICE_SITE_LOCK, 0, 0);
		section = add_section(build, KSPLICE_SECTION_TEXT, "g", text);
		build->sections[section].name = add_text(build, cases[i].section);
		add_site(build, 0, 1, KSPLICE_SITE_LOCK, 0, 0);
		name_run(&fixture->run, "f", F);
		name_run(&fixture->run, "g", G);
		put_run(&fixture->run, F, text);
		put_run(&fixture->run, G, text);
		fixture->run.bytes[F] = cases[i].first;
		fixture->run.bytes[G] = cases[i].second;
		expect(fixture, cases[i].expected, cases[i].what);
	}
}

/* What a module defines is in the module; what it only refers to may be anywhere. */
static void test_imports(void **state)
{
	unsigned int variant;

	(void)state;
	/* 0: f is found here; 1: it is in the kernel alone; 2: g refers to the kernel's f */
	for (variant = 0; variant < 3; variant++) {
		struct fixture *fixture = new_fixture();
		struct build *build = &fixture->build;

		put_run(&fixture->run, F, "53 89 fb 5b c3");
		put_run(&fixture->run, F + 0x80, "53 89 fb 5b c3");
		fixture->run.import = (struct run_symbol){ "f", F + 0x80 };
		if (variant == 2) {
			add_section(build, KSPLICE_SECTION_TEXT, "g", "e8 00 00 00 00 c3");
			add_branch(build, 1, add_extern(build, "f"));
			put_run(&fixture->run, G, "e8 00 00 00 00 c3");
			put_rel32(&fixture->run, G + 1, F + 0x80);
			name_run(&fixture->run, "g", G);
			set_label(build, 1, "label_f");
		} else {
			add_section(build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
			set_label(build, 0, "label_f");
		}
		if (variant != 1)
			name_run(&fixture->run, "f", F);
		assert_int_equal(match(fixture), variant == 1 ? -ENOENT : 0);
		if (variant != 1)
			assert_int_equal(label_offset(fixture, 0), variant == 0 ? F : F + 0x80);
		free_fixture(fixture);
	}
}

/* However many names there are, the symbols of the run are gone through once. */
static void test_one_pass(void **state)
{
	static char names[MAX_ENTRIES / 2][16];
	struct fixture *fixture = new_fixture();
	u32 i;

	(void)state;
	add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
	name_run(&fixture->run, "f", F);
	put_run(&fixture->run, F, "53 89 fb 5b c3");
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(names[i], sizeof(names[i]), "name_%u", i);
		set_label(&fixture->build, add_extern(&fixture->build, names[i]), names[i]);
		name_run(&fixture->run, names[i], DATA + 8 * i);
	}
	assert_int_equal(match(fixture), 0);
	assert_int_equal(fixture->run.passes, 1);
	free_fixture(fixture);
}

/* g calls f, whose code was replaced: the newest is elsewhere, without a name. */
static struct fixture *new_replaced(u32 called, u32 first)
{
	struct fixture *fixture = new_fixture();
	struct build *build = &fixture->build;

	add_section(build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
	set_label(build, 0, "label_f");
	add_section(build, KSPLICE_SECTION_TEXT, "g", "e8 00 00 00 00 c3");
	add_branch(build, 1, 0);
	name_run(&fixture->run, "f", F);
	name_run(&fixture->run, "g", G);
	put_run(&fixture->run, F, "e9 00 00 00 00");
	put_rel32(&fixture->run, F + 1, NEWEST);
	put_run(&fixture->run, NEWEST, "53 89 fb 5b c3");
	fixture->run.bytes[NEWEST] = (u8)first;
	put_run(&fixture->run, G, "e8 00 00 00 00 c3");
	put_rel32(&fixture->run, G + 1, called);
	fixture->run.replaced = (struct replaced){ F, NEWEST };
	return fixture;
}

/* The newest code is compared; whoever calls it or the first calls the same function. */
static void test_replaced(void **state)
{
	static const u32 called[] = { F, NEWEST };
	struct fixture *fixture;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(called); i++) {
		fixture = new_replaced(called[i], 0x53);
		if (match(fixture) != 0)
			fail_msg("%s", fixture->text);
		assert_int_equal(label_offset(fixture, 0), F);
		assert_int_equal(ksplice_match_section(fixture->matcher, 0)->address,
				 RUN_BASE + NEWEST);
		free_fixture(fixture);
	}
	expect(new_replaced(F, 0x55), -ENOENT, "other newest code");
	expect(new_replaced(CALLEE, 0x53), -ENOENT, "a call of another function");
	fixture = new_replaced(F, 0x53);
	fixture->run.replaced = (struct replaced){ 0, 0 };
	expect(fixture, -ENOENT, "the jump, where nothing is known of it");
	fixture = new_replaced(F, 0x53);
	fixture->run.replaced.newest = NOWHERE;
	expect(fixture, -ENOENT, "newest code that cannot be read");
}

/* f may be in two places; who asks learns of the breakpoint, not of what is unlike f. */
static void test_probes(void **state)
{
	static const struct {
		const char *what;
		const char *first, *second;
		u32 flags;
		const char *text;
	} cases[] = {
		{ "a probe", "53 cc fb 5b c3", NULL, 0, "f+0x1: a breakpoint (kprobe?) is set" },
		{ "a probe, then another function", "53 cc fb 5b c3", "53 89 fb 5b f4", 0,
		  "f+0x1: a breakpoint (kprobe?) is set" },
		{ "another function, then a probe", "53 89 fb 5b f4", "53 cc fb 5b c3", 0,
		  "f+0x1: a breakpoint (kprobe?) is set" },
		{ "a probe on a weak function", "53 cc fb 5b c3", NULL, KSPLICE_SYMBOL_WEAK,
		  "f+0x1: a breakpoint (kprobe?) is set" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture *fixture = new_fixture();
		int ret;

		add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
		fixture->build.symbols[0].flags = cases[i].flags;
		name_run(&fixture->run, "f", F);
		put_run(&fixture->run, F, cases[i].first);
		if (cases[i].second) {
			name_run(&fixture->run, "f", G);
			put_run(&fixture->run, G, cases[i].second);
		}
		ret = match(fixture);
		if (ret != -EBUSY || !strstr(fixture->text, cases[i].text))
			fail_msg("%s: %d: %s", cases[i].what, ret, fixture->text);
		free_fixture(fixture);
	}
}

/* At an alternative: on the original, and on the replacement that is there. */
static void test_probed_alternative(void **state)
{
	static const char *const runs[] = { "53 cc 89 c0 5b c3", "53 cc 01 ca 5b c3" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(runs); i++) {
		struct fixture *fixture = new_fixture();
		struct build *build = &fixture->build;
		u32 replacement = add_section(build, KSPLICE_SECTION_REPLACEMENT, "", "0f 01 ca");
		u32 first = add_alternative(build, replacement, 0, 3);
		int ret;

		add_section(build, KSPLICE_SECTION_TEXT, "f", "53 48 89 c0 5b c3");
		add_site(build, 1, 3, KSPLICE_SITE_ALTERNATIVE, first, 1);
		name_run(&fixture->run, "f", F);
		put_run(&fixture->run, F, runs[i]);
		ret = match(fixture);
		if (ret != -EBUSY || !strstr(fixture->text, "f+0x1: a breakpoint (kprobe?) is set"))
			fail_msg("%s: %d: %s", runs[i], ret, fixture->text);
		free_fixture(fixture);
	}
}

#endif
