/*
 * log.h - what the parts of the log variant share: the format on the disk, the state in memory.
 *
 *	log.c        the operations of fs.h: locking, names, attributes; the table
 *	log_block.c  which blocks are whose, copy before change, checkpoints, cleaning
 *	log_tree.c   trees of blocks, and the bytes of files in them
 *	log_node.c   nodes in memory, inodes in the inode file
 *	log_dir.c    directories
 *	log_mount.c  mount, which looks at every block in use; make; the checker
 *
 * Lock: l->fs.lock is held in all functions declared here, but for log_mount and log_make.
 */
#ifndef LOG_H
#define LOG_H

#include <errno.h>
#include <stdint.h>
#include <libos/fs.h>

/* ---- on the disk (little-endian, as the machine is) ---- */

#define LOG_MAGIC   0x3173666c6f674846ull /* "FHlogfs1" */
#define LOG_VERSION 1u

enum {
	LOG_SEGMENT = 64, /* blocks; the first of each is its summary, in segment 0 the third */
	LOG_LEAST = 256,  /* blocks of the smallest volume */
	LOG_RESERVE = 64, /* blocks that only removing may use */
	LOG_MARGIN =
		32,	/* free blocks that are enough for what any operation changes of metadata */
	LOG_FAN = 1024, /* places of a table in a tree */
	LOG_HEIGHT_MAX = 3,
	LOG_INODES = 32,  /* in a block of the inode file */
	LOG_ROOT_INO = 1, /* number 0 is the inode file itself */
	LOG_LINKS = 32000,
};

/* A tree of blocks: `height` levels of tables above the file's own blocks; 0 in a place is a hole.
 */
struct log_tree {
	uint32_t root, height;
	uint32_t count; /* blocks in it, tables too */
	uint32_t ino;	/* whose it is */
};

struct log_checkpoint {
	uint64_t magic;
	uint32_t version;
	uint32_t crc;	 /* CRC-32C of the block, taken with 0 here */
	uint64_t seq;	 /* the one with the higher counts; it stands in block seq % 2 */
	uint64_t blocks; /* of the volume */
	struct log_tree inodes;
	uint32_t inode_blocks; /* of the inode file */
	uint8_t spare[4096 - 52];
};
_Static_assert(sizeof(struct log_checkpoint) == DISK_BLOCK, "one block");

struct log_inode {
	uint32_t mode; /* 0: free; nlink 0: free too, but for who still holds it */
	uint32_t nlink, uid, gid;
	uint64_t size;
	int64_t atime, mtime, ctime;
	uint32_t atime_nsec, mtime_nsec, ctime_nsec;
	uint32_t parent; /* of a directory */
	struct log_tree tree;
	uint8_t spare[48];
};
_Static_assert(sizeof(struct log_inode) * LOG_INODES == DISK_BLOCK, "fills its block");

/* Where a block of a segment belongs: a hint for the cleaner, who looks whether it is still true.
 */
struct log_place {
	uint32_t ino, height, index; /* index: of the first block of the file below it */
};

struct log_dirent {
	uint32_t ino; /* 0: nobody's room */
	uint16_t room;
	uint8_t len, type; /* type: of a mode, shifted by 12 */
	char name[];
};
enum { LOG_DIRENT_HEAD = 8 };

/* ---- in memory ---- */

struct log_node {
	struct fs_node pub;
	struct log_node *next; /* in l->nodes */
	struct log_tree tree;
	uint32_t parent;
	uint32_t dirty; /* newer than the inode file */
	uint64_t ahead; /* a reader that goes on at this block is a sequential one */
};

enum { LOG_BUCKETS = 64 };

struct log {
	struct fs fs;
	uint32_t blocks, segments;
	uint64_t seq;
	uint32_t changing;	 /* inside an operation that changes */
	uint32_t changed;	 /* since the last checkpoint */
	uint32_t unsure;	 /* writing a checkpoint failed: the disk may have it or not */
	uint64_t *now, *durable; /* bits of blocks: in use now; by the checkpoint on the disk */
	uint16_t *busy;		 /* of each segment: blocks in use by either */
	uint32_t used, free;	 /* blocks in use now; in use by neither */
	uint32_t head;		 /* where the next block is looked for */
	uint64_t *inos;		 /* bits of inodes in use */
	uint32_t ino_max, ino_used, ino_next;
	uint32_t inode_blocks;
	struct log_tree inodes;
	struct log_checkpoint *page; /* to write checkpoints from */
	struct log_node *nodes[LOG_BUCKETS], *root;
};

static inline struct log *log_of(const struct fs_ctx *c)
{
	return (struct log *)(void *)c->fs;
}

static inline struct log_node *log_node_of(struct fs_node *n)
{
	return (struct log_node *)(void *)n;
}

static inline uint32_t log_type(const struct log_node *n)
{
	return n->pub.attr.mode & FS_IFMT;
}

