# Functions whose instructions can be counted by hand, in a region and out of it: profile_test.py asks for the counts.
LIBOS := posix
PROGRAMS := counted switching
