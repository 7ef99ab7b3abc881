// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sites: places of the text that the kernel rewrites, at boot or while it runs.
 *
 * Each kind has a rule that says which forms the kernel can put there.  All but
 * nops are decoded and compared by what they do: a call must go where this
 * kernel's tables say that it goes.  Facts are from arch/x86/kernel of Linux 6.1
 * (alternative.c, paravirt.c, static_call.c, jump_label.c, ftrace.c) unless said.
 */
#include "match_internal.h"

#define OPCODE_RET	0xc3
#define OPCODE_INT3	0xcc
#define OPCODE_CALL	0xe8
#define OPCODE_JMP	0xe9
#define OPCODE_GROUP5	0xff	/* with ModRM: call *%reg (d0 + reg), jmp *%reg (e0 + reg) */

/* A site being compared: bytes of both sides and what it is. */
struct site_place {
	struct ksplice_place *place;
	const struct ksplice_old_site *site;
	u32 index;
	const u8 *pre;
	u32 run;
	unsigned int depth;
};

static int site_differs(const struct site_place *at, const char *reason)
{
	return ksplice_differs(at->place, at->site->offset, at->run, KSPLICE_NONE, reason);
}

/* Whether the site is @length bytes of nops, or of what never runs, from @run on. */
static bool only_padding(const struct ksplice_place *place, u32 run, u32 end)
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

static u32 site_end(const struct site_place *at)
{
	return at->run + at->site->length;
}

/* The branch at @run, when it is one of @kind; else false. */
static bool run_branch(const struct ksplice_place *place, u32 run, enum ksplice_branch kind,
		       struct ksplice_insn *insn, unsigned long *target)
{
	if (ksplice_run_decode(place, run, insn) != 0 || insn->branch != kind)
		return false;
	*target = ksplice_run_target(place, run, insn);
	return true;
}

static enum ksplice_branch pre_branch(const struct site_place *at)
{
	struct ksplice_insn insn;

	if (ksplice_insn_decode(&insn, at->pre, at->site->length,
				at->place->matcher->old->word_size) != 0)
		return KSPLICE_BRANCH_NONE;
	return insn.branch;
}

/*
 * The site as the compiler made it, other sites in it included.  When it is not,
 * nothing that was assumed on the way stays.
 */
static int match_original(const struct site_place *at)
{
	struct ksplice_place *place = at->place;
	u32 from = at->site->offset, end;
	u32 journal = place->matcher->journal_length, nr_shifts = place->nr_shifts;
	bool branch_differs = place->branch_differs;
	int ret = ksplice_code_match(place, from, from + at->site->length, at->index + 1, at->run,
				     &end, at->depth + 1);

	if (ret == 0 && end == site_end(at))
		return 0;
	ksplice_symbols_rollback(place->matcher, journal);
	place->nr_shifts = nr_shifts;
	place->branch_differs = branch_differs;
	return ret != 0 ? ret : site_differs(at, "the size of a site differs");
}

/*
 * Whether @target is a trampoline of ftrace, of BPF or of whoever traces directly:
 * memory that is not the kernel's own text.
 */
static bool is_trampoline(const struct ksplice_matcher *matcher, unsigned long target)
{
	const struct ksplice_symbol *text = &matcher->known[KSPLICE_KNOWN_TEXT];
	const struct ksplice_symbol *etext = &matcher->known[KSPLICE_KNOWN_ETEXT];
	unsigned long word;

	return list_is_singular(&text->vals) && list_is_singular(&etext->vals) &&
	       (target < text->first_val.val || target >= etext->first_val.val) &&
	       ksplice_read_word(matcher, target, &word) == 0;
}

/* ftrace: a nop, or a call to what traces; before boot is done, to __fentry__. */
static int match_fentry(const struct site_place *at)
{
	const struct ksplice_matcher *matcher = at->place->matcher;
	unsigned long target;
	struct ksplice_insn insn;

	if (only_nops(at->place, at->run, site_end(at)) || match_original(at) == 0)
		return 0;
	if (run_branch(at->place, at->run, KSPLICE_BRANCH_CALL, &insn, &target) &&
	    insn.length == at->site->length &&
	    (ksplice_known_is(matcher, KSPLICE_KNOWN_FTRACE_CALLER, target) ||
	     ksplice_known_is(matcher, KSPLICE_KNOWN_FTRACE_REGS_CALLER, target) ||
	     is_trampoline(matcher, target)))
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
	bool branch_differs = place->branch_differs;
	int ret;

	if (alternative->length > at->site->length)
		return -ENOENT;
	place->branch_differs = false;
	ret = ksplice_code_match(&copy, alternative->offset,
				 alternative->offset + alternative->length, section->sites, 0,
				 &end, at->depth + 1);
	if (ret == 0 && !copy.branch_differs && (lenient || !place->branch_differs) &&
	    only_padding(place, at->run + end, site_end(at))) {
		place->branch_differs = place->branch_differs || branch_differs;
		return 0;
	}
	ksplice_symbols_rollback(matcher, journal);
	place->branch_differs = branch_differs;
	return ret == -EAGAIN || ret == -EBUSY ? ret : -ENOENT;
}

