/*
 * snapshot.h - the world: all variables of the kernel's files and of the machine under them.
 *
 * The linker has put them into one section (world.ld).  From snap_begin() on, pages of it that were
 * never written since are write-protected, so that what nobody copies cannot have changed.  An
 * image is a copy of the world.  Invariant: where a page is still protected, world and all images
 * are as at the beginning.
 */
#ifndef EXHAUST_SNAPSHOT_H
#define EXHAUST_SNAPSHOT_H

#include <stdint.h>

struct image {
	uint8_t *bytes;
};

/* A state in few bytes: the words that differ from the beginning. */
struct packed {
	uint32_t count;
	uint32_t place[];
};

/* Once, when the world is as it shall begin. */
void snap_begin(void);

/* A new image, of the beginning. */
struct image snap_image(void);

/* Copies the world to an image, and back. */
void snap_take(struct image to);
void snap_put(struct image from);

/* Is the world what the image is, bit for bit? */
int snap_same(struct image with);

/* The same, but for n bytes of the world from `at`. */
int snap_same_but(struct image with, void *at, uint32_t n);

/* A number that equal worlds have in common, and others do not but by a chance of 2^-64. */
uint64_t snap_hash(void);

/* The world, packed (to be freed), and unpacked to an image. */
struct packed *snap_pack(void);
void snap_unpack(const struct packed *from, struct image to);

/* Is this an address in the world?  Then it may be written from now on. */
int snap_touch(const void *address);

#endif
