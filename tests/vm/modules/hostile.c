// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * New code for an update, as a rule "string", that is wrong in the way that the parameter
 * names.  The core must refuse it, whatever it is; "nothing" is what it accepts.
 */
#include <linux/module.h>
#include <linux/sched.h>

#include "compat.h"
#include "ksplice.h"
#include "update_id.h"

static char *wrong = "";
module_param(wrong, charp, 0);
MODULE_PARM_DESC(wrong, "what is wrong");

static unsigned long function;
module_param(function, ulong, 0);
MODULE_PARM_DESC(function, "address of the function to replace");

static unsigned long constant;
module_param(constant, ulong, 0);
MODULE_PARM_DESC(constant, "address of the constant to replace, in place of a function");

static char id[32] = "string";
module_param_string(id, id, sizeof(id), 0);
MODULE_PARM_DESC(id, "of the update");

static noinline int new_function(void)
{
	return 4711;
}

static void hook(void)
{
}

static unsigned long text_end(void)
{
	unsigned long start, size;

	ksplice_module_text(THIS_MODULE, &start, &size);
	return start + size;
}

static char endless[KSPLICE_ID_MAX + 1] = "no end in sight";
static struct ksplice_patch patches[2];
static struct ksplice_range ranges[2];
static struct ksplice_patch constants[2];
static struct ksplice_write writes[1];
static struct ksplice_hook hooks[1];
/* Of hex_asc[], which KASAN puts into a section of 64 bytes. */
static const char new_constant[64] = "0123456789GHIJKL";
static char gone_constant[sizeof(new_constant)] __initdata;
static struct ksplice_mod_change change = {
	.abi = KSPLICE_ABI,
	.target = "vmlinux",
	.description = "hostile",
	.owner = THIS_MODULE,
	.patches = patches,
	.nr_patches = 1,
	.ranges = ranges,
	.nr_ranges = 1,
	.constants = constants,
	.writes = writes,
	.hooks = hooks,
};
static u8 published[4096] __aligned(8);

static bool is(const char *name)
{
	return strcmp(wrong, name) == 0;
}

static void break_tables(void)
{
	if (is("patches-elsewhere"))
		change.patches = (const void *)current;
	if (is("patches-null"))
		change.patches = NULL;
	if (is("patches-count"))
		change.nr_patches = 60000;
	if (is("patches-overflow"))
		change.nr_patches = ULONG_MAX / sizeof(*patches) + 2;
	if (is("ranges-elsewhere"))
		change.ranges = (const void *)current;
	if (is("ranges-count"))
		change.nr_ranges = ULONG_MAX / 2;
	if (is("ranges-unaligned"))
		change.ranges = (const void *)((const char *)ranges + 1);
}

static void break_entries(void)
{
	if (is("old-address"))
		patches[0].old_address = function + 1;
	if (is("old-data"))
		patches[0].old_address = (unsigned long)current;
	if (is("new-address"))
		patches[0].new_address = (unsigned long)current;
	if (is("new-behind"))
		patches[0].new_address = text_end();
	if (is("new-data"))
		patches[0].new_address = (unsigned long)patches;
	if (is("name"))
		patches[0].name = current->comm;
	if (is("range"))
		ranges[0].address = (unsigned long)new_function;
	if (is("range-name"))
		ranges[0].name = NULL;
	if (is("twice")) {
		patches[1] = patches[0];
		change.nr_patches = 2;
	}
}

static void break_constant_table(void)
{
	if (is("constants-elsewhere"))
		change.constants = (const void *)current;
	if (is("constants-null"))
		change.constants = NULL;
	if (is("constants-count"))
		change.nr_constants = 60000;
	if (is("constants-overflow"))
		change.nr_constants = ULONG_MAX / sizeof(*constants) + 2;
	if (is("constants-unaligned"))
		change.constants = (const void *)((const char *)constants + 1);
	if (is("constant-twice")) {
		constants[1] = constants[0];
		change.nr_constants = 2;
	}
}

static void break_constant(void)
{
	if (is("constant-name"))
		constants[0].name = current->comm;
	if (is("old-constant"))
		constants[0].old_address = constant + 1;
	if (is("old-constant-data"))
		constants[0].old_address = (unsigned long)current;
	if (is("old-constant-text"))
		constants[0].old_address = function;
	if (is("new-constant"))
		constants[0].new_address = (unsigned long)current;
	if (is("new-constant-gone"))
		constants[0].new_address = (unsigned long)gone_constant;
	if (is("new-constant-overflow"))
		constants[0].new_address = ULONG_MAX;
	/* Only the first byte is in the module. */
	while (is("new-constant-end") &&
	       within_module_core(constants[0].new_address + 1, THIS_MODULE))
		constants[0].new_address++;
}

