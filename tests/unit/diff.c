// SPDX-License-Identifier: GPL-2.0-or-later
/* Pairs of sources, and what the differ must say about their objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/diff.h"
#include "tests/unit/compile.h"

/*
 * @expected: changed a, b; new +c; deleted -d; lines only #l; data changed =e, new +=f, deleted
 * -=g; skipped ~h; refused !i; in this order.
 */
struct diff_case {
	const char *name, *pre, *post, *expected;
};

#define NOINLINE "__attribute__((noinline)) "

#define WARN_DECL "void w(const char *, int);\n"
#define STACK_DECL "int s(int, int, int, int, int, int, const char *, int);\n"

/* A function with a warning at a line of a.c. */
#define BUG_AT(name, line)								\
	"int " name "(int a) { if (a) asm volatile(\"1: ud2\\n"			\
	".pushsection .rodata.str1.1,\\\"aMS\\\",@progbits,1\\n"			\
	"2: .asciz \\\"a.c\\\"\\n.popsection\\n"					\
	".pushsection __bug_table,\\\"aw\\\"\\n.long 1b-., 2b-.\\n.word " line	\
	", 1\\n.popsection\"); return a; }\n"

/* For 64 bits: the arguments are in other registers elsewhere. */
#define LINE_ASM(code)									\
	"asm(\".text\\n.globl f\\n.type f, @function\\nf: " code "\\nret\\n.size f, .-f\\n"	\
	".section .rodata.str1.1,\\\"aMS\\\",@progbits,1\\n1: .asciz \\\"a.c\\\"\");"

#define ALTERNATIVE(replacement)							\
	"1: .nops 5\\n.pushsection .altinstructions,\\\"a\\\"\\n.long 1b-., 2f-.\\n.word 5\\n"	\
	".byte 5, 3f-2f\\n.popsection\\n"						\
	".pushsection .altinstr_replacement,\\\"ax\\\"\\n2: " replacement "\\n3:\\n.popsection\\n"

/* An alternative that is nothing refers to the place where the next one begins. */
#define EMPTY_ALTERNATIVE(sum)								\
	"int f(int a) { asm volatile(\"" ALTERNATIVE("nop") ALTERNATIVE("") "\"); return a; }\n" \
	"int g(int a) { asm goto(\"" ALTERNATIVE("jmp %l[l]") "\"::::l); return a + " #sum "; "	\
	"l: return a + 5; }"

#define LOOKUP(last) "static const int t[4] = { 1, 2, 3, " #last " };"

