/*
 * ext2.h - what the parts of the ext2 variant share: the format on the disk, the state in
 * memory, who provides what.
 *
 *	ext2.c        the operations of fs.h: locking, names, attributes; the table
 *	ext2_super.c  mount, unmount, sync, groups' descriptors, errors, blocks through the cache
 *	ext2_alloc.c  the bitmaps
 *	ext2_inode.c  nodes in memory and inodes on the disk
 *	ext2_map.c    from a file's block to the disk's, and back to free
 *	ext2_file.c   bytes of files
 *	ext2_dir.c    directories
 *	ext2_name.c   the cache of names
 *
 * Invariant: whatever was read from the disk is checked before it is used as an index, a length
 * or a block number; what does not pass goes to ext2_bad, which makes the file system read-only
 * and returns -EIO.
 * Lock: e->fs.lock is held in all functions declared here but ext2_walk.
 */
#ifndef EXT2_H
#define EXT2_H

#include <errno.h>
#include <stdint.h>
#include <libos/fs.h>

/* ---- on the disk (little-endian, as the machine is) ---- */

#define EXT2_MAGIC	0xef53u
#define EXT2_ROOT_INO	2u
#define EXT2_LINK_MAX	32000u
#define EXT2_NDIRECT	12u
#define EXT2_NPOINTERS	15u
#define EXT2_FAST_MAX	60u /* bytes of a symbolic link inside the inode */
#define EXT2_VALID	1u  /* super.state */
#define EXT2_ERROR	2u
#define EXT2_FILETYPE	2u /* super.incompat: the one that is understood */
#define EXT2_SPARSE	1u /* super.ro_compat: the two that are */
#define EXT2_LARGE	2u
#define EXT2_INDEX_FL	0x1000u /* inode.flags */
#define EXT2_EXTENTS_FL 0x80000u
#define EXT2_XATTR	0xea020000u

struct ext2_super {
	uint32_t inodes_count, blocks_count, r_blocks_count, free_blocks, free_inodes;
	uint32_t first_data_block, log_block_size, log_frag_size;
	uint32_t blocks_per_group, frags_per_group, inodes_per_group;
	uint32_t mtime, wtime;
	uint16_t mnt_count, max_mnt_count, magic, state, errors, minor_rev;
	uint32_t lastcheck, checkinterval, creator_os, rev_level;
	uint16_t def_resuid, def_resgid;
	uint32_t first_ino;
	uint16_t inode_size, block_group_nr;
	uint32_t compat, incompat, ro_compat;
	uint8_t rest[1024 - 104];
};
_Static_assert(sizeof(struct ext2_super) == 1024, "as on the disk");

struct ext2_desc {
	uint32_t block_bitmap, inode_bitmap, inode_table;
	uint16_t free_blocks, free_inodes, used_dirs, flags;
	uint32_t rest[3];
};
_Static_assert(sizeof(struct ext2_desc) == 32, "as on the disk");

struct ext2_inode {
	uint16_t mode, uid;
	uint32_t size, atime, ctime, mtime, dtime;
	uint16_t gid, links;
	uint32_t blocks, flags, osd1;
	uint32_t block[EXT2_NPOINTERS];
	uint32_t generation, file_acl, size_high, faddr;
	uint16_t osd2_frag, pad1, uid_high, gid_high;
	uint32_t reserved2;
	/* from here on only in inodes larger than 128 bytes, as far as extra_isize says */
	uint16_t extra_isize, pad2;
	uint32_t ctime_extra, mtime_extra, atime_extra, crtime, crtime_extra;
};
_Static_assert(sizeof(struct ext2_inode) == 152, "as on the disk");
#define EXT2_INODE_SMALL 128u
#define EXT2_EXTRA_TIMES 24u /* least extra_isize that has the three extra times and crtime */

struct ext2_dirent {
	uint32_t ino;
	uint16_t rec_len;
	uint8_t name_len, type;
	char name[];
};
#define EXT2_DIRENT_HEAD 8u

/* ---- in memory ---- */

struct ext2_group {
	uint32_t block_bitmap, inode_bitmap, inode_table;
	uint32_t free_blocks, free_inodes, dirs;
	uint32_t next; /* bit where the next file had best begin */
	uint8_t has_super, dirty;
	uint16_t flags;
};

