// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The steps of apply and undo against an imitation of the core: a folder in
 * place of sysfs, and module functions that change it as the core would.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "apply/abi.h"
#include "apply/load_hint.h"
#include "apply/partial.h"
#include "apply/sequence.h"
#include "apply/show.h"

#define ID	"ab12"

/*
 * @log: what was done, in order, like "+ksplice match:0 -ksplice"
 * @loaded: names of the loaded modules
 * @busy: so many switches fail with -EBUSY
 * @no_memory: once old code is loaded, so many looks for a module fail with -ENOMEM
 * @match_error: errno of "matched", or 0
 * @hook_error: errno of a hook of the patch, or 0
 * @bad_module: this one does not load, with errno @bad_error
 * @stuck_module: this one does not unload
 * @stop_at_retry: the user stops there
 * @missing: the target turns out to be missing
 */
struct fake {
	char base[64];
	char log[2048];
	char loaded[8][64];
	int nr_loaded;
	int busy;
	int no_memory;
	int match_error;
	int hook_error;
	const char *bad_module;
	int bad_error;
	const char *stuck_module;
	unsigned int stop_at_retry;
	int missing;
	int abi;
	int warnings;
	struct sequence seq;
};

static void put(struct fake *fake, const char *id, const char *file,
		const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", fake->base, id ? id : "");
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", fake->base, id ? id : "", file);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", text);
	fclose(f);
}

static void add_log(struct fake *fake, const char *sign, const char *text)
{
	size_t len = strlen(fake->log);

	snprintf(fake->log + len, sizeof(fake->log) - len, "%s%s%s",
		 len ? " " : "", sign, text);
}

static int find_loaded(struct fake *fake, const char *name)
{
	int i;

	for (i = 0; i < fake->nr_loaded; i++)
		if (!strcmp(fake->loaded[i], name))
			return i;
	return -1;
}

static int ends_with(const char *text, const char *end)
{
	size_t a = strlen(text), b = strlen(end);

	return a >= b && !strcmp(text + a - b, end);
}

/* Make the update's folder show what is loaded; none without a half. */
static void refresh(struct fake *fake)
{
	static const char *const files[] = {
		"stage", "error", "conflicts", "targets", "patches", "match",
		"pause_ns", "description",
	};
	int old = find_loaded(fake, "ksplice_" ID "_vmlinux_old") >= 0;
	int new = find_loaded(fake, "ksplice_" ID "_vmlinux_new") >= 0;
	char path[256];
	size_t i;

	if (old || new) {
		put(fake, ID, "targets", old && new ? "vmlinux old new" :
		    old ? "vmlinux old" : "vmlinux new");
		return;
	}
	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/" ID "/%s", fake->base, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/" ID, fake->base);
	rmdir(path);
}

static int fake_load(struct modules *modules, const char *name, const void *data,
		     size_t size)
{
	struct fake *fake = modules->private;
	char abi[16];

	assert_true(size > 0);
	assert_non_null(data);
	add_log(fake, "+", name);
	if (fake->bad_module && !strcmp(name, fake->bad_module))
		return -fake->bad_error;
	if (find_loaded(fake, name) >= 0)
		return -EEXIST;
	strcpy(fake->loaded[fake->nr_loaded++], name);
	if (!strcmp(name, "ksplice")) {
		snprintf(abi, sizeof(abi), "%d", fake->abi);
		put(fake, NULL, "abi", abi);
		return 0;
	}
	refresh(fake);
	if (ends_with(name, "_old")) {
		put(fake, ID, "stage", "registered");
		put(fake, ID, "error", "ok");
	} else {
		put(fake, ID, "stage", "linked");
	}
	return 0;
}

static int fake_unload(struct modules *modules, const char *name)
{
	struct fake *fake = modules->private;
	int i = find_loaded(fake, name);

	add_log(fake, "-", name);
	if (i < 0)
		return -ENOENT;
	if (fake->stuck_module && !strcmp(name, fake->stuck_module))
		return -EPERM;
	memmove(fake->loaded[i], fake->loaded[i + 1],
		sizeof(fake->loaded[0]) * (fake->nr_loaded - i - 1));
	fake->nr_loaded--;
	refresh(fake);
	return 0;
}

