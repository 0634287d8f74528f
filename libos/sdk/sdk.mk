# sdk.mk - the SDK: what it takes to compile for Freehold, and to run that, from any folder without this tree.
#
# `make sdk PREFIX=...` fills a prefix, which may be moved afterwards:
#   bin/                exo-cc, exo-image, exo-run
#   lib/freehold/       config, Python modules, fhimage, note.c, link.specs (no library of the host)
#     include lib       newlib's headers and libraries, with the headers of libOS and kernel
#     libos seams       archives, and the headers that variants of a seam share (libos/libos.mk)
#     boot              loader, kernel, init, manifest; bin/: the shell and the tools
#     tools             those programs but the monitor without their libOS, to be linked with another
#   lib/pkgconfig share/man

PREFIX       ?=
SDK_HOME      = $(SDK_ROOT)/lib/freehold
SDK_ROOT      = $(PREFIX)
SDK_COMMANDS := exo-cc exo-image exo-run
SDK_PYTHON   := libos/sdk/libos.py libos/sdk/sdk.py scripts/emulator.py scripts/terminal.py
# What the manifest starts and is no matter of files: as it is, whatever libOS the others have.
SDK_FIXED    := monitor
# Tools that look at the kernel's tables, or need rights that the usual manifest does not give, stay here.
SDK_TOOLS    := init $(filter-out init attack bystander bench $(SDK_FIXED) rawdisk,$(notdir $(patsubst %/app.mk,%,$(wildcard apps/*/app.mk))))
SDK_PARTIAL  := $(SDK_TOOLS:%=$(O)/sdk/tools/%.o)
SDK_PARTS    := $(SDK_PARTIAL) $(LIBOS_ARCHIVES) $(FHIMAGE) $(LOADER_BIN) $(KERNEL_BIN) $(KERNEL_BYTES) \
	$(filter-out $(O)/apps/strip/init,$(SDK_TOOLS:%=$(O)/apps/strip/%)) $(SDK_FIXED:%=$(O)/apps/strip/%) $(INIT) $(SDK_PYTHON) \
	$(wildcard libos/sdk/*.[1-9] libos/sdk/freehold.pc libos/sdk/link.specs libos/*/*.h libos/include/libos/*.h exo/include/exo/*.h exo/include/exo/*.def) \
	$(SDK_COMMANDS:%=libos/sdk/%) libos/sdk/install libos/note.c disk/freehold.manifest $(NEWLIB_STAMP)

# A program without its libOS: its own objects, and what it uses of apps/lib.
define sdk_partial
$(O)/sdk/tools/$(1).o: $(apps_objs_$(1)) $(apps_lib)
	$$(Q)$$(call say,LD) mkdir -p $$(@D) && $$(LD) -r -S -o $$@ $(apps_objs_$(1)) $(apps_lib)
endef
$(foreach t,$(SDK_TOOLS),$(eval $(call sdk_partial,$(t))))

# What the tools of the SDK read (libos/sdk/sdk.py).  Seams of `shared` keep their state in the POSIX segment.
define sdk_config
seams=$(LIBOS_SEAMS)
bare_seams=$(LIBOS_BARE_SEAMS)
bare_may=$(LIBOS_BARE_MAY)
defaults=$(wordlist 2,99,$(call libos_line,posix)) sched=$(call libos_choice,sched,posix)
shared=fs buf
general=vm
cflags=$(TARGET_SYSTEM)
cflags_last=$(TARGET_FIXED)
ldflags=$(TARGET_LDFLAGS)
endef
export SDK_CONFIG = $(sdk_config)
SDK_INSTALL = O='$(O)' NEWLIB='$(NEWLIB)' SEAMS='$(LIBOS_SEAMS)' TOOLS='$(filter-out init,$(SDK_TOOLS))' FIXED='$(SDK_FIXED)' \
	LOADER='$(LOADER_BIN)' KERNEL='$(KERNEL_BIN)' KERNEL_BYTES='$(KERNEL_BYTES)' PYTHON_FILES='$(SDK_PYTHON)' \
	COMMANDS='$(SDK_COMMANDS)' libos/sdk/install

build-sdk: $(SDK_PARTS)

# The prefix that tests use.
SDK_TEST := $(O)/sdk-test
$(SDK_TEST)/.stamp: $(SDK_PARTS) libos/sdk/sdk.mk
	$(Q)$(call say,SDK) rm -rf $(SDK_TEST) && $(SDK_INSTALL) $(SDK_TEST) && touch $@
TEST_NEEDS += $(SDK_TEST)/.stamp

# SQLite's speed test, for scripts/bench; where its source cannot be had it is not made, and the bench says so.
SPEEDTEST := $(O)/sdk-packages/sqlite3/speedtest1
$(SPEEDTEST): $(SDK_TEST)/.stamp
	$(Q)$(call say,SQLITE) libos/sdk/test/packages --build sqlite3

.PHONY: build-sdk