struct ext2_node {
	struct fs_node pub;
	struct ext2_node *hash_next;
	struct ext2_node *lru_prev, *lru_next;	   /* while refs is 0 */
	struct ext2_node *dirty_prev, *dirty_next; /* while dirty */
	uint32_t ino;
	uint8_t dirty;
	uint8_t fresh; /* never written: the inode on the disk is somebody's old one */
	uint16_t extra_isize;
	uint32_t block[EXT2_NPOINTERS];
	uint32_t flags, file_acl, generation, dtime;
	uint32_t run_first, run_block, run_len; /* the run of blocks mapped last */
	struct buf_stream ahead;
	uint32_t insert_at, insert_offset; /* where in a directory the search for room begins */
	uint64_t id;	   /* of this node's names in the cache of names, which hashes by it */
	uint64_t complete; /* epoch in which all of them are there, or 0 */
};

struct ext2_name;

struct ext2 {
	struct fs fs;
	struct ext2_super super;
	uint32_t bs, bs_log; /* bytes of a block */
	uint32_t per_log;    /* log2 of pointers in a block */
	uint32_t first_ino, inode_size, itable_blocks, desc_block, desc_blocks;
	uint32_t groups_count;
	uint32_t clean;	    /* it was clean when mounted and no error was seen since */
	uint32_t marked;    /* the disk says that it is in use */
	uint32_t failed;    /* an error was seen */
	uint32_t orphans;   /* unlinked nodes still held */
	uint32_t changing;  /* inside an operation that changes … */
	struct fs_time now; /* … since */
	struct ext2_group *groups;
	struct ext2_node **nodes; /* [node_mask + 1] */
	uint32_t node_mask, node_count, node_max;
	uint32_t name_mask;
	struct ext2_node *lru_first, *lru_last; /* unreferenced; first was put last */
	struct ext2_node *dirty_first;
	struct ext2_name **names; /* [name_mask + 1] */
	uint64_t name_bytes, name_bytes_max, epoch, next_id;
	struct ext2_node *root;
};

static inline struct ext2 *ext2_of(const struct fs_ctx *c)
{
	return (struct ext2 *)(void *)c->fs;
}

static inline struct ext2_node *ext2_node_of(struct fs_node *n)
{
	return (struct ext2_node *)(void *)n;
}

static inline uint32_t ext2_type_of(const struct ext2_node *n)
{
	return n->pub.attr.mode & FS_IFMT;
}

static inline int ext2_is_dir(const struct ext2_node *n)
{
	return ext2_type_of(n) == FS_IFDIR;
}

/* A block of the file system, pinned in the cache. */
struct ext2_block {
	struct buf *buf;
	uint8_t *data; /* e->bs bytes */
};

/* ---- ext2.c ---- */

/* Somebody died inside. */
void ext2_recover(struct fs_ctx *c);

/* Around each operation, once. */
static inline void ext2_enter(struct fs_ctx *c)
{
	if (lock_acquire(&c->fs->lock) == LOCK_STOLEN)
		ext2_recover(c);
}

static inline void ext2_leave(struct fs_ctx *c)
{
	ext2_of(c)->changing = 0;
	lock_release(&c->fs->lock);
}

/* ---- ext2_super.c ---- */

int ext2_mount(struct fs_mount *m, struct fs **out);
int ext2_unmount(struct fs_ctx *c, int force);
int ext2_sync(struct fs_ctx *c);
/* At the end of an operation that changed something: writes what the bounds on dirt want. */
int ext2_settle(struct fs_ctx *c, enum buf_want want);
int ext2_statfs(struct fs_ctx *c, struct fs_statfs *out);

/* Says on the disk that it is in use, before the first change. */
int ext2_mark(struct fs_ctx *c);

/* Damage: read-only from now on, with `what` and `number` as the message. Returns -EIO. */
void ext2_damaged(struct ext2 *e, const char *what, uint64_t number);

/* The same, as the answer of who found it. */
static inline int ext2_bad(struct ext2 *e, const char *what, uint64_t number)
{
	ext2_damaged(e, what, number);
	return -EIO;
}

/* Pins block `p`, which the caller has checked: as `mode` says / with its contents / zeroed, and
 * dirty on behalf of `tag`. */
static inline int ext2_get_as(struct fs_ctx *c, uint32_t p, enum buf_mode mode,
			      struct ext2_block *out)
{
	const struct ext2 *e = ext2_of(c);
	const uint64_t at = (uint64_t)p << e->bs_log;
	const int status = buf_get(e->fs.cache, c->disk, at / DISK_BLOCK, mode, &out->buf);