static int fake_is_loaded(struct modules *modules, const char *name)
{
	struct fake *fake = modules->private;

	if (fake->no_memory > 0 && strstr(fake->log, "_old")) {
		fake->no_memory--;
		return -ENOMEM;
	}
	return find_loaded(fake, name) >= 0;
}

static int fake_refcount(struct modules *modules, const char *name)
{
	struct fake *fake = modules->private;

	return !strcmp(name, "ksplice") ? fake->nr_loaded - 1 : 0;
}

static int fake_write(struct sysfs *sysfs, const char *id, const char *file,
		      const char *text)
{
	struct fake *fake = sysfs->private;

	if (!strcmp(file, "nudge")) {
		add_log(fake, "", "nudge");
		return 0;
	}
	add_log(fake, "", text);
	if (!strcmp(file, "partial"))
		return 0;
	assert_string_equal(file, "stage");
	if (!strcmp(text, "matched") && fake->match_error) {
		put(fake, id, "error", "ENOENT do_getpgid+0x5: byte differs");
		return -fake->match_error;
	}
	if (strcmp(text, "matched") && fake->hook_error) {
		put(fake, id, "error", "ESOME vmlinux: the hook check refuses, with -99");
		return -fake->hook_error;
	}
	if (strcmp(text, "matched") && fake->busy) {
		fake->busy--;
		put(fake, id, "error", "EBUSY do_nanosleep is in use");
		put(fake, id, "conflicts", "123 S my task do_nanosleep\n"
		    " schedule+0x1/0x2\n do_nanosleep+0x3/0x4\n7 R sh do_wait");
		return -EBUSY;
	}
	put(fake, id, "error", "ok");
	put(fake, id, "match", "3 1234");
	put(fake, id, "patches", "a 0x1 0x2\nb 0x3 0x4");
	put(fake, id, "pause_ns", "512300");
	put(fake, id, "stage", text);
	if (!strcmp(text, "matched") && fake->missing) {
		put(fake, id, "targets", "vmlinux old missing");
		put(fake, id, "stage", "linked");
	}
	return 0;
}

static int fake_wait(struct sequence *seq, double seconds, unsigned int retry)
{
	struct fake *fake = seq->private;

	if (retry)
		assert_true(seconds == 0.25);
	return fake->stop_at_retry && retry >= fake->stop_at_retry;
}

static void fake_note(struct sequence *seq, const char *text)
{
	(void)seq;
	(void)text;
}

static void fake_warn(struct sequence *seq, const char *text)
{
	struct fake *fake = seq->private;

	(void)text;
	fake->warnings++;
}

static int setup(void **state)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	strcpy(fake->base, "/tmp/ksplice-test-XXXXXX");
	assert_non_null(mkdtemp(fake->base));
	fake->abi = KSPLICE_ABI;
	fake->seq = (struct sequence) {
		.sysfs = { fake->base, fake_write, fake },
		.modules = { fake_load, fake_unload, fake_is_loaded,
			     fake_refcount, NULL, fake },
		.retries = 3,
		.delay = 0.25,
		.wait = fake_wait,
		.note = fake_note,
		.warn = fake_warn,
		.private = fake,
	};
	*state = fake;
	return 0;
}

static int teardown(void **state)
{
	struct fake *fake = *state;
	char path[256];

	fake->nr_loaded = 0;
	refresh(fake);
	snprintf(path, sizeof(path), "%s/abi", fake->base);
	unlink(path);
	rmdir(fake->base);
	free(fake);
	return 0;
}

static struct ks_update_file files[] = {
	{ "ksplice.ko", "core", 4 },
	{ "ksplice_" ID "_vmlinux_old.ko", "old", 3 },
	{ "ksplice_" ID "_vmlinux_new.ko", "new", 3 },
};

static struct ks_update_target target = {
	.name = "vmlinux",
	.old = &files[1],
	.new = &files[2],
	.old_module = "ksplice_" ID "_vmlinux_old",
	.new_module = "ksplice_" ID "_vmlinux_new",
};

