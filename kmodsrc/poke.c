// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes the jumps of an update while all CPUs are stopped.
 *
 * An NMI comes all the same, and may run a function that is just being written.
 * So each jump is written as text_poke_bp() does it (arch/x86/kernel/alternative.c),
 * which cannot be used here as it waits for other CPUs: a breakpoint, the tail, the
 * first byte, and after each of the three every CPU serializes.  Whoever runs into
 * the breakpoint goes to the new code.  One store of all five bytes would have to be
 * within eight aligned ones, which a jump behind the slot of ftrace is not.
 *
 * What is written is mapped a second time beforehand, so that while all CPUs wait a
 * write is a store and no change of page tables, as it would be for text_poke().
 */
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include "core.h"
#include "fault.h"
#include "insn.h"
#include "writable.h"

/* The update that is being written; NULL when no breakpoint of ours is in the text. */
static struct ksplice_update *poked;
/* Breakpoints that were hit; for those who wonder if any are. */
static atomic_t hits;

static const struct ksplice_jump *find_jump(const struct ksplice_update *update,
					    unsigned long address)
{
	const struct ksplice_target *target;
	unsigned long i;

	list_for_each_entry(target, &update->targets, list)
		for (i = 0; i < target->nr_jumps; i++)
			if (target->jumps[i].address == address)
				return &target->jumps[i];
	return NULL;
}

static const struct ksplice_fill *find_endbr(const struct ksplice_update *update,
					     unsigned long address)
{
	const struct ksplice_target *target;
	unsigned long i;

	list_for_each_entry(target, &update->targets, list)
		for (i = 0; i < target->nr_fills; i++)
			if (target->fills[i].is_endbr && target->fills[i].address == address)
				return &target->fills[i];
	return NULL;
}

/* The new code is there as long as its jump is being written, also for undo. */
static int on_die(struct notifier_block *block, unsigned long event, void *data)
{
	struct die_args *args = data;
	struct ksplice_update *update = READ_ONCE(poked);
	const struct ksplice_jump *jump;
	const struct ksplice_fill *endbr;

	if (event != DIE_INT3 || !update || user_mode(args->regs))
		return NOTIFY_DONE;
	jump = find_jump(update, args->regs->ip - 1);
	endbr = find_endbr(update, args->regs->ip - 1);
	if (jump)
		args->regs->ip = jump->patch->new_address;
	else if (endbr)		/* ENDBR and its seal do nothing */
		args->regs->ip = endbr->address + endbr->size;
	else
		return NOTIFY_DONE;
	atomic_inc(&hits);
	return NOTIFY_STOP;
}
NOKPROBE_SYMBOL(on_die);

static struct notifier_block die_block = {
	.notifier_call = on_die,
	.priority = INT_MAX,
};

static void write_step(u8 *text, const u8 *bytes, size_t size, enum ksplice_poke_step step)
{
	switch (step) {
	case KSPLICE_POKE_BREAKPOINT:
		WRITE_ONCE(*text, KSPLICE_INT3);
		break;
	case KSPLICE_POKE_TAIL:
		memcpy(text + 1, bytes + 1, size - 1);
		break;
	default:
		WRITE_ONCE(*text, *bytes);
	}
}

static void unmap_all(struct ksplice_update *update)
{
	struct ksplice_target *target;
	unsigned long i;

	list_for_each_entry(target, &update->targets, list) {
		for (i = 0; i < target->nr_jumps; i++) {
			ksplice_unmap_writable(target->jumps[i].writable);
			target->jumps[i].writable = NULL;
		}
		for (i = 0; i < target->nr_fills; i++) {
			ksplice_unmap_writable(target->fills[i].writable);
			target->fills[i].writable = NULL;
		}
	}
}

static int map_target(struct ksplice_target *target, bool reverse)
{
	unsigned long i;

	for (i = 0; i < target->nr_jumps; i++) {
		struct ksplice_jump *jump = &target->jumps[i];

		jump->writable = ksplice_map_writable(jump->address, KSPLICE_JUMP_SIZE);
		if (!jump->writable)
			return -ENOMEM;
	}
	for (i = 0; !reverse && i < target->nr_fills; i++) {
		struct ksplice_fill *fill = &target->fills[i];

		fill->writable = ksplice_map_writable(fill->address, fill->size);
		if (!fill->writable)
			return -ENOMEM;
	}
	return 0;
}

static int map_all(struct ksplice_update *update, bool reverse)
{
	struct ksplice_target *target;

	list_for_each_entry(target, &update->targets, list)
		if (map_target(target, reverse) != 0)
			return ksplice_fail(update, -ENOMEM, "%s: its text cannot be mapped",
					    target->name);
	return 0;
}

int ksplice_poke_begin(struct ksplice_update *update, bool reverse)
{
	int ret = map_all(update, reverse);

	if (ret == 0) {
		ret = ksplice_fault("breakpoints") ? -ENOMEM : register_die_notifier(&die_block);
		if (ret != 0)
			ksplice_fail(update, ret, "breakpoints cannot be handled");
	}
	if (ret != 0) {
		unmap_all(update);
		return ret;
	}
	atomic_set(&hits, 0);
	WRITE_ONCE(poked, update);
	return 0;
}

void ksplice_poke(const struct ksplice_update *update, enum ksplice_poke_step step, bool reverse)
{
	const struct ksplice_target *target;
	unsigned long i;

	list_for_each_entry(target, &update->targets, list) {
		for (i = 0; i < target->nr_jumps; i++) {
			const struct ksplice_jump *jump = &target->jumps[i];

			write_step(jump->writable, reverse ? jump->saved : jump->jump,
				   KSPLICE_JUMP_SIZE, step);
		}
		for (i = 0; !reverse && i < target->nr_fills; i++)
			if (target->fills[i].is_endbr)
				write_step(target->fills[i].writable, target->fills[i].bytes,
					   target->fills[i].size, step);
	}
}

void ksplice_poke_constants(const struct ksplice_update *update)
{
	const struct ksplice_target *target;
	unsigned long i;

	list_for_each_entry(target, &update->targets, list)
		for (i = 0; i < target->nr_fills; i++)
			if (!target->fills[i].is_endbr)
				memcpy(target->fills[i].writable, target->fills[i].bytes,
				       target->fills[i].size);
}

unsigned int ksplice_poke_end(struct ksplice_update *update)
{
	unregister_die_notifier(&die_block);
	WRITE_ONCE(poked, NULL);
	unmap_all(update);
	return atomic_read(&hits);
}
