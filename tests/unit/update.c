// SPDX-License-Identifier: GPL-2.0-or-later
/* The reader of updates: good ones, cut ones, and hostile ones. */
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
#include <zlib.h>

#include "lib/update.h"
#include "tests/unit/keep.h"

#define FOLDER	"ksplice-ab12/"
#define OLD	"ksplice_ab12_vmlinux_old.ko"
#define NEW	"ksplice_ab12_vmlinux_new.ko"

static const char good_manifest[] =
"{\"format\":1,\"id\":\"ab12\",\"kernel\":\"6.1.0-56-amd64\","
"\"description\":\"Fix it\",\"targets\":[{\"name\":\"vmlinux\","
"\"old\":\"" OLD "\",\"new\":\"" NEW "\",\"changed\":[\"do_getpgid\"],"
"\"new_functions\":[],\"data\":[]}]}\n";

/* An archive in the making, and files to put it in. */
struct tar {
	char bytes[64 * 1024];
	size_t size;
	char folder[64];
	char path[128];
};

/*
 * Add an entry.  @size NULL: the real one; otherwise the text of the size field,
 * 12 octal digits.
 */
static void add_entry(struct tar *tar, char type, const char *name,
		      const char *data, size_t len, const char *size)
{
	char *h = tar->bytes + tar->size;
	char digits[32];
	unsigned int sum = 0;
	size_t i;

	assert_true(tar->size + 2048 + len < sizeof(tar->bytes));
	memset(h, 0, 512);
	snprintf(h, 100, "%s", name);
	memcpy(h + 100, "0000644\0" "0000000\0" "0000000", 23);
	snprintf(digits, sizeof(digits), "%011zo", len);
	memcpy(h + 124, size ? size : digits, 12);
	memcpy(h + 136, "00000000000", 11);
	h[156] = type;
	if (type == '1' || type == '2')
		strcpy(h + 157, "/etc/passwd");
	memcpy(h + 257, "ustar\00000", 8);
	memset(h + 148, ' ', 8);
	for (i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	memset(h + 512, 0, (len + 511) / 512 * 512);
	memcpy(h + 512, data, len);
	tar->size += 512 + (len + 511) / 512 * 512;
}

static void add(struct tar *tar, const char *name, const char *text)
{
	add_entry(tar, '0', name, text, strlen(text), NULL);
}

static void add_good(struct tar *tar, const char *manifest)
{
	tar->size = 0;
	add_entry(tar, '5', FOLDER, "", 0, NULL);
	if (manifest)
		add(tar, FOLDER "manifest.json", manifest);
	add(tar, FOLDER "ksplice.ko", "core");
	add(tar, FOLDER OLD, "old");
	add(tar, FOLDER NEW, "new");
	add(tar, FOLDER "update.patch", "--- a\n+++ b\n");
}

static void write_bytes(const char *path, const char *bytes, size_t size)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	fclose(f);
}

static size_t read_bytes(const char *path, char *bytes, size_t room)
{
	FILE *f = fopen(path, "r");
	size_t got;

	assert_non_null(f);
	got = fread(bytes, 1, room, f);
	fclose(f);
	return got;
}

/* Compress the archive, with the two empty blocks at its end. */
static void finish(struct tar *tar)
{
	gzFile gz = gzopen(tar->path, "wb");

	assert_non_null(gz);
	memset(tar->bytes + tar->size, 0, 1024);
	keep_seed(tar->bytes, tar->size + 1024, "", 0);
	assert_int_equal(gzwrite(gz, tar->bytes, tar->size + 1024),
			 tar->size + 1024);
	gzclose(gz);
}

/* Open @path and throw it away again. */
static int try_path(const char *path, struct ks_error *err)
{
	struct ks_update *update;
	int ret;

	err->text[0] = '\0';
	ret = ks_update_open(&update, path, err);
	if (ret) {
		assert_null(update);
		assert_true(strlen(err->text) > 0);
		assert_null(strchr(err->text, '\n'));
	}
	ks_update_free(update);
	return ret;
}

