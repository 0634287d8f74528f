/*
 * ext2_file.c - the bytes of files (and of long symbolic links): read, write, resize, read-
 * ahead.
 *
 * Owns: sizes of files, and which blocks of each were read ahead.
 * Invariant: bytes of the last block behind the end are zero before the end moves past them; a
 * block that was allocated just now is overwritten or zeroed before anybody can read it.
 * Lock: the file system's, held by the caller.
 * Called by ext2.c and ext2_dir.c.
 */
#include <errno.h>
#include <string.h>
#include "ext2.h"

#define BLOCK_MASK (DISK_BLOCK - 1)
#define BLOCK_LOG  12u
#define MAP_MOST   1024u

static inline uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Blocks of the file system that [off, off + len) touches, but no more than MAP_MOST. */
static uint32_t blocks_of(const struct ext2 *e, uint64_t off, uint64_t len)
{
	uint64_t n = ((off & (e->bs - 1)) + len + e->bs - 1) >> e->bs_log;

	return n < MAP_MOST ? (uint32_t)n : MAP_MOST;
}

/* ---- reading ---- */

/* Maps blocks from `skip` after `lblk` on, by way of those before, if they are one run: the reader
 * comes to those next, and finds what was mapped last. */
static int map_on(struct fs_ctx *c, struct ext2_node *n, uint32_t lblk, uint32_t skip, uint32_t len,
		  struct ext2_run *run)
{
	const int status = ext2_map(c, n, lblk, skip + len, EXT2_LOOK, run);

	if (status != 0 || run->len <= skip)
		return status != 0 ? status : ext2_map(c, n, lblk + skip, len, EXT2_LOOK, run);
	run->block += run->block != 0 ? skip : 0;
	run->len -= skip;
	return 0;
}

void ext2_ahead(struct fs_ctx *c, struct ext2_node *n, uint32_t lblk, uint32_t want)
{
	struct ext2 *e = ext2_of(c);
	const uint32_t shift = BLOCK_LOG - e->bs_log;
	const uint32_t size = (uint32_t)((n->pub.attr.size + e->bs - 1) >> e->bs_log);
	uint32_t from = lblk;
	const uint32_t len =
		buf_stream_next(e->fs.cache, &n->ahead, lblk, want, size, shift, &from);
	struct ext2_run run;

	if (len == 0 || map_on(c, n, lblk, from - lblk, len, &run) != 0 || run.block == 0)
		return;
	uint64_t first = run.block >> shift, last = ((uint64_t)run.block + run.len - 1) >> shift;
	n->ahead.first = from;
	n->ahead.end = from + run.len;
	(void)buf_prefetch(e->fs.cache, c->disk, first, (uint32_t)(last - first + 1));
}

/* What the cache is told of blocks of the disk. */
static int advise_blocks(struct fs_ctx *c, const struct ext2_run *run, enum buf_advice advice)
{
	const struct ext2 *e = ext2_of(c);
	const uint32_t shift = BLOCK_LOG - e->bs_log;
	const uint64_t first = run->block >> shift,
		       last = ((uint64_t)run->block + run->len - 1) >> shift;

	return buf_advise(e->fs.cache, c->disk, first, last - first + 1, advice);
}

int ext2_file_advise(struct fs_ctx *c, struct ext2_node *n, uint64_t off, uint64_t len,
		     enum fs_advice advice)
{
	static const enum buf_advice to_cache[] = {
		[FS_ADVICE_NORMAL] = BUF_NORMAL,
		[FS_ADVICE_WILLNEED] = BUF_WILLNEED,
		[FS_ADVICE_DONTNEED] = BUF_DONTNEED,
		[FS_ADVICE_ONCE] = BUF_ONCE,
	};
	const struct ext2 *e = ext2_of(c);
	const uint64_t size = n->pub.attr.size;
	struct ext2_run run;
	int status = 0;

	if (advice <= FS_ADVICE_SEQUENTIAL)
		n->ahead.pattern = advice == FS_ADVICE_RANDOM	    ? BUF_RANDOM
				   : advice == FS_ADVICE_SEQUENTIAL ? BUF_SEQUENTIAL
								    : BUF_DETECT;
	if (advice == FS_ADVICE_RANDOM || advice == FS_ADVICE_SEQUENTIAL || off >= size)
		return 0;
	const uint64_t end = off + min64(len, size - off);
	for (uint64_t at = off; at < end && status == 0; at += (uint64_t)run.len << e->bs_log) {
		at &= ~((uint64_t)e->bs - 1);
		status = ext2_map(c, n, (uint32_t)(at >> e->bs_log), blocks_of(e, at, end - at),
				  EXT2_LOOK, &run);
		if (status == 0 && run.block != 0)
			status = advise_blocks(c, &run, to_cache[advice]);
	}
	return status;
}

