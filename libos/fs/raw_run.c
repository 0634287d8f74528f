/*
 * raw_run.c - runs of blocks, and the bytes in them.
 *
 * Owns: run, filled, attr.size and attr.blocks of a node.  Invariant: runs of files, with a name or
 * held, do not meet, nor do they meet a run of the directory on the disk that has become free
 * since: its blocks have another owner only when the disk says so.  size <= blocks of the run;
 * bytes from `filled` on were never written and read as zeros, so declaring a size writes nothing.
 * Where block i of a file is, is start + i; all the rest here is for files that grow.
 * See raw.h for the lock.
 */
#include <string.h>
#include "raw.h"

enum {
	AHEAD = 64,  /* blocks read ahead of a sequential reader */
	SLACK = 256, /* most blocks left for a file to grow into, when another begins behind it */
};

static const uint64_t SIZE_MOST = 1ull << 48;

/* ---- free blocks ---- */

static uint64_t blocks_for(uint64_t bytes)
{
	return (bytes + DISK_BLOCK - 1) / DISK_BLOCK;
}

/* The nearest run that ends after `at`, taken as empty at the end of the volume if there is none.
 */
static struct raw_run next_run(const struct raw *v, uint64_t at)
{
	struct raw_run best = {v->blocks, 0};

	for (int i = 1; i < RAW_PLACES; i++) {
		const struct raw_run both[2] = {v->node[i].run, v->durable[i]};

		for (int k = 0; k < 2; k++)
			if (both[k].blocks && both[k].start + both[k].blocks > at &&
			    both[k].start < best.start)
				best = both[k];
	}
	return best;
}

/* The next gap at or after *at, which is moved to its start: its length, 0 at the end. */
static uint64_t next_gap(const struct raw *v, uint64_t *at)
{
	while (*at < v->blocks) {
		const struct raw_run r = next_run(v, *at);

		if (r.start > *at)
			return r.start - *at;
		*at = r.start + r.blocks;
	}
	return 0;
}

uint64_t raw_blocks_free(const struct raw *v)
{
	uint64_t sum = 0, len;

	for (uint64_t at = RAW_FIRST; (len = next_gap(v, &at)) > 0; at += len)
		sum += len;
	return sum;
}

/* The first gap of `want`, or else (and always if `grows`) the largest one. */
static struct raw_run find_gap(const struct raw *v, uint64_t want, int grows)
{
	struct raw_run best = {0, 0};
	uint64_t len;

	for (uint64_t at = RAW_FIRST; (len = next_gap(v, &at)) > 0; at += len) {
		if (!grows && len >= want)
			return (struct raw_run){at, len};
		if (len > best.blocks)
			best = (struct raw_run){at, len};
	}
	/* Behind another file, it begins some way off, so that both can grow. */
	if (grows && best.start > RAW_FIRST && best.blocks > 2 * want) {
		const uint64_t slack = best.blocks / 2 < SLACK ? best.blocks / 2 : SLACK;

		best.start += slack;
		best.blocks -= slack;
	}
	return best;
}

/* Makes the run as long as it can be, up to `want` blocks: how long it is then. */
static uint64_t stretch(const struct raw *v, struct raw_node *n, uint64_t want, int grows)
{
	struct raw_run gap;

	if (n->run.blocks == 0) {
		gap = find_gap(v, want, grows);
		n->run.start = gap.start;
	} else {
		gap.start = n->run.start + n->run.blocks;
		gap.blocks = next_gap(v, &gap.start);
		if (gap.start != n->run.start + n->run.blocks)
			gap.blocks = 0;
	}
	if (gap.blocks > want - n->run.blocks)
		gap.blocks = want - n->run.blocks;
	n->run.blocks += gap.blocks;
	n->pub.attr.blocks = n->run.blocks * (DISK_BLOCK / 512);
	return n->run.blocks;
}

/* Whether the disk still keeps blocks that nobody here has any more. */
static int frees_wait(const struct raw *v)
{
	for (int i = 1; i < RAW_PLACES; i++)
		if (v->durable[i].blocks && (v->durable[i].start != v->node[i].run.start ||
					     v->durable[i].blocks > v->node[i].run.blocks))
			return 1;
	return 0;
}

/* Lets the run have `want` blocks, or as many as there are: 0 or an error. */
static int grow(struct fs_ctx *c, struct raw_node *n, uint64_t want, int grows)
{
	struct raw *v = raw_of(c);
	int status = v->unsure ? raw_commit(c) : 0;

	if (status || n->run.blocks >= want)
		return status;
	raw_dirty(v, RAW_SHAPE);
	if (stretch(v, n, want, grows) < want && frees_wait(v)) {
		status = raw_commit(c);
		raw_dirty(v, RAW_SHAPE);
		(void)stretch(v, n, want, grows);
	}
	return status;
}

/* Gives back what lies behind the first `keep` blocks. */
static void shrink(struct raw *v, struct raw_node *n, uint64_t keep)
{
	while (n->run.blocks > keep)
		buf_forget(v->fs.cache, n->run.start + --n->run.blocks);
	n->pub.attr.blocks = n->run.blocks * (DISK_BLOCK / 512);
	raw_dirty(v, RAW_SHAPE);
}

void raw_release(struct raw *v, struct raw_node *n)
{
	shrink(v, n, 0);
	n->run.start = 0;
}