static const struct diff_case cases[] = {
	{ "comment only",
	  "int f(int a) { return a + 1; }",
	  "/* more */\n int f(int a) { return a + 1; }", "" },
	{ "constant",
	  "int f(int a) { return a + 1; } int g(int a) { return a * 3; }",
	  "int f(int a) { return a + 2; } int g(int a) { return a * 3; }", "f" },
	{ "what was left of an inlined function, which comes back",
	  "int p(int) __asm__(\"f.part.0\"); " NOINLINE "int p(int a) { return a + 1; }"
	  "int g(int a) { return p(a) * 2; }",
	  "int p(int) __asm__(\"f.part.0\"); " NOINLINE "int p(int a) { return a + 2; }"
	  "int g(int a) { return p(a) * 2; } int f(int a) { return a ? p(a) : 4; }",
	  "f.part.0 +f" },
	{ "order of functions",
	  "extern int e(int); int f(int a) { return e(1) + a; } int g(int a) { return e(2) + a; }",
	  "extern int e(int); int g(int a) { return e(2) + a; } int f(int a) { return e(1) + a; }",
	  "" },
	{ "string of equal length",
	  "int puts(const char *); int f(void) { return puts(\"one\") + 1; }"
	  "int g(void) { return puts(\"four\") + 1; }",
	  "int puts(const char *); int f(void) { return puts(\"two\") + 1; }"
	  "int g(void) { return puts(\"four\") + 1; }", "f" },
	{ "string that ends like another one",
	  "int puts(const char *); int f(void) { return puts(\"foobar\") + puts(\"bar\"); }",
	  "int puts(const char *); int h(void) { return puts(\"x\") + 1; }"
	  "int f(void) { return puts(\"foobar\") + puts(\"bar\"); }", "+h" },
	{ "inlined into two callers",
	  "static inline int i(int a) { return a * 5; } int f(int a) { return i(a) + 1; }"
	  "int g(int a) { return i(a) - 1; } int h(int a) { return a; }",
	  "static inline int i(int a) { return a * 7; } int f(int a) { return i(a) + 1; }"
	  "int g(int a) { return i(a) - 1; } int h(int a) { return a; }", "f g" },
	{ "callee changes, caller does not",
	  "static " NOINLINE "int s(volatile int *a) { return *a + 1; }"
	  "int f(volatile int *a) { return s(a) + s(a + 1); }",
	  "static " NOINLINE "int s(volatile int *a) { return *a + 2; }"
	  "int f(volatile int *a) { return s(a) + s(a + 1); }", "s" },
	{ "another callee",
	  "int a(void); int b(void); int f(void) { return a() + 1; }",
	  "int a(void); int b(void); int f(void) { return b() + 1; }", "f" },
	{ "numbers of static locals shift",
	  "int f(void) { static int n = 1; return n++; } int g(void) { static int n = 1; return n++; }",
	  "int h(int a) { return a; } int f(void) { static int n = 1; return n++; }"
	  "int g(void) { static int n = 1; return n++; }", "+h" },
	{ "static locals of one name, one more",
	  "int f(void) { static int n; return n++; }",
	  "int g(void) { static int n; return n += 2; } int f(void) { static int n; return n++; }",
	  "+g +=n" },
	{ "static local in a changed function",
	  "int f(void) { static int n; return n++; }",
	  "int f(void) { static int n; return n += 3; }", "f" },
	{ "initial value",
	  "int v = 1; int f(void) { return v++; }",
	  "int v = 2; int f(void) { return v++; }", "!v" },
	{ "size of a variable",
	  "int v[4]; int f(int i) { return v[i]++; }",
	  "int v[8]; int f(int i) { return v[i]++; }", "!v" },
	{ "constant data",
	  "const int t[3] = { 1, 2, 3 }; int f(int i) { return t[i]; }",
	  "const int t[3] = { 1, 2, 4 }; int f(int i) { return t[i]; }", "=t" },
	{ "table that is read",
	  LOOKUP(4) "int f(int i) { return t[i]; }",
	  LOOKUP(5) "int f(int i) { return t[i]; }", "f =t" },
	{ "table that is handed to a reader",
	  LOOKUP(4) "const int *dmi_first_match(const int *);"
	  "int f(void) { return dmi_first_match(t) != 0; }",
	  LOOKUP(5) "const int *dmi_first_match(const int *);"
	  "int f(void) { return dmi_first_match(t) != 0; }", "f =t" },
	{ "table that is handed to a reader among others",
	  LOOKUP(4) "int acpi_match_device(const int *, int *, int);"
	  "int f(int *p) { return acpi_match_device(t, p, 5) + 1; }",
	  LOOKUP(5) "int acpi_match_device(const int *, int *, int);"
	  "int f(int *p) { return acpi_match_device(t, p, 5) + 1; }", "f =t" },
	{ "table that is handed on",
	  LOOKUP(4) "const int *dmi_first_match(const int *);"
	  "int f(void) { return dmi_first_match(t) != 0; } int g(int i) { return t[i];"
	  "} void keep(const int *); void h(void) { keep(t); }",
	  LOOKUP(5) "const int *dmi_first_match(const int *);"
	  "int f(void) { return dmi_first_match(t) != 0; } int g(int i) { return t[i];"
	  "} void keep(const int *); void h(void) { keep(t); }", "=t" },
	{ "table that is stored before it is read",
	  LOOKUP(4) "const int *dmi_first_match(const int *);"
	  "int f(const int **p) { *p = t; return dmi_first_match(t) != 0; }",
	  LOOKUP(5) "const int *dmi_first_match(const int *);"
	  "int f(const int **p) { *p = t; return dmi_first_match(t) != 0; }", "=t" },
	{ "table whose address is compared",
	  LOOKUP(4) "int f(const int *p) { return p == t; }",
	  LOOKUP(5) "int f(const int *p) { return p == t; }", "=t" },
	{ "table that another one points to",
	  LOOKUP(4) "const int *const u[] = { t, t + 1 }; int f(int i) { return t[i]; }",
	  LOOKUP(5) "const int *const u[] = { t, t + 1 }; int f(int i) { return t[i]; }", "=t" },
	{ "constant data with an equal string elsewhere",
	  "const char *const t[] = { \"a\", \"b\" };",
	  "int puts(const char *); int f(void) { return puts(\"zz\") + 1; }"
	  "const char *const t[] = { \"a\", \"b\" };", "+f" },
	{ "pointer to a function",
	  "void a(void); void b(void); void (*const ops[])(void) = { a, b };",
	  "void a(void); void b(void); void (*const ops[])(void) = { b, a };", "=ops" },
	{ "new function, variable, string",
	  "int puts(const char *); int f(int a) { return a; }",
	  "int puts(const char *); static int count; static " NOINLINE
	  "int n(int a) { puts(\"new\"); return count += a; } int f(int a) { return n(a) + 1; }",
	  "f +n +=count" },
	{ "deleted",
	  "int v; int f(void) { return v++; } int g(int a) { return a; }",
	  "int g(int a) { return a; }", "-f -=v" },
	{ "init code",
	  "__attribute__((section(\".init.text\"))) int f(int a) { return a + 1; }",
	  "__attribute__((section(\".init.text\"))) int f(int a) { return a + 2; }", "~f" },
	{ "init code that a caller in its section moves",
	  "__attribute__((section(\".init.text\"))) " NOINLINE "int f(int a) { return a + 1; }"
	  "__attribute__((section(\".init.text\"))) int g(int a) { return f(a) * 2; }",
	  "__attribute__((section(\".init.text\"))) int h(int a) { return a * 77 + 5; }"
	  "__attribute__((section(\".init.text\"))) " NOINLINE "int f(int a) { return a + 1; }"
	  "__attribute__((section(\".init.text\"))) int g(int a) { return f(a) * 2; }", "~h" },
	{ "noinstr",
	  "__attribute__((section(\".noinstr.text\"))) int f(int a) { return a + 1; }",
	  "__attribute__((section(\".noinstr.text\"))) int f(int a) { return a + 2; }", "!f" },
	{ "cold part only",
	  "__attribute__((cold)) void c(int); int f(int a) { if (__builtin_expect(a == 5, 0)) c(1);"
	  "return a + 1; }",
	  "__attribute__((cold)) void c(int); int f(int a) { if (__builtin_expect(a == 5, 0)) c(2);"
	  "return a + 1; }", "f" },
	{ "clone for constant arguments",
	  "static " NOINLINE "int s(int a, volatile int *p) { return *p * a + *p; }"
	  "int f(volatile int *p) { return s(3, p) + 1; } int g(volatile int *p) { return s(3, p); }",
	  "static " NOINLINE "int s(int a, volatile int *p) { return *p * a - *p; }"
	  "int f(volatile int *p) { return s(3, p) + 1; } int g(volatile int *p) { return s(3, p); }",
	  "s.constprop.0" },
	{ "padding and jump sizes",
	  "asm(\".text\\n.globl f\\n.type f, @function\\nf: test %edi,%edi\\nje 1f\\nnop\\n"
	  "inc %eax\\n1: ret\\n.size f, .-f\\n\");",
	  "asm(\".text\\n.globl f\\n.type f, @function\\nf: test %edi,%edi\\n.byte 0x0f,0x84\\n"
	  ".long 1f-.-4\\n.nops 4\\ninc %eax\\n1: ret\\n.nops 5\\n.size f, .-f\\n\");", "" },
	{ "jump goes elsewhere",
	  "asm(\".text\\n.globl f\\n.type f, @function\\nf: test %edi,%edi\\nje 1f\\n"
	  "inc %eax\\n1: inc %ecx\\n2: ret\\n.size f, .-f\\n\");",
	  "asm(\".text\\n.globl f\\n.type f, @function\\nf: test %edi,%edi\\nje 2f\\n"
	  "inc %eax\\n1: inc %ecx\\n2: ret\\n.size f, .-f\\n\");", "f" },
	{ "functions of one assembly section",
	  "asm(\".text\\n.globl f, g\\nf: call g\\nret\\ng: mov $1, %eax\\nret\\n\");",
	  "asm(\".text\\n.globl f, g\\nf: call g\\nret\\ng: mov $2, %eax\\nret\\n\");", "g" },
	{ "line of a warning",
	  "int f(int a) { if (a) asm volatile(\"1: ud2\\n.pushsection __bug_table,\\\"aw\\\"\\n"
	  ".long 1b-., 0\\n.word 10, 1\\n.popsection\"); return a; }",
	  "int f(int a) { if (a) asm volatile(\"1: ud2\\n.pushsection __bug_table,\\\"aw\\\"\\n"
	  ".long 1b-., 0\\n.word 11, 1\\n.popsection\"); return a; }", "" },
	{ "kind of a warning",
	  "int f(int a) { if (a) asm volatile(\"1: ud2\\n.pushsection __bug_table,\\\"aw\\\"\\n"
	  ".long 1b-., 0\\n.word 10, 1\\n.popsection\"); return a; }",
	  "int f(int a) { if (a) asm volatile(\"1: ud2\\n.pushsection __bug_table,\\\"aw\\\"\\n"
	  ".long 1b-., 0\\n.word 10, 3\\n.popsection\"); return a; }", "f" },
	{ "key of a jump label",
	  "extern long k1, k2; int f(int a) { asm goto(\"1: .byte 0x66,0x90\\n"
	  ".pushsection __jump_table,\\\"aw\\\"\\n.long 1b-., %l[l]-.\\n.quad k1-.\\n.popsection\""
	  "::::l); return a; l: return a + 5; }",
	  "extern long k1, k2; int f(int a) { asm goto(\"1: .byte 0x66,0x90\\n"
	  ".pushsection __jump_table,\\\"aw\\\"\\n.long 1b-., %l[l]-.\\n.quad k2-.\\n.popsection\""
	  "::::l); return a; l: return a + 5; }", "f" },
	{ "content of an alternative",
	  "int g(int a) { return a; } int f(int a) { asm volatile(\"1: .nops 3\\n2:\\n"
	  ".pushsection .altinstructions,\\\"a\\\"\\n.long 1b-., 3f-.\\n.word 5\\n.byte 3, 4f-3f\\n"
	  ".popsection\\n.pushsection .altinstr_replacement,\\\"ax\\\"\\n3: mov %eax,%ecx\\n4:\\n"
	  ".popsection\"); return a; }",
	  "int g(int a) { return a; } int f(int a) { asm volatile(\"1: .nops 3\\n2:\\n"
	  ".pushsection .altinstructions,\\\"a\\\"\\n.long 1b-., 3f-.\\n.word 5\\n.byte 3, 4f-3f\\n"
	  ".popsection\\n.pushsection .altinstr_replacement,\\\"ax\\\"\\n3: mov %eax,%edx\\n4:\\n"
	  ".popsection\"); return a; }", "f" },
	{ "empty alternative before one of a changed function",
	  EMPTY_ALTERNATIVE(1), EMPTY_ALTERNATIVE(2), "g" },
	{ "fixup of an exception",
	  "int f(int *p) { int r = 0; asm volatile(\"1: mov (%1),%0\\n2:\\n"
	  ".pushsection __ex_table,\\\"a\\\"\\n.long 1b-., 2b-., 1\\n.popsection\":\"+r\"(r):\"r\"(p));"
	  "return r; }",
	  "int f(int *p) { int r = 0; asm volatile(\"1: mov (%1),%0\\n2:\\n"
	  ".pushsection __ex_table,\\\"a\\\"\\n.long 1b-., 2b-., 3\\n.popsection\":\"+r\"(r):\"r\"(p));"
	  "return r; }", "f" },
	{ "elements of a list of BTF ids",
	  "asm(\".section .BTF_ids,\\\"a\\\"\\n.local ids\\nids:\\n"
	  ".local __BTF_ID__struct__a__71\\n.type __BTF_ID__struct__a__71, @object\\n"
	  ".size __BTF_ID__struct__a__71, 4\\n__BTF_ID__struct__a__71: .zero 4\\n\");"
	  "extern const int ids[]; int f(int i) { return ids[i]; }",
	  "asm(\".section .BTF_ids,\\\"a\\\"\\n.local ids\\nids:\\n"
	  ".local __BTF_ID__struct__a__82\\n.type __BTF_ID__struct__a__82, @object\\n"
	  ".size __BTF_ID__struct__a__82, 4\\n__BTF_ID__struct__a__82: .zero 4\\n\");"
	  "extern const int ids[]; int f(int i) { return ids[i]; }", "" },
	{ "short and near calls within a section",
	  "asm(\".text\\n.globl f, g\\nf: je g\\nret\\ng: mov $1, %eax\\nret\\n\");",
	  "asm(\".text\\n.globl f, g\\nf: .byte 0x0f,0x84\\n.long g-.-4\\nret\\n"
	  "g: mov $1, %eax\\nret\\n\");", "" },
	{ "a jump into the middle of what changes",
	  "asm(\".text\\n.globl f, g, h\\nf: test %eax,%eax\\nje 1f\\nret\\ng: inc %eax\\n1: mov $1, %eax\\nret\\n"
	  "h: call g\\nret\\n\");",
	  "asm(\".text\\n.globl f, g, h\\nf: test %eax,%eax\\nje 1f\\nret\\ng: inc %eax\\n1: mov $2, %eax\\nret\\n"
	  "h: call g\\nret\\n\");", "f g" },
	{ "a fixup in the middle of what changes",
	  "asm(\".text\\n.globl f, g\\nf: 2: inc %eax\\nret\\ng: inc %eax\\n1: mov $1, %eax\\nret\\n"
	  ".section __ex_table,\\\"a\\\"\\n.long 2b-., 1b-., 1\\n\");",
	  "asm(\".text\\n.globl f, g\\nf: 2: inc %eax\\nret\\ng: inc %eax\\n1: mov $2, %eax\\nret\\n"
	  ".section __ex_table,\\\"a\\\"\\n.long 2b-., 1b-., 1\\n\");", "f g" },
	{ "code behind a function, without a name",
	  "asm(\".text\\n.globl f\\n.type f, @function\\nf: test %eax,%eax\\nje 1f\\nret\\n.size f, .-f\\n"
	  "1: mov $1, %eax\\nret\\n\");",
	  "asm(\".text\\n.globl f\\n.type f, @function\\nf: test %eax,%eax\\nje 1f\\nret\\n.size f, .-f\\n"
	  "1: mov $2, %eax\\nret\\n\");", "f" },
	{ "code before the first function",
	  "asm(\".text\\n1: mov $1, %eax\\nret\\n.globl f, g\\nf: call 1b\\nret\\ng: inc %eax\\nret\\n\");",
	  "asm(\".text\\n1: mov $2, %eax\\nret\\n.globl f, g\\nf: call 1b\\nret\\ng: inc %eax\\nret\\n\");",
	  "f" },
	{ "address of a function of the section",
	  "asm(\".text\\n.globl f\\nf: lea g(%rip), %rax\\nret\\ng: inc %eax\\nret\\n\");",
	  "asm(\".text\\n.globl f, h\\nf: lea g(%rip), %rax\\nret\\nh: dec %eax\\nret\\ng: inc %eax\\nret\\n\");",
	  "+h" },
	{ "address of another function of the section",
	  "asm(\".text\\n.globl f\\nf: lea g(%rip), %rax\\nret\\ng: inc %eax\\nret\\nh: dec %eax\\nret\\n\");",
	  "asm(\".text\\n.globl f\\nf: lea h(%rip), %rax\\nret\\ng: inc %eax\\nret\\nh: dec %eax\\nret\\n\");",
	  "f" },
	{ "constant table of labels",
	  "int f(int a, int b) { static const void *const n[] = { &&x, &&y, &&z }; goto *n[a]; x: b ^= 5; goto *n[b];"
	  "y: b += 3; goto *n[b & 1]; z: return b; }",
	  "int f(int a, int b) { static const void *const n[] = { &&x, &&y, &&z }; goto *n[a]; x: b |= 5; goto *n[b];"
	  "y: b += 3; goto *n[b & 1]; z: return b; }", "f =n" },
	{ "table of labels that code may write to",
	  "int f(int a, int b) { static void *n[] = { &&x, &&y, &&z }; n[b] = n[a]; goto *n[a]; x: b ^= 5; goto *n[b];"
	  "y: b += 3; goto *n[b & 1]; z: return b; }",
	  "int f(int a, int b) { static void *n[] = { &&x, &&y, &&z }; n[b] = n[a]; goto *n[a]; x: b |= 5; goto *n[b];"
	  "y: b += 3; goto *n[b & 1]; z: return b; }", "f !n" },
	{ "private static of other content",
	  "int puts(const char *); int f(void) { static const char _rs[] = \"f\";"
	  "return puts(_rs) + 1; }",
	  "int puts(const char *); int f(void) { static const char _rs[] = \"h\";"
	  "return puts(_rs) + 1; }", "f" },

	{ "lines in an allocation tag",
	  "struct t { int line; long *counters; }; long a(struct t *); long f(void) {"
	  "static struct t _alloc_tag __attribute__((section(\"alloc_tags\"))) = { 10 };"
	  "return a(&_alloc_tag) + 1; }",
	  "struct t { int line; long *counters; }; long a(struct t *); long f(void) {"
	  "static struct t _alloc_tag __attribute__((section(\"alloc_tags\"))) = { 20 };"
	  "return a(&_alloc_tag) + 1; }", "" },
	{ "counters in names that the build needs",
	  "int f(int a) { return a; } static void *__attribute__((used, section("
	  "\".discard.addressable\"))) __UNIQUE_ID___addressable_f12 = f;",
	  "int f(int a) { return a; } static void *__attribute__((used, section("
	  "\".discard.addressable\"))) __UNIQUE_ID___addressable_f34 = f;", "" },
	{ "lines in names of initcalls",
	  "__attribute__((section(\".init.text\"))) int f(void) { return 0; } static void *"
	  "__attribute__((used, section(\".initcall6.init\"))) __initcall__kmod_a__12_345_f6 = f;",
	  "__attribute__((section(\".init.text\"))) int f(void) { return 0; } static void *"
	  "__attribute__((used, section(\".initcall6.init\"))) __initcall__kmod_a__13_456_f6 = f;",
	  "" },
	{ "another initcall",
	  "__attribute__((section(\".init.text\"))) int f(void) { return 0; }"
	  "__attribute__((section(\".init.text\"))) int g(void) { return 1; } static void *"
	  "__attribute__((used, section(\".initcall6.init\"))) i = f;",
	  "__attribute__((section(\".init.text\"))) int f(void) { return 0; }"
	  "__attribute__((section(\".init.text\"))) int g(void) { return 1; } static void *"
	  "__attribute__((used, section(\".initcall6.init\"))) i = g;", "~i" },
	{ "static function that becomes global",
	  "static " NOINLINE "int s(volatile int *p) { return *p + 1; }"
	  "int f(volatile int *p) { return s(p) + s(p); }",
	  "int f(volatile int *p); " NOINLINE "int s(volatile int *p) { return *p + 1; }"
	  "int f(volatile int *p) { return s(p) + s(p); }", "" },
	{ "two names of one function",
	  NOINLINE "int f(volatile int *a) { return *a + 1; }"
	  "int g(volatile int *a) __attribute__((alias(\"f\")));"
	  "int h(volatile int *a) { return g(a) + f(a); }",
	  NOINLINE "int f(volatile int *a) { return *a + 2; }"
	  "int g(volatile int *a) __attribute__((alias(\"f\")));"
	  "int h(volatile int *a) { return g(a) + f(a); }", "f" },
	{ "call by another name of the same function",
	  NOINLINE "int f(volatile int *a) { return *a; }"
	  "int g(volatile int *a) __attribute__((alias(\"f\")));"
	  "int h(volatile int *a) { return g(a) + 1; }",
	  NOINLINE "int f(volatile int *a) { return *a; }"
	  "int g(volatile int *a) __attribute__((alias(\"f\")));"
	  "int h(volatile int *a) { return f(a) + 1; }", "" },
	{ "sanitizer's notes on a place",
	  "asm(\".section .data..Lubsan_data1,\\\"aw\\\"\\n.Lu: .long 10, 1\\n.text\\n"
	  ".globl f\\n.type f, @function\\nf: mov $.Lu, %edi\\ncall u\\nret\\n.size f, .-f\");",
	  "asm(\".section .data..Lubsan_data7,\\\"aw\\\"\\n.Lu: .long 20, 1\\n.text\\n"
	  ".globl f\\n.type f, @function\\nf: mov $.Lu, %edi\\ncall u\\nret\\n.size f, .-f\");", "" },
	{ "what clang notes for linkers",
	  "int f(int a) { return a; } asm(\".section .llvm_addrsig,\\\"e\\\",@0x6fff4c03\\n.byte 1\\n\");",
	  "int f(int a) { return a; } asm(\".section .llvm_addrsig,\\\"e\\\",@0x6fff4c03\\n.byte 2\\n\");",
	  "" },
	{ "table of a switch, relative to itself",
	  "asm(\".text\\n.globl f\\n.type f, @function\\nf: jmp *t(,%eax,4)\\n1: inc %eax\\n2: ret\\n"
	  ".size f, .-f\\n.section .rodata..c_jump_table,\\\"a\\\"\\nt: .long 1b-t, 2b-t\\n\");",
	  "asm(\".text\\n.globl g\\n.type g, @function\\ng: ret\\n.size g, .-g\\n"
	  ".globl f\\n.type f, @function\\nf: jmp *t(,%eax,4)\\n1: inc %eax\\n2: ret\\n"
	  ".size f, .-f\\n.section .rodata..c_jump_table,\\\"a\\\"\\nt: .long 1b-t, 2b-t\\n\");", "+g" },
	{ "table of a switch, with another target",
	  "asm(\".text\\n.globl f\\n.type f, @function\\nf: jmp *t(,%eax,4)\\n1: inc %eax\\n2: ret\\n"
	  ".size f, .-f\\n.section .rodata..c_jump_table,\\\"a\\\"\\nt: .long 1b-t, 2b-t\\n\");",
	  "asm(\".text\\n.globl f\\n.type f, @function\\nf: jmp *t(,%eax,4)\\n1: inc %eax\\n2: ret\\n"
	  ".size f, .-f\\n.section .rodata..c_jump_table,\\\"a\\\"\\nt: .long 1b-t, 1b-t\\n\");", "f =t" },
	{ "global offset table",
	  "extern int v; int f(int a) { return a; }",
	  "asm(\".text\\n.globl f\\n.type f, @function\\nf: .byte 0x8b, 0x05\\n"
	  ".reloc ., R_X86_64_GOTPCREL, v-4\\n.long 0\\nret\\n.size f, .-f\");", "f !f" },

	/* .data.once holds what is copied freely, unless it is of a variable. */
	{ "a variable with the name of a section",
	  "int once = 1; int f(void) { return once++; }",
	  "int once = 2; int f(void) { return once++; }", "!once" },

	/* Lines (lib/lines.h). */
	{ "line after the name of the file",
	  WARN_DECL "#line 300 \"a.c\"\nint f(int a) { if (a) w(__FILE__, __LINE__); return a + 1; }",
	  WARN_DECL "#line 310 \"a.c\"\nint f(int a) { if (a) w(__FILE__, __LINE__); return a + 1; }",
	  "#f" },
	{ "line that a jump passes on",
	  WARN_DECL "#line 300 \"a.c\"\nvoid f(void) { w(__FILE__, __LINE__); }",
	  WARN_DECL "#line 310 \"a.c\"\nvoid f(void) { w(__FILE__, __LINE__); }", "#f" },
	{ "line in a cold part",
	  WARN_DECL "__attribute__((cold)) void c(const char *, int);\n#line 300 \"a.c\"\n"
	  "int f(int a) { if (__builtin_expect(a == 5, 0)) c(__FILE__, __LINE__); return a + 1; }",
	  WARN_DECL "__attribute__((cold)) void c(const char *, int);\n#line 310 \"a.c\"\n"
	  "int f(int a) { if (__builtin_expect(a == 5, 0)) c(__FILE__, __LINE__); return a + 1; }",
	  "#f" },
	{ "line after a format and the name of the file",
	  "int p(const char *, const char *, int);\n#line 300 \"a.c\"\n"
	  "int f(int a) { return p(\"%s (%d)\", __FILE__, __LINE__) + a; }",
	  "int p(const char *, const char *, int);\n#line 310 \"a.c\"\n"
	  "int f(int a) { return p(\"%s (%d)\", __FILE__, __LINE__) + a; }", "#f" },
	{ "line and file on the stack",
	  STACK_DECL "#line 300 \"a.c\"\nint f(int a) { "
	  "return s(a, a, a, a, a, a, __FILE__, __LINE__) + 1; }",
	  STACK_DECL "#line 310 \"a.c\"\nint f(int a) { "
	  "return s(a, a, a, a, a, a, __FILE__, __LINE__) + 1; }", "#f" },
	{ "constant of a call",
	  "int w(int, int); int f(int a) { return w(a, 10) + 1; }",
	  "int w(int, int); int f(int a) { return w(a, 12) + 1; }", "f" },
	{ "constant, and lines that moved as far",
	  WARN_DECL "int n(int, int);\n#line 300 \"a.c\"\nint f(int a) { return n(a, 310) + 1; }\n"
	  "int g(int a) { w(__FILE__, __LINE__); return a + 1; }",
	  WARN_DECL "int n(int, int);\n#line 310 \"a.c\"\nint f(int a) { return n(a, 320) + 1; }\n"
	  "int g(int a) { w(__FILE__, __LINE__); return a + 1; }", "f #g" },
	{ "constant and line in one function",
	  WARN_DECL "#line 300 \"a.c\"\nint f(int a) { w(__FILE__, __LINE__); w(0, 310); return a; }",
	  WARN_DECL "#line 310 \"a.c\"\nint f(int a) { w(__FILE__, __LINE__); w(0, 320); return a; }",
	  "f" },
	{ "line and another change in one function",
	  WARN_DECL "#line 300 \"a.c\"\nint f(int a) { w(__FILE__, __LINE__); return a + 1; }",
	  WARN_DECL "#line 310 \"a.c\"\nint f(int a) { w(__FILE__, __LINE__); return a + 2; }", "f" },
	{ "argument after the line",
	  "void w(const char *, int, int);\nint f(int a) { w(\"a.c\", 300, 10); return a; }",
	  "void w(const char *, int, int);\nint f(int a) { w(\"a.c\", 300, 12); return a; }", "f" },
	{ "line that is stored",
	  "int v; void w(void);\n#line 300 \"a.c\"\nvoid f(void) { v = __LINE__; w(); w(); }",
	  "int v; void w(void);\n#line 310 \"a.c\"\nvoid f(void) { v = __LINE__; w(); w(); }", "f" },
	{ "no line: too large",
	  WARN_DECL "int f(int a) { w(\"a.c\", 70000); return a; }",
	  WARN_DECL "int f(int a) { w(\"a.c\", 70001); return a; }", "f" },
	{ "no line: 0 and negative",
	  WARN_DECL "int f(int a) { w(\"a.c\", -3); return a; }",
	  WARN_DECL "int f(int a) { w(\"a.c\", -4); return a; }", "f" },
	{ "no name of a file",
	  WARN_DECL "int f(int a) { w(\"usb.core\", 300); return a; }",
	  WARN_DECL "int f(int a) { w(\"usb.core\", 310); return a; }", "f" },
	{ "lines that change places",
	  WARN_DECL "int f(int a) { w(\"a.c\", 300); return a; }"
	  "int g(int a) { w(\"a.c\", 400); return a + 1; }",
	  WARN_DECL "int f(int a) { w(\"a.c\", 400); return a; }"
	  "int g(int a) { w(\"a.c\", 300); return a + 1; }", "f g" },
	{ "one line that becomes two",
	  WARN_DECL "int f(int a) { w(\"a.c\", 300); return a; }"
	  "int g(int a) { w(\"a.c\", 300); return a + 1; }",
	  WARN_DECL "int f(int a) { w(\"a.c\", 310); return a; }"
	  "int g(int a) { w(\"a.c\", 320); return a + 1; }", "f g" },
	{ "lines of two files move as they like",
	  WARN_DECL "int f(int a) { w(\"a.c\", 300); return a; }"
	  "int g(int a) { w(\"b.h\", 301); return a + 1; }",
	  WARN_DECL "int f(int a) { w(\"a.c\", 310); return a; }"
	  "int g(int a) { w(\"b.h\", 291); return a + 1; }", "#f #g" },
	{ "a number between lines that stay",
	  BUG_AT("e", "100") BUG_AT("h", "500") WARN_DECL
	  "int f(int a) { w(\"a.c\", 300); return a; }",
	  BUG_AT("e", "100") BUG_AT("h", "500") WARN_DECL
	  "int f(int a) { w(\"a.c\", 310); return a; }", "f" },
	{ "a number between lines that move",
	  BUG_AT("e", "100") BUG_AT("h", "500") WARN_DECL
	  "int f(int a) { w(\"a.c\", 300); return a; }",
	  BUG_AT("e", "110") BUG_AT("h", "510") WARN_DECL
	  "int f(int a) { w(\"a.c\", 310); return a; }", "#f" },
	{ "lines before and behind a hunk",
	  BUG_AT("e", "100") BUG_AT("h", "500") WARN_DECL
	  "int f(int a) { w(\"a.c\", 300); return a; }",
	  BUG_AT("e", "100") BUG_AT("h", "510") WARN_DECL
	  "int f(int a) { w(\"a.c\", 310); return a; }", "#f" },
	{ "line after __func__, alone",
	  WARN_DECL "int f(int a) { w(__func__, 300); return a; }",
	  WARN_DECL "int f(int a) { w(__func__, 310); return a; }", "f" },
	{ "lines after __func__ that support each other",
	  WARN_DECL "int f(int a) { w(__func__, 300); return a; }"
	  "int g(int a) { w(__func__, 400); return a + 1; }",
	  WARN_DECL "int f(int a) { w(__func__, 310); return a; }"
	  "int g(int a) { w(__func__, 410); return a + 1; }", "#f #g" },
	{ "lines after __func__ that move in two ways",
	  WARN_DECL "int f(int a) { w(__func__, 300); return a; }"
	  "int g(int a) { w(__func__, 400); return a + 1; }",
	  WARN_DECL "int f(int a) { w(__func__, 310); return a; }"
	  "int g(int a) { w(__func__, 420); return a + 1; }", "f g" },
	{ "one constant in two functions after __func__",
	  WARN_DECL "int f(int a) { w(__func__, 10); return a; }"
	  "int g(int a) { w(__func__, 10); return a + 1; }",
	  WARN_DECL "int f(int a) { w(__func__, 12); return a; }"
	  "int g(int a) { w(__func__, 12); return a + 1; }", "f g" },
	{ "a constant for a format after __func__",
	  "int p(const char *, const char *, int);"
	  "int f(int a) { return p(\"%s: %d tries\", __func__, 10) + a; }"
	  "int g(int a) { return p(\"%s: %d tries\", __func__, 20) - a; }",
	  "int p(const char *, const char *, int);"
	  "int f(int a) { return p(\"%s: %d tries\", __func__, 12) + a; }"
	  "int g(int a) { return p(\"%s: %d tries\", __func__, 22) - a; }", "f g" },
	{ "lines after the name of an ACPICA module",
	  WARN_DECL "static const char _acpi_module_name[] = \"ex\";"
	  "int f(int a) { w(_acpi_module_name, 300); return a; }"
	  "int g(int a) { w(_acpi_module_name, 400); return a + 1; }",
	  WARN_DECL "static const char _acpi_module_name[] = \"ex\";"
	  "int f(int a) { w(_acpi_module_name, 310); return a; }"
	  "int g(int a) { w(_acpi_module_name, 410); return a + 1; }", "#f #g" },
	{ "a line that is used before the call",
	  LINE_ASM("mov $300, %esi; mov %esi, %eax; mov $1f, %edi; call w"),
	  LINE_ASM("mov $310, %esi; mov %esi, %eax; mov $1f, %edi; call w"), "f" },
	{ "a line that is stored before the call",
	  LINE_ASM("mov $300, %esi; mov $1f, %edi; mov %esi, v; call w"),
	  LINE_ASM("mov $310, %esi; mov $1f, %edi; mov %esi, v; call w"), "f" },
	{ "a branch between a line and the call",
	  LINE_ASM("mov $1f, %edi; mov $300, %esi; test %eax, %eax; je 2f; call w; 2:"),
	  LINE_ASM("mov $1f, %edi; mov $310, %esi; test %eax, %eax; je 2f; call w; 2:"), "f" },
	{ "a branch to between the name and the line",
	  LINE_ASM("test %eax, %eax; je 2f; mov $1f, %edi; 2: mov $300, %esi; call w"),
	  LINE_ASM("test %eax, %eax; je 2f; mov $1f, %edi; 2: mov $310, %esi; call w"), "f" },
	{ "a name that is lost before the call",
	  LINE_ASM("mov $1f, %edi; mov $300, %esi; mov %eax, %edi; call w"),
	  LINE_ASM("mov $1f, %edi; mov $310, %esi; mov %eax, %edi; call w"), "f" },
	{ "a number in the same place of another register",
	  LINE_ASM("mov $1f, %edi; mov $300, %esi; call w"),
	  LINE_ASM("mov $1f, %edi; mov $310, %edx; call w"), "f" },
	{ "a line at the end of the code",
	  LINE_ASM("mov $1f, %edi; mov $300, %esi"), LINE_ASM("mov $1f, %edi; mov $310, %esi"), "f" },
	{ "a line in a register that is changed by xor",
	  LINE_ASM("mov $1f, %edi; mov $300, %esi; xor %eax, %esi; call w"),
	  LINE_ASM("mov $1f, %edi; mov $310, %esi; xor %eax, %esi; call w"), "f" },
	{ "a line that is replaced before the call",
	  LINE_ASM("mov $1f, %edi; mov $300, %esi; mov $5, %esi; call w"),
	  LINE_ASM("mov $1f, %edi; mov $310, %esi; mov $5, %esi; call w"), "f" },
	{ "a line that an address is made of",
	  LINE_ASM("mov $1f, %edi; mov $300, %esi; mov v(,%rsi,8), %eax; call w"),
	  LINE_ASM("mov $1f, %edi; mov $310, %esi; mov v(,%rsi,8), %eax; call w"), "f" },
	{ "a line that is pushed, and then more of the stack",
	  LINE_ASM("push $300; push $1f; sub $8, %rsp; call w"),
	  LINE_ASM("push $310; push $1f; sub $8, %rsp; call w"), "f" },
	{ "a name and a line that are not next to each other",
	  LINE_ASM("mov $1f, %edi; mov $300, %edx; call w"),
	  LINE_ASM("mov $1f, %edi; mov $310, %edx; call w"), "f" },
	{ "a line and bytes that are no code",
	  LINE_ASM("mov $1f, %edi; mov $300, %esi; .byte 0x06; call w"),
	  LINE_ASM("mov $1f, %edi; mov $310, %esi; .byte 0x06; call w"), "f" },
	{ "a line and a return",
	  LINE_ASM("mov $1f, %edi; mov $300, %esi; jmp __x86_return_thunk"),
	  LINE_ASM("mov $1f, %edi; mov $310, %esi; jmp __x86_return_thunk"), "f" },
	{ "a line by hand",
	  LINE_ASM("lea v(%ebx,%esi,4), %eax; mov $1f, %edi; mov $300, %esi; movl $5, v; "
		   "movzbl %al, %edx; xor %eax, %eax; nop; call w"),
	  LINE_ASM("lea v(%ebx,%esi,4), %eax; mov $1f, %edi; mov $310, %esi; movl $5, v; "
		   "movzbl %al, %edx; xor %eax, %eax; nop; call w"), "#f" },
};

