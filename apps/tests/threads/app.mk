LIBOS := posix

# The same tests with each scheduler: threads-rr, threads-edf …
threads_variant = $(eval LIBOS_threads-$(1) := posix sched=$(1)) \
	$(eval $(call apps_program,threads-$(1),$(wildcard apps/tests/threads/*.c)))
$(foreach v,$(call libos_variants,sched),$(call threads_variant,$(v)))

# The tests of pthreads on this machine's own, which shows that the tests are right.
threads_host_obj := $(patsubst apps/%.c,$(O)/test/threads/obj/%.o,$(wildcard apps/tests/threads/host/*.c apps/tests/threads/pthread_*.c))

$(O)/test/threads/obj/%.o: apps/%.c $(MK)
	$(call host_compile,$(HOST_CFLAGS) $(SANITIZE) -D_GNU_SOURCE)

$(O)/test/threads/pthreads: $(threads_host_obj)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -pthread -o $@ $^

HOST_TESTS += $(O)/test/threads/pthreads
-include $(threads_host_obj:.o=.d)