/* Some nop of the kernel that is as long as ENDBR, behind the entry of the function. */
static unsigned long find_nop(void)
{
	static const u8 nop[] = { 0x0f, 0x1f, 0x40, 0x00 };
	const u8 *text = (const u8 *)function + 1;

	/* i386 has no ENDBR, and no such nops. */
	if (IS_ENABLED(CONFIG_X86_32))
		return function + 1;
	while (memcmp(text, nop, sizeof(nop)) != 0)
		text++;
	return (unsigned long)text;
}

/* A write of a constant, or of ENDBR, that would be right but for one thing. */
static void break_writes(void)
{
	bool endbr = strncmp(wrong, "endbr", 5) == 0;
	const struct ksplice_write write = {
		.address = endbr ? function : (unsigned long)new_function,
		.source = endbr ? 0 : function,
		.size = 4,
	};

	if (strncmp(wrong, "write", 5) != 0 && !endbr)
		return;
	writes[0] = write;
	change.nr_writes = 1;
	if (is("writes-count"))
		change.nr_writes = 60000;
	if (is("writes-elsewhere"))
		change.writes = (const void *)current;
	if (is("write-data"))
		writes[0].address = (unsigned long)patches;
	if (is("write-code"))
		writes[0].address = function;
	if (is("write-none"))
		writes[0].size = 0;
	if (is("write-size"))
		writes[0].size = sizeof(long) + 1;
	if (is("write-source"))
		writes[0].source = (unsigned long)current;
	if (is("write-end") || is("write-behind"))
		writes[0].address = text_end() - is("write-end");
	if (is("endbr-elsewhere"))
		writes[0].address = find_nop();
	if (is("endbr-data"))
		writes[0].address = (unsigned long)current;
}

static void break_hooks(void)
{
	if (strncmp(wrong, "hook", 4) != 0)
		return;
	hooks[0].function.act = hook;
	hooks[0].kind = KSPLICE_POST_APPLY;
	hooks[0].name = "hook";
	change.nr_hooks = 1;
	if (is("hooks-elsewhere"))
		change.hooks = (const void *)current;
	if (is("hooks-count"))
		change.nr_hooks = 60000;
	if (is("hook-kind"))
		hooks[0].kind = KSPLICE_HOOK_KINDS;
	if (is("hook-data"))
		hooks[0].function.act = (void *)patches;
	if (is("hook-code"))
		hooks[0].function.act = (void *)function;
	if (is("hook-behind"))
		hooks[0].function.act = (void *)text_end();
	if (is("hook-name"))
		hooks[0].name = current->comm;
	if (is("hook-null"))
		hooks[0].name = NULL;
}

/* As if it were the half with the old code. */
static void break_old(void)
{
	if (strncmp(wrong, "published", 9) != 0 && strncmp(wrong, "code", 4) != 0)
		return;
	change.patches = NULL;
	change.nr_patches = 0;
	change.nr_ranges = 0;
	change.old_code = (const void *)published;
	change.old_code_size = sizeof(published);
	change.published = published;
	change.published_size = sizeof(published);
	if (is("published-elsewhere"))
		change.published = current;
	if (is("published-size"))
		change.published_size = 1UL << 30;
	if (is("published-unaligned"))
		change.published = published + 1;
	if (is("code-elsewhere"))
		change.old_code = (const void *)current;
	if (is("code-size"))
		change.old_code_size = 1UL << 30;
}

static void break_change(void)
{
	if (is("abi-newer"))
		change.abi = KSPLICE_ABI + 1;
	if (is("abi-older"))
		change.abi = KSPLICE_ABI - 1;
	if (is("owner"))
		change.owner = NULL;
	if (is("id"))
		change.id = endless;
	if (is("id-null"))
		change.id = NULL;
	if (is("target"))
		change.target = current->comm;
	if (is("description"))
		change.description = (const char *)current;
	if (is("old-code"))
		change.old_code = (const void *)current;
}

static int __init hostile_init(void)
{
	change.id = id;
	memset(endless, '/', sizeof(endless));
	patches[0] = (struct ksplice_patch){ function, (unsigned long)new_function, "new_function" };
	ranges[0] = (struct ksplice_range){ function, 1UL << 30, "range" };
	if (constant) {
		constants[0] = (struct ksplice_patch){ constant, (unsigned long)new_constant,
						       "new_constant" };
		change.nr_constants = 1;
		change.nr_patches = 0;
		change.nr_ranges = 0;
	}
	break_constant_table();
	break_constant();
	break_tables();
	break_entries();
	break_writes();
	break_hooks();
	break_old();
	break_change();
	return register_ksplice_mod_change(&change);
}

static void __exit hostile_exit(void)
{
	unregister_ksplice_mod_change(&change);
}

module_init(hostile_init);
module_exit(hostile_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Wrong new code");
