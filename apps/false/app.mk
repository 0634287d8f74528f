LIBOS := posix
