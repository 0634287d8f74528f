LIBOS := bare
PROGRAMS := lend borrow
