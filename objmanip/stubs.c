// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Assembly: functions that the assembler knew to be neighbours.  In new code they
 * are not, so a short jump to another one goes by way of a stub, a near jump
 * behind its function, and nothing may run on into the next one.
 */
#include <string.h>

#include "lib/text.h"
#include "objmanip/manip.h"

#define JMP	0xe9
#define SHORT_MAX	127

bool needs_stub(const struct reloc *reloc)
{
	return reloc->length == 1 && reloc->pc_relative && is_text(reloc->section);
}

/* Where the stub for a short jump is, from the start of the function's copy. */
static uint64_t stub_offset(const struct span *span, const struct reloc *reloc)
{
	uint64_t offset = span->size;
	const struct reloc *other;

	for_each_span_reloc(span, other)
		if (other->offset < reloc->offset && needs_stub(other))
			offset += STUB_SIZE;
	return offset;
}

const char *why_no_stub(const struct span *span, const struct reloc *reloc)
{
	uint64_t end = reloc->offset - span->offset + 1;

	if (stub_offset(span, reloc) - end > SHORT_MAX)
		return "a short jump to another function cannot be moved; make it a near one (jmp.d32)";
	return NULL;
}

void append_stubs(struct manip *manip, const struct span *span)
{
	static const unsigned char stub[STUB_SIZE] = { JMP };
	const struct span_info *info = post_info(manip, span);
	const struct reloc *reloc;

	for_each_span_reloc(span, reloc)
		if (needs_stub(reloc))
			out_section_append(manip->new_code, info->out, stub, STUB_SIZE, 1);
}

uint64_t point_to_stub(struct manip *manip, const struct span *span, const struct reloc *reloc)
{
	const struct span_info *info = post_info(manip, span);
	uint64_t stub = stub_offset(span, reloc), field = reloc->offset - span->offset;

	info->out->data[info->out_offset + field] = (unsigned char)(stub - field - 1);
	return info->out_offset + stub + 1;
}

/* After this instruction nothing follows; of a call that is likely where the code ends. */
static bool ends_flow(const struct ksplice_insn *insn, const unsigned char *bytes)
{
	unsigned int reg = insn->modrm_offset ? bytes[insn->modrm_offset] >> 3 & 7 : 0;

	if (insn->branch == KSPLICE_BRANCH_JMP || insn->branch == KSPLICE_BRANCH_CALL ||
	    (insn->flags & KSPLICE_INSN_INT3))
		return true;
	switch (insn->opcode | insn->map << 8) {
	case 0xc2: case 0xc3: case 0xca: case 0xcb: case 0xcf:	/* ret, lret, iret */
	case 0xea: case 0xf4:			/* ljmp, hlt */
	case 0x107: case 0x10b: case 0x135: case 0x1b9:	/* sysret, ud2, sysexit, ud1 */
		return true;
	case 0xff:				/* indirect calls and jumps */
		return reg >= 2 && reg <= 5;
	default:
		return false;
	}
}

bool runs_on(const struct span *span)
{
	struct section *section = span->section;
	uint64_t at = span->offset, end = span->offset + span->size;
	struct ksplice_insn insn;
	bool ended = true;

	if (!section->data || end == section->size)
		return false;
	while (at < end) {
		if (!decode_at(section, at, &insn)) {
			ended = true;	/* data */
			at++;
			continue;
		}
		if (!(insn.flags & KSPLICE_INSN_NOP))
			ended = ends_flow(&insn, section->data + at);
		at += insn.length;
	}
	return !ended;
}
