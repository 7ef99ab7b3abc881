// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/lines.h"

#include <stdlib.h>
#include <string.h>

#include "lib/compare.h"
#include "lib/text.h"

#define MAX_LINE	65535	/* as in struct bug_entry */
#define MAX_PUSHES	8
#define MAX_WORK	(20 * 1000 * 1000ul)	/* candidates times points */
#define MAX_PASSES	4			/* with so much work */
#define REGISTERS	16

enum value_kind {
	VALUE_OTHER,
	VALUE_LINE,		/* a number that differs */
	VALUE_FILE,		/* the name of a source file, or of an ACPICA module */
	VALUE_FUNCTION,		/* __func__ */
	VALUE_FORMAT,		/* a string with a % in it */
};

struct value {
	enum value_kind kind;
	const char *file;
	uint32_t pre_line, post_line;
};

/* What is known of registers and of the stack at a place of the code. */
struct walk {
	struct lines *lines;
	struct span *pre, *post;
	const bool *targets;		/* for each byte of @pre: branches go there */
	const bool *differs;		/* for each byte: an instruction that differs begins */
	struct value registers[REGISTERS];
	struct value pushes[MAX_PUSHES];
	size_t nr_pushes;
};

static void add_point(struct lines *lines, const struct line_point *point)
{
	struct line_point *points;

	if (lines->count == lines->max) {
		lines->max = lines->max ? lines->max * 2 : 32;
		points = arena_array(lines->arena, lines->max, sizeof(*points));
		if (lines->count)
			memcpy(points, lines->points, lines->count * sizeof(*points));
		lines->points = points;
	}
	lines->points[lines->count++] = *point;
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length > end_length && !strcmp(text + length - end_length, end);
}

/* gcc: __func__.3; clang: __func__.the_function */
static bool is_function_name(const char *name)
{
	static const char *const names[] = { "__func__", "__FUNCTION__", "__PRETTY_FUNCTION__" };
	size_t i, length;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		length = strlen(names[i]);
		if (!strncmp(name, names[i], length) && (!name[length] || name[length] == '.'))
			return true;
	}
	return false;
}

/* The string that a reloc points to; NULL when it is none. */
static const char *string_of(const struct reloc *reloc)
{
	const struct span *span = reloc->span;

	/*
	 * Strings end with a NUL, unless the section lacks that.  With KASAN they are
	 * read-only data without names.
	 */
	if (!span || reloc->span_offset < 0 ||
	    (!is_class(span->section, CLASS_STRINGS) &&
	     (span->symbol || !is_class(span->section, CLASS_RODATA))) ||
	    (uint64_t)reloc->span_offset >= span->size ||
	    !memchr(span_bytes(span) + reloc->span_offset, 0, span->size - reloc->span_offset))
		return NULL;
	return (const char *)span_bytes(span) + reloc->span_offset;
}

static struct value value_of_reloc(const struct reloc *reloc)
{
	const char *text = string_of(reloc);

	if (text && (ends_in(text, ".c") || ends_in(text, ".h")))
		return (struct value){ .kind = VALUE_FILE, .file = text };
	if (text && strchr(text, '%'))
		return (struct value){ .kind = VALUE_FORMAT };
	if (!reloc->span || !reloc->span->symbol || reloc->span_offset)
		return (struct value){ .kind = VALUE_OTHER };
	/* drivers/acpi/acpica: AE_INFO is _acpi_module_name, __LINE__ */
	if (!strcmp(reloc->span->stem, "_acpi_module_name"))
		return (struct value){ .kind = VALUE_FILE };
	if (is_function_name(reloc->span->symbol->name))
		return (struct value){ .kind = VALUE_FUNCTION };
	return (struct value){ .kind = VALUE_OTHER };
}

static bool holds_line(const struct walk *walk)
{
	size_t i;

	for (i = 0; i < REGISTERS; i++)
		if (walk->registers[i].kind == VALUE_LINE)
			return true;
	for (i = 0; i < walk->nr_pushes; i++)
		if (walk->pushes[i].kind == VALUE_LINE)
			return true;
	return false;
}

static void forget(struct walk *walk)
{
	memset(walk->registers, 0, sizeof(walk->registers));
	memset(walk->pushes, 0, sizeof(walk->pushes));
	walk->nr_pushes = 0;
}

