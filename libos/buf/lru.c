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
 *	remove(f, evicted) the frame was given up: to make room, or because the block is void
 *	victim(f)          which frame would you give up, if not f and those named before it?
 *
 * To write another (clock, mru, arc, one that the application guides), copy this file, give it
 * another buf_policy_id, and name it where the program is linked. State that must outlive a
 * frame (arc's ghosts) goes into `struct buf_policy` as well: buf_policy_size says how much. It
 * lives in memory that other programs share, so: frame numbers, never pointers to code; and the
 * id keeps a program that was linked with another policy from attaching. Reading ahead inserts;
 * the first use of a block read ahead is no touch, so that a block used once looks the same
 * whether it was read ahead or not.
 *
 * How LRU does it: a doubly linked ring of frame numbers through an array, with entry `n` as
 * the sentinel. ring[n].next is the frame used last, ring[n].prev the one to give up. Each
 * event is a few stores; victim is one load. One large scan flushes everything out of an LRU:
 * that is its known weakness, and why arc exists.
 *
 * Owns: `struct buf_policy`.
 * Invariant: the ring goes through each inserted frame once, and no other.
 * Lock: the cache's, held by the caller of every function.
 * Called by cache.c only.
 */
#include <libos/buf.h>

struct link {
	uint32_t prev, next;
};

struct buf_policy {
	uint32_t n; /* frames; also the sentinel's index */
	uint32_t spare;
	struct link ring[];
};

const uint32_t buf_policy_id = 1;

size_t buf_policy_size(uint32_t nframes)
{
	return sizeof(struct buf_policy) + ((size_t)nframes + 1) * sizeof(struct link);
}

void buf_policy_init(struct buf_policy *p, uint32_t nframes)
{
	p->n = nframes;
	p->ring[nframes].prev = nframes;
	p->ring[nframes].next = nframes;
}

void buf_policy_insert(struct buf_policy *p, uint32_t f, uint64_t block)
{
	uint32_t first = p->ring[p->n].next;

	(void)block;
	p->ring[f].prev = p->n;
	p->ring[f].next = first;
	p->ring[first].prev = f;
	p->ring[p->n].next = f;
}

void buf_policy_touch(struct buf_policy *p, uint32_t f)
{
	if (p->ring[p->n].next == f)
		return;
	buf_policy_remove(p, f, 0);
	buf_policy_insert(p, f, 0);
}

void buf_policy_remove(struct buf_policy *p, uint32_t f, int evicted)
{
	struct link l = p->ring[f];

	(void)evicted;
	p->ring[l.prev].next = l.next;
	p->ring[l.next].prev = l.prev;
}

uint32_t buf_policy_victim(struct buf_policy *p, uint32_t f)
{
	uint32_t v = p->ring[f == BUF_NONE ? p->n : f].prev;

	return v == p->n ? BUF_NONE : v;
}
