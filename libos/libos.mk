# libos.mk - the library OSes, as one archive per component and variant, to be put together by apps.mk.
#
#   core.a        start-up, calls, upcalls, memory, building: in every program
#   posix.a       the POSIX personality (with newlib's glue); bare.a: the bare one
#   SEAM-VARIANT.a  what implements a seam.  A variant is SEAM/VARIANT.c, with SEAM/VARIANT_*.c; what is
#                   left over in the folder (LIBOS_COMMON_SEAM) is in every variant of it.
#
# A new file in a seam's folder is a new variant; nothing is registered anywhere.

# Loops are not to become calls of the functions that they implement; the compilers spell that differently.
libos_loops   = $(if $(findstring clang,$(1)),-fno-builtin,-fno-tree-loop-distribute-patterns)
LIBOS_CFLAGS  = $(TARGET_CFLAGS) $(call libos_loops,$(CC)) -Ilibos/include -Iexo/include

LIBOS_SEAMS      := fs buf order vm
# What a program gets that says nothing; SEAMS='buf=arc order=cscan' on the command line is for all.
LIBOS_DEFAULTS   := fs=ext2 buf=lru order=fifo vm=demand $(SEAMS)
LIBOS_COMMON_fs  :=
LIBOS_COMMON_buf := arena cache tune write
LIBOS_COMMON_order := queue volume
LIBOS_COMMON_vm  := copy page park ptab region

libos_names    = $(patsubst libos/$(1)/%.c,%,$(wildcard libos/$(1)/*.c))
# Variants of seam $(1): names without '_' that are not common to all.
libos_variants = $(foreach n,$(filter-out $(LIBOS_COMMON_$(1)),$(call libos_names,$(1))),$(if $(findstring _,$(n)),,$(n)))

# Files that run as upcall handlers, where floating-point registers are the program's.
LIBOS_GENERAL += $(addprefix libos/core/,$(addsuffix .c,upcall call start frames memory time console)) \
	$(wildcard libos/vm/*.c libos/posix/*upcall*.c libos/posix/signal*.c)

libos_objs     = $(patsubst %.c,$(O)/%.o,$(filter %.c,$(1))) $(patsubst %.S,$(O)/%.S.o,$(filter %.S,$(1)))

LIBOS_HOSTED_SRCS := libos/core/newlib.c
LIBOS_CORE_SRCS   := $(filter-out $(LIBOS_HOSTED_SRCS),$(wildcard libos/core/*.c)) $(wildcard libos/core/*.S)
LIBOS_SRCS        := $(wildcard libos/core/*.[cS] libos/posix/*.[cS] libos/bare/*.c $(LIBOS_SEAMS:%=libos/%/*.c))
LIBOS_OBJS        := $(call libos_objs,$(LIBOS_SRCS))

$(O)/libos/%.o: libos/%.c $(MK) | $(NEWLIB_STAMP)
	$(call compile,$(LIBOS_CFLAGS) $(if $(filter $<,$(LIBOS_GENERAL)),-mgeneral-regs-only))

$(O)/libos/%.S.o: libos/%.S $(MK)
	$(call compile,-Iexo/include)

# An archive is made anew, so that no object of a file that is gone stays in it.
libos_archive = $(Q)$(call say,AR) mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^

$(O)/libos/core.a: $(call libos_objs,$(LIBOS_CORE_SRCS))
	$(libos_archive)
$(O)/libos/posix.a: $(call libos_objs,$(LIBOS_HOSTED_SRCS) $(wildcard libos/posix/*.[cS]))
	$(libos_archive)
$(O)/libos/bare.a: $(call libos_objs,$(wildcard libos/bare/*.c))
	$(libos_archive)

define libos_variant
$(O)/libos/$(1)-$(2).a: $(call libos_objs,$(wildcard libos/$(1)/$(2).c libos/$(1)/$(2)_*.c) $(LIBOS_COMMON_$(1):%=libos/$(1)/%.c))
	$$(libos_archive)
LIBOS_ARCHIVES += $(O)/libos/$(1)-$(2).a
endef
$(foreach s,$(LIBOS_SEAMS),$(foreach v,$(call libos_variants,$(s)),$(eval $(call libos_variant,$(s),$(v)))))

# The archives for a line such as `posix fs=ext2 buf=lru`; $(2) says whose line it is, for messages.
libos_choice   = $(lastword $(patsubst $(1)=%,%,$(filter $(1)=%,$(LIBOS_DEFAULTS) $(2))))
libos_checked  = $(if $(filter $(2),$(call libos_variants,$(1))),$(O)/libos/$(1)-$(2).a,$(error $(3): there is no $(1)=$(2); \
	there are: $(patsubst %,$(1)=%,$(call libos_variants,$(1)))))
# The bare one has no files, and a cache only where its line names one.
libos_seams_of = $(if $(filter bare,$(1)),$(if $(filter buf=%,$(1)),buf) order vm,$(LIBOS_SEAMS))
libos_parse    = $(if $(filter-out posix bare $(LIBOS_SEAMS:%=%=%),$(1)),$(error $(2): LIBOS has '$(filter-out posix bare \
	$(LIBOS_SEAMS:%=%=%),$(1))'; it is posix or bare, then $(LIBOS_SEAMS:%=%=...))) \
	$(if $(filter 1,$(words $(filter posix bare,$(1)))),,$(error $(2): LIBOS must say posix or bare, not '$(1)'))
libos_link     = $(strip $(call libos_parse,$(1),$(2)) $(O)/libos/core.a $(O)/libos/$(filter posix bare,$(1)).a \
	$(foreach s,$(call libos_seams_of,$(1)),$(call libos_checked,$(s),$(call libos_choice,$(s),$(1)),$(2))))

ALL += $(LIBOS_ARCHIVES)

-include $(wildcard libos/test/*.mk)
-include $(LIBOS_OBJS:.o=.d)