	if (status != 0)
		return status == -ERANGE ? -EIO : status;
	out->data = (uint8_t *)out->buf->data + at % DISK_BLOCK;
	return 0;
}

static inline int ext2_get(struct fs_ctx *c, uint32_t p, struct ext2_block *out)
{
	return ext2_get_as(c, p, BUF_READ, out);
}

int ext2_get_zeroed(struct fs_ctx *c, uint32_t p, uint32_t tag, struct ext2_block *out);

static inline void ext2_put(struct ext2_block *b)
{
	buf_put(b->buf);
}

static inline void ext2_dirty(struct fs_ctx *c, struct ext2_block *b, uint32_t tag)
{
	buf_dirty(ext2_of(c)->fs.cache, b->buf, tag);
}

/* Whether blocks [p, p + n) exist and hold none of the groups' own tables. */
int ext2_block_ok(const struct ext2 *e, uint32_t p, uint32_t n);

/* ---- ext2_alloc.c ---- */

/* Up to `want` consecutive free blocks, from `goal` on if possible: first one and count out.
 * -ENOSPC. */
int ext2_block_alloc(struct fs_ctx *c, uint32_t goal, uint32_t want, uint32_t *first,
		     uint32_t *got);
int ext2_block_free(struct fs_ctx *c, uint32_t p, uint32_t n);
int ext2_ino_alloc(struct fs_ctx *c, uint32_t parent, int is_dir, uint32_t *ino);
int ext2_ino_free(struct fs_ctx *c, uint32_t ino, int is_dir);
/* Where blocks of inode `ino` had best be. */
uint32_t ext2_goal_of(const struct ext2 *e, uint32_t ino);

/* ---- ext2_inode.c ---- */

/* The node of `ino`, with a reference. */
int ext2_node_get(struct fs_ctx *c, uint32_t ino, struct ext2_node **out);
/* The node of `ino` if it is in memory, or NULL. */
static inline struct ext2_node *ext2_node_here(const struct ext2 *e, uint32_t ino)
{
	struct ext2_node *n = e->nodes[ino & e->node_mask];

	while (n != NULL && n->ino != ino)
		n = n->hash_next;
	return n;
}
/* A new inode beside `parent`, with a reference, one link (a directory: two), no blocks. */
int ext2_node_new(struct fs_ctx *c, struct ext2_node *parent, uint32_t mode,
		  struct ext2_node **out);
/* One reference less; frees the inode if no name and no reference is left. */
int ext2_node_put(struct fs_ctx *c, struct ext2_node *n);
/* The first reference comes. */
void ext2_node_taken(struct ext2 *e, struct ext2_node *n);
/* One reference more. */
static inline void ext2_node_ref(struct ext2 *e, struct ext2_node *n)
{
	if (n->pub.refs++ == 0)
		ext2_node_taken(e, n);
}
/* Changed in memory. */
void ext2_node_dirty(struct ext2 *e, struct ext2_node *n);
/* To the cache: one / all dirty ones. */
int ext2_node_write(struct fs_ctx *c, struct ext2_node *n);
int ext2_node_write_all(struct fs_ctx *c);
/* The block of the inode table that holds `ino`. */
uint32_t ext2_itable_block(const struct ext2 *e, uint32_t ino);
/* One link less at `n`. */
void ext2_node_unlink(struct ext2 *e, struct ext2_node *n, uint32_t links);
/* Drops every node; for unmount. */
void ext2_node_drop_all(struct ext2 *e);
/* Makes the list of unreferenced nodes anew. */
void ext2_node_recover(struct ext2 *e);
/* Sets ctime and, for EXT2_TOUCH_M, mtime too. */
enum ext2_touch { EXT2_TOUCH_C, EXT2_TOUCH_CM };
void ext2_touch(struct ext2 *e, struct ext2_node *n, enum ext2_touch what);

/* ---- ext2_map.c ---- */

enum ext2_how { EXT2_LOOK, EXT2_FILL };

/* A run of a file's blocks: `block` is 0 for a hole; `fresh` if it was allocated just now. */
struct ext2_run {
	uint32_t block, len;
	int fresh;
};

