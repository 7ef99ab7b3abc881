/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failures on request, for tests: compiled with KSPLICE_FAULTS, a step fails when
 * its name was written to /sys/module/ksplice/parameters/fault.
 */
#ifndef KSPLICE_FAULT_H
#define KSPLICE_FAULT_H

#include <linux/types.h>

#ifdef KSPLICE_FAULTS
bool ksplice_fault(const char *step);
#else
static inline bool ksplice_fault(const char *step)
{
	return false;
}
#endif

#endif
