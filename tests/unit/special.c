// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of section kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/names.h"
#include "lib/special.h"

#define MERGED_STRINGS	(SHF_ALLOC | SHF_MERGE | SHF_STRINGS)

static const struct {
	const char *name;
	uint64_t flags;
	int class;	/* -1: not known */
} sections[] = {
	{ ".text", SHF_ALLOC, CLASS_TEXT },
	{ ".text.unlikely", SHF_ALLOC, CLASS_TEXT },
	{ ".text.unlikely.foo", SHF_ALLOC, CLASS_TEXT },
	{ ".text.startup", SHF_ALLOC, CLASS_TEXT },
	{ ".text.startup.main", SHF_ALLOC, CLASS_INIT_TEXT },
	{ ".text.fixup", SHF_ALLOC, CLASS_AUX_TEXT },
	{ ".text..surprise", SHF_ALLOC, -1 },
	{ ".text..__x86.return_thunk", SHF_ALLOC, CLASS_FIXED_TEXT },
	{ ".noinstr.text", SHF_ALLOC, CLASS_FIXED_TEXT },
	{ ".init.text", SHF_ALLOC, CLASS_INIT_TEXT },
	{ ".data.foo", SHF_ALLOC, CLASS_DATA },
	{ ".data.once", SHF_ALLOC, CLASS_PRIVATE_DATA },
	{ ".data..once", SHF_ALLOC, CLASS_PRIVATE_DATA },
	{ ".data.once_more", SHF_ALLOC, CLASS_DATA },
	{ ".data..percpu", SHF_ALLOC, CLASS_PERCPU },
	{ ".data..percpu..shared_aligned", SHF_ALLOC, CLASS_PERCPU },
	{ ".data.percpu", SHF_ALLOC, CLASS_DATA },
	{ ".data..read_mostly", SHF_ALLOC, CLASS_DATA },
	{ ".data..ro_after_init", SHF_ALLOC, CLASS_RO_AFTER_INIT },
	{ ".data..Lubsan_data3", SHF_ALLOC, CLASS_UBSAN },
	{ ".data..LASAN0", SHF_ALLOC, CLASS_METADATA },
	{ ".data..LASANLOC12", SHF_ALLOC, CLASS_METADATA },
	{ ".text.startup._sub_I_65535_1", SHF_ALLOC, CLASS_METADATA },
	{ ".data..surprise", SHF_ALLOC, -1 },
	{ ".data.rel.ro.local.x", SHF_ALLOC, CLASS_RODATA },
	{ ".bss.foo", SHF_ALLOC, CLASS_BSS },
	{ ".rodata.foo", SHF_ALLOC, CLASS_RODATA },
	{ ".rodata.str1.1", MERGED_STRINGS, CLASS_STRINGS },
	{ ".rodata.foo.str1.8", MERGED_STRINGS, CLASS_STRINGS },
	{ ".rodata.str", SHF_ALLOC, CLASS_RODATA },
	{ ".rodata.cst16", SHF_ALLOC | SHF_MERGE, CLASS_CONSTANTS },
	{ ".init.rodata", SHF_ALLOC, CLASS_INIT_DATA },
	{ "__jump_table", SHF_ALLOC, CLASS_TABLE },
	{ ".discard.reachable", 0, CLASS_TABLE },
	{ ".discard.addressable", SHF_ALLOC, CLASS_METADATA },
	{ ".ksplice_assume_rodata", SHF_ALLOC, CLASS_METADATA },
	{ "___ksymtab_gpl+foo", SHF_ALLOC, CLASS_EXPORT },
	{ ".initcall6.init", SHF_ALLOC, CLASS_INIT_DATA },
	{ ".pci_fixup_final", SHF_ALLOC, CLASS_RODATA },
	{ ".debug_info", 0, CLASS_NOT_LOADED },
	{ ".surprise", 0, CLASS_NOT_LOADED },
	{ ".surprise", SHF_ALLOC, -1 },
	{ "", SHF_ALLOC, -1 },
};

static void test_names(void **state)
{
	const struct section_kind *kind;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		kind = find_kind(sections[i].name, sections[i].flags);
		if ((kind ? (int)kind->class : -1) != sections[i].class)
			fail_msg("%s is of class %d, not %d", sections[i].name,
				 kind ? (int)kind->class : -1, sections[i].class);
	}
}

/* No two rows say anything about the same names with the same precision. */
static void test_rows_are_unique(void **state)
{
	const struct section_kind *kinds;
	size_t i, j, count;

	(void)state;
	kinds = section_kinds(&count);
	assert_true(count > 150);
	for (i = 0; i < count; i++)
		for (j = i + 1; j < count; j++)
			if (!strcmp(kinds[i].pattern, kinds[j].pattern) &&
			    (kinds[i].merge == kinds[j].merge || kinds[i].merge == MERGE_ANY ||
			     kinds[j].merge == MERGE_ANY))
				fail_msg("two rows for %s", kinds[i].pattern);
}

/* Each row is found by a name that it is for: none hides behind another. */
static void test_rows_are_reachable(void **state)
{
	static const uint64_t flags[] = {
		[MERGE_ANY] = SHF_ALLOC,
		[MERGE_NOT] = SHF_ALLOC,
		[MERGE_STRINGS] = MERGED_STRINGS,
		[MERGE_CONSTANTS] = SHF_ALLOC | SHF_MERGE,
	};
	const struct section_kind *kinds, *found;
	char name[128];
	size_t i, count;

	(void)state;
	kinds = section_kinds(&count);
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s", kinds[i].pattern);
		if (name[strlen(name) - 1] == '*')
			strcpy(name + strlen(name) - 1, "zzz");
		found = find_kind(name, flags[kinds[i].merge]);
		if (found != &kinds[i])
			fail_msg("%s is found as %s", name, found ? found->pattern : "nothing");
	}
}

static void test_stems(void **state)
{
	static const char *const stems[][2] = {
		{ "foo", "foo" },
		{ "foo.123", "foo" },
		{ "foo.isra.0.cold.7", "foo.isra.cold" },
		{ "foo.constprop.12", "foo.constprop" },
		{ "foo.4k", "foo.4k" },
		{ "__UNIQUE_ID_ddebug412.3", "__UNIQUE_ID_ddebug" },
		{ "f1.__key.2", "f1.__key" },
	};
	struct arena arena = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(stems) / sizeof(*stems); i++)
		assert_string_equal(stem_of(stems[i][0], &arena), stems[i][1]);
	arena_free(&arena);
	assert_int_equal(parent_length("foo.cold"), 3);
	assert_int_equal(parent_length("foo.isra.0.cold.3"), 10);
	assert_int_equal(parent_length("foo.part.1"), 3);
	assert_int_equal(parent_length("foo.coldish"), 0);
	assert_int_equal(parent_length("foo"), 0);
	assert_true(is_private_static("__func__.7"));
	assert_true(is_private_static("init_fields.__key.7"));
	assert_false(is_private_static("__keyring"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_rows_are_unique),
		cmocka_unit_test(test_rows_are_reachable),
		cmocka_unit_test(test_stems),
	};

	return cmocka_run_group_tests_name("special", tests, NULL, NULL);
}
