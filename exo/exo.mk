# exo.mk - the loader and the kernel.
#
# Per-folder include paths enforce who may see whom: everyone sees exo/include; kern/ reaches the
# machine only through kern/machine.h, which x86/ and dev/ implement.
#
# The kernel is linked twice: the first link gives the symbols that the panic's backtrace prints,
# which stand behind everything in .rodata, so the second link moves no function.

EXO_INCLUDE  := -Iexo/include
EXO_CFLAGS   := -std=gnu11 -O2 -g -ffreestanding -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	-fno-pic -fno-pie -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
	-fno-omit-frame-pointer -fno-strict-aliasing -fno-common -ffunction-sections -fdata-sections $(EXO_INCLUDE)
# Seen whole, the kernel is smaller and its calls cheaper.  (clang's would need a linker of its own.)
EXO_LTO      := $(if $(findstring clang,$(CC)),,-flto -flto-partition=one)
LOADER_CFLAGS := -std=gnu11 -m16 -mgeneral-regs-only -Os -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing $(EXO_INCLUDE)
CALL_COUNT   := $(shell grep -cw '^CALL' exo/include/exo/syscall.def)

EXO_SRCS     := $(wildcard exo/kern/*.c exo/dev/*.c exo/x86/*.c)
EXO_OBJS     := $(EXO_SRCS:%.c=$(O)/%.o) $(O)/exo/x86/head.S.o $(O)/exo/x86/entry.S.o
LOADER_OBJS  := $(O)/exo/boot/stage1.S.o $(O)/exo/boot/stage2.S.o $(O)/exo/boot/loader.o

KERNEL       := $(O)/exo/kernel.elf
KERNEL_BIN   := $(O)/exo/kernel.bin
KERNEL_BYTES := $(O)/exo/kernel.bytes
LOADER_BIN   := $(O)/exo/boot/loader.bin
EXO_IMAGES   += $(LOADER_BIN) $(KERNEL_BIN) $(KERNEL_BYTES) $(addprefix $(O)/exo/checked/kernel.,bin bytes)


$(O)/exo/boot/loader.o: exo/boot/loader.c $(MK)
	$(call compile,$(LOADER_CFLAGS))

$(O)/exo/%.o: exo/%.c $(MK)
	$(call compile,$(EXO_CFLAGS) $(EXO_LTO))

$(O)/exo/boot/%.S.o: exo/boot/%.S $(MK)
	$(call compile,-m16 $(EXO_INCLUDE))

$(O)/exo/%.S.o: exo/%.S $(MK) exo/include/exo/syscall.def
	$(call compile,-DCALL_COUNT=$(CALL_COUNT) $(EXO_INCLUDE))

$(O)/exo/x86/calls.o: EXO_CFLAGS += -DCALL_COUNT=$(CALL_COUNT)

# The slice vector is four words, and sleeping and waking go over them: without a loop.
$(O)/exo/kern/slot.o: EXO_CFLAGS += $(if $(findstring clang,$(CC)),,-fpeel-loops)

$(LOADER_BIN): $(LOADER_OBJS) exo/boot/loader.ld
	$(Q)$(call say,LD) $(LD) -m elf_i386 --no-warn-rwx-segments -T exo/boot/loader.ld \
		$(LOADER_OBJS) -o $(@:.bin=.elf) && $(OBJCOPY) -O binary $(@:.bin=.elf) $@

# Symbols: sorted addresses and names of functions, as data.
ksyms = $(NM) -n $(1) | awk -f exo/x86/ksyms.awk > $(2).S && $(CC) -c $(2).S -o $(2)
link_kernel = $(CC) $(EXO_CFLAGS) $(EXO_LTO) -static -nostdlib -Wl,--build-id=sha1,-z,max-page-size=4096,-z,noexecstack \
	-Wl,--no-warn-rwx-segments,--gc-sections -T exo/x86/kernel.ld $(filter %.o,$^) $(1) -o $(2)

# The kernel that checks every invariant after each call (x86/checked.c) differs in entry.S only.
CHECKED      := $(O)/exo/checked

$(CHECKED)/entry.S.o: exo/x86/entry.S $(MK) exo/include/exo/syscall.def
	$(call compile,-DCHECK_CALLS -DCALL_COUNT=$(CALL_COUNT) $(EXO_INCLUDE))

$(KERNEL): $(EXO_OBJS)
$(CHECKED)/kernel.elf: $(filter-out %/entry.S.o,$(EXO_OBJS)) $(CHECKED)/entry.S.o

$(KERNEL) $(CHECKED)/kernel.elf: exo/x86/kernel.ld exo/x86/ksyms.awk
	$(Q)$(call say,LD) printf '' | awk -f exo/x86/ksyms.awk > $(@D)/ksyms0.o.S && \
		$(CC) -c $(@D)/ksyms0.o.S -o $(@D)/ksyms0.o && \
		$(call link_kernel,$(@D)/ksyms0.o,$@.first) && \
		$(call ksyms,$@.first,$(@D)/ksyms.o) && \
		$(call link_kernel,$(@D)/ksyms.o,$@) && \
		$(OBJCOPY) --only-keep-debug $@ $@.debug && rm -f $@.first

$(KERNEL_BIN) $(CHECKED)/kernel.bin: %.bin: %.elf
	$(Q)$(call say,OBJCOPY) $(OBJCOPY) -O binary -R .tables -R .bss $< $@

# Memory the image takes from its load address, bss and stacks included.
$(KERNEL_BYTES) $(CHECKED)/kernel.bytes: %.bytes: %.elf
	$(Q)$(call say,NM) end=$$($(NM) $< | awk '$$3 == "k_end" { print substr($$1, 9) }') && \
		echo $$((0x$$end - 0x80100000)) > $@

BPF_KERN     := $(wildcard exo/kern/bpf_*.c)

-include exo/test/abi.mk exo/test/test.mk exo/test/dev.mk exo/test/exhaust/exhaust.mk exo/test/fuzz.mk exo/test/coverage.mk
-include exo/host/host.mk exo/test/bpf.mk
-include $(EXO_OBJS:.o=.d) $(LOADER_OBJS:.o=.d)
