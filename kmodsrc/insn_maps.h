/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The opcode maps of x86, for insn.c alone.
 *
 * After Intel's Software Developer's Manual, volume 2, appendix A, and AMD's
 * Architecture Programmer's Manual, volume 3, appendix A.
 */
#ifndef KSPLICE_INSN_MAPS_H
#define KSPLICE_INSN_MAPS_H

/*
 * What follows an opcode.  Sixteen opcodes a line, one letter each:
 *
 *	.	no instruction
 *	p	prefix or escape to another map: dealt with before
 *	-	nothing
 *	m	ModRM, with the SIB byte and displacement that it asks for
 *	r	ModRM that names two registers whatever its mod (mov %cr0,%rax)
 *	b w	immediate of 8, 16 bits
 *	z	immediate of 16 or 32 bits, by operand size
 *	v	immediate of 16, 32 or 64 bits, by operand size
 *	B Z	ModRM and then b, z
 *	a	absolute address, by address size
 *	e	immediates of 16 and 8 bits (enter)
 *	j	branch offset of 8 bits
 *	J	branch offset of 16 or 32 bits
 *	t T	group 3: m, but /0 and /1 are test, which is B, Z
 *	g G	group 11: B, Z, but c6 f8 is xabort and c7 f8 xbegin, which is J
 *	x	m, with two bytes more for extrq and insertq
 *
 * and these only in 32-bit code:
 *
 *	o	nothing
 *	i	immediate of 8 bits
 *	I	ModRM and an immediate of 8 bits
 *	f	far pointer: offset by operand size, then a segment of 16 bits
 */
static const char one_byte_map[] =
	"mmmmbzoo" "mmmmbzop"	/* 00 */
	"mmmmbzoo" "mmmmbzoo"	/* 10 */
	"mmmmbzpo" "mmmmbzpo"	/* 20 */
	"mmmmbzpo" "mmmmbzpo"	/* 30 */
	"oooooooo" "oooooooo"	/* 40 */
	"--------" "--------"	/* 50 */
	"oommpppp" "zZbB----"	/* 60 */
	"jjjjjjjj" "jjjjjjjj"	/* 70 */
	"BZIBmmmm" "mmmmmmmm"	/* 80 */
	"--------" "--f-----"	/* 90 */
	"aaaa----" "bz------"	/* a0 */
	"bbbbbbbb" "vvvvvvvv"	/* b0 */
	"BBw-mmgG" "e-w--bo-"	/* c0 */
	"mmmmii.-" "mmmmmmmm"	/* d0 */
	"jjjjbbbb" "JJfj----"	/* e0 */
	"p-pp--tT" "------mm";	/* f0 */

/* 0f */
static const char two_byte_map[] =
	"mmmm.---" "--.-.m-B"	/* 00 */
	"mmmmmmmm" "mmmmmmmm"	/* 10 */
	"rrrr...." "mmmmmmmm"	/* 20 */
	"------.-" "p.p....."	/* 30 */
	"mmmmmmmm" "mmmmmmmm"	/* 40 */
	"mmmmmmmm" "mmmmmmmm"	/* 50 */
	"mmmmmmmm" "mmmmmmmm"	/* 60 */
	"BBBBmmm-" "xm..mmmm"	/* 70 */
	"JJJJJJJJ" "JJJJJJJJ"	/* 80 */
	"mmmmmmmm" "mmmmmmmm"	/* 90 */
	"---mBmmm" "---mBmmm"	/* a0 */
	"mmmmmmmm" "mmBmmmmm"	/* b0 */
	"mmBmBBBm" "--------"	/* c0 */
	"mmmmmmmm" "mmmmmmmm"	/* d0 */
	"mmmmmmmm" "mmmmmmmm"	/* e0 */
	"mmmmmmmm" "mmmmmmmm";	/* f0 */

/* 0f 38 */
static const char map_38[] =
	"mmmmmmmm" "mmmm...."	/* 00 */
	"m...mm.m" "....mmm."	/* 10 */
	"mmmmmm.." "mmmm...."	/* 20 */
	"mmmmmm.m" "mmmmmmmm"	/* 30 */
	"mm......" "........"	/* 40 */
	"........" "........"	/* 50 */
	"........" "........"	/* 60 */
	"........" "........"	/* 70 */
	"mmm....." "...m...."	/* 80 */
	"........" "........"	/* 90 */
	"........" "........"	/* a0 */
	"........" "........"	/* b0 */
	"........" "mmmmmm.m"	/* c0 */
	"........" "m..mmmmm"	/* d0 */
	"........" "........"	/* e0 */
	"mm...mm." "mmmmm...";	/* f0 */

/* 0f 3a */
static const char map_3a[] =
	"........" "BBBBBBBB"	/* 00 */
	"....BBBB" "........"	/* 10 */
	"BBB....." "........"	/* 20 */
	"........" "........"	/* 30 */
	"BBB.B..." "........"	/* 40 */
	"........" "........"	/* 50 */
	"BBBB...." "........"	/* 60 */
	"........" "........"	/* 70 */
	"........" "........"	/* 80 */
	"........" "........"	/* 90 */
	"........" "........"	/* a0 */
	"........" "........"	/* b0 */
	"........" "....B.BB"	/* c0 */
	"........" ".......B"	/* d0 */
	"........" "........"	/* e0 */
	"B......." "........";	/* f0 */

_Static_assert(sizeof(one_byte_map) == 256 + 1, "an opcode is a byte");
_Static_assert(sizeof(two_byte_map) == 256 + 1, "an opcode is a byte");
_Static_assert(sizeof(map_38) == 256 + 1, "an opcode is a byte");
_Static_assert(sizeof(map_3a) == 256 + 1, "an opcode is a byte");

#endif
