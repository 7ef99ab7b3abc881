// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apply/abi.h"
#include "apply/load_hint.h"
#include "apply/partial.h"
#include "apply/sequence.h"

#define CORE	"ksplice"

/* Fail with an exit code and a message. */
#define fail(err, code, ...) (ks_error_set(err, __VA_ARGS__), (code))

/*
 * What ksplice-apply has loaded so far, to be unloaded if a step fails.
 *
 * @missing: for each target, whether it is not loaded yet; NULL if all are
 */
struct loaded {
	int core;
	size_t nr_old;
	size_t nr_new;
	char *missing;
};

__attribute__((format(printf, 2, 3)))
static void note(struct sequence *seq, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	seq->note(seq, text);
}

__attribute__((format(printf, 2, 3)))
static void warn(struct sequence *seq, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	seq->warn(seq, text);
}

/* What passes in a moment is tried for one second. */
static const struct timespec moment = { .tv_nsec = 50 * 1000 * 1000 };
#define TRIES	20

/* 1, 0 or a negative errno; memory to look may be short for a moment. */
static int is_loaded(struct sequence *seq, const char *name)
{
	int ret, tries;

	for (tries = 0; tries < TRIES; tries++) {
		ret = seq->modules.is_loaded(&seq->modules, name);
		if (ret != -ENOMEM)
			break;
		nanosleep(&moment, NULL);
	}
	return ret;
}

/*
 * Unload a module if it is loaded.  Someone who reads its files in sysfs keeps
 * it for a moment (-EAGAIN).  Returns a negative errno.
 */
static int unload(struct sequence *seq, const char *name)
{
	int ret, tries;

	ret = is_loaded(seq, name);
	if (ret <= 0)
		return ret;
	note(seq, "unloading %s", name);
	for (tries = 0; tries < TRIES; tries++) {
		ret = seq->modules.unload(&seq->modules, name);
		if (ret != -EAGAIN && ret != -EBUSY)
			break;
		nanosleep(&moment, NULL);
	}
	/* Someone else was quicker. */
	return ret == -ENOENT ? 0 : ret;
}

/* Unload and warn if that fails. */
static int unload_or_warn(struct sequence *seq, const char *name)
{
	int ret = unload(seq, name);

	if (ret)
		warn(seq, "can't unload %s: %s; try rmmod %s", name,
		     strerror(-ret), name);
	return ret;
}

static enum exit_code load(struct sequence *seq, const char *name,
			   const struct ks_update_file *file, struct ks_error *err)
{
	char hint[512];
	int ret;

	if (seq->wait(seq, 0, 0))
		return fail(err, EXIT_ERROR, "interrupted; nothing is changed");
	note(seq, "loading %s", name);
	ret = seq->modules.load(&seq->modules, name, file->data, file->size);
	if (ret) {
		load_hint(hint, sizeof(hint), -ret, file, &running_policy);
		return fail(err, EXIT_ERROR, "can't load %s: %s: %s", name,
			    strerror(-ret), hint);
	}
	ret = is_loaded(seq, name);
	if (ret < 0) {
		unload_or_warn(seq, name);
		return fail(err, EXIT_ERROR, "can't tell if %s is loaded: %s", name,
			    strerror(-ret));
	}
	if (!ret)
		return fail(err, EXIT_ERROR, "%s was loaded under another name: "
			    "see lsmod, and make the update again", file->name);
	return EXIT_DONE;
}

/* Undo what was loaded, last things first. */
static void unwind(struct sequence *seq, const struct ks_update *update,
		   struct loaded *loaded)
{
	while (loaded->nr_new)
		unload_or_warn(seq, update->targets[--loaded->nr_new].new_module);
	while (loaded->nr_old)
		unload_or_warn(seq, update->targets[--loaded->nr_old].old_module);
	if (loaded->core)
		unload_or_warn(seq, CORE);
	loaded->core = 0;
	if (loaded->missing)
		partial_forget(seq->keep, update->id);
}

/*
 * Unload the modules of an update by what the core knows of its targets.  The new code
 * comes last: as long as there is some, an update that is reversed has that stage, and
 * one that comes after us, should we be killed, knows that it was applied.
 */
static enum exit_code unload_targets(struct sequence *seq, const char *id,
				     struct ks_error *err)
{
	static const char *const halves[] = { "old", "new" };
	char module[KS_MODULE_NAME_MAX + 1];
	struct sysfs_target *targets;
	enum exit_code code = EXIT_DONE;
	int i, nr, half, ret;

