// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel may put at a site, kind by kind: a second opinion on the rules of
 * kmodsrc/match_site.c, for mutate.c.  The image is of 6.1 or later, for x86-64.
 */
#include "tests/match/mutate.h"

#define FORM_MAX	256	/* bytes of a site; the kernel's tables have one byte for that */

/* A site of the old code, and the bytes that are there in the mutated image. */
struct form {
	struct subject *subject;
	const struct ksplice_old_site *site;
	const u8 *pre;			/* the same as compiled */
	const struct ksplice_old_section *section;
	unsigned long address;
	u8 bytes[FORM_MAX];
};

typedef const char *(*form_rule)(const struct form *form);

/* Nothing but these from @at on. */
static bool only(const struct form *form, u32 at, u32 flags)
{
	struct ksplice_insn insn;

	for (; at < form->site->length; at += insn.length)
		if (ksplice_insn_decode(&insn, form->bytes + at, form->site->length - at, 8) != 0 ||
		    !(insn.flags & flags))
			return false;
	return true;
}

static bool only_nops(const struct form *form, u32 at)
{
	return only(form, at, KSPLICE_INSN_NOP);
}

static bool only_padding(const struct form *form, u32 at)
{
	return only(form, at, KSPLICE_INSN_NOP | KSPLICE_INSN_INT3);
}

/* A call or jump of that kind at the start of the site; its length, or 0. */
static u32 branch(const struct form *form, enum ksplice_branch kind, unsigned long *target)
{
	struct ksplice_insn insn;

	if (ksplice_insn_decode(&insn, form->bytes, form->site->length, 8) != 0 ||
	    insn.branch != kind)
		return 0;
	*target = form->address + insn.length +
		  (unsigned long)(long)ksplice_insn_field(form->bytes, insn.rel_offset, insn.rel_size);
	return insn.length;
}

/* What the compiler made: a call, a jump, or neither. */
static enum ksplice_branch compiled(const struct form *form)
{
	struct ksplice_insn insn;

	return ksplice_insn_decode(&insn, form->pre, form->site->length, 8) == 0 ?
		       insn.branch : KSPLICE_BRANCH_NONE;
}

static bool is_called(const struct form *form, unsigned long address, const char *name)
{
	const struct home *home = &form->subject->home;
	size_t i;

	for (i = 0; i < home->nr_named; i++)
		if (home->named[i].value == address && strcmp(home->named[i].name, name) == 0)
			return true;
	return false;
}

/* The pointer that is @slot pointers behind a symbol of the block. */
static bool pointer(const struct form *form, u32 symbol, u32 slot, unsigned long *value)
{
	unsigned long address;

	return ksplice_match_value(form->subject->matcher, symbol, &address) == 0 &&
	       subject_read(form->subject, address + 8 * slot, value, sizeof(*value)) == 0;
}

static const char *fentry(const struct form *form)
{
	unsigned long target, word;

	if (only_nops(form, 0))
		return "nops";
	if (branch(form, KSPLICE_BRANCH_CALL, &target) != form->site->length)
		return NULL;
	if (is_called(form, target, "ftrace_caller") || is_called(form, target, "ftrace_regs_caller") ||
	    is_called(form, target, "__fentry__"))
		return "a call of ftrace";
	if (!ksplice_in_kernel(form->subject->matcher, target) &&
	    subject_read(form->subject, target, &word, sizeof(word)) == 0)
		return "a call of what is not the kernel's";
	return NULL;
}

/* Whether a PC-relative field goes where the old code's does: @address is field + value. */
static bool refers_to(const struct subject *subject, const struct ksplice_old_reloc *reloc,
		      unsigned long address)
{
	unsigned long value;

	return reloc->kind == KSPLICE_RELOC_PC32 && reloc->section == KSPLICE_NONE &&
	       ksplice_match_value(subject->matcher, reloc->symbol, &value) == 0 &&
	       address == value + (unsigned long)reloc->addend;
}