static const struct ks_update update = {
	.id = ID,
	.kernel = "6.1.0-56-amd64",
	.description = "",
	.core = &files[0],
	.targets = &target,
	.nr_targets = 1,
	.files = files,
	.nr_files = 3,
};

#define OLD	"ksplice_" ID "_vmlinux_old"
#define NEW	"ksplice_" ID "_vmlinux_new"

static enum exit_code apply(struct fake *fake, struct sequence_result *result,
			    struct ks_error *err)
{
	fake->log[0] = '\0';
	return sequence_apply(&fake->seq, &update, result, err);
}

static enum exit_code undo(struct fake *fake, struct sequence_result *result,
			   struct ks_error *err)
{
	fake->log[0] = '\0';
	return sequence_undo(&fake->seq, ID, result, err);
}

static void test_success(void **state)
{
	struct fake *fake = *state;
	struct sequence_result result;
	struct ks_error err;

	assert_int_equal(apply(fake, &result, &err), EXIT_DONE);
	assert_string_equal(fake->log, "+ksplice +" OLD " matched +" NEW
			    " applied -" OLD);
	assert_int_equal(result.attempts, 1);
	assert_int_equal(result.pause_ns, 512300);
	assert_int_equal(show_count(result.patches), 2);
	sequence_free_result(&result);

	assert_int_equal(apply(fake, &result, &err), EXIT_ERROR);
	assert_string_equal(err.text, "already applied");
	assert_string_equal(fake->log, "");
	sequence_free_result(&result);

	assert_int_equal(undo(fake, &result, &err), EXIT_DONE);
	assert_string_equal(fake->log, "reversed -" NEW " -ksplice");
	assert_int_equal(show_count(result.patches), 2);
	assert_int_equal(fake->nr_loaded, 0);
	sequence_free_result(&result);

	assert_int_equal(undo(fake, &result, &err), EXIT_NOT_FOUND);
	sequence_free_result(&result);
	assert_int_equal(fake->warnings, 0);
}

static void test_mismatch(void **state)
{
	struct fake *fake = *state;
	struct sequence_result result;
	struct ks_error err;

	fake->match_error = ENOENT;
	assert_int_equal(apply(fake, &result, &err), EXIT_MISMATCH);
	assert_string_equal(fake->log, "+ksplice +" OLD " matched -" OLD
			    " -ksplice");
	assert_non_null(strstr(err.text, "do_getpgid+0x5: byte differs"));
	assert_int_equal(fake->nr_loaded, 0);
	sequence_free_result(&result);

	/* The core stays when it was there before. */
	assert_int_equal(fake_load(&fake->seq.modules, "ksplice", "x", 1), 0);
	fake->match_error = ENODEV;
	assert_int_equal(apply(fake, &result, &err), EXIT_ERROR);
	assert_string_equal(fake->log, "+" OLD " matched -" OLD);
	sequence_free_result(&result);
}

/* Whatever a hook says, it does not say that the kernel or a module is another one. */
static void test_hook(void **state)
{
	static const int errors[] = { ENOENT, ENODEV, EPERM, EINVAL, EIO };
	struct fake *fake = *state;
	struct sequence_result result;
	struct ks_error err;
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		fake->hook_error = errors[i];
		assert_int_equal(apply(fake, &result, &err), EXIT_ERROR);
		assert_string_equal(err.text, "the core refuses stage applied: vmlinux: the hook "
				    "check refuses, with -99");
		assert_int_equal(fake->nr_loaded, 0);
		sequence_free_result(&result);

		fake->hook_error = 0;
		assert_int_equal(apply(fake, &result, &err), EXIT_DONE);
		sequence_free_result(&result);
		fake->hook_error = errors[i];
		assert_int_equal(undo(fake, &result, &err), EXIT_ERROR);
		assert_string_equal(err.text, "the core refuses stage reversed: vmlinux: the hook "
				    "check refuses, with -99");
		sequence_free_result(&result);
		fake->hook_error = 0;
		assert_int_equal(undo(fake, &result, &err), EXIT_DONE);
		sequence_free_result(&result);
	}
	fake->hook_error = EBUSY;
	assert_int_equal(apply(fake, &result, &err), EXIT_BUSY);
	assert_int_equal(result.attempts, 4);
	sequence_free_result(&result);
}

