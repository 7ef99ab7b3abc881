// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The switch: with all CPUs stopped and nobody in the code concerned, all jumps
 * of an update are written, or all are removed.
 */
#define pr_fmt(format) KBUILD_MODNAME ": " format
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/uaccess.h>
#include <asm/sync_core.h>

#include "core.h"
#include "fault.h"
#include "kernel.h"
#include "settled.h"

struct switch_request {
	struct ksplice_update *update;
	bool reverse;
	int error;
	atomic_t cpus;		/* that have come */
	atomic_t synced;	/* that have serialized in this round */
	unsigned int round;
	bool done;
	bool refused;		/* for a cause that was noted */
};

/*
 * Somebody may have changed the text since it was matched, or will write to it: a
 * kprobe that is disabled now, when it is enabled, and then runs the instruction
 * that it remembers.
 */
static int check_jump(struct ksplice_update *update, const struct ksplice_target *target,
		      const struct ksplice_jump *jump, bool reverse)
{
	u8 bytes[sizeof(jump->saved)];

	if (copy_from_kernel_nofault(bytes, (void *)jump->address, sizeof(bytes)) != 0 ||
	    memcmp(bytes, reverse ? jump->jump : jump->saved, sizeof(bytes)) != 0)
		return ksplice_fail(update, -EBUSY,
				    "%s: %s was changed by somebody else (a kprobe?)",
				    target->name, jump->patch->name);
	if (!reverse && ksplice_is_livepatched(jump->patch->old_address))
		return ksplice_fail(update, -EBUSY,
				    "%s: %s is replaced by a livepatch: disable that first (/sys/kernel/livepatch)",
				    target->name, jump->patch->name);
	if (ksplice_is_text_reserved(jump->address, sizeof(bytes)))
		return ksplice_fail(update, -EBUSY,
				    "%s: %s has a kprobe, or another user of its text",
				    target->name, jump->patch->name);
	/* Set since, and maybe in the middle of an instruction that is to come back. */
	if (reverse && ksplice_has_kprobe(jump->address, jump->cut))
		return ksplice_fail(update, -EBUSY, "%s: %s has a kprobe behind the jump",
				    target->name, jump->patch->name);
	return 0;
}

/* Another update may have written the same in the meantime. */
static int check_fill(struct ksplice_update *update, const struct ksplice_target *target,
		      const struct ksplice_fill *fill)
{
	u8 bytes[sizeof(fill->saved)];

	if (copy_from_kernel_nofault(bytes, (void *)fill->address, fill->size) != 0 ||
	    (memcmp(bytes, fill->saved, fill->size) != 0 &&
	     memcmp(bytes, fill->bytes, fill->size) != 0) ||
	    ksplice_is_text_reserved(fill->address, fill->size))
		return ksplice_fail(update, -EBUSY, "%s: %pS is in use by somebody else (a kprobe?)",
				    target->name, (void *)fill->address);
	return 0;
}

static int check_text(struct ksplice_update *update, bool reverse)
{
	struct ksplice_target *target;
	unsigned long i;
	int ret = 0;

	list_for_each_entry(target, &update->targets, list) {
		for (i = 0; ret == 0 && i < target->nr_jumps; i++)
			ret = check_jump(update, target, &target->jumps[i], reverse);
		for (i = 0; ret == 0 && !reverse && i < target->nr_fills; i++)
			ret = check_fill(update, target, &target->fills[i]);
	}
	return ret;
}

/* Let every CPU serialize.  When it has, no NMI that it was in goes on. */
static void sync_cpus(struct switch_request *request)
{
	int others = num_online_cpus() - 1;

	atomic_set(&request->synced, 0);
	smp_store_release(&request->round, request->round + 1);
	sync_core();
	while (atomic_read_acquire(&request->synced) < others)
		cpu_relax();
}

static void write_jumps(struct switch_request *request)
{
	enum ksplice_poke_step step;

	if (!request->reverse) {
		ksplice_poke_constants(request->update);
		sync_cpus(request);
	}
	for (step = 0; step < KSPLICE_POKE_STEPS; step++) {
		ksplice_poke(request->update, step, request->reverse);
		sync_cpus(request);
	}
}

/* The hooks find the new code in force. */
static void switch_all(struct switch_request *request)
{
	if (request->reverse)
		ksplice_hooks_act(request->update, true);
	write_jumps(request);
	ksplice_constants_write(request->update, request->reverse);
	if (!request->reverse)
		ksplice_hooks_act(request->update, false);
}

