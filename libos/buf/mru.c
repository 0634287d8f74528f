/*
 * mru.c - a policy of the buffer cache: give up what was used last.
 *
 * Keeps: what came first and has not been used since; new blocks pass through one frame.
 * Wins: on loops over more than the cache holds. Of n + 1 blocks read round and round through n
 * frames, all but one in n are found, where LRU finds none. So: repeated scans of a table, a
 * benchmark that reads its file again and again.
 * Loses: on everything else. What was used a moment ago is gone, and what was used long ago never
 * goes; a working set that moves on is not followed. Not for a whole system, but for a program with
 * a volume and a cache of its own.
 * Cost: as LRU, 8 bytes a frame and a few stores.
 * Blocks read ahead are not given up for each other, since those that are being read are passed by;
 * but a second reader may drive them out before they are used.
 * Source: Chou and DeWitt, "An evaluation of buffer management strategies for relational database
 * systems", VLDB 1985.
 *
 * Owns: `struct buf_policy`: a ring as in lru.c, read from its other end.
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

const char buf_policy_name[] = "mru";

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
	const uint32_t v = p->ring[f == BUF_NONE ? p->n : f].next;

	return v == p->n ? BUF_NONE : v;
}
