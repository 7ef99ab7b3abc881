/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A seed: section .object is an object byte by byte, with an SHT_SYMTAB_SHNDX
 * that assemblers make from 65280 sections on only.
 */
	.section .object, "a"
object:
	.byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
	.2byte 1, 62
	.long 1
	.quad 0, 0, headers - object
	.long 0
	.2byte 64, 0, 0, 64, 0, 0xffff

text:	mov $1, %eax
#ifdef POST
	mov $2, %eax
#endif
	.byte 0xe8
call:	.long 0
	ret
text_end:
	.balign 8
symbols:
	.quad 0, 0, 0
	.long 1			/* a function with an extended index */
	.byte 0x12, 0
	.2byte 0xffff
	.quad 0, text_end - text
	.long 3			/* undefined */
	.byte 0x10, 0
	.2byte 0
	.quad 0, 0
symbols_end:
extended:
	.long 0, 1, 0
extended_end:
	.balign 8
relocs:	.quad call - text
	.long 4, 2		/* R_X86_64_PLT32 */
	.quad -4
relocs_end:
names:	.byte 0
	.asciz "f"
	.asciz "g"
names_end:
section_names:
	.byte 0
	.asciz ".text.f"
	.asciz ".symtab"
	.asciz ".strtab"
	.asciz ".symtab_shndx"
	.asciz ".shstrtab"
	.asciz ".rela.text.f"
section_names_end:
	.balign 8

	.macro header name, type, flags, start, end, link, info, align, entry
	.long \name, \type
	.quad \flags, 0, \start - object, \end - \start
	.long \link, \info
	.quad \align, \entry
	.endm
headers:
	/* Number of sections, and index of their names: where extended ones are. */
	.quad 0, 0, 0, 0, 7
	.long 5, 0
	.quad 0, 0
	header 1, 1, 6, text, text_end, 0, 0, 1, 0
	header 9, 2, 0, symbols, symbols_end, 3, 1, 8, 24
	header 17, 3, 0, names, names_end, 0, 0, 1, 0
	header 25, 18, 0, extended, extended_end, 2, 0, 4, 4
	header 39, 3, 0, section_names, section_names_end, 0, 0, 1, 0
	header 49, 4, 0x40, relocs, relocs_end, 2, 1, 8, 24
