# experiment.mk - the images that experiments boot, and the tests of what runs them.
#
# scripts/experiment gives, on make's command line: LINKED, the folder for one set of libOSes; SEAMS and LIBOS_NAME, the set;
# EXPERIMENT_PROGRAMS, what is in /bin beside the tools that the SDK has too; MANIFEST, FILES, IMAGE_SIZE.

EXPERIMENT_PROGRAMS ?=
EXPERIMENT_IMAGE    := $(LINKED)/disk.img
experiment_apps     := $(patsubst %,$(LINKED)/strip/%,$(sort $(filter-out init,$(SDK_TOOLS)) $(EXPERIMENT_PROGRAMS)))

# Links that nobody debugs: without symbols they are a tenth of the size, and sets are many.
ifneq ($(LINKED),$(O)/apps)
TARGET_LDFLAGS      += -Wl,-s
endif

$(EXPERIMENT_IMAGE): APPS := $(experiment_apps)
$(EXPERIMENT_IMAGE): $(filter-out $(APPS),$(image_parts)) $(experiment_apps) $(if $(FILES),FORCE)
	$(call make_image,$(if $(IMAGE_SIZE),--size '$(IMAGE_SIZE)') $(if $(FILES),--files '$(FILES)'))

experiment-image:
	+$(call build,$(EXPERIMENT_IMAGE))

# What may be on an image; and a libOS on the command line that makes no sense is refused while this is read.
experiment-programs:
	@echo $(filter-out init,$(APPS_BIN) $(APPS_TEST) $(APPS_EXPERIMENT))

HOST_TESTS          += scripts/experiment/test/experiment_test.py
# For make experiment-test: they take a browser, and ssh.
EXPERIMENT_TESTS    := scripts/experiment/test/page_test.py scripts/experiment/test/remote_test.py

.PHONY: experiment-image experiment-programs
