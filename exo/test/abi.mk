# abi.mk - tests of the interface as it is written down: the examples in the table of calls compile,
# what it says of statuses is what the tests of the calls see, and nothing differs from the lock.

# Host tests are linked so that each sys_NAME that they call goes by way of seen.c.
CALL_NAMES := $(shell awk -F'[ ,]+' '/^CALL./ { print $$2 }' exo/include/exo/syscall.def)
SEEN_WRAP  := $(CALL_NAMES:%=-Wl,--wrap=sys_%)

# A script that knows how programs are compiled.
EXAMPLES_TEST := $(O)/exo/test/examples.sh
HOST_TESTS    += $(EXAMPLES_TEST) exo/test/statuses scripts/abi-lock exo/test/abi_lock

$(EXAMPLES_TEST): $(MK) exo/include/exo/syscall.def scripts/abi-examples scripts/abi_table.py | $(NEWLIB_STAMP)
	$(Q)$(call say,GEN) mkdir -p $(@D) && printf '#!/bin/sh\nexec scripts/abi-examples %s\n' \
		'$(@:.sh=.c) $(CC) $(CFLAGS_WARN) $(LIBOS_CFLAGS)' > $@ && chmod +x $@
