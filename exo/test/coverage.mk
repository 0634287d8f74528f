# coverage.mk - what `make coverage` counts the branches of exo/kern with: all host tests of it, built
# below $(O)/coverage.

COVERAGE_TESTS  := $(CORE_TESTS) $(FUZZ_CORE) $(DEV_TESTS) $(FUZZ_DISK)
COVERAGE_O      := $(O)/coverage
COVERAGE_BUILT  := $(COVERAGE_TESTS:$(O)/%=$(COVERAGE_O)/%)

build-coverage: $(COVERAGE_TESTS)
.PHONY: build-coverage