static void forget_names(struct walk *walk)
{
	size_t i;

	for (i = 0; i < REGISTERS; i++)
		if (walk->registers[i].kind != VALUE_LINE)
			walk->registers[i].kind = VALUE_OTHER;
	for (i = 0; i < walk->nr_pushes; i++)
		if (walk->pushes[i].kind != VALUE_LINE)
			walk->pushes[i].kind = VALUE_OTHER;
}

static bool push(struct walk *walk, struct value value)
{
	if (walk->nr_pushes == MAX_PUSHES)
		return false;
	walk->pushes[walk->nr_pushes++] = value;
	return true;
}

/* The arguments of a call: registers first, then what was pushed last. */
static size_t list_arguments(const struct walk *walk, struct value *arguments)
{
	static const unsigned char order_64[] = { 7, 6, 2, 1, 8, 9 };	/* rdi rsi rdx rcx r8 r9 */
	static const unsigned char order_32[] = { 0, 2, 1 };		/* eax edx ecx */
	bool is_64 = walk->pre->section->object->word_size == 8;
	const unsigned char *order = is_64 ? order_64 : order_32;
	size_t i, count = is_64 ? sizeof(order_64) : sizeof(order_32);

	for (i = 0; i < count; i++)
		arguments[i] = walk->registers[order[i]];
	for (i = walk->nr_pushes; i-- > 0;)
		arguments[count++] = walk->pushes[i];
	return count;
}

/* A call: each line that is held must be an argument after a name. */
static bool end_in_call(struct walk *walk)
{
	struct value arguments[6 + MAX_PUSHES];
	size_t i, count = list_arguments(walk, arguments), held = 0, named = 0;
	bool format = false;

	for (i = 0; i < REGISTERS; i++)
		held += walk->registers[i].kind == VALUE_LINE;
	for (i = 0; i < walk->nr_pushes; i++)
		held += walk->pushes[i].kind == VALUE_LINE;
	for (i = 0; i < count; i++)
		format |= arguments[i].kind == VALUE_FORMAT;
	for (i = 1; i < count; i++) {
		struct value *name = &arguments[i - 1], *line = &arguments[i];
		struct line_point point = {
			.file = name->file, .pre_line = line->pre_line,
			.post_line = line->post_line, .unit = walk->pre, .candidate = true,
		};

		if (line->kind != VALUE_LINE ||
		    (name->kind != VALUE_FILE && (name->kind != VALUE_FUNCTION || format)))
			continue;
		add_point(walk->lines, &point);
		named++;
	}
	forget(walk);
	return named == held;
}

/* Registers of a ModRM byte and its SIB byte. */
struct operands {
	unsigned int reg, base, index;	/* REGISTERS when there is none */
	bool memory;
};

static struct operands read_operands(const unsigned char *bytes, const struct ksplice_insn *insn)
{
	unsigned int modrm = bytes[insn->modrm_offset], sib;
	struct operands operands = {
		.reg = (modrm >> 3 & 7) | (insn->rex & 4 ? 8 : 0),
		.base = (modrm & 7) | (insn->rex & 1 ? 8 : 0),
		.index = REGISTERS, .memory = modrm >> 6 != 3,
	};

	if (operands.memory && (modrm & 7) == 4) {
		sib = bytes[insn->modrm_offset + 1];
		operands.base = (sib & 7) | (insn->rex & 1 ? 8 : 0);
		operands.index = (sib >> 3 & 7) | (insn->rex & 2 ? 8 : 0);
	}
	return operands;
}

static bool is_line_register(const struct walk *walk, unsigned int number)
{
	return number < REGISTERS && walk->registers[number].kind == VALUE_LINE;
}

static struct value insn_value(const struct walk *walk, uint64_t at,
			       const struct ksplice_insn *insn)
{
	const struct section *pre = walk->pre->section, *post = walk->post->section;
	const struct reloc *reloc = pre->relocs + find_reloc_index(pre, at);
	struct value value = { .kind = VALUE_OTHER };
	uint64_t y = at - walk->pre->offset + walk->post->offset;

	if (reloc < pre->relocs + pre->nr_relocs && reloc->offset < at + insn->length &&
	    !is_none_reloc(reloc))
		return value_of_reloc(reloc);
	if (!walk->differs[at - walk->pre->offset])
		return value;
	value.kind = VALUE_LINE;
	value.pre_line = ksplice_insn_field(pre->data + at, insn->imm_offset, insn->imm_size);
	value.post_line = ksplice_insn_field(post->data + y, insn->imm_offset, insn->imm_size);
	return value;
}

