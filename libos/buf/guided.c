/*
 * guided.c - a policy of the buffer cache that does what the application says: needed blocks stay,
 * blocks that are used once go first.
 *
 * Keeps: first what an application will need again (BUF_WILLNEED), then, as LRU, what nobody spoke
 * of, and least what will be used once (BUF_ONCE). The word comes by posix_fadvise: WILLNEED,
 * NOREUSE, and NORMAL to take it back; DONTNEED is the mechanism's, which drops the blocks. Wins:
 * when the application knows. A copy or a search of everything, said to be of no further use,
 * leaves the cache of all others as it was; an index said to be needed outlives a scan.
 * Loses: when it is wrong, or claims everything: needed blocks that never are needed take room from
 * all. Nobody is believed over another, as processes that share a cache trust each other. Without
 * advice it is LRU.
 * Cost: 9 bytes a frame. The word is kept for the RANGES ranges of blocks that were spoken of last;
 * filling a frame looks at them. A file in many pieces takes many ranges.
 * Source: Cao, Felten and Li, "Application-controlled file caching policies", 1994; Patterson and
 * others, "Informed prefetching and caching", 1995.
 *
 * A use does not change a frame's class: a block read once in many small pieces is still read once.
 *
 * Owns: `struct buf_policy`: a ring for each class, as in lru.c, and the ranges.
 * Invariant: the rings go through each inserted frame once, in the ring of class[f]. Ranges may
 * overlap: the one spoken of last counts.
 * Lock: the cache's, held by the caller of every function.
 * Called by the mechanism (cache.h) only.
 */
#include <libos/buf.h>
#include "ring.h"

/* In the order in which they are given up. */
enum class { ONCE = 0, PLAIN = 1, NEEDED = 2, CLASSES = 3 };
enum { RANGES = 64 };

struct range {
	uint64_t first, n; /* n 0: free */
	uint64_t class;
};

struct buf_policy {
	uint32_t n;	 /* frames; n + class is the sentinel of a ring */
	uint32_t spoken; /* ranges ever spoken of */
	struct range range[RANGES];
	struct link ring[]; /* [n + CLASSES], and then a byte a frame: its class */
};

const char buf_policy_name[] = "guided";

static uint8_t *classes(struct buf_policy *p)
{
	return (uint8_t *)&p->ring[p->n + CLASSES];
}

size_t buf_policy_size(uint32_t nframes)
{
	return sizeof(struct buf_policy) + ((size_t)nframes + CLASSES) * sizeof(struct link) +
	       nframes;
}

void buf_policy_init(struct buf_policy *p, uint32_t nframes)
{
	p->n = nframes;
	for (uint32_t class = 0; class < CLASSES; class ++)
		ring_init(p->ring, nframes + class);
}

static enum class class_of(const struct buf_policy *p, uint64_t block) {
	const uint32_t known = p->spoken < RANGES ? p->spoken : RANGES;

	for (uint32_t i = 1; i <= known;
	     i++){const struct range *r = &p->range[(p->spoken - i) % RANGES];

		  if (block - r->first < r->n) return (enum class)r->class;}
return PLAIN;
}

int buf_policy_advise(struct buf_policy *p, uint64_t first, uint64_t n, enum buf_advice advice)
{
	const enum class class = advice == BUF_WILLNEED ? NEEDED
				 : advice == BUF_ONCE	? ONCE
							: PLAIN;

	p->range[p->spoken % RANGES] = (struct range){first, n, class};
	p->spoken = p->spoken + 1 < 2 * RANGES ? p->spoken + 1 : RANGES;
	return 1;
}

void buf_policy_insert(struct buf_policy *p, uint32_t f, uint64_t block)
{
	const enum class class = class_of(p, block);

	classes(p)[f] = (uint8_t) class;
	ring_add(p->ring, p->n + class, f);
}

void buf_policy_touch(struct buf_policy *p, uint32_t f)
{
	ring_remove(p->ring, f);
	ring_add(p->ring, p->n + classes(p)[f], f);
}

void buf_policy_remove(struct buf_policy *p, uint32_t f, enum buf_leave why)
{
	(void)why;
	ring_remove(p->ring, f);
}

uint32_t buf_policy_victim(struct buf_policy *p, uint32_t f)
{
	uint32_t v = f == BUF_NONE ? p->n : f;

	do { /* from one ring's sentinel to the next ring's */
		v = p->ring[v].prev;
		if (v < p->n)
			return v;
		v++;
	} while (v < p->n + CLASSES);
	return BUF_NONE;
}
