// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sites: places of the text that the kernel rewrites, at boot or while it runs.
 *
 * Each kind has a rule that says which forms the kernel can put there.  All but
 * nops are decoded and compared by what they do: a call must go where this
 * kernel's tables say that it goes.  Facts are from arch/x86/kernel of Linux 6.1
 * (alternative.c, paravirt.c, static_call.c, jump_label.c, ftrace.c) unless said.
 */
#include "match_site.h"

bool ksplice_only_padding(const struct ksplice_place *place, u32 run, u32 end)
{
	struct ksplice_insn insn;

	while (run < end) {
		if (ksplice_run_decode(place, run, &insn) != 0 ||
		    !(insn.flags & (KSPLICE_INSN_NOP | KSPLICE_INSN_INT3)))
			return false;
		run += insn.length;
	}
	return run == end;
}

static bool only_nops(const struct ksplice_place *place, u32 run, u32 end)
{
	struct ksplice_insn insn;

	while (run < end) {
		if (ksplice_run_decode(place, run, &insn) != 0 ||
		    !(insn.flags & KSPLICE_INSN_NOP))
			return false;
		run += insn.length;
	}
	return run == end;
}

bool ksplice_run_branch(const struct ksplice_place *place, u32 run, enum ksplice_branch kind,
			struct ksplice_insn *insn, unsigned long *target)
{
	if (ksplice_run_decode(place, run, insn) != 0 || insn->branch != kind)
		return false;
	*target = ksplice_run_target(place, run, insn);
	return true;
}

bool ksplice_pre_insn(const struct site_place *at, struct ksplice_insn *insn)
{
	return ksplice_insn_decode(insn, at->pre, at->site->length,
				   at->place->matcher->old->word_size) == 0;
}

int ksplice_match_original(const struct site_place *at)
{
	struct ksplice_place *place = at->place;
	u32 from = at->site->offset, end;
	u32 journal = place->matcher->journal_length, nr_shifts = place->nr_shifts;
	unsigned int locks = place->matcher->locks_here;
	struct ksplice_bad_branch bad_branch = place->bad_branch;
	int ret = ksplice_code_match(place, from, from + at->site->length, at->index + 1, at->run,
				     &end, at->depth + 1);

	if (ret == 0 && end == site_end(at))
		return 0;
	ksplice_symbols_rollback(place->matcher, journal);
	place->matcher->locks_here = locks;
	place->nr_shifts = nr_shifts;
	place->bad_branch = bad_branch;
	return ret != 0 ? ret : site_differs(at, "the size of a site differs");
}

/*
 * Whether @target is a trampoline of ftrace, of BPF or of whoever traces directly:
 * memory that is not of the kernel's own image.
 */
static bool is_trampoline(const struct ksplice_matcher *matcher, unsigned long target)
{
	unsigned long word;

	return ksplice_known_address(matcher, KSPLICE_KNOWN_TEXT) != 0 &&
	       !ksplice_in_kernel(matcher, target) &&
	       ksplice_read_word(matcher, target, &word) == 0;
}

/*
 * Whether @target is a function of ftrace for all who trace.  That of the graph tracer is
 * called itself where ftrace_caller does not have all registers, as on i386
 * (FTRACE_GRAPH_TRAMP_ADDR, arch/x86/include/asm/ftrace.h, 6.1).
 */
static bool is_tracer(const struct ksplice_matcher *matcher, unsigned long target)
{
	return ksplice_known_is(matcher, KSPLICE_KNOWN_FTRACE_CALLER, target) ||
	       ksplice_known_is(matcher, KSPLICE_KNOWN_FTRACE_REGS_CALLER, target) ||
	       ksplice_known_is(matcher, KSPLICE_KNOWN_FTRACE_GRAPH_CALLER, target);
}

/* ftrace: a nop, or a call to what traces; before boot is done, to __fentry__. */
static int match_fentry(const struct site_place *at)
{
	const struct ksplice_matcher *matcher = at->place->matcher;
	unsigned long target;
	struct ksplice_insn insn;

	if (only_nops(at->place, at->run, site_end(at)) || ksplice_match_original(at) == 0)
		return 0;
	if (ksplice_run_branch(at->place, at->run, KSPLICE_BRANCH_CALL, &insn, &target) &&
	    insn.length == at->site->length &&
	    (is_tracer(matcher, target) || is_trampoline(matcher, target)))
		return 0;
	return site_differs(at, "neither a nop nor a call to what traces");
}