static void add(char *text, const char *mark, const struct diff_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		/* The number of a static local is not in our hands. */
		const char *name = list->items[i].name;
		size_t length = strncmp(name, "n.", 2) ? strlen(name) : 1;

		sprintf(text + strlen(text), "%s%s%.*s", *text ? " " : "", mark, (int)length, name);
	}
}

static void describe(char *text, const struct diff *diff)
{
	*text = '\0';
	add(text, "", &diff->functions_changed);
	add(text, "+", &diff->functions_new);
	add(text, "-", &diff->functions_deleted);
	add(text, "#", &diff->functions_line_only);
	add(text, "=", &diff->data_changed);
	add(text, "+=", &diff->data_new);
	add(text, "-=", &diff->data_deleted);
	add(text, "~", &diff->skipped);
	add(text, "!", &diff->refused);
}

static struct object *read_and_analyze(const char *path)
{
	struct ks_error err;
	struct object *object = object_read(path, &err);

	if (!object || analyze_object(object, &err))
		fail_msg("%s", err.text);
	return object;
}

static void check(const char *name, const char *pre_path, const char *post_path,
		  const char *expected)
{
	struct object *pre = read_and_analyze(pre_path), *post = read_and_analyze(post_path);
	struct ks_error err;
	struct diff diff;
	char text[4096];

	if (diff_objects(&diff, pre, post, &err))
		fail_msg("%s: %s", name, err.text);
	describe(text, &diff);
	if (strcmp(text, expected))
		fail_msg("%s: \"%s\" instead of \"%s\"", name, text, expected);
	diff_free(&diff);
	object_free(pre);
	object_free(post);
}

