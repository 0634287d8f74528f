/*
 * write.c - writing back: which dirty buffers make one command, and what a sync waits for.
 *
 * Owns nothing but the order of writes: in one round each dirty buffer is tried once, in block
 * order of runs, so a block that cannot be written does not stop the others. Invariant: a buffer is
 * WRITING from when it leaves its dirty list until its command is done, and then clean, or DIRTY
 * and FAILED. Lock: c->lock; see cache.h. Called by file systems through buf.h, and by cache.c for
 * room.
 */
#include <errno.h>
#include <stdint.h>
#include "cache.h"

#define RUNS_MAX 256u /* runs sorted at a time by a sync */

/* Which dirty buffers a round is about: all, or one tag's. */
struct scope {
	uint32_t tag;
	uint32_t seq; /* of the round, 0: none. Who was tried in it is left out */
	int all;
	int idle; /* not those that are pinned: who holds them may be in the midst of a change */
};

/* Writes the `n` WRITING buffers of consecutive blocks in `run`; they end clean, or DIRTY and
 * FAILED. */
static int write_run_unlocked_io(struct buf_cache *c, struct disk *d, struct buf *const *run,
				 void *const *pages, uint32_t n)
{
	int status = cache_transfer_unlocked_io(c, d, DISK_WRITE, run[0]->block, n, pages);

	if (status != 0 && n > 1) {
		/* Some of them may be writable: only the bad ones stay dirty. */
		int worst = 0;
		for (uint32_t i = 0; i < n; i++) {
			int one = write_run_unlocked_io(c, d, run + i, pages + i, 1);
			worst = worst != 0 ? worst : one;
		}
		return worst;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct buf *b = run[i];

		b->flags &= (uint8_t) ~(WRITING | FAILED);
		c->writing--;
		if (status == 0)
			continue;
		b->flags |= FAILED;
		if (!(b->flags & DIRTY))
			cache_dirty_add(c, b, b->tag);
	}
	return status;
}

static inline int writable(const struct buf *b, const struct scope *s)
{
	return b != NULL && (b->flags & (DIRTY | WRITING)) == DIRTY &&
	       (s->seq == 0 || b->round != s->seq) && !(s->idle && b->pins != 0);
}

/* Writes the dirty buffers from `block` on as one command; those right before it too if `back`. */
static int write_cluster_unlocked_io(struct buf_cache *c, struct disk *d, uint64_t block, int back,
				     const struct scope *s)
{
	struct buf *run[DISK_MAX_BLOCKS];
	void *pages[DISK_MAX_BLOCKS];
	uint32_t n = 0;

	for (uint32_t i = 1; back && i < DISK_MAX_BLOCKS / 2; i++) {
		if (block == 0 || !writable(cache_find(c, block - 1), s))
			break;
		block--;
	}
	for (; n < DISK_MAX_BLOCKS; n++) {
		struct buf *b = cache_find(c, block + n);

		if (!writable(b, s))
			break;
		cache_dirty_remove(c, b);
		b->flags |= WRITING;
		c->writing++;
		b->owner = owner_self();
		b->round = s->seq;
		run[n] = b;
		pages[n] = b->data;
	}
	return n == 0 ? 0 : write_run_unlocked_io(c, d, run, pages, n);
}

int cache_write_around_unlocked_io(struct buf_cache *c, struct disk *d, uint64_t block)
{
	return write_cluster_unlocked_io(c, d, block, 1, &(struct scope){.all = 1, .idle = 1});
}

/* ---- rounds ---- */

static int in_scope(const struct buf *b, const struct scope *s)
{
	return writable(b, s) && (s->all || b->tag == s->tag);
}

/* Puts the first blocks of up to RUNS_MAX runs of one dirty list into `starts`, after `n` others.
 */
static uint32_t collect(struct buf_cache *c, uint32_t list, const struct scope *s, uint64_t *starts,
			uint32_t n)
{
	for (uint32_t f = c->dirty[list]; f != BUF_NONE && n < RUNS_MAX;
	     f = c->heads[f].dirty_next) {
		const struct buf *b = &c->heads[f];

		if (!in_scope(b, s))
			continue;
		if (b->block > 0 && in_scope(cache_find(c, b->block - 1), s))
			continue;
		starts[n++] = b->block;
	}
	return n;
}

