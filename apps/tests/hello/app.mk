# What the smallest program is with each personality: size and pages (doc/book/6-libos.md).
LIBOS := bare
LIBOS_hello-posix := posix
PROGRAMS := hello-posix hello-bare