/*
 * An instruction with a ModRM byte that moves something and does nothing else.
 * False for others, and when it uses a register with a line in it.
 */
static bool step_move(struct walk *walk, uint64_t at, const struct ksplice_insn *insn)
{
	const unsigned char *bytes = walk->pre->section->data + at;
	struct operands operands;
	unsigned int target;

	if (!insn->modrm_offset)
		return false;
	operands = read_operands(bytes, insn);
	if (insn->map == 1 ? (insn->opcode & 0xf6) != 0xb6 :	/* movzx, movsx */
	    insn->map || !memchr("\x31\x33\x63\x88\x89\x8a\x8b\x8d\xc6\xc7", insn->opcode, 10))
		return false;
	if (insn->opcode == 0x31 && insn->map == 0 &&
	    (operands.memory || operands.reg != operands.base))
		return false;		/* only xor %eax,%eax, which is a move of 0 */
	if (insn->opcode == 0x33 && insn->map == 0)
		return false;
	if (is_line_register(walk, operands.base) || is_line_register(walk, operands.index))
		return false;
	if ((insn->opcode | 1) == 0xc7 && insn->map == 0) {	/* mov of an immediate */
		if (operands.memory)
			return !walk->differs[at - walk->pre->offset];
		walk->registers[operands.base] = insn_value(walk, at, insn);
		return true;
	}
	if (is_line_register(walk, operands.reg))
		return false;
	target = operands.reg;
	if ((insn->opcode | 1) == 0x89 && insn->map == 0)
		target = operands.memory ? REGISTERS : operands.base;
	if (target < REGISTERS)
		walk->registers[target] = insn->map == 0 && insn->opcode == 0x8d ?
			insn_value(walk, at, insn) : (struct value){ .kind = VALUE_OTHER };
	return true;
}

/* sub $8,%esp, to align the stack: what was pushed before is no argument of this call. */
static bool step_stack(struct walk *walk, const unsigned char *bytes,
		       const struct ksplice_insn *insn)
{
	size_t i;

	if (insn->map || (insn->opcode != 0x81 && insn->opcode != 0x83) ||
	    bytes[insn->modrm_offset] != 0xec)
		return false;
	for (i = 0; i < walk->nr_pushes; i++)
		if (walk->pushes[i].kind == VALUE_LINE)
			return false;
	walk->nr_pushes = 0;
	return true;
}

/* False when the instruction is not understood, or uses a line for something else. */
static bool step(struct walk *walk, uint64_t at, const struct ksplice_insn *insn)
{
	unsigned int number = (insn->opcode & 7) | (insn->rex & 1 ? 8 : 0);

	if (insn->flags & KSPLICE_INSN_NOP)
		return true;
	if (insn->rel_size)
		return false;
	if (insn->prefixes & ~(KSPLICE_PREFIX_REX | KSPLICE_PREFIX_OPERAND | KSPLICE_PREFIX_SEGMENT))
		return false;
	if (insn->map || insn->modrm_offset)
		return step_stack(walk, walk->pre->section->data + at, insn) ||
		       step_move(walk, at, insn);
	if ((insn->opcode & 0xf8) == 0xb8) {		/* mov of an immediate */
		if (is_line_register(walk, number))
			return false;
		walk->registers[number] = insn_value(walk, at, insn);
		return true;
	}
	if (insn->opcode == 0x68 || insn->opcode == 0x6a)
		return push(walk, insn_value(walk, at, insn));
	if ((insn->opcode & 0xf8) == 0x50)
		return !is_line_register(walk, number) &&
		       push(walk, walk->registers[number]);
	return false;
}

static bool is_call(const struct walk *walk, uint64_t at, const struct ksplice_insn *insn)
{
	const struct section *section = walk->pre->section;
	const struct reloc *reloc;

	if (insn->branch == KSPLICE_BRANCH_CALL)
		return true;
	if (insn->branch != KSPLICE_BRANCH_JMP)
		return false;
	/* A call at the end of a function is a jump, to another file at least. */
	reloc = find_reloc(section, at + insn->rel_offset);
	return reloc && !reloc->span && reloc->symbol &&
	       strcmp(reloc->symbol->name, "__x86_return_thunk");
}