/*
 * One replacement.  Unless @lenient, its branches into the function must fit the
 * layout; the first pass over a function whose layout differs knows none.
 */
static int match_replacement(const struct site_place *at,
			     const struct ksplice_old_alternative *alternative, bool lenient)
{
	static const struct ksplice_matched no_shifts;
	struct ksplice_place *place = at->place;
	struct ksplice_matcher *matcher = place->matcher;
	const struct ksplice_old_section *section =
		&matcher->tables.sections[alternative->section];
	struct ksplice_place copy = {
		.matcher = matcher,
		.section = alternative->section,
		.old = section,
		.pre = matcher->tables.contents + section->contents,
		.address = ksplice_place_address(place, at->run),
		.run = place->run + at->run,
		.run_size = at->site->length,
		.origin = alternative->offset,
		.outer = at->place,
		.assumed = &no_shifts,
	};
	u32 journal = matcher->journal_length, end;
	unsigned int locks = matcher->locks_here;
	struct ksplice_bad_branch bad_branch = place->bad_branch;
	int ret;

	if (alternative->length > at->site->length)
		return -ENOENT;
	place->bad_branch.seen = false;
	ret = ksplice_code_match(&copy, alternative->offset,
				 alternative->offset + alternative->length, section->sites, 0,
				 &end, at->depth + 1);
	if (ret == 0 && !copy.bad_branch.seen && (lenient || !place->bad_branch.seen) &&
	    ksplice_only_padding(place, at->run + end, site_end(at))) {
		if (bad_branch.seen)
			place->bad_branch = bad_branch;
		return 0;
	}
	ksplice_symbols_rollback(matcher, journal);
	matcher->locks_here = locks;
	place->bad_branch = bad_branch;
	if (ret == -EBUSY)
		return ksplice_probed(place, at->site->offset, at->run);
	return ret == -EAGAIN ? ret : -ENOENT;
}

/* A symbol that the rule of a site needs is not known; it may be, later on. */
static int site_undecided(const struct site_place *at, const char *reason)
{
	site_differs(at, reason);
	return at->place->matcher->last ? -ENOENT : -EAGAIN;
}

/*
 * Until 5.11, native_patch() puts what these functions do in place of a call of them
 * (arch/x86/kernel/paravirt_patch.c); since 5.12 that is done by alternatives.
 */
struct inlined {
	enum ksplice_well_known function;
	u8 word_size;
	u8 length;
	u8 bytes[3];
};

static const struct inlined inlined[] = {
	{ KSPLICE_KNOWN_NATIVE_IRQ_DISABLE, 8, 1, { 0xfa } },
	{ KSPLICE_KNOWN_NATIVE_IRQ_ENABLE, 8, 1, { 0xfb } },
	{ KSPLICE_KNOWN_NATIVE_SAVE_FL, 8, 2, { 0x9c, 0x58 } },
	{ KSPLICE_KNOWN_NATIVE_RESTORE_FL, 8, 2, { 0x57, 0x9d } },
	{ KSPLICE_KNOWN_NATIVE_READ_CR2, 8, 3, { 0x0f, 0x20, 0xd0 } },
	{ KSPLICE_KNOWN_NATIVE_READ_CR3, 8, 3, { 0x0f, 0x20, 0xd8 } },
	{ KSPLICE_KNOWN_NATIVE_WRITE_CR3, 8, 3, { 0x0f, 0x22, 0xdf } },
	{ KSPLICE_KNOWN_NATIVE_WBINVD, 8, 2, { 0x0f, 0x09 } },
	{ KSPLICE_KNOWN_PARAVIRT_IDENT, 8, 3, { 0x48, 0x89, 0xf8 } },
	{ KSPLICE_KNOWN_NATIVE_SPIN_UNLOCK, 8, 3, { 0xc6, 0x07, 0x00 } },
	{ KSPLICE_KNOWN_NATIVE_SPIN_UNLOCK, 4, 3, { 0xc6, 0x00, 0x00 } },
	{ KSPLICE_KNOWN_NATIVE_VCPU_IS_PREEMPTED, 8, 2, { 0x31, 0xc0 } },
	{ KSPLICE_KNOWN_NATIVE_VCPU_IS_PREEMPTED, 4, 2, { 0x31, 0xc0 } },
};

