// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes the new code: copies of all changed and new functions, and of what only
 * they use.  References to the rest become imports, so that there is one copy of
 * each variable, and unchanged code is not carried along.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/compare.h"
#include "lib/names.h"
#include "lib/text.h"
#include "lib/util.h"
#include "objmanip/exports.h"

/* What a reference of the new code is to. */
struct target {
	struct span *native;	/* a span of a post object that is copied, or NULL */
	int64_t offset;		/* in it, or from the import */
	struct old_place import; /* if @native is NULL and .symbol is not */
	const struct symbol *common; /* otherwise: a new common variable, or */
	const char *name;	/* a symbol that the kernel exports for this */
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

bool has_endbr(const struct span *span)
{
	static const unsigned char endbr[] = { 0xf3, 0x0f, 0x1e };	/* fa or fb */
	const unsigned char *bytes = span_bytes(span);

	return bytes && span->size - span->entry > sizeof(endbr) &&
	       memcmp(bytes + span->entry, endbr, sizeof(endbr)) == 0;
}

/*
 * A function.  Its old address stands for it, because pointers to it are compared
 * and stored; only branches go straight to the new code.  But with IBT one of which
 * nobody took the address has no ENDBR, so its first pointer is to the new code.
 */
static void resolve_function(struct manip *manip, const struct reloc *reloc, struct span *span,
			     struct target *target)
{
	/* An unchanged part of a changed function jumps back into the old one. */
	bool changed = span_unit(span)->status == SPAN_CHANGED;
	/* Nobody has a pointer to foo.cold; but a table of a switch may begin there. */
	bool whole = target->offset == entry_offset(span) && !span->parent;

	if (!span->twin || is_class(span->section, CLASS_AUX_TEXT) ||
	    (changed && has_endbr(span) && !has_endbr(span->twin)) ||
	    (changed && (is_branch(reloc) || is_class(reloc->section, CLASS_TABLE) || !whole)))
		target->native = span;
	else
		import_span(manip, span->twin, place_in_twin(span, target->offset), target);
}

/* Any copy of it does as well as the running kernel's. */
static bool is_copied(const struct span *span)
{
	return is_class(span->section, CLASS_STRINGS) || is_class(span->section, CLASS_CONSTANTS) ||
	       is_class(span->section, CLASS_PRIVATE_DATA) ||
	       is_class(span->section, CLASS_UBSAN) ||
	       (span->symbol ? is_private_static(span->symbol->name) :
			       is_class(span->section, CLASS_RODATA));
}

/* Data that has a twin is the running kernel's. */
static void resolve_data(struct manip *manip, const struct reloc *reloc, struct span *span,
			 struct target *target)
{
	const struct span *key = running_key(reloc, span);
	bool copied = is_copied(span);

