/*
 * tune.c - what the buffer cache can be set to while it runs, and what its users tell it: bounds,
 * advice, how far to read ahead.
 *
 * Owns `tuning`, and the bounds made from it. How read-ahead works: each file has a stream
 * (struct buf_stream), whose window begins at AHEAD_FIRST blocks when its reader goes on where it
 * left off, doubles each time the reader comes to its end, and is gone when the reader jumps. No
 * window is larger than `ahead_now`, which all streams share: it is halved when a block read ahead
 * is given up before anybody asked for it, and grows by one with each that is asked for, up to
 * `ahead_most`. So when memory is short, or readers are many, all go less far ahead.
 * Invariant: BUF_MIN_FRAMES <= limit <= frames that are not GONE; ahead_now <= ahead_most.
 * Lock: c->lock; buf_stream_next and buf_wants read single words without it.
 * Called by file systems, by the POSIX layer for `bufctl`, and by owners of private caches.
 */
#include <errno.h>
#include <stdint.h>
#include <libos/time.h>
#include "cache.h"

enum { AHEAD_FIRST = 32, NS_PER_MS = 1000000 };

/* ---- bounds ---- */

void cache_bounds(struct buf_cache *c)
{
	const uint32_t dirty =
		c->stats.dirty > c->tuning.dirty_most ? c->stats.dirty : c->tuning.dirty_most;

	c->dirty_hard = dirty > UINT32_MAX - DISK_MAX_BLOCKS ? UINT32_MAX : dirty + DISK_MAX_BLOCKS;
}

int buf_tune(struct buf_cache *c, const struct buf_tuning *t)
{
	const struct buf_tuning new = *t;
	int status = -EINVAL;

	cache_enter(c);
	if (new.limit >= BUF_MIN_FRAMES &&new.limit <= c->nframes - c->gone &&new.ahead_most <=
	    DISK_MAX_BLOCKS &&new.reuse <= 1) {
		if (new.ahead_most != c->tuning.ahead_most)
			c->ahead_now = new.ahead_most;
		c->tuning = new;
		cache_bounds(c);
		while (c->stats.used > new.limit && cache_evict_clean(c))
			;
		buf_policy_limit(c->policy, new.limit);
		status = 0;
	}
	cache_leave(c);
	return status;
}

void buf_get_tuning(struct buf_cache *c, struct buf_tuning *out)
{
	cache_enter(c);
	*out = c->tuning;
	cache_leave(c);
}

/* Others make it fewer only; to miss what they add is no harm, they look for themselves. */
enum buf_want buf_wants(const struct buf_cache *c)
{
	if (c->tuning.dirty_most == 0)
		return BUF_WANT_ALL;
	return __atomic_load_n(&c->stats.dirty, __ATOMIC_RELAXED) > c->tuning.dirty_most
		       ? BUF_WANT_SETTLE
		       : BUF_WANT_NOTHING;
}

int buf_due(struct buf_cache *c, int more)
{
	const uint64_t age = (uint64_t)c->tuning.dirty_ms * NS_PER_MS, now = time_now();
	int due;

	cache_enter(c);
	due = age != 0 && ((c->stats.dirty != 0 && now - c->dirty_since >= age) ||
			   (more && now - c->more_since >= age));
	if (due)
		c->dirty_since = now;
	if (due || !more)
		c->more_since = now;
	cache_leave(c);
	return due;
}

/* ---- reading ahead ---- */

uint32_t buf_stream_next(const struct buf_cache *c, struct buf_stream *s, uint32_t at,
			 uint32_t want, uint32_t size, uint32_t shift, uint32_t *from)
{
	const uint32_t ahead = c->ahead_now << shift, most = cache_gather(c) << shift;
	const int sequential = at == s->next || at + 1 == s->next;

	if (buf_stream_has(s, at, want))
		return 0;
	s->next = at + want;
	if (s->pattern == BUF_SEQUENTIAL)
		s->window = ahead;
	else if (s->pattern == BUF_RANDOM || !sequential)
		s->window = 0;
	else
		s->window = s->window == 0 ? (uint32_t)AHEAD_FIRST << shift : s->window * 2;
	s->window = cache_min(s->window, ahead);
	if (at >= s->first && at < s->end)
		at = s->end;
	const uint32_t len = want > s->window ? want : s->window;
	if (at >= size || len <= 1)
		return 0;
	*from = at;
	return cache_min(cache_min(len, size - at), most);
}

/* ---- advice ---- */

/* Has the policy place what is present of these blocks anew. */
static void place_again(struct buf_cache *c, uint64_t first, uint64_t n)
{
	for (uint32_t f = 0; f < c->nframes; f++) {
		const struct buf *b = &c->heads[f];

		if ((b->state != VALID && b->state != READING) || b->block - first >= n)
			continue;
		buf_policy_remove(c->policy, f, BUF_VOID);
		buf_policy_insert(c->policy, f, b->block);
	}
}

static void drop_clean(struct buf_cache *c, uint64_t first, uint64_t n)
{
	cache_enter(c);
	for (uint32_t f = 0; f < c->nframes; f++) {
		struct buf *b = &c->heads[f];

		if (b->state == VALID && b->block - first < n && b->pins == 0 &&
		    !(b->flags & (DIRTY | WRITING)))
			cache_drop(c, b);
	}
	cache_leave(c);
}

int buf_advise(struct buf_cache *c, struct disk *d, uint64_t first, uint64_t n,
	       enum buf_advice advice)
{
	int status = 0;

	cache_enter(c);
	if (buf_policy_advise(c->policy, first, n, advice))
		place_again(c, first, n);
	cache_leave(c);
	if (advice == BUF_WILLNEED) {
		(void)buf_prefetch(c, d, first,
				   n < DISK_MAX_BLOCKS ? (uint32_t)n : DISK_MAX_BLOCKS);
	} else if (advice == BUF_DONTNEED) {
		status = buf_sync_range(c, d, first, n);
		drop_clean(c, first, n);
	}
	return status;
}

/* ---- what a policy need not provide ---- */

__attribute__((weak)) void buf_policy_tune(struct buf_tuning *t)
{
	(void)t;
}

__attribute__((weak)) void buf_policy_limit(struct buf_policy *p, uint32_t limit)
{
	(void)p, (void)limit;
}

__attribute__((weak)) int buf_policy_advise(struct buf_policy *p, uint64_t first, uint64_t n,
					    enum buf_advice advice)
{
	(void)p, (void)first, (void)n, (void)advice;
	return 0;
}
