# bpf.mk - host tests of downloaded programs: each instruction and refusal, schedulers as both compilers make
# them, and programs at random.

BPF_TEST_CFLAGS := $(HOST_CFLAGS) $(SANITIZE) $(EXO_INCLUDE) -DBPF_SEEN
BPF_TEST_OBJS   := $(patsubst exo/%.c,$(O)/exo/test/bpf/obj/%.o,$(BPF_KERN) exo/host/bpf_model.c exo/host/bpf_file.c)
BPF_TESTS       := $(addprefix $(O)/exo/test/bpf/,bpf_test)
HOST_TESTS      += $(BPF_TESTS)

$(O)/exo/test/bpf/obj/%.o: exo/%.c $(MK) exo/test/bpf.mk
	$(call host_compile,$(BPF_TEST_CFLAGS))

$(BPF_TESTS): $(O)/exo/test/bpf/%: $(O)/exo/test/bpf/obj/test/bpf/%.o $(BPF_TEST_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

-include $(BPF_TEST_OBJS:.o=.d) $(BPF_TESTS:$(O)/exo/test/bpf/%=$(O)/exo/test/bpf/obj/test/bpf/%.d)