/* Copies `len` bytes from byte `at` of the disk on, as many blocks at a time as are there. */
static int copy_in(struct fs_ctx *c, uint64_t at, char *to, uint64_t len)
{
	struct buf_cache *cache = ext2_of(c)->fs.cache;

	while (len > 0) {
		const uint64_t first = at >> BLOCK_LOG, last = (at + len - 1) >> BLOCK_LOG;
		struct buf *b[BUF_RUN];
		uint32_t n = first < last ? buf_get_run(cache, first, last - first + 1, b) : 0;

		if (n == 0) {
			int status = buf_get(cache, c->disk, first, BUF_READ, &b[0]);
			if (status != 0)
				return status == -ERANGE ? -EIO : status;
			n = 1;
		}
		for (uint32_t i = 0; i < n; i++) {
			const uint64_t in = at & BLOCK_MASK, k = min64(len, DISK_BLOCK - in);

			memcpy(to, (const char *)b[i]->data + in, k);
			buf_put(b[i]);
			at += k;
			to += k;
			len -= k;
		}
	}
	return 0;
}

/* Reads bytes that are in the file, run by run. */
__attribute__((noinline)) static int64_t read_runs(struct fs_ctx *c, struct ext2_node *n,
						   uint64_t off, void *to, size_t len)
{
	const struct ext2 *e = ext2_of(c);
	uint64_t done = 0;

	while (done < len) {
		uint64_t at = off + done, in = at & (e->bs - 1);
		uint32_t lblk = (uint32_t)(at >> e->bs_log);
		uint32_t want = blocks_of(e, at, len - done);
		struct ext2_run run;

		if (!buf_stream_has(&n->ahead, lblk, want))
			ext2_ahead(c, n, lblk, want);
		int status = ext2_map(c, n, lblk, want, EXT2_LOOK, &run);
		if (status != 0)
			return done > 0 ? (int64_t)done : status;
		uint64_t k = min64(len - done, ((uint64_t)run.len << e->bs_log) - in);
		if (n->ahead.end > lblk)
			k = min64(k, ((uint64_t)(n->ahead.end - lblk) << e->bs_log) - in);
		if (run.block == 0)
			memset((char *)to + done, 0, k);
		else
			status = copy_in(c, ((uint64_t)run.block << e->bs_log) + in,
					 (char *)to + done, k);
		if (status != 0)
			return done > 0 ? (int64_t)done : status;
		done += k;
	}
	return (int64_t)done;
}

int64_t ext2_file_read(struct fs_ctx *c, struct ext2_node *n, uint64_t off, void *to, size_t len)
{
	const struct ext2 *e = ext2_of(c);
	const uint64_t size = n->pub.attr.size, in = off & (e->bs - 1);
	const uint32_t lblk = (uint32_t)(off >> e->bs_log);
	struct ext2_block b;

	if (off >= size)
		return 0;
	len = min64(len, size - off);
	if (in + len > e->bs || ext2_known(n, lblk) == 0 || !buf_stream_has(&n->ahead, lblk, 1))
		return read_runs(c, n, off, to, len);
	/* Most reads are of one block, and not the first in that part of the file. */
	const int status = ext2_get(c, n->run_block + (lblk - n->run_first), &b);
	if (status != 0)
		return status;
	memcpy(to, b.data + in, len);
	ext2_put(&b);
	return (int64_t)len;
}

/* ---- writing ---- */

/* Zeroes, in the device block at `page`, what belongs to the file blocks touched by [from, to) but
 * lies outside. */
static void zero_around(const struct ext2 *e, char *page, uint32_t from, uint32_t to)
{
	uint32_t low = from & ~(e->bs - 1), high = (to + e->bs - 1) & ~(e->bs - 1);

	memset(page + low, 0, from - low);
	memset(page + to, 0, high - to);
}

/* Copies `len` bytes to byte `at` of the disk on; the blocks there are `fresh` or keep their other
 * bytes. */
static int copy_out(struct fs_ctx *c, const struct ext2_node *n, uint64_t at, const char *from,
		    uint64_t len, int fresh)
{
	const struct ext2 *e = ext2_of(c);
	struct buf_cache *cache = e->fs.cache;

	while (len > 0) {
		uint32_t in = (uint32_t)(at & BLOCK_MASK);
		uint32_t k = (uint32_t)min64(len, DISK_BLOCK - in);
		int whole = k == DISK_BLOCK || (fresh && e->bs == DISK_BLOCK);
		struct buf *b;
		int status = buf_get(cache, c->disk, at >> BLOCK_LOG,
				     whole ? BUF_OVERWRITE : BUF_READ, &b);

		if (status != 0)
			return status == -ERANGE ? -EIO : status;
		if (fresh)
			zero_around(e, b->data, in, in + k);
		memcpy((char *)b->data + in, from, k);
		buf_dirty(cache, b, n->ino);
		buf_put(b);
		at += k;
		from += k;
		len -= k;
	}
	return 0;
}