/* ---- bytes ---- */

/* The block of byte `off`, which holds bytes below `filled` or is to be filled from its start. */
static int get(struct fs_ctx *c, const struct raw_node *n, uint64_t off, int whole, struct buf **b)
{
	const uint64_t i = off / DISK_BLOCK;
	const int fresh = i * DISK_BLOCK >= n->filled;
	const int status = buf_get(c->fs->cache, c->disk, n->run.start + i,
				   fresh || whole ? BUF_OVERWRITE : BUF_READ, b);

	if (status == 0 && fresh)
		memset((*b)->data, 0, DISK_BLOCK);
	return status;
}

/* Puts bytes, or zeros if `from` is NULL, at off, which is not beyond `filled`. */
static int64_t put(struct fs_ctx *c, struct raw_node *n, uint64_t off, const char *from,
		   uint64_t len)
{
	uint64_t done = 0;

	while (done < len) {
		const uint64_t in = (off + done) % DISK_BLOCK;
		const uint64_t part = len - done < DISK_BLOCK - in ? len - done : DISK_BLOCK - in;
		struct buf *b;
		const int status = get(c, n, off + done, part == DISK_BLOCK, &b);

		if (status)
			return done ? (int64_t)done : status;
		if (from)
			memcpy((char *)b->data + in, from + done, part);
		else
			memset((char *)b->data + in, 0, part);
		buf_dirty(c->fs->cache, b, (uint32_t)n->pub.attr.ino);
		buf_put(b);
		done += part;
		if (off + done > n->filled) {
			n->filled = off + done;
			raw_dirty(raw_of(c), RAW_SHAPE);
		}
	}
	return (int64_t)done;
}

int64_t raw_write(struct fs_ctx *c, struct raw_node *n, uint64_t off, const void *from, size_t len)
{
	int64_t status;
	uint64_t room;

	if (len == 0)
		return 0;
	if (off > SIZE_MOST || len > SIZE_MOST - off)
		return -EFBIG;
	status = grow(c, n, blocks_for(off + len), 1);
	if (status)
		return status;
	room = n->run.blocks * DISK_BLOCK;
	if (room <= off)
		return -ENOSPC;
	if (len > room - off)
		len = (size_t)(room - off);
	if (off > n->filled) {
		const uint64_t gap = off - n->filled;

		status = put(c, n, n->filled, NULL, gap);
		if (status != (int64_t)gap)
			return status < 0 ? status : -EIO;
	}
	status = put(c, n, off, from, len);
	if (status > 0 && off + (uint64_t)status > n->pub.attr.size)
		n->pub.attr.size = off + (uint64_t)status;
	return status;
}

/* Reads ahead, if the reader of block i was there before. */
static void ahead(struct fs_ctx *c, struct raw_node *n, uint64_t i, uint64_t want)
{
	const uint64_t end = blocks_for(n->filled);

	if (i == n->ahead && i)
		want += AHEAD;
	for (uint64_t at = i; want > 1 && at < end && at < i + want; at += AHEAD) {
		const uint64_t left = (end < i + want ? end : i + want) - at;

		(void)buf_prefetch(c->fs->cache, c->disk, n->run.start + at,
				   (uint32_t)(left < AHEAD ? left : AHEAD));
	}
}

int64_t raw_read(struct fs_ctx *c, struct raw_node *n, uint64_t off, void *to, size_t len)
{
	const uint64_t size = n->pub.attr.size;
	size_t done = 0;

	if (off >= size)
		return 0;
	if (len > size - off)
		len = (size_t)(size - off);
	while (done < len) {
		const uint64_t at = off + done, in = at % DISK_BLOCK;
		size_t part = (size_t)(len - done < DISK_BLOCK - in ? len - done : DISK_BLOCK - in);
		struct buf *b;
		int status;

		if (at >= n->filled) {
			memset((char *)to + done, 0, len - done);
			break;
		}
		if (part > n->filled - at)
			part = (size_t)(n->filled - at);
		if (done % (AHEAD * DISK_BLOCK) < DISK_BLOCK)
			ahead(c, n, at / DISK_BLOCK,
			      blocks_for(len - done < AHEAD * DISK_BLOCK ? len - done
									 : AHEAD * DISK_BLOCK));
		status = get(c, n, at, 0, &b);
		if (status)
			return done ? (int64_t)done : status;
		memcpy((char *)to + done, (char *)b->data + in, part);
		buf_put(b);
		done += part;
	}
	n->ahead = (off + len) / DISK_BLOCK;
	return (int64_t)len;
}

int raw_resize(struct fs_ctx *c, struct raw_node *n, uint64_t size)
{
	struct raw *v = raw_of(c);
	const uint64_t want = blocks_for(size);
	int status;

	if (size > SIZE_MOST)
		return -EFBIG;
	if (size > n->pub.attr.size) {
		const uint64_t had = n->run.blocks;

		status = grow(c, n, want, 0);
		if (status == 0 && n->run.blocks < want) {
			shrink(v, n, had);
			status = -ENOSPC;
		}
		if (status)
			return status;
	} else {
		shrink(v, n, want);
	}
	if (n->filled > size)
		n->filled = size;
	n->pub.attr.size = size;
	raw_dirty(v, RAW_SHAPE);
	return 0;
}
