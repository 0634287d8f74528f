# libos.mk - the library OSes, as one archive per component and variant, to be put together by apps.mk.
#
#   core.a        start-up, calls, upcalls, memory, building: in every program
#   posix.a       the POSIX personality (with newlib's glue); bare.a: the bare one
#   pthread.a     POSIX threads, and newlib among threads; for programs that make threads
#   SEAM-VARIANT.a  what implements a seam.  A variant is SEAM/VARIANT.c, with SEAM/VARIANT_*.c
#   SEAM.a        what every variant of the seam needs beside it (LIBOS_COMMON_SEAM)
#
# A new file in a seam's folder is a new variant; nothing is registered anywhere.  fs=a,b links several.  A path in place of a
# variant's name is the user's own file: it must define what all variants of that seam define and the
# rest of the libOS uses (libos/sdk/libos.py).

# Loops are not to become calls of the functions that they implement; the compilers spell that differently.
libos_loops   = $(if $(findstring clang,$(1)),-fno-builtin,-fno-tree-loop-distribute-patterns)
LIBOS_CFLAGS  = $(TARGET_CFLAGS) $(call libos_loops,$(CC)) -Ilibos/include -Iexo/include

LIBOS_SEAMS      := fs buf order vm sched
# What a program gets that says nothing; SEAMS='buf=arc order=cscan' on make's command line is for all.
LIBOS_DEFAULTS   := fs=ext2,mem,raw,log buf=lru order=fifo vm=demand sched=rr $(SEAMS)
# The bare one has no files, and a cache only where its line names one.
LIBOS_BARE_SEAMS := order vm
LIBOS_BARE_MAY   := buf
LIBOS_COMMON_fs  :=
LIBOS_COMMON_buf := arena cache give tune write
LIBOS_COMMON_order := queue volume
LIBOS_COMMON_vm  := copy page park policy ptab region
LIBOS_COMMON_sched := detour preempt sync thread tls wait