/* Zeroes the bytes of the last block behind the end, if it has a block. */
static int zero_tail(struct fs_ctx *c, struct ext2_node *n)
{
	const struct ext2 *e = ext2_of(c);
	uint32_t in = (uint32_t)n->pub.attr.size & (e->bs - 1);
	struct ext2_run run;
	struct ext2_block b;

	if (in == 0)
		return 0;
	int status = ext2_map(c, n, (uint32_t)(n->pub.attr.size >> e->bs_log), 1, EXT2_LOOK, &run);
	if (status != 0 || run.block == 0)
		return status;
	status = ext2_get(c, run.block, &b);
	if (status != 0)
		return status;
	memset(b.data + in, 0, e->bs - in);
	ext2_dirty(c, &b, n->ino);
	ext2_put(&b);
	return 0;
}

/* Sizes from 2 GiB on want a mark in the superblock. */
static void set_size(struct ext2 *e, struct ext2_node *n, uint64_t size)
{
	n->pub.attr.size = size;
	if (size > INT32_MAX && e->super.rev_level > 0)
		e->super.ro_compat |= EXT2_LARGE;
	ext2_node_dirty(e, n);
}

static int size_fits(const struct ext2 *e, uint64_t size)
{
	return size <= ext2_size_max(e) && (size <= INT32_MAX || e->super.rev_level > 0);
}

/* One run's worth of a write: how many bytes, or an error. */
static int64_t write_some(struct fs_ctx *c, struct ext2_node *n, uint64_t at, const char *from,
			  uint64_t len)
{
	const struct ext2 *e = ext2_of(c);
	uint64_t in = at & (e->bs - 1), end = at + len;
	uint32_t lblk = (uint32_t)(at >> e->bs_log), want = blocks_of(e, at, len);
	struct ext2_run run;

	/* Holes inside the file are filled block by block: an error must leave no unwritten block
	 * there. */
	if (at < n->pub.attr.size) {
		uint32_t inside = blocks_of(e, at, min64(end, n->pub.attr.size) - at);
		int status = ext2_map(c, n, lblk, inside, EXT2_LOOK, &run);

		if (status != 0)
			return status;
		want = run.block == 0 ? 1 : run.len;
	}
	int status = ext2_map(c, n, lblk, want, EXT2_FILL, &run);
	if (status != 0)
		return status;
	uint64_t k = min64(len, ((uint64_t)run.len << e->bs_log) - in);
	status = copy_out(c, n, ((uint64_t)run.block << e->bs_log) + in, from, k, run.fresh);
	return status != 0 ? status : (int64_t)k;
}

int64_t ext2_file_write(struct fs_ctx *c, struct ext2_node *n, uint64_t off, const void *from,
			size_t len)
{
	struct ext2 *e = ext2_of(c);
	uint64_t done = 0;
	int64_t k = 0;

	if (off > ext2_size_max(e) || len > INT64_MAX)
		return -EFBIG;
	len = min64(len, ext2_size_max(e) - off);
	if (len == 0 || !size_fits(e, off + len))
		return len == 0 && off < ext2_size_max(e) ? 0 : -EFBIG;
	if (off > n->pub.attr.size) {
		int status = zero_tail(c, n);
		if (status != 0)
			return status;
	}
	while (done < len) {
		k = write_some(c, n, off + done, (const char *)from + done, len - done);
		if (k < 0)
			break;
		done += (uint64_t)k;
		if (off + done > n->pub.attr.size)
			set_size(e, n, off + done);
	}
	if (k < 0 && !e->fs.readonly) {
		/* Blocks taken behind the end and never written go back; -EIO then is in `k`
		 * already. */
		uint64_t keep = (n->pub.attr.size + e->bs - 1) >> e->bs_log;
		(void)ext2_unmap(c, n, (uint32_t)keep);
	}
	if (done > 0)
		ext2_touch(e, n, EXT2_TOUCH_CM);
	return done > 0 ? (int64_t)done : k;
}

int ext2_file_resize(struct fs_ctx *c, struct ext2_node *n, uint64_t size)
{
	struct ext2 *e = ext2_of(c);
	uint64_t old = n->pub.attr.size;
	int status = 0;

	if (!size_fits(e, size))
		return -EFBIG;
	if (size > old)
		status = zero_tail(c, n);
	if (status != 0)
		return status;
	set_size(e, n, size);
	if (size < old) {
		status = ext2_unmap(c, n, (uint32_t)((size + e->bs - 1) >> e->bs_log));
		if (status == 0)
			status = zero_tail(c, n);
	}
	ext2_touch(e, n, EXT2_TOUCH_CM);
	return status;
}
