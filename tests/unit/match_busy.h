/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hides whether a place is the right one, and what cannot be told at all.
 * Included by tests/unit/match.c, which has the fixture.
 */
#ifndef KSPLICE_TEST_MATCH_BUSY_H
#define KSPLICE_TEST_MATCH_BUSY_H

/* Two equal functions, and a probe in one: neither is taken, the probe is in the way. */
static void test_probed_twins(void **state)
{
	static const struct {
		const char *what;
		const char *first, *second;	/* what is at the two places */
		u32 optimized;			/* where a kprobe became a jump */
		int expected;
		u32 place;			/* of the mismatch */
	} cases[] = {
		{ "a breakpoint in the first", "53 cc fb 89 f0 5b c3", "53 89 fb 89 f0 5b c3", 0,
		  -EBUSY, F + 1 },
		{ "a breakpoint in the second", "53 89 fb 89 f0 5b c3", "53 cc fb 89 f0 5b c3", 0,
		  -EBUSY, F + 0x81 },
		{ "a jump in the first", "53 e9 00 00 00 00 c3", "53 89 fb 89 f0 5b c3", F + 1,
		  -EBUSY, F + 1 },
		{ "a jump that is no kprobe", "53 e9 00 00 00 00 c3", "53 89 fb 89 f0 5b c3", 0, 0,
		  0 },
		{ "a breakpoint, and other code", "53 cc fb 89 f0 5b c3", "53 89 fb 89 f1 5b c3", 0,
		  -EBUSY, F + 1 },
		{ "other code, and a breakpoint", "53 89 fb 89 f1 5b c3", "53 cc fb 89 f0 5b c3", 0,
		  -EBUSY, F + 0x81 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture *fixture = new_fixture();
		int ret;

		add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 89 f0 5b c3");
		set_label(&fixture->build, 0, "label_f");
		name_run(&fixture->run, "f", F);
		name_run(&fixture->run, "f", F + 0x80);
		put_run(&fixture->run, F, cases[i].first);
		put_run(&fixture->run, F + 0x80, cases[i].second);
		fixture->run.probed = cases[i].optimized;
		ret = match(fixture);
		if (ret != cases[i].expected)
			fail_msg("%s: %d: %s", cases[i].what, ret, fixture->text);
		if (ret != 0)
			assert_int_equal(ksplice_match_mismatch(fixture->matcher)->address,
					 RUN_BASE + cases[i].place);
		free_fixture(fixture);
	}
}

/* A caller says which of two is meant: the probe in the other one is in nobody's way. */
static void test_probed_stranger(void **state)
{
	u32 probed;

	(void)state;
	for (probed = F; probed <= F + 0x80; probed += 0x80) {
		struct fixture *fixture = new_twins(true, true);

		fixture->run.bytes[probed] = 0xcc;
		assert_int_equal(match(fixture), probed == F ? 0 : -EBUSY);
		free_fixture(fixture);
	}
}

/* A weak function with a probe in it was not overridden, as far as can be told. */
static void test_probed_weak(void **state)
{
	struct fixture *fixture = new_fixture();

	(void)state;
	add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
	fixture->build.symbols[0].flags = KSPLICE_SYMBOL_WEAK;
	name_run(&fixture->run, "f", F);
	put_run(&fixture->run, F, "53 cc fb 5b c3");
	expect(fixture, -EBUSY, "a weak one with a probe");
}

/* A branch into code that stays ambiguous goes where it should, or that cannot be told. */
static void test_into_unmatched(void **state)
{
	static const char cold[] = "31 c0 31 c9 31 d2 0f 0b";
	u32 off;

	(void)state;
	for (off = 0; off <= 2; off += 2) {
		struct fixture *fixture = new_fixture();
		struct build *build = &fixture->build;

		add_section(build, KSPLICE_SECTION_TEXT, "f.cold", cold);
		add_section(build, KSPLICE_SECTION_TEXT, "g", "85 ff 0f 84 00 00 00 00 c3");
		add_reloc(build, 4, 0, KSPLICE_RELOC_PC32, -4, -4 + 2);	/* je f.cold+2 */
		name_run(&fixture->run, "g", G);
		name_run(&fixture->run, "f.cold", F);
		name_run(&fixture->run, "f.cold", F + 0x80);
		put_run(&fixture->run, F, cold);
		put_run(&fixture->run, F + 0x80, cold);
		put_run(&fixture->run, G, "85 ff 0f 84 00 00 00 00 c3");
		put_rel32(&fixture->run, G + 4, F + 2 + off);
		expect(fixture, off == 0 ? 0 : -ENOENT, "a branch into one of two");
	}
}

/* Whoever changes the code between the two times that it is read is in the way. */
static void test_changing(void **state)
{
	unsigned int reads;

	(void)state;
	for (reads = 0; reads < 2; reads++) {
		struct fixture *fixture = new_fixture();
		int ret;

		add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f", "53 89 fb 5b c3");
		name_run(&fixture->run, "f", F);
		put_run(&fixture->run, F, "53 89 fb 5b c3");
		fixture->run.changing = F + 2;
		fixture->run.reads = reads;
		ret = match(fixture);
		if (ret != (reads == 0 ? -ENOENT : -EBUSY) ||
		    !strstr(fixture->text, reads == 0 ? "f+0x1: another instruction" :
							"f: the code changes while it is compared"))
			fail_msg("changed after %u reads: %d: %s", reads, ret, fixture->text);
		free_fixture(fixture);
	}
}

/* A branch that goes elsewhere is shown where it is, whatever was tried before. */
static void test_bad_branch(void **state)
{
	struct fixture *fixture;
	unsigned int patched;
	u32 pv_ops;

	(void)state;
	/* push; je +2; paravirt call; inc; pop; ret: in the run, je goes to the ret */
	for (patched = 0; patched < 2; patched++) {
		fixture = new_fixture();
		add_section(&fixture->build, KSPLICE_SECTION_TEXT, "f",
			    "53 74 09 ff 14 25 00 00 00 00 ff c0 5b c3");
		pv_ops = add_extern(&fixture->build, "pv_ops");
		add_reloc(&fixture->build, 6, pv_ops, KSPLICE_RELOC_ABS32S, 0, 8 * PV_SLOT);
		add_site(&fixture->build, 3, 7, KSPLICE_SITE_PARAVIRT, pv_ops, PV_SLOT);
		name_run(&fixture->run, "f", F);
		put_address(&fixture->run, PV_OPS + 8 * PV_SLOT, PV_FUNCTION);
		put_run(&fixture->run, F,
			patched ? "53 74 0a e8 00 00 00 00 66 90 ff c0 5b c3" :
				  "53 74 0a ff 14 25 18 40 00 81 ff c0 5b c3");
		if (patched)
			put_rel32(&fixture->run, F + 4, PV_FUNCTION);
		assert_int_equal(match(fixture), -ENOENT);
		assert_int_equal(ksplice_match_mismatch(fixture->matcher)->offset, 1);
		assert_int_equal(ksplice_match_mismatch(fixture->matcher)->address, RUN_BASE + F + 1);
		assert_non_null(strstr(fixture->text, "another place in the function"));
		free_fixture(fixture);
	}
}

#endif
