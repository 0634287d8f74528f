/*
 * log_node.c - nodes in memory, and inodes in the inode file.
 *
 * Owns: l->nodes, the inode file, inos.  Invariant: a node is in memory while it is held, or while
 * the inode file could not be written with it (dirty); an inode of the file is in use when its mode
 * and its nlink are not 0; inos says so in bits, and besides for those that are held without a
 * name.  Nothing in use is left behind by a crash: an inode without a name is free when it is
 * mounted next. See log.h for the lock.
 */
#include <string.h>
#include "log.h"

static struct log_node **bucket(struct log *l, uint32_t ino)
{
	return &l->nodes[ino % LOG_BUCKETS];
}

const char *log_inode_wrong(const struct log *l, const struct log_inode *i)
{
	const uint32_t type = i->mode & FS_IFMT;

	if (type != FS_IFREG && type != FS_IFDIR && type != FS_IFLNK)
		return "type of inode";
	if (i->tree.height > LOG_HEIGHT_MAX || i->size > (uint64_t)DISK_BLOCK << 30)
		return "size of inode";
	if (type == FS_IFDIR && (i->size % DISK_BLOCK || i->size / DISK_BLOCK > l->blocks ||
				 i->parent == 0 || i->parent >= l->ino_max))
		return "directory inode";
	return type == FS_IFLNK && (i->size == 0 || i->size > FS_SYMLINK_MAX)
		       ? "symbolic link inode"
		       : NULL;
}

static void load(struct log *l, struct log_node *n, uint32_t ino, const struct log_inode *i)
{
	n->pub.fs = &l->fs;
	n->tree = i->tree;
	n->tree.ino = ino;
	n->parent = i->parent;
	n->pub.attr = (struct fs_attr){.ino = ino,
				       .size = i->size,
				       .blocks = (uint64_t)i->tree.count * (DISK_BLOCK / 512),
				       .mode = i->mode,
				       .nlink = i->nlink,
				       .uid = i->uid,
				       .gid = i->gid,
				       .blksize = DISK_BLOCK,
				       .atime = {i->atime, i->atime_nsec},
				       .mtime = {i->mtime, i->mtime_nsec},
				       .ctime = {i->ctime, i->ctime_nsec}};
}

static void store(const struct log_node *n, struct log_inode *i)
{
	const struct fs_attr *a = &n->pub.attr;

	*i = (struct log_inode){.mode = a->mode,
				.nlink = a->nlink,
				.uid = a->uid,
				.gid = a->gid,
				.size = a->size,
				.atime = a->atime.sec,
				.mtime = a->mtime.sec,
				.ctime = a->ctime.sec,
				.atime_nsec = a->atime.nsec,
				.mtime_nsec = a->mtime.nsec,
				.ctime_nsec = a->ctime.nsec,
				.parent = n->parent,
				.tree = n->tree};
}

int log_node_store(struct fs_ctx *c, struct log_node *n)
{
	struct log *l = log_of(c);
	const uint32_t ino = (uint32_t)n->pub.attr.ino;
	struct buf *b;
	int status;

	if (!n->dirty)
		return 0;
	status = log_change(c, &l->inodes, 0, ino / LOG_INODES, 0, &b);
	if (status)
		return status;
	store(n, (struct log_inode *)b->data + ino % LOG_INODES);
	log_done(c, &l->inodes, b);
	if (ino / LOG_INODES >= l->inode_blocks)
		l->inode_blocks = ino / LOG_INODES + 1;
	n->dirty = 0;
	return 0;
}

int log_node_store_all(struct fs_ctx *c)
{
	for (uint32_t i = 0; i < LOG_BUCKETS; i++)
		for (struct log_node *n = log_of(c)->nodes[i]; n; n = n->next) {
			const int status = log_node_store(c, n);

			if (status)
				return status;
		}
	return 0;
}

static void forget(struct log *l, struct log_node *n)
{
	struct log_node **at = bucket(l, (uint32_t)n->pub.attr.ino);

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	arena_free(l->fs.arena, n, sizeof *n);
}