static void test_busy(void **state)
{
	struct fake *fake = *state;
	struct sequence_result result;
	struct ks_error err;
	json_object *json;
	const char *text;

	fake->busy = 2;
	assert_int_equal(apply(fake, &result, &err), EXIT_DONE);
	assert_string_equal(fake->log, "+ksplice +" OLD " matched +" NEW
			    " applied applied applied -" OLD);
	assert_int_equal(result.attempts, 3);
	assert_null(result.conflicts);
	sequence_free_result(&result);

	fake->busy = 100;
	assert_int_equal(undo(fake, &result, &err), EXIT_BUSY);
	assert_string_equal(fake->log, "reversed reversed reversed reversed");
	assert_non_null(result.conflicts);
	assert_int_equal(fake->nr_loaded, 2);
	sequence_free_result(&result);

	fake->busy = 0;
	assert_int_equal(undo(fake, &result, &err), EXIT_DONE);
	assert_int_equal(fake->nr_loaded, 0);
	sequence_free_result(&result);

	fake->busy = 100;
	assert_int_equal(apply(fake, &result, &err), EXIT_BUSY);
	assert_string_equal(fake->log, "+ksplice +" OLD " matched +" NEW
			    " applied applied applied applied -" NEW " -" OLD
			    " -ksplice");
	assert_int_equal(show_count(result.conflicts), 2);
	json = show_json_conflicts(result.conflicts);
	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	assert_string_equal(text,
			    "[{\"pid\":123,\"state\":\"S\",\"comm\":\"my task\","
			    "\"function\":\"do_nanosleep\",\"stack\":[\"schedule+0x1\\/0x2\","
			    "\"do_nanosleep+0x3\\/0x4\"]},{\"pid\":7,\"state\":\"R\",\"comm\":\"sh\","
			    "\"function\":\"do_wait\",\"stack\":[]}]");
	json_object_put(json);
	assert_int_equal(fake->nr_loaded, 0);
	sequence_free_result(&result);

	fake->busy = 1;
	fake->seq.nudge = 1;
	assert_int_equal(apply(fake, &result, &err), EXIT_DONE);
	assert_string_equal(fake->log, "+ksplice +" OLD " matched +" NEW
			    " nudge applied applied -" OLD);
	sequence_free_result(&result);
}

/* What was loaded is unloaded although memory is short for a moment. */
static void test_no_memory(void **state)
{
	struct fake *fake = *state;
	struct sequence_result result;
	struct ks_error err;

	fake->match_error = ENOMEM;
	fake->no_memory = 1;
	assert_int_equal(apply(fake, &result, &err), EXIT_ERROR);
	assert_string_equal(fake->log, "+ksplice +" OLD " matched -" OLD " -ksplice");
	assert_int_equal(fake->nr_loaded, 0);
	assert_int_equal(fake->warnings, 0);
	sequence_free_result(&result);

	/* It is not known whether the old code is loaded, for longer than one waits. */
	fake->match_error = 0;
	fake->no_memory = 20;
	assert_int_equal(apply(fake, &result, &err), EXIT_ERROR);
	assert_string_equal(fake->log, "+ksplice +" OLD " -" OLD " -ksplice");
	assert_int_equal(fake->nr_loaded, 0);
	sequence_free_result(&result);
}

static void test_interrupted(void **state)
{
	struct fake *fake = *state;
	struct sequence_result result;
	struct ks_error err;

	fake->busy = 100;
	fake->stop_at_retry = 2;
	assert_int_equal(apply(fake, &result, &err), EXIT_ERROR);
	assert_string_equal(fake->log, "+ksplice +" OLD " matched +" NEW
			    " applied applied -" NEW " -" OLD " -ksplice");
	assert_non_null(strstr(err.text, "interrupted"));
	sequence_free_result(&result);
}

