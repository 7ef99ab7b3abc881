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
 */
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include "core.h"
#include "kernel.h"

#define BREAKPOINT	0xcc

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

static void write_step(unsigned long address, const u8 *bytes, size_t size,
		       enum ksplice_poke_step step)
{
	static const u8 breakpoint = BREAKPOINT;

	switch (step) {
	case KSPLICE_POKE_BREAKPOINT:
		ksplice_write_text(address, &breakpoint, 1);
		break;
	case KSPLICE_POKE_TAIL:
		ksplice_write_text(address + 1, bytes + 1, size - 1);
		break;
	default:
		ksplice_write_text(address, bytes, 1);
	}
}

int ksplice_poke_begin(struct ksplice_update *update)
{
	int ret = register_die_notifier(&die_block);

	if (ret != 0)
		return ret;
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

			write_step(jump->address, reverse ? jump->saved : jump->jump,
				   KSPLICE_JUMP_SIZE, step);
		}
		for (i = 0; !reverse && i < target->nr_fills; i++)
			if (target->fills[i].is_endbr)
				write_step(target->fills[i].address, target->fills[i].bytes,
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
				ksplice_write_text(target->fills[i].address,
						   target->fills[i].bytes, target->fills[i].size);
}

unsigned int ksplice_poke_end(void)
{
	unregister_die_notifier(&die_block);
	WRITE_ONCE(poked, NULL);
	return atomic_read(&hits);
}
