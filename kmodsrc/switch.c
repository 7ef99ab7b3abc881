// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The switch: with all CPUs stopped and nobody in the code concerned, all jumps
 * of an update are written, or all are removed.
 */
#include <linux/ktime.h>
#include <linux/uaccess.h>
#include <asm/sync_core.h>

#include "core.h"
#include "kernel.h"

struct switch_request {
	struct ksplice_update *update;
	bool reverse;
	int error;
	atomic_t cpus;		/* that have come */
	bool done;
};

/*
 * Somebody may have changed the text since it was matched, or will write to it: a
 * kprobe that is disabled now, when it is enabled, and then runs the instruction
 * that it remembers.
 */
static int check_text(struct ksplice_update *update, bool reverse)
{
	struct ksplice_target *target;
	u8 bytes[KSPLICE_JUMP_SIZE];
	unsigned long i;

	list_for_each_entry(target, &update->targets, list) {
		for (i = 0; i < target->nr_jumps; i++) {
			const struct ksplice_jump *jump = &target->jumps[i];

			if (copy_from_kernel_nofault(bytes, (void *)jump->address,
						     sizeof(bytes)) != 0 ||
			    memcmp(bytes, reverse ? jump->jump : jump->saved, sizeof(bytes)) != 0)
				return ksplice_fail(update, -EBUSY,
						    "%s: %s was changed by somebody else (a kprobe?)",
						    target->name, jump->patch->name);
			if (ksplice_is_text_reserved(jump->address, sizeof(bytes)))
				return ksplice_fail(update, -EBUSY,
						    "%s: %s has a kprobe, or another user of its text",
						    target->name, jump->patch->name);
		}
	}
	return 0;
}

static void write_jumps(struct ksplice_update *update, bool reverse)
{
	struct ksplice_target *target;
	unsigned long i;

	list_for_each_entry(target, &update->targets, list) {
		for (i = 0; i < target->nr_jumps; i++) {
			const struct ksplice_jump *jump = &target->jumps[i];

			ksplice_write_text(jump->address, reverse ? jump->saved : jump->jump,
					   KSPLICE_JUMP_SIZE);
		}
	}
}

/*
 * The first CPU does the work; each of them leaves with no stale instructions.
 * An NMI can still come: code that runs in one must not be patched.
 */
static int switch_on_cpu(void *data)
{
	struct switch_request *request = data;
	struct ksplice_update *update = request->update;
	u64 start;

	if (atomic_inc_return(&request->cpus) == 1) {
		start = ktime_get_mono_fast_ns();
		request->error = ksplice_check_stacks(update, request->reverse);
		if (request->error == 0)
			write_jumps(update, request->reverse);
		update->pause_ns = ktime_get_mono_fast_ns() - start;
		smp_store_release(&request->done, true);
	} else {
		while (!smp_load_acquire(&request->done))
			cpu_relax();
	}
	sync_core();
	return request->error;
}

int ksplice_switch(struct ksplice_update *update, bool reverse)
{
	struct switch_request request = {
		.update = update,
		.reverse = reverse,
		.cpus = ATOMIC_INIT(0),
	};
	int ret;

	update->nr_conflicts = 0;
	ksplice_lock_text();
	ret = check_text(update, reverse);
	if (ret == 0) {
		ret = ksplice_stop_machine(switch_on_cpu, &request);
		if (ret == -EBUSY)
			ksplice_fail(update, ret, "code in use by %u tasks, first %s (pid %d) in %s",
				     update->nr_conflicts, update->conflicts[0].comm,
				     update->conflicts[0].pid, update->conflicts[0].function);
		else if (ret != 0)
			ksplice_fail(update, ret, "the CPUs could not be stopped");
	}
	ksplice_unlock_text();
	return ret;
}
