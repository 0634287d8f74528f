# fuzz.mk - the core, and the disk, against slow models of them: on random inputs as a host test, by libFuzzer as
# `make fuzz`.

FUZZ_OBJS  := $(addprefix $(O)/exo/test/core/test/fuzz/,core.o model.o main.o) $(O)/exo/test/core/host/bpf_model.o
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

# The same harnesses under libFuzzer, which clang alone has.
FUZZER       := $(O)/exo/test/fuzzer
FUZZER_OBJS  := $(patsubst $(O)/exo/test/core/%,$(FUZZER)/core-obj/%,$(filter-out %/main.o,$(FUZZ_OBJS)) $(NEAR_OBJ) $(CORE_TEST_OBJS))
FUZZER_DISK  := $(patsubst $(O)/exo/test/dev/obj/%,$(FUZZER)/disk-obj/%,$(filter-out %/main.o,$(FUZZ_DISK_OBJS)) $(DEV_TEST_OBJS))
fuzzer_compile = $(Q)$(call say,CLANG) mkdir -p $(@D) && clang $(CFLAGS_WARN) $(1) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(FUZZER)/core-obj/%.o: exo/%.c $(MK)
	$(call fuzzer_compile,$(CORE_TEST_CFLAGS))
$(FUZZER)/disk-obj/%.o: exo/%.c $(MK)
	$(call fuzzer_compile,$(DEV_TEST_CFLAGS))

$(FUZZER)/core: $(FUZZER_OBJS)
$(FUZZER)/disk: $(FUZZER_DISK)
$(FUZZER)/core $(FUZZER)/disk:
	$(Q)$(call say,CLANG) clang $(SANITIZE) -fsanitize=fuzzer -o $@ $^

-include $(FUZZER_OBJS:.o=.d) $(FUZZER_DISK:.o=.d)

build-fuzzer: $(FUZZER)/core $(FUZZER)/disk $(FUZZ_CORE) $(FUZZ_DISK)
.PHONY: build-fuzzer
