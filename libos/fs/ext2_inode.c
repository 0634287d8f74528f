/*
 * ext2_inode.c - nodes: inodes in memory, and their way from and to the inode tables.
 *
 * Owns: all `struct ext2_node`, in a hash by number; those without reference also in a list by
 * last use, those that differ from the cache's inode table in the list of dirty ones.
 * Invariant: one node per inode; a node with references or dirt is not reused; a node with no
 * link and no reference does not exist.
 * Lock: the file system's, held by the caller.
 * Called by all other parts.
 */
#include <errno.h>
#include <string.h>
#include "ext2.h"

/* ---- lists ---- */

static void lru_add(struct ext2 *e, struct ext2_node *n)
{
	n->lru_prev = NULL;
	n->lru_next = e->lru_first;
	if (e->lru_first != NULL)
		e->lru_first->lru_prev = n;
	else
		e->lru_last = n;
	e->lru_first = n;
}

static void lru_remove(struct ext2 *e, struct ext2_node *n)
{
	if (n->lru_prev != NULL)
		n->lru_prev->lru_next = n->lru_next;
	else
		e->lru_first = n->lru_next;
	if (n->lru_next != NULL)
		n->lru_next->lru_prev = n->lru_prev;
	else
		e->lru_last = n->lru_prev;
}

void ext2_node_dirty(struct ext2 *e, struct ext2_node *n)
{
	if (n->dirty)
		return;
	n->dirty = 1;
	e->fs.dirty = 1;
	n->dirty_prev = NULL;
	n->dirty_next = e->dirty_first;
	if (e->dirty_first != NULL)
		e->dirty_first->dirty_prev = n;
	e->dirty_first = n;
}

static void undirty(struct ext2 *e, struct ext2_node *n)
{
	if (!n->dirty)
		return;
	n->dirty = 0;
	if (n->dirty_prev != NULL)
		n->dirty_prev->dirty_next = n->dirty_next;
	else
		e->dirty_first = n->dirty_next;
	if (n->dirty_next != NULL)
		n->dirty_next->dirty_prev = n->dirty_prev;
}

static inline struct ext2_node **bucket(struct ext2 *e, uint32_t ino)
{
	return &e->nodes[ino & e->node_mask];
}

/* Takes `n`, which is in no list but the hash, out of memory. */
static void destroy(struct ext2 *e, struct ext2_node *n)
{
	struct ext2_node **at = bucket(e, n->ino);

	undirty(e, n);
	while (*at != n)
		at = &(*at)->hash_next;
	*at = n->hash_next;
	e->node_count--;
	arena_free(e->fs.arena, n, sizeof *n);
}

void ext2_node_drop_all(struct ext2 *e)
{
	for (uint32_t i = 0; i <= e->node_mask; i++)
		while (e->nodes[i] != NULL)
			destroy(e, e->nodes[i]);
}

void ext2_node_recover(struct ext2 *e)
{
	e->lru_first = e->lru_last = NULL;
	for (uint32_t i = 0; i <= e->node_mask; i++)
		for (struct ext2_node *n = e->nodes[i]; n != NULL; n = n->hash_next)
			if (n->pub.refs == 0)
				lru_add(e, n);
}

/* Gives up the node unused for the longest. -ENOMEM: all are held. */
static int evict(struct fs_ctx *c)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_node *n = e->lru_last;

	if (n == NULL)
		return -ENOMEM;
	int status = n->dirty ? ext2_node_write(c, n) : 0;
	if (status != 0)
		return status;
	lru_remove(e, n);
	destroy(e, n);
	return 0;
}

/* An empty node in the hash, with a reference. */
static int node_alloc(struct fs_ctx *c, uint32_t ino, struct ext2_node **out)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_node *n = NULL;
	int status = 0;

	if (e->node_count >= e->node_max)
		status = evict(c);
	if (status == 0)
		n = arena_alloc(e->fs.arena, sizeof *n);
	if (n == NULL && (status = evict(c)) == 0)
		n = arena_alloc(e->fs.arena, sizeof *n);
	if (n == NULL)
		return status != 0 ? status : -ENOMEM;
	n->pub.fs = &e->fs;
	n->pub.attr.ino = n->ino = ino;
	n->pub.attr.blksize = DISK_BLOCK;
	n->pub.refs = 1;
	n->id = e->next_id++ * 0x9e3779b97f4a7c15u; /* an odd factor: no two are the same */
	n->hash_next = *bucket(e, ino);
	*bucket(e, ino) = n;
	e->node_count++;
	*out = n;
	return 0;
}

/* ---- the inode tables ---- */