void log_node_drop_all(struct log *l)
{
	for (uint32_t i = 0; i < LOG_BUCKETS; i++)
		while (l->nodes[i])
			forget(l, l->nodes[i]);
}

static int read_inode(struct fs_ctx *c, uint32_t ino, struct log_node *n)
{
	struct log *l = log_of(c);
	const struct log_inode *i;
	const char *wrong;
	uint32_t block;
	struct buf *b;
	int status = log_find(c, &l->inodes, ino / LOG_INODES, &block);

	if (status == 0 && block == 0)
		status = log_bad(l, "number of inode", ino);
	if (status == 0)
		status = buf_get(l->fs.cache, c->disk, block, BUF_READ, &b);
	if (status)
		return status;
	i = (const struct log_inode *)b->data + ino % LOG_INODES;
	wrong = i->mode && i->nlink ? log_inode_wrong(l, i) : "name of no inode, number";
	if (wrong)
		status = log_bad(l, wrong, ino);
	else
		load(l, n, ino, i);
	buf_put(b);
	return status;
}

int log_node_get(struct fs_ctx *c, uint32_t ino, struct log_node **out)
{
	struct log *l = log_of(c);
	struct log_node *n = *bucket(l, ino);
	int status;

	if (ino == 0 || ino >= l->ino_max)
		return log_bad(l, "number of inode", ino);
	while (n && n->pub.attr.ino != ino)
		n = n->next;
	if (!n) {
		n = arena_alloc(l->fs.arena, sizeof *n);
		if (!n)
			return -ENOMEM;
		status = read_inode(c, ino, n);
		if (status) {
			arena_free(l->fs.arena, n, sizeof *n);
			return status;
		}
		n->next = *bucket(l, ino);
		*bucket(l, ino) = n;
	}
	n->pub.refs++;
	*out = n;
	return 0;
}

static uint32_t free_ino(struct log *l)
{
	for (uint32_t k = 0; k < l->ino_max; k++) {
		const uint32_t ino = (l->ino_next + k) % l->ino_max;

		if (ino && !log_bit(l->inos, ino))
			return ino;
	}
	return 0;
}

int log_node_new(struct fs_ctx *c, uint32_t mode, struct log_node **out)
{
	struct log *l = log_of(c);
	const uint32_t ino = log_room(l) ? free_ino(l) : 0;
	struct log_node *n;

	if (ino == 0)
		return -ENOSPC;
	n = arena_alloc(l->fs.arena, sizeof *n);
	if (!n)
		return -ENOMEM;
	log_bit_set(l->inos, ino, 1);
	l->ino_used++;
	l->ino_next = ino;
	*n = (struct log_node){.pub = {.fs = &l->fs, .refs = 1}, .next = *bucket(l, ino)};
	n->tree.ino = ino;
	n->dirty = 1;
	n->pub.attr = (struct fs_attr){.ino = ino,
				       .mode = mode,
				       .nlink = (mode & FS_IFMT) == FS_IFDIR ? 2 : 1,
				       .uid = c->uid,
				       .gid = c->gid,
				       .blksize = DISK_BLOCK};
	n->pub.attr.atime = n->pub.attr.mtime = n->pub.attr.ctime = fs_now();
	*bucket(l, ino) = n;
	*out = n;
	return 0;
}

/* Nobody holds it and nothing names it: its blocks and its number are free. */
static int end(struct fs_ctx *c, struct log_node *n)
{
	struct log *l = log_of(c);
	const uint32_t ino = (uint32_t)n->pub.attr.ino;
	int status = log_cut(c, &n->tree, 0);

	if (status == 0) {
		n->dirty = 1;
		status = log_node_store(c, n);
	}
	if (status)
		return status;
	log_bit_set(l->inos, ino, 0);
	l->ino_used--;
	if (ino < l->ino_next)
		l->ino_next = ino;
	forget(l, n);
	return 0;
}

int log_node_put(struct fs_ctx *c, struct log_node *n)
{
	struct log *l = log_of(c);

	if (--n->pub.refs > 0)
		return 0;
	if (n->pub.attr.nlink == 0 && !l->fs.readonly)
		return end(c, n);
	if (!n->dirty)
		forget(l, n);
	return 0;
}
