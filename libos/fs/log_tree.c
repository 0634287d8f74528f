/*
 * log_tree.c - trees of blocks, one a file, and the bytes of files in them.
 *
 * Owns: struct log_tree, attr.size.  Invariant: what is below a table that changes was reached
 * through tables that are new since the last checkpoint, up to the root in the inode: so the tree
 * on the disk stays whole.  Bytes of the last block behind the size are zeros.  A pointer is looked
 * at before it is used: it must name a block in use. See log.h for the lock.
 */
#include <string.h>
#include "log.h"

enum { FAN_LOG = 10, RUN = 64, AHEAD = 32 };

static const uint64_t SIZE_MOST = (uint64_t)DISK_BLOCK << FAN_LOG * LOG_HEIGHT_MAX;

static uint64_t blocks_for(uint64_t bytes)
{
	return (bytes + DISK_BLOCK - 1) / DISK_BLOCK;
}

static int check(struct log *l, uint32_t block)
{
	if (block == 0 || (block < l->blocks && !log_reserved(block) && log_bit(l->now, block)))
		return 0;
	return log_bad(l, "block number", block);
}

/* The place for block i in a table that stands at `height`. */
static uint32_t *slot(const struct buf *b, uint32_t height, uint64_t i)
{
	return (uint32_t *)b->data + (i >> FAN_LOG * (height - 1) & (LOG_FAN - 1));
}

/* What stands at `target` above block i, or 0. */
static int find_at(struct fs_ctx *c, const struct log_tree *t, uint32_t target, uint64_t i,
		   uint32_t *block)
{
	uint32_t at = t->root;
	int status = check(log_of(c), at);

	if (i >= log_span(t->height) || target > t->height)
		at = 0;
	for (uint32_t h = t->height; at && h > target && status == 0; h--) {
		struct buf *b;

		status = buf_get(c->fs->cache, c->disk, at, BUF_READ, &b);
		if (status)
			return status;
		at = *slot(b, h, i);
		buf_put(b);
		status = check(log_of(c), at);
	}
	*block = at;
	return status;
}

int log_find(struct fs_ctx *c, const struct log_tree *t, uint64_t i, uint32_t *block)
{
	return find_at(c, t, 0, i, block);
}

int log_is_at(struct fs_ctx *c, const struct log_tree *t, struct log_place p, uint32_t block)
{
	uint32_t there;

	return find_at(c, t, p.height, p.index, &there) == 0 && there == block;
}

/* Goes down from *at, which stands at h, to `target`, making all on the way its own. */
static int descend(struct fs_ctx *c, struct log_tree *t, uint32_t *at, uint32_t h, uint32_t target,
		   uint64_t i, int whole, struct buf **out)
{
	const struct log_place p = {t->ino, h, (uint32_t)(i & ~(log_span(h) - 1))};
	struct buf *b;
	int status = check(log_of(c), *at);

	if (status)
		return status;
	if (h == target)
		return log_own(c, t, at, p, whole, out);
	status = log_own(c, t, at, p, 0, &b);
	if (status)
		return status;
	status = descend(c, t, slot(b, h, i), h - 1, target, i, whole, out);
	log_done(c, t, b);
	return status;
}

/* Lets the tree reach block i. */
static int grow(struct fs_ctx *c, struct log_tree *t, uint64_t i)
{
	while (i >= log_span(t->height)) {
		uint32_t root = 0;
		struct buf *b;
		int status;

		if (t->root) {
			status = log_own(c, t, &root, (struct log_place){t->ino, t->height + 1, 0},
					 1, &b);
			if (status)
				return status;
			*(uint32_t *)b->data = t->root;
			log_done(c, t, b);
		}
		t->root = root;
		t->height++;
	}
	return 0;
}

int log_change(struct fs_ctx *c, struct log_tree *t, uint32_t height, uint64_t i, int whole,
	       struct buf **out)
{
	const int status = grow(c, t, i);

	return status ? status : descend(c, t, &t->root, t->height, height, i, whole, out);
}

/* ---- cutting ---- */

static int cut(struct fs_ctx *c, struct log_tree *t, uint32_t *at, uint32_t h, uint64_t keep);

/* Cuts below the table at *at; one that goes altogether is left as it is. */
static int cut_table(struct fs_ctx *c, struct log_tree *t, uint32_t *at, uint32_t h, uint64_t keep)
{
	struct buf *b;
	int status = keep ? log_own(c, t, at, (struct log_place){t->ino, h, 0}, 0, &b)
			  : buf_get(c->fs->cache, c->disk, *at, BUF_READ, &b);

	if (status)
		return status;
	for (uint32_t k = 0; k < LOG_FAN && status == 0; k++) {
		const uint64_t before = k * log_span(h - 1);
		uint32_t copy = ((uint32_t *)b->data)[k];

		status = cut(c, t, keep ? (uint32_t *)b->data + k : &copy, h - 1,
			     keep > before ? keep - before : 0);
	}
	if (keep)
		log_done(c, t, b);
	else
		buf_put(b);
	return status;
}