/* The archive must be refused with a message that contains @text. */
static void expect_bad(struct tar *tar, const char *text)
{
	struct ks_error err;

	finish(tar);
	assert_int_equal(try_path(tar->path, &err), -EINVAL);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" has no \"%s\"", err.text, text);
}

static int setup(void **state)
{
	struct tar *tar = calloc(1, sizeof(*tar));

	strcpy(tar->folder, "/tmp/ksplice-test-XXXXXX");
	assert_non_null(mkdtemp(tar->folder));
	snprintf(tar->path, sizeof(tar->path), "%s/u.tar.gz", tar->folder);
	*state = tar;
	return 0;
}

static int teardown(void **state)
{
	struct tar *tar = *state;

	unlink(tar->path);
	rmdir(tar->folder);
	free(tar);
	return 0;
}

static void check_good(const char *path)
{
	struct ks_update *update;
	struct ks_error err;

	assert_int_equal(ks_update_open(&update, path, &err), 0);
	assert_string_equal(update->id, "ab12");
	assert_string_equal(update->kernel, "6.1.0-56-amd64");
	assert_string_equal(update->description, "Fix it");
	assert_int_equal(update->nr_targets, 1);
	assert_string_equal(update->targets[0].name, "vmlinux");
	assert_string_equal(update->targets[0].old->data, "old");
	assert_string_equal(update->targets[0].new->data, "new");
	assert_string_equal(update->targets[0].new_module,
			    "ksplice_ab12_vmlinux_new");
	assert_int_equal(update->targets[0].changed.nr, 1);
	assert_string_equal(update->targets[0].changed.names[0], "do_getpgid");
	assert_int_equal(update->targets[0].new_functions.nr, 0);
	assert_int_equal(update->core->size, 4);
	assert_non_null(ks_update_find(update, "update.patch"));
	assert_null(ks_update_find(update, "none"));
	ks_update_free(update);
}

static void test_good(void **state)
{
	struct tar *tar = *state;

	add_good(tar, good_manifest);
	finish(tar);
	check_good(tar->path);

	/* As "tar -czf x ./ksplice-ab12" makes it. */
	tar->size = 0;
	add(tar, "./" FOLDER "manifest.json", good_manifest);
	add(tar, "./" FOLDER "ksplice.ko", "core");
	add(tar, "./" FOLDER OLD, "old");
	add(tar, "./" FOLDER NEW, "new");
	add(tar, "./" FOLDER "update.patch", "");
	finish(tar);
	check_good(tar->path);
}

static void test_folder(void **state)
{
	static const char *const files[][2] = {
		{ "manifest.json", good_manifest }, { "ksplice.ko", "core" },
		{ OLD, "old" }, { NEW, "new" }, { "update.patch", "x" },
	};
	struct tar *tar = *state;
	char folder[128], path[256];
	struct ks_error err;
	size_t i;

	snprintf(folder, sizeof(folder), "%s/any", tar->folder);
	assert_int_equal(try_path(folder, &err), -ENOENT);
	mkdir(folder, 0700);
	assert_int_equal(try_path(folder, &err), -EINVAL);
	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i][0]);
		write_bytes(path, files[i][1], strlen(files[i][1]));
	}
	check_good(folder);

	/* A link and a pipe in its place are refused, and don't hang us. */
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(try_path(folder, &err), -EINVAL);
	assert_non_null(strstr(err.text, "link"));
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(try_path(folder, &err), -EINVAL);
	assert_non_null(strstr(err.text, "regular"));

	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i][0]);
		unlink(path);
	}
	rmdir(folder);
	assert_int_equal(try_path("/dev/null", &err), -EINVAL);
}

/* Each shorter file is refused, also without its last byte. */
static void test_truncated(void **state)
{
	struct tar *tar = *state;
	struct ks_error err;
	char bytes[8192];
	size_t size, cut;

	add_good(tar, good_manifest);
	finish(tar);
	size = read_bytes(tar->path, bytes, sizeof(bytes));
	for (cut = 0; cut < size; cut += cut + 64 < size ? 64 : 1) {
		write_bytes(tar->path, bytes, cut);
		assert_int_equal(try_path(tar->path, &err), -EINVAL);
	}
	write_bytes(tar->path, bytes, size);
	check_good(tar->path);

	/* Damaged data is found by the checksum. */
	for (cut = 20; cut < size; cut += 7) {
		bytes[cut] ^= 0x20;
		write_bytes(tar->path, bytes, size);
		assert_int_equal(try_path(tar->path, &err), -EINVAL);
		bytes[cut] ^= 0x20;
	}
}

