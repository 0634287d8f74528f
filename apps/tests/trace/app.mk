LIBOS := posix
PROGRAMS := test-trace
