/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A seed: two functions with an entry in each kind of table. */
#ifdef __x86_64__
#define WORD	.quad
#define SIZE	8
#else
#define WORD	.long
#define SIZE	4
#endif
#ifdef POST
#define VALUE	7
#else
#define VALUE	5
#endif

	.macro function name, value
	.section .text.\name, "ax"
	.globl \name
	.type \name, @function
\name:
	call __fentry__
1:	mov $\value, %eax
2:	.byte 0x0f, 0x1f, 0x44, 0, 0
3:	lock; incl (%eax)
4:	.byte 0xff, 0xd0	/* call *%eax, or *%rax */
5:	call __SCT__key
	.byte 0xb8
6:	.long 0
7:	ud2
8:	movl (%eax), %ecx
	jmp other
	call __x86_indirect_thunk_rax
9:	ret
	.size \name, . - \name

	.section .altinstructions, "a"
	.long 1b - ., 100f - .
	.2byte 3
	.byte 5, 3
	.section .altinstr_replacement, "ax"
100:	mov %eax, %ecx
	jmp 2b
	.section .smp_locks, "a"
	.long 3b - .
	.section .parainstructions, "a"
	WORD 4b
	.byte 3, 2
	.balign SIZE
	.section __jump_table, "aw"
	.balign SIZE
	.long 2b - ., 9b - .
	WORD key - .
	.section .static_call_sites, "aw"
	.long 5b - ., __SCK__key - .
	.section .retpoline_sites, "a"
	.long 4b - .
	.section .return_sites, "a"
	.long 9b - .
	.section .call_sites, "a"
	.long 5b - .
	.section __mcount_loc, "a"
	WORD \name
	.section __ex_table, "a"
	.long 8b - ., 9b - .
	.long 0
	.section .rodata.str1.1, "aMS", @progbits, 1
101:	.asciz "file.c"
	.section __bug_table, "aw"
	.long 7b - ., 101b - .
	.2byte 40 + \value, 1
	.section .orc_unwind_ip, "a"
	.long \name - ., 9b - .
	.section .orc_unwind, "a"
	.fill 12, 1, 2
	.section .discard.reachable, "a"
	.long 7b - .
	.section _kprobe_blacklist, "aw"
	WORD \name
	.section .ibt_endbr_seal, "a"
	.long \name - .
	.section __dyndbg, "aw"
	WORD \name, 101b
	.section .printk_index, "a"
	WORD 101b
	.section "___ksymtab+\name", "a"
	.globl __ksymtab_\name
__ksymtab_\name:
	.long \name - ., 101b - ., 0
	.section .initcall6.init, "a"
	.long \name - .
	.endm

	function first, VALUE
	function second, 3
	.section .rodata.cst16, "aM", @progbits, 16
	.quad 1, 2, 3, 4
	.section .data..Lanonymous, "aw"
102:	WORD 103f, 104f
103:	WORD 102b, 103b
104:	.long 3
	.section .text.user, "ax"
	.type other, @function
#ifdef __x86_64__
other:	movabs $0x123456789a, %rcx
#else
other:	mov $0x12345678, %ecx
#endif
105:	mov 102b, %eax
	mov 103b, %ecx
	ret
	.size other, . - other
	.section runtime_ptr_base, "a"
	.long 105b - SIZE - .
	.section .data.key, "aw"
	.globl key
	.type key, @object
key:	.long 1
	.size key, 4
