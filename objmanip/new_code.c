// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes the new code: copies of all changed and new functions, and of what only
 * they use.  References to the rest become imports, so that there is one copy of
 * each variable, and unchanged code is not carried along.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/names.h"
#include "lib/text.h"
#include "objmanip/manip.h"

/* What a reference of the new code is to. */
struct target {
	struct span *native;	/* a span of a post object that is copied, or NULL */
	int64_t offset;		/* in it, or from the import */
	struct old_place import; /* if @native is NULL and .symbol is not */
	const char *name;	/* otherwise: a symbol that the kernel exports for this */
};

static int64_t entry_offset(const struct span *span)
{
	return (int64_t)span->entry;
}

/* The field is the displacement of a branch: where it goes, nobody compares. */
static bool is_branch(const struct reloc *reloc)
{
	struct ksplice_insn insn;
	uint64_t start, end;

	return is_text(reloc->section) && find_insn(reloc->section, reloc->offset, &start, &end) &&
	       decode_at(reloc->section, start, &insn) && insn.branch != KSPLICE_BRANCH_NONE &&
	       start + insn.rel_offset == reloc->offset;
}

static void import_span(struct manip *manip, const struct span *pre, int64_t offset,
			struct target *target)
{
	target->import.symbol = symbol_of_span(manip, pre);
	target->import.offset = offset - entry_offset(pre);
}

/*
 * A function.  Its old address stands for it, because pointers to it are compared
 * and stored; only branches go straight to the new code.
 */
static void resolve_function(struct manip *manip, const struct reloc *reloc, struct span *span,
			     struct target *target)
{
	/* An unchanged part of a changed function jumps back into the old one. */
	bool changed = span_unit(span)->status == SPAN_CHANGED;
	bool whole = target->offset == entry_offset(span);

	if (!span->twin || is_class(span->section, CLASS_AUX_TEXT) ||
	    (changed && (is_branch(reloc) || is_class(reloc->section, CLASS_TABLE) || !whole)))
		target->native = span;
	else
		import_span(manip, span->twin, target->offset + entry_offset(span->twin) -
					       entry_offset(span), target);
}

/* Data that has a twin is the running kernel's; what may be copied is. */
static void resolve_data(struct manip *manip, struct span *span, struct target *target)
{
	bool copied = is_class(span->section, CLASS_STRINGS) ||
		      is_class(span->section, CLASS_CONSTANTS) ||
		      is_class(span->section, CLASS_PRIVATE_DATA) || !span->symbol ||
		      is_private_static(span->symbol->name);

	/* Constants that changed are only used by code that changed. */
	if (is_class(span->section, CLASS_RODATA) && span->status != SPAN_SAME)
		copied = true;
	if (copied || !span->twin)
		target->native = span;
	else
		import_span(manip, span->twin, target->offset, target);
}

static int resolve(struct manip *manip, const struct reloc *reloc, struct target *target,
		   struct ks_error *err)
{
	struct span *span = reloc->span;
	struct symbol *definition;

	*target = (struct target){ .offset = reloc->span_offset };
	if (!span) {
		const char *name = reloc->symbol ? reloc->symbol->name : "";

		target->offset = reloc->addend - reloc->bias;
		if (is_native_import(name)) {
			target->name = name;
			return 0;
		}
		definition = hash_find(&manip->post_definitions, name);
		if (!definition || definition->binding == STB_WEAK) {
			target->import = place_by_name(manip, name);
			target->import.offset += target->offset;
			return 0;
		}
		span = definition->span;
		target->offset += (int64_t)(definition->value - span->offset);
	}
	if (is_text(span->section))
		resolve_function(manip, reloc, span, target);
	else
		resolve_data(manip, span, target);
	if (target->native && (is_class(span->section, CLASS_EXPORT) ||
			       is_class(span->section, CLASS_METADATA) ||
			       is_class(span->section, CLASS_INIT_TEXT) ||
			       is_class(span->section, CLASS_INIT_DATA)))
		return ks_error_set(err, "%s: %s+0x%llx: refers to %s in section %s, which new code cannot have",
				    reloc->section->object->path, reloc->section->name,
				    (unsigned long long)reloc->offset, span_name(span),
				    span->section->name);
	return 0;
}

static void keep(struct manip *manip, struct pointers *work, struct span *span)
{
	struct span_info *info = post_info(manip, span);
	struct span *entry, *part;

	if (info->kept)
		return;
	info->kept = true;
	pointers_add(manip, work, span);
	for (part = span->parts; part; part = part->next_part)
		keep(manip, work, part);
	for (entry = span->entries; entry; entry = entry->next_entry)
		if (entry->section->kind->flags & KIND_TRAVELS)
			keep(manip, work, entry);
}

/* All changed and new functions, and new data; then what they need, and so on. */
static int choose(struct manip *manip, struct ks_error *err)
{
	struct pointers work = { .items = NULL };
	struct section *section;
	struct reloc *reloc;
	struct target target;
	struct span *span;
	size_t i, j;

	for (i = 0; i < manip->nr_pairs; i++)
		for_each_span(manip->pairs[i].post.object, section, span, j)
			if (is_class(section, CLASS_TEXT) && span->kind == SPAN_FUNCTION &&
			    !span->parent &&
			    (span->status == SPAN_CHANGED || span->status == SPAN_NEW))
				keep(manip, &work, span);
	for (i = 0; i < work.count; i++) {
		span = work.items[i];
		for_each_span_reloc(span, reloc) {
			if (is_none_reloc(reloc))
				continue;
			if (resolve(manip, reloc, &target, err) != 0)
				return -1;
			if (target.native)
				keep(manip, &work, span_unit(target.native));
			if (target.native)
				keep(manip, &work, target.native);
		}
	}
	return 0;
}

