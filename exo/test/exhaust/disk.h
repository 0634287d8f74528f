/*
 * disk.h - what the disk's worlds do with the variables that io.c and extent.c keep to themselves.
 *
 * inside_io.c and inside_extent.c are those files of the kernel, as they are, and these functions.
 */
#ifndef EXHAUST_DISK_H
#define EXHAUST_DISK_H

#include "snapshot.h"

/* Take out of the state what cannot matter, see disk.c. */
void inside_io_plain(void);
void inside_extent_plain(void);

/* Is request io of a generation of its extent that is gone? */
int inside_io_stale(uint32_t io);

/* Is the world as in the image, but for who was turned away by a change under way? */
int inside_extent_noted(struct image saved);

/* Does a removal wait for its commit to be tried again? */
int inside_extent_waits(void);

/* The number of the table. */
uint64_t inside_extent_seq(void);

#endif