uint32_t ext2_itable_block(const struct ext2 *e, uint32_t ino)
{
	uint32_t g = (ino - 1) / e->super.inodes_per_group;
	uint32_t i = (ino - 1) % e->super.inodes_per_group;

	return e->groups[g].inode_table + i / (e->bs / e->inode_size);
}

static int get_raw(struct fs_ctx *c, uint32_t ino, struct ext2_block *b, struct ext2_inode **raw)
{
	const struct ext2 *e = ext2_of(c);
	uint32_t at = (ino - 1) % e->super.inodes_per_group % (e->bs / e->inode_size);
	int status = ext2_get(c, ext2_itable_block(e, ino), b);

	if (status == 0)
		*raw = (struct ext2_inode *)(void *)(b->data + at * e->inode_size);
	return status;
}

/* Seconds are signed 32 bits, widened by two bits of `extra`; its other bits are nanoseconds. */
static struct fs_time time_in(uint32_t sec, uint32_t extra)
{
	uint32_t nsec = extra >> 2;

	return (struct fs_time){(int64_t)(int32_t)sec + ((int64_t)(extra & 3) << 32),
				nsec < 1000000000u ? nsec : 0};
}

static uint32_t extra_out(struct fs_time t)
{
	return (uint32_t)((t.sec - (int32_t)t.sec) >> 32 & 3) | t.nsec << 2;
}

/* Whether the inode has the extra times. */
static int has_extra(const struct ext2 *e, uint32_t extra_isize)
{
	return e->inode_size >= sizeof(struct ext2_inode) && extra_isize >= EXT2_EXTRA_TIMES &&
	       extra_isize <= e->inode_size - EXT2_INODE_SMALL;
}

/* NULL if the attributes fit each other, else what does not. */
static const char *check_node(const struct ext2 *e, const struct ext2_node *n)
{
	const struct fs_attr *a = &n->pub.attr;
	uint32_t type = a->mode & FS_IFMT;

	if (a->nlink == 0 || n->dtime != 0)
		return "name of a free inode";
	if (n->flags & EXT2_EXTENTS_FL)
		return "extents in inode";
	if (type == FS_IFDIR &&
	    (a->size == 0 || a->size & (e->bs - 1) || a->size >> e->bs_log > e->super.blocks_count))
		return "size of directory inode";
	if (type == FS_IFREG && a->size > ext2_size_max(e))
		return "size of inode";
	if (type == FS_IFLNK && (a->size == 0 || a->size >= e->bs))
		return "size of symbolic link inode";
	if (type != FS_IFDIR && type != FS_IFREG && type != FS_IFLNK && type != FS_IFCHR &&
	    type != FS_IFBLK && type != FS_IFIFO && type != FS_IFSOCK)
		return "type of inode";
	return NULL;
}

static void node_load(const struct ext2 *e, struct ext2_node *n, const struct ext2_inode *raw)
{
	struct fs_attr *a = &n->pub.attr;
	int extra;

	n->extra_isize = e->inode_size >= sizeof *raw ? raw->extra_isize : 0;
	extra = has_extra(e, n->extra_isize);
	a->mode = raw->mode;
	a->nlink = raw->links;
	a->uid = raw->uid | (uint32_t)raw->uid_high << 16;
	a->gid = raw->gid | (uint32_t)raw->gid_high << 16;
	a->size = raw->size;
	if ((a->mode & FS_IFMT) == FS_IFREG)
		a->size |= (uint64_t)raw->size_high << 32;
	a->blocks = raw->blocks;
	a->atime = time_in(raw->atime, extra ? raw->atime_extra : 0);
	a->mtime = time_in(raw->mtime, extra ? raw->mtime_extra : 0);
	a->ctime = time_in(raw->ctime, extra ? raw->ctime_extra : 0);
	memcpy(n->block, raw->block, sizeof n->block);
	if ((a->mode & FS_IFMT) == FS_IFCHR || (a->mode & FS_IFMT) == FS_IFBLK)
		a->rdev = raw->block[0] != 0 ? raw->block[0] : raw->block[1];
	n->flags = raw->flags;
	n->file_acl = raw->file_acl;
	n->generation = raw->generation;
	n->dtime = raw->dtime;
}