static void test_bad_module(void **state)
{
	static const struct {
		const char *name;
		int error;
		const char *log;
		const char *text;
	} cases[] = {
		{ "ksplice", EKEYREJECTED, "+ksplice", "signed" },
		{ "ksplice", EPERM, "+ksplice", "root" },
		{ OLD, ENOEXEC, "+ksplice +" OLD " -ksplice", "signature" },
		{ NEW, ENOENT, "+ksplice +" OLD " matched +" NEW " -" OLD
		  " -ksplice", "symbol" },
	};
	struct fake *fake = *state;
	struct sequence_result result;
	struct ks_error err;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fake->bad_module = cases[i].name;
		fake->bad_error = cases[i].error;
		assert_int_equal(apply(fake, &result, &err), EXIT_ERROR);
		assert_string_equal(fake->log, cases[i].log);
		assert_non_null(strstr(err.text, cases[i].text));
		assert_int_equal(fake->nr_loaded, 0);
		sequence_free_result(&result);
	}
}

/* The hint for @error, with a policy of files that hold these texts. */
static const char *hint(struct fake *fake, int error,
			const struct ks_update_file *file, const char *lockdown,
			const char *disabled, const char *enforce)
{
	static char text[512];
	char paths[3][128];
	const struct load_policy policy = {
		.lockdown = paths[0],
		.disabled = paths[1],
		.enforce = paths[2],
	};
	int i;

	put(fake, NULL, "lockdown", lockdown);
	put(fake, NULL, "disabled", disabled);
	put(fake, NULL, "enforce", enforce);
	snprintf(paths[0], sizeof(paths[0]), "%s/lockdown", fake->base);
	snprintf(paths[1], sizeof(paths[1]), "%s/disabled", fake->base);
	snprintf(paths[2], sizeof(paths[2]), "%s/enforce", fake->base);
	load_hint(text, sizeof(text), error, file, &policy);
	for (i = 0; i < 3; i++)
		unlink(paths[i]);
	return text;
}

static void test_load_hint(void **state)
{
	static char module[] = "ELF~Module signature appended~\n";
	static const struct ks_update_file signed_file = {
		"a.ko", module, sizeof(module) - 1,
	};
	static const struct ks_update_file unsigned_file = {
		"a.ko", module, sizeof(module) - 2,
	};
	static const char none[] = "[none] integrity confidentiality";
	static const char locked[] = "none [integrity] confidentiality";
	static const struct {
		int error;
		const struct ks_update_file *file;
		const char *lockdown, *disabled, *enforce, *text;
	} cases[] = {
		{ EPERM, &unsigned_file, none, "0", "N", "are you root" },
		{ EPERM, &unsigned_file, none, "1", "N", "modules_disabled=1" },
		{ EPERM, &unsigned_file, locked, "0", "N", "it is not signed, and this kernel is locked down" },
		{ EPERM, &signed_file, locked, "0", "N", "not with a key that this kernel trusts" },
		{ EKEYREJECTED, &unsigned_file, none, "0", "Y", "--sign-key" },
		{ EKEYREJECTED, &signed_file, none, "0", "Y", "not with a key that this kernel trusts" },
		{ EKEYREJECTED, &signed_file, none, "0", "N", "does not fit its signature" },
		{ EBADMSG, &signed_file, none, "0", "N", "does not fit its signature" },
	};
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		text = hint(*state, cases[i].error, cases[i].file, cases[i].lockdown,
			    cases[i].disabled, cases[i].enforce);
		if (!strstr(text, cases[i].text))
			fail_msg("case %zu: %s", i, text);
	}
}