	target->import.symbol = running_string(manip, span);
	if (target->import.symbol) {
		target->import.offset = target->offset;
		return;
	}
	if (key) {
		import_span(manip, key, target->offset, target);
		return;
	}
	/* Constants that changed are only used by code that changed, or are written in place. */
	if (is_fixed(span) && span->status != SPAN_SAME)
		copied = !post_info(manip, span)->in_place;
	if (copied || !span->twin)
		target->native = span;
	else
		import_span(manip, span->twin, target->offset, target);
}

/* Why a span can't be part of a module where @reloc needs it, or NULL when it can. */
static const char *why_not_copied(const struct span *span, const struct reloc *reloc)
{
	/* The names of values in events: the loader reads them before they go. */
	if (is_class(span->section, CLASS_INIT_DATA) && is_class(reloc->section, CLASS_TABLE) &&
	    (reloc->section->kind->flags & KIND_REGISTERS))
		return NULL;
	if (is_class(span->section, CLASS_EXPORT) || is_class(span->section, CLASS_METADATA))
		return "new code refers to a section that only the kernel itself can have";
	if (is_class(span->section, CLASS_INIT_TEXT) || is_class(span->section, CLASS_INIT_DATA))
		return "new code refers to code or data that is gone after boot";
	if (is_class(span->section, CLASS_FIXED_TEXT) &&
	    (strstarts(span->section->name, ".entry") || strstarts(span->section->name, ".head")))
		return "new code of the kernel's entry can only be in the kernel itself";
	if (strstarts(span->section->name, ".BTF_ids"))
		return "new code refers to new BTF ids, which only the kernel's own build can fill in";
	if (!span->symbol && !span->twin && !is_copied(span) && !is_text(span->section) &&
	    !is_class(span->section, CLASS_TABLE))
		return "new code refers to a variable without a name, whose place in the running kernel is not known";
	return NULL;
}

/*
 * Why new code can't use the running kernel's variable although it has the name
 * and more: what was const is in memory that can't be written.
 */
static const char *why_not_imported(const struct span *pre, const struct span *post)
{
	bool was_fixed = is_class(pre->section, CLASS_RODATA) ||
			 is_class(pre->section, CLASS_RO_AFTER_INIT);
	bool is_fixed = is_class(post->section, CLASS_RODATA) ||
			is_class(post->section, CLASS_RO_AFTER_INIT);

	if (is_class(pre->section, CLASS_PERCPU) != is_class(post->section, CLASS_PERCPU))
		return "a variable becomes per-CPU, or is no longer; give it a new name";
	if (was_fixed && !is_fixed)
		return "new code may write to a variable that is read-only in the running kernel; give it a new name";
	return NULL;
}

/* A weak definition may not be the one that the kernel uses: only its name counts. */
static bool is_weak_elsewhere(const struct reloc *reloc)
{
	return reloc->symbol && reloc->symbol->binding == STB_WEAK && reloc->span->twin &&
	       span_unit(reloc->span)->status != SPAN_CHANGED;
}

/* A common variable of the post objects is there already when a pre object has it. */
static bool is_known_common(const struct manip *manip, const char *name)
{
	size_t i;

	for (i = 0; i < manip->nr_pairs; i++)
		if (find_symbol(manip->pairs[i].pre.object, name))
			return true;
	return false;
}

/* What a reference is to; returns NULL, or why it can't be had. */
static const char *resolve(struct manip *manip, const struct reloc *reloc, struct target *target)
{
	struct span *span = reloc->span;
	struct symbol *definition;

	*target = (struct target){ .offset = reloc->span_offset };
	if (!span || is_weak_elsewhere(reloc)) {
		const char *name = reloc->symbol ? reloc->symbol->name : "";

		if (reloc->symbol && reloc->symbol->place == SYMBOL_ABSOLUTE)
			return "new code refers to an absolute symbol, which modules cannot have";
		target->offset = reloc->addend - reloc->bias;
		if (reloc->symbol && reloc->symbol->place == SYMBOL_COMMON &&
		    !is_known_common(manip, name)) {
			target->common = reloc->symbol;
			return NULL;
		}
		if (is_native_import(manip, name)) {
			target->name = name;
			return NULL;
		}
		definition = hash_find(&manip->post_definitions, name);
		if (!definition || definition->binding == STB_WEAK) {
			target->import = place_by_name(manip, name);
			target->import.offset += target->offset;
			return NULL;
		}
		span = definition->span;
		target->offset += (int64_t)(definition->value - span->offset);
	}
	if (left_element(reloc)) {
		target->offset += (int64_t)(span->offset - left_element(reloc)->offset);
		span = left_element(reloc);
	}
	if (is_text(span->section))
		resolve_function(manip, reloc, span, target);
	else
		resolve_data(manip, reloc, span, target);
	if (target->native)
		return why_not_copied(target->native, reloc);
	return is_text(span->section) || !span->twin ? NULL : why_not_imported(span->twin, span);
}

static void keep(struct manip *manip, struct pointers *work, struct span *span)
{
	struct span_info *info = post_info(manip, span);

	if (info->kept)
		return;
	info->kept = true;
	pointers_add(manip, work, span);
}

/* What goes with a span that is kept. */
static void keep_company(struct manip *manip, struct pointers *work, const struct span *span)
{
	struct span *entry, *part;

	for (part = span->parts; part; part = part->next_part)
		keep(manip, work, part);
	for (entry = span->entries; entry; entry = entry->next_entry)
		if (entry->section->kind->flags & KIND_TRAVELS)
			keep(manip, work, entry);
}

/* A part of a function is of no use without the rest. */
static void keep_unit(struct manip *manip, struct pointers *work, struct span *span)
{
	keep(manip, work, span_unit(span));
	keep(manip, work, span);
}

/* Why the field of a reloc can't be part of a module, or NULL when it can. */
static const char *why_not_moved(const struct span *span, const struct reloc *reloc)
{
	if (reloc->length > span->offset + span->size - reloc->offset)
		return "a relocation reaches into the next function or variable";
	if (reloc_kind(span->section->object, reloc->type) < 0)
		return "it has a relocation of a type that kernel modules do not support";
	if (needs_stub(reloc))
		return why_no_stub(span, reloc);
	if (reloc->length < 4)
		return "it has a relocation of less than 32 bits, which kernel modules do not support";
	return NULL;
}

/* New exports, and what they are of. */
static void choose_exports(struct manip *manip, struct pointers *work, const struct pair *pair)
{
	const char *reason;
	struct export export;
	struct target target;
	size_t i;

	for (i = 0; i < pair->diff.exports_new.count; i++) {
		if (!find_new_export(manip, &pair->diff.exports_new.items[i], &export))
			continue;
		reason = export.value ? resolve(manip, export.value, &target) :
					"what it exports is not known";
		if (reason)
			add_note(manip, &manip->refused, pair->post.object, export.name, reason);
		else if (target.native)
			keep_unit(manip, work, target.native);
	}
}

/*
 * New tracepoints and the like, whole: that of an event is what the code refers to,
 * its class, fields and probes are only known to the lists that the loader reads.
 */
static void choose_registered(struct manip *manip, struct pointers *work,
			      const struct section *table)
{
	struct span *entry;

	if (!is_class(table, CLASS_TABLE) || !(table->kind->flags & KIND_REGISTERS))
		return;
	for (entry = table->spans; entry < table->spans + table->nr_spans; entry++)
		if (entry->owner && !entry->owner->twin)
			keep_unit(manip, work, entry->owner);
}

/* A changed or new function, or a constant that is written in place. */
static bool is_wanted(struct manip *manip, const struct span *span)
{
	if (is_class(span->section, CLASS_TEXT))
		return span->kind == SPAN_FUNCTION && !span->parent &&
		       (span->status == SPAN_CHANGED || span->status == SPAN_NEW);
	return post_info(manip, span)->in_place;
}

/* Why a constant can't have this reference when it is written over the old one. */
static const char *why_not_in_place(const struct reloc *reloc, const struct target *target)
{
	int kind = reloc_kind(reloc->section->object, reloc->type);

	if (target->native)
		return "a constant that is replaced may only refer to what the running kernel has, not to new functions or strings";
	if (kind == KSPLICE_RELOC_PC8 || kind == KSPLICE_RELOC_PC32 || kind == KSPLICE_RELOC_PC64)
		return "a constant that is replaced may not hold distances, which are others at its place";
	return NULL;
}

/* All changed and new functions, and exports; then what they need, and so on. */
static void choose(struct manip *manip)
{
	struct pointers work = { .items = NULL };
	const char *reason;
	struct section *section;
	struct reloc *reloc;
	struct target target;
	struct span *span;
	size_t i, j;

	for (i = 0; i < manip->nr_pairs; i++) {
		for_each_span(manip->pairs[i].post.object, section, span, j)
			if (is_wanted(manip, span) || is_new_message(&manip->pairs[i], span))
				keep(manip, &work, span);
		for_each_section(manip->pairs[i].post.object, section, j)
			choose_registered(manip, &work, section);
		choose_exports(manip, &work, &manip->pairs[i]);
	}
	for (i = 0; i < work.count; i++) {
		span = work.items[i];
		keep_company(manip, &work, span);
		if (is_function_section(span->section) && runs_on(span))
			add_note(manip, &manip->refused, span->section->object, span_name(span),
				 "its code runs on into the function behind it, which cannot be moved with it; end it with a jump");
		for_each_span_reloc(span, reloc) {
			if (is_none_reloc(reloc))
				continue;
			reason = why_not_moved(span, reloc);
			if (!reason)
				reason = resolve(manip, reloc, &target);
			if (!reason && post_info(manip, span)->in_place)
				reason = why_not_in_place(reloc, &target);
			if (reason)
				add_note(manip, &manip->refused, span->section->object,
					 span_name(span_unit(span)), reason);
			else if (target.native)
				keep_unit(manip, &work, target.native);
		}
	}
}

/*
 * The loader knows per-CPU data of a module by one name only.  Strings are no
 * longer for the linker to merge: a place is given by its offset in the section.
 */
struct out_section *copy_section(struct manip *manip, struct side *post,
				 const struct section *section)
{
	struct out_section **out = &post->out[section->index];
	bool merged = section->flags & SHF_MERGE;

	if (!*out)
		*out = out_section_add(manip->new_code,
				       is_class(section, CLASS_PERCPU) ? ".data..percpu" :
									 section->name,
				       section->data ? SHT_PROGBITS : SHT_NOBITS,
				       section->flags & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR),
				       section->align, merged ? 0 : section->entsize);
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
	append_stubs(manip, span);
	if (symbol && symbol->name[0] != '.')
		info->out_symbol = out_symbol_add(manip->new_code, symbol->name, out,
						  info->out_offset + symbol->value - span->offset,
						  symbol->size, symbol->type, STB_LOCAL);
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
	struct out_symbol *symbol = hash_find(&manip->natives, name);

