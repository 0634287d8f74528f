# fuzz.mk - the core against a slow model of it: on random inputs as a host test, by libFuzzer as
# `make fuzz`.

FUZZ_OBJS  := $(addprefix $(O)/exo/test/core/test/fuzz/,core.o model.o main.o)
FUZZ_CORE  := $(O)/exo/test/fuzz_core
HOST_TESTS += $(FUZZ_CORE)

$(FUZZ_CORE): $(FUZZ_OBJS) $(NEAR_OBJ) $(CORE_TEST_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

-include $(FUZZ_OBJS:.o=.d)
