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
#   $(TARGET_LIBS)        the C library and gcc's, to come after the libOS on the link line
#   $(NEWLIB)             newlib's prefix: include/ and lib/.  Every target object depends on $(NEWLIB_STAMP)
#   $(call compile,F)     recipe: compile $< to $@ with $(CC) and flags F, making the folder and the .d file
#   $(call host_compile,F)  the same with $(HOSTCC)
#   $(call say,WORD)      start of a recipe line: prints `  WORD  target`: $(Q)$(call say,LD) ld ...
#   $(MK)                 every makefile: objects depend on it, so that a change of flags rebuilds
# so that a rule reads:
#   $(O)/exo/%.o: exo/%.c $(MK)
#           $(call compile,$(EXO_CFLAGS))
# and what it adds to (with +=):
#   APPS                  programs that go into /bin on the image, each under its file's name
#   INIT (set with :=)    the first program, an ELF file
#   LOADER_BIN KERNEL_BIN KERNEL_BYTES (set with :=)   what boots, and the file with the kernel's size
#   EXO_IMAGES            all that the kernel's folder makes
#   TEST_FILES TEST_APPS  scripts and programs that go into /tests on the image for tests
#   IMAGE_DEPS            anything else that the image is made from
#   TEST_NEEDS            anything else that guest tests' drivers use
#   HOST_TOOLS            host programs
#   HOST_TESTS            host test programs or scripts: run without arguments from the top folder
#   ALL                   anything else that `make` alone must build
#   EXO_CFLAGS ...        a folder's own flags; scripts/check learns them from `make -n`

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
WARN     ?=

CFLAGS_WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wundef -Wvla \
	-Wpointer-arith -Wwrite-strings $(WARN) $(if $(filter 1,$(WERROR)),-Werror)
HOST_CFLAGS := -std=gnu11 -O2 -g
SANITIZE    := -fsanitize=address,undefined -fno-sanitize-recover=all

MK       := Makefile $(wildcard */*.mk libos/newlib/*.mk libos/sdk/*.mk scripts/experiment/*.mk)

# Settings for the image, here; those for running it are read by scripts/run from the environment.
IMAGE_SIZE ?=
FILES      ?=
SECONDS    ?= 60

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

# Lists that folders add to: expanded as they are added to, so that no folder's variable is taken for another's.
APPS :=
EXO_IMAGES :=
TEST_FILES :=
TEST_APPS :=
IMAGE_DEPS :=
HOST_TOOLS :=
HOST_TESTS :=
TEST_NEEDS :=
ALL :=

include libos/newlib/target.mk
TEST_FILES += $(wildcard apps/tests/sh/*.sh)
HOST_TESTS += scripts/timeline/timeline_test.py
-include exo/exo.mk libos/libos.mk apps/apps.mk disk/disk.mk libos/sdk/sdk.mk

# ---- the image -----------------------------------------------------------------------------------

# Makes the image $@ with the arguments $(1).
make_image = $(Q)$(call say,IMAGE) mkdir -p $(@D) && $(FHIMAGE) make -o $@ --manifest $(MANIFEST) \
	--loader $(LOADER_BIN) --kernel $(KERNEL_BIN) --kernel-bytes $$(cat $(KERNEL_BYTES)) --init $(INIT) \
	$(1) --bin $(APPS)

# An image with another manifest or other files, or of another size, than usual has a name of its own,
# and is always made anew, since the files may have changed.
MANIFEST  := disk/freehold.manifest
EXAMPLES  := $(patsubst apps/examples/%/manifest,%,$(wildcard apps/examples/*/manifest))
ifneq ($(filter $(NAME),$(EXAMPLES)),)
MANIFEST  := apps/examples/$(NAME)/manifest
endif
ifeq ($(CHECK),1)
KERNEL_BIN   := $(CHECKED)/kernel.bin
KERNEL_BYTES := $(CHECKED)/kernel.bytes
endif
unusual   := $(filter 1,$(CHECK))$(FILES)$(IMAGE_SIZE)$(filter-out disk/freehold.manifest,$(MANIFEST))
image_key := $(if $(unusual),$(shell printf '%s %s %s %s' '$(FILES)' '$(IMAGE_SIZE)' '$(MANIFEST)' '$(CHECK)' | sha256sum | cut -c 1-12))
IMAGE     := $(if $(image_key),$(O)/images/freehold-$(image_key).img,$(O)/freehold.img)
image_parts := $(FHIMAGE) $(LOADER_BIN) $(KERNEL_BIN) $(KERNEL_BYTES) $(INIT) $(APPS) $(MANIFEST) $(IMAGE_DEPS)