/* Frees, of what is below *at, which stands at h, the blocks from the `keep`th on. */
static int cut(struct fs_ctx *c, struct log_tree *t, uint32_t *at, uint32_t h, uint64_t keep)
{
	int status = check(log_of(c), *at);

	if (status || *at == 0 || keep >= log_span(h))
		return status;
	if (h > 0)
		status = cut_table(c, t, at, h, keep);
	if (status || keep)
		return status;
	log_free_block(log_of(c), *at);
	t->count--;
	*at = 0;
	return 0;
}

int log_cut(struct fs_ctx *c, struct log_tree *t, uint64_t keep)
{
	const int status = cut(c, t, &t->root, t->height, keep);

	if (t->root == 0)
		t->height = 0;
	return status;
}

/* ---- bytes ---- */

static void resized(struct log_node *n, uint64_t size)
{
	n->pub.attr.size = size;
	n->pub.attr.blocks = (uint64_t)n->tree.count * (DISK_BLOCK / 512);
	n->dirty = 1;
}

/* Whether a write to block i may go on: 0 or -ENOSPC. */
static int allowed(struct fs_ctx *c, const struct log_node *n, uint64_t i)
{
	const struct log *l = log_of(c);
	uint32_t block;
	const int status = log_find(c, &n->tree, i, &block);

	if (status)
		return status;
	return (block ? l->free > LOG_MARGIN / 2 : log_room(l)) ? 0 : -ENOSPC;
}

int64_t log_write(struct fs_ctx *c, struct log_node *n, uint64_t off, const void *from, size_t len)
{
	size_t done = 0;
	int status = 0;

	if (off > SIZE_MOST || len > SIZE_MOST - off)
		return -EFBIG;
	while (done < len) {
		const uint64_t at = off + done, in = at % DISK_BLOCK;
		const size_t part =
			(size_t)(len - done < DISK_BLOCK - in ? len - done : DISK_BLOCK - in);
		struct buf *b;

		status = allowed(c, n, at / DISK_BLOCK);
		if (status == 0)
			status =
				log_change(c, &n->tree, 0, at / DISK_BLOCK, part == DISK_BLOCK, &b);
		if (status)
			break;
		memcpy((char *)b->data + in, (const char *)from + done, part);
		log_done(c, &n->tree, b);
		done += part;
		resized(n, at + part > n->pub.attr.size ? at + part : n->pub.attr.size);
	}
	n->dirty = 1; /* the tree may have moved, even if nothing was written */
	return done || !len ? (int64_t)done : status;
}

/* Reads the run that begins at block i in one command, if it is more than one block. */
static void fetch(struct fs_ctx *c, const struct log_node *n, uint64_t i, uint64_t want)
{
	uint32_t first, next, k = 1;

	if (want > RUN)
		want = RUN;
	if (want < 2 || log_find(c, &n->tree, i, &first) || first == 0)
		return;
	while (k < want && log_find(c, &n->tree, i + k, &next) == 0 && next == first + k)
		k++;
	if (k > 1)
		(void)buf_prefetch(c->fs->cache, c->disk, first, k);
}

static int read_part(struct fs_ctx *c, const struct log_node *n, uint64_t at, char *to, size_t len)
{
	uint32_t block;
	struct buf *b;
	int status = log_find(c, &n->tree, at / DISK_BLOCK, &block);

	if (status == 0 && block == 0)
		memset(to, 0, len);
	if (status || block == 0)
		return status;
	status = buf_get(c->fs->cache, c->disk, block, BUF_READ, &b);
	if (status)
		return status;
	memcpy(to, (char *)b->data + at % DISK_BLOCK, len);
	buf_put(b);
	return 0;
}

int64_t log_read(struct fs_ctx *c, struct log_node *n, uint64_t off, void *to, size_t len)
{
	const uint64_t size = n->pub.attr.size, first = off / DISK_BLOCK;
	const uint64_t more = first && first == n->ahead ? AHEAD : 0;
	size_t done = 0;

	if (off >= size)
		return 0;
	if (len > size - off)
		len = (size_t)(size - off);
	while (done < len) {
		const uint64_t at = off + done, i = at / DISK_BLOCK;
		const size_t in = (size_t)(at % DISK_BLOCK);
		const size_t part = len - done < DISK_BLOCK - in ? len - done : DISK_BLOCK - in;
		int status;

		if ((i - first) % RUN == 0)
			fetch(c, n, i, blocks_for(len - done) + more);
		status = read_part(c, n, at, (char *)to + done, part);
		if (status)
			return done ? (int64_t)done : status;
		done += part;
	}
	n->ahead = (off + len) / DISK_BLOCK;
	return (int64_t)len;
}

int log_resize(struct fs_ctx *c, struct log_node *n, uint64_t size)
{
	const uint32_t in = (uint32_t)(size % DISK_BLOCK);
	uint32_t block = 0;
	struct buf *b;
	int status = 0;

	if (size > SIZE_MOST)
		return -EFBIG;
	if (size < n->pub.attr.size) {
		status = log_cut(c, &n->tree, blocks_for(size));
		if (status == 0 && in)
			status = log_find(c, &n->tree, size / DISK_BLOCK, &block);
		if (status == 0 && block)
			status = log_change(c, &n->tree, 0, size / DISK_BLOCK, 0, &b);
		if (status == 0 && block) {
			memset((char *)b->data + in, 0, DISK_BLOCK - in);
			log_done(c, &n->tree, b);
		}
	}
	resized(n, status ? n->pub.attr.size : size);
	return status;
}