static void test_partial(void **state)
{
	struct fake *fake = *state;
	struct sequence_result result;
	char keep[128], path[256];
	struct ks_error err;
	struct stat st;

	snprintf(keep, sizeof(keep), "%s/keep.d", fake->base);
	fake->seq.keep = keep;
	fake->seq.helper = "/sbin/helper";
	fake->seq.partial = "refuse";
	fake->missing = 1;
	assert_int_equal(apply(fake, &result, &err), EXIT_DONE);
	assert_string_equal(fake->log, "+ksplice +" OLD " refuse /sbin/helper matched "
			    "applied");
	assert_string_equal(result.targets, "vmlinux old missing");
	sequence_free_result(&result);
	snprintf(path, sizeof(path), "%s/" ID, keep);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);

	/* The target comes: what is left of an earlier time goes first. */
	fake->log[0] = '\0';
	assert_int_equal(partial_load(keep, &fake->seq.modules, ID, "vmlinux", &err), 0);
	assert_int_equal(partial_load(keep, &fake->seq.modules, ID, "vmlinux", &err), 0);
	assert_string_equal(fake->log, "+" NEW " -" NEW " +" NEW);
	assert_int_equal(partial_load(keep, &fake->seq.modules, ID, "other", &err), -1);
	assert_non_null(strstr(err.text, "ksplice_" ID "_other_new: No such file"));
	assert_int_equal(partial_load(keep, &fake->seq.modules, "../" ID, "vmlinux", &err), -1);
	assert_int_equal(partial_load(keep, &fake->seq.modules, ID, "../vmlinux", &err), -1);

	put(fake, ID, "stage", "applied");
	assert_int_equal(undo(fake, &result, &err), EXIT_DONE);
	assert_int_equal(fake->nr_loaded, 0);
	assert_int_equal(stat(path, &st), -1);
	sequence_free_result(&result);

	/* Where others may write, nothing is kept, and all is as before. */
	assert_int_equal(chmod(keep, 0777), 0);
	assert_int_equal(apply(fake, &result, &err), EXIT_ERROR);
	assert_non_null(strstr(err.text, "only we can write"));
	assert_string_equal(fake->log, "+ksplice +" OLD " refuse /sbin/helper matched -"
			    OLD " -ksplice");
	sequence_free_result(&result);
	assert_int_equal(rmdir(keep), 0);
}

static void test_targets(void **state)
{
	char good[] = "vmlinux old new patched\na missing\nb new late\nc old unpatched\nd";
	char bad[] = "vmlinux old gone";
	struct sysfs_target *targets;

	(void)state;
	assert_int_equal(sysfs_parse_targets(good, &targets), 5);
	assert_int_equal(targets[0].state, TARGET_PATCHED);
	assert_int_equal(targets[1].state, TARGET_MISSING);
	assert_int_equal(targets[2].state, TARGET_LATE);
	assert_int_equal(targets[3].state, TARGET_UNPATCHED);
	assert_int_equal(targets[4].state, TARGET_OPEN);
	assert_true(targets[0].has_old && targets[0].has_new && !targets[1].has_old);
	sysfs_free_targets(targets, 5);
	assert_int_equal(sysfs_parse_targets(bad, &targets), -EPROTO);
	assert_int_equal(sysfs_parse_targets(NULL, &targets), 0);
	sysfs_free_targets(targets, 0);
}

static void test_leftovers(void **state)
{
	static const char *const stages[] = { "registered", "matched", "reversed" };
	struct fake *fake = *state;
	struct sequence_result result;
	struct ks_error err;
	size_t i;

	for (i = 0; i < 3; i++) {
		fake_load(&fake->seq.modules, "ksplice", "x", 1);
		fake_load(&fake->seq.modules, OLD, "x", 1);
		fake_load(&fake->seq.modules, NEW, "x", 1);
		put(fake, ID, "stage", stages[i]);
		fake->warnings = 0;
		assert_int_equal(apply(fake, &result, &err), EXIT_DONE);
		assert_string_equal(fake->log, "-" OLD " -" NEW " +" OLD
				    " matched +" NEW " applied -" OLD);
		assert_int_equal(fake->warnings, 1);
		sequence_free_result(&result);
		assert_int_equal(undo(fake, &result, &err), EXIT_DONE);
		sequence_free_result(&result);
	}

	/* undo removes them too, but nothing was applied. */
	fake_load(&fake->seq.modules, "ksplice", "x", 1);
	fake_load(&fake->seq.modules, OLD, "x", 1);
	assert_int_equal(undo(fake, &result, &err), EXIT_NOT_FOUND);
	assert_string_equal(fake->log, "-" OLD " -ksplice");
	sequence_free_result(&result);

	/* Killed between "applied" and the unloading of the old code. */
	fake->stuck_module = OLD;
	fake->warnings = 0;
	assert_int_equal(apply(fake, &result, &err), EXIT_DONE);
	assert_int_equal(fake->warnings, 1);
	sequence_free_result(&result);
	fake->stuck_module = NULL;
	assert_int_equal(undo(fake, &result, &err), EXIT_DONE);
	assert_string_equal(fake->log, "reversed -" OLD " -" NEW " -ksplice");
	sequence_free_result(&result);

	/* Killed before the core was unloaded. */
	fake_load(&fake->seq.modules, "ksplice", "x", 1);
	assert_int_equal(undo(fake, &result, &err), EXIT_NOT_FOUND);
	assert_string_equal(fake->log, "-ksplice");
	sequence_free_result(&result);

	/* Killed between "reversed" and the unloading of the new code. */
	assert_int_equal(apply(fake, &result, &err), EXIT_DONE);
	sequence_free_result(&result);
	fake->stuck_module = NEW;
	assert_int_equal(undo(fake, &result, &err), EXIT_ERROR);
	sequence_free_result(&result);
	fake->stuck_module = NULL;
	assert_int_equal(undo(fake, &result, &err), EXIT_DONE);
	assert_string_equal(fake->log, "-" NEW " -ksplice");
	sequence_free_result(&result);
}

