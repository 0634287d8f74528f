# dev.mk - host tests of extents, requests, console and the IDE shim: the kernel's own C files over
# drives and a line that the tests play, under sanitizers.

DEV_TEST_CFLAGS := $(HOST_CFLAGS) $(SANITIZE) $(EXO_INCLUDE) -DNFRAME=2048 -DBPF_SEEN
DEV_TEST_SRCS   := $(filter-out exo/kern/halt.c exo/kern/upcall.c,$(wildcard exo/kern/*.c)) exo/test/dev/fake.c exo/test/seen.c
DEV_TEST_OBJS   := $(DEV_TEST_SRCS:exo/%.c=$(O)/exo/test/dev/obj/%.o)
DEV_TESTS       := $(addprefix $(O)/exo/test/dev/,extent_test crash_test io_test console_test)
HOST_TESTS      += $(DEV_TESTS) exo/test/dev/same_code.sh

$(O)/exo/test/dev/obj/%.o: exo/%.c $(MK) exo/test/dev.mk
	$(call host_compile,$(DEV_TEST_CFLAGS))

$(DEV_TESTS): $(O)/exo/test/dev/%: $(O)/exo/test/dev/obj/test/dev/%.o $(DEV_TEST_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) $(SEEN_WRAP) -o $@ $^

-include $(DEV_TEST_OBJS:.o=.d) $(DEV_TESTS:$(O)/exo/test/dev/%=$(O)/exo/test/dev/obj/test/dev/%.d)

# The IDE shim over ports that the test plays: ports.h stands for the port instructions.
IDE_TEST      := $(O)/exo/test/dev/ide_test
IDE_TEST_OBJS := $(addprefix $(O)/exo/test/dev/ports/,dev/ide.o dev/pci.o test/dev/ide_test.o)
HOST_TESTS    += $(IDE_TEST)

$(O)/exo/test/dev/ports/%.o: exo/%.c $(MK) exo/test/dev.mk
	$(call host_compile,$(DEV_TEST_CFLAGS) -include exo/test/dev/ports.h)

$(IDE_TEST): $(IDE_TEST_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

-include $(IDE_TEST_OBJS:.o=.d)
