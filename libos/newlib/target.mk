# How the C library is built and found, and the flags with which code meets it.
# Read by the top Makefile before every other .mk.  libos/ and apps/ compile with $(TARGET_CFLAGS) and
# link with  $(CC) $(TARGET_LDFLAGS) -o PROGRAM OBJECTS LIBOS $(TARGET_LIBS): the libOS comes first and
# whole, so that its memcpy and friends are found before newlib's.

NEWLIB       := $(O)/newlib
NEWLIB_STAMP := $(O)/newlib.stamp
NEWLIB_SRC   := $(wildcard libos/newlib/* libos/newlib/overlay/include/*.h libos/newlib/overlay/include/*/*.h)

# newlib lives in the user's cache, shared by every build folder; $(NEWLIB) is a link to it.
$(NEWLIB_STAMP): $(NEWLIB_SRC)
	$(Q)mkdir -p $(@D)
	$(Q)libos/newlib/build.sh $(abspath $(O)) $(NEWLIB)
	$(Q)touch $@

# Asked once, and only when first wanted: on a fresh machine gcc is not there yet when this is read.
GCC_LIB = $(eval GCC_LIB := $$(shell gcc -print-file-name=.))$(GCC_LIB)

# Headers: newlib's, then the compiler's own.  $(CC) may be clang: gcc's headers then do not fit.
CC_INCLUDE = $(eval CC_INCLUDE := $$(if $$(findstring clang,$$(CC)),$$(shell $$(CC) -print-resource-dir)/include,$$(shell $$(CC) -print-file-name=include)))$(CC_INCLUDE)

# Neither Linux nor position independent: no loader moves a program.  No AVX: the kernel saves what
# FXSAVE saves.  Frame pointers stay, for backtraces.  TARGET_FIXED is what no program can do without.
TARGET_FIXED  = -fno-pic -fno-pie -mno-avx -fno-stack-protector -fcf-protection=none
TARGET_SYSTEM = -D__freehold__=1 -U__linux__ -U__linux -Ulinux -U__gnu_linux__ \
	-ffunction-sections -fdata-sections -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -fno-common
TARGET_CFLAGS = -std=gnu11 -O2 -g -nostdinc -isystem $(NEWLIB)/include -isystem $(CC_INCLUDE) $(TARGET_SYSTEM) $(TARGET_FIXED)

TARGET_LDFLAGS = -static -no-pie -nostdlib -nostartfiles -Wl,--build-id=sha1 \
	-Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--gc-sections

TARGET_LIBS = -L$(NEWLIB)/lib -Wl,--start-group -lc -lm $(GCC_LIB)/libgcc.a -Wl,--end-group
