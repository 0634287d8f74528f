LIBOS := posix
PROGRAMS := conform ext2-only forks
LIBOS_ext2-only := posix fs=ext2
