# apps.mk - the programs: one folder each, linked with the library OS that its app.mk names.
#
# apps/NAME/app.mk (also in apps/tests, apps/bench, apps/examples, apps/experiments) says
#   LIBOS := posix fs=ext2 buf=lru      or   LIBOS := bare
#   PROGRAMS := a b                     optional: each of a.c, b.c is a program; else all files are one, NAME
#   VARIANTS := buf                     optional: that one is linked with each variant of a seam, as NAME-VARIANT
# and `make LIBOS_NAME='posix vm=eager'` replaces it.  In place of a variant's name a path may stand:
# `buf=./mine.c`, from the folder of the app.mk, or on the command line from the top folder.  Programs see libos/include and apps/lib; only
# those of APPS_EXO (folders, or a file of apps/lib) also see the kernel's headers, because they test, attack, inspect or demonstrate it.
#
#   $(LINKED)/bin/NAME     with symbols, for debuggers and profilers
#   $(LINKED)/strip/NAME   for the image
#
# LINKED is $(O)/apps.  Who wants the same objects linked with other libOSes side by side gives a folder of his own (scripts/experiment).
# Programs of apps/tests go on the image of the tests, those of apps/experiments on the images of experiments that name them,
# and on those that tests make of all that is there.

LINKED     ?= $(O)/apps
APPS_EXO   := tests bench examples experiments attack bystander exotop init monitor trace measure lib/soak
APPS_CFLAGS = $(TARGET_CFLAGS) -Ilibos/include -Iapps/lib

apps_mks   := $(wildcard apps/*/app.mk apps/tests/*/app.mk apps/bench/*/app.mk apps/examples/*/app.mk apps/experiments/*/app.mk)
apps_lib   := $(O)/apps/lib/lib.a
# On which image a program is, by its first source.
apps_kind   = $(if $(filter apps/tests/%,$(1)),TEST,$(if $(filter apps/experiments/%,$(1)),EXPERIMENT,BIN))
apps_top    = $(firstword $(subst /, ,$(1)))

# One folder: $(1) is its path, $(2) its name.
define apps_folder
LIBOS :=
PROGRAMS :=
VARIANTS :=
include $(1)/app.mk
$$(foreach p,$$(or $$(PROGRAMS),$(2)),$$(if $$(LIBOS_$$(p)),,$$(eval LIBOS_$$(p) := $$(subst =./,=$(1)/,$$(LIBOS)) $$(if $$(filter posix,$$(LIBOS)),$$(SEAMS),))))
$$(foreach v,$$(if $$(VARIANTS),$$(call libos_variants,$$(VARIANTS))),$$(eval LIBOS_$(2)-$$(v) := $$(LIBOS) $$(VARIANTS)=$$(v))$$(eval $$(call apps_program,$(2)-$$(v),$$(wildcard $(1)/*.[cS]))))
$$(if $$(VARIANTS),,$$(if $$(PROGRAMS),$$(foreach p,$$(PROGRAMS),$$(eval $$(call apps_program,$$(p),$(1)/$$(p).c))),$$(eval $$(call apps_program,$(2),$$(filter-out $$(subst =, ,$$(LIBOS_$(2))),$$(wildcard $(1)/*.[cS]))))))
endef

# One program: $(1) is its name, $(2) its sources.
define apps_program
apps_objs_$(1) := $$(call libos_objs,$(2))
apps_libs_$(1) := $$(call libos_link,$$(LIBOS_$(1)),$(1))
apps_threads_$(1) := $$(call libos_threads,$$(LIBOS_$(1)),$(1))
apps_line_$(1) := $$(call libos_line,$$(LIBOS_$(1))) sched=$$(call libos_choice,sched,$$(LIBOS_$(1)))
APPS_OBJS += $$(apps_objs_$(1))
APPS_$(call apps_kind,$(firstword $(2))) += $(1)
$(LINKED)/bin/$(1): $$(apps_objs_$(1)) $$(apps_libs_$(1)) $$(apps_threads_$(1)) $(apps_lib) $(LINKED)/bin/$(1).note.o
	$$(Q)$$(call say,LINK) mkdir -p $$(@D) && $$(CC) $$(TARGET_LDFLAGS) -o $$@ $$(apps_objs_$(1)) $$@.note.o \
		-Wl,--whole-archive $$(apps_libs_$(1)) -Wl,--no-whole-archive $(apps_lib) \
		-Wl,--start-group $$(apps_threads_$(1)) -Wl,--end-group $$(TARGET_LIBS)
$(LINKED)/bin/$(1).note.o: libos/note.c $(LINKED)/bin/$(1).libos $(MK) | $(NEWLIB_STAMP)
	$$(call compile,$(LIBOS_CFLAGS) -DLIBOS_LINE='"$$(call libos_line,$$(LIBOS_$(1)))"')
$(LINKED)/bin/$(1).libos: FORCE
	$$(Q)mkdir -p $$(@D); echo '$$(apps_line_$(1))' | cmp -s - $$@ || echo '$$(apps_line_$(1))' >$$@
endef

$(foreach m,$(apps_mks),$(eval $(call apps_folder,$(patsubst %/app.mk,%,$(m)),$(notdir $(patsubst %/app.mk,%,$(m))))))

$(O)/apps/%.o: apps/%.c $(MK) | $(NEWLIB_STAMP)
	$(call compile,$(APPS_CFLAGS) $(if $(filter $(APPS_EXO),$(call apps_top,$*) $*),-Iexo/include))

$(O)/apps/%.S.o: apps/%.S $(MK)
	$(call compile,-Iexo/include)

$(LINKED)/strip/%: $(LINKED)/bin/%
	$(Q)mkdir -p $(@D) && $(OBJCOPY) -S $< $@

$(apps_lib): $(call libos_objs,$(wildcard apps/lib/*.c))
	$(libos_archive)

HOST_TESTS += scripts/check-claims
INIT := $(LINKED)/bin/init
APPS += $(patsubst %,$(LINKED)/strip/%,$(filter-out init,$(APPS_BIN)))
ALL += $(patsubst %,$(LINKED)/bin/%,$(APPS_EXPERIMENT))
TEST_NEEDS += $(patsubst %,$(LINKED)/strip/%,$(APPS_EXPERIMENT))
TEST_APPS += $(patsubst %,$(LINKED)/strip/%,$(APPS_TEST))

FORCE:
.PHONY: FORCE

-include $(wildcard $(LINKED)/bin/*.note.d) $(APPS_OBJS:.o=.d) $(patsubst apps/lib/%.c,$(O)/apps/lib/%.d,$(wildcard apps/lib/*.c))
