/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the source of patches: hooks, which run when an update is applied or undone,
 * and shadow data, which adds fields to structures that exist already.
 *
 *	#include "ksplice-patch.h"
 *
 * in a patched file is all; ksplice-create has it on the include path.  What the
 * hooks may do is in docs/patches.md.
 */
#ifndef KSPLICE_PATCH_H
#define KSPLICE_PATCH_H

#include <linux/gfp.h>
#include <linux/types.h>

/* When a hook runs; those to reverse are in the order of those to apply. */
enum ksplice_hook_kind {
	KSPLICE_PRE_APPLY,	/* before the switch; may sleep and may refuse */
	KSPLICE_CHECK_APPLY,	/* all CPUs are stopped; may refuse */
	KSPLICE_APPLY,		/* all CPUs are stopped, the new code is in force */
	KSPLICE_POST_APPLY,	/* after the switch; may sleep */
	KSPLICE_FAIL_APPLY,	/* in place of post_apply, when there was no switch */
	KSPLICE_PRE_REVERSE,
	KSPLICE_CHECK_REVERSE,
	KSPLICE_REVERSE,	/* all CPUs are stopped, the new code is still in force */
	KSPLICE_POST_REVERSE,
	KSPLICE_FAIL_REVERSE,
	KSPLICE_HOOK_KINDS,
};

/* A hook: @check may refuse, with a negative errno; @act cannot fail. */
union ksplice_hook_function {
	int (*check)(void);
	void (*act)(void);
};

/* What the macros below leave in the object, for ksplice-objmanip. */
struct ksplice_hook_entry {
	union ksplice_hook_function function;
	unsigned long kind;
};

#define KSPLICE_HOOK(function_, member, kind_)						\
	static const struct ksplice_hook_entry						\
	__attribute__((used, section(".ksplice_hooks"), aligned(sizeof(long))))		\
	KSPLICE_IN_ORDER ksplice_hook_##kind_##_##function_ = {				\
		.function.member = function_, .kind = kind_,				\
	}

/* Left alone, gcc may turn the order of variables around. */
#if __has_attribute(no_reorder)
#define KSPLICE_IN_ORDER	__attribute__((no_reorder))
#else
#define KSPLICE_IN_ORDER
#endif

/*
 * Make a function of the patch a hook.  Those of one kind in a file run from the first
 * to the last, and vmlinux comes before modules; to reverse, all goes the other way
 * round.  Between files there is no order.
 */
#define ksplice_pre_apply(function)	KSPLICE_HOOK(function, check, KSPLICE_PRE_APPLY)
#define ksplice_check_apply(function)	KSPLICE_HOOK(function, check, KSPLICE_CHECK_APPLY)
#define ksplice_apply(function)		KSPLICE_HOOK(function, act, KSPLICE_APPLY)
#define ksplice_post_apply(function)	KSPLICE_HOOK(function, act, KSPLICE_POST_APPLY)
#define ksplice_fail_apply(function)	KSPLICE_HOOK(function, act, KSPLICE_FAIL_APPLY)
#define ksplice_pre_reverse(function)	KSPLICE_HOOK(function, check, KSPLICE_PRE_REVERSE)
#define ksplice_check_reverse(function)	KSPLICE_HOOK(function, check, KSPLICE_CHECK_REVERSE)
#define ksplice_reverse(function)	KSPLICE_HOOK(function, act, KSPLICE_REVERSE)
#define ksplice_post_reverse(function)	KSPLICE_HOOK(function, act, KSPLICE_POST_REVERSE)
#define ksplice_fail_reverse(function)	KSPLICE_HOOK(function, act, KSPLICE_FAIL_REVERSE)

/* What they leave is for ksplice-objmanip, and not loaded. */
#define KSPLICE_MARK(variable, name, section_)						\
	static const void *const __attribute__((used, section(section_)))		\
	name##_##variable = (const void *)&variable

/*
 * Write a constant that the patch changes in place, so that also code which does not
 * change finds the new value.  For `const' variables and arrays that keep their size
 * and refer to nothing that the patch adds, strings included.
 */
#define ksplice_replace_constant(constant)						\
	KSPLICE_MARK(constant, ksplice_constant, ".ksplice_constants")

/*
 * Two for variables that the unpatched source has, with an initial value other than
 * zero.  Both have that value compared with the running kernel's when the update is
 * applied, as constants are; it is refused when they differ.
 *
 * ksplice_match_data_early: that alone.  Of several variables of one name that with
 *	the value is the right one.
 * ksplice_assume_rodata: nobody writes it after boot.  So it counts as a constant:
 *	the patch may change its value where it changes all functions that use it,
 *	or with ksplice_replace_constant().
 */
#define ksplice_match_data_early(variable)						\
	KSPLICE_MARK(variable, ksplice_early, ".ksplice_match_data_early")
#define ksplice_assume_rodata(variable)							\
	KSPLICE_MARK(variable, ksplice_assumed, ".ksplice_assume_rodata")

/*
 * Shadow data: memory that belongs to an object of the kernel, found by the address
 * of the object and a number that the patch's author chose.  These are the functions
 * of livepatch (include/linux/livepatch.h in 6.1) where the kernel has them, and the
 * core's own, which do the same, elsewhere.
 *
 * ksplice_shadow_get: the data, or NULL.
 * ksplice_shadow_alloc: new data of @size bytes, zeroed, then set by @constructor (may
 *	be NULL; it runs under a spin lock); NULL with no memory, or when it failed, or
 *	when there is such data (with a warning).
 * ksplice_shadow_get_or_alloc: the data that is there, or new data.
 * ksplice_shadow_free: free it, if there is some, after calling @destructor (may be
 *	NULL; likewise under a spin lock).  Call it when the object goes.
 * ksplice_shadow_free_all: the same for all objects.  For a post_reverse hook.
 */
#if defined(CONFIG_LIVEPATCH) && !defined(KSPLICE_OWN_SHADOW)
#define KSPLICE_SHADOW_EXPORTS	0	/* of the core */

#include <linux/livepatch.h>

#define ksplice_shadow_constructor	klp_shadow_ctor_t
#define ksplice_shadow_destructor	klp_shadow_dtor_t
#define ksplice_shadow_get		klp_shadow_get
#define ksplice_shadow_alloc		klp_shadow_alloc
#define ksplice_shadow_get_or_alloc	klp_shadow_get_or_alloc
#define ksplice_shadow_free		klp_shadow_free
#define ksplice_shadow_free_all		klp_shadow_free_all
#else
#define KSPLICE_SHADOW_EXPORTS	5

typedef int (*ksplice_shadow_constructor)(void *object, void *data, void *argument);
typedef void (*ksplice_shadow_destructor)(void *object, void *data);

void *ksplice_shadow_get(void *object, unsigned long id);
void *ksplice_shadow_alloc(void *object, unsigned long id, size_t size, gfp_t flags,
			   ksplice_shadow_constructor constructor, void *argument);
void *ksplice_shadow_get_or_alloc(void *object, unsigned long id, size_t size, gfp_t flags,
				  ksplice_shadow_constructor constructor, void *argument);
void ksplice_shadow_free(void *object, unsigned long id, ksplice_shadow_destructor destructor);
void ksplice_shadow_free_all(unsigned long id, ksplice_shadow_destructor destructor);
#endif

#endif