	nr = sysfs_targets(&seq->sysfs, id, &targets);
	if (nr < 0)
		return fail(err, EXIT_ERROR, "can't read the targets of %s: %s",
			    id, strerror(-nr));
	for (half = 0; half < 2; half++) {
		for (i = nr - 1; i >= 0; i--) {
			if (!(half ? targets[i].has_new : targets[i].has_old) ||
			    ks_update_module_name(module, id, targets[i].name,
						  halves[half]))
				continue;
			ret = unload(seq, module);
			if (ret)
				code = fail(err, EXIT_ERROR, "can't unload %s: %s",
					    module, strerror(-ret));
		}
	}
	sysfs_free_targets(targets, nr);
	return code;
}

/* Remove what an interrupted run left of this update. */
static enum exit_code clear_leftovers(struct sequence *seq,
				      const struct ks_update *update, int stage,
				      struct ks_error *err)
{
	const struct ks_update_target *target;
	enum exit_code code;
	size_t i;
	int ret;

	if (stage >= 0) {
		warn(seq, "an interrupted run left %s at stage %s: removing it",
		     update->id, stage_names[stage]);
		code = unload_targets(seq, update->id, err);
		if (code)
			return code;
	}
	for (i = 0; i < update->nr_targets; i++) {
		target = &update->targets[i];
		ret = unload(seq, target->new_module);
		if (!ret)
			ret = unload(seq, target->old_module);
		if (ret)
			return fail(err, EXIT_ERROR, "a module of an interrupted "
				    "run can't be unloaded: %s", strerror(-ret));
	}
	if (sysfs_stage(&seq->sysfs, update->id) != -ENOENT)
		return fail(err, EXIT_ERROR, "what an interrupted run left can't "
			    "be removed: see lsmod");
	return EXIT_DONE;
}

static enum exit_code check_abi(struct sequence *seq, int loaded_now,
				struct ks_error *err)
{
	int abi = sysfs_abi(&seq->sysfs);

	if (abi == -ENOENT)
		return fail(err, EXIT_ERROR, "%s/abi is missing: is sysfs mounted, "
			    "and is the loaded module ksplice ours?",
			    seq->sysfs.base);
	if (abi < 0)
		return fail(err, EXIT_ERROR, "can't read %s/abi: %s",
			    seq->sysfs.base, strerror(-abi));
	if (abi == KSPLICE_ABI)
		return EXIT_DONE;
	if (loaded_now)
		return fail(err, EXIT_ERROR, "the update has a core of ABI %d and "
			    "this program knows ABI %d: use the programs of the "
			    "version that made it", abi, KSPLICE_ABI);
	return fail(err, EXIT_ERROR, "the core that is loaded has ABI %d and this "
		    "program knows ABI %d: undo its updates with the programs of "
		    "its version first", abi, KSPLICE_ABI);
}

static enum exit_code load_core(struct sequence *seq,
				const struct ks_update *update,
				struct loaded *loaded, struct ks_error *err)
{
	enum exit_code code;
	int ret;

	ret = is_loaded(seq, CORE);
	if (ret < 0)
		return fail(err, EXIT_ERROR, "can't tell if %s is loaded: %s",
			    CORE, strerror(-ret));
	if (!ret) {
		code = load(seq, CORE, update->core, err);
		if (code)
			return code;
		loaded->core = 1;
	}
	return check_abi(seq, loaded->core, err);
}

/* Load one half of all targets, which must bring the update to @stage. */
static enum exit_code load_halves(struct sequence *seq,
				  const struct ks_update *update, enum stage stage,
				  struct loaded *loaded, struct ks_error *err)
{
	size_t *nr = stage == STAGE_REGISTERED ? &loaded->nr_old : &loaded->nr_new;
	const struct ks_update_target *target;
	enum exit_code code;
	size_t i;

	for (i = 0; i < update->nr_targets; i++) {
		target = &update->targets[i];
		if (stage == STAGE_REGISTERED)
			code = load(seq, target->old_module, target->old, err);
		else if (loaded->missing && loaded->missing[i])
			code = EXIT_DONE;
		else
			code = load(seq, target->new_module, target->new, err);
		if (code)
			return code;
		++*nr;
	}
	/* Otherwise a missing folder would look like -ENOENT of the core. */
	if (sysfs_stage(&seq->sysfs, update->id) != (int)stage)
		return fail(err, EXIT_ERROR, "the modules are loaded, but %s/%s is "
			    "not at stage %s", seq->sysfs.base, update->id,
			    stage_names[stage]);
	return EXIT_DONE;
}

/*
 * What an errno of the core means.  Only when it matches do -ENOENT and -ENODEV speak of
 * the running kernel; later they are from a hook of the patch.
 */
static enum exit_code meaning(enum stage stage, int error)
{
	if (error == EBUSY || error == ETXTBSY)
		return EXIT_BUSY;
	if (error == ENOENT && stage == STAGE_MATCHED)
		return EXIT_MISMATCH;
	return EXIT_ERROR;
}