static void run_cases(const char *folder, const char *flags)
{
	char *pre, *post;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		/* Entries with 64-bit words in them, relocs and registers for 64 bits. */
		if (strstr(flags, "-m32") &&
		    (strstr(cases[i].pre, ".quad") || strstr(cases[i].pre, "1: .asciz") ||
		     strstr(cases[i].pre, "%rip") || strstr(cases[i].post, "R_X86_64")))
			continue;
		/* Its checks make more of an address than a look into the table. */
		if (strstr(flags, "kernel-address") && strstr(cases[i].name, "table that is "))
			continue;
		pre = compile(folder, "pre", cases[i].pre, flags);
		post = compile(folder, "post", cases[i].post, flags);
		assert_non_null(pre);
		assert_non_null(post);
		check(cases[i].name, pre, post, cases[i].expected);
		check(cases[i].name, pre, pre, "");
		check(cases[i].name, post, post, "");
		free(pre);
		free(post);
	}
}

static void test_cases(void **state)
{
	run_cases(*state, "");
}

static void test_cases_i386(void **state)
{
	char *path = compile(*state, "probe", "int f(int a) { return a; }", "-m32");

	if (!path)
		skip();
	free(path);
	run_cases(*state, "-m32 -mregparm=3");
}

/* What CONFIG_KASAN adds to objects makes no difference. */
static void test_cases_kasan(void **state)
{
	const char *flags = "-fsanitize=kernel-address -fasan-shadow-offset=0xdffffc0000000000 "
			    "--param asan-globals=1 --param asan-stack=1";
	char *path = compile(*state, "probe", "int f(int a) { return a; }", flags);

	if (!path)
		skip();
	free(path);
	run_cases(*state, flags);
}

