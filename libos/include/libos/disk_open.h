/*
 * disk_open.h - how this program gets a volume (libos/disk.h) from the right to an extent.
 */
#ifndef LIBOS_DISK_OPEN_H
#define LIBOS_DISK_OPEN_H

#include <libos/disk.h>

/*
 * The volume that capability slot `cap` gives the right to: the blocks that the capability covers
 * of extent `extent` (index in the extent table).  0 and *out; -EBADF (no such capability), -EMFILE
 * (DISK_VOLUMES are open).  It stays open for the life of the program and of its forked children.
 */
int disk_open(uint32_t cap, uint32_t extent, struct disk **out);

enum { DISK_VOLUMES = 8 };

#endif
