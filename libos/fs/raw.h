/*
 * raw.h - what the parts of the raw variant share: the format on the disk, the state in memory.
 *
 *	raw.c       the operations of fs.h: locking, names, attributes; the table
 *	raw_dir.c   the directory on the disk: reading, checking, writing it; mount, make
 *	raw_run.c   runs of blocks and the bytes in them
 *
 * Lock: v->fs.lock is held in all functions declared here, but for raw_mount and raw_make.
 */
#ifndef RAW_H
#define RAW_H

#include <errno.h>
#include <stdint.h>
#include <libos/fs.h>

/* ---- on the disk (little-endian, as the machine is) ---- */

#define RAW_MAGIC   0x3173667761724846ull /* "FHrawfs1" */
#define RAW_VERSION 1u

enum {
	RAW_COPY = 4,		  /* blocks of a copy of the directory; there are two */
	RAW_FIRST = 2 * RAW_COPY, /* first block for files */
	RAW_PLACES = 127,	  /* of the directory; place 0 is the root itself */
	RAW_NAME = 48,
	RAW_LEAST = RAW_FIRST + 1, /* blocks of the smallest volume */
};

struct raw_head {
	uint64_t magic;
	uint32_t version;
	uint32_t crc;	 /* CRC-32C of head and entries in use, taken with 0 here */
	uint64_t seq;	 /* the copy with the higher one counts */
	uint64_t blocks; /* of the volume */
	uint32_t places; /* entries in use: the others are neither written nor read */
	uint8_t spare[92];
};
_Static_assert(sizeof(struct raw_head) == 128, "as on the disk");

struct raw_entry {
	uint64_t size;	 /* bytes */
	uint64_t filled; /* bytes that were written; from there to size it reads as zeros */
	uint64_t start, blocks;
	int64_t atime, mtime, ctime;
	uint32_t atime_nsec, mtime_nsec, ctime_nsec;
	uint32_t uid, gid;
	uint16_t mode; /* 0: the place is free */
	uint8_t len;   /* of name; 0 for the root */
	uint8_t spare;
	char name[RAW_NAME];
};
_Static_assert(sizeof(struct raw_entry) == 128, "as on the disk");

struct raw_copy {
	struct raw_head head;
	struct raw_entry entry[RAW_PLACES];
};
_Static_assert(sizeof(struct raw_copy) == RAW_COPY * DISK_BLOCK, "fills its blocks");

/* ---- in memory ---- */

struct raw_run {
	uint64_t start, blocks;
};

/* A place of the directory: free when attr.mode is 0. */
struct raw_node {
	struct fs_node pub;
	struct raw_run run;
	uint64_t filled;
	uint64_t ahead; /* a reader that goes on here is a sequential one */
	uint8_t len;
	char name[RAW_NAME];
};

/* How much of the directory in memory is newer than on the disk. */
enum raw_dirt { RAW_CLEAN = 0, RAW_TIMES = 1, RAW_SHAPE = 2 };

struct raw {
	struct fs fs; /* fs.dirty is enum raw_dirt */
	uint64_t blocks, seq;
	uint32_t changing;     /* inside an operation that changes */
	uint32_t unsure;       /* writing a directory failed: the disk may have it or not */
	struct raw_copy *copy; /* pages to read and write directories with */
	struct raw_node node[RAW_PLACES];
	struct raw_run durable[RAW_PLACES]; /* of the directory on the disk */
};

static inline struct raw *raw_of(const struct fs_ctx *c)
{
	return (struct raw *)(void *)c->fs;
}

static inline struct raw_node *raw_node_of(struct fs_node *n)
{
	return (struct raw_node *)(void *)n;
}

static inline void raw_dirty(struct raw *v, enum raw_dirt dirt)
{
	if (v->fs.dirty < dirt)
		v->fs.dirty = dirt;
}

extern const struct fs_ops fs_raw_ops;

/* ---- raw_dir.c ---- */

int raw_make(struct disk *d, void *scratch, char message[FS_MESSAGE]);
int raw_mount(struct fs_mount *m, struct fs **out);
/* Data, then the directory if it changed, durably. */
int raw_commit(struct fs_ctx *c);
void raw_free(struct raw *v);

/* ---- raw_run.c ---- */

int64_t raw_read(struct fs_ctx *c, struct raw_node *n, uint64_t off, void *to, size_t len);
int64_t raw_write(struct fs_ctx *c, struct raw_node *n, uint64_t off, const void *from, size_t len);
int raw_resize(struct fs_ctx *c, struct raw_node *n, uint64_t size);
/* Its blocks are nobody's from now on. */
void raw_release(struct raw *v, struct raw_node *n);
uint64_t raw_blocks_free(const struct raw *v);

#endif
