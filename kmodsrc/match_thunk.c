// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sites at which the kernel can put other calls, jumps and returns, because of what
 * processors do speculatively.  Facts are from arch/x86/kernel/alternative.c,
 * arch/x86/lib/retpoline.S and, of 6.2 and later, arch/x86/kernel/callthunks.c.
 */
#include "match_site.h"

/* sarq $5, %gs:pcpu_hot+X86_call_depth: INCREMENT_CALL_DEPTH */
#define COUNT_OPCODE	0xc1
#define COUNT_REG	7
#define COUNT_BITS	5
#define SEGMENT_GS	0x65

#define OPCODE_JCC8	0x70	/* with the condition */

/* Bytes of the thunk in is_thunk() that depend on the register. */
#define POLINE_REX	6
#define POLINE_MODRM	8
#define REX_R		0x04

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

static bool is_counting(const struct ksplice_insn *insn, const u8 *bytes)
{
	return insn->map == 0 && insn->opcode == COUNT_OPCODE &&
	       insn->prefixes == (KSPLICE_PREFIX_SEGMENT | KSPLICE_PREFIX_REX) &&
	       bytes[0] == SEGMENT_GS && (bytes[insn->modrm_offset] >> 3 & 7) == COUNT_REG &&
	       bytes[insn->imm_offset] == COUNT_BITS && insn->disp_size == 4;
}

/* What the displacement of the instruction at @address leads to. */
static unsigned long operand(const struct ksplice_insn *insn, const u8 *bytes,
			     unsigned long address)
{
	unsigned long value = (unsigned long)(long)ksplice_insn_field(bytes, insn->disp_offset,
								      insn->disp_size);

	return insn->flags & KSPLICE_INSN_RIP ? address + insn->length + value : value;
}

unsigned long ksplice_callee(const struct ksplice_matcher *matcher, unsigned long target)
{
	unsigned long template = ksplice_known_address(matcher, KSPLICE_KNOWN_CALL_THUNK);
	u8 bytes[KSPLICE_INSN_MAX], wanted[KSPLICE_INSN_MAX];
	struct ksplice_insn insn, wanted_insn;

	if (template == 0 || matcher->old->word_size != 8 ||
	    matcher->ops->read(matcher->context, target, bytes, sizeof(bytes)) != 0 ||
	    ksplice_insn_decode(&insn, bytes, sizeof(bytes), 8) != 0 ||
	    !is_counting(&insn, bytes) ||
	    matcher->ops->read(matcher->context, template, wanted, sizeof(wanted)) != 0 ||
	    ksplice_insn_decode(&wanted_insn, wanted, sizeof(wanted), 8) != 0 ||
	    !is_counting(&wanted_insn, wanted) ||
	    bytes[insn.modrm_offset] != wanted[wanted_insn.modrm_offset] ||
	    operand(&insn, bytes, target) != operand(&wanted_insn, wanted, template))
		return target;
	return target + insn.length;
}

/*
 * Whether there is a thunk that goes where @reg says at @target: it just jumps
 * (ITS: in memory allocated at boot, so by its code and not by its name), or it
 * returns there (call depth tracking; with a call, the counting is skipped by
 * now): call 1f; int3; 1: mov %reg, (%rsp); ret.
 */
static bool is_thunk(const struct ksplice_matcher *matcher, unsigned long target, int reg)
{
	u8 poline[] = { 0xe8, 1, 0, 0, 0, 0xcc, 0x48, 0x89, 0x04, 0x24, OPCODE_RET };
	u8 bytes[sizeof(poline)];

	if (matcher->ops->read(matcher->context, target, bytes, sizeof(bytes)) != 0)
		return false;
	if (indirect_branch(bytes, sizeof(bytes), KSPLICE_BRANCH_JMP, reg) > 0)
		return true;
	poline[POLINE_REX] |= reg >= 8 ? REX_R : 0;
	poline[POLINE_MODRM] |= (reg & 7) << 3;
	return matcher->old->word_size == 8 && memcmp(bytes, poline, sizeof(poline)) == 0;
}

