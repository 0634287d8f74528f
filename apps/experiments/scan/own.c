/*
 * own.c - a policy of the buffer cache for one program alone, scan, which knows what it will read.
 *
 * Gives up the block whose next use is farthest away (Belady's rule).  For a block of the table
 * that is known: the scan comes by once a round.  For a block of the index the mean is known.
 * Wins: nothing can do better on the loop.  Loses: of no use to any other program.  Cost: a look at
 * all frames for each block given up.
 *
 * Owns: `struct buf_policy`: which block each frame holds.  Lock: the cache's, held by the caller
 * of every function.  Called by the mechanism only.
 */
#include <libos/buf.h>
#include "scan.h"

#define ABSENT UINT64_MAX

struct buf_policy {
	uint32_t n, spare;
	uint64_t block[]; /* of each frame; ABSENT: it is not in the policy */
};

const char buf_policy_name[] = "own";

size_t buf_policy_size(uint32_t nframes)
{
	return sizeof(struct buf_policy) + (size_t)nframes * sizeof(uint64_t);
}

void buf_policy_init(struct buf_policy *p, uint32_t nframes)
{
	p->n = nframes;
	for (uint32_t f = 0; f < nframes; f++)
		p->block[f] = ABSENT;
}

void buf_policy_insert(struct buf_policy *p, uint32_t f, uint64_t block)
{
	p->block[f] = block;
}

void buf_policy_touch(struct buf_policy *p, uint32_t f)
{
	(void)p, (void)f;
}

void buf_policy_remove(struct buf_policy *p, uint32_t f, enum buf_leave why)
{
	(void)why;
	p->block[f] = ABSENT;
}

/* Reads of the table until the block is asked for. */
static uint64_t until_used(uint64_t block)
{
	const struct scan_plan *s = &scan_plan;

	if (block < s->index)
		return s->index;
	return (block - s->index + s->table - s->position) % s->table;
}

/* Orders all frames by how soon they may go; no two are equal. */
static uint64_t rank(const struct buf_policy *p, uint32_t f)
{
	return until_used(p->block[f]) << 32 | f;
}

uint32_t buf_policy_victim(struct buf_policy *p, uint32_t f)
{
	const uint64_t below = f == BUF_NONE ? UINT64_MAX : rank(p, f);
	uint32_t best = BUF_NONE;

	for (uint32_t i = 0; i < p->n; i++)
		if (p->block[i] != ABSENT && rank(p, i) < below &&
		    (best == BUF_NONE || rank(p, i) > rank(p, best)))
			best = i;
	return best;
}