	if (!symbol) {
		symbol = out_symbol_add(manip->new_code, name, NULL, 0, 0, STT_NOTYPE, STB_GLOBAL);
		hash_add(&manip->natives, symbol->name, symbol);
	}
	return symbol;
}

/* Its place in the new code; several objects may have the variable, in several sizes. */
static struct out_symbol *common_symbol(struct manip *manip, const struct symbol *common)
{
	struct out_symbol *symbol;
	struct out_section *bss;
	const struct symbol *other;
	uint64_t size = 0, align = 1;
	size_t i;

	if (!manip->commons.buckets)
		hash_init(&manip->commons, &manip->arena, 16);
	symbol = hash_find(&manip->commons, common->name);
	if (symbol)
		return symbol;
	for (i = 0; i < manip->nr_pairs; i++) {
		other = find_symbol(manip->pairs[i].post.object, common->name);
		if (!other || other->place != SYMBOL_COMMON)
			continue;
		size = other->size > size ? other->size : size;
		if (other->value > align && (other->value & (other->value - 1)) == 0)
			align = other->value;
	}
	bss = out_section_add(manip->new_code,
			      arena_printf(&manip->arena, ".bss.%s", common->name), SHT_NOBITS,
			      SHF_ALLOC | SHF_WRITE, align, 0);
	out_section_append(manip->new_code, bss, NULL, size, 1);
	symbol = out_symbol_add(manip->new_code, common->name, bss, 0, size, STT_OBJECT, STB_LOCAL);
	hash_add(&manip->commons, common->name, symbol);
	return symbol;
}