$(IMAGE): $(image_parts) $(if $(image_key),FORCE)
	$(call make_image,$(if $(IMAGE_SIZE),--size '$(IMAGE_SIZE)') $(if $(FILES),--files '$(FILES)'))

# The image that guest tests boot has /tests beside /bin: their scripts, and programs only for tests.
TEST_IMAGE := $(O)/test.img
TEST_ROOT  := $(O)/test-root
$(TEST_IMAGE): $(image_parts) $(EXO_IMAGES) $(TEST_FILES) $(TEST_APPS)
	$(Q)rm -rf $(TEST_ROOT) && mkdir -p $(TEST_ROOT)/tests && cp $(TEST_FILES) $(TEST_APPS) $(TEST_ROOT)/tests/
	$(call make_image,--files $(TEST_ROOT))

include scripts/experiment/experiment.mk

build-all: $(EXO_IMAGES) $(APPS) $(INIT) $(HOST_TOOLS) $(ALL) $(IMAGE)
build-host-tests: $(HOST_TOOLS) $(HOST_TESTS)
build-tests: build-host-tests $(TEST_IMAGE) $(TEST_NEEDS)
FORCE:

# The commands that type a value see it as typed, `$` and all.
override CMD := $(value CMD)
export O CMD PROG EMU MEM DISK TIMEOUT ICOUNT GDB CPU QEMU_EXTRA FILES IMAGE_SIZE ONLY FHIMAGE
# mke2fs and e2fsck are not where other users look.
export PATH := $(PATH):/usr/sbin:/sbin

# ---- what people type ----------------------------------------------------------------------------

# Install what is missing, then make $(1), all cores busy, one builder at a time in $(O).
build = $(Q)scripts/deps build && mkdir -p $(O) && \
	{ flock -n $(O)/.lock true || echo "make: waiting for another one in $(O)" >&2; } && \
	flock -o -w 900 $(O)/.lock $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS)) $(1)

all: ## build everything: kernel, C library, libOS, programs, host tools, and the image
	+$(call build,build-all)

image: ## build the bootable image, build/freehold.img
	+$(call build,$(IMAGE))

newlib: ## build the C library (once: it is kept in ~/.cache/freehold)
	+$(call build,$(NEWLIB_STAMP))

run: ## boot, with a terminal here (Ctrl-A X ends it); or with CMD, for that alone
	$(Q)scripts/deps run >&2
	+$(call build,$(IMAGE)) >&2
	$(Q)scripts/run $(IMAGE)

debug: ## boot QEMU for gdb, which knows the kernel and every program: PROG=ls stops at its main; CMD, BATCH=file of commands
	$(Q)scripts/deps run debug >&2
	+$(call build,$(IMAGE)) >&2
	$(Q)scripts/debug/qemu $(if $(BATCH),--batch '$(BATCH)') $(IMAGE)

bochs: ## the same in Bochs' own debugger, with the same commands: PROG, CMD, BATCH
	$(Q)scripts/deps run debug >&2
	+$(call build,$(IMAGE)) >&2
	$(Q)scripts/debug/bochs $(if $(BATCH),--batch '$(BATCH)') $(IMAGE)

example: ## run one of the examples in apps/examples: NAME=realtime; without NAME, list them
	$(Q)test -n '$(filter $(NAME),$(EXAMPLES))' || { echo "examples, for NAME=: $(EXAMPLES)"; test -z '$(NAME)'; }
	+$(if $(filter $(NAME),$(EXAMPLES)),$(Q)$(MAKE) --no-print-directory run CMD=true)

