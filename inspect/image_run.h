/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The match engine's home in userspace: the run is an image of a kernel or module. */
#ifndef KSPLICE_INSPECT_IMAGE_RUN_H
#define KSPLICE_INSPECT_IMAGE_RUN_H

#include "kmodsrc/match.h"
#include "lib/image.h"

/* Memory that matching may take at a time; the biggest object needs some MiB. */
#define IMAGE_RUN_MEMORY_MAX	(1ul << 30)

/*
 * @image belongs to the caller; @allocated counts bytes in use, from 0.  When
 * @image is a module, @kernel (or NULL) is what its imports are in: names that
 * the module does not have are looked up there, and memory is read there.
 */
struct image_run {
	const struct image *image;
	const struct image *kernel;
	size_t allocated;
};

/* For ksplice_matcher_new(), with a struct image_run as its context. */
extern const struct ksplice_matcher_ops image_run_ops;

#endif
