# exhaust.mk - every sequence of calls at small scale: the kernel's own C files, whose variables are
# linked into one section that can be copied, driven through all states of small worlds.
#
# Without sanitizers, for speed: the same files run under them in the other host tests.

EXHAUST_CFLAGS := $(HOST_CFLAGS) -fdata-sections -fno-pie $(EXO_INCLUDE) -DNFRAME=512
EXHAUST        := $(O)/exo/test/exhaust
EXHAUST_ENGINE := $(addprefix $(EXHAUST)/obj/test/,exhaust/engine.o exhaust/moves.o exhaust/snapshot.o exhaust/form.o seen.o)

# Each program: what is in its world, and what is not.
EXHAUST_CORE_WORLD := $(patsubst exo/%.c,$(EXHAUST)/obj/%.o,$(filter exo/kern/%,$(CORE_TEST_SRCS)) exo/test/machine_host.c)
EXHAUST_CORE       := $(EXHAUST_ENGINE) $(addprefix $(EXHAUST)/obj/test/exhaust/,core.o scene.o pages.o tables.o life.o \
	cpu.o ipc.o revoke.o)

EXHAUSTS           := $(EXHAUST)/exhaust_core
HOST_TESTS         += $(EXHAUSTS)

$(EXHAUST)/obj/%.o: exo/%.c $(MK) exo/test/exhaust/exhaust.mk
	$(call host_compile,$(EXHAUST_CFLAGS))

$(EXHAUST)/core_world.o: $(EXHAUST_CORE_WORLD) exo/test/exhaust/world.ld
	$(Q)$(call say,LD) $(LD) -r -T exo/test/exhaust/world.ld -o $@ $(filter %.o,$^)

$(EXHAUST)/exhaust_core: $(EXHAUST)/core_world.o $(EXHAUST_CORE)
	$(Q)$(call say,HOSTLD) $(HOSTCC) -no-pie -o $@ $^

-include $(patsubst %.o,%.d,$(EXHAUST_CORE_WORLD) $(EXHAUST_CORE))
