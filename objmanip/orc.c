// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ORC data of the new code.  An entry of .orc_unwind_ip says from where on the
 * entry of .orc_unwind with the same index holds; the latter has no relocs.  In
 * assembly, where a section has many functions, one may go on with the entry of
 * the function before it (orc_create() in tools/objtool/orc_gen.c).
 */
#include "objmanip/manip.h"

struct orc {
	struct manip *manip;
	struct side *post;
	const struct section *ip, *data;
	uint64_t size;		/* of an entry of @data */
};

/* Where the entry begins to hold: an offset in the section that it is about; -1 for another. */
static int64_t entry_start(const struct orc *orc, size_t entry, const struct section *text)
{
	const struct reloc *reloc = find_reloc(orc->ip, orc->ip->spans[entry].offset);

	if (!reloc || !reloc->span || reloc->span->section != text)
		return -1;
	return (int64_t)reloc->span->offset + reloc->span_offset;
}

/* The entry that holds at @at, and from where on; false when there is none. */
static bool find_entry(const struct orc *orc, const struct section *text, uint64_t at,
		       size_t *entry, uint64_t *start)
{
	bool found = false;
	int64_t position;
	size_t i;

	for (i = 0; i < orc->ip->nr_spans; i++) {
		position = entry_start(orc, i, text);
		if (position < 0 || (uint64_t)position > at ||
		    (found && (uint64_t)position < *start))
			continue;
		found = true;
		*entry = i;
		*start = (uint64_t)position;
	}
	return found;
}

static void copy_data(const struct orc *orc, size_t entry)
{
	out_section_append(orc->manip->new_code, copy_section(orc->manip, orc->post, orc->data),
			   orc->data->data + entry * orc->size, orc->size, 1);
}

/* One more entry: from @offset of the new code on as at @at of the section. */
static void add_entry(const struct orc *orc, struct out_section *out, uint64_t offset,
		      size_t entry)
{
	struct out_object *new_code = orc->manip->new_code;
	struct out_section *ip = copy_section(orc->manip, orc->post, orc->ip);
	const struct reloc *reloc = find_reloc(orc->ip, orc->ip->spans[entry].offset);
	uint64_t at = out_section_append(new_code, ip, NULL, orc->ip->spans[entry].size, 1);

	out_reloc_add(new_code, ip, at, reloc->type, out_section_symbol(new_code, out),
		      (int64_t)offset);
	copy_data(orc, entry);
}

/* What a copied function has no entries for: its start, the stubs behind it. */
static void complete_entries(const struct orc *orc, const struct span *span)
{
	const struct span_info *info = post_info(orc->manip, span);
	uint64_t start, offset = info->out_offset + span->size;
	const struct reloc *reloc;
	size_t entry;

	if (find_entry(orc, span->section, span->offset, &entry, &start) && start < span->offset)
		add_entry(orc, info->out, info->out_offset, entry);
	for_each_span_reloc(span, reloc) {
		if (!needs_stub(reloc))
			continue;
		if (find_entry(orc, span->section, reloc->offset, &entry, &start))
			add_entry(orc, info->out, offset, entry);
		offset += STUB_SIZE;
	}
}

int copy_orc(struct manip *manip, struct side *post, struct ks_error *err)
{
	struct orc orc = {
		.manip = manip,
		.post = post,
		.ip = find_section(post->object, ".orc_unwind_ip"),
		.data = find_section(post->object, ".orc_unwind"),
	};
	struct section *section;
	struct span *span;
	size_t i;

	if (!orc.ip || !orc.data || orc.ip->nr_spans == 0)
		return 0;
	orc.size = orc.data->size / orc.ip->nr_spans;
	if (!orc.data->data || orc.size * orc.ip->nr_spans != orc.data->size)
		return ks_error_set(err, "%s: .orc_unwind does not fit .orc_unwind_ip",
				    post->object->path);
	for (i = 0; i < orc.ip->nr_spans; i++)
		if (post_info(manip, &orc.ip->spans[i])->kept)
			copy_data(&orc, i);
	for_each_span(post->object, section, span, i)
		if (is_text(section) && post_info(manip, span)->kept)
			complete_entries(&orc, span);
	return 0;
}