/* The start of the site is this replacement, its references as they should be. */
static bool is_replaced(const struct form *form, const struct ksplice_old_alternative *alternative)
{
	const struct ksplice_old_tables *tables = &form->subject->home.tables;
	const struct ksplice_old_section *section = &tables->sections[alternative->section];
	const u8 *bytes = tables->contents + section->contents + alternative->offset;
	const struct ksplice_old_reloc *reloc = &tables->relocs[section->relocs];
	const struct ksplice_old_reloc *end = reloc + section->nr_relocs;
	u32 i = 0;
	s32 field;

	while (reloc < end && reloc->offset < alternative->offset)
		reloc++;
	while (i < alternative->length) {
		if (reloc == end || reloc->offset != alternative->offset + i) {
			if (bytes[i] != form->bytes[i])
				return false;
			i++;
			continue;
		}
		memcpy(&field, form->bytes + i, sizeof(field));
		if (!refers_to(form->subject, reloc, form->address + i + (unsigned long)(long)field))
			return false;
		i += sizeof(field);
		reloc++;
	}
	return only_padding(form, alternative->length);
}

static const char *alternative(const struct form *form)
{
	const struct ksplice_old_alternative *alternatives =
		&form->subject->home.tables.alternatives[form->site->arg];
	u32 i;

	for (i = 0; i < form->site->arg2; i++)
		if (is_replaced(form, &alternatives[i]))
			return alternatives[i].length > 0 ? "a replacement" : "nops";
	return NULL;
}

static const char *paravirt(const struct form *form)
{
	unsigned long target, function;
	u32 length = branch(form, KSPLICE_BRANCH_CALL, &target);

	if (!pointer(form, form->site->arg, form->site->arg2, &function))
		return NULL;
	if (length > 0 && target == function && only_nops(form, length))
		return "a direct call";
	if (only_nops(form, 0) && (is_called(form, function, "_paravirt_nop") ||
				   is_called(form, function, "nop_func")))
		return "nops for a function that does nothing";
	return NULL;
}

/* Number of the register in the name of the thunk that the compiler's branch goes to. */
static int thunk_register(const struct form *form)
{
	static const char *const registers[] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di",
						 "8",  "9",  "10", "11", "12", "13", "14", "15" };
	const struct ksplice_old_tables *tables = &form->subject->home.tables;
	const struct ksplice_old_reloc *reloc = &tables->relocs[form->section->relocs];
	const struct ksplice_old_reloc *end = reloc + form->section->nr_relocs;
	static const char prefix[] = "__x86_indirect_thunk_r";
	const char *name;
	int i;

	while (reloc < end && reloc->offset < form->site->offset)
		reloc++;
	if (reloc == end || reloc->symbol == KSPLICE_NONE)
		return -1;
	name = tables->strings + tables->symbols[reloc->symbol].name;
	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return -1;
	for (i = 0; i < 16; i++)
		if (strcmp(name + strlen(prefix), registers[i]) == 0)
			return i;
	return -1;
}

/* The indirect branch itself; the prefixes that the kernel puts before it do nothing. */
static const char *retpoline(const struct form *form)
{
	static const u8 lfence[] = { 0x0f, 0xae, 0xe8 };
	const u8 *bytes = form->bytes;
	int reg = thunk_register(form);
	u32 i = 0;

	if (reg < 0)
		return NULL;
	if (memcmp(bytes, lfence, sizeof(lfence)) == 0)
		i = sizeof(lfence);
	while (i < form->site->length && bytes[i] == 0x2e)
		i++;
	if (reg >= 8 && bytes[i++] != 0x41)
		return NULL;
	if (i + 2 > form->site->length || bytes[i] != 0xff ||
	    bytes[i + 1] != (compiled(form) == KSPLICE_BRANCH_CALL ? 0xd0 : 0xe0) + (reg & 7) ||
	    !only_padding(form, i + 2))
		return NULL;
	return "the indirect branch";
}