/*
 * The indirect branch itself, after a fence with spectre_v2=retpoline,lfence; for a
 * conditional one, behind a jump over it.
 */
static bool is_inline_branch(const struct site_place *at, const struct ksplice_insn *pre, int reg)
{
	static const u8 lfence[] = { 0x0f, 0xae, 0xe8 };
	const u8 *run = at->place->run + at->run;
	enum ksplice_branch kind = pre->branch;
	u32 length = 0, left = at->site->length, branch;

	if (kind == KSPLICE_BRANCH_JCC) {
		if (run[0] != (OPCODE_JCC8 | (pre->condition ^ 1)) || run[1] != left - 2)
			return false;
		kind = KSPLICE_BRANCH_JMP;
		length = 2;
	}
	if (left - length > sizeof(lfence) &&
	    memcmp(run + length, lfence, sizeof(lfence)) == 0)
		length += sizeof(lfence);
	branch = indirect_branch(run + length, left - length, kind, reg);
	return branch > 0 &&
	       ksplice_only_padding(at->place, at->run + length + branch, site_end(at));
}

/*
 * Retpolines: the call or jump to the thunk as compiled, a branch to another thunk
 * for the register, or the indirect branch itself.
 */
int ksplice_match_retpoline(const struct site_place *at)
{
	const struct ksplice_place *place = at->place;
	struct ksplice_insn pre, insn;
	unsigned long target;
	int reg;

	if (ksplice_match_original(at) == 0)
		return 0;
	reg = thunk_register(at);
	if (reg < 0 || !ksplice_pre_insn(at, &pre) || pre.length != at->site->length ||
	    (pre.branch != KSPLICE_BRANCH_CALL && pre.branch != KSPLICE_BRANCH_JMP &&
	     pre.branch != KSPLICE_BRANCH_JCC))
		return site_differs(at, "another retpoline");
	if (ksplice_run_branch(place, at->run, pre.branch, &insn, &target) &&
	    insn.condition == pre.condition && is_thunk(place->matcher, target, reg) &&
	    ksplice_only_padding(place, at->run + insn.length, site_end(at)))
		return 0;
	if (is_inline_branch(at, &pre, reg))
		return 0;
	return site_differs(at, "none of the forms of a retpoline");
}

bool ksplice_is_return(const struct site_place *at)
{
	static const enum ksplice_well_known thunks[] = {
		KSPLICE_KNOWN_X86_RETURN_THUNK,	       KSPLICE_KNOWN_CALL_DEPTH_RETURN_THUNK,
		KSPLICE_KNOWN_ITS_RETURN_THUNK,	       KSPLICE_KNOWN_RETBLEED_RETURN_THUNK,
		KSPLICE_KNOWN_SRSO_ALIAS_RETURN_THUNK, KSPLICE_KNOWN_SRSO_RETURN_THUNK,
		KSPLICE_KNOWN_X86_RETURN_SKL, /* of 6.2 to 6.5, with retbleed=stuff */
	};
	unsigned long target;
	struct ksplice_insn insn;
	size_t i;

	if (at->place->run[at->run] == OPCODE_RET)
		return ksplice_only_padding(at->place, at->run + 1, site_end(at));
	if (!ksplice_run_branch(at->place, at->run, KSPLICE_BRANCH_JMP, &insn, &target) ||
	    !ksplice_only_padding(at->place, at->run + insn.length, site_end(at)))
		return false;
	for (i = 0; i < ARRAY_SIZE(thunks); i++)
		if (ksplice_known_is(at->place->matcher, thunks[i], target))
			return true;
	return false;
}

int ksplice_match_return(const struct site_place *at)
{
	if (ksplice_is_return(at))
		return 0;
	return site_differs(at, "none of the forms of a return");
}