static struct out_section *copy_section(struct manip *manip, struct side *post,
					const struct section *section)
{
	struct out_section **out = &post->out[section->index];

	if (!*out)
		*out = out_section_add(manip->new_code, section->name, section->type,
				       section->flags & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR |
							 SHF_MERGE | SHF_STRINGS),
				       section->align, section->entsize);
	return *out;
}

/* The span at the same offset from a multiple of the section's alignment as before. */
static void copy_span(struct manip *manip, struct side *post, struct span *span)
{
	struct span_info *info = post_info(manip, span);
	struct out_section *out = copy_section(manip, post, span->section);
	uint64_t align = span->section->align > 0 ? span->section->align : 1;
	bool packed = span->kind == SPAN_ENTRY || span->kind == SPAN_STRING ||
		      span->kind == SPAN_CONSTANT;
	const struct symbol *symbol = span->symbol;

	if (!packed)
		out_section_append(manip->new_code, out, NULL, (span->offset - out->size) % align,
				   1);
	info->out = out;
	info->out_offset = out_section_append(manip->new_code, out, span_bytes(span), span->size, 1);
	if (symbol && symbol->name[0] != '.')
		info->out_symbol = out_symbol_add(manip->new_code, symbol->name, out,
						  info->out_offset + symbol->value - span->offset,
						  symbol->size, symbol->type, STB_LOCAL);
}

/* .orc_unwind has no relocs: its entries go with those of .orc_unwind_ip. */
static int copy_orc(struct manip *manip, struct side *post, struct ks_error *err)
{
	const struct section *ip = find_section(post->object, ".orc_unwind_ip");
	const struct section *orc = find_section(post->object, ".orc_unwind");
	uint64_t size;
	size_t i;

	if (!ip || !orc || ip->nr_spans == 0)
		return 0;
	size = orc->size / ip->nr_spans;
	if (!orc->data || size * ip->nr_spans != orc->size)
		return ks_error_set(err, "%s: .orc_unwind does not fit .orc_unwind_ip",
				    post->object->path);
	for (i = 0; i < ip->nr_spans; i++)
		if (post_info(manip, &ip->spans[i])->kept)
			out_section_append(manip->new_code, copy_section(manip, post, orc),
					   orc->data + i * size, size, 1);
	return 0;
}

static int copy_spans(struct manip *manip, struct ks_error *err)
{
	struct section *section;
	struct span *span;
	size_t i, j;

	for (i = 0; i < manip->nr_pairs; i++) {
		struct side *post = &manip->pairs[i].post;

		for_each_span(post->object, section, span, j)
			if (post_info(manip, span)->kept)
				copy_span(manip, post, span);
		if (copy_orc(manip, post, err) != 0)
			return -1;
	}
	return 0;
}

static struct out_symbol *native_symbol(struct manip *manip, const char *name)
{
	struct out_object *out = manip->new_code;
	size_t i;

	for (i = 0; i < out->nr_symbols; i++)
		if (!out->symbols[i]->section && strcmp(out->symbols[i]->name, name) == 0)
			return out->symbols[i];
	return out_symbol_add(out, name, NULL, 0, 0, STT_NOTYPE, STB_GLOBAL);
}

static int copy_reloc(struct manip *manip, const struct span *span, const struct reloc *reloc,
		      struct ks_error *err)
{
	struct span_info *info = post_info(manip, span), *to;
	uint64_t offset = info->out_offset + reloc->offset - span->offset;
	struct out_symbol *symbol;
	struct target target;
	int64_t addend;

	if (resolve(manip, reloc, &target, err) != 0)
		return -1;
	if (target.native) {
		to = post_info(manip, target.native);
		symbol = to->out_symbol ? to->out_symbol :
					  out_section_symbol(manip->new_code, to->out);
		addend = (int64_t)to->out_offset + target.offset -
			 (to->out_symbol ? (int64_t)to->out_symbol->value : 0);
	} else if (target.import.symbol) {
		symbol = import_symbol(manip, target.import.symbol);
		addend = target.import.offset;
	} else {
		symbol = native_symbol(manip, target.name);
		addend = target.offset;
	}
	out_reloc_add(manip->new_code, info->out, offset, reloc->type, symbol,
		      addend + reloc->bias);
	return 0;
}

static int copy_relocs(struct manip *manip, struct ks_error *err)
{
	struct section *section;
	struct reloc *reloc;
	struct span *span;
	size_t i, j;

	for (i = 0; i < manip->nr_pairs; i++)
		for_each_span(manip->pairs[i].post.object, section, span, j) {
			if (!post_info(manip, span)->kept)
				continue;
			for_each_span_reloc(span, reloc)
				if (!is_none_reloc(reloc) &&
				    copy_reloc(manip, span, reloc, err) != 0)
					return -1;
		}
	return 0;
}

int make_new_code(struct manip *manip, struct ks_error *err)
{
	if (choose(manip, err) != 0 || copy_spans(manip, err) != 0)
		return -1;
	return copy_relocs(manip, err);
}
