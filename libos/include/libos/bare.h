/*
 * bare.h - what a program on the bare libOS has besides the C library's string functions.
 *
 * Owns nothing.  Errors are negative errnos (their numbers are newlib's).  For programs.
 */
#ifndef LIBOS_BARE_H
#define LIBOS_BARE_H

#include <stddef.h>
#include <stdint.h>
#include <libos/disk.h>
#include <libos/time.h>

/*
 * Prints on the console: %s a string, %d int64_t, %u and %x uint64_t (cast!), %% a percent sign.
 * No widths.
 */
void bare_print(const char *format, ...);

/* A decimal number, the whole string: 0 or -EINVAL. */
int bare_number(const char *text, uint64_t *n);

/* The volume of the extent that this program was given under `name`: 0 or -ENOENT. */
int bare_open(const char *name, struct disk **out);

/*
 * Reads or writes `count` <= DISK_MAX_BLOCKS blocks from or to `buffer` (page aligned), or flushes
 * (count 0), and waits.
 */
int bare_transfer(struct disk *d, enum disk_op op, uint64_t block, uint32_t count, void *buffer);

/* Zeroed memory of `count` pages, NULL when there is none. */
void *bare_pages(uint32_t count);

#endif
