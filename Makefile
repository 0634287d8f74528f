# Freehold's build: one non-recursive make.  Each folder describes itself in its own .mk, read below;
# this file owns what they share, the image, and the targets that people type (`make help`).
# Everything made goes to $(O); O may be changed on the command line (the checks do, for clang).
#
# What a folder's .mk may use:
#   $(O) $(GEN)           where made files go; generated sources and headers go to $(GEN)
#   $(Q)                  '@' unless V=1; begin recipe lines with it
#   $(CC) $(HOSTCC)       the compiler for the machine (kernel, libOS, programs) and for host tools and tests
#   $(LD) $(AR) $(OBJCOPY) $(NM) $(PYTHON)
#   $(CFLAGS_WARN)        warnings every C file is compiled with (has -Werror when WERROR=1)
#   $(HOST_CFLAGS)        flags for host programs; $(SANITIZE) adds ASan and UBSan for host tests
#   $(TARGET_CFLAGS) $(TARGET_LDFLAGS)   for libOS and programs against newlib (libos/newlib/target.mk)
#   $(call target_libs,A) on the link line, after crt0 and objects: the libOS's archives A, libc, libm, libgcc
#   $(NEWLIB)             newlib's prefix: include/ and lib/.  Every target object depends on $(NEWLIB_STAMP)
#   $(call compile,F)     recipe: compile $< to $@ with $(CC) and flags F, making the folder and the .d file
#   $(call host_compile,F)  the same with $(HOSTCC)
#   $(call say,WORD)      start of a recipe line: prints `  WORD  target`: $(Q)$(call say,LD) ld ...
#   $(MK)                 every makefile: objects depend on it, so that a change of flags rebuilds
# so that a rule reads:
#   $(O)/exo/%.o: exo/%.c $(MK)
#           $(call compile,$(EXO_CFLAGS))
# and what it adds to (with +=):
#   EXO_IMAGES            what boots: the loader and the kernel
#   APPS                  programs that go onto the image
#   IMAGE_DEPS IMAGE_ARGS anything else that the image is made from, and arguments for `fhimage make`
#   HOST_TOOLS            host programs
#   HOST_TESTS            host test programs or scripts: run without arguments from the top folder
#   ALL                   anything else that `make` alone must build
#   SPARSE_SRCS ANALYZE_SRCS TIDY_SRCS   C files for those checks (default: by folder, see scripts/check)
#   EXO_CFLAGS LIBOS_CFLAGS APPS_CFLAGS  each folder's own flags; scripts/check compiles with them

O        ?= build
GEN      := $(O)/gen
V        ?= 0
Q        := $(if $(filter 1,$(V)),,@)

CC       := gcc
HOSTCC   ?= gcc
LD       := ld
AR       := ar
OBJCOPY  := objcopy
NM       := nm
PYTHON   := /usr/bin/python3
JOBS     ?= $(shell nproc)
WERROR   ?= 0

CFLAGS_WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wundef -Wvla \
	-Wpointer-arith -Wwrite-strings $(if $(filter 1,$(WERROR)),-Werror)
HOST_CFLAGS := -std=gnu11 -O2 -g
SANITIZE    := -fsanitize=address,undefined -fno-sanitize-recover=all

MK       := Makefile $(wildcard */*.mk libos/newlib/*.mk)

# One recipe line each, so that they can be followed by others.
say          = $(if $(filter 1,$(V)),,printf '  %-8s %s\n' '$(1)' '$@' &&)
compile      = $(Q)$(call say,CC) mkdir -p $(@D) && \
	$(CC) $(CFLAGS_WARN) $(1) -MMD -MP -c -o $@ $<
host_compile = $(Q)$(call say,HOSTCC) mkdir -p $(@D) && \
	$(HOSTCC) $(CFLAGS_WARN) $(1) -MMD -MP -c -o $@ $<

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

include libos/newlib/target.mk
-include exo/exo.mk libos/libos.mk apps/apps.mk disk/disk.mk

# ---- what people type ----------------------------------------------------------------------------

# Install what is missing, then make $(1), all cores busy, one builder at a time in $(O).
build = $(Q)scripts/deps build && mkdir -p $(O) && flock $(O)/.lock \
	$(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS)) $(1)

all: ## build everything: host tools, newlib, kernel, libOS, programs, and the image
	+$(call build,build-all)

image: ## build the bootable image, $(IMAGE)
	+$(call build,$(IMAGE))

newlib: ## build the C library (once: it is kept in ~/.cache/freehold)
	+$(call build,$(NEWLIB_STAMP))

run: ## boot: a terminal here (Ctrl-A X ends it), or CMD='...' to run that and print what it prints
	$(Q)scripts/deps run
	+$(call build,$(IMAGE))
	$(Q)$(RUN_ENV) scripts/run $(IMAGE)

test: ## host tests, then guest tests under QEMU and Bochs; ONLY=pattern picks by name
	$(Q)scripts/deps run test
	+$(call build,build-tests)
	$(Q)$(TEST_ENV) scripts/test --host '$(HOST_TESTS)' --image '$(IMAGE)' --guest apps/tests/guest.tests

host-test: ## only the tests that run on this machine
	+$(call build,build-host-tests)
	$(Q)$(TEST_ENV) scripts/test --host '$(HOST_TESTS)'

guest-test: ## only the tests that boot the image
	$(Q)scripts/deps run test
	+$(call build,build-tests)
	$(Q)$(TEST_ENV) scripts/test --image '$(IMAGE)' --guest apps/tests/guest.tests

check: ## both compilers with -Werror, and every analysis; ONLY=pattern picks by name
	$(Q)scripts/deps build check
	+$(Q)MAKE='$(MAKE)' O='$(O)' ONLY='$(ONLY)' scripts/check

format-check: ## is every C file formatted?
	$(Q)scripts/deps check
	+$(Q)MAKE='$(MAKE)' O='$(O)' ONLY=format scripts/check

bench: ## measure what doc and budgets speak of
	$(Q)scripts/deps run
	+$(call build,$(IMAGE))
	$(Q)$(TEST_ENV) scripts/bench $(IMAGE)

deps: ## install every Debian package that any target needs
	$(Q)scripts/deps build run test check

clean: ## remove everything made (newlib stays in the cache)
	$(Q)rm -rf $(O)

help: ## this text
	$(Q)awk -f scripts/help.awk $(MAKEFILE_LIST)

.PHONY: all image newlib run test host-test guest-test check format-check bench deps clean help
.PHONY: build-all build-tests build-host-tests
