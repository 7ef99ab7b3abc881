/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that differs between the kernel versions that the core runs on, 5.10 to
 * 6.12 and later.  Each difference says where it comes from.  The core was compiled for
 * 5.10, 6.1 and 6.12, and runs there; what is between these is from reading.
 */
#ifndef KSPLICE_COMPAT_H
#define KSPLICE_COMPAT_H

#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/version.h>

/* Before 5.14 add_taint() is in linux/kernel.h. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
#include <linux/panic.h>
#endif

/* Since 5.18 (CONFIG_RETHOOK). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
#include <linux/rethook.h>
#endif

/*
 * The callback of kallsyms_on_each_symbol() lost its module argument in 6.4
 * (kernel/kallsyms.c).  Before, symbols of modules may come too, until 5.12.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define KSPLICE_SYMBOL_CALLBACK(function, data, name, module, value) \
	int function(void *data, const char *name, struct module *module, unsigned long value)
#define KSPLICE_OF_VMLINUX(module) ((module) == NULL)
#else
#define KSPLICE_SYMBOL_CALLBACK(function, data, name, module, value) \
	int function(void *data, const char *name, unsigned long value)
#define KSPLICE_OF_VMLINUX(module) true
#endif

/*
 * struct kernel_symbol, an entry of a table of exports, left the public headers
 * in 6.8 (it is in kernel/module/internal.h since).
 */
#ifdef CONFIG_HAVE_ARCH_PREL32_RELOCATIONS
struct ksplice_kernel_symbol {
	int value_offset;
	int name_offset;
	int namespace_offset;
};

static inline void ksplice_export(struct ksplice_kernel_symbol *symbol, unsigned long value,
				  const char *name)
{
	symbol->value_offset = (int)(value - (unsigned long)&symbol->value_offset);
	symbol->name_offset = (int)((unsigned long)name - (unsigned long)&symbol->name_offset);
	symbol->namespace_offset = 0;
}

static inline unsigned long ksplice_export_value(const struct ksplice_kernel_symbol *symbol)
{
	return (unsigned long)&symbol->value_offset + (long)symbol->value_offset;
}

static inline const char *ksplice_export_name(const struct ksplice_kernel_symbol *symbol)
{
	return (const char *)&symbol->name_offset + symbol->name_offset;
}
#else
struct ksplice_kernel_symbol {
	unsigned long value;
	const char *name;
	const char *namespace;
};

static inline void ksplice_export(struct ksplice_kernel_symbol *symbol, unsigned long value,
				  const char *name)
{
	symbol->value = value;
	symbol->name = name;
	symbol->namespace = NULL;
}

static inline unsigned long ksplice_export_value(const struct ksplice_kernel_symbol *symbol)
{
	return symbol->value;
}

static inline const char *ksplice_export_name(const struct ksplice_kernel_symbol *symbol)
{
	return symbol->name;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
static_assert(sizeof(struct ksplice_kernel_symbol) == sizeof(struct kernel_symbol));
#endif

/* bin_attribute.read() takes a const attribute since 6.16 (include/linux/sysfs.h). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define KSPLICE_BIN_ATTRIBUTE	struct bin_attribute
#else
#define KSPLICE_BIN_ATTRIBUTE	const struct bin_attribute
#endif

/* On i386 modules are among what is vmalloc()ed (asm/pgtable_32_areas.h). */
static inline bool ksplice_is_module_address(unsigned long address)
{
#ifdef CONFIG_X86_64
	return address >= MODULES_VADDR && address < MODULES_END;
#else
	return is_vmalloc_addr((void *)address);
#endif
}

/* Since 6.4 a module has one memory area for each type (include/linux/module.h). */
static inline void ksplice_module_text(const struct module *module, unsigned long *start,
				       unsigned long *size)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	*start = (unsigned long)module->core_layout.base;
	*size = module->core_layout.text_size;
#else
	*start = (unsigned long)module->mem[MOD_TEXT].base;
	*size = module->mem[MOD_TEXT].size;
#endif
}

static inline bool ksplice_module_text_contains(const struct module *module,
						unsigned long address)
{
	unsigned long start, size;

	ksplice_module_text(module, &start, &size);
	return address - start < size;
}

#endif