attack: ## try to break every claim of doc/book/7-security.md; NAME=forgery: one of them
	$(Q)mkdir -p $(O) && sed 's|/bin/attack name=attack |&args "$(NAME)" |' apps/tests/manifests/attack.manifest >$(O)/attack.manifest
	+$(Q)$(MAKE) --no-print-directory run CMD='sleep 1' NAME= MANIFEST=$(O)/attack.manifest

test: ## run host tests, then guest tests under QEMU and Bochs
	$(Q)scripts/deps run bpf debug
	+$(call build,build-tests)
	$(Q)scripts/test --image $(TEST_IMAGE) --guest apps/tests/guest.tests $(HOST_TESTS)

host-test: ## run only the tests that need no emulator
	$(Q)scripts/deps bpf
	+$(call build,build-host-tests)
	$(Q)scripts/test $(HOST_TESTS)

guest-test: ## run only the tests that boot the image
	$(Q)scripts/deps run bpf debug
	+$(call build,$(HOST_TOOLS) $(TEST_IMAGE) $(TEST_NEEDS))
	$(Q)scripts/test --image $(TEST_IMAGE) --guest apps/tests/guest.tests

conformance: ## a table: how much of its seam's suite each variant passes, on the host and in the machine; EMU=qemu
	$(Q)scripts/deps run bpf >&2
	+$(call build,$(HOST_TOOLS) $(TEST_IMAGE) $(TEST_NEEDS) $(CONFORMANCE)) >&2
	$(Q)scripts/conformance $(TEST_IMAGE) $(CONFORMANCE)

guest-fuzz: ## machines whose programs make random calls, for SECONDS=60, from SEED=; EMU, CHECK=1, ICOUNT=1, CALLS
	$(Q)scripts/deps run bpf
	+$(call build,$(HOST_TOOLS) $(TEST_IMAGE))
	$(Q)CHECK='$(CHECK)' CALLS='$(CALLS)' SECONDS='$(SECONDS)' SEED='$(SEED)' scripts/guest-fuzz

coverage: ## which branches of the kernel's core do the host tests take? each other one needs a reason
	$(Q)scripts/deps build
	+$(Q)$(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS)) O=$(COVERAGE_O) \
		SANITIZE='-O0 --coverage' build-coverage
	$(Q)scripts/coverage --run $(COVERAGE_BUILT)

fuzz: ## calls of the core and the disk against models, by libFuzzer: SECONDS=60; INPUT=file replays one
	$(Q)scripts/deps build fuzz
	+$(call build,build-fuzzer)
	$(Q)scripts/fuzz '$(or $(INPUT),$(SECONDS))'

mutate: ## plant bugs in the kernel's core, one at a time: do the tests notice each? NAME= part of a line of mutants.txt
	$(Q)scripts/deps bpf
	+$(call build,build-host-tests)
	$(Q)scripts/mutate '$(NAME)'

prove: ## Frama-C proves the contracts of files in exo/kern: ONLY= part of a file's or function's name; MUTANTS=1 plants bugs instead
	$(Q)scripts/deps prove
	$(Q)O='$(O)' scripts/prove/prove $(if $(MUTANTS),--mutants) '$(ONLY)'

exhaust: ## make every sequence of calls in small worlds: NAME= one of them, STATES= how many of each, REPLAY= its moves
	+$(call build,$(EXHAUSTS))
	$(Q)scripts/exhaust $(EXHAUSTS)

threads: ## what schedulers of threads promise, measured: shares over 10^4 slices, deadlines missed
	$(Q)scripts/deps run bpf
	+$(call build,$(TEST_IMAGE))
	$(Q)QEMU_EXTRA='-icount shift=3,sleep=off' CMD='for v in stride lottery edf rr; do /tests/threads-$$v measure; done' \
		EMU=qemu scripts/run $(TEST_IMAGE)

