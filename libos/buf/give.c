/*
 * give.c - frames of the cache that its owner gives away, when the kernel asks for pages: the
 * coldest ones (buf_give), or a run of them, whatever is in it (buf_vacate).
 *
 * Owns: state GONE.  Invariant: a GONE frame is in no list, and the limit counts on none of them.
 * Lock: c->lock; see cache.h.  Called by owners of caches, through buf.h.
 */
#include <errno.h>
#include <stdint.h>
#include "cache.h"

enum { PATIENCE = 1000 }; /* times that a pinned buffer is waited for */

/* The frame `b`, in no list, is not the cache's any more. */
static void let_go(struct buf_cache *c, struct buf *b)
{
	b->state = GONE;
	c->gone++;
}

uint32_t buf_give(struct buf_cache *c, struct disk *d, uint32_t n, void **pages)
{
	uint32_t given = 0;

	cache_enter(c);
	while (given < n && c->nframes - c->gone > BUF_MIN_FRAMES) {
		if (c->free == BUF_NONE) {
			const int status = cache_evict_unlocked_io(c, d, 1);

			if (status != 0 && status != -EAGAIN)
				break;
			continue;
		}
		struct buf *b = &c->heads[c->free];
		c->free = b->hash_next;
		let_go(c, b);
		c->tuning.limit = cache_min(c->tuning.limit, c->nframes - c->gone);
		pages[given++] = b->data;
	}
	buf_policy_limit(c->policy, c->tuning.limit);
	cache_leave(c);
	return given;
}

static void come_back(struct buf_cache *c, struct buf *b)
{
	b->state = EMPTY;
	b->hash_next = c->free;
	c->free = cache_index(c, b);
	c->gone--;
}

int buf_take(struct buf_cache *c, void *page)
{
	const uint64_t at = (uint64_t)((char *)page - c->frames);
	int status = -EINVAL;

	cache_enter(c);
	if (at % BUF_SIZE == 0 && at / BUF_SIZE < c->nframes &&
	    c->heads[at / BUF_SIZE].state == GONE) {
		come_back(c, &c->heads[at / BUF_SIZE]);
		status = 0;
	}
	cache_leave(c);
	return status;
}

/* ---- a run of frames ---- */

struct run {
	uint32_t first, n;
};

/* The free list without those of the run, which are gone. */
static void sweep(struct buf_cache *c, const struct run *r)
{
	uint32_t *at = &c->free;

	while (*at != BUF_NONE) {
		struct buf *b = &c->heads[*at];

		if (*at - r->first < r->n) {
			*at = b->hash_next;
			let_go(c, b);
		} else {
			at = &b->hash_next;
		}
	}
}

/* Waits until nobody uses `b`: 0 when it is to be looked at anew, -EBUSY when that takes too long.
 */
static int wait_unlocked_io(struct buf_cache *c, struct buf *b, uint32_t *waited)
{
	if (cache_busy(b)) {
		cache_wait_unlocked_io(c, b);
		return 0;
	}
	if (++*waited > PATIENCE)
		return -EBUSY;
	cache_leave(c);
	owner_yield(0);
	cache_enter(c);
	return 0;
}

/* Fewer are in use than stay, so there is a free frame outside for each that is in use inside;
 * unless somebody has raised the limit meanwhile. */
static int empty_unlocked_io(struct buf_cache *c, const struct run *r)
{
	uint32_t waited = 0;

	sweep(c, r);
	for (uint32_t f = r->first; f < r->first + r->n;) {
		struct buf *b = &c->heads[f];

		if (b->state == GONE) {
			f++;
		} else if (cache_busy(b) || b->pins != 0) {
			const int status = wait_unlocked_io(c, b, &waited);

			if (status != 0)
				return status;
			sweep(c, r); /* what was given up meanwhile */
		} else if (c->free == BUF_NONE) {
			return -EBUSY;
		} else {
			cache_move(c, b);
			let_go(c, b);
		}
	}
	return 0;
}

static void undo(struct buf_cache *c, const struct run *r)
{
	for (uint32_t f = r->first; f < r->first + r->n; f++)
		if (c->heads[f].state == GONE)
			come_back(c, &c->heads[f]);
}

static int vacate_unlocked_io(struct buf_cache *c, struct disk *d, const struct run *r)
{
	const uint32_t before = c->tuning.limit;
	int status = 0;

	c->tuning.limit = cache_min(before, c->nframes - c->gone - r->n);
	while (c->stats.used > c->tuning.limit && (status == 0 || status == -EAGAIN))
		status = cache_evict_unlocked_io(c, d, 1);
	if (c->stats.used <= c->tuning.limit)
		status = empty_unlocked_io(c, r);
	if (status != 0) {
		undo(c, r);
		c->tuning.limit = before;
	}
	buf_policy_limit(c->policy, c->tuning.limit);
	return status;
}

int buf_vacate(struct buf_cache *c, struct disk *d, uint32_t first, uint32_t n)
{
	const struct run r = {first, n};
	int status = first < c->nframes && n <= c->nframes - first ? 0 : -EINVAL;

	cache_enter(c);
	for (uint32_t f = first; status == 0 && f < first + n; f++)
		if (c->heads[f].state == GONE)
			status = -EINVAL;
	if (status == 0 && c->nframes - c->gone < n + BUF_MIN_FRAMES)
		status = -ENOMEM;
	if (status == 0)
		status = vacate_unlocked_io(c, d, &r);
	cache_leave(c);
	return status;
}