static const char *return_(const struct form *form)
{
	static const char *const thunks[] = {
		"__x86_return_thunk",	 "its_return_thunk",	     "srso_return_thunk",
		"retbleed_return_thunk", "srso_alias_return_thunk", "call_depth_return_thunk",
	};
	unsigned long target;
	u32 length = branch(form, KSPLICE_BRANCH_JMP, &target);
	size_t i;

	if (form->bytes[0] == 0xc3 && only_padding(form, 1))
		return "ret";
	for (i = 0; i < ARRAY_SIZE(thunks); i++)
		if (length > 0 && is_called(form, target, thunks[i]) && only_padding(form, length))
			return "a return thunk";
	return NULL;
}

static const char *jump_label(const struct form *form)
{
	const struct ksplice_matched *matched = &form->subject->matcher->matched[form->site->arg];
	unsigned long target;

	if (only_nops(form, 0))
		return "nops";
	if (branch(form, KSPLICE_BRANCH_JMP, &target) == form->site->length &&
	    target == ksplice_run_address(matched, matched->address, form->site->arg2))
		return "a jump to the label";
	return NULL;
}

static const char *static_call(const struct form *form)
{
	static const u8 clear[] = { 0x2e, 0x2e, 0x2e, 0x31, 0xc0 };
	unsigned long function, target;

	if (!pointer(form, form->site->arg, 0, &function))
		return NULL;
	if (branch(form, compiled(form), &target) > 0 && target == function)
		return "a direct call";
	if (function == 0 && compiled(form) == KSPLICE_BRANCH_CALL && only_nops(form, 0))
		return "nops for a call of NULL";
	if (function == 0 && compiled(form) == KSPLICE_BRANCH_JMP && return_(form))
		return "a return for a jump to NULL";
	if (is_called(form, function, "__static_call_return0") &&
	    memcmp(form->bytes, clear, sizeof(clear)) == 0)
		return "a result that is cleared";
	return NULL;
}

static const char *endbr(const struct form *form)
{
	return only_nops(form, 0) ? "nops" : NULL;
}

static const char *runtime(const struct form *form)
{
	u32 size = form->site->arg2, opcode = form->site->length - size;
	unsigned long value;

	if (pointer(form, form->site->arg, 0, &value) &&
	    memcmp(form->bytes, form->pre, opcode) == 0 &&
	    (memcmp(form->bytes + opcode, &value, size) == 0 ||
	     memcmp(form->bytes + opcode, form->pre + opcode, size) == 0))
		return "the value of the variable";
	return NULL;
}

/*
 * Without a rule: locks, which are all there in a file, and calls, whose callees are not
 * counted there.
 */
static const form_rule rules[KSPLICE_SITE_KINDS] = {
	[KSPLICE_SITE_FENTRY] = fentry,
	[KSPLICE_SITE_ALTERNATIVE] = alternative,
	[KSPLICE_SITE_PARAVIRT] = paravirt,
	[KSPLICE_SITE_RETPOLINE] = retpoline,
	[KSPLICE_SITE_RETURN] = return_,
	[KSPLICE_SITE_JUMP_LABEL] = jump_label,
	[KSPLICE_SITE_STATIC_CALL] = static_call,
	[KSPLICE_SITE_ENDBR] = endbr,
	[KSPLICE_SITE_RUNTIME] = runtime,
};

const char *site_form(struct subject *subject, u32 section, const struct ksplice_old_site *site)
{
	const struct ksplice_old_tables *tables = &subject->home.tables;
	const struct ksplice_matched *matched = &subject->matcher->matched[section];
	struct form form = {
		.subject = subject,
		.site = site,
		.section = &tables->sections[section],
		.pre = tables->contents + tables->sections[section].contents + site->offset,
		.address = ksplice_run_address(matched, matched->address, site->offset),
	};

	if (!rules[site->kind] || site->length > FORM_MAX ||
	    subject_read(subject, form.address, form.bytes, site->length) != 0)
		return NULL;
	return rules[site->kind](&form);
}