/* Explain why the core refused, by its file error: "ENOENT text". */
static enum exit_code refused(struct sequence *seq, const char *id,
			      enum stage stage, int error, struct ks_error *err)
{
	enum exit_code code = meaning(stage, error);
	const char *cause = strerror(error);
	char *text, *space;

	if (!sysfs_read(&seq->sysfs, id, "error", &text) && *text &&
	    strcmp(text, "ok")) {
		space = strchr(text, ' ');
		cause = space ? space + 1 : text;
	}
	if (code == EXIT_BUSY)
		ks_error_set(err, "%s: %s", stage == STAGE_MATCHED ?
			     "the code can't be examined now" :
			     "the code is in use", cause);
	else if (code == EXIT_MISMATCH)
		ks_error_set(err, "the running kernel does not match: %s", cause);
	else if (error == ENODEV && stage == STAGE_MATCHED)
		ks_error_set(err, "%s: load it first, or give --partial to patch the "
			     "rest now and it when it is loaded", cause);
	else
		ks_error_set(err, "the core refuses stage %s: %s", stage_names[stage], cause);
	free(text);
	return code;
}

/* Ask the core for @stage, again and again while code is busy. */
static enum exit_code request(struct sequence *seq, const char *id,
			      enum stage stage, struct sequence_result *result,
			      struct ks_error *err)
{
	enum exit_code code;
	unsigned int retry;
	int ret;

	if (seq->wait(seq, 0, 0))
		return fail(err, EXIT_ERROR, "interrupted; nothing is changed");
	if (seq->nudge && stage != STAGE_MATCHED) {
		ret = seq->sysfs.write(&seq->sysfs, id, "nudge", "1");
		if (ret)
			warn(seq, "tasks can't be nudged: %s", strerror(-ret));
	}
	note(seq, "asking for stage %s", stage_names[stage]);
	for (retry = 0;; retry++) {
		ret = seq->sysfs.write(&seq->sysfs, id, "stage",
				       stage_names[stage]);
		result->attempts = retry + 1;
		free(result->conflicts);
		result->conflicts = NULL;
		if (!ret)
			return EXIT_DONE;
		code = refused(seq, id, stage, -ret, err);
		if (code != EXIT_BUSY)
			return code;
		sysfs_read(&seq->sysfs, id, "conflicts", &result->conflicts);
		if (retry == seq->retries)
			return code;
		if (seq->wait(seq, seq->delay, retry + 1))
			return fail(err, EXIT_ERROR, "interrupted while code was "
				    "in use; nothing is changed");
	}
}

/* Tell the core that targets may be missing. */
static enum exit_code allow_missing(struct sequence *seq, const char *id,
				    struct ks_error *err)
{
	char text[512];
	int ret;

	snprintf(text, sizeof(text), "%s %s", seq->partial, seq->helper);
	ret = seq->sysfs.write(&seq->sysfs, id, "partial", text);
	if (ret == -ENOENT)
		return fail(err, EXIT_ERROR, "the core that is loaded is too old for "
			    "--partial: undo its updates first");
	if (ret)
		return fail(err, EXIT_ERROR, "the core refuses \"%s\" in its file "
			    "partial: %s", text, strerror(-ret));
	return EXIT_DONE;
}

/* Keep the new code of the target @name, which is missing, for later. */
static enum exit_code keep_missing(struct sequence *seq,
				   const struct ks_update *update, const char *name,
				   struct loaded *loaded, struct ks_error *err)
{
	size_t i;

	for (i = 0; i < update->nr_targets; i++)
		if (!strcmp(update->targets[i].name, name))
			break;
	if (i == update->nr_targets)
		return fail(err, EXIT_ERROR, "%s: the update has no such target", name);
	if (partial_keep(seq->keep, update, &update->targets[i], err))
		return EXIT_ERROR;
	note(seq, "%s is not loaded: its new code is kept in %s/%s", name, seq->keep,
	     update->id);
	loaded->missing[i] = 1;
	return EXIT_DONE;
}

/* Which targets did the match find missing? */
static enum exit_code find_missing(struct sequence *seq,
				   const struct ks_update *update,
				   struct loaded *loaded, struct ks_error *err)
{
	enum exit_code code = EXIT_DONE;
	struct sysfs_target *targets;
	int i, nr;

	loaded->missing = calloc(update->nr_targets, 1);
	if (!loaded->missing)
		return fail(err, EXIT_ERROR, "no memory");
	nr = sysfs_targets(&seq->sysfs, update->id, &targets);
	if (nr < 0)
		return fail(err, EXIT_ERROR, "can't read the targets: %s",
			    strerror(-nr));
	for (i = 0; i < nr && !code; i++)
		if (targets[i].state == TARGET_MISSING)
			code = keep_missing(seq, update, targets[i].name, loaded, err);
	sysfs_free_targets(targets, nr);
	return code;
}