/* Places that code or tables jump to; what came before is not known there. */
static void find_targets(struct span *span, bool *targets)
{
	struct section *section = span->section;
	struct ksplice_insn insn;
	int64_t target;
	uint64_t at;
	size_t i;

	for (i = 0; i < span->nr_users; i++)
		if (span->users[i]->span_offset >= 0 &&
		    (uint64_t)span->users[i]->span_offset < span->size)
			targets[span->users[i]->span_offset] = true;
	for (at = 0; at < span->size; at += insn.length) {
		if (!decode_at(section, span->offset + at, &insn)) {
			insn.length = 1;
			continue;
		}
		if (!insn.rel_size || find_reloc(section, span->offset + at + insn.rel_offset))
			continue;
		target = (int64_t)(at + insn.length) +
			ksplice_insn_field(section->data + span->offset + at, insn.rel_offset,
					   insn.rel_size);
		if (target >= 0 && (uint64_t)target < span->size)
			targets[target] = true;
	}
}

/* Rule 2, for all places that differ; adds a point for each. */
static bool walk_function(struct walk *walk)
{
	struct span *span = walk->pre;
	struct ksplice_insn insn;
	uint64_t at;

	for (at = span->offset; at < span->offset + span->size; at += insn.length) {
		if (walk->targets[at - span->offset])
			forget_names(walk);
		if (!decode_at(span->section, at, &insn)) {
			if (holds_line(walk))
				return false;
			forget(walk);
			insn.length = 1;
		} else if (is_call(walk, at, &insn)) {
			if (!end_in_call(walk))
				return false;
		} else if (!step(walk, at, &insn)) {
			if (holds_line(walk) || walk->differs[at - span->offset])
				return false;
			forget(walk);
		}
	}
	return !holds_line(walk);
}

struct differences {
	struct span *pre, *post;
	bool *differs;
};

static bool is_line(int32_t number)
{
	return number >= 1 && number <= MAX_LINE;
}

/* Rule 1, for one instruction that differs; @insn is that of @pre. */
static bool note_difference(void *data, uint64_t x, uint64_t y, const struct ksplice_insn *insn)
{
	struct differences *differences = data;
	struct section *pre = differences->pre->section, *post = differences->post->section;
	const struct reloc *reloc = pre->relocs + find_reloc_index(pre, x);
	struct ksplice_insn other;

	if (!decode_at(post, y, &other) || other.length != insn->length ||
	    insn->map || insn->imm_size != 4 || other.imm_size != 4 ||
	    other.imm_offset != insn->imm_offset ||
	    ((insn->opcode & 0xf8) != 0xb8 && insn->opcode != 0x68) ||
	    memcmp(pre->data + x, post->data + y, insn->imm_offset))
		return false;
	if ((reloc < pre->relocs + pre->nr_relocs && reloc->offset < x + insn->length) ||
	    !is_line(ksplice_insn_field(pre->data + x, insn->imm_offset, 4)) ||
	    !is_line(ksplice_insn_field(post->data + y, insn->imm_offset, 4)))
		return false;
	reloc = post->relocs + find_reloc_index(post, y);
	if (reloc < post->relocs + post->nr_relocs && reloc->offset < y + insn->length)
		return false;
	differences->differs[x - differences->pre->offset] = true;
	return true;
}

bool add_line_candidate(struct lines *lines, struct span *pre, struct span *post)
{
	size_t count = lines->count;
	struct differences differences = { .pre = pre, .post = post };
	struct walk walk = { .lines = lines, .pre = pre, .post = post };
	bool *bytes, result = false;

	if (!pre->section->data || !post->section->data || pre->size != post->size)
		return false;
	bytes = calloc(2, pre->size + 1);
	if (!bytes)
		return false;		/* then it counts as changed */
	differences.differs = bytes + pre->size;
	if (compare_same_length(pre, post, note_difference, &differences)) {
		find_targets(pre, bytes);
		walk.targets = bytes;
		walk.differs = differences.differs;
		result = walk_function(&walk) && lines->count > count;
	}
	free(bytes);
	if (!result)
		lines->count = count;
	return result;
}

/* struct bug_entry with CONFIG_DEBUG_BUGVERBOSE: address, file, line, flags; 12 bytes. */
static bool read_bug(const struct span *entry, const char **file, uint32_t *line)
{
	const struct reloc *reloc;

	if (entry->size != 12 || !span_bytes(entry))
		return false;
	reloc = find_reloc(entry->section, entry->offset + 4);
	*file = reloc ? string_of(reloc) : NULL;
	*line = span_bytes(entry)[8] | span_bytes(entry)[9] << 8;
	return *file;
}

