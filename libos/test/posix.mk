# Host tests of the POSIX layer's pure parts: the terminal's line rules, the ring in a pipe, record locks.

POSIX_TESTS      := test_tty test_pipe test_record
POSIX_TEST_FLAGS := $(HOST_CFLAGS) $(SANITIZE) -Ilibos/include -Iexo/include -Ilibos/posix

$(O)/test/posix/%.o: libos/%.c $(MK) libos/test/posix.mk
	$(call host_compile,$(POSIX_TEST_FLAGS))

$(O)/test/posix/test_tty: $(O)/test/posix/test/posix/test_tty.o $(O)/test/posix/posix/tty_line.o
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

$(O)/test/posix/test_pipe: $(O)/test/posix/test/posix/test_pipe.o
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

$(O)/test/posix/test_record: $(O)/test/posix/test/posix/test_record.o $(O)/test/posix/posix/record.o
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

-include $(wildcard $(O)/test/posix/*/*.d $(O)/test/posix/*/*/*.d)

HOST_TESTS += $(POSIX_TESTS:%=$(O)/test/posix/%)
