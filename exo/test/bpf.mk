# bpf.mk - host tests of downloaded programs: each instruction and refusal, schedulers as both compilers make
# them, exo-bpf, and programs at random.

BPF_TEST_CFLAGS := $(HOST_CFLAGS) $(SANITIZE) $(EXO_INCLUDE) -Ilibos/include -DBPF_SEEN
BPF_TEST_OBJS   := $(patsubst exo/%.c,$(O)/exo/test/bpf/obj/%.o,$(BPF_KERN) exo/host/bpf_model.c exo/host/bpf_file.c) \
	$(addprefix $(O)/exo/test/bpf/obj/libos/,bpf.o words.o)
BPF_TESTS       := $(addprefix $(O)/exo/test/bpf/,bpf_test sched_test fuzz)
HOST_TESTS      += $(BPF_TESTS) exo/test/bpf/exo_bpf_test.sh exo/test/bpf/rfc_test.py

$(O)/exo/test/bpf/obj/%.o: exo/%.c $(MK) exo/test/bpf.mk
	$(call host_compile,$(BPF_TEST_CFLAGS))

$(O)/exo/test/bpf/obj/libos/%.o: libos/core/%.c $(MK) exo/test/bpf.mk
	$(call host_compile,$(BPF_TEST_CFLAGS))

$(BPF_TESTS): $(O)/exo/test/bpf/%: $(O)/exo/test/bpf/obj/test/bpf/%.o $(BPF_TEST_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

# The schedulers: by both compilers, with a store that must be noticed, and for the host to compare with.
SCHEDULERS     := rr priority stride edf remaining gang
SCHED_DIR      := $(O)/exo/test/bpf/sched
SCHED_OBJS     := $(foreach kind,clang gcc store,$(SCHEDULERS:%=$(SCHED_DIR)/%.$(kind).o))
TEST_FILES     += $(SCHED_OBJS)
SCHED_HOST     := $(SCHEDULERS:%=$(SCHED_DIR)/%.host.o)
BPF_CC_CFLAGS  := -mcpu=v3 -ffreestanding $(CFLAGS_WARN) $(EXO_INCLUDE)
bpf_compile     = $(Q)$(call say,$(1)) mkdir -p $(@D) && $(2) $(BPF_CC_CFLAGS) -c -o $@ $<
SCHED_NEEDS    := apps/examples/schedulers/scheduler.h exo/include/exo/sched.h $(MK) exo/test/bpf.mk

$(SCHED_DIR)/%.clang.o: apps/examples/schedulers/%.c $(SCHED_NEEDS)
	$(call bpf_compile,CLANG,clang -target bpf -O2)

$(SCHED_DIR)/%.gcc.o: apps/examples/schedulers/%.c $(SCHED_NEEDS)
	$(call bpf_compile,BPF-GCC,bpf-gcc -Os)

$(SCHED_DIR)/%.store.o: apps/examples/schedulers/%.c $(SCHED_NEEDS)
	$(call bpf_compile,CLANG,clang -target bpf -O2 -DWITH_STORE)

$(SCHED_DIR)/%.host.o: apps/examples/schedulers/%.c $(SCHED_NEEDS)
	$(call host_compile,$(BPF_TEST_CFLAGS) -DSCHEDULER=$*_choose)

$(O)/exo/test/bpf/sched_test: $(SCHED_HOST) | $(SCHED_OBJS)

$(O)/exo/test/bpf/fuzz: | $(SCHED_OBJS)

# Scripts need no building, but what they run does.
exo/test/bpf/exo_bpf_test.sh: $(EXO_BPF) $(SCHED_OBJS) $(SCHED_DIR)/rr.host.o
exo/test/bpf/rfc_test.py: $(EXO_BPF)

# The same without sanitizers, for millions of programs (make fuzz-bpf), and what schedulers cost (make schedulers).
FUZZ_FAST      := $(O)/exo/test/bpf/fuzz-fast
FUZZ_FAST_OBJS := $(BPF_TEST_OBJS:$(O)/exo/test/bpf/obj/%=$(O)/exo/test/bpf/fast/%) $(O)/exo/test/bpf/fast/test/bpf/fuzz.o

$(O)/exo/test/bpf/fast/%.o: exo/%.c $(MK) exo/test/bpf.mk
	$(call host_compile,$(HOST_CFLAGS) $(EXO_INCLUDE) -Ilibos/include -DBPF_SEEN)

$(O)/exo/test/bpf/fast/libos/%.o: libos/core/%.c $(MK) exo/test/bpf.mk
	$(call host_compile,$(HOST_CFLAGS) $(EXO_INCLUDE) -Ilibos/include)

$(FUZZ_FAST): $(FUZZ_FAST_OBJS) | $(SCHED_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) -o $@ $^

-include $(FUZZ_FAST_OBJS:.o=.d)
-include $(BPF_TEST_OBJS:.o=.d) $(BPF_TESTS:$(O)/exo/test/bpf/%=$(O)/exo/test/bpf/obj/test/bpf/%.d)
