LIBOS := posix
PROGRAMS := conform ext2-only forks quota
LIBOS_ext2-only := posix fs=ext2
LIBOS_quota := posix vm=eager