/* No damage to the archive inside may crash the reader. */
static void test_damaged_tar(void **state)
{
	struct tar *tar = *state;
	struct ks_error err;
	size_t i;

	add_good(tar, good_manifest);
	for (i = 0; i < tar->size; i++) {
		if (!tar->bytes[i] && i % 16)
			continue;
		tar->bytes[i] ^= 0x81;
		finish(tar);
		try_path(tar->path, &err);
		tar->bytes[i] ^= 0x81;
	}
}

static void test_hostile(void **state)
{
	static const struct {
		char type;
		const char *name;
		const char *size;
		const char *text;
	} cases[] = {
		{ '0', "/etc/passwd", NULL, "absolute" },
		{ '0', "../evil", NULL, "outside" },
		{ '0', FOLDER "../evil", NULL, "inside its folder" },
		{ '0', FOLDER "..", NULL, "no good name" },
		{ '0', FOLDER "sub/file", NULL, "inside its folder" },
		{ '0', "other/file", NULL, "more than one folder" },
		{ '0', FOLDER "ksplice.ko", NULL, "twice" },
		{ '0', FOLDER "a\033[2J", NULL, "odd characters" },
		{ '1', FOLDER "hard", NULL, "link" },
		{ '2', FOLDER "soft", NULL, "link" },
		{ '3', FOLDER "device", NULL, "special" },
		{ '5', FOLDER "folder", NULL, "link, a folder" },
		{ '6', FOLDER "pipe", NULL, "special" },
		{ '0', FOLDER "huge", "77777777777\0", "bigger than 256 MiB" },
		{ '0', FOLDER "huge", "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
		  "" },
		{ '0', FOLDER "huge", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		  "" },
		{ '0', FOLDER "cut", "00000100000\0", "cut off" },
	};
	struct tar *tar = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		add_good(tar, good_manifest);
		add_entry(tar, cases[i].type, cases[i].name, "", 0, cases[i].size);
		expect_bad(tar, cases[i].text);
	}
}

