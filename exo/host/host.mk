# host.mk - exo-bpf, the host program around the kernel's own verifier and interpreter.

BPF_CFLAGS   := $(HOST_CFLAGS) $(EXO_INCLUDE) -Ilibos/include
EXO_BPF      := $(O)/host/exo-bpf
EXO_BPF_OBJS := $(BPF_KERN:%.c=$(O)/host/%.o) $(addprefix $(O)/host/exo/host/,exo_bpf.o bpf_file.o bpf_model.o) \
	$(addprefix $(O)/host/libos/core/,bpf.o words.o)
HOST_TOOLS   += $(EXO_BPF)

$(O)/host/exo/%.o: exo/%.c $(MK) exo/host/host.mk
	$(call host_compile,$(BPF_CFLAGS))

# The libOS's reader of objects.
$(O)/host/libos/core/%.o: libos/core/%.c $(MK) exo/host/host.mk
	$(call host_compile,$(BPF_CFLAGS))

$(EXO_BPF): $(EXO_BPF_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) -o $@ $^

-include $(EXO_BPF_OBJS:.o=.d)
