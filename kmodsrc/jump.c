// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the jumps to the new code go, and what else is written with them.
 *
 * Not at the start of a function: ENDBR and the slot of ftrace stay, so that the
 * function can still be called indirectly and traced.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core.h"
#include "fault.h"
#include "forbidden.h"
#include "kernel.h"
#include "match_internal.h"

#define OPCODE_JMP	0xe9

/* The text section of the old code that was found to be the function, or KSPLICE_NONE. */
static u32 find_section(const struct ksplice_matcher *matcher, unsigned long address)
{
	u32 i;

	address = ksplice_code_at(address);

	for (i = 0; i < matcher->old->sections.count; i++)
		if (matcher->tables.sections[i].kind == KSPLICE_SECTION_TEXT &&
		    matcher->matched[i].state == KSPLICE_SECTION_MATCHED &&
		    matcher->matched[i].address == address)
			return i;
	return KSPLICE_NONE;
}

static bool is_entry_site(const struct ksplice_old_site *site, u32 entry)
{
	return site->offset == entry &&
	       (site->kind == KSPLICE_SITE_ENDBR || site->kind == KSPLICE_SITE_FENTRY);
}

/* Whether the kernel may rewrite the site later, and our jump with it. */
static bool is_rewritten(const struct ksplice_old_site *site)
{
	return site->kind == KSPLICE_SITE_FENTRY || site->kind == KSPLICE_SITE_JUMP_LABEL ||
	       site->kind == KSPLICE_SITE_STATIC_CALL;
}

/*
 * Offset in the section of the place for the jump, or a negative errno.  A branch
 * at the start can be shorter in the run and bring a later site near.
 */
static int jump_offset(const struct ksplice_matcher *matcher, u32 section)
{
	const struct ksplice_old_section *old = &matcher->tables.sections[section];
	const struct ksplice_matched *run = &matcher->matched[section];
	const struct ksplice_old_site *site = &matcher->tables.sites[old->sites];
	const struct ksplice_old_site *end = site + old->nr_sites;
	u32 entry = 0;

	for (; site < end && is_entry_site(site, entry); site++)
		entry += site->length;
	if (run->run_size < entry + KSPLICE_JUMP_SIZE)
		return -ENOSPC;
	for (; site < end; site++) {
		if (ksplice_run_address(run, 0, site->offset) >= entry + KSPLICE_JUMP_SIZE)
			break;
		if (is_rewritten(site))
			return -EBUSY;
	}
	return (int)entry;
}

/* By the name that the kernel has for it, whatever the update calls it. */
static int check_forbidden(struct ksplice_update *update, const struct ksplice_target *target,
			   unsigned long address)
{
	char name[KSYM_SYMBOL_LEN];
	const char *reason;

	if (target->module)
		return 0;
	sprint_symbol_no_offset(name, address);
	reason = ksplice_forbidden(name);
	return reason ? ksplice_fail(update, -EINVAL, "%s: %s cannot be replaced: %s", target->name,
				     name, reason) : 0;
}

/* Length of the instruction at @address, which is in front of @end; 0 if it cannot be told. */
static unsigned int insn_length(unsigned long address, unsigned long end)
{
	struct ksplice_insn insn;
	u8 bytes[KSPLICE_INSN_MAX];
	size_t size = min_t(size_t, end - address, sizeof(bytes));

	/* A breakpoint hides what is there. */
	if (address >= end || copy_from_kernel_nofault(bytes, (void *)address, size) != 0 ||
	    bytes[0] == KSPLICE_INT3 ||
	    ksplice_insn_decode(&insn, bytes, size, sizeof(long)) != 0)
		return 0;
	return insn.length;
}

/*
 * The jump may end in the middle of an instruction.  Whoever decodes the text then, as
 * kprobes do, sees other instructions behind it than there were, up to a place where
 * both have one that begins.  Returns how far that is from the jump.
 */
static unsigned long find_cut(unsigned long address, unsigned long end)
{
	unsigned long was = address, is = address + KSPLICE_JUMP_SIZE;
	unsigned int length;

	while (was != is) {
		unsigned long *behind = was < is ? &was : &is;

		length = insn_length(*behind, end);
		if (length == 0)
			return end - address;
		*behind += length;
	}
	return was - address;
}