static void sift(uint64_t *v, uint32_t i, uint32_t n)
{
	for (uint32_t k; (k = 2 * i + 1) < n; i = k) {
		if (k + 1 < n && v[k + 1] > v[k])
			k++;
		if (v[i] >= v[k])
			return;
		uint64_t t = v[i];
		v[i] = v[k];
		v[k] = t;
	}
}

static void sort(uint64_t *v, uint32_t n)
{
	for (uint32_t i = n / 2; i-- > 0;)
		sift(v, i, n);
	while (n-- > 1) {
		uint64_t t = v[0];
		v[0] = v[n];
		v[n] = t;
		sift(v, 0, n);
	}
}

/* Writes whole runs from their first blocks, in order. */
static int write_runs_unlocked_io(struct buf_cache *c, struct disk *d, uint64_t *starts, uint32_t n,
				  const struct scope *s)
{
	int worst = 0;

	sort(starts, n);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t block = starts[i];

		for (; writable(cache_find(c, block), s); block += DISK_MAX_BLOCKS) {
			int status = write_cluster_unlocked_io(c, d, block, 0, s);
			worst = worst != 0 ? worst : status;
		}
	}
	return worst;
}

/* Waits for the transfers of others, which took their buffers off the dirty lists. 1 if one of them
 * had died. */
static int wait_for_writers_unlocked_io(struct buf_cache *c)
{
	int again = 0;

	for (uint32_t f = 0; f < c->nframes && c->writing > 0; f++) {
		struct buf *b = &c->heads[f];

		while (b->state == VALID && (b->flags & WRITING)) {
			cache_wait_unlocked_io(c, b);
			again |= (b->flags & DIRTY) != 0;
		}
	}
	return again;
}

static uint32_t next_seq(struct buf_cache *c)
{
	if (++c->sync_seq == 0)
		c->sync_seq = 1;
	return c->sync_seq;
}

static int round_unlocked_io(struct buf_cache *c, struct disk *d, struct scope *s)
{
	uint64_t starts[RUNS_MAX];
	const uint32_t first = s->all ? 0 : s->tag & c->dirty_mask,
		       last = s->all ? c->dirty_mask : first;
	uint32_t n, list;
	int worst = 0;

	s->seq = next_seq(c);
	do {
		for (n = 0, list = first; list <= last && n < RUNS_MAX; list++)
			n = collect(c, list, s, starts, n);
		int status = write_runs_unlocked_io(c, d, starts, n, s);
		worst = worst != 0 ? worst : status;
	} while (n == RUNS_MAX);
	return worst;
}

int cache_write_all_unlocked_io(struct buf_cache *c, struct disk *d, int idle)
{
	return round_unlocked_io(c, d, &(struct scope){.all = 1, .idle = idle});
}

/* ---- public ---- */

static int sync_scope(struct buf_cache *c, struct disk *d, struct scope s)
{
	int worst = 0, again = 0;

	cache_enter(c);
	do {
		int status = round_unlocked_io(c, d, &s);
		worst = worst != 0 ? worst : status;
		again = !again && worst == 0 && wait_for_writers_unlocked_io(c);
	} while (again);
	cache_leave(c);
	return worst;
}

int buf_sync(struct buf_cache *c, struct disk *d)
{
	return sync_scope(c, d, (struct scope){.all = 1});
}

int buf_sync_tag(struct buf_cache *c, struct disk *d, uint32_t tag)
{
	return sync_scope(c, d, (struct scope){.tag = tag});
}

int buf_sync_range(struct buf_cache *c, struct disk *d, uint64_t first, uint64_t n)
{
	struct scope s = {.all = 1};
	int worst = 0;

	cache_enter(c);
	s.seq = next_seq(c);
	for (uint64_t block = first; block - first < n && block < c->nblocks; block++) {
		struct buf *b;
		while ((b = cache_find(c, block)) != NULL && (b->flags & WRITING))
			cache_wait_unlocked_io(c, b);
		if (!writable(b, &s))
			continue;
		int status = write_cluster_unlocked_io(c, d, block, 0, &s);
		worst = worst != 0 ? worst : status;
	}
	cache_leave(c);
	return worst;
}

int buf_settle(struct buf_cache *c, struct disk *d)
{
	int status = 0;

	cache_enter(c);
	if (c->stats.dirty > c->tuning.dirty_most)
		status = cache_write_all_unlocked_io(c, d, 0);
	cache_leave(c);
	return status;
}

int buf_flush(struct disk *d)
{
	struct disk_req r = {.op = DISK_FLUSH};
	int status = disk_submit(d, &r);

	return status != 0 ? status : disk_wait(d, &r);
}
