// SPDX-License-Identifier: GPL-2.0-or-later
#include <config.h>

#include "inspect/disassemble.h"

#include <dis-asm.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int append_list(char *text, const char *format, va_list args)
{
	size_t length = strlen(text);

	return vsnprintf(text + length, INSN_TEXT_MAX - length, format, args);
}

static int append(void *stream, const char *format, ...)
{
	va_list args;
	int result;

	va_start(args, format);
	result = append_list(stream, format, args);
	va_end(args);
	return result;
}

static int append_styled(void *stream, enum disassembler_style style, const char *format, ...)
{
	va_list args;
	int result;

	(void)style;
	va_start(args, format);
	result = append_list(stream, format, args);
	va_end(args);
	return result;
}

/* An instruction that is cut off is "(bad)", not a message. */
static void ignore_memory_error(int status, bfd_vma address, struct disassemble_info *info)
{
	(void)status;
	(void)address;
	(void)info;
}

size_t disassemble_one(const unsigned char *bytes, size_t size, uint64_t address,
		       unsigned int word_size, char text[INSN_TEXT_MAX])
{
	struct disassemble_info info;
	disassembler_ftype print;
	size_t end;
	int length = 0;

	text[0] = '\0';
	init_disassemble_info(&info, text, append, append_styled);
	info.arch = bfd_arch_i386;
	info.mach = word_size == 8 ? bfd_mach_x86_64 : bfd_mach_i386_i386;
	info.buffer = (bfd_byte *)bytes;
	info.buffer_length = size;
	info.buffer_vma = address;
	info.memory_error_func = ignore_memory_error;
	disassemble_init_for_target(&info);
	print = disassembler(info.arch, FALSE, info.mach, NULL);
	if (print && size > 0)
		length = print(address, &info);
	if (length <= 0 || (size_t)length > size) {
		strcpy(text, "(bad)");
		return 0;
	}
	for (end = strlen(text); end > 0 && text[end - 1] == ' '; end--)
		text[end - 1] = '\0';
	return (size_t)length;
}