libos_names    = $(patsubst libos/$(1)/%.c,%,$(wildcard libos/$(1)/*.c))
# Variants of seam $(1): names without '_' that are not common to all.
libos_variants = $(foreach n,$(filter-out $(LIBOS_COMMON_$(1)),$(call libos_names,$(1))),$(if $(findstring _,$(n)),,$(n)))

# Files that run as upcall handlers, where floating-point registers are the program's; and schedulers, whose queues are
# two words that compilers would move by way of a vector register, which takes longer.
LIBOS_GENERAL += $(addprefix libos/core/,$(addsuffix .c,upcall call start frames memory time console)) \
	$(wildcard libos/vm/*.c libos/posix/*upcall*.c libos/posix/signal*.c) $(filter-out libos/sched/thread.c,$(wildcard libos/sched/*.c))

libos_objs     = $(patsubst %.c,$(O)/%.o,$(filter %.c,$(1))) $(patsubst %.S,$(O)/%.S.o,$(filter %.S,$(1)))

LIBOS_HOSTED_SRCS := libos/core/newlib.c
LIBOS_PTHREAD_SRCS := $(wildcard libos/posix/pthread*.c)
LIBOS_CORE_SRCS   := $(filter-out $(LIBOS_HOSTED_SRCS),$(wildcard libos/core/*.c)) $(wildcard libos/core/*.S)
LIBOS_SRCS        := $(wildcard libos/core/*.[cS] libos/posix/*.[cS] libos/bare/*.c $(LIBOS_SEAMS:%=libos/%/*.[cS]))
LIBOS_OBJS        := $(call libos_objs,$(LIBOS_SRCS))

# Variants beside the root's are in most programs and seldom run there, nor do signals: small before fast.
LIBOS_SMALL   := $(wildcard libos/fs/mem*.c libos/fs/raw*.c libos/fs/log*.c libos/posix/signal*.c) libos/posix/mount.c

$(O)/libos/%.o: libos/%.c $(MK) | $(NEWLIB_STAMP)
	$(call compile,$(LIBOS_CFLAGS) $(if $(filter $<,$(LIBOS_SMALL)),-Os) $(if $(filter $<,$(LIBOS_GENERAL)),-mgeneral-regs-only))

$(O)/libos/%.S.o: libos/%.S $(MK)
	$(call compile,-Iexo/include)

# An archive is made anew, so that no object of a file that is gone stays in it.
libos_archive = $(Q)$(call say,AR) mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^

$(O)/libos/core.a: $(call libos_objs,$(LIBOS_CORE_SRCS))
	$(libos_archive)
$(O)/libos/posix.a: $(call libos_objs,$(LIBOS_HOSTED_SRCS) $(filter-out $(LIBOS_PTHREAD_SRCS),$(wildcard libos/posix/*.[cS])))
	$(libos_archive)
$(O)/libos/pthread.a: $(call libos_objs,$(LIBOS_PTHREAD_SRCS))
	$(libos_archive)
$(O)/libos/bare.a: $(call libos_objs,$(wildcard libos/bare/*.c))
	$(libos_archive)

define libos_variant
$(O)/libos/$(1)-$(2).a: $(call libos_objs,$(wildcard libos/$(1)/$(2).c libos/$(1)/$(2)_*.c))
	$$(libos_archive)
LIBOS_ARCHIVES += $(O)/libos/$(1)-$(2).a
endef
define libos_common
$(O)/libos/$(1).a: $(LIBOS_COMMON_$(1):%=$(O)/libos/$(1)/%.o) $(call libos_objs,$(wildcard libos/$(1)/*.S))
	$$(libos_archive)
LIBOS_ARCHIVES += $(O)/libos/$(1).a
endef
libos_commons := $(foreach s,$(LIBOS_SEAMS),$(if $(LIBOS_COMMON_$(s)),$(s)))
LIBOS_ARCHIVES := $(O)/libos/core.a $(O)/libos/posix.a $(O)/libos/pthread.a $(O)/libos/bare.a
$(foreach s,$(LIBOS_SEAMS),$(foreach v,$(call libos_variants,$(s)),$(eval $(call libos_variant,$(s),$(v)))))
$(foreach s,$(libos_commons),$(eval $(call libos_common,$(s))))

# ---- a program's line, such as `posix fs=ext2 buf=lru` -------------------------------------------------
# Words are parted by blanks or commas; one without '=' goes on with the list before it: fs=ext2,raw.
# $(2) says whose line it is, for messages.

libos_comma   := ,
libos_space   := $(subst ,, )
libos_is_word  = $(findstring =,$(1))$(filter posix bare,$(1))
libos_words    = $(subst $(libos_space)$(libos_comma),$(libos_comma),$(strip $(foreach w,$(subst $(libos_comma), ,$(1)),$(if \
	$(call libos_is_word,$(w)),$(w),$(libos_comma)$(w)))))
libos_who      = $(filter posix bare,$(call libos_words,$(1)))
libos_seams_of = $(if $(filter bare,$(libos_who)),$(foreach s,$(LIBOS_BARE_MAY),$(if $(filter $(s)=%,$(call \
	libos_words,$(1))),$(s))) $(LIBOS_BARE_SEAMS),$(filter-out sched,$(LIBOS_SEAMS)))
libos_choice   = $(lastword $(patsubst $(1)=%,%,$(filter $(1)=%,$(LIBOS_DEFAULTS) $(call libos_words,$(2)))))
libos_values   = $(subst $(libos_comma), ,$(call libos_choice,$(1),$(2)))

libos_extra    = $(filter-out posix bare $(foreach s,$(libos_seams_of) sched,$(s)=%),$(call libos_words,$(1)))
libos_parse    = $(if $(filter 1,$(words $(libos_who))),,$(error $(2): LIBOS must say posix or bare, \
	once, not '$(1)')) $(if $(libos_extra),$(error $(2): LIBOS has '$(libos_extra)'; seams of $(libos_who) are: \
	$(strip $(libos_seams_of) sched)))

# The user's own file for seam $(1), $(2), and where its object goes.
libos_is_file  = $(findstring /,$(1))$(filter %.c %.S %.o,$(1))
libos_user_obj = $(O)/libos/user/$(1)-$(subst /,+,$(patsubst ./%,%,$(2))).o
define libos_user
LIBOS_USER += $(call libos_user_obj,$(1),$(2))
$(call libos_user_obj,$(1),$(2)): $(2) $(MK) libos/sdk/libos.py $(LIBOS_ARCHIVES)
	$(if $(filter %.o,$(2)),$$(Q)mkdir -p $$(@D) && cp $$< $$@,$$(call compile,$(LIBOS_CFLAGS) -Ilibos/$(1) $(if $(filter vm,$(1)),-mgeneral-regs-only)))
	$$(Q)$$(PYTHON) libos/sdk/libos.py check $(O)/libos $(1) $(2) $$@
endef
libos_own_file = $(if $(wildcard $(2)),,$(error $(3): $(1)=$(2): there is no such file))$(if $(filter $(LIBOS_USER),$(call \
	libos_user_obj,$(1),$(2))),,$(eval $(call libos_user,$(1),$(2))))$(call libos_user_obj,$(1),$(2))
libos_checked  = $(if $(call libos_is_file,$(2)),$(libos_own_file),$(if $(filter $(2),$(call \
	libos_variants,$(1))),$(O)/libos/$(1)-$(2).a,$(error $(3): there is no $(1)=$(2); \
	there are: $(patsubst %,$(1)=%,$(call libos_variants,$(1))), and files of your own)))

# What is linked, and the line with every seam in it that the program's note tells.  A file of the user's is known
# by its contents, since programs with different ones cannot share what it keeps in shared memory.
libos_link     = $(strip $(libos_parse) $(O)/libos/core.a $(O)/libos/$(libos_who).a \
	$(foreach s,$(libos_seams_of),$(if $(filter $(s),$(libos_commons)),$(O)/libos/$(s).a) $(foreach \
	v,$(call libos_values,$(s),$(1)),$(call libos_checked,$(s),$(v),$(2)))))
libos_tell     = $(if $(call libos_is_file,$(1)),$(notdir $(1))@$(shell sha256sum <$(1) | cut -c 1-8),$(1))
libos_line     = $(strip $(libos_who) $(foreach s,$(libos_seams_of),$(s)=$(subst \
	$(libos_space),$(libos_comma),$(strip $(foreach v,$(call libos_values,$(s),$(1)),$(call libos_tell,$(v)))))))

# Of threads a program gets the objects that it calls, and those only: these archives are not linked whole.
libos_threads  = $(if $(filter posix,$(libos_who)),$(O)/libos/pthread.a) $(O)/libos/sched.a \
	$(call libos_checked,sched,$(call libos_values,sched,$(1)),$(2))

ALL += $(LIBOS_ARCHIVES)

-include $(wildcard libos/test/*.mk)
-include $(LIBOS_OBJS:.o=.d)