fuzz-bpf: ## programs at random against the verifier of downloaded programs, for SECONDS=60; SEED=1
	$(Q)scripts/deps bpf
	+$(call build,$(FUZZ_FAST))
	$(Q)$(FUZZ_FAST) --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1)

schedulers: ## what the example schedulers cost: on random groups here, and in the machine; what they promise; lines of the kernel
	$(Q)scripts/deps bpf run
	+$(call build,$(O)/exo/test/bpf/sched_test $(TEST_IMAGE) $(HOST_TOOLS))
	$(Q)$(O)/exo/test/bpf/sched_test table
	$(Q)CMD='/tests/decide cost; /tests/decide deadlines' ICOUNT=1 scripts/run $(TEST_IMAGE)
	$(Q)CMD='/tests/decide shares' scripts/run $(TEST_IMAGE)
	$(Q)count() { name=$$1; shift; for f; do $(HOSTCC) -fpreprocessed -dD -E -P exo/kern/$$f 2>/dev/null; done | wc -l | \
		sed "s/$$/ lines without comments: $$name/"; }; \
		count verifier bpf.h bpf_insn.h bpf_range.h bpf_check.c bpf_range.c bpf_verify.c; \
		count interpreter bpf_alu.h bpf_run.c; \
		count 'loading, groups, predicates' load.h load.c group.h group.c wake.h wake.c

check: ## compile with gcc and clang, warnings being errors, and run every analysis
	$(Q)scripts/deps build check
	+$(Q)MAKE='$(MAKE)' scripts/check

format-check: ## is every C file formatted?
	$(Q)scripts/deps check
	+$(Q)MAKE='$(MAKE)' ONLY=format scripts/check

bench: ## measure what the budgets speak of
	$(Q)scripts/deps run sdk
	+$(call build,$(IMAGE) $(SPEEDTEST))
	$(Q)scripts/bench $(IMAGE)

profile: ## how many instructions does each function execute while CMD runs? PROG= one program, REGION= a part; EMU=both compares
	$(Q)scripts/deps build run >&2
	+$(call build,$(IMAGE)) >&2
	$(Q)PROG='$(PROG)' REGION='$(REGION)' ELF='$(ELF)' scripts/profile/profile $(IMAGE)

trace: ## every instruction of FUNC=ls:main or REGION= with source, registers, memory; or who writes to PAGE= or BLOCK=; in Bochs
	$(Q)scripts/deps build run >&2
	+$(call build,$(IMAGE)) >&2
	$(Q)FUNC='$(FUNC)' REGION='$(REGION)' DEPTH='$(DEPTH)' SKIP='$(SKIP)' LIMIT='$(LIMIT)' PAGE='$(PAGE)' BLOCK='$(BLOCK)' ELF='$(ELF)' \
		scripts/profile/trace $(IMAGE)

experiment: ## run an experiment: FILE=apps/experiments/NAME (doc/experiments.md); OUT=, JOBS=, POINT='axis=value', REPEAT=, FORCE=1, SSHLOGIN=
	$(Q)scripts/deps run $(if $(SSHLOGIN),experiment)
	+$(call build,$(FHIMAGE)) >&2
	$(Q)scripts/experiment/experiment run '$(FILE)' --out '$(OUT)' --point '$(POINT)' --repeat '$(REPEAT)' \
		$(if $(filter 1,$(FORCE)),--force) $(if $(filter-out file,$(origin JOBS)),--jobs '$(JOBS)') --sshlogin '$(SSHLOGIN)'

experiment-test: ## the tests of experiments that take a browser and ssh: the page in Chromium, runs on two machines that are this one
	$(Q)scripts/deps run experiment experiment-test
	+$(call build,$(FHIMAGE) $(IMAGE))
	$(Q)scripts/test $(EXPERIMENT_TESTS)

sdk: ## install exo-cc, exo-image, exo-run, libraries and headers under PREFIX=/some/where
	$(Q)test -n '$(PREFIX)' || { echo "sdk: say where to: make sdk PREFIX=/some/where" >&2; exit 2; }
	+$(call build,build-sdk)
	$(Q)$(SDK_INSTALL) '$(PREFIX)' && echo "sdk: installed; put $(PREFIX)/bin into PATH (doc/sdk.md)"