static int check_late_kprobes(struct ksplice_update *update)
{
	const struct ksplice_target *target;
	unsigned long i;

	list_for_each_entry(target, &update->targets, list)
		for (i = 0; i < target->nr_jumps; i++)
			if (ksplice_has_late_kprobe(target->jumps[i].address, KSPLICE_JUMP_SIZE))
				return ksplice_fail(update, -EBUSY, "%s: %s has a kprobe",
						    target->name, target->jumps[i].patch->name);
	return 0;
}

static void lead(struct switch_request *request)
{
	struct ksplice_update *update = request->update;

	request->error = check_late_kprobes(update);
	request->refused = request->error != 0;
	if (request->error == 0)
		request->error = ksplice_check_stacks(update, request->reverse);
	if (request->error == 0) {
		request->error = ksplice_hooks_check(update, request->reverse);
		request->refused = request->error != 0;
	}
	if (request->error == 0)
		switch_all(request);
	smp_store_release(&request->done, true);
}

static void follow(struct switch_request *request)
{
	unsigned int seen = 0, round;

	while (!smp_load_acquire(&request->done)) {
		round = smp_load_acquire(&request->round);
		if (round == seen) {
			cpu_relax();
			continue;
		}
		seen = round;
		sync_core();
		atomic_inc_return_release(&request->synced);
	}
}

/* The first CPU does the work; the others keep still, and serialize when asked. */
static int switch_on_cpu(void *data)
{
	struct switch_request *request = data;

	if (atomic_inc_return(&request->cpus) == 1)
		lead(request);
	else
		follow(request);
	return request->error;
}

/* What needs no stopped CPUs. */
static void name_functions(struct ksplice_update *update)
{
	struct ksplice_conflict *conflict = update->conflicts;
	unsigned int nr = min_t(unsigned int, update->nr_conflicts, KSPLICE_MAX_CONFLICTS);

	for (; conflict < update->conflicts + nr; conflict++)
		if (!*conflict->function) {
			snprintf(conflict->function, sizeof(conflict->function), "%ps",
				 (void *)conflict->address);
			conflict->function[strcspn(conflict->function, " ")] = '\0';
		}
}

static int try_switch(struct ksplice_update *update, bool reverse)
{
	struct switch_request request = {
		.update = update,
		.reverse = reverse,
		.cpus = ATOMIC_INIT(0),
	};
	unsigned int hits;
	u64 start;
	int ret;

	update->nr_conflicts = 0;
	ret = ksplice_poke_begin(update, reverse);
	if (ret != 0)
		return ret;
	update->settled = ksplice_look_ahead(update, reverse,
					     (unsigned long)__builtin_frame_address(0));
	/* For a test to move tasks now. */
	while (ksplice_fault("wait"))
		msleep(20);
	ksplice_lock_text();
	ret = ksplice_fault("text") ? ksplice_fail(update, -EBUSY, "fault: text") :
				      check_text(update, reverse);
	if (ret == 0) {
		start = ktime_get_ns();
		ret = ksplice_fault("stop") ? -ENOMEM :
					      ksplice_stop_machine(switch_on_cpu, &request);
		update->pause_ns = ktime_get_ns() - start;
		name_functions(update);
		if (ret == -EBUSY && !request.refused)
			ksplice_fail(update, ret, "code in use by %u tasks, first %s (pid %d) in %s",
				     update->nr_conflicts, update->conflicts[0].comm,
				     update->conflicts[0].pid, update->conflicts[0].function);
		else if (ret != 0 && !request.refused)
			ksplice_fail(update, ret, "the CPUs could not be stopped");
	}
	ksplice_unlock_text();
	ksplice_settled_free(update->settled);
	update->settled = NULL;
	hits = ksplice_poke_end(update);
	if (hits > 0)
		pr_info("update %s: %u NMIs came upon a jump that was being written\n", update->id,
			hits);
	return ret;
}

int ksplice_switch(struct ksplice_update *update, bool reverse)
{
	struct ksplice_nudge *nudge;
	int ret;

	if (!update->nudge)
		return try_switch(update, reverse);
	nudge = ksplice_fault("nudge") ? NULL : ksplice_nudge_new();
	if (!nudge)
		return ksplice_fail(update, -ENOMEM, "no memory to nudge tasks");
	update->nudged = nudge;
	ret = try_switch(update, reverse);
	update->nudged = NULL;
	if (ret == -EBUSY && update->nr_conflicts > 0) {
		ksplice_nudge_park(nudge);
		ret = try_switch(update, reverse);
	}
	ksplice_nudge_free(nudge);
	return ret;
}
