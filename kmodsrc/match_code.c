// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compares instructions of the old code with those of the run.
 *
 * The two are the same code in another layout: the kernel was linked without
 * function sections, so a jump may be short in one and near in the other, and
 * padding may be made of other nops.  All else must be equal byte by byte, but
 * for references, which are checked by what they refer to, and sites, which the
 * kernel rewrites (match_site.c).
 */
#include "match_internal.h"

#define LOCK	0xf0	/* as the compiler made it */
#define NO_LOCK	0x3e	/* what a boot with one CPU makes of it: a DS prefix */

unsigned long ksplice_place_address(const struct ksplice_place *place, u32 run)
{
	return place->address + run;
}

int ksplice_differs(struct ksplice_place *place, u32 offset, u32 run, u32 symbol,
		    const char *reason)
{
	struct ksplice_mismatch *mismatch = &place->matcher->mismatch;

	/* One of several forms of a site; the site has something to say itself. */
	if (place->outer)
		return -ENOENT;
	if (mismatch->section == KSPLICE_NONE || offset >= mismatch->offset) {
		mismatch->section = place->section;
		mismatch->offset = offset;
		mismatch->address = ksplice_place_address(place, run) & place->matcher->mask;
		mismatch->symbol = symbol;
		mismatch->reason = reason;
	}
	return -ENOENT;
}

