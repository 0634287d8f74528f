# test.mk - host tests of the protection core: the same C files as in the kernel, under sanitizers.

CORE_TEST_FRAMES := 2048
CORE_TEST_CFLAGS := $(HOST_CFLAGS) $(SANITIZE) $(EXO_INCLUDE) -DNFRAME=$(CORE_TEST_FRAMES) -DBPF_SEEN
CORE_TEST_SRCS   := $(addprefix exo/kern/,cap.c check.c check_group.c env.c event.c group.c halt.c info.c ipc.c load.c page.c quota.c registry.c revoke.c slot.c \
	table.c timer.c trace.c uaccess.c upcall.c wake.c) \
	$(BPF_KERN) exo/test/machine_host.c exo/test/seen.c
CORE_TEST_OBJS   := $(CORE_TEST_SRCS:exo/%.c=$(O)/exo/test/core/%.o)
CORE_TESTS       := $(addprefix $(O)/exo/test/,core_test group_test core_random)
HOST_TESTS       += $(CORE_TESTS) exo/test/mutants_test.sh

$(O)/exo/test/core/%.o: exo/%.c $(MK) exo/test/test.mk
	$(call host_compile,$(CORE_TEST_CFLAGS))

$(CORE_TESTS): $(O)/exo/test/%: $(O)/exo/test/core/test/%.o $(CORE_TEST_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) $(SEEN_WRAP) -o $@ $^

# Nearly right calls, for the tests that make many.
NEAR_OBJ := $(O)/exo/test/core/test/near.o
$(O)/exo/test/core_random: $(NEAR_OBJ)

-include $(NEAR_OBJ:.o=.d) $(CORE_TEST_OBJS:.o=.d) $(CORE_TESTS:$(O)/exo/test/%=$(O)/exo/test/core/test/%.d)