sdk-packages: ## build Lua, zlib, bzip2, hello and SQLite from Debian's sources with the SDK, and run them
	$(Q)scripts/deps run sdk
	+$(call build,$(SDK_TEST)/.stamp)
	$(Q)libos/sdk/test/packages

timeline: ## what the machine does while CMD runs, as timeline.json for viewers and timeline.svg, in build/timeline
	$(Q)scripts/deps run >&2
	+$(call build,$(IMAGE)) >&2
	$(Q)RING='$(RING)' scripts/timeline/timeline --image $(IMAGE) --out $(O)/timeline --kernel $(O)/exo

deps: ## install every Debian package that any target needs
	$(Q)scripts/deps build run check fuzz sdk bpf debug experiment experiment-test

clean: ## remove everything made (the C library stays in the cache)
	$(Q)rm -rf $(O)

help: ## this text
	$(Q)awk -f scripts/help.awk Makefile

## Variables, to be given on make's command line:
##   CMD='ls -l /'     run: what to run instead of a shell; its output is printed, make says its status
##   EMU=qemu|bochs    run: the emulator
##   MEM=128           run: MiB of memory
##   MANIFEST=FILE     run: the boot manifest (doc/manifest.md); by default disk/freehold.manifest
##   DISK=my.img       run: a disk to keep, made if it is not there; else every run begins anew
##   TIMEOUT=600       run: seconds until the machine is stopped; 0: never (so by default without CMD)
##   ICOUNT=1          run: QEMU counts instructions: its clock is one tick each, whatever the host does
##   PROG=ls           debug, bochs: the program at whose main the machine stops
##   BATCH=file        debug, bochs: do the commands in it and end, instead of asking
##   GDB=1             run: QEMU waits for another debugger at 127.0.0.1:1234
##   SEAMS='buf=arc'   link every program with these variants, or files (buf=./x.c): buf=lru|clock|mru|arc|guided|none order=fifo|cscan|deadline ...
##   LIBOS_ls='posix vm=eager'   link one program with another libOS
##   CHECK=1           run: a kernel that checks every invariant after each call, and panics at a broken one
##   CPU=max           run: QEMU's model of the processor
##   QEMU_EXTRA='...'  run: more arguments for QEMU
##   PROG=ls REGION=   profile: count in this program alone; in this region alone (libos/include/libos/region.h)
##   ELF='FILE ...'    profile, trace: programs from elsewhere (FILES=, DISK=), as exo-cc linked them
##   FUNC=ls:main      trace: PROGRAM:FUNCTION or kernel:FUNCTION; DEPTH=1: and what it calls; SKIP=, LIMIT=400 instructions
##   PAGE=0x5f3        trace: a page frame; BLOCK=4012: a block of drive 0, BLOCK=main:428 of an extent
##   FILES=folder      image, run: what is in it becomes the root of the main file system, beside /bin
##   IMAGE_SIZE=256M   image, run: size of the disk
##   SECONDS=60 SEED=  fuzz, guest-fuzz: how long; guest-fuzz: the first boot's number
##   FILE= POINT=      experiment: its file or folder; only the points that meet 'policy=mru blocks=220'
##   SSHLOGIN=a,b      experiment: the machines that make the runs, as GNU parallel names them
##   ONLY=pattern      test, check, prove: only those whose names contain it
##   MUTANTS=1         prove: does the proof notice bugs? ONLY= part of a line of mutants.txt
##   STATES=50000      exhaust: at most so many states of each world are gone on from (0: all)
##   INPUT=file        fuzz: run this input alone, showing each call
##   RING=512          timeline: size of the trace ring, in frames of 128 records, a power of 2
##   O=build           where everything made goes
##   V=1               show every command
##   PREFIX=folder     sdk: where to
##   CC=clang          the compiler for the machine; WERROR=1 makes its warnings errors

# Targets with help are no files, nor are these.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\#.*/\1/p' Makefile) build-all build-tests build-host-tests FORCE
