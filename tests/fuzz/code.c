// SPDX-License-Identifier: GPL-2.0-or-later
/* A seed: code and data of all sorts, with a patch (POST) to some of it. */
#ifdef POST
#define VALUE	7
#else
#define VALUE	5
#endif

#define NOINLINE	__attribute__((noinline))
#define SECTION(name)	__attribute__((section(name)))

extern int print(const char *format, ...);
extern int shared[];
int variable = 3, common_one __attribute__((common));
static int counter;
int zeros[100];
static const int table[] = { 1, 2, 3, 4 };
const char *const names[] = { "one", "two", "three" };
int per_cpu SECTION(".data..percpu") = 1;
static int once SECTION(".data.once");
const int read_later SECTION(".data..ro_after_init") = 4;

static NOINLINE int helper(int a)
{
	static int calls;

	return print("helper %d of %s\n", a, __func__) + calls++ + counter;
}

int changed(int a)
{
	if (a > VALUE) {
		once = 1;
		return helper(a) + variable++;
	}
	return print("changed %d\n", a + VALUE) + zeros[a];
}

int branches(int a)
{
	switch (a) {
	case 0: return print("zero");
	case 1: return shared[3];
	case 2: return helper(a) * 3;
	case 3: return per_cpu;
	case 4: return table[shared[a] & 3];
	case 5: return counter += 4;
	case 6: return names[a & 1][0];
	}
	return a;
}

__attribute__((cold)) NOINLINE int unlikely_one(int a)
{
	return print("cold %d", a);
}

int lines(int a)
{
#ifdef POST
	print("%s:%d", "file.c", 302);
#else
	print("%s:%d", "file.c", 301);
#endif
	if (__builtin_expect(a > 100, 0))
		return unlikely_one(a);
	return a;
}

double halves(double x)
{
	return x * 0.5 + 2.25;
}

__attribute__((weak)) int weak_one(int a)
{
	return a * 3;
}

int initial(void) SECTION(".init.text");
int initial(void)
{
	return variable = VALUE;
}

#ifdef POST
static int new_variable;
int new_function(int a)
{
	new_variable += a;
	return print("new") + new_variable;
}
#else
int old_function(int a)
{
	return a * variable;
}
#endif

int (*const pointers[])(int) = { changed, branches, lines };
int (*hook)(int) = changed;
int other_name(int) __attribute__((alias("branches")));
__asm__(".section .text.group, \"axG\", @progbits, group, comdat\n"
	".weak group\n.type group, @function\ngroup: ret\n.size group, . - group\n.text\n");
