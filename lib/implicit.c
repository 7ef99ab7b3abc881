// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/implicit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/span.h"
#include "lib/text.h"

/* A branch, or another instruction with an offset from its end, that is being looked at. */
struct branch {
	struct section *section;
	uint64_t offset;	/* of the displacement */
	unsigned int length;	/* of the displacement */
	int bias;		/* minus the distance from @offset to the end */
	uint64_t target;
};

/* The branch at @offset of the section, when it has no reloc and stays in the section. */
static bool find_branch(struct section *section, uint64_t offset, struct branch *branch)
{
	struct ksplice_insn insn;
	unsigned int field;
	int64_t target;

	if (!decode_at(section, offset, &insn))
		return false;
	if (insn.branch != KSPLICE_BRANCH_NONE) {
		field = insn.rel_offset;
		branch->length = insn.rel_size;
	} else if (insn.flags & KSPLICE_INSN_RIP) {
		field = insn.disp_offset;	/* lea local_function(%rip), %rax */
		branch->length = insn.disp_size;
	} else {
		return false;
	}
	if (branch->length != 1 && branch->length != 4)
		return false;
	branch->section = section;
	branch->offset = offset + field;
	branch->bias = (int)field - insn.length;
	if (find_reloc(section, branch->offset))
		return false;
	target = (int64_t)(offset + insn.length) +
		 ksplice_insn_field(section->data + offset, (uint8_t)field, (uint8_t)branch->length);
	branch->target = (uint64_t)target;
	return target >= 0 && branch->target < section->size;
}

/*
 * What the reloc is to: the name of the target, or where that is none or one that
 * may be overridden, its section, for which the assembler may have had no symbol.
 */
static struct symbol *name_target(const struct branch *branch)
{
	struct section *section = branch->section;
	const struct span *span = find_span(section, branch->target);
	struct symbol *symbol = span->symbol;

	if (symbol && symbol->binding != STB_WEAK)
		return symbol;
	if (section->section_symbol)
		return section->section_symbol;
	symbol = arena_alloc(&section->object->arena, sizeof(*symbol));
	symbol->object = section->object;
	symbol->name = section->name;
	symbol->place = SYMBOL_DEFINED;
	symbol->type = STT_SECTION;
	symbol->section = section;
	symbol->span = section->spans;
	section->section_symbol = symbol;
	return symbol;
}

/* A reloc that means the same. */
static void make_reloc(const struct branch *branch, struct reloc *reloc)
{
	bool wide = branch->length == 4;
	struct symbol *symbol = name_target(branch);

	memset(reloc, 0, sizeof(*reloc));
	reloc->section = branch->section;
	reloc->offset = branch->offset;
	if (branch->section->object->machine == EM_386)
		reloc->type = wide ? R_386_PC32 : R_386_PC8;
	else
		reloc->type = wide ? R_X86_64_PC32 : R_X86_64_PC8;
	reloc->length = (uint8_t)branch->length;
	reloc->pc_relative = true;
	reloc->bias = (int8_t)branch->bias;
	reloc->symbol = symbol;
	reloc->addend = (int64_t)(branch->target - symbol->value) + reloc->bias;
}

/* Calls, jumps and addresses of other functions of the section, in order. */
static size_t collect(struct section *section, struct reloc *relocs)
{
	struct branch branch;
	uint64_t offset = 0;
	size_t count = 0;

	for (; offset < section->size; offset++) {
		if (!find_branch(section, offset, &branch) ||
		    find_span(section, offset) == find_span(section, branch.target))
			continue;
		if (relocs)
			make_reloc(&branch, &relocs[count]);
		count++;
	}
	return count;
}

static int compare_offsets(const void *a, const void *b)
{
	const struct reloc *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

void add_implicit_relocs(struct object *object)
{
	struct section *section;
	struct reloc *relocs;
	size_t i, count;

	for_each_section(object, section, i) {
		if (!is_text(section) || !section->data || section->nr_spans < 2)
			continue;
		count = collect(section, NULL);
		if (count == 0)
			continue;
		relocs = arena_array(&object->arena, section->nr_relocs + count, sizeof(*relocs));
		if (section->nr_relocs)
			memcpy(relocs, section->relocs, section->nr_relocs * sizeof(*relocs));
		collect(section, relocs + section->nr_relocs);
		section->nr_relocs += count;
		qsort(relocs, section->nr_relocs, sizeof(*relocs), compare_offsets);
		section->relocs = relocs;
	}
}
