// SPDX-License-Identifier: GPL-2.0-or-later
/* What is known of the symbols of the old code while it is being matched. */
#include "match_internal.h"

const char *const ksplice_known_names[KSPLICE_KNOWN_COUNT] = {
	[KSPLICE_KNOWN_END_RODATA] = "__end_rodata",
	[KSPLICE_KNOWN_NATIVE_READ_CR3] = "__native_read_cr3",
	[KSPLICE_KNOWN_NATIVE_SPIN_UNLOCK] = "__raw_callee_save___native_queued_spin_unlock",
	[KSPLICE_KNOWN_NATIVE_VCPU_IS_PREEMPTED] = "__raw_callee_save___native_vcpu_is_preempted",
	[KSPLICE_KNOWN_START_RODATA] = "__start_rodata",
	[KSPLICE_KNOWN_STATIC_CALL_RETURN0] = "__static_call_return0",
	[KSPLICE_KNOWN_X86_RETURN_SKL] = "__x86_return_skl",
	[KSPLICE_KNOWN_X86_RETURN_THUNK] = "__x86_return_thunk",
	[KSPLICE_KNOWN_END] = "_end",
	[KSPLICE_KNOWN_ETEXT] = "_etext",
	[KSPLICE_KNOWN_PARAVIRT_IDENT] = "_paravirt_ident_64",
	[KSPLICE_KNOWN_PARAVIRT_NOP] = "_paravirt_nop",
	[KSPLICE_KNOWN_TEXT] = "_text",
	[KSPLICE_KNOWN_CALL_DEPTH_RETURN_THUNK] = "call_depth_return_thunk",
	[KSPLICE_KNOWN_FTRACE_CALLER] = "ftrace_caller",
	[KSPLICE_KNOWN_FTRACE_GRAPH_CALLER] = "ftrace_graph_caller",
	[KSPLICE_KNOWN_FTRACE_REGS_CALLER] = "ftrace_regs_caller",
	[KSPLICE_KNOWN_ITS_RETURN_THUNK] = "its_return_thunk",
	[KSPLICE_KNOWN_NATIVE_IRQ_DISABLE] = "native_irq_disable",
	[KSPLICE_KNOWN_NATIVE_IRQ_ENABLE] = "native_irq_enable",
	[KSPLICE_KNOWN_NATIVE_READ_CR2] = "native_read_cr2",
	[KSPLICE_KNOWN_NATIVE_RESTORE_FL] = "native_restore_fl",
	[KSPLICE_KNOWN_NATIVE_SAVE_FL] = "native_save_fl",
	[KSPLICE_KNOWN_NATIVE_WBINVD] = "native_wbinvd",
	[KSPLICE_KNOWN_NATIVE_WRITE_CR3] = "native_write_cr3",
	[KSPLICE_KNOWN_NOP_FUNC] = "nop_func",
	[KSPLICE_KNOWN_RETBLEED_RETURN_THUNK] = "retbleed_return_thunk",
	[KSPLICE_KNOWN_CALL_THUNK] = "skl_call_thunk_template",
	[KSPLICE_KNOWN_SRSO_ALIAS_RETURN_THUNK] = "srso_alias_return_thunk",
	[KSPLICE_KNOWN_SRSO_RETURN_THUNK] = "srso_return_thunk",
};

/* More symbols of one name than any kernel has; each is compared with all others. */
#define MAX_VALUES	8192

/* Further values of ambiguous names are allocated in blocks of this many. */
#define POOL_VALUES	512

struct symval_pool {
	struct symval_pool *next;
	struct ksplice_symval values[POOL_VALUES];
};

static struct ksplice_symval *pool_symval(struct ksplice_matcher *matcher)
{
	struct symval_pool *pool = matcher->pool;

	if (!pool || matcher->pool_used == POOL_VALUES) {
		pool = matcher->ops->alloc(matcher->context, sizeof(*pool));
		if (!pool)
			return NULL;
		pool->next = matcher->pool;
		matcher->pool = pool;
		matcher->pool_used = 0;
	}
	return &pool->values[matcher->pool_used++];
}

void ksplice_symbols_free(struct ksplice_matcher *matcher)
{
	struct symval_pool *pool = matcher->pool, *next;

	for (; pool; pool = next) {
		next = pool->next;
		matcher->ops->free(matcher->context, pool);
	}
	matcher->pool = NULL;
}

static unsigned long sole_value(const struct ksplice_symbol *symbol)
{
	return list_entry(symbol->vals.next, struct ksplice_symval, list)->val;
}