/* Analyzing an object must fail, with a message that has @text in it. */
static void check_refused(const char *folder, const char *source, const char *text)
{
	char *path = compile(folder, "refused", source, "");
	struct object *object;
	struct ks_error err;

	assert_non_null(path);
	object = object_read(path, &err);
	assert_non_null(object);
	assert_int_equal(analyze_object(object, &err), -1);
	assert_non_null(strstr(err.text, text));
	object_free(object);
	free(path);
}

static void test_unknown_section(void **state)
{
	check_refused(*state, "__attribute__((section(\".surprise\"))) int f(int a) { return a; }",
		      ".surprise");
}

static void test_bad_table(void **state)
{
	check_refused(*state, "asm(\".section __ex_table, \\\"a\\\"\\n.long 1, 2, 3, 4, 5\");",
		      "__ex_table");
}

/* So many candidates that judging them would take long: all count as changed. */
static void test_many_lines(void **state)
{
	static char source[2][600000];
	char *path[2];
	struct object *object[2];
	struct ks_error err;
	struct diff diff;
	size_t i, j;

	for (i = 0; i < 2; i++) {
		char *at = source[i] + sprintf(source[i], "asm(\".section .rodata.str1.1,"
					       "\\\"aMS\\\",@progbits,1\\n9: .asciz \\\"a.c\\\"\\n"
					       ".text\\n");
		for (j = 0; j < 5000; j++)
			at += sprintf(at, ".type f%zu, @function\\nf%zu: mov $9b, %%edi\\n"
				      "mov $%zu, %%esi\\ncall w\\nret\\n", j, j, 300 + j + i);
		strcpy(at, "\");");
		path[i] = compile(*state, i ? "post" : "pre", source[i], "");
		assert_non_null(path[i]);
		object[i] = read_and_analyze(path[i]);
	}
	assert_int_equal(diff_objects(&diff, object[0], object[1], &err), 0);
	assert_int_equal(diff.functions_changed.count, 5000);
	assert_int_equal(diff.functions_line_only.count, 0);
	diff_free(&diff);
	for (i = 0; i < 2; i++) {
		object_free(object[i]);
		free(path[i]);
	}
}

static int setup(void **state)
{
	*state = make_folder();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	remove_folder(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_cases_i386),
		cmocka_unit_test(test_cases_kasan),
		cmocka_unit_test(test_unknown_section),
		cmocka_unit_test(test_bad_table),
		cmocka_unit_test(test_many_lines),
	};

	return cmocka_run_group_tests_name("diff", tests, setup, teardown);
}