/* A symbol that the rule of a site needs is not known; it may be, later on. */
static int site_undecided(const struct site_place *at, const char *reason)
{
	site_differs(at, reason);
	return at->place->matcher->last ? -ENOENT : -EAGAIN;
}

/*
 * A call through a pointer in memory, as "call *pv_ops+0x10(%rip)", made direct: a
 * call of what the pointer, at @slot, holds now, or nops when that does nothing.
 */
static bool is_direct_call(const struct site_place *at, unsigned long slot)
{
	struct ksplice_matcher *matcher = at->place->matcher;
	unsigned long function, target;
	struct ksplice_insn insn;

	if (ksplice_read_word(matcher, slot, &function) != 0)
		return false;
	if (run_branch(at->place, at->run, KSPLICE_BRANCH_CALL, &insn, &target) &&
	    target == function)
		return only_nops(at->place, at->run + insn.length, site_end(at));
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
		ret = match_original(at);
	for (i = 0; i < at->site->arg2 && ret == -ENOENT; i++)
		ret = match_one_alternative(at, &alternative[i], true);
	if (ret != -ENOENT)
		return ret;
	return site_differs(at, "none of the alternatives for this place");
}

/*
 * Paravirt: the indirect call through pv_ops as compiled, a direct call to what
 * pv_ops holds now, or nops when that is a function that does nothing.
 */
static int match_paravirt(const struct site_place *at)
{
	struct ksplice_matcher *matcher = at->place->matcher;
	unsigned long pv_ops;

	if (match_original(at) == 0)
		return 0;
	if (ksplice_symbol_settle(matcher, at->site->arg, &pv_ops) != 0)
		return site_undecided(at, "a paravirt call, but pv_ops was not found");
	if (is_direct_call(at, pv_ops + at->site->arg2 * matcher->old->word_size))
		return 0;
	return site_differs(at, "none of the forms of a paravirt call");
}

/* Number of the register that a thunk jumps through, or -1. */
static int thunk_register(const struct site_place *at)
{
	static const char *const registers[] = {
		"ax", "cx", "dx", "bx", "sp", "bp", "si", "di",
		"8", "9", "10", "11", "12", "13", "14", "15",
	};
	static const char prefix[] = "__x86_indirect_thunk_";
	const struct ksplice_old_reloc *reloc =
		ksplice_reloc_at(at->place, at->site->offset + at->site->length - 4);
	const char *name;
	size_t i;

	if (!reloc || reloc->symbol == KSPLICE_NONE)
		return -1;
	name = at->place->matcher->symbols[reloc->symbol].name;
	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return -1;
	name += sizeof(prefix) - 1;
	if (*name != 'r' && *name != 'e')
		return -1;
	for (i = 0; i < ARRAY_SIZE(registers); i++)
		if (strcmp(name + 1, registers[i]) == 0)
			return (int)i;
	return -1;
}

/*
 * Whether @bytes are an indirect branch through @reg, with prefixes that do
 * nothing for it; its length, else 0.
 */
static u32 indirect_branch(const u8 *bytes, u32 size, enum ksplice_branch kind, int reg)
{
	u8 modrm = (u8)((kind == KSPLICE_BRANCH_CALL ? 0xd0 : 0xe0) + (reg & 7));
	u32 i = 0;

	while (i < size && (bytes[i] == 0x2e || bytes[i] == 0x3e))
		i++;
	if (reg >= 8) {
		if (i == size || bytes[i] != 0x41)
			return 0;
		i++;
	}
	if (size - i < 2 || bytes[i] != OPCODE_GROUP5 || bytes[i + 1] != modrm)
		return 0;
	return i + 2;
}

/*
 * Retpolines: the call or jump to the thunk as compiled; the indirect branch
 * itself, after a fence with spectre_v2=retpoline,lfence; or a branch to a thunk
 * that just jumps through the register (ITS: in memory allocated at boot, so by
 * its code and not by its name).
 */
