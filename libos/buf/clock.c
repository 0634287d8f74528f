/*
 * clock.c - a policy of the buffer cache: give up what was not used since the hand came by last.
 *
 * Keeps: about what LRU keeps, at less cost for a hit. The frames stand in a circle, in the order
 * of their numbers, each with a mark. A use sets the mark. When room is wanted the hand goes round:
 * it takes the mark off each frame that has one, and gives up the first that has none; so whoever
 * is used once in a round stays. Wins: against LRU on hits, which store one byte and move nothing:
 * frequent hits, or many processors. A block read once has no mark and goes at the next visit, so a
 * scan does a little less harm than with LRU. Loses: where LRU does (loops, large scans); and it
 * tells only used from not used, not by how much. Cost: a byte a frame; victim looks at as many
 * frames as have marks, each of which costs a use. Source: Corbato, "A paging experiment with the
 * Multics system", 1968.
 *
 * A frame that is filled gets no mark and is looked at last in the next round, because it is the
 * one that the hand has just left. Frames filled before the cache was full, or after a block became
 * void, stand where their numbers put them.
 *
 * Owns: `struct buf_policy`.
 * Invariant: mark[f] is ABSENT for each frame that is not inserted; hand < n. Asking for victims
 * changes nothing: the hand moves when one is taken.
 * Lock: the cache's, held by the caller of every function.
 * Called by the mechanism (cache.h) only.
 */
#include <string.h>
#include <libos/buf.h>

enum mark { ABSENT = 0, UNUSED = 1, USED = 2 };

struct buf_policy {
	uint32_t n, hand;
	uint8_t mark[]; /* enum mark */
};

const char buf_policy_name[] = "clock";

size_t buf_policy_size(uint32_t nframes)
{
	return sizeof(struct buf_policy) + nframes;
}

void buf_policy_init(struct buf_policy *p, uint32_t nframes)
{
	p->n = nframes;
	p->hand = 0;
}

static uint32_t after(const struct buf_policy *p, uint32_t f)
{
	return f + 1 == p->n ? 0 : f + 1;
}

void buf_policy_insert(struct buf_policy *p, uint32_t f, uint64_t block)
{
	(void)block;
	p->mark[f] = UNUSED;
}

void buf_policy_touch(struct buf_policy *p, uint32_t f)
{
	p->mark[f] = USED;
}

/* The hand comes to `f`: whoever it passes loses the mark, all do if it goes round once more. */
static void turn(struct buf_policy *p, uint32_t f)
{
	if (p->mark[f] == USED)
		for (uint32_t i = 0; i < p->n; i++)
			p->mark[i] = p->mark[i] == USED ? UNUSED : p->mark[i];
	for (; p->hand != f; p->hand = after(p, p->hand))
		if (p->mark[p->hand] == USED)
			p->mark[p->hand] = UNUSED;
	p->hand = after(p, f);
}

void buf_policy_remove(struct buf_policy *p, uint32_t f, enum buf_leave why)
{
	if (why != BUF_VOID)
		turn(p, f);
	p->mark[f] = ABSENT;
}

/* The first frame with mark `mark` from `f` on, before the hand; BUF_NONE: there is none. */
static uint32_t next_with(const struct buf_policy *p, uint32_t f, enum mark mark)
{
	do {
		if (p->mark[f] == mark)
			return f;
		f = after(p, f);
	} while (f != p->hand);
	return BUF_NONE;
}

/* In the first round those without a mark, in the second those that had one. */
uint32_t buf_policy_victim(struct buf_policy *p, uint32_t f)
{
	uint32_t v = BUF_NONE;

	if (f == BUF_NONE)
		v = next_with(p, p->hand, UNUSED);
	else if (after(p, f) != p->hand)
		v = next_with(p, after(p, f), (enum mark)p->mark[f]);
	if (v == BUF_NONE && (f == BUF_NONE || p->mark[f] == UNUSED))
		v = next_with(p, p->hand, USED);
	return v;
}