/* How many blocks, from `lblk` on, are in the run that was mapped last. */
static inline uint32_t ext2_known(const struct ext2_node *n, uint32_t lblk)
{
	const uint32_t in = lblk - n->run_first;

	return in < n->run_len && n->run_first + n->run_len > n->run_first ? n->run_len - in : 0;
}

/* ext2_map's way when the blocks are not in the run that was mapped last. */
int ext2_map_slowly(struct fs_ctx *c, struct ext2_node *n, uint32_t lblk, uint32_t want,
		    enum ext2_how how, struct ext2_run *run);

/* Maps `lblk` and up to `want` - 1 after it. EXT2_FILL allocates what is missing. */
static inline int ext2_map(struct fs_ctx *c, struct ext2_node *n, uint32_t lblk, uint32_t want,
			   enum ext2_how how, struct ext2_run *run)
{
	const uint32_t len = ext2_known(n, lblk);

	if (len == 0 || (len < want && want != 1 && how != EXT2_FILL))
		return ext2_map_slowly(c, n, lblk, want, how, run);
	*run = (struct ext2_run){n->run_block + (lblk - n->run_first), len < want ? len : want, 0};
	return 0;
}
/* Frees the file's blocks from `keep` on. */
int ext2_unmap(struct fs_ctx *c, struct ext2_node *n, uint32_t keep);
/* The most bytes a file can have. */
uint64_t ext2_size_max(const struct ext2 *e);

/* ---- ext2_file.c ---- */

int64_t ext2_file_read(struct fs_ctx *c, struct ext2_node *n, uint64_t off, void *to, size_t len);
int64_t ext2_file_write(struct fs_ctx *c, struct ext2_node *n, uint64_t off, const void *from,
			size_t len);
int ext2_file_resize(struct fs_ctx *c, struct ext2_node *n, uint64_t size);
int ext2_file_advise(struct fs_ctx *c, struct ext2_node *n, uint64_t off, uint64_t len,
		     enum fs_advice advice);
/* Reads ahead, if the reader of `lblk` and `want` - 1 more, which were not, looks like a sequential
 * one. */
void ext2_ahead(struct fs_ctx *c, struct ext2_node *n, uint32_t lblk, uint32_t want);

/* ---- ext2_dir.c ---- */

/* What a name names, and where it stands: in which block of the directory, where in it. */
struct ext2_place {
	uint32_t ino, block;
	uint16_t offset;
	uint8_t type;
	uint32_t hash; /* the cache of names' */
};

/* Looks `name` up (not "." or ".."). -ENOENT. */
int ext2_dir_find(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
		  struct ext2_place *out);
int ext2_dir_add(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
		 uint32_t ino, uint32_t mode);
int ext2_dir_remove(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
		    const struct ext2_place *at);
/* Lets the name at `at` name another inode. */
int ext2_dir_replace(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
		     const struct ext2_place *at, uint32_t ino, uint32_t mode);
/* 1 or 0, or an error. */
int ext2_dir_empty(struct fs_ctx *c, struct ext2_node *dir);
/* Writes "." and ".." into the new directory `dir`. */
int ext2_dir_make(struct fs_ctx *c, struct ext2_node *dir, uint32_t parent);
/* What ".." names / names from now on. */
int ext2_dir_parent(struct fs_ctx *c, struct ext2_node *dir, uint32_t *ino);
int ext2_dir_reparent(struct fs_ctx *c, struct ext2_node *dir, uint32_t parent);
int ext2_dir_read(struct fs_ctx *c, struct ext2_node *dir, uint64_t cookie, struct fs_dirent *ents,
		  unsigned max);

/* ---- ext2_name.c ---- */

/* 0; -ENOENT: there is no such name; -EAGAIN: the directory's blocks must be asked. */
int ext2_name_find(const struct ext2 *e, const struct ext2_node *dir, const char *name, size_t len,
		   struct ext2_place *out);
/* Remembers a name, unless it is there, and sets p->hash; it may forget all others first. */
void ext2_name_add(struct ext2 *e, const struct ext2_node *dir, const char *name, size_t len,
		   struct ext2_place *p);
/* Forgets the one that stands at `p`, which find or add has given. */
void ext2_name_remove(struct ext2 *e, const struct ext2_node *dir, const struct ext2_place *p);
/* Forgets all. */
void ext2_names_flush(struct ext2 *e);
/* fs_ops.walk; takes the lock. */
enum fs_walked ext2_walk(struct fs_ctx *c, struct fs_walk *w);

#endif
