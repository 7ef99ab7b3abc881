/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel image: bytes by address, sections, symbols, release.
 *
 * Takes an x86 bzImage (/boot/vmlinuz-*, boot protocol 2.08 or later) whose
 * payload is compressed in any way that the kernel offers, or a vmlinux, with
 * or without a symbol table, itself possibly compressed. x86-64 and i386.
 * Whatever bytes are given: they are read or refused with a message.
 *
 * All addresses are those that the kernel is linked for: KASLR adds a constant.
 */
#ifndef KSPLICE_LIB_IMAGE_H
#define KSPLICE_LIB_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct image;

/* A section of the ELF file; the strings and bytes live as long as the image. */
struct image_section {
	const char *name;
	uint64_t address;		/* 0 when it is not loaded */
	uint64_t size;			/* bytes */
	uint64_t flags;			/* SHF_* */
	const unsigned char *bytes;	/* NULL for .bss and the like (SHT_NOBITS) */
};

/*
 * Reads an image. NULL and @error ("PATH: what") when it can't be read or is
 * refused: files and payloads over 1 GiB, modules (ET_REL), images with
 * neither a symbol table nor kallsyms. image_close() frees all of it.
 */
struct image *image_open(const char *path, struct ks_error *error);

/* The same from memory; the bytes are copied. @name is for messages. */
struct image *image_open_memory(const char *name, const void *bytes, size_t size,
				struct ks_error *error);

/* @image may be NULL. */
void image_close(struct image *image);

/* Bytes in a pointer: 8 (x86-64) or 4 (i386). */
unsigned int image_word_size(const struct image *image);

/*
 * What uname -r says, e.g. "6.1.0-56-amd64", from the banner ("Linux version
 * …", init/version.c) in the image. NULL when there is no banner.
 */
const char *image_release(const struct image *image);

/* The banner without its newline. NULL when there is none. */
const char *image_banner(const struct image *image);

/*
 * Copies @size bytes at @address as they are in the file, thus before the
 * kernel rewrites itself at boot. 0, or -EFAULT when not all of them are in
 * one loaded segment's file contents (.bss has none).
 */
int image_read(const struct image *image, uint64_t address, void *buffer, size_t size);

/* First section of that name: 0, or -ENOENT. A stock vmlinuz has section names. */
int image_find_section(const struct image *image, const char *name,
		       struct image_section *section);

/*
 * Called for a symbol; anything but 0 ends the iteration. @type is a letter as
 * nm(1) and /proc/kallsyms print it. @name is valid during the call only.
 */
typedef int (*image_symbol_fn)(const char *name, uint64_t address, char type, void *context);

/*
 * Calls @symbol for each symbol: of the symbol table if there is one, else of
 * kallsyms (in order of address; functions only, without CONFIG_KALLSYMS_ALL).
 * Names repeat. Undefined, section and file symbols are left out. Returns the
 * callback's last result, so 0 at the end.
 */
int image_for_each_symbol(const struct image *image, image_symbol_fn symbol, void *context);

#endif
