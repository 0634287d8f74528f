LIBOS := bare
PROGRAMS := cache pressure