static int link_patch(struct ksplice_update *update, const struct ksplice_target *target,
		      const struct ksplice_patch *patch, struct ksplice_jump *jump)
{
	u32 section = find_section(target->matcher, patch->old_address);
	long displacement;
	s32 field;
	int offset, ret;

	if (section == KSPLICE_NONE)
		return ksplice_fail(update, -ENOENT, "%s: %s was not matched", target->name,
				    patch->name);
	ret = check_forbidden(update, target, patch->old_address);
	if (ret != 0)
		return ret;
	offset = jump_offset(target->matcher, section);
	if (offset < 0)
		return ksplice_fail(update, -EINVAL, "%s: %s %s", target->name, patch->name,
				    offset == -ENOSPC ? "is too short for a jump" :
							"begins with code that the kernel rewrites");
	jump->patch = patch;
	jump->address = target->matcher->matched[section].address + offset;
	displacement = (long)(patch->new_address - (jump->address + KSPLICE_JUMP_SIZE));
	field = (s32)displacement;
	if (field != displacement)
		return ksplice_fail(update, -ERANGE, "%s: %s is too far away for a jump",
				    target->name, patch->name);
	jump->cut = find_cut(jump->address, target->matcher->matched[section].address +
						    target->matcher->matched[section].run_size);
	jump->jump[0] = OPCODE_JMP;
	memcpy(&jump->jump[1], &field, sizeof(field));
	if (copy_from_kernel_nofault(jump->saved, (void *)jump->address, KSPLICE_JUMP_SIZE) != 0)
		return ksplice_fail(update, -EFAULT, "%s: %s cannot be read", target->name,
				    patch->name);
	return 0;
}

/* Two names of one function would save each other's jump. */
static int check_overlap(struct ksplice_update *update, const struct ksplice_target *target,
			 unsigned long nr)
{
	unsigned long address = target->jumps[nr].address, i;

	for (i = 0; i < nr; i++)
		if (address - target->jumps[i].address < KSPLICE_JUMP_SIZE ||
		    target->jumps[i].address - address < KSPLICE_JUMP_SIZE)
			return ksplice_fail(update, -EINVAL, "%s: %s and %s are at the same place",
					    target->name, target->jumps[i].patch->name,
					    target->jumps[nr].patch->name);
	return 0;
}

static bool is_replaced(const struct ksplice_target *target, unsigned long function)
{
	unsigned long i;

	for (i = 0; i < target->new->nr_patches; i++)
		if (target->new->patches[i].old_address == function)
			return true;
	return false;
}

/*
 * No return address is the first one of a function, and who was interrupted there has
 * yet to come to the jump.  But it is what pointers to the function are, and where
 * stacks are scanned, a task that sleeps with one on its stack would be in the way.
 */
static int link_range(struct ksplice_update *update, const struct ksplice_target *target,
		      const struct ksplice_range *range, struct ksplice_range *run)
{
	u32 section = find_section(target->matcher, range->address);
	unsigned long skipped = is_replaced(target, range->address);

	if (section == KSPLICE_NONE)
		return ksplice_fail(update, -ENOENT, "%s: %s was not matched", target->name,
				    range->name);
	*run = *range;
	run->address = target->matcher->matched[section].address + skipped;
	run->size = target->matcher->matched[section].run_size - skipped;
	return 0;
}

/* All that was proved may be in the new code of other updates, which must stay. */
static int link_below(struct ksplice_update *update, const struct ksplice_target *target)
{
	const struct ksplice_matcher *matcher = target->matcher;
	const struct ksplice_matched *matched = matcher->matched;
	unsigned long value;
	int ret = 0;
	u32 i;

	for (i = 0; ret == 0 && i < matcher->old->sections.count; i++)
		if (matched[i].state == KSPLICE_SECTION_MATCHED)
			ret = ksplice_depend(update, matched[i].address);
	for (i = 0; ret == 0 && i < matcher->old->labels.count; i++)
		if (ksplice_match_value(matcher, matcher->tables.labels[i], &value) == 0)
			ret = ksplice_depend(update, value);
	return ret;
}

/* Where the ENDBR of a function is, or was before a nop of the same size sealed it. */
static bool is_sealed(const u8 *bytes, size_t size)
{
	struct ksplice_insn insn;

	return ksplice_insn_decode(&insn, bytes, size, sizeof(long)) == 0 &&
	       insn.length == size && (insn.flags & KSPLICE_INSN_NOP);
}

/* Whether a label that was published for the new code has that value. */
static bool is_label(const struct ksplice_matcher *matcher, unsigned long address)
{
	unsigned long value;
	u32 i;

	for (i = 0; i < matcher->old->labels.count; i++)
		if (ksplice_match_value(matcher, matcher->tables.labels[i], &value) == 0 &&
		    value == address)
			return true;
	return false;
}

