// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that cannot be written where it is, mapped a second time: see writable.h. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "fault.h"
#include "writable.h"

void *ksplice_map_writable(unsigned long address, unsigned long size)
{
	unsigned long start = address & PAGE_MASK, i;
	unsigned long count = (PAGE_ALIGN(address + size) - start) / PAGE_SIZE;
	struct page **pages = NULL;
	void *map = NULL;

	if (!ksplice_fault("map"))
		pages = kvcalloc(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	for (i = 0; i < count; i++) {
		void *page = (void *)(start + i * PAGE_SIZE);

		pages[i] = virt_addr_valid(page) ? virt_to_page(page) : vmalloc_to_page(page);
		if (!pages[i])
			break;
	}
	if (i == count)
		map = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	return map ? map + offset_in_page(address) : NULL;
}

void ksplice_unmap_writable(void *map)
{
	if (map)
		vunmap((void *)((unsigned long)map & PAGE_MASK));
}
