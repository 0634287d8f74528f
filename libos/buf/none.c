/*
 * none.c - no policy: direct I/O. Nothing that was read serves a second request.
 *
 * Keeps: nothing by choice. Frames are only the memory that a transfer goes through; they are given
 * up in the order in which they were filled. `reuse` = 0 makes the mechanism read a block again
 * each time it is asked for, unless somebody is using it or it is still to be written; `dirty_most`
 * = 0 writes every change before its operation ends; `ahead_most` = 0 reads nothing that nobody
 * asked for. What one request wants is still read in one command, so large reads stay large. Wins:
 * when the program caches for itself and two copies would waste memory (a database); when each byte
 * is wanted once; and for measuring the disk rather than the memory. Loses: whenever anything is
 * wanted twice, and file systems want their own tables all the time: a lookup reads the same blocks
 * of inodes and directories again and again. Cost: 8 bytes a frame. Source: O_DIRECT, first in
 * IRIX; the numbers can also be set for another policy while it runs
 * (`bufctl reuse=0 dirty=0 ahead=0`), and taken back.
 *
 * Owns: `struct buf_policy`: a ring as in lru.c, in which nothing moves.
 * Invariant: the ring goes through each inserted frame once, and no other.
 * Lock: the cache's, held by the caller of every function.
 * Called by the mechanism (cache.h) only.
 */
#include <libos/buf.h>
#include "ring.h"

struct buf_policy {
	uint32_t n; /* frames; also the sentinel's index */
	uint32_t spare;
	struct link ring[];
};

const char buf_policy_name[] = "none";

void buf_policy_tune(struct buf_tuning *t)
{
	t->reuse = 0;
	t->dirty_most = 0;
	t->ahead_most = 0;
}

size_t buf_policy_size(uint32_t nframes)
{
	return sizeof(struct buf_policy) + ((size_t)nframes + 1) * sizeof(struct link);
}

void buf_policy_init(struct buf_policy *p, uint32_t nframes)
{
	p->n = nframes;
	ring_init(p->ring, nframes);
}

void buf_policy_insert(struct buf_policy *p, uint32_t f, uint64_t block)
{
	(void)block;
	ring_add(p->ring, p->n, f);
}

void buf_policy_touch(struct buf_policy *p, uint32_t f)
{
	(void)p, (void)f;
}

void buf_policy_remove(struct buf_policy *p, uint32_t f, enum buf_leave why)
{
	(void)why;
	ring_remove(p->ring, f);
}

uint32_t buf_policy_victim(struct buf_policy *p, uint32_t f)
{
	const uint32_t v = p->ring[f == BUF_NONE ? p->n : f].prev;

	return v == p->n ? BUF_NONE : v;
}