static void node_store(const struct ext2 *e, const struct ext2_node *n, struct ext2_inode *raw)
{
	const struct fs_attr *a = &n->pub.attr;

	raw->mode = (uint16_t)a->mode;
	raw->links = (uint16_t)a->nlink;
	raw->uid = (uint16_t)a->uid;
	raw->uid_high = (uint16_t)(a->uid >> 16);
	raw->gid = (uint16_t)a->gid;
	raw->gid_high = (uint16_t)(a->gid >> 16);
	raw->size = (uint32_t)a->size;
	if (ext2_type_of(n) == FS_IFREG)
		raw->size_high = (uint32_t)(a->size >> 32);
	raw->blocks = (uint32_t)a->blocks;
	raw->atime = (uint32_t)a->atime.sec;
	raw->mtime = (uint32_t)a->mtime.sec;
	raw->ctime = (uint32_t)a->ctime.sec;
	memcpy(raw->block, n->block, sizeof n->block);
	raw->flags = n->flags;
	raw->file_acl = n->file_acl;
	raw->generation = n->generation;
	raw->dtime = n->dtime;
	if (!has_extra(e, n->extra_isize))
		return;
	raw->extra_isize = n->extra_isize;
	raw->atime_extra = extra_out(a->atime);
	raw->mtime_extra = extra_out(a->mtime);
	raw->ctime_extra = extra_out(a->ctime);
}

int ext2_node_write(struct fs_ctx *c, struct ext2_node *n)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_block b;
	struct ext2_inode *raw;
	int status = get_raw(c, n->ino, &b, &raw);

	if (status != 0)
		return status;
	if (n->fresh)
		memset(raw, 0, e->inode_size);
	node_store(e, n, raw);
	ext2_dirty(c, &b, 0);
	ext2_put(&b);
	n->fresh = 0;
	undirty(e, n);
	return 0;
}

int ext2_node_write_all(struct fs_ctx *c)
{
	struct ext2 *e = ext2_of(c);
	int worst = 0;

	for (struct ext2_node *n = e->dirty_first, *next; n != NULL; n = next) {
		next = n->dirty_next;
		int status = ext2_node_write(c, n);
		worst = worst != 0 ? worst : status;
	}
	return worst;
}

/* ---- nodes ---- */

void ext2_node_taken(struct ext2 *e, struct ext2_node *n)
{
	lru_remove(e, n);
}

static int read_node(struct fs_ctx *c, struct ext2_node *n)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_block b;
	struct ext2_inode *raw;
	int status = get_raw(c, n->ino, &b, &raw);

	if (status != 0)
		return status;
	node_load(e, n, raw);
	ext2_put(&b);
	const char *wrong = check_node(e, n);
	return wrong == NULL ? 0 : ext2_bad(e, wrong, n->ino);
}

int ext2_node_get(struct fs_ctx *c, uint32_t ino, struct ext2_node **out)
{
	struct ext2 *e = ext2_of(c);

	if (ino > e->super.inodes_count || (ino != EXT2_ROOT_INO && ino < e->first_ino))
		return ext2_bad(e, "name of inode", ino);
	struct ext2_node *n = ext2_node_here(e, ino);
	if (n != NULL && n->pub.attr.nlink == 0)
		return ext2_bad(e, "name of unlinked inode", ino);
	if (n != NULL) {
		ext2_node_ref(e, n);
		*out = n;
		return 0;
	}
	int status = node_alloc(c, ino, &n);

	if (status != 0)
		return status;
	status = read_node(c, n);
	if (status != 0)
		destroy(e, n);
	else
		*out = n;
	return status;
}

int ext2_node_new(struct fs_ctx *c, struct ext2_node *parent, uint32_t mode, struct ext2_node **out)
{
	struct ext2 *e = ext2_of(c);
	int is_dir = (mode & FS_IFMT) == FS_IFDIR;
	struct ext2_node *n = NULL;
	uint32_t ino;
	int status = ext2_ino_alloc(c, parent->ino, is_dir, &ino);

	if (status != 0)
		return status;
	if (ext2_node_here(e, ino) != NULL)
		return ext2_bad(e, "inode bitmap, at inode in use", ino);
	status = node_alloc(c, ino, &n);
	if (status != 0) {
		int undone = ext2_ino_free(c, ino, is_dir);
		return undone != 0 ? undone : status;
	}
	n->pub.attr.mode = mode;
	n->pub.attr.nlink = is_dir ? 2 : 1;
	n->pub.attr.uid = c->uid;
	n->pub.attr.gid = c->gid;
	n->pub.attr.atime = n->pub.attr.mtime = n->pub.attr.ctime = e->now;
	n->generation = (uint32_t)n->pub.attr.ctime.sec ^ (uint32_t)n->id;
	if (parent->pub.attr.mode & 02000) {
		n->pub.attr.gid = parent->pub.attr.gid;
		n->pub.attr.mode |= is_dir ? 02000 : 0;
	}
	if (e->inode_size >= sizeof(struct ext2_inode))
		n->extra_isize = 32 <= e->inode_size - EXT2_INODE_SMALL ? 32 : EXT2_EXTRA_TIMES;
	n->fresh = 1;
	ext2_node_dirty(e, n);
	*out = n;
	return 0;
}

