/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that cannot be written where it is, mapped a second time. */
#ifndef KSPLICE_WRITABLE_H
#define KSPLICE_WRITABLE_H

/*
 * A second mapping of @size bytes at @address, which may be in the kernel's image or
 * in a module; NULL without memory.  Sleeps.  For the length of a switch: who finds it
 * could write to the kernel's text.
 */
void *ksplice_map_writable(unsigned long address, unsigned long size);

/* End it; NULL is none. */
void ksplice_unmap_writable(void *map);

#endif
