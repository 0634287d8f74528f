/*
 * log_dir.c - directories: files of whole blocks, each filled by records with names.
 *
 * Invariant: the records of a block cover it from its start to its end, none crosses it; a record
 * is taken out by joining its room to the one before, so the others stay where they are, and a
 * listing finds its place again.  "." and ".." are not in it: they are the cookies 1 and 2.
 * Everything read is looked at before it is used. See log.h for the lock.
 */
#include <string.h>
#include "log.h"

enum { DOTS = 2, TYPE_SHIFT = 12 };

static uint32_t need(size_t len)
{
	return (uint32_t)(LOG_DIRENT_HEAD + len + 3) & ~3u;
}

static uint32_t taken(const struct log_dirent *e)
{
	return e->ino ? need(e->len) : 0;
}

/* The record at an offset of a directory's block, or NULL: it cannot be. */
static struct log_dirent *record(const struct log *l, const struct buf *b, uint32_t off)
{
	struct log_dirent *e = (struct log_dirent *)(void *)((char *)b->data + off);

	if (off + LOG_DIRENT_HEAD > DISK_BLOCK || e->room < LOG_DIRENT_HEAD || e->room % 4 ||
	    e->room > DISK_BLOCK - off || e->ino >= l->ino_max || taken(e) > e->room ||
	    (e->ino && e->len == 0))
		return NULL;
	return e;
}

/* Pins block i of the directory to look at it. */
static int block_get(struct fs_ctx *c, struct log_node *dir, uint32_t i, struct buf **b)
{
	uint32_t block;
	int status = log_find(c, &dir->tree, i, &block);

	if (status == 0 && block == 0)
		status = log_bad(log_of(c), "hole in directory inode", dir->tree.ino);
	return status ? status : buf_get(c->fs->cache, c->disk, block, BUF_READ, b);
}

static uint32_t blocks_of(const struct log_node *dir)
{
	return (uint32_t)(dir->pub.attr.size / DISK_BLOCK);
}

static int bad(struct fs_ctx *c, const struct log_node *dir)
{
	return log_bad(log_of(c), "record in directory inode", dir->tree.ino);
}

/* The offset of the name in the block, DISK_BLOCK if it is not there, or an error. */
static int find_in(struct fs_ctx *c, const struct log_node *dir, const struct buf *b,
		   const char *name, size_t len)
{
	for (uint32_t off = 0; off < DISK_BLOCK;) {
		const struct log_dirent *e = record(log_of(c), b, off);

		if (!e)
			return bad(c, dir);
		if (e->ino && e->len == len && memcmp(e->name, name, len) == 0)
			return (int)off;
		off += e->room;
	}
	return DISK_BLOCK;
}

int log_dir_find(struct fs_ctx *c, struct log_node *dir, const char *name, size_t len,
		 struct log_spot *out)
{
	for (uint32_t i = 0; i < blocks_of(dir); i++) {
		struct buf *b;
		int off = block_get(c, dir, i, &b);

		if (off)
			return off;
		off = find_in(c, dir, b, name, len);
		if (off >= 0 && off < (int)DISK_BLOCK)
			*out = (struct log_spot){i, (uint32_t)off,
						 record(log_of(c), b, (uint32_t)off)->ino};
		buf_put(b);
		if (off != (int)DISK_BLOCK)
			return off < 0 ? off : 0;
	}
	return -ENOENT;
}

/* The offset of a record with so much room to spare, DISK_BLOCK: none, or an error. */
static int spare_in(struct fs_ctx *c, const struct log_node *dir, const struct buf *b,
		    uint32_t want)
{
	for (uint32_t off = 0; off < DISK_BLOCK;) {
		const struct log_dirent *e = record(log_of(c), b, off);

		if (!e)
			return bad(c, dir);
		if (e->room - taken(e) >= want)
			return (int)off;
		off += e->room;
	}
	return DISK_BLOCK;
}

/* Finds room: block and offset of the record to share with; block == blocks_of(dir): a new one. */
static int find_room(struct fs_ctx *c, struct log_node *dir, uint32_t want, struct log_spot *at)
{
	*at = (struct log_spot){blocks_of(dir), 0, 0};
	for (uint32_t i = 0; i < blocks_of(dir); i++) {
		struct buf *b;
		int off = block_get(c, dir, i, &b);

		if (off)
			return off;
		off = spare_in(c, dir, b, want);
		buf_put(b);
		if (off < 0)
			return off;
		if (off < (int)DISK_BLOCK) {
			*at = (struct log_spot){i, (uint32_t)off, 0};
			return 0;
		}
	}
	return log_room(log_of(c)) ? 0 : -ENOSPC;
}