static bool is_inlined(const struct site_place *at, unsigned long function)
{
	const struct ksplice_matcher *matcher = at->place->matcher;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(inlined); i++) {
		const struct inlined *form = &inlined[i];

		if (form->word_size == matcher->old->word_size &&
		    form->length <= at->site->length &&
		    ksplice_known_is(matcher, form->function, function) &&
		    memcmp(at->place->run + at->run, form->bytes, form->length) == 0)
			return only_nops(at->place, at->run + form->length, site_end(at));
	}
	return false;
}

/*
 * A call through a pointer in memory, as "call *pv_ops+0x10(%rip)", made direct: a
 * call of what the pointer, at @slot, holds now, what that does, or nops when that does
 * nothing.
 */
static bool is_direct_call(const struct site_place *at, unsigned long slot)
{
	struct ksplice_matcher *matcher = at->place->matcher;
	unsigned long function, target;
	struct ksplice_insn insn;

	if (ksplice_read_word(matcher, slot, &function) != 0)
		return false;
	if (ksplice_run_branch(at->place, at->run, KSPLICE_BRANCH_CALL, &insn, &target) &&
	    target == function)
		return only_nops(at->place, at->run + insn.length, site_end(at));
	if (is_inlined(at, function))
		return true;
	return (ksplice_known_is(matcher, KSPLICE_KNOWN_PARAVIRT_NOP, function) ||
		ksplice_known_is(matcher, KSPLICE_KNOWN_NOP_FUNC, function)) &&
	       only_nops(at->place, at->run, site_end(at));
}

/* "call *slot(%rip)", as the compiler makes it for pv_ops. */
#define SLOT_CALL_LENGTH	6
#define SLOT_CALL_FIELD		2

/*
 * ALT_FLAG_DIRECT_CALL of 6.8 and later: the replacement is a call of BUG_func,
 * and alt_replace_call() makes it call what the slot of the original holds.
 */
static int match_slot_call(const struct site_place *at)
{
	const struct ksplice_old_reloc *reloc =
		ksplice_reloc_at(at->place, at->site->offset + SLOT_CALL_FIELD);
	unsigned long slot;

	if (at->site->length != SLOT_CALL_LENGTH || !reloc || reloc->symbol == KSPLICE_NONE)
		return site_differs(at, "an unknown form of a call to be made direct");
	if (ksplice_symbol_settle(at->place->matcher, reloc->symbol, &slot) != 0)
		return site_undecided(at, "a call to be made direct, but its table was not found");
	slot += (unsigned long)(long)(reloc->addend - reloc->bias);
	return is_direct_call(at, slot) ? 0 : -ENOENT;
}

static int match_one_alternative(const struct site_place *at,
				 const struct ksplice_old_alternative *alternative, bool lenient)
{
	if (alternative->feature & KSPLICE_ALTERNATIVE_DIRECT_CALL)
		return match_slot_call(at);
	return match_replacement(at, alternative, lenient);
}

/*
 * Alternatives: the original or one of the replacements, with nops behind it.
 * The place is long enough for each, and nops in it may be merged.
 */
static int match_alternative(const struct site_place *at)
{
	const struct ksplice_old_alternative *alternative =
		&at->place->matcher->tables.alternatives[at->site->arg];
	int ret = -ENOENT;
	u32 i;

	for (i = 0; i < at->site->arg2 && ret == -ENOENT; i++)
		ret = match_one_alternative(at, &alternative[i], false);
	if (ret == -ENOENT)
		ret = ksplice_match_original(at);
	for (i = 0; i < at->site->arg2 && ret == -ENOENT; i++)
		ret = match_one_alternative(at, &alternative[i], true);
	if (ret != -ENOENT)
		return ret;
	return site_differs(at, "none of the alternatives for this place");
}

/*
 * Paravirt: the indirect call through pv_ops as compiled, a direct call to what
 * pv_ops holds now, the same inlined, or nops when that is a function that does nothing.
 */
