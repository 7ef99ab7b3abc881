/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the rules of sites; see match_site.c. */
#ifndef KSPLICE_MATCH_SITE_H
#define KSPLICE_MATCH_SITE_H

#include "match_internal.h"

#define OPCODE_RET	0xc3
#define OPCODE_GROUP5	0xff	/* with ModRM: call *%reg (d0 + reg), jmp *%reg (e0 + reg) */

/* A site being compared: bytes of both sides and what it is. */
struct site_place {
	struct ksplice_place *place;
	const struct ksplice_old_site *site;
	u32 index;
	const u8 *pre;
	u32 run;
	unsigned int depth;
};

static inline u32 site_end(const struct site_place *at)
{
	return at->run + at->site->length;
}

static inline int site_differs(const struct site_place *at, const char *reason)
{
	return ksplice_differs(at->place, at->site->offset, at->run, KSPLICE_NONE, reason);
}

/* Whether run bytes from @run to @end do nothing, or never run. */
bool ksplice_only_padding(const struct ksplice_place *place, u32 run, u32 end);

/* The branch at @run, when it is one of @kind; else false. */
bool ksplice_run_branch(const struct ksplice_place *place, u32 run, enum ksplice_branch kind,
			struct ksplice_insn *insn, unsigned long *target);

/* Decode what the compiler put at the site; false when it is no instruction. */
bool ksplice_pre_insn(const struct site_place *at, struct ksplice_insn *insn);

/*
 * The site as the compiler made it, other sites in it included.  When it is not,
 * nothing that was assumed on the way stays.
 */
int ksplice_match_original(const struct site_place *at);

/*
 * match_thunk.c
 */

/* A return: ret and breakpoints, or a jump to a thunk that returns. */
bool ksplice_is_return(const struct site_place *at);

int ksplice_match_return(const struct site_place *at);
int ksplice_match_retpoline(const struct site_place *at);

#endif
