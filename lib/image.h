/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image of a kernel or of a module: bytes by address, sections, symbols,
 * release.
 *
 * Takes an x86 bzImage (/boot/vmlinuz-*, boot protocol 2.08 or later) whose
 * payload is compressed in any way that the kernel offers, or a vmlinux, with
 * or without a symbol table, itself possibly compressed. x86-64 and i386.
 * Whatever bytes are given: they are read or refused with a message.
 *
 * All addresses are those that the kernel is linked for: KASLR adds a constant.
 *
 * Or the running kernel, as /proc/kcore shows it, with its symbols from kallsyms in
 * the same folder: all is where it is in memory, and rewritten as it is now.
 *
 * Or a module as a distribution ships it (.ko, also compressed), laid out and
 * relocated as the kernel's loader does, at addresses that are made up.
 */
#ifndef KSPLICE_LIB_IMAGE_H
#define KSPLICE_LIB_IMAGE_H

#include <stdbool.h>
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
 * refused: files and payloads over 1 GiB, ET_REL (see below), images with
 * neither a symbol table nor kallsyms. image_close() frees all of it.
 */
struct image *image_open(const char *path, struct ks_error *error);

/* The same from memory; the bytes are copied. @name is for messages. */
struct image *image_open_memory(const char *name, const void *bytes, size_t size,
				struct ks_error *error);

/*
 * Opens a module.  Its sections lie from 0xffffffffc0000000 on (i386:
 * 0xf8000000), each aligned as it asks for; per-CPU data, .bss and the like have
 * addresses and no bytes.  A symbol that it imports has the address that it has
 * in @kernel (the global one of that name, as only these can be exported; else
 * the first); when it is not there, or @kernel is NULL, as with exports of other
 * modules, one of its own where nothing is.  A weak one that is nowhere is 0.
 *
 * Relocations are applied by the rules of arch/x86/kernel/module.c (6.1): NULL
 * and @error also for one that the kernel would refuse, and for one that does
 * not fit.  @kernel is used during the call only.
 */
struct image *image_open_module(const char *path, const struct image *kernel,
				struct ks_error *error);
struct image *image_open_module_memory(const char *name, const void *bytes, size_t size,
				       const struct image *kernel, struct ks_error *error);

/* As image_open_module() when the file is ET_REL, else as image_open(). */
struct image *image_open_target(const char *path, const struct image *kernel,
				struct ks_error *error);

/*
 * Of the running kernel: report the symbols of this module, or of "vmlinux", as at
 * first.  False when no such module is loaded, and for images of files.
 */
bool image_select(struct image *image, const char *module);

/* Is this the running kernel? */
bool image_is_live(const struct image *image);

/* @image may be NULL. */
void image_close(struct image *image);

/* Bytes in a pointer: 8 (x86-64) or 4 (i386). */
unsigned int image_word_size(const struct image *image);

/*
 * What uname -r says, e.g. "6.1.0-56-amd64", from the banner ("Linux version
 * …", init/version.c) in the image; of a module, from its vermagic. NULL when
 * there is none.
 */
const char *image_release(const struct image *image);

/*
 * Name of a module as in /proc/modules, from its modinfo (4.13 and later; "" when
 * there is none). NULL when the image is not a module.
 */
const char *image_module_name(const struct image *image);

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
 * Names repeat. Undefined, section and file symbols are left out, but for those
 * that a module imports: they are here too, with the type U. Returns the
 * callback's last result, so 0 at the end.
 */
int image_for_each_symbol(const struct image *image, image_symbol_fn symbol, void *context);

/*
 * The same for the symbols that a module imports: of its file those of type U, of
 * the running kernel with a module selected those of vmlinux; else there are none.
 */
int image_for_each_import(const struct image *image, image_symbol_fn symbol, void *context);

/* Is there a symbol of that name? Fast for modules only. */
bool image_has_symbol(const struct image *image, const char *name);

#endif