static int match_paravirt(const struct site_place *at)
{
	struct ksplice_matcher *matcher = at->place->matcher;
	unsigned long pv_ops;

	if (ksplice_match_original(at) == 0)
		return 0;
	if (ksplice_symbol_settle(matcher, at->site->arg, &pv_ops) != 0)
		return site_undecided(at, "a paravirt call, but pv_ops was not found");
	if (is_direct_call(at, pv_ops + at->site->arg2 * matcher->old->word_size))
		return 0;
	return site_differs(at, "none of the forms of a paravirt call");
}

/* Jump labels: nothing, or a jump to the label. */
static int match_jump_label(const struct site_place *at)
{
	unsigned long target;
	struct ksplice_insn insn;

	if (only_nops(at->place, at->run, site_end(at)))
		return 0;
	if (ksplice_run_branch(at->place, at->run, KSPLICE_BRANCH_JMP, &insn, &target) &&
	    insn.length == at->site->length &&
	    ksplice_local_branch(at->place, at->site->arg, at->site->arg2, target) == 0)
		return 0;
	return site_differs(at, "neither a nop nor a jump to the label");
}

/*
 * What a static call calls now: its key holds that.  Without KALLSYMS_ALL there are
 * no keys; then it is where the trampoline, which the old code calls, goes.
 */
static int static_call_function(const struct site_place *at, const struct ksplice_insn *pre,
				unsigned long *function)
{
	const struct ksplice_matcher *matcher = at->place->matcher;
	const struct ksplice_old_reloc *reloc =
		ksplice_reloc_at(at->place, at->site->offset + pre->rel_offset);
	unsigned long address;
	u8 bytes[KSPLICE_INSN_MAX];
	struct ksplice_insn insn;

	if (ksplice_symbol_settle(matcher, at->site->arg, &address) == 0)
		return ksplice_read_word(matcher, address, function);
	if (!reloc || reloc->symbol == KSPLICE_NONE || reloc->addend != reloc->bias ||
	    !list_empty(&matcher->symbols[at->site->arg].vals) ||
	    ksplice_symbol_settle(matcher, reloc->symbol, &address) != 0 ||
	    matcher->ops->read(matcher->context, address, bytes, sizeof(bytes)) != 0)
		return -ENOENT;
	*function = 0;
	if (bytes[0] == OPCODE_RET)
		return 0;
	if (ksplice_insn_decode(&insn, bytes, sizeof(bytes), matcher->old->word_size) != 0 ||
	    insn.branch != KSPLICE_BRANCH_JMP)
		return -ENOENT;
	*function = (address + insn.length +
		     (unsigned long)(long)ksplice_insn_field(bytes, insn.rel_offset,
							     insn.rel_size)) &
		    matcher->mask;
	return 0;
}

/*
 * Static calls: the trampoline as compiled; what the key holds now; nothing (or
 * a return, for a tail call) when the key holds NULL; an instruction that clears
 * the result when it holds __static_call_return0.
 */
static int match_static_call(const struct site_place *at)
{
	/* cs cs cs xor %eax, %eax; data16 data16 xor %rax, %rax (5.10) */
	static const u8 clear[][5] = {
		{ 0x2e, 0x2e, 0x2e, 0x31, 0xc0 },
		{ 0x66, 0x66, 0x48, 0x31, 0xc0 },
	};
	struct ksplice_matcher *matcher = at->place->matcher;
	const u8 *run = at->place->run + at->run;
	unsigned long function, target;
	struct ksplice_insn pre, insn;

	if (ksplice_match_original(at) == 0)
		return 0;
	if (!ksplice_pre_insn(at, &pre))
		return site_differs(at, "another static call");
	if (static_call_function(at, &pre, &function) != 0)
		return site_undecided(at, "a static call, but its key was not found");
	if (ksplice_run_branch(at->place, at->run, pre.branch, &insn, &target) &&
	    insn.condition == pre.condition && target == function)
		return 0;
	if (function == 0 && pre.branch == KSPLICE_BRANCH_CALL &&
	    only_nops(at->place, at->run, site_end(at)))
		return 0;
	if (function == 0 && pre.branch == KSPLICE_BRANCH_JMP && ksplice_is_return(at))
		return 0;
	if (ksplice_known_is(matcher, KSPLICE_KNOWN_STATIC_CALL_RETURN0, function) &&
	    at->site->length == sizeof(clear[0]) &&
	    (memcmp(run, clear[0], sizeof(clear[0])) == 0 ||
	     memcmp(run, clear[1], sizeof(clear[1])) == 0))
		return 0;
	return site_differs(at, "none of the forms of this static call");
}

