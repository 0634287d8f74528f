/*
 * lru.c - a policy of the buffer cache: give up what was not asked for the longest.
 *
 * What a policy is. The mechanism (cache.c) knows which block is in which frame, which frames
 * are pinned, dirty or in transfer, and does all I/O. When it needs a frame it asks the policy
 * for the best one to give up, then for the next best, until one suits it. The policy sees four
 * events and answers one question:
 *
 *	insert(f, block)   frame f was filled with a block that was absent
 *	touch(f)           a block that was present was asked for again
 *	remove(f, why)     the frame was given up: to make room, or because the block is void
 *	victim(f)          which frame would you give up, if not f and those named before it?
 *
 * To write another, copy this file to NAME.c beside it and give it that name as buf_policy_name:
 * `make run SEAMS='buf=NAME'` runs the machine with it, and the tests of the seam find it
 *(apps/tests/ buf). State that must outlive a frame (arc's ghosts) goes into `struct buf_policy` as
 *well: buf_policy_size says how much. It lives in memory that other programs share, so: frame
 *numbers, never pointers to code; and the name keeps a program that was linked with another policy
 *from attaching. Reading ahead inserts; the first use of a block read ahead is no touch, so that a
 *block used once looks the same whether it was read ahead or not.
 *
 * LRU. Keeps: what was used last, in the belief that it will be used again soon. A ring of frames
 * (ring.h); its first is the frame used last, its last the one to give up.
 * Wins: on programs that come back to what they just used, which is most of them.
 * Loses: a loop over more than the cache holds never hits, since each block is given up just before
 * its turn comes; and one large scan drives out everything, however often it had been used.
 * Cost: 8 bytes a frame; each event is a few stores, victim is one load.
 * Source: folklore, as old as paging; analysed by Mattson, Gecsei, Slutz and Traiger, "Evaluation
 * techniques for storage hierarchies", 1970.
 *
 * Owns: `struct buf_policy`.
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

const char buf_policy_name[] = "lru";

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
	if (p->ring[p->n].next == f)
		return;
	ring_remove(p->ring, f);
	ring_add(p->ring, p->n, f);
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