static int match_retpoline(const struct site_place *at)
{
	static const u8 lfence[] = { 0x0f, 0xae, 0xe8 };
	const struct ksplice_place *place = at->place;
	enum ksplice_branch kind = pre_branch(at);
	const u8 *run = place->run + at->run;
	unsigned long target;
	struct ksplice_insn insn;
	u8 thunk[8];
	u32 length;
	int reg;

	if (match_original(at) == 0)
		return 0;
	reg = thunk_register(at);
	if (reg < 0 || (kind != KSPLICE_BRANCH_CALL && kind != KSPLICE_BRANCH_JMP))
		return site_differs(at, "another retpoline");
	if (run_branch(place, at->run, kind, &insn, &target) &&
	    place->matcher->ops->read(place->matcher->context, target, thunk, sizeof(thunk)) == 0 &&
	    indirect_branch(thunk, sizeof(thunk), KSPLICE_BRANCH_JMP, reg) > 0)
		return 0;
	length = at->site->length > sizeof(lfence) && memcmp(run, lfence, sizeof(lfence)) == 0 ?
			 sizeof(lfence) :
			 0;
	insn.length = (u8)indirect_branch(run + length, at->site->length - length, kind, reg);
	if (insn.length > 0 &&
	    only_padding(place, at->run + length + insn.length, site_end(at)))
		return 0;
	return site_differs(at, "none of the forms of a retpoline");
}

/* A return: ret and breakpoints, or a jump to a thunk that returns. */
static bool is_return(const struct site_place *at)
{
	static const enum ksplice_well_known thunks[] = {
		KSPLICE_KNOWN_X86_RETURN_THUNK,	      KSPLICE_KNOWN_CALL_DEPTH_RETURN_THUNK,
		KSPLICE_KNOWN_ITS_RETURN_THUNK,	      KSPLICE_KNOWN_RETBLEED_RETURN_THUNK,
		KSPLICE_KNOWN_SRSO_ALIAS_RETURN_THUNK, KSPLICE_KNOWN_SRSO_RETURN_THUNK,
	};
	unsigned long target;
	struct ksplice_insn insn;
	size_t i;

	if (at->place->run[at->run] == OPCODE_RET)
		return only_padding(at->place, at->run + 1, site_end(at));
	if (!run_branch(at->place, at->run, KSPLICE_BRANCH_JMP, &insn, &target) ||
	    !only_padding(at->place, at->run + insn.length, site_end(at)))
		return false;
	for (i = 0; i < ARRAY_SIZE(thunks); i++)
		if (ksplice_known_is(at->place->matcher, thunks[i], target))
			return true;
	return false;
}

static int match_return(const struct site_place *at)
{
	if (is_return(at))
		return 0;
	return site_differs(at, "none of the forms of a return");
}

/* Jump labels: nothing, or a jump to the label. */
static int match_jump_label(const struct site_place *at)
{
	unsigned long target;
	struct ksplice_insn insn;

	if (only_nops(at->place, at->run, site_end(at)))
		return 0;
	if (run_branch(at->place, at->run, KSPLICE_BRANCH_JMP, &insn, &target) &&
	    insn.length == at->site->length &&
	    ksplice_local_branch(at->place, at->site->arg, at->site->arg2, target) == 0)
		return 0;
	return site_differs(at, "neither a nop nor a jump to the label");
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
	enum ksplice_branch kind = pre_branch(at);
	const u8 *run = at->place->run + at->run;
	unsigned long key, function, target;
	struct ksplice_insn insn;

	if (match_original(at) == 0)
		return 0;
	if (ksplice_symbol_settle(matcher, at->site->arg, &key) != 0 ||
	    ksplice_read_word(matcher, key, &function) != 0)
		return site_undecided(at, "a static call, but its key was not found");
	if (run_branch(at->place, at->run, kind, &insn, &target) && target == function)
		return 0;
	if (function == 0 && kind == KSPLICE_BRANCH_CALL &&
	    only_nops(at->place, at->run, site_end(at)))
		return 0;
	if (function == 0 && kind == KSPLICE_BRANCH_JMP && is_return(at))
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
	[KSPLICE_SITE_RETPOLINE] = { match_retpoline },
	[KSPLICE_SITE_RETURN] = { match_return },
	[KSPLICE_SITE_LOCK] = { match_lock },
	[KSPLICE_SITE_JUMP_LABEL] = { match_jump_label },
	[KSPLICE_SITE_STATIC_CALL] = { match_static_call },
	[KSPLICE_SITE_ENDBR] = { match_endbr },
	[KSPLICE_SITE_CALL] = { match_original },
	[KSPLICE_SITE_RUNTIME] = { match_runtime },
};

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
	int ret;

	if (depth >= KSPLICE_MAX_DEPTH)
		return site_differs(&at, "too many sites within sites");
	if (run_from > place->run_size || place->run_size - run_from < site->length)
		return site_differs(&at, "not readable");
	ret = site_ops[site->kind].match(&at);
	if (ret == -ENOENT && !place->outer && ksplice_is_probed(place, site->offset, run_from)) {
		site_differs(&at, "a breakpoint (kprobe?) is set");
		ret = -EBUSY;
	}
	if (ret == 0)
		*run_to = run_from + site->length;
	return ret;
}
