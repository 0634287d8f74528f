LIBOS := bare
PROGRAMS := test-libos