static bool has_value(const struct ksplice_symbol *symbol, unsigned long value)
{
	const struct ksplice_symval *val;

	list_for_each_entry(val, &symbol->vals, list)
		if (val->val == value)
			return true;
	return false;
}

static int add_value(struct ksplice_matcher *matcher, struct ksplice_symbol *symbol,
		     unsigned long value)
{
	struct ksplice_symval *val = &symbol->first_val;

	if (has_value(symbol, value))
		return 0;
	if (symbol->nr_vals == MAX_VALUES) {
		matcher->failure.reason = "the running kernel has too many symbols of a name";
		return -ENOENT;
	}
	if (!list_empty(&symbol->vals)) {
		val = pool_symval(matcher);
		if (!val)
			return -ENOMEM;
	}
	val->val = value;
	list_add_tail(&val->list, &symbol->vals);
	symbol->nr_vals++;
	return 0;
}

static int collect_known(struct ksplice_matcher *matcher, const char *name, unsigned long value)
{
	unsigned int low = 0, high = KSPLICE_KNOWN_COUNT;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;
		int order = strcmp(ksplice_known_names[middle], name);

		if (order == 0)
			return add_value(matcher, &matcher->known[middle], value);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* Whether the old code defines it: then it is of the target. */
static bool is_defined(const struct ksplice_old_symbol *symbol)
{
	return symbol->section != KSPLICE_NONE || (symbol->flags & KSPLICE_SYMBOL_LOCAL);
}

static int collect(struct ksplice_matcher *matcher, const char *name, unsigned long value,
		   bool import)
{
	const u32 *names = matcher->tables.names;
	u32 low = 0, high = matcher->old->names.count;
	int ret = collect_known(matcher, name, value);

	/* The first of the symbols of that name: local ones may share it. */
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (strcmp(matcher->symbols[names[middle]].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; ret == 0 && low < matcher->old->names.count; low++) {
		struct ksplice_symbol *symbol = &matcher->symbols[names[low]];

		if (strcmp(symbol->name, name) != 0)
			break;
		if (!import || !is_defined(&matcher->tables.symbols[names[low]]))
			ret = add_value(matcher, symbol, value);
		if (ret != 0)
			matcher->failure.symbol = names[low];
	}
	return ret;
}

static int collect_symbol(void *data, const char *name, unsigned long value)
{
	return collect(data, name, value, false);
}

static int collect_import(void *data, const char *name, unsigned long value)
{
	return collect(data, name, value, true);
}

/*
 * A variable is not in the kernel's text.  Without KALLSYMS_ALL all that kallsyms has of
 * its name may be a function: watchdog() and the clocksource of that name, on i386.
 */
static void drop_functions(struct ksplice_matcher *matcher)
{
	unsigned long start = ksplice_known_address(matcher, KSPLICE_KNOWN_TEXT);
	unsigned long end = ksplice_known_address(matcher, KSPLICE_KNOWN_ETEXT);
	u32 i;

	for (i = 0; i < matcher->old->symbols.count; i++) {
		struct ksplice_symbol *symbol = &matcher->symbols[i];
		struct list_head *entry = symbol->vals.next, *next;

		if (!(matcher->tables.symbols[i].flags & KSPLICE_SYMBOL_DATA))
			continue;
		for (; entry != &symbol->vals; entry = next) {
			unsigned long value = list_entry(entry, struct ksplice_symval, list)->val;

			next = entry->next;
			if (value >= start && value < end)
				list_del(entry);
		}
	}
}

int ksplice_symbols_collect(struct ksplice_matcher *matcher)
{
	int ret;
	u32 i;

	for (i = 0; i < matcher->old->symbols.count; i++) {
		matcher->symbols[i].name =
			matcher->tables.strings + matcher->tables.symbols[i].name;
		INIT_LIST_HEAD(&matcher->symbols[i].vals);
	}
	for (i = 0; i < KSPLICE_KNOWN_COUNT; i++) {
		matcher->known[i].name = ksplice_known_names[i];
		INIT_LIST_HEAD(&matcher->known[i].vals);
	}
	ret = matcher->ops->for_each_symbol(matcher->context, collect_symbol, matcher);
	if (ret == 0 && matcher->ops->for_each_import)
		ret = matcher->ops->for_each_import(matcher->context, collect_import, matcher);
	if (ret == 0)
		drop_functions(matcher);
	return ret;
}

bool ksplice_known_is(const struct ksplice_matcher *matcher, enum ksplice_well_known known,
		      unsigned long value)
{
	return has_value(&matcher->known[known], value);
}

unsigned long ksplice_code_of(const struct ksplice_matcher *matcher, unsigned long value)
{
	return matcher->ops->code_at ? matcher->ops->code_at(matcher->context, value) : value;
}

static unsigned long known_as(const struct ksplice_matcher *matcher, unsigned long address)
{
	return matcher->ops->known_as ? matcher->ops->known_as(matcher->context, address) : address;
}

unsigned long ksplice_known_address(const struct ksplice_matcher *matcher,
				    enum ksplice_well_known known)
{
	const struct ksplice_symbol *symbol = &matcher->known[known];

	return list_is_singular(&symbol->vals) ? sole_value(symbol) : 0;
}

bool ksplice_in_kernel(const struct ksplice_matcher *matcher, unsigned long address)
{
	unsigned long start = ksplice_known_address(matcher, KSPLICE_KNOWN_TEXT);
	unsigned long end = ksplice_known_address(matcher, KSPLICE_KNOWN_END);

	/* Without KALLSYMS_ALL there is text only. */
	if (end == 0)
		end = ksplice_known_address(matcher, KSPLICE_KNOWN_ETEXT);
	return start != 0 && address >= start && address < end;
}

bool ksplice_not_rodata(const struct ksplice_matcher *matcher, unsigned long address)
{
	unsigned long start = ksplice_known_address(matcher, KSPLICE_KNOWN_START_RODATA);
	unsigned long end = ksplice_known_address(matcher, KSPLICE_KNOWN_END_RODATA);

	return start != 0 && end != 0 && (address < start || address >= end) &&
	       ksplice_in_kernel(matcher, address);
}

int ksplice_symbol_assume(struct ksplice_matcher *matcher, u32 index, unsigned long value)
{
	struct ksplice_symbol *symbol = &matcher->symbols[index];

	if (matcher->tables.symbols[index].flags & KSPLICE_SYMBOL_ANY)
		return 0;
	value = known_as(matcher, value & matcher->mask);
	if (symbol->state != KSPLICE_SYMBOL_UNKNOWN)
		return symbol->value == value ? 0 : -ENOENT;
	if (!list_empty(&symbol->vals) && !has_value(symbol, value))
		return -ENOENT;
	symbol->value = value;
	symbol->state = KSPLICE_SYMBOL_TENTATIVE;
	matcher->journal[matcher->journal_length++] = index;
	return 0;
}

static bool is_near(unsigned long a, unsigned long b, unsigned long distance)
{
	return a - b <= distance || b - a <= distance;
}

bool ksplice_symbol_near(const struct ksplice_matcher *matcher, u32 index, unsigned long value,
			 unsigned long distance)
{
	const struct ksplice_symbol *symbol = &matcher->symbols[index];
	const struct ksplice_symval *val;

	if (symbol->state != KSPLICE_SYMBOL_UNKNOWN)
		return is_near(ksplice_code_of(matcher, symbol->value), value & matcher->mask, distance);
	list_for_each_entry(val, &symbol->vals, list)
		if (is_near(ksplice_code_of(matcher, val->val), value & matcher->mask, distance))
			return true;
	return false;
}

void ksplice_symbols_rollback(struct ksplice_matcher *matcher, u32 length)
{
	while (matcher->journal_length > length)
		matcher->symbols[matcher->journal[--matcher->journal_length]].state =
			KSPLICE_SYMBOL_UNKNOWN;
}

void ksplice_symbols_commit(struct ksplice_matcher *matcher)
{
	while (matcher->journal_length > 0)
		matcher->symbols[matcher->journal[--matcher->journal_length]].state =
			KSPLICE_SYMBOL_PROVED;
}

int ksplice_symbol_settle(const struct ksplice_matcher *matcher, u32 index, unsigned long *value)
{
	const struct ksplice_symbol *symbol = &matcher->symbols[index];
	const struct ksplice_old_symbol *old = &matcher->tables.symbols[index];
	const struct ksplice_matched *matched;

	if (symbol->state == KSPLICE_SYMBOL_PROVED) {
		*value = symbol->value;
		return 0;
	}
	if (old->section != KSPLICE_NONE) {
		matched = &matcher->matched[old->section];
		if (matched->state == KSPLICE_SECTION_MATCHED) {
			*value = known_as(matcher, ksplice_run_address(matched, matched->address,
								       old->offset));
			return 0;
		}
	}
	if (!list_is_singular(&symbol->vals))
		return -ENOENT;
	*value = sole_value(symbol);
	return 0;
}
