// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fentry FUNCTION COMMAND [ARG]...: run a command while BPF programs are attached
 * to the entry and the exit of a function of vmlinux (a BPF trampoline), and print
 * how often each ran.  Static, and with plain system calls, for guests.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* struct btf_header and struct btf_type of linux/btf.h, and the kinds there. */
struct btf_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len, type_off, type_len, str_off, str_len;
};

struct btf_type {
	uint32_t name_off, info, size;
};

enum { KIND_FUNC = 12 };

static int die(const char *what)
{
	fprintf(stderr, "fentry: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(__NR_bpf, command, attr, sizeof(*attr));
}

/* Bytes that follow a type, by its kind; for each of its members, or once. */
static size_t extra_size(uint32_t info)
{
	static const uint8_t once[] = { [1] = 4, [3] = 12, [14] = 4, [17] = 4, [19] = 0 };
	static const uint8_t each[] = { [4] = 12, [5] = 12, [6] = 8, [13] = 8, [15] = 12, [19] = 12 };
	uint32_t kind = info >> 24 & 0x1f, members = info & 0xffff;

	if (kind >= sizeof(each))
		return 0;
	return once[kind] + each[kind] * members;
}

static uint32_t find_function(const char *name)
{
	static char data[16 << 20];
	FILE *file = fopen("/sys/kernel/btf/vmlinux", "rb");
	size_t size = file ? fread(data, 1, sizeof(data), file) : 0;
	const struct btf_header *header = (const void *)data;
	const char *types, *end, *strings;
	uint32_t id;

	if (size < sizeof(*header))
		return die("/sys/kernel/btf/vmlinux");
	types = data + header->hdr_len + header->type_off;
	end = types + header->type_len;
	strings = data + header->hdr_len + header->str_off;
	for (id = 1; types < end; id++) {
		const struct btf_type *type = (const void *)types;

		if ((type->info >> 24 & 0x1f) == KIND_FUNC &&
		    strcmp(strings + type->name_off, name) == 0)
			return id;
		types += sizeof(*type) + extra_size(type->info);
	}
	errno = ENOENT;
	return die(name);
}

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 8,
		.max_entries = 1,
	};
	int map = bpf(BPF_MAP_CREATE, &attr);

	return map < 0 ? die("map") : map;
}

/* A program that adds one to the value in the map. */
static void attach(uint32_t function, enum bpf_attach_type when, int map)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 2, .src_reg = BPF_PSEUDO_MAP_VALUE,
		  .imm = map },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 2, .src_reg = 1, .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static char log[65536];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_TRACING,
		.expected_attach_type = when,
		.attach_btf_id = function,
		.insns = (uintptr_t)insns,
		.insn_cnt = sizeof(insns) / sizeof(insns[0]),
		.license = (uintptr_t)"GPL",
		.log_level = 1,
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
	};
	int program = bpf(BPF_PROG_LOAD, &attr);

	if (program < 0) {
		fputs(log, stderr);
		die("program");
	}
	attr = (union bpf_attr){ .raw_tracepoint.prog_fd = program };
	if (bpf(BPF_RAW_TRACEPOINT_OPEN, &attr) < 0)
		die("attach");
}

static unsigned long long read_map(int map)
{
	unsigned long long value = 0;
	uint32_t key = 0;
	union bpf_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&value,
	};

	if (bpf(BPF_MAP_LOOKUP_ELEM, &attr) != 0)
		die("lookup");
	return value;
}

int main(int argc, char **argv)
{
	int entries = make_map(), exits = make_map(), status = 0;
	uint32_t function;
	pid_t pid;

	if (argc < 3) {
		fputs("Usage: fentry FUNCTION COMMAND [ARG]...\n", stderr);
		return 2;
	}
	function = find_function(argv[1]);
	attach(function, BPF_TRACE_FENTRY, entries);
	attach(function, BPF_TRACE_FEXIT, exits);
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		die(argv[2]);
	}
	waitpid(pid, &status, 0);
	printf("entries %llu exits %llu\n", read_map(entries), read_map(exits));
	return status != 0;
}
