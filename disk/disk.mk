# disk.mk - fhimage, the host program that makes and inspects images, and its tests.
# fhimage-asan is the same with sanitizers: the tests run it on damaged images.

DISK_CFLAGS   := $(HOST_CFLAGS) -Iexo/include
DISK_SRCS     := $(wildcard disk/*.c)
FHIMAGE       := $(O)/host/fhimage
FHIMAGE_ASAN  := $(O)/host/fhimage-asan
DISK_OBJS     := $(DISK_SRCS:%.c=$(O)/host/%.o)
DISK_ASAN_OBJS := $(DISK_SRCS:%.c=$(O)/host/asan/%.o)

DISK_TESTS    := $(sort $(wildcard disk/test/*_test.py))
HOST_TOOLS    += $(FHIMAGE)
HOST_TESTS    += $(DISK_TESTS)

# Scripts need no building, but what they run does.
$(DISK_TESTS): $(FHIMAGE) $(FHIMAGE_ASAN)

$(FHIMAGE): $(DISK_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) -o $@ $^

$(FHIMAGE_ASAN): $(DISK_ASAN_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

$(O)/host/disk/%.o: disk/%.c $(MK)
	$(call host_compile,$(DISK_CFLAGS))

$(O)/host/asan/disk/%.o: disk/%.c $(MK)
	$(call host_compile,$(DISK_CFLAGS) $(SANITIZE))

-include $(DISK_OBJS:.o=.d) $(DISK_ASAN_OBJS:.o=.d)