static void test_abi(void **state)
{
	struct fake *fake = *state;
	struct sequence_result result;
	struct ks_error err;

	fake->abi = KSPLICE_ABI + 1;
	assert_int_equal(apply(fake, &result, &err), EXIT_ERROR);
	assert_string_equal(fake->log, "+ksplice -ksplice");
	assert_non_null(strstr(err.text, "ABI"));
	sequence_free_result(&result);

	fake_load(&fake->seq.modules, "ksplice", "x", 1);
	assert_int_equal(apply(fake, &result, &err), EXIT_ERROR);
	assert_string_equal(fake->log, "");
	assert_non_null(strstr(err.text, "loaded has ABI"));
	sequence_free_result(&result);
}

static void test_sysfs(void **state)
{
	struct fake *fake = *state;
	const struct sysfs *sysfs = &fake->seq.sysfs;
	struct sysfs_target *targets;
	char **ids, *text;

	assert_int_equal(sysfs_list(sysfs, &ids), 0);
	sysfs_free_list(ids, 0);
	put(fake, ID, "targets", "vmlinux old\nnf-tables old new");
	put(fake, ID, "stage", "linked");
	assert_int_equal(sysfs_stage(sysfs, ID), STAGE_LINKED);
	assert_int_equal(sysfs_stage(sysfs, "none"), -ENOENT);
	assert_int_equal(sysfs_targets(sysfs, ID, &targets), 2);
	assert_string_equal(targets[1].name, "nf-tables");
	assert_true(targets[1].has_old && targets[1].has_new);
	assert_true(targets[0].has_old && !targets[0].has_new);
	sysfs_free_targets(targets, 2);
	assert_int_equal(sysfs_list(sysfs, &ids), 1);
	assert_string_equal(ids[0], ID);
	sysfs_free_list(ids, 1);
	assert_int_equal(sysfs_write_file(&fake->seq.sysfs, ID, "stage", "what"), 0);
	assert_int_equal(sysfs_stage(sysfs, ID), -EPROTO);
	put(fake, ID, "targets", "vmlinux young");
	assert_int_equal(sysfs_targets(sysfs, ID, &targets), -EPROTO);
	assert_int_equal(sysfs_read(sysfs, ID, "none", &text), -ENOENT);
	assert_null(text);
}

static void test_printable(void **state)
{
	static const char *const cases[][2] = {
		{ "plain", "plain" },
		{ "a\033[2Jb\n", "a?[2Jb?" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xc2\x9b" "1m", "??1m" },
		{ "\xe2\x82", "??" },
		{ "\xc0\x80\xff", "???" },
		{ "\xed\xa0\x80", "???" },
	};
	char text[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		strcpy(text, cases[i][0]);
		assert_string_equal(show_printable(text), cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_success, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mismatch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hook, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_module, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_hint, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partial, setup, teardown),
		cmocka_unit_test(test_targets),
		cmocka_unit_test_setup_teardown(test_leftovers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_abi, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sysfs, setup, teardown),
		cmocka_unit_test(test_printable),
	};

	return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
