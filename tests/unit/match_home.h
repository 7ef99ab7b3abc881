/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the home tells the engine: whose symbols there are, and how many CPUs.
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

#endif