/* Pins the block to be changed; one behind the end is added. */
static int block_change(struct fs_ctx *c, struct log_node *dir, uint32_t i, struct buf **b)
{
	const int new = i == blocks_of(dir);
	const int status = log_change(c, &dir->tree, 0, i, new, b);

	dir->dirty = 1;
	if (status || !new)
		return status;
	((struct log_dirent *)(*b)->data)->room = DISK_BLOCK;
	dir->pub.attr.size += DISK_BLOCK;
	dir->pub.attr.blocks = (uint64_t)dir->tree.count * (DISK_BLOCK / 512);
	return 0;
}

int log_dir_add(struct fs_ctx *c, struct log_node *dir, const char *name, size_t len, uint32_t ino,
		uint32_t mode)
{
	struct log_dirent *e;
	struct log_spot at;
	struct buf *b;
	uint32_t used;
	int status = find_room(c, dir, need(len), &at);

	if (status == 0)
		status = block_change(c, dir, at.block, &b);
	if (status)
		return status;
	e = (struct log_dirent *)(void *)((char *)b->data + at.offset);
	used = taken(e);
	if (used) {
		struct log_dirent *rest = (struct log_dirent *)(void *)((char *)e + used);

		rest->room = (uint16_t)(e->room - used);
		e->room = (uint16_t)used;
		e = rest;
	}
	e->ino = ino;
	e->len = (uint8_t)len;
	e->type = (uint8_t)((mode & FS_IFMT) >> TYPE_SHIFT);
	memcpy(e->name, name, len);
	log_done(c, &dir->tree, b);
	return 0;
}

int log_dir_remove(struct fs_ctx *c, struct log_node *dir, const struct log_spot *at)
{
	struct log_dirent *e, *before = NULL;
	struct buf *b;
	const int status = block_change(c, dir, at->block, &b);

	if (status)
		return status;
	for (uint32_t off = 0; off < at->offset; off += before->room)
		before = (struct log_dirent *)(void *)((char *)b->data + off);
	e = (struct log_dirent *)(void *)((char *)b->data + at->offset);
	e->ino = 0;
	if (before)
		before->room = (uint16_t)(before->room + e->room);
	log_done(c, &dir->tree, b);
	return 0;
}

int log_dir_replace(struct fs_ctx *c, struct log_node *dir, const struct log_spot *at, uint32_t ino,
		    uint32_t mode)
{
	struct log_dirent *e;
	struct buf *b;
	const int status = block_change(c, dir, at->block, &b);

	if (status)
		return status;
	e = (struct log_dirent *)(void *)((char *)b->data + at->offset);
	e->ino = ino;
	e->type = (uint8_t)((mode & FS_IFMT) >> TYPE_SHIFT);
	log_done(c, &dir->tree, b);
	return 0;
}

/* ---- listing ---- */

static void put_entry(struct fs_dirent *d, const char *name, size_t len, uint32_t ino,
		      uint32_t mode, uint64_t cookie)
{
	d->ino = ino;
	d->mode = mode;
	d->cookie = cookie;
	d->namelen = (uint16_t)len;
	memcpy(d->name, name, len);
	d->name[len] = 0;
}

/* Those of one block from the byte `from` of the directory on. */
static int list_block(struct fs_ctx *c, struct log_node *dir, uint64_t from, struct fs_dirent *ents,
		      unsigned max)
{
	const uint64_t start = from - from % DISK_BLOCK;
	unsigned n = 0;
	struct buf *b;
	int status = block_get(c, dir, (uint32_t)(from / DISK_BLOCK), &b);

	if (status)
		return status;
	for (uint32_t off = 0; off < DISK_BLOCK && n < max;) {
		const struct log_dirent *e = record(log_of(c), b, off);

		if (!e) {
			status = bad(c, dir);
			break;
		}
		if (e->ino && start + off >= from)
			put_entry(&ents[n++], e->name, e->len, e->ino,
				  (uint32_t)e->type << TYPE_SHIFT, DOTS + start + off + e->room);
		off += e->room;
	}
	buf_put(b);
	return status ? status : (int)n;
}

int log_dir_read(struct fs_ctx *c, struct log_node *dir, uint64_t cookie, struct fs_dirent *ents,
		 unsigned max)
{
	unsigned n = 0;
	uint64_t at;

	for (; cookie < DOTS && n < max; cookie++, n++)
		put_entry(&ents[n], "..", (size_t)cookie + 1, cookie ? dir->parent : dir->tree.ino,
			  FS_IFDIR, cookie + 1);
	for (at = cookie - DOTS; n < max && at < dir->pub.attr.size;
	     at += DISK_BLOCK - at % DISK_BLOCK) {
		const int got = list_block(c, dir, at, ents + n, max - n);

		if (got < 0)
			return n ? (int)n : got;
		n += (unsigned)got;
	}
	return (int)n;
}