/* Gives back the block of extended attributes, which several inodes may share. */
static int free_xattr(struct fs_ctx *c, struct ext2_node *n)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_block b;
	uint32_t head[2];

	if (n->file_acl == 0)
		return 0;
	if (!ext2_block_ok(e, n->file_acl, 1))
		return ext2_bad(e, "attribute block of inode", n->ino);
	int status = ext2_get(c, n->file_acl, &b);
	if (status != 0)
		return status;
	memcpy(head, b.data, sizeof head);
	int shared = head[1] > 1;
	if (head[0] != EXT2_XATTR || head[1] == 0) {
		status = ext2_bad(e, "attribute block of inode", n->ino);
	} else if (shared) {
		head[1]--;
		memcpy(b.data, head, sizeof head);
		ext2_dirty(c, &b, 0);
	}
	ext2_put(&b);
	if (status == 0 && !shared)
		status = ext2_block_free(c, n->file_acl, 1);
	n->file_acl = 0;
	return status;
}

/* Whether the inode's pointers are blocks: they are not in short links and device nodes. */
static int has_blocks(const struct ext2 *e, const struct ext2_node *n)
{
	uint32_t type = ext2_type_of(n);

	if (type == FS_IFLNK)
		return n->pub.attr.blocks > (n->file_acl != 0 ? e->bs / 512 : 0);
	return type == FS_IFREG || type == FS_IFDIR;
}

/*
 * Says on the disk that the inode of `n`, all of whose blocks are free, is nobody's; what else it
 * was does not matter.  One that was never written says so already, for whoever had it before.
 */
static int write_dead(struct fs_ctx *c, const struct ext2_node *n)
{
	struct ext2_block b;
	struct ext2_inode *raw;
	int status;

	if (n->fresh)
		return 0;
	status = get_raw(c, n->ino, &b, &raw);
	if (status != 0)
		return status;
	raw->links = 0;
	raw->dtime = (uint32_t)ext2_of(c)->now.sec;
	raw->size = raw->size_high = 0;
	raw->blocks = 0;
	raw->file_acl = 0;
	memset(raw->block, 0, sizeof raw->block);
	ext2_dirty(c, &b, 0);
	ext2_put(&b);
	return 0;
}

/* Frees the inode of `n`, which has no link left, and all that it holds. */
static int erase(struct fs_ctx *c, struct ext2_node *n)
{
	struct ext2 *e = ext2_of(c);
	int is_dir = ext2_is_dir(n);
	int status = has_blocks(e, n) ? ext2_unmap(c, n, 0) : 0;

	if (status == 0)
		status = free_xattr(c, n);
	if (status != 0)
		return status;
	status = write_dead(c, n);
	return status != 0 ? status : ext2_ino_free(c, n->ino, is_dir);
}

/* The inode of `n` goes with its last reference.  Apart, so that most puts are short. */
__attribute__((noinline)) static int put_nameless(struct fs_ctx *c, struct ext2_node *n)
{
	struct ext2 *e = ext2_of(c);
	int status = 0;

	e->orphans--;
	if (!e->fs.readonly) {
		status = erase(c, n);
		if (status != 0 && !e->failed)
			(void)ext2_bad(e, "could not free inode", n->ino);
	}
	destroy(e, n);
	return status;
}

int ext2_node_put(struct fs_ctx *c, struct ext2_node *n)
{
	if (--n->pub.refs > 0)
		return 0;
	if (n->pub.attr.nlink == 0)
		return put_nameless(c, n);
	lru_add(ext2_of(c), n);
	return 0;
}

void ext2_node_unlink(struct ext2 *e, struct ext2_node *n, uint32_t links)
{
	uint32_t had = n->pub.attr.nlink;

	n->pub.attr.nlink = had > links ? had - links : 0;
	if (had > 0 && n->pub.attr.nlink == 0)
		e->orphans++;
	ext2_touch(e, n, EXT2_TOUCH_C);
}

void ext2_touch(struct ext2 *e, struct ext2_node *n, enum ext2_touch what)
{
	n->pub.attr.ctime = e->now;
	if (what == EXT2_TOUCH_CM)
		n->pub.attr.mtime = n->pub.attr.ctime;
	ext2_node_dirty(e, n);
}
