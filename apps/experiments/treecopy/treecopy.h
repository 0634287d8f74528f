/*
 * treecopy.h - what the parts share: the tree that is made (tree.c), reading a volume in the order
 * of its blocks (sweep.c), a tree of ext2 by that (own.c), a whole volume (volume.c).
 *
 * Errors end the program (need); one thread.
 */
#ifndef TREECOPY_H
#define TREECOPY_H

#include <stdint.h>
#include <libos/disk.h>

/* ---- tree.c ------------------------------------------------------------------------------- */

struct tree {
	const char *root;
	uint64_t files, kbytes, pieces, seed;
};

void tree_make(const struct tree *t);

/* Files and directories that are not as they were made, or should not be there. */
uint64_t tree_count_wrong(const struct tree *t);

/* ---- sweep.c: many blocks, in the order in which they stand on the disk --------------------- */

/* Opens the extent: its blocks. */
uint64_t sweep_open(const char *extent);

/* The block is wanted, at that address (whole pages), or at one that is found; once is enough. */
void sweep_want(uint64_t block, void *at);

/* Reads all that is wanted and not there yet. */
void sweep_read(void);

/* Where it is; the program ends if it was not wanted. */
void *sweep_at(uint64_t block);

/* ---- own.c, volume.c ------------------------------------------------------------------------ */

/* Copies what the root of the ext2 volume in `extent` has as `name`, to path `to`. */
void own_copy(const char *extent, const char *name, const char *to);

/* Makes the volume in extent `to` the same as the ext2 volume in `from`. */
void volume_copy(const char *from, const char *to);

#endif