/*
 * Of a reference by label nothing says whether it is to a function: other data
 * is no text, and a function that was not sealed can be called.
 */
static void link_endbr(struct ksplice_target *target, struct ksplice_fill *fill)
{
	static const u8 endbr[] = { 0xf3, 0x0f, 0x1e, IS_ENABLED(CONFIG_X86_64) ? 0xfa : 0xfb };

	fill->is_endbr = true;
	fill->size = sizeof(endbr);
	memcpy(fill->bytes, endbr, sizeof(endbr));
	if (!ksplice_is_core_text(fill->address) &&
	    !(target->module && ksplice_module_text_contains(target->module, fill->address)))
		return;
	if (copy_from_kernel_nofault(fill->saved, (void *)fill->address, fill->size) != 0 ||
	    !is_sealed(fill->saved, fill->size))
		return;
	target->nr_fills++;
}

/* Nothing but what ksplice-objmanip makes: a constant in new code, or ENDBR of a label. */
static bool is_right(const struct ksplice_target *target, const struct ksplice_write *write)
{
	const struct module *new = target->new->owner;

	if (write->source == 0)
		return is_label(target->matcher, write->address);
	return write->size - 1 < sizeof(target->fills->bytes) &&
	       ksplice_module_text_contains(new, write->address) &&
	       ksplice_module_text_contains(new, write->address + write->size - 1) &&
	       is_label(target->matcher, write->source);
}

static int link_fill(struct ksplice_update *update, struct ksplice_target *target,
		     const struct ksplice_write *write)
{
	struct ksplice_fill *fill = &target->fills[target->nr_fills];

	if (!is_right(target, write))
		return ksplice_fail(update, -EINVAL, "%s: a malformed write", target->name);
	fill->address = write->address;
	if (write->source == 0) {
		link_endbr(target, fill);
		return 0;
	}
	fill->size = write->size;
	if (copy_from_kernel_nofault(fill->saved, (void *)write->address, fill->size) != 0 ||
	    copy_from_kernel_nofault(fill->bytes, (void *)write->source, fill->size) != 0)
		return ksplice_fail(update, -EFAULT, "%s: a constant cannot be read",
				    target->name);
	target->nr_fills++;
	return 0;
}

int ksplice_target_link(struct ksplice_update *update, struct ksplice_target *target)
{
	const struct ksplice_mod_change *new = target->new;
	unsigned long i;
	int ret = 0;

	target->jumps = kvcalloc(new->nr_patches + 1, sizeof(*target->jumps), GFP_KERNEL);
	target->ranges = kvcalloc(new->nr_ranges + 1, sizeof(*target->ranges), GFP_KERNEL);
	target->fills = kvcalloc(new->nr_writes + 1, sizeof(*target->fills), GFP_KERNEL);
	if (!target->jumps || !target->ranges || !target->fills || ksplice_fault("jumps"))
		ret = ksplice_fail(update, -ENOMEM, "%s: no memory for the jumps", target->name);
	for (i = 0; ret == 0 && i < new->nr_patches; i++) {
		ret = link_patch(update, target, &new->patches[i], &target->jumps[i]);
		if (ret == 0)
			ret = check_overlap(update, target, i);
	}
	for (i = 0; ret == 0 && i < new->nr_ranges; i++)
		ret = link_range(update, target, &new->ranges[i], &target->ranges[i]);
	for (i = 0; ret == 0 && i < new->nr_writes; i++)
		ret = link_fill(update, target, &new->writes[i]);
	if (ret == 0)
		ret = ksplice_fault("below") ? ksplice_fail(update, -ENOMEM, "fault: below") :
					       link_below(update, target);
	if (ret == 0)
		ret = ksplice_target_link_constants(update, target);
	if (ret != 0) {
		ksplice_target_unlink(target);
		return ret;
	}
	target->nr_jumps = new->nr_patches;
	target->nr_ranges = new->nr_ranges;
	return 0;
}

void ksplice_target_unlink(struct ksplice_target *target)
{
	ksplice_target_unlink_constants(target);
	kvfree(target->jumps);
	kvfree(target->ranges);
	kvfree(target->fills);
	target->jumps = NULL;
	target->ranges = NULL;
	target->fills = NULL;
	target->nr_jumps = 0;
	target->nr_fills = 0;
	target->nr_ranges = 0;
}
