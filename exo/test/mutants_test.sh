#!/bin/sh
# A few of the bugs of mutants.txt, planted: the tests must notice each.  Run from the top folder.
# `make mutate` plants all.
scripts/mutate --quick | sed -n 's/^KILLED /ok mutant /p; t; s/^\([A-Z].*\)/FAIL mutant \1/p'
scripts/mutate --check | sed -n 's/^DOES NOT APPLY \([^:]*\): .*/FAIL mutant \1: cannot be planted any more/p'