struct out_symbol *symbol_of_reference(struct manip *manip, const struct reloc *reloc,
				       int64_t *addend)
{
	struct span_info *to;
	struct target target;

	resolve(manip, reloc, &target);
	if (target.native) {
		to = post_info(manip, target.native);
		*addend = (int64_t)to->out_offset + target.offset -
			  (to->out_symbol ? (int64_t)to->out_symbol->value : 0);
		return to->out_symbol ? to->out_symbol :
					out_section_symbol(manip->new_code, to->out);
	}
	if (target.import.symbol) {
		*addend = target.import.offset;
		return import_symbol(manip, target.import.symbol);
	}
	*addend = target.offset;
	return target.common ? common_symbol(manip, target.common) :
			       native_symbol(manip, target.name);
}

/* A pointer to the start of something that may be a function of the running kernel. */
static void note_pointer(struct manip *manip, const struct reloc *reloc)
{
	struct target target;

	resolve(manip, reloc, &target);
	if (!target.native && target.import.symbol && target.import.offset == 0 &&
	    (!reloc->span || is_text(reloc->span->section)) && !is_branch(reloc) &&
	    !is_class(reloc->section, CLASS_TABLE))
		target.import.symbol->pointed = true;
}

static void copy_reloc(struct manip *manip, const struct span *span, const struct reloc *reloc)
{
	struct span_info *info = post_info(manip, span);
	uint64_t offset = info->out_offset + reloc->offset - span->offset;
	struct out_symbol *symbol;
	uint32_t type = reloc->type;
	int64_t addend, bias = reloc->bias;

	/* Branches that the assembler resolved hold a displacement; the loader wants 0. */
	memset(info->out->data + offset, 0, reloc->length);
	symbol = symbol_of_reference(manip, reloc, &addend);
	note_pointer(manip, reloc);
	if (needs_stub(reloc)) {
		offset = point_to_stub(manip, span, reloc);
		type = manip->word_size == 8 ? R_X86_64_PLT32 : R_386_PC32;
		bias = -4;
	}
	out_reloc_add(manip->new_code, info->out, offset, type, symbol, addend + bias);
}

static void copy_relocs(struct manip *manip)
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
				if (!is_none_reloc(reloc))
					copy_reloc(manip, span, reloc);
		}
}

int make_new_code(struct manip *manip, struct ks_error *err)
{
	size_t i;

	for (i = 0; i < manip->nr_pairs; i++)
		collect_strings(manip, &manip->pairs[i].pre);
	choose(manip);
	if (manip->refused.count > 0)
		return 0;
	if (copy_spans(manip, err) != 0)
		return -1;
	copy_relocs(manip);
	make_exports(manip);
	return 0;
}
