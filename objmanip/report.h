/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ksplice-objmanip says of its work, for ksplice-create. */
#ifndef KSPLICE_OBJMANIP_REPORT_H
#define KSPLICE_OBJMANIP_REPORT_H

#include "objmanip/manip.h"

/*
 * The labels as a Module.symvers file, so that modpost knows that the core
 * exports them: without versions, which published symbols do not have.
 */
int write_symvers(struct manip *manip, const char *path, struct ks_error *err);

/* What changed, as one JSON object; see ksplice-objmanip(1). */
int write_report(struct manip *manip, const char *path, struct ks_error *err);

#endif
