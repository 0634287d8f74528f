# Linked with another cache policy than the programs that it would share the cache with.
LIBOS := posix fs=ext2 buf=mru