/* ENDBR: as compiled, or sealed by a nop (5.18 and later). */
static int match_endbr(const struct site_place *at)
{
	if (only_nops(at->place, at->run, site_end(at)) ||
	    memcmp(at->place->run + at->run, at->pre, at->site->length) == 0)
		return 0;
	return site_differs(at, "neither ENDBR nor its seal");
}

/*
 * runtime_const_ptr() and the like (include/asm/runtime-const.h of 6.11 and later):
 * the number as compiled, or what the variable holds since boot.
 */
static int match_runtime(const struct site_place *at)
{
	const struct ksplice_matcher *matcher = at->place->matcher;
	const u8 *run = at->place->run + at->run;
	u32 opcode = at->site->length - at->site->arg2;
	unsigned long variable, value;

	if (memcmp(run, at->pre, opcode) != 0)
		return site_differs(at, "another instruction");
	if (memcmp(run, at->pre, at->site->length) == 0)
		return 0;
	if (ksplice_symbol_settle(matcher, at->site->arg, &variable) != 0 ||
	    ksplice_read_word(matcher, variable, &value) != 0)
		return site_undecided(at, "a constant that boot sets, but its variable was not found");
	/* x86 is little-endian. */
	if (memcmp(run + opcode, &value, at->site->arg2) != 0)
		return site_differs(at, "a constant that boot sets, to another value");
	return 0;
}

static int match_lock(const struct site_place *at)
{
	return site_differs(at, "a lock prefix is not part of an instruction");
}

struct ksplice_site_ops {
	int (*match)(const struct site_place *at);
};

static const struct ksplice_site_ops site_ops[KSPLICE_SITE_KINDS] = {
	[KSPLICE_SITE_FENTRY] = { match_fentry },
	[KSPLICE_SITE_ALTERNATIVE] = { match_alternative },
	[KSPLICE_SITE_PARAVIRT] = { match_paravirt },
	[KSPLICE_SITE_RETPOLINE] = { ksplice_match_retpoline },
	[KSPLICE_SITE_RETURN] = { ksplice_match_return },
	[KSPLICE_SITE_LOCK] = { match_lock },
	[KSPLICE_SITE_JUMP_LABEL] = { match_jump_label },
	[KSPLICE_SITE_STATIC_CALL] = { match_static_call },
	[KSPLICE_SITE_ENDBR] = { match_endbr },
	[KSPLICE_SITE_CALL] = { ksplice_match_original },
	[KSPLICE_SITE_RUNTIME] = { match_runtime },
};

/*
 * text_poke_bp() puts a breakpoint in place of the first byte, then writes the others.
 * Two of them are padding behind other code.
 */
static bool is_being_written(const struct site_place *at)
{
	const u8 *run = at->place->run + at->run;

	return run[0] == KSPLICE_INT3 && at->pre[0] != KSPLICE_INT3 && at->site->length > 1 &&
	       run[1] != KSPLICE_INT3;
}

int ksplice_site_match(struct ksplice_place *place, u32 index, u32 run_from, u32 *run_to,
		       unsigned int depth)
{
	const struct ksplice_old_site *site = &place->matcher->tables.sites[index];
	struct site_place at = {
		.place = place,
		.site = site,
		.index = index,
		.pre = place->pre + site->offset,
		.run = run_from,
		.depth = depth,
	};
	struct ksplice_mismatch before = place->matcher->mismatch;
	int ret;

	if (depth >= KSPLICE_MAX_DEPTH)
		return site_differs(&at, "too many sites within sites");
	if (run_from > place->run_size || place->run_size - run_from < site->length)
		return site_differs(&at, "not readable");
	ret = site_ops[site->kind].match(&at);
	if (ret == -ENOENT && !place->outer && ksplice_is_probed(place, site->offset, run_from))
		ret = ksplice_probed(place, site->offset, run_from);
	if (ret == -ENOENT && !place->outer && is_being_written(&at)) {
		site_differs(&at, "a breakpoint (kprobe, or the kernel just changes it?) is set");
		ret = -EBUSY;
	}
	if (ret != 0)
		return ret;
	/* Other forms that were tried do not count. */
	place->matcher->mismatch = before;
	*run_to = run_from + site->length;
	return 0;
}
