/*
 * init.h - the first program, from a static ELF file to the form that the kernel enters.
 * Used by `fhimage make`.
 */
#ifndef DISK_INIT_H
#define DISK_INIT_H

#include "bytes.h"

/* Most memory that the first program may ask for, in pages: 64 MiB. */
enum { INIT_MAX_PAGES = 16384 };

/*
 * Struct exo_init in a page of its own and the segments' pages after it, ready for the image.
 * Dies, naming path, on anything that is not a static x86-64 program in the lower half whose
 * segments are apart, page by page, and never both writable and executable.
 */
struct bytes init_from_elf(const char *path);

#endif