/* Keep what the core says of a switch before the folder goes. */
static void read_result(struct sequence *seq, const char *id,
			struct sequence_result *result)
{
	char *text;

	sysfs_read(&seq->sysfs, id, "patches", &result->patches);
	sysfs_read(&seq->sysfs, id, "match", &result->match);
	sysfs_read(&seq->sysfs, id, "targets", &result->targets);
	if (sysfs_read(&seq->sysfs, id, "pause_ns", &text))
		return;
	result->pause_ns = strtoull(text, NULL, 10);
	free(text);
}

/* Unload the old code, but for targets that it is still needed for. */
static void unload_used(struct sequence *seq, const struct ks_update *update,
			const struct loaded *loaded)
{
	size_t i;

	for (i = update->nr_targets; i > 0; i--)
		if (!loaded->missing || !loaded->missing[i - 1])
			unload_or_warn(seq, update->targets[i - 1].old_module);
}

enum exit_code sequence_apply(struct sequence *seq, const struct ks_update *update,
			      struct sequence_result *result,
			      struct ks_error *err)
{
	struct loaded loaded = { 0 };
	const char *id = update->id;
	enum exit_code code;
	int stage;

	memset(result, 0, sizeof(*result));
	stage = sysfs_stage(&seq->sysfs, id);
	if (stage < 0 && stage != -ENOENT)
		return fail(err, EXIT_ERROR, "can't read the stage of %s: %s", id,
			    strerror(-stage));
	if (stage == STAGE_APPLIED)
		return fail(err, EXIT_ERROR, "already applied");
	code = clear_leftovers(seq, update, stage, err);
	if (code)
		return code;

	code = load_core(seq, update, &loaded, err);
	if (!code)
		code = load_halves(seq, update, STAGE_REGISTERED, &loaded, err);
	if (!code && seq->partial)
		code = allow_missing(seq, id, err);
	if (!code)
		code = request(seq, id, STAGE_MATCHED, result, err);
	if (!code && seq->partial)
		code = find_missing(seq, update, &loaded, err);
	if (!code)
		code = load_halves(seq, update, STAGE_LINKED, &loaded, err);
	if (!code)
		code = request(seq, id, STAGE_APPLIED, result, err);
	if (code) {
		unwind(seq, update, &loaded);
	} else {
		read_result(seq, id, result);
		unload_used(seq, update, &loaded);
	}
	free(loaded.missing);
	return code;
}

/* Unload the core unless it has users; not being able to is no failure. */
static void unload_unused_core(struct sequence *seq)
{
	char **ids;
	int nr;

	if (is_loaded(seq, CORE) != 1)
		return;
	nr = sysfs_list(&seq->sysfs, &ids);
	sysfs_free_list(ids, nr);
	if (nr == 0 && seq->modules.refcount(&seq->modules, CORE) == 0)
		unload_or_warn(seq, CORE);
}

/* What is left when no module of the update is. */
static void clear_rest(struct sequence *seq, const char *id)
{
	unload_unused_core(seq);
	if (seq->keep)
		partial_forget(seq->keep, id);
}

enum exit_code sequence_undo(struct sequence *seq, const char *id,
			     struct sequence_result *result,
			     struct ks_error *err)
{
	enum exit_code code;
	int stage;

	memset(result, 0, sizeof(*result));
	stage = sysfs_stage(&seq->sysfs, id);
	if (stage == -ENOENT) {
		/* Maybe one that was killed at its very end left this. */
		clear_rest(seq, id);
		return fail(err, EXIT_NOT_FOUND, "no such update is applied");
	}
	if (stage < 0)
		return fail(err, EXIT_ERROR, "can't read its stage: %s",
			    strerror(-stage));
	code = check_abi(seq, 0, err);
	if (code)
		return code;
	if (stage == STAGE_APPLIED) {
		code = request(seq, id, STAGE_REVERSED, result, err);
		if (code)
			return code;
		read_result(seq, id, result);
	}
	code = unload_targets(seq, id, err);
	if (code) {
		ks_error_prefix(err, "%s", stage == STAGE_APPLIED ?
				"reversed, but not all is unloaded (try again)" :
				"what an interrupted run left can't be removed");
		return code;
	}
	clear_rest(seq, id);
	if (stage < STAGE_APPLIED)
		return fail(err, EXIT_NOT_FOUND, "was not applied, only left at "
			    "stage %s by an interrupted run; now it is unloaded",
			    stage_names[stage]);
	return EXIT_DONE;
}

void sequence_free_result(struct sequence_result *result)
{
	free(result->patches);
	free(result->match);
	free(result->conflicts);
	free(result->targets);
	memset(result, 0, sizeof(*result));
}
