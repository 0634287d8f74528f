/*
 * ext2.h - the file systems that an image begins with, made and checked by e2fsprogs.
 */
#ifndef DISK_EXT2_H
#define DISK_EXT2_H

#include <stdbool.h>
#include <stdint.h>

struct ext2_wish {
	const char *label;
	const char *tree; /* folder to fill it with; NULL: none */
	uint64_t bytes;
	uint32_t block;	 /* bytes: 1024, 2048 or 4096 */
	uint32_t number; /* tells the file systems of one image apart: the end of its UUID */
};

/*
 * Makes the file system in a temporary file beside `near` and returns it open.  The same wish and
 * tree give the same bytes: everything belongs to user and group 0, and every time is the same
 * (SOURCE_DATE_EPOCH, or the start of 2025).  Dies when it cannot be made.
 */
int ext2_make(const struct ext2_wish *wish, const char *near);

/* Is there an ext2 superblock in the file at that place? */
bool ext2_is_at(int fd, uint64_t offset);

/* Reports what `e2fsck -fn` finds in the file system at that place, as problems of `name`. */
void ext2_check(int fd, uint64_t offset, const char *name);

#endif
