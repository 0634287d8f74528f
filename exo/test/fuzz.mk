# fuzz.mk - the core, and the disk, against slow models of them: on random inputs as a host test, by libFuzzer as
# `make fuzz`.

FUZZ_OBJS  := $(addprefix $(O)/exo/test/core/test/fuzz/,core.o model.o main.o)
FUZZ_CORE  := $(O)/exo/test/fuzz_core
HOST_TESTS += $(FUZZ_CORE)

$(FUZZ_CORE): $(FUZZ_OBJS) $(NEAR_OBJ) $(CORE_TEST_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

-include $(FUZZ_OBJS:.o=.d)

# Extents and requests, over the drives that dev tests play.
FUZZ_DISK      := $(O)/exo/test/fuzz_disk
FUZZ_DISK_OBJS := $(addprefix $(O)/exo/test/dev/obj/test/fuzz/,disk.o main.o)
HOST_TESTS     += $(FUZZ_DISK)

$(FUZZ_DISK): $(FUZZ_DISK_OBJS) $(DEV_TEST_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

-include $(FUZZ_DISK_OBJS:.o=.d)

# The same harness under libFuzzer, which clang alone has.
FUZZER        := $(O)/exo/test/fuzzer
FUZZER_CC     := clang
FUZZER_CFLAGS := $(CORE_TEST_CFLAGS) -fsanitize=fuzzer-no-link
FUZZER_OBJS   := $(patsubst $(O)/exo/test/core/%,$(FUZZER)/obj/%,$(filter-out %/main.o,$(FUZZ_OBJS)) $(NEAR_OBJ) $(CORE_TEST_OBJS))

$(FUZZER)/obj/%.o: exo/%.c $(MK)
	$(Q)$(call say,CLANG) mkdir -p $(@D) && $(FUZZER_CC) $(CFLAGS_WARN) $(FUZZER_CFLAGS) -MMD -MP -c -o $@ $<

$(FUZZER)/core: $(FUZZER_OBJS)
	$(Q)$(call say,CLANG) $(FUZZER_CC) $(SANITIZE) -fsanitize=fuzzer -o $@ $^

-include $(FUZZER_OBJS:.o=.d)

build-fuzzer: $(FUZZER)/core $(FUZZ_CORE)
.PHONY: build-fuzzer
