LIBOS := posix fs=ext2 buf=lru
