// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/implicit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/span.h"
#include "lib/text.h"

/* A branch that is being looked at. */
struct branch {
	struct section *section;
	uint64_t offset;	/* of the displacement */
	unsigned int length;	/* of the displacement */
	uint64_t target;
};

/* The branch at @offset of the section, when it has no reloc and stays in the section. */
static bool find_branch(struct section *section, uint64_t offset, struct branch *branch)
{
	struct ksplice_insn insn;
	int64_t target;

	if (!decode_at(section, offset, &insn) || insn.branch == KSPLICE_BRANCH_NONE ||
	    (insn.rel_size != 1 && insn.rel_size != 4))
		return false;
	branch->section = section;
	branch->offset = offset + insn.rel_offset;
	branch->length = insn.rel_size;
	if (find_reloc(section, branch->offset))
		return false;
	target = (int64_t)(offset + insn.length) +
		 ksplice_insn_field(section->data + offset, insn.rel_offset, insn.rel_size);
	branch->target = (uint64_t)target;
	return target >= 0 && branch->target < section->size;
}

/* A reloc that means the same; false when there is no symbol to refer to. */
static bool make_reloc(const struct branch *branch, struct reloc *reloc)
{
	bool wide = branch->length == 4;
	const struct span *span = find_span(branch->section, branch->target);
	struct symbol *symbol = span ? span->symbol : NULL;

	if (!symbol)
		symbol = branch->section->section_symbol;
	if (!symbol)
		return false;
	memset(reloc, 0, sizeof(*reloc));
	reloc->section = branch->section;
	reloc->offset = branch->offset;
	if (branch->section->object->machine == EM_386)
		reloc->type = wide ? R_386_PC32 : R_386_PC8;
	else
		reloc->type = wide ? R_X86_64_PC32 : R_X86_64_PC8;
	reloc->length = (uint8_t)branch->length;
	reloc->pc_relative = true;
	reloc->bias = (int8_t)-(int)branch->length;
	reloc->symbol = symbol;
	reloc->addend = (int64_t)(branch->target - symbol->value) + reloc->bias;
	return true;
}

/* Calls to and jumps between the functions of one section, in order. */
static size_t collect(struct section *section, struct reloc *relocs)
{
	struct branch branch;
	struct reloc reloc;
	uint64_t offset = 0;
	size_t count = 0;

	for (; offset < section->size; offset++) {
		if (!find_branch(section, offset, &branch) ||
		    find_span(section, offset) == find_span(section, branch.target) ||
		    !make_reloc(&branch, &reloc))
			continue;
		if (relocs)
			relocs[count] = reloc;
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