static inline int log_bit(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

static inline void log_bit_set(uint64_t *bits, uint32_t i, int value)
{
	bits[i / 64] = (bits[i / 64] & ~(1ull << i % 64)) | (uint64_t)value << i % 64;
}

static inline size_t log_bits_size(uint32_t n)
{
	return ((size_t)n + 63) / 64 * sizeof(uint64_t);
}

/* Bytes that a tree of `height` reaches, in blocks. */
static inline uint64_t log_span(uint32_t height)
{
	return 1ull << 10 * height;
}

/* Blocks that files can have. */
static inline uint32_t log_capacity(const struct log *l)
{
	return l->blocks - l->segments - 2;
}

extern const struct fs_ops fs_log_ops;

/* ---- log_block.c ---- */

/* Damage: read-only from now on.  Returns -EIO. */
int log_bad(struct log *l, const char *what, uint64_t number);
/* Whether no file may have the block: checkpoints and summaries. */
int log_reserved(uint32_t block);
/* Counts busy[], used and free anew. */
void log_count(struct log *l);
/* Whether a file may take one more block. */
int log_room(const struct log *l);
/* Room for what an operation changes, and `want` blocks besides if they can be had. 0 or an error.
 */
int log_begin(struct fs_ctx *c, uint64_t want);
/*
 * Pins the block that *at names, to be changed: a copy of it, if the disk may need the old one, and
 * *at is changed.  A hole becomes a block of zeros.  `whole`: its contents do not matter.
 * log_done() unpins it.
 */
int log_own(struct fs_ctx *c, struct log_tree *t, uint32_t *at, struct log_place p, int whole,
	    struct buf **out);
/* Unpins it when it was changed: dirty from now on, not before, for the cache may write it
 * meanwhile. */
void log_done(struct fs_ctx *c, const struct log_tree *t, struct buf *b);
void log_free_block(struct log *l, uint32_t block);
int log_checkpoint(struct fs_ctx *c);
/* Checkpoint, then empties segments if few are empty. */
int log_sync(struct fs_ctx *c);

/* ---- log_tree.c ---- */

/* Block i of the tree, 0 for a hole; -EIO. */
int log_find(struct fs_ctx *c, const struct log_tree *t, uint64_t i, uint32_t *block);
/* Pins what stands at `height` above block i, to be changed. */
int log_change(struct fs_ctx *c, struct log_tree *t, uint32_t height, uint64_t i, int whole,
	       struct buf **out);
/* Frees the blocks from the `keep`th on. */
int log_cut(struct fs_ctx *c, struct log_tree *t, uint64_t keep);
/* Whether `block` is at the place that the hint says. */
int log_is_at(struct fs_ctx *c, const struct log_tree *t, struct log_place p, uint32_t block);
int64_t log_read(struct fs_ctx *c, struct log_node *n, uint64_t off, void *to, size_t len);
int64_t log_write(struct fs_ctx *c, struct log_node *n, uint64_t off, const void *from, size_t len);
int log_resize(struct fs_ctx *c, struct log_node *n, uint64_t size);

/* ---- log_node.c ---- */

int log_node_get(struct fs_ctx *c, uint32_t ino, struct log_node **out);
int log_node_new(struct fs_ctx *c, uint32_t mode, struct log_node **out);
/* One reference less; the last of one without a name frees it. */
int log_node_put(struct fs_ctx *c, struct log_node *n);
/* Into the inode file. */
int log_node_store(struct fs_ctx *c, struct log_node *n);
int log_node_store_all(struct fs_ctx *c);
void log_node_drop_all(struct log *l);
/* What is wrong with an inode in use, or NULL. */
const char *log_inode_wrong(const struct log *l, const struct log_inode *i);

/* ---- log_dir.c ---- */

struct log_spot {
	uint32_t block, offset; /* of the directory, in the block */
	uint32_t ino;
};

int log_dir_find(struct fs_ctx *c, struct log_node *dir, const char *name, size_t len,
		 struct log_spot *out);
int log_dir_add(struct fs_ctx *c, struct log_node *dir, const char *name, size_t len, uint32_t ino,
		uint32_t mode);
int log_dir_remove(struct fs_ctx *c, struct log_node *dir, const struct log_spot *at);
/* The name at the spot is another inode's from now on. */
int log_dir_replace(struct fs_ctx *c, struct log_node *dir, const struct log_spot *at, uint32_t ino,
		    uint32_t mode);
int log_dir_read(struct fs_ctx *c, struct log_node *dir, uint64_t cookie, struct fs_dirent *ents,
		 unsigned max);

/* ---- log_mount.c ---- */

int log_make(struct disk *d, void *scratch, char message[FS_MESSAGE]);
int log_mount(struct fs_mount *m, struct fs **out);
void log_free(struct log *l);
int log_check(struct fs_ctx *c);

#endif
