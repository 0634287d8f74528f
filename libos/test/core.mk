# Host tests of libos/core: run by `make host-test`.

LIBOS_CORE_TEST_FLAGS := $(HOST_CFLAGS) $(SANITIZE) -fno-builtin -Ilibos/include -Iexo/include
LIBOS_CORE_TESTS      := $(O)/test/core/test_elf $(O)/test/core/test_memory $(O)/test/core/test_slots_plan $(O)/test/core/test_bpf

$(O)/test/core/obj/%.o: libos/%.c $(MK)
	$(call host_compile,$(LIBOS_CORE_TEST_FLAGS))

# Its functions get names of their own: the host's are used by the sanitizers.
$(O)/test/core/obj/core/memory.o: LIBOS_CORE_TEST_FLAGS := $(HOST_CFLAGS) -fno-builtin -Dmemcpy=own_memcpy \
	-Dmemmove=own_memmove -Dmemset=own_memset -Dmemcmp=own_memcmp $(call libos_loops,$(HOSTCC))
# Not under the address sanitizer: it reads whole words.
$(O)/test/core/obj/core/string.o: LIBOS_CORE_TEST_FLAGS := $(HOST_CFLAGS) -fno-builtin -Dstrcspn=own_strcspn -Dstrnlen=own_strnlen
$(O)/test/core/test_memory: $(O)/test/core/obj/core/string.o

$(LIBOS_CORE_TESTS): $(O)/test/core/test_%: $(O)/test/core/obj/test/core/%_test.o $(O)/test/core/obj/core/%.o
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

# It reads schedulers that compilers made.
$(O)/test/core/test_bpf: $(O)/test/core/obj/core/words.o | $(SCHED_OBJS)

-include $(wildcard $(O)/test/core/obj/core/*.d $(O)/test/core/obj/test/core/*.d)

HOST_TESTS += $(LIBOS_CORE_TESTS)
