# exhaust.mk - every sequence of calls at small scale: the kernel's own C files, whose variables are
# linked into one section that can be copied, driven through all states of small worlds.
#
# Without sanitizers, for speed: the same files run under them in the other host tests.

EXHAUST_CFLAGS := $(HOST_CFLAGS) -fdata-sections -fno-pie $(EXO_INCLUDE) -DNFRAME=512
EXHAUST        := $(O)/exo/test/exhaust
EXHAUST_ENGINE := $(addprefix $(EXHAUST)/obj/test/,exhaust/engine.o exhaust/moves.o exhaust/outcome.o exhaust/snapshot.o exhaust/form.o seen.o)

# Each program: what is in its world, and what is not.
EXHAUST_CORE_WORLD := $(patsubst exo/%.c,$(EXHAUST)/obj/%.o,$(filter exo/kern/%,$(CORE_TEST_SRCS)) exo/test/machine_host.c)
EXHAUST_CORE       := $(EXHAUST_ENGINE) $(addprefix $(EXHAUST)/obj/test/exhaust/,core.o scene.o pages.o tables.o life.o \
	cpu.o group.o ipc.o revoke.o trace.o)

EXHAUST_DISK_WORLD := $(patsubst exo/%.c,$(EXHAUST)/obj/%.o,$(filter exo/kern/%,$(filter-out %/io.c %/extent.c,$(DEV_TEST_SRCS))) \
	exo/test/dev/fake.c) $(EXHAUST)/obj/test/exhaust/inside_io.o $(EXHAUST)/obj/test/exhaust/inside_extent.o
EXHAUST_DISK       := $(EXHAUST_ENGINE) $(EXHAUST)/obj/test/exhaust/disk.o

EXHAUSTS           := $(EXHAUST)/exhaust_core $(EXHAUST)/exhaust_disk
HOST_TESTS         += $(EXHAUSTS)

$(EXHAUST)/obj/%.o: exo/%.c $(MK) exo/test/exhaust/exhaust.mk
	$(call host_compile,$(EXHAUST_CFLAGS))

$(EXHAUST)/core_world.o: $(EXHAUST_CORE_WORLD)
$(EXHAUST)/disk_world.o: $(EXHAUST_DISK_WORLD)
$(EXHAUST)/%_world.o: exo/test/exhaust/world.ld
	$(Q)$(call say,LD) $(LD) -r -T exo/test/exhaust/world.ld -o $@ $(filter %.o,$^)

$(EXHAUST)/exhaust_core: $(EXHAUST_CORE)
$(EXHAUST)/exhaust_disk: $(EXHAUST_DISK)
$(EXHAUSTS): $(EXHAUST)/exhaust_%: $(EXHAUST)/%_world.o
	$(Q)$(call say,HOSTLD) $(HOSTCC) -no-pie -o $@ $^

-include $(patsubst %.o,%.d,$(EXHAUST_CORE_WORLD) $(EXHAUST_CORE) $(EXHAUST_DISK_WORLD) $(EXHAUST_DISK))