static void test_many_files(void **state)
{
	struct tar *tar = *state;
	gzFile gz = gzopen(tar->path, "wb1");
	struct ks_error err;
	char name[64];
	int i;

	for (i = 0; i < KS_UPDATE_FILES_MAX + 10; i++) {
		tar->size = 0;
		snprintf(name, sizeof(name), FOLDER "f%d", i);
		add(tar, name, "");
		gzwrite(gz, tar->bytes, tar->size);
	}
	gzclose(gz);
	assert_int_equal(try_path(tar->path, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than"));
}

/* A small file that unpacks to more than the limit. */
static void test_bomb(void **state)
{
	struct tar *tar = *state;
	gzFile gz = gzopen(tar->path, "wb1");
	size_t size = 0, max = KS_UPDATE_SIZE_MAX + (64ul << 20);
	struct ks_error err;

	while (size < max) {
		gzwrite(gz, tar->bytes, sizeof(tar->bytes));
		size += sizeof(tar->bytes);
	}
	gzclose(gz);
	assert_int_equal(try_path(tar->path, &err), -EINVAL);
	assert_non_null(strstr(err.text, "bigger"));
}

#define HEAD	"\"format\":1,\"id\":\"ab12\",\"kernel\":\"6.1\""
#define TARGET(name, old, new, more) \
	"{" HEAD ",\"targets\":[{\"name\":\"" name "\",\"old\":\"" old \
	"\",\"new\":\"" new "\"" more "}]}"

static void test_manifest(void **state)
{
	static const struct {
		const char *manifest;
		const char *text;
	} cases[] = {
		{ NULL, "manifest.json is missing" },
		{ "", "not JSON" },
		{ "{", "not JSON" },
		{ "{\"a\":1,}", "not JSON" },
		{ "{} {}", "more than one value" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "not JSON" },
		{ "[]", "not an object" },
		{ "null", "not an object" },
		{ "{}", "no \"format\"" },
		{ "{\"format\":\"1\"}", "no \"format\"" },
		{ "{\"format\":2}", "format 2" },
		{ "{\"format\":1}", "\"id\"" },
		{ "{\"format\":1,\"id\":\"\"}", "\"id\"" },
		{ "{\"format\":1,\"id\":\"a/b\"}", "\"id\"" },
		{ "{\"format\":1,\"id\":\"a\\u0000b\"}", "\"id\"" },
		{ "{\"format\":1,\"id\":\"a23456789012345678901\"}", "\"id\"" },
		{ "{\"format\":1,\"id\":\"abi\"}", "\"id\": this ID is the name of a file" },
		{ "{\"format\":1,\"id\":\"other\"}", "folder" },
		{ "{\"format\":1,\"id\":\"ab12\"}", "\"kernel\"" },
		{ "{\"format\":1,\"id\":\"ab12\",\"kernel\":\"a b\"}", "\"kernel\"" },
		{ "{" HEAD ",\"description\":7}", "\"description\"" },
		{ "{" HEAD ",\"description\":\"\xff\"}", "not JSON" },
		{ "{" HEAD "}", "\"targets\"" },
		{ "{" HEAD ",\"targets\":[]}", "\"targets\"" },
		{ "{" HEAD ",\"targets\":{}}", "\"targets\"" },
		{ "{" HEAD ",\"targets\":[1]}", "\"targets\"" },
		{ "{" HEAD ",\"targets\":[{}]}", "\"name\"" },
		{ TARGET("a/b", "", "", ""), "\"name\"" },
		{ TARGET("a_target_with_a_long_long_long_long_name", "", "", ""),
		  "too long" },
		{ TARGET("vmlinux", "../x", NEW, ""), "is not " OLD },
		{ TARGET("vmlinux", NEW, NEW, ""), "is not " OLD },
		{ TARGET("nf-x", "ksplice_ab12_nf_x_old.ko", NEW, ""),
		  "ksplice_ab12_nf_x_old.ko is missing" },
		{ TARGET("vmlinux", OLD, NEW, ",\"changed\":1"), "not a list" },
		{ TARGET("vmlinux", OLD, NEW, ",\"changed\":[1]"), "functions" },
		{ TARGET("vmlinux", OLD, NEW, ",\"changed\":[\"a b\"]"), "functions" },
		{ "{" HEAD ",\"targets\":["
		  "{\"name\":\"vmlinux\",\"old\":\"" OLD "\",\"new\":\"" NEW "\"},"
		  "{\"name\":\"vmlinux\",\"old\":\"" OLD "\",\"new\":\"" NEW "\"}]}",
		  "twice" },
	};
	struct tar *tar = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		add_good(tar, cases[i].manifest);
		expect_bad(tar, cases[i].text);
	}
}

static void test_missing_files(void **state)
{
	struct tar *tar = *state;

	tar->size = 0;
	add(tar, FOLDER "manifest.json", good_manifest);
	expect_bad(tar, "ksplice.ko is missing");
	add(tar, FOLDER "ksplice.ko", "core");
	expect_bad(tar, OLD " is missing");
	add(tar, FOLDER OLD, "old");
	expect_bad(tar, NEW " is missing");
}

static void test_module_name(void **state)
{
	char name[KS_MODULE_NAME_MAX + 1];

	(void)state;
	assert_int_equal(ks_update_module_name(name, "x", "nf-a-b", "old"), 0);
	assert_string_equal(name, "ksplice_x_nf_a_b_old");
	assert_int_equal(ks_update_module_name(name, "x", "a_target_with_a_long_"
					       "long_long_long_long_long_name",
					       "old"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_tar, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bomb, setup, teardown),
		cmocka_unit_test_setup_teardown(test_manifest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_files, setup, teardown),
		cmocka_unit_test(test_module_name),
	};

	return cmocka_run_group_tests_name("update", tests, NULL, NULL);
}