u32 ksplice_reloc_after(const struct ksplice_place *place, u32 offset)
{
	const struct ksplice_old_reloc *relocs =
		&place->matcher->tables.relocs[place->old->relocs];
	u32 low = 0, high = place->old->nr_relocs;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (relocs[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return place->old->relocs + low;
}

const struct ksplice_old_reloc *ksplice_reloc_at(const struct ksplice_place *place, u32 offset)
{
	u32 index = ksplice_reloc_after(place, offset);
	const struct ksplice_old_reloc *reloc = &place->matcher->tables.relocs[index];

	if (index == place->old->relocs + place->old->nr_relocs || reloc->offset != offset)
		return NULL;
	return reloc;
}

int ksplice_run_decode(const struct ksplice_place *place, u32 run, struct ksplice_insn *insn)
{
	if (run >= place->run_size ||
	    ksplice_insn_decode(insn, place->run + run, place->run_size - run,
				place->matcher->old->word_size) != 0)
		return -ENOENT;
	return 0;
}

unsigned long ksplice_run_target(const struct ksplice_place *place, u32 run,
				 const struct ksplice_insn *insn)
{
	unsigned long target = ksplice_place_address(place, run) + insn->length +
			       (unsigned long)(long)ksplice_insn_field(
				       place->run + run, insn->rel_offset, insn->rel_size);

	target &= place->matcher->mask;
	return insn->branch == KSPLICE_BRANCH_CALL ? ksplice_callee(place->matcher, target) :
						     target;
}

void ksplice_note_bad_branch(struct ksplice_place *place)
{
	if (place->bad_branch.seen)
		return;
	place->bad_branch = (struct ksplice_bad_branch){
		.seen = true,
		.offset = place->at,
		.run = place->at_run,
	};
}

int ksplice_local_branch(struct ksplice_place *place, u32 section, u32 target,
			 unsigned long run_target)
{
	unsigned long start = place->address - place->origin;

	if (section != place->section)
		return ksplice_offset_match(place, section, target, run_target);
	if (((ksplice_run_address(place->assumed, start, target) ^ run_target) &
	     place->matcher->mask) != 0)
		ksplice_note_bad_branch(place);
	return 0;
}

/* From here on the layouts are @run - @pre bytes apart. */
static int note_shift(struct ksplice_place *place, u32 pre, u32 run)
{
	s32 delta = (s32)(run - pre);
	s32 last = place->nr_shifts > 0 ? place->shifts[place->nr_shifts - 1].delta : 0;

	/* A replacement is not part of the section's layout. */
	if (place->outer || delta == last)
		return 0;
	if (place->nr_shifts == KSPLICE_MAX_SHIFTS)
		return ksplice_differs(place, pre, run, KSPLICE_NONE, "the layout differs");
	place->shifts[place->nr_shifts].pre = pre;
	place->shifts[place->nr_shifts].delta = delta;
	place->nr_shifts++;
	return 0;
}

static bool same_kind_of_branch(const struct ksplice_insn *a, const struct ksplice_insn *b)
{
	/* Of a loop, the address prefix says whether it counts in %ecx or %rcx. */
	return a->branch == b->branch && a->condition == b->condition &&
	       (a->branch != KSPLICE_BRANCH_LOOP || a->prefixes == b->prefixes);
}

static int match_branch(struct ksplice_place *place, u32 offset, const struct ksplice_insn *pre,
			u32 run, const struct ksplice_insn *insn)
{
	const struct ksplice_old_reloc *reloc = ksplice_reloc_at(place, offset + pre->rel_offset);
	unsigned long target = ksplice_run_target(place, run, insn);
	s64 local;

	if (!same_kind_of_branch(pre, insn))
		return ksplice_differs(place, offset, run, KSPLICE_NONE, "another instruction");
	if (reloc) {
		if (ksplice_branch_match(place, reloc, target) != 0)
			return ksplice_differs(place, offset, run, reloc->symbol,
					       "the branch goes elsewhere");
		return 0;
	}
	local = (s64)offset + pre->length +
		ksplice_insn_field(place->pre + offset, pre->rel_offset, pre->rel_size);
	if (local < 0 || local > place->old->size)
		return ksplice_differs(place, offset, run, KSPLICE_NONE,
				       "the old code branches out of its section");
	return ksplice_local_branch(place, place->section, (u32)local, target);
}

/* Whether the old code has a site of kind LOCK at @offset. */
static bool is_lock_site(const struct ksplice_place *place, u32 site, u32 offset)
{
	const struct ksplice_old_site *sites = place->matcher->tables.sites;
	u32 end = place->old->sites + place->old->nr_sites;

	for (; site < end && sites[site].offset <= offset; site++)
		if (sites[site].offset == offset && sites[site].kind == KSPLICE_SITE_LOCK)
			return true;
	return false;
}

/* Of a module, locks in its .text alone are removed (module_finalize()). */
static bool is_plain_text(const struct ksplice_place *place)
{
	const char *name = place->matcher->tables.strings + place->old->name;

	return !place->outer && strncmp(name, ".text", strlen(".text")) == 0 &&
	       strncmp(name, ".text.unlikely", strlen(".text.unlikely")) != 0;
}

/*
 * A lock prefix is as it was compiled, or removed.  A boot with one CPU removes all
 * of them (alternatives_smp_unlock()), and puts them back when a second one comes.
 */
static int match_lock(struct ksplice_place *place, u32 offset, u32 run, u8 byte)
{
	struct ksplice_matcher *matcher = place->matcher;

	if (byte == NO_LOCK)
		matcher->locks_here |= KSPLICE_LOCK_REMOVED;
	else if (is_plain_text(place))
		matcher->locks_here |= KSPLICE_LOCK_KEPT;
	if (byte == NO_LOCK && matcher->ops->may_be_up &&
	    !matcher->ops->may_be_up(matcher->context))
		return ksplice_differs(place, offset, run, KSPLICE_NONE,
				       "a lock prefix is gone, and there are several CPUs");
	if ((matcher->locks | matcher->locks_here) ==
	    (KSPLICE_LOCK_KEPT | KSPLICE_LOCK_REMOVED))
		return ksplice_differs(place, offset, run, KSPLICE_NONE,
				       "some lock prefixes are gone, but not all");
	return 0;
}

/* Instructions of one length: their bytes, with references by meaning. */
static int match_bytes(struct ksplice_place *place, u32 offset, u32 length, u32 run, u32 site)
{
	const struct ksplice_old_reloc *relocs = place->matcher->tables.relocs;
	u32 index = ksplice_reloc_after(place, offset);
	u32 end = place->old->relocs + place->old->nr_relocs;
	u32 i = 0;
	u8 byte;

	while (i < length) {
		if (index < end && relocs[index].offset == offset + i) {
			u32 size = ksplice_reloc_size(&relocs[index]);

			if (size > length - i)
				return ksplice_differs(place, offset, run, KSPLICE_NONE,
						       "a reference spans two instructions");
			if (ksplice_reloc_match(place, &relocs[index], place->run + run + i,
						ksplice_place_address(place, run + i)) != 0)
				return ksplice_differs(place, offset, run, relocs[index].symbol,
						       "the reference is to something else");
			index++;
			i += size;
			continue;
		}
		byte = place->run[run + i];
		if (place->pre[offset + i] == LOCK && (byte == LOCK || byte == NO_LOCK) &&
		    is_lock_site(place, site, offset + i)) {
			if (match_lock(place, offset, run, byte) != 0)
				return -ENOENT;
		} else if (place->pre[offset + i] != byte) {
			return ksplice_differs(place, offset, run, KSPLICE_NONE,
					       "another instruction");
		}
		i++;
	}
	return 0;
}

/*
 * A breakpoint that the compiler did not put there is somebody's probe when it
 * replaces just the first byte, as kprobes do; else it is padding, of other code.
 */
bool ksplice_is_probed(const struct ksplice_place *place, u32 offset, u32 run)
{
	struct ksplice_insn pre;
	u32 i, reloc = ksplice_reloc_after(place, offset);
	const struct ksplice_old_reloc *relocs = place->matcher->tables.relocs;

	if (run >= place->run_size || place->run[run] != KSPLICE_INT3 ||
	    place->pre[offset] == KSPLICE_INT3 ||
	    ksplice_insn_decode(&pre, place->pre + offset, place->old->size - offset,
				place->matcher->old->word_size) != 0 ||
	    place->run_size - run < pre.length)
		return false;
	if (pre.length == 1)
		return place->run_size - run > 1 && place->run[run + 1] != KSPLICE_INT3;
	for (i = 1; i < pre.length; i++) {
		if (reloc < place->old->relocs + place->old->nr_relocs &&
		    relocs[reloc].offset == offset + i) {
			i += ksplice_reloc_size(&relocs[reloc]) - 1;
			reloc++;
		} else if (place->pre[offset + i] != place->run[run + i]) {
			return false;
		}
	}
	return true;
}

int ksplice_probed(struct ksplice_place *place, u32 offset, u32 run)
{
	if (!place->outer)
		place->matcher->mismatch.section = KSPLICE_NONE;
	ksplice_differs(place, offset, run, KSPLICE_NONE, "a breakpoint (kprobe?) is set");
	return -EBUSY;
}

/* Offset of the next site that is matched by a rule, from @site on; or @to. */
static u32 next_site(const struct ksplice_place *place, u32 *site, u32 offset, u32 to)
{
	const struct ksplice_old_site *sites = place->matcher->tables.sites;
	u32 end = place->old->sites + place->old->nr_sites;

	while (*site < end &&
	       (sites[*site].offset < offset || sites[*site].kind == KSPLICE_SITE_LOCK))
		(*site)++;
	return *site < end && sites[*site].offset < to ? sites[*site].offset : to;
}

/*
 * Skip nops of both sides; they are there for alignment.  Where a site follows,
 * no more of them than there are in the old code: the site may hold nops too.
 */
static bool skip_nops(struct ksplice_place *place, u32 *offset, u32 limit, u32 *run)
{
	struct ksplice_insn insn;
	u32 word_size = place->matcher->old->word_size;
	u32 from = *offset, run_from = *run;
	bool skipped = false;

	while (*offset < limit &&
	       ksplice_insn_decode(&insn, place->pre + *offset, limit - *offset, word_size) == 0 &&
	       (insn.flags & KSPLICE_INSN_NOP)) {
		*offset += insn.length;
		skipped = true;
	}
	while ((*offset < limit || *run - run_from < *offset - from) &&
	       ksplice_run_decode(place, *run, &insn) == 0 && (insn.flags & KSPLICE_INSN_NOP)) {
		*run += insn.length;
		skipped = true;
	}
	return skipped;
}

static int match_instruction(struct ksplice_place *place, u32 *offset, u32 limit, u32 *run,
			     u32 site)
{
	struct ksplice_insn pre, insn;
	int ret;

	if (ksplice_insn_decode(&pre, place->pre + *offset, limit - *offset,
				place->matcher->old->word_size) != 0)
		return ksplice_differs(place, *offset, *run, KSPLICE_NONE,
				       "unknown instruction in the old code");
	if (ksplice_run_decode(place, *run, &insn) != 0)
		return ksplice_differs(place, *offset, *run, KSPLICE_NONE,
				       "unknown instruction in the running code");
	if (ksplice_is_probed(place, *offset, *run))
		return ksplice_probed(place, *offset, *run);
	if (((pre.flags | insn.flags) & KSPLICE_INSN_NOP) &&
	    (pre.length != insn.length ||
	     memcmp(place->pre + *offset, place->run + *run, pre.length) != 0)) {
		if (skip_nops(place, offset, limit, run))
			return note_shift(place, *offset, *run);
	}
	if (pre.branch != KSPLICE_BRANCH_NONE)
		ret = match_branch(place, *offset, &pre, *run, &insn);
	else if (pre.length != insn.length)
		ret = ksplice_differs(place, *offset, *run, KSPLICE_NONE, "another instruction");
	else
		ret = match_bytes(place, *offset, pre.length, *run, site);
	if (ret != 0)
		return ret;
	*offset += pre.length;
	*run += insn.length;
	return note_shift(place, *offset, *run);
}

int ksplice_code_match(struct ksplice_place *place, u32 from, u32 to, u32 site, u32 run_from,
		       u32 *run_to, unsigned int depth)
{
	const struct ksplice_old_site *sites = place->matcher->tables.sites;
	u32 offset = from, run = run_from, first_site = site;
	int ret;

	while (offset < to) {
		u32 limit = next_site(place, &site, offset, to);

		place->at = offset;
		place->at_run = run;
		if (limit == offset) {
			u32 end = offset + sites[site].length;

			ret = ksplice_site_match(place, site, run, &run, depth);
			if (ret != 0)
				return ret;
			offset = end;
			ret = note_shift(place, offset, run);
		} else {
			ret = match_instruction(place, &offset, limit, &run, first_site);
		}
		if (ret != 0)
			return ret;
	}
	*run_to = run;
	return 0;
}
