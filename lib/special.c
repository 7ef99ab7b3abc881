// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/special.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Entries go with their function, and a difference is a change of it. */
#define CODE	(KIND_TRAVELS | KIND_COMPARED)
/* As above, but not worth comparing: a consequence of the code, or line numbers. */
#define NOTE	KIND_TRAVELS
/* They name data for the loader of modules. */
#define LIST	(KIND_TRAVELS | KIND_REGISTERS)
/* objtool makes them from the code. */
#define MADE	(KIND_TRAVELS | KIND_GENERATED)

#define ROW(pattern_, class_) { .pattern = pattern_, .class = CLASS_##class_ }
#define MERGED(pattern_, class_, merge_) \
	{ .pattern = pattern_, .class = CLASS_##class_, .merge = MERGE_##merge_ }
#define OBJECTS(pattern_, flags_) \
	{ .pattern = pattern_, .class = CLASS_OBJECTS, .flags = flags_ }
#define AUX(pattern_) { .pattern = pattern_, .class = CLASS_AUX_TEXT, .flags = CODE }
#define TABLE(pattern_, flags_, site_, owner_, entry_, relocs_min_, relocs_max_)	\
	{										\
		.pattern = pattern_, .class = CLASS_TABLE, .flags = flags_,		\
		.site = SITE_##site_, .owner = owner_, .entry_min = entry_,		\
		.relocs_min = relocs_min_, .relocs_max = relocs_max_,			\
	}

/*
 * Names are from include/asm-generic/vmlinux.lds.h, arch/x86/kernel/vmlinux.lds.S
 * and the macros that fill the sections, Linux 5.10 to 6.12, and from objects
 * that gcc and clang made of these kernels with -ffunction-sections
 * -fdata-sections.
 */
static const struct section_kind kinds[] = {
	/* Code.  Functions of any name may follow ".text.". */
	ROW(".text", TEXT),
	ROW(".text.*", TEXT),
	ROW(".text..refcount", TEXT),
	ROW(".text..__x86.*", FIXED_TEXT),	/* retpoline and return thunks */
	ROW(".text.startup.*", INIT_TEXT),	/* constructors; ".text.startup" is a function */
	ROW(".text.exit.*", INIT_TEXT),
	ROW(".ref.text", TEXT),
	ROW(".ref.text.*", TEXT),
	ROW(".meminit.text", TEXT),
	ROW(".memexit.text", TEXT),
	ROW(".cpuidle.text", TEXT),
	ROW(".kprobes.text", TEXT),
	ROW(".irqentry.text", TEXT),
	ROW(".softirqentry.text", TEXT),
	ROW(".sched.text", TEXT),
	ROW(".sched.text.*", TEXT),
	ROW(".spinlock.text", TEXT),
	ROW(".spinlock.text.*", TEXT),
	ROW(".entry.text", FIXED_TEXT),
	ROW(".entry.text.*", FIXED_TEXT),
	ROW(".entry_trampoline", FIXED_TEXT),
	ROW(".noinstr.text", FIXED_TEXT),
	ROW(".noinstr.text.*", FIXED_TEXT),
	ROW(".head.text", FIXED_TEXT),
	ROW(".head.text.*", FIXED_TEXT),
	ROW(".init.text", INIT_TEXT),
	ROW(".init.text.*", INIT_TEXT),
	ROW(".exit.text", INIT_TEXT),
	ROW(".exit.text.*", INIT_TEXT),
	ROW(".devinit.text", INIT_TEXT),
	ROW(".devexit.text", INIT_TEXT),
	ROW(".cpuinit.text", INIT_TEXT),
	ROW(".cpuexit.text", INIT_TEXT),
	ROW(".x86.trampoline", FIXED_TEXT),
	ROW(".static_call.text", FIXED_TEXT),	/* __SCT__x: rewritten while running */
	AUX(".altinstr_replacement"),
	AUX(".altinstr_aux"),			/* slow path of static_cpu_has() */
	AUX(".fixup"),				/* of __ex_table, before 5.17 */
	AUX(".text.fixup"),

	/* Data.  Variables of any name may follow ".data.", and so on. */
	ROW(".data", DATA),
	ROW(".data.*", DATA),
	ROW(".data..read_mostly", DATA),
	ROW(".data.read_mostly", DATA),		/* before 2.6.34 */
	ROW(".data..cacheline_aligned", DATA),
	ROW(".data..cacheline_aligned_in_smp", DATA),
	ROW(".data..page_aligned", DATA),
	ROW(".data..shared_aligned", DATA),
	ROW(".data..init_task", DATA),
	ROW(".data..init_thread_info", DATA),
	ROW(".data..nosave", DATA),
	ROW(".data..decrypted", DATA),
	ROW(".data..hot", DATA),
	ROW(".data..patchable", DATA),
	ROW(".data..compoundliteral*", PRIVATE_DATA),
	ROW(".data..ro_after_init", RO_AFTER_INIT),
	ROW(".data..percpu", PERCPU),
	ROW(".data..percpu.*", PERCPU),
	ROW(".data..percpu..*", PERCPU),	/* ..first, ..shared_aligned, ..hot, … */
	ROW(".data..once", PRIVATE_DATA),
	ROW(".data.once", PRIVATE_DATA),	/* name in 6.1; see is_lookalike() */
	ROW(".data..do_once", PRIVATE_DATA),	/* DO_ONCE(), since 6.12 */
	ROW(".data..unlikely", PRIVATE_DATA),
	ROW(".data.unlikely", PRIVATE_DATA),
	ROW(".data..L*", PRIVATE_DATA),		/* without names, by clang */
	ROW(".data..Lubsan*", UBSAN),		/* .data..Lubsan_type7: lines, "reported" bits */
	/*
	 * CONFIG_KASAN: of each variable its place, size and name, for constructors that
	 * poison what lies between variables.  New code has none of that, so nothing is
	 * poisoned there.
	 */
	{ .pattern = KASAN_SECTION, .class = CLASS_METADATA, .flags = KIND_DIVIDES },
	ROW(".data..LASANLOC*", METADATA),
	ROW(".text.startup._sub_I_*", METADATA),
	ROW(".text.exit._sub_D_*", METADATA),
	ROW(".data.rel.ro", RODATA),
	ROW(".data.rel.ro.*", RODATA),
	ROW(".data.rel.ro..L*", RODATA),
	ROW(".data.rel.ro.local..L*", RODATA),
	ROW(".data.rel.ro.c_jump_table", RODATA),
	ROW(".ref.data", DATA),
	ROW(".ref.data.*", DATA),
	ROW(".meminit.data", DATA),
	ROW(".meminit.data.*", DATA),
	ROW(".bss", BSS),
	ROW(".bss.*", BSS),
	ROW(".bss..page_aligned", BSS),
	ROW(".bss..page_aligned.*", BSS),
	ROW(".bss..decrypted", BSS),
	ROW(".bss..L*", PRIVATE_DATA),
	ROW(".bss..compoundliteral*", PRIVATE_DATA),
	ROW(".bss..brk", BSS),
	ROW(".brk_reservation", INIT_DATA),
	ROW(".brk.*", BSS),
	ROW(".init.bss", INIT_DATA),
	ROW(".init.data", INIT_DATA),
	ROW(".init.data.*", INIT_DATA),
	ROW(".init.rodata", INIT_DATA),
	ROW(".init.rodata.*", INIT_DATA),
	ROW(".meminit.rodata", RODATA),
	ROW(".devinit.data", INIT_DATA),
	ROW(".devinit.rodata", INIT_DATA),
	ROW(".cpuinit.data", INIT_DATA),
	ROW(".cpuinit.rodata", INIT_DATA),
	ROW(".exit.data", INIT_DATA),
	ROW(".exit.data.*", INIT_DATA),
	MERGED(".rodata", RODATA, NOT),
	MERGED(".rodata", STRINGS, STRINGS),
	MERGED(".rodata", CONSTANTS, CONSTANTS),
	MERGED(".rodata.*", RODATA, NOT),
	MERGED(".rodata.*", STRINGS, STRINGS),		/* .rodata.str1.1, .rodata.FN.str1.8 */
	MERGED(".rodata.*", CONSTANTS, CONSTANTS),	/* .rodata.cst16 */
	MERGED(".rodata..L*", RODATA, NOT),
	MERGED(".rodata..L*", STRINGS, STRINGS),
	MERGED(".rodata..L*", CONSTANTS, CONSTANTS),
	ROW(".rodata..c_jump_table", RODATA),
	ROW(".rodata..compoundliteral*", RODATA),
	ROW(".rodata1", RODATA),
	ROW(".kexec-purgatory", RODATA),
	ROW(".ref.rodata", RODATA),
	ROW("__stop_sched_class", RODATA),
	ROW("__dl_sched_class", RODATA),
	ROW("__rt_sched_class", RODATA),
	ROW("__fair_sched_class", RODATA),
	ROW("__ext_sched_class", RODATA),
	ROW("__idle_sched_class", RODATA),
	ROW(".BTF_ids", RO_AFTER_INIT),		/* zeros, until resolve_btfids fills them in */
	ROW(".BTF_ids.*", RO_AFTER_INIT),

	/* Tables about code: see the comments in the kernel next to each macro. */
	TABLE(".altinstructions", CODE, ALTERNATIVE, 0, 12, 1, 2),
	{
		.pattern = ".parainstructions", .class = CLASS_TABLE,
		.flags = CODE | KIND_SHORT_LAST, .site = SITE_PARAVIRT, .entry_min = 6,
		.relocs_min = 1, .relocs_max = 1,
	},
	TABLE(".smp_locks", CODE, LOCK, 0, 4, 1, 1),
	TABLE(".retpoline_sites", MADE, RETPOLINE, 0, 4, 1, 1),
	TABLE(".return_sites", MADE, RETURN, 0, 4, 1, 1),
	TABLE(".call_sites", MADE, CALL, 0, 4, 1, 1),
	/* Not for new code: objtool sees no reference from another object of the update,
	 * and a sealed function that is called through a pointer is fatal.
	 */
	TABLE(".ibt_endbr_seal", KIND_GENERATED, ENDBR, 0, 4, 1, 1),
	TABLE(".ibt_endbr_sites", KIND_GENERATED, ENDBR, 0, 4, 1, 1),
	TABLE(".cfi_sites", MADE, NONE, 0, 4, 1, 1),
	TABLE(".kcfi_traps", NOTE, NONE, 0, 4, 1, 1),
	TABLE("__mcount_loc", MADE, FENTRY, 0, 0, 1, 1),
	/* The padding in front of functions; x86 discards it (PATCHABLE_DISCARDS). */
	ROW("__patchable_function_entries", METADATA),
	TABLE("__jump_table", CODE, JUMP_LABEL, 0, 12, 3, 3),
	TABLE(".static_call_sites", CODE | KIND_GENERATED, STATIC_CALL, 0, 8, 2, 2),
	TABLE(".static_call_tramp_key", NOTE, NONE, 0, 8, 2, 2),
	TABLE("__ex_table", CODE, EXTABLE, 0, 12, 2, 3),
	TABLE("__bug_table", NOTE, BUG, 0, 8, 1, 3),
	TABLE(".orc_unwind_ip", MADE, NONE, 0, 4, 1, 1),
	ROW(".orc_unwind", METADATA),		/* parallel to .orc_unwind_ip */
	ROW(".orc_header", METADATA),
	TABLE("_kprobe_blacklist", NOTE, NONE, 0, 0, 1, 1),
	TABLE("_error_injection_whitelist", NOTE, NONE, 0, 16, 1, 1),
	TABLE("_kgdb_table", NOTE, NONE, 0, 0, 1, 1),
	TABLE("runtime_ptr_*", CODE, RUNTIME, 0, 4, 1, 1),
	TABLE("runtime_shift_*", CODE, RUNTIME, 0, 4, 1, 1),
	/* Of patches that have hooks (kmodsrc/ksplice-patch.h); objmanip makes a table of them. */
	TABLE(HOOK_SECTION, 0, NONE, 0, 0, 1, 1),
	TABLE(CONSTANT_SECTION, 0, NONE, 0, 0, 1, 1),
	/* Likewise, see lib/marks.h: they are no users of the variables that they name. */
	ROW(ASSUME_SECTION, METADATA),
	ROW(EARLY_SECTION, METADATA),
	TABLE(".discard.reachable", NOTE, NONE, 0, 4, 1, 1),
	TABLE(".discard.unreachable", NOTE, NONE, 0, 4, 1, 1),
	TABLE(".discard.retpoline_safe", NOTE, NONE, 0, 4, 1, 1),
	TABLE(".discard.instr_begin", NOTE, NONE, 0, 4, 1, 1),
	TABLE(".discard.instr_end", NOTE, NONE, 0, 4, 1, 1),
	TABLE(".discard.unwind_hints", NOTE, NONE, 0, 8, 1, 1),
	TABLE(".discard.annotate_insn", NOTE, NONE, 0, 8, 1, 1),
	TABLE(".discard.annotate_data", NOTE, NONE, 0, 8, 1, 1),
	TABLE(".discard.noendbr", NOTE, NONE, 0, 4, 1, 1),
	TABLE(".discard.ibt_endbr_noseal", NOTE, NONE, 0, 4, 1, 1),
	TABLE(".discard.intra_function_calls", NOTE, NONE, 0, 4, 1, 1),
	TABLE(".discard.ignore_alts", NOTE, NONE, 0, 4, 1, 1),
	TABLE(".discard.func_stack_frame_non_standard", NOTE, NONE, 0, 4, 1, 1),
	TABLE(".discard.validate_unret", NOTE, NONE, 0, 4, 1, 1),
	ROW(".discard.*", METADATA),		/* .addressable, .text, .sym_annotate, … */
	ROW(".discard", METADATA),

	/* Lists of such structures: DEFINE_TRACE(), TRACE_EVENT(), TRACE_DEFINE_ENUM(). */
	TABLE("__tracepoints_ptrs", LIST, NONE, 0, 4, 1, 1),
	TABLE("__bpf_raw_tp_map", LIST, NONE, 0, 32, 2, 2),
	TABLE("_ftrace_events", LIST, NONE, 0, 0, 1, 1),
	TABLE("_ftrace_eval_map", LIST, NONE, 0, 0, 1, 1),
	TABLE("___srcu_struct_ptrs", LIST, NONE, 0, 0, 1, 1),

	/* Structures with names, registered by the boot or the module loader. */
	OBJECTS("__tracepoints", NOTE),
	ROW("__tracepoints_strings", RODATA),
	OBJECTS("_ftrace_annotated_branch", NOTE),
	OBJECTS("_ftrace_branch", NOTE),
	OBJECTS("__trace_printk_fmt", NOTE),
	OBJECTS("__tracepoint_str", NOTE),
	OBJECTS("__syscalls_metadata", NOTE),
	OBJECTS("__dyndbg", NOTE),
	OBJECTS("__verbose", NOTE),		/* its name before 5.10 */
	OBJECTS("__dyndbg_classes", NOTE),
	OBJECTS(MESSAGE_SECTION, NOTE),
	OBJECTS("alloc_tags", NOTE),
	OBJECTS(".codetag.*", NOTE),
	OBJECTS("__bug_flags", NOTE),

	/* Exports. */
	ROW("___ksymtab+*", EXPORT),
	ROW("___ksymtab_gpl+*", EXPORT),
	ROW("___ksymtab_unused+*", EXPORT),
	ROW("___ksymtab_unused_gpl+*", EXPORT),
	ROW("___ksymtab_gpl_future+*", EXPORT),
	ROW("___kcrctab+*", EXPORT),
	ROW("___kcrctab_gpl+*", EXPORT),
	ROW("___kcrctab_unused+*", EXPORT),
	ROW("___kcrctab_unused_gpl+*", EXPORT),
	ROW("___kcrctab_gpl_future+*", EXPORT),
	ROW("__ksymtab", EXPORT),
	ROW("__ksymtab_gpl", EXPORT),
	ROW("__kcrctab", EXPORT),
	ROW("__kcrctab_gpl", EXPORT),
	ROW("__ksymtab_strings", EXPORT),
	ROW(".export_symbol", EXPORT),
	ROW("___kentry+*", EXPORT),

	/* Read while booting, or while a module is loaded. */
	ROW(".initcall*", INIT_DATA),		/* .initcall6.init, .initcallearly.init */
	ROW(".con_initcall.init", INIT_DATA),
	ROW(".security_initcall.init", INIT_DATA),
	ROW(".exitcall.exit", INIT_DATA),
	ROW(".init.setup", INIT_DATA),
	ROW(".init.ramfs", INIT_DATA),
	ROW(".init.ramfs.info", INIT_DATA),
	ROW(".init_array", INIT_DATA),
	ROW(".init_array.*", INIT_DATA),
	ROW(".fini_array", INIT_DATA),
	ROW(".fini_array.*", INIT_DATA),
	ROW(".ctors", INIT_DATA),
	ROW(".ctors.*", INIT_DATA),
	ROW(".dtors", INIT_DATA),
	ROW(".dtors.*", INIT_DATA),
	ROW(".x86_cpu_dev.init", INIT_DATA),
	ROW(".x86_intel_mid_dev.init", INIT_DATA),
	ROW(".apicdrivers", INIT_DATA),
	ROW(".iommu_table", INIT_DATA),
	ROW(".lsm_info.init", INIT_DATA),
	ROW(".early_lsm_info.init", INIT_DATA),
	ROW(".dtb.init.rodata", INIT_DATA),
	ROW(".builtin_fw", RODATA),
	ROW(".pci_fixup*", RODATA),		/* .pci_fixup_final, … */
	ROW(".tracedata", RODATA),
	ROW(".vvar_*", DATA),
	ROW("__earlycon_table", INIT_DATA),
	ROW("__timer_of_table", INIT_DATA),
	ROW("__timer_of_table_end", INIT_DATA),
	ROW("__irqchip_of_table", INIT_DATA),
	ROW("__irqchip_of_table_end", INIT_DATA),
	ROW("__clk_of_table", INIT_DATA),
	ROW("__clk_of_table_end", INIT_DATA),
	ROW("__reservedmem_of_table", INIT_DATA),
	ROW("__reservedmem_of_table_end", INIT_DATA),
	ROW("__cpu_method_of_table", INIT_DATA),
	ROW("__cpuidle_method_of_table", INIT_DATA),
	ROW("__irqchip_acpi_probe_table", INIT_DATA),
	ROW("__timer_acpi_probe_table", INIT_DATA),
	ROW("__governor_thermal_table", INIT_DATA),
	ROW(".kunit_test_suites", INIT_DATA),
	ROW(".kunit_init_test_suites", INIT_DATA),

	/* About the object. */
	ROW("__param", METADATA),
	ROW("__modver", METADATA),
	ROW(".modinfo", METADATA),
	ROW("__versions", METADATA),
	ROW("__version_ext_*", METADATA),
	ROW(".gnu.linkonce.this_module", METADATA),
	ROW(".gnu.warning.*", METADATA),
	ROW(".note", METADATA),
	ROW(".note.*", METADATA),
	ROW(".comment", NOT_LOADED),
	ROW(".eh_frame", METADATA),
	ROW(".eh_frame_hdr", METADATA),
	ROW(".BTF", METADATA),
	ROW(".BTF.*", METADATA),
	ROW(".llvm_addrsig", NOT_LOADED),
	ROW(".llvm.call-graph-profile", NOT_LOADED),
	ROW(".kpatch.ignore.*", METADATA),	/* hints for another tool */
};

#define NR_KINDS	(sizeof(kinds) / sizeof(*kinds))

static const struct section_kind not_loaded = { .pattern = "*", .class = CLASS_NOT_LOADED };

const struct section_kind *section_kinds(size_t *count)
{
	*count = NR_KINDS;
	return kinds;
}

static enum section_merge merge_of_flags(uint64_t flags)
{
	if (!(flags & SHF_MERGE))
		return MERGE_NOT;
	return flags & SHF_STRINGS ? MERGE_STRINGS : MERGE_CONSTANTS;
}

/*
 * How well a pattern matches: 0 not at all, else more for the more specific.
 * Only compilers and macros make names with "..", to keep them apart from
 * ".data.VARIABLE": a prefix that ends in a dot is not meant for them.
 */
static size_t match_pattern(const char *pattern, const char *name)
{
	size_t length = strlen(pattern);

	if (!length || pattern[length - 1] != '*')
		return strcmp(pattern, name) ? 0 : SIZE_MAX;
	length--;
	if (strncmp(pattern, name, length))
		return 0;
	if (length && pattern[length - 1] == '.' && name[length] == '.')
		return 0;
	return length + 1;
}

const struct section_kind *find_kind(const char *name, uint64_t flags)
{
	enum section_merge merge = merge_of_flags(flags);
	const struct section_kind *best = NULL;
	size_t i, score, best_score = 0;

	for (i = 0; i < NR_KINDS; i++) {
		if (kinds[i].merge != MERGE_ANY && kinds[i].merge != merge)
			continue;
		score = match_pattern(kinds[i].pattern, name);
		if (score > best_score) {
			best_score = score;
			best = &kinds[i];
		}
	}
	if (!best && !(flags & SHF_ALLOC))
		return &not_loaded;
	return best;
}

/*
 * In 6.1 DO_ONCE_LITE() puts its flags into .data.once, and -fdata-sections puts
 * a variable called "once" into a section of the same name.  The variable's
 * symbol tells.
 */
static bool is_lookalike(const struct section *section)
{
	const char *suffix, *name;
	size_t i, length;

	if (strncmp(section->name, ".data.", 6) || section->name[6] == '.')
		return false;
	suffix = section->name + 6;
	length = strlen(suffix);
	for (i = 0; i < section->nr_symbols; i++) {
		name = section->symbols[i]->name;
		if (!strncmp(name, suffix, length) && (!name[length] || name[length] == '.'))
			return true;
	}
	return false;
}

const struct section_kind *find_section_kind(const struct section *section)
{
	const struct section_kind *kind = find_kind(section->name, section->flags);

	if (kind && kind->class == CLASS_PRIVATE_DATA && is_lookalike(section))
		return find_kind(".data", section->flags);
	return kind;
}

int classify_sections(struct object *object, struct ks_error *err)
{
	struct section *section;
	size_t i;

	for (i = 1; i < object->nr_sections; i++) {
		section = object->sections[i];
		if (!section)
			continue;
		section->kind = section->debug ? &not_loaded : find_section_kind(section);
		if (!section->kind)
			return ks_error_set(err,
					    "%s: section %s is not known to this version of ksplice, "
					    "so its meaning for changed code is not known either",
					    object->path, section->name);
	}
	return 0;
}

/* Is the section made of entries of @size bytes, each with its owner and its relocs? */
static bool is_entry_size(const struct section *section, uint64_t size)
{
	const struct section_kind *kind = section->kind;
	uint64_t offset, rest;
	const struct reloc *reloc = section->relocs, *end = reloc + section->nr_relocs;
	unsigned int relocs;
	bool owner;

	if (!size)
		return false;
	rest = section->size % size;
	if (rest && !(kind->flags & KIND_SHORT_LAST))
		return false;
	for (offset = 0; offset < section->size; offset += size) {
		relocs = 0;
		owner = false;
		for (; reloc < end && reloc->offset < offset + size; reloc++) {
			if (is_none_reloc(reloc))
				continue;
			relocs++;
			owner |= reloc->offset == offset + kind->owner;
		}
		if (!owner || relocs < kind->relocs_min || relocs > kind->relocs_max)
			return false;
	}
	return true;
}

uint64_t table_entry_size(const struct section *section, struct ks_error *err)
{
	const struct section_kind *kind = section->kind;
	uint64_t least = kind->entry_min ? kind->entry_min : section->object->word_size;
	uint64_t size;

	if (section->entsize >= least && is_entry_size(section, section->entsize))
		return section->entsize;
	/* 128: no table that is known has longer entries. */
	for (size = least; size <= 128 && size <= section->size; size++)
		if (is_entry_size(section, size))
			return size;
	/* One entry without its padding, like the 10 bytes of a lone paravirt call. */
	if (section->size && section->size <= 128 && is_entry_size(section, section->size))
		return section->size;
	ks_error_set(err, "%s: section %s: %" PRIu64 " bytes with %zu relocations are not a table "
		     "of the expected kind", section->object->path, section->name,
		     section->size, section->nr_relocs);
	return 0;
}
