LIBOS := bare
PROGRAMS := twodisks diskhog
