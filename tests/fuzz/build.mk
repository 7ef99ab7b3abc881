# SPDX-License-Identifier: GPL-2.0-or-later
#
# The targets for libFuzzer, with clang; tests/fuzz/run calls it as
#	make -f .../tests/fuzz/build.mk TOP=SOURCE

VPATH = $(TOP)
CLANG = clang
CFLAGS = -std=gnu11 -g -O1 -fno-omit-frame-pointer -D_GNU_SOURCE= -I$(TOP) -I$(TOP)/lib
# Empty lists begin at NULL and end at NULL + 0, which is fine with all compilers.
SANITIZE = -fsanitize=address,undefined -fno-sanitize=pointer-overflow -fno-sanitize-recover=all
LIBS = $(shell pkg-config --libs libelf libarchive json-c zlib)

targets = object objmanip image match update
programs = $(addprefix fuzz-,$(targets))

# What the fragments of the makefile list for the libraries and ksplice-objmanip;
# each target takes what it needs.
sources := $(filter-out %/main.c,$(shell sed -n '/_SOURCES/,/[^\\]$$/ s/^\t\([^ ]*\.c\).*/\1/p' \
	$(TOP)/lib/lib.am $(TOP)/objmanip/objmanip.am $(TOP)/kmodsrc/kmodsrc.am))

all: $(programs)

print-targets:
	@echo $(targets)

$(programs): fuzz-%: tests/fuzz/%.o all.a
	$(CLANG) $(SANITIZE) -fsanitize=fuzzer -o $@ $^ $(LIBS)

all.a: $(sources:.c=.o)
	rm -f $@
	ar rcs $@ $^

%.o: %.c tests/fuzz/build.mk
	@mkdir -p $(@D)
	$(CLANG) $(CFLAGS) $(SANITIZE) -fsanitize=fuzzer-no-link -MMD -c -o $@ $<

-include $(shell find kmodsrc lib objmanip tests -name '*.d' 2> /dev/null)

.PHONY: all print-targets
