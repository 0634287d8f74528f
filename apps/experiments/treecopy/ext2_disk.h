/*
 * ext2_disk.h - of ext2's format on the disk, what a reader with 4 KiB blocks needs: a program that
 * goes past the file system knows it by itself.
 */
#ifndef EXT2_DISK_H
#define EXT2_DISK_H

#include <stdint.h>

enum {
	EXT2_BLOCK = 4096,
	EXT2_MAGIC = 0xef53,
	EXT2_LOG_BLOCK = 2, /* super.log_block: 1024 << 2 */
	EXT2_ROOT = 2,
	EXT2_DIRECT = 12,
	EXT2_POINTERS = EXT2_BLOCK / 4, /* in a block of them */
	EXT2_SUPER_AT = 1024,		/* in block 0 */
	EXT2_FILETYPE = 2,		/* super.incompat: the one that is understood */
	EXT2_DIRECTORY = 2,		/* dirent.type */
	EXT2_MODE_TYPE = 0170000,
	EXT2_MODE_FILE = 0100000,
	EXT2_MODE_DIRECTORY = 0040000,
};

struct ext2_super {
	uint32_t inodes, blocks, reserved, free_blocks, free_inodes, first_block, log_block,
		log_frag;
	uint32_t blocks_per_group, frags_per_group, inodes_per_group, mtime, wtime;
	uint16_t mounts, most_mounts, magic, state, errors, minor;
	uint32_t last_check, interval, creator, revision;
	uint16_t uid, gid;
	uint32_t first_inode;
	uint16_t inode_size, group;
	uint32_t compat, incompat;
};

struct ext2_group {
	uint32_t block_bitmap, inode_bitmap, inode_table;
	uint16_t free_blocks, free_inodes, directories, flags;
	uint32_t rest[3];
};
_Static_assert(sizeof(struct ext2_group) == 32, "as on the disk");

struct ext2_inode {
	uint16_t mode, uid;
	uint32_t size, atime, ctime, mtime, dtime;
	uint16_t gid, links;
	uint32_t sectors, flags, reserved;
	uint32_t block[EXT2_DIRECT], single, twice, thrice;
	uint32_t generation, file_acl, size_high;
};
_Static_assert(sizeof(struct ext2_inode) == 112, "as on the disk");

struct ext2_dirent {
	uint32_t inode;
	uint16_t length;
	uint8_t name_length, type;
	char name[];
};

/* Of the open volume (sweep.h): its head, or the end of the program if it is not such a one. */
const struct ext2_super *ext2_head(uint64_t volume_blocks);
const struct ext2_group *ext2_groups(void);
uint32_t ext2_group_count(const struct ext2_super *s);

#endif
