LIBOS := posix
PROGRAMS := mount umount
