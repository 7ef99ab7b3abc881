// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shadow data for kernels without livepatch, which has functions for that; see
 * ksplice-patch.h.  What an update leaves here stays until the core is unloaded.
 */
#define pr_fmt(format) KBUILD_MODNAME ": " format
#include <linux/hashtable.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "core.h"

#if KSPLICE_SHADOW_EXPORTS == 0
void ksplice_shadow_exit(void)
{
}
#else
#define SHADOW_BITS	10

struct shadow {
	struct hlist_node node;
	struct rcu_head rcu;
	void *object;
	unsigned long id;
	unsigned long data[];
};

/* Found under RCU, changed under the lock. */
static DEFINE_HASHTABLE(shadows, SHADOW_BITS);
static DEFINE_SPINLOCK(shadows_lock);

static struct shadow *find_shadow(void *object, unsigned long id)
{
	struct shadow *shadow;

	hash_for_each_possible_rcu(shadows, shadow, node, (unsigned long)object,
				   lockdep_is_held(&shadows_lock))
		if (shadow->object == object && shadow->id == id)
			return shadow;
	return NULL;
}

void *ksplice_shadow_get(void *object, unsigned long id)
{
	struct shadow *shadow;

	rcu_read_lock();
	shadow = find_shadow(object, id);
	rcu_read_unlock();
	/* It stays as long as the object, as far as the caller knows. */
	return shadow ? shadow->data : NULL;
}
EXPORT_SYMBOL_GPL(ksplice_shadow_get);

/* What is in the table afterwards: @fresh, or one that was there; NULL: not constructed. */
static struct shadow *add_shadow(struct shadow *fresh, ksplice_shadow_constructor constructor,
				 void *argument)
{
	struct shadow *shadow;
	unsigned long flags;

	spin_lock_irqsave(&shadows_lock, flags);
	shadow = find_shadow(fresh->object, fresh->id);
	if (!shadow && (!constructor ||
			constructor(fresh->object, fresh->data, argument) == 0)) {
		hash_add_rcu(shadows, &fresh->node, (unsigned long)fresh->object);
		shadow = fresh;
	}
	spin_unlock_irqrestore(&shadows_lock, flags);
	return shadow;
}

/* @fresh: whether it was made now. */
static void *get_or_alloc(void *object, unsigned long id, size_t size, gfp_t flags,
			  ksplice_shadow_constructor constructor, void *argument, bool *fresh)
{
	void *data = ksplice_shadow_get(object, id);
	struct shadow *made, *shadow;

	*fresh = false;
	if (data)
		return data;
	made = kzalloc(sizeof(*made) + size, flags);
	if (!made)
		return NULL;
	made->object = object;
	made->id = id;
	shadow = add_shadow(made, constructor, argument);
	*fresh = shadow == made;
	if (!*fresh)
		kfree(made);
	return shadow ? shadow->data : NULL;
}

void *ksplice_shadow_alloc(void *object, unsigned long id, size_t size, gfp_t flags,
			   ksplice_shadow_constructor constructor, void *argument)
{
	bool fresh;
	void *data = get_or_alloc(object, id, size, flags, constructor, argument, &fresh);

	if (WARN(data && !fresh, "shadow data %lx of %p is there already\n", id, object))
		return NULL;
	return data;
}
EXPORT_SYMBOL_GPL(ksplice_shadow_alloc);

void *ksplice_shadow_get_or_alloc(void *object, unsigned long id, size_t size, gfp_t flags,
				  ksplice_shadow_constructor constructor, void *argument)
{
	bool fresh;

	return get_or_alloc(object, id, size, flags, constructor, argument, &fresh);
}
EXPORT_SYMBOL_GPL(ksplice_shadow_get_or_alloc);

static void free_shadow(struct shadow *shadow, ksplice_shadow_destructor destructor)
{
	hash_del_rcu(&shadow->node);
	if (destructor)
		destructor(shadow->object, shadow->data);
	kfree_rcu(shadow, rcu);
}

void ksplice_shadow_free(void *object, unsigned long id, ksplice_shadow_destructor destructor)
{
	struct shadow *shadow;
	unsigned long flags;

	spin_lock_irqsave(&shadows_lock, flags);
	shadow = find_shadow(object, id);
	if (shadow)
		free_shadow(shadow, destructor);
	spin_unlock_irqrestore(&shadows_lock, flags);
}
EXPORT_SYMBOL_GPL(ksplice_shadow_free);

/* @all: whatever its number is. */
static void free_shadows(bool all, unsigned long id, ksplice_shadow_destructor destructor)
{
	struct shadow *shadow;
	struct hlist_node *next;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&shadows_lock, flags);
	hash_for_each_safe(shadows, i, next, shadow, node)
		if (all || shadow->id == id)
			free_shadow(shadow, destructor);
	spin_unlock_irqrestore(&shadows_lock, flags);
}

void ksplice_shadow_free_all(unsigned long id, ksplice_shadow_destructor destructor)
{
	free_shadows(false, id, destructor);
}
EXPORT_SYMBOL_GPL(ksplice_shadow_free_all);

void ksplice_shadow_exit(void)
{
	free_shadows(true, 0, NULL);
}
#endif