static const struct span *next_bug(const struct span *entry)
{
	while (entry && entry->section->kind->site != SITE_BUG)
		entry = entry->next_entry;
	return entry;
}

void add_bug_lines(struct lines *lines, struct span *pre, const struct span *post)
{
	struct line_point point = { .unit = pre };
	const struct span *a, *b;
	const char *file;

	for (a = next_bug(pre->entries), b = next_bug(post->entries); a && b;
	     a = next_bug(a->next_entry), b = next_bug(b->next_entry))
		if (read_bug(a, &point.file, &point.pre_line) &&
		    read_bug(b, &file, &point.post_line) && !strcmp(point.file, file))
			add_point(lines, &point);
}

/* Without the name of the file it is taken for the file that is compiled. */
static bool is_same_file(const struct line_point *a, const struct line_point *b)
{
	if (a->file && b->file)
		return !strcmp(a->file, b->file);
	return (!a->file || ends_in(a->file, ".c")) && (!b->file || ends_in(b->file, ".c"));
}

static int64_t shift_of(const struct line_point *point)
{
	return (int64_t)point->post_line - point->pre_line;
}

static bool is_same_order(const struct line_point *a, const struct line_point *b)
{
	if (a->pre_line == b->pre_line)
		return a->post_line == b->post_line;
	return (a->pre_line < b->pre_line) == (a->post_line < b->post_line) &&
	       a->post_line != b->post_line;
}

/* The points of other functions before and behind a line, NULL where there are none. */
struct neighbours {
	const struct line_point *before, *behind;
};

static struct neighbours find_neighbours(const struct lines *lines, const struct line_point *point)
{
	struct neighbours found = { NULL, NULL };
	const struct line_point *other;

	for (other = lines->points; other < lines->points + lines->count; other++) {
		if (other->unit == point->unit || other->rejected || !is_same_file(point, other))
			continue;
		if (other->pre_line < point->pre_line &&
		    (!found.before || other->pre_line > found.before->pre_line))
			found.before = other;
		if (other->pre_line > point->pre_line &&
		    (!found.behind || other->pre_line < found.behind->pre_line))
			found.behind = other;
	}
	return found;
}

/* Rule 3. */
static bool is_contradicted(const struct lines *lines, const struct line_point *point)
{
	struct neighbours near = find_neighbours(lines, point);
	const struct line_point *other;

	for (other = lines->points; other < lines->points + lines->count; other++)
		if (is_same_file(point, other) && !is_same_order(point, other))
			return true;
	return near.before && near.behind && shift_of(near.before) == shift_of(near.behind) &&
	       shift_of(near.before) != shift_of(point);
}

/* Rule 4. */
static bool is_supported(const struct lines *lines, const struct line_point *point)
{
	struct neighbours near;

	if (point->file)
		return true;
	near = find_neighbours(lines, point);
	return (near.before && shift_of(near.before) == shift_of(point)) ||
	       (near.behind && shift_of(near.behind) == shift_of(point));
}

static bool reject_all(struct lines *lines,
		       bool (*is_bad)(const struct lines *, const struct line_point *))
{
	struct line_point *point, *other;
	bool found = false;

	for (point = lines->points; point < lines->points + lines->count; point++) {
		if (!point->candidate || point->rejected || !is_bad(lines, point))
			continue;
		for (other = lines->points; other < lines->points + lines->count; other++)
			if (other->unit == point->unit && other->candidate)
				other->rejected = true;
		found = true;
	}
	return found;
}

static bool is_unsupported(const struct lines *lines, const struct line_point *point)
{
	return !is_supported(lines, point);
}

void judge_lines(struct lines *lines)
{
	struct line_point *point;
	size_t candidates = 0, work = 0;
	bool again;

	for (point = lines->points; point < lines->points + lines->count; point++)
		candidates += point->candidate;
	if (!candidates)
		return;
	do {
		/* No file has so many; do not spend minutes on an object made for that. */
		if (lines->count > MAX_WORK / candidates || work > MAX_PASSES * MAX_WORK) {
			for (point = lines->points; point < lines->points + lines->count; point++)
				point->rejected = point->candidate;
			return;
		}
		work += lines->count * candidates;
		again = reject_all(lines, is_contradicted) || reject_all(lines, is_unsupported);
	} while (again);
}
