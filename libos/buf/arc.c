/*
 * arc.c - a policy of the buffer cache that balances what is new against what is used often.
 *
 * Keeps: two rings of frames: `once`, blocks used once since they came, and `often`, blocks used
 * again. It also remembers which blocks it gave up lately, without their contents: a ghost of each,
 * in one of two more rings. A miss on a ghost says which ring was too short: of `once`, and the
 * share that is meant for `once`, `target`, grows; of `often`, and it shrinks. The block then comes
 * back into `often`, since it was used twice. To make room, `once` gives up its oldest if it is
 * longer than `target`, else `often` does.
 * Wins: where LRU loses to scans: a scan goes through `once` and leaves `often` alone. It follows a
 * program whose habits change, and no number has to be set.
 * Loses: a little to LRU when everything is used twice in quick succession and then never again:
 * two uses look like many. So a file read in small pieces counts as used often; the C library's
 * buffers make that rare. A loop over more than the cache holds finds as little as with LRU.
 * Cost: 52 bytes a frame, with its ghost; an event is a few stores, a miss one look into a hash
 * table. Source: Megiddo and Modha, "ARC: a self-tuning, low overhead replacement cache", FAST
 * 2003.
 *
 * Against the paper: the mechanism asks for a victim before it says which block comes, so a ghost's
 * lesson is used from the next miss on. Their c is the limit; it may change, and the ghosts follow.
 *
 * Owns: `struct buf_policy`: nodes are numbered: frames 0 .. n-1, ghosts n .. 2n-1, then the
 * sentinels of the rings.
 * Invariant: each inserted frame is in `once` or `often`; each ghost is in one of their ghosts'
 * rings and in one hash chain, or in the list of free ones; count[] says how long the rings are;
 * target <= limit; no block has two ghosts, and none that is present has one.
 * Lock: the cache's, held by the caller of every function.
 * Called by the mechanism (cache.h) only.
 */
#include <libos/buf.h>
#include "ring.h"

/* The rings; a ghost's is its frame's + GHOST. */
enum list { ONCE = 0, OFTEN = 1, GHOST = 2, LISTS = 4 };

struct buf_policy {
	uint32_t n, limit, target;
	uint32_t free;	     /* list of ghosts through chain[] */
	uint32_t hash_shift; /* 64 - log2 of the chains */
	uint32_t count[LISTS];
	uint32_t spare;
	uint64_t words[]; /* block[2n], ring[2n + LISTS], chain[n], hash[], list[2n] */
};

const char buf_policy_name[] = "arc";

/* ---- the arrays behind the head ---- */

static inline uint64_t *blocks(struct buf_policy *p)
{
	return p->words;
}

static inline struct link *ring(struct buf_policy *p)
{
	return (struct link *)(void *)(blocks(p) + 2 * (size_t)p->n);
}

static inline uint32_t *chain(struct buf_policy *p)
{
	return (uint32_t *)(void *)(ring(p) + 2 * (size_t)p->n + LISTS);
}

static inline uint32_t *hash(struct buf_policy *p)
{
	return chain(p) + p->n;
}

static inline uint8_t *lists(struct buf_policy *p)
{
	return (uint8_t *)(hash(p) + ((size_t)1 << (64 - p->hash_shift)));
}

static uint32_t hash_log(uint32_t nframes)
{
	uint32_t log = 1;

	while ((uint64_t)1 << log < nframes)
		log++;
	return log;
}

size_t buf_policy_size(uint32_t nframes)
{
	const size_t n = nframes;

	return sizeof(struct buf_policy) + 2 * n * sizeof(uint64_t) +
	       (2 * n + LISTS) * sizeof(struct link) + n * sizeof(uint32_t) +
	       ((size_t)1 << hash_log(nframes)) * sizeof(uint32_t) + 2 * n;
}

void buf_policy_init(struct buf_policy *p, uint32_t nframes)
{
	p->n = p->limit = nframes;
	p->hash_shift = 64 - hash_log(nframes);
	for (uint32_t list = 0; list < LISTS; list++)
		ring_init(ring(p), 2 * nframes + list);
	for (uint32_t i = 0; i < 1u << (64 - p->hash_shift); i++)
		hash(p)[i] = BUF_NONE;
	p->free = BUF_NONE;
	for (uint32_t g = nframes; g-- > 0;) {
		chain(p)[g] = p->free;
		p->free = g;
	}
}

/* ---- rings ---- */

static uint32_t sentinel(const struct buf_policy *p, uint32_t list)
{
	return 2 * p->n + list;
}

static void enlist(struct buf_policy *p, uint32_t node, uint32_t list)
{
	lists(p)[node] = (uint8_t)list;
	ring_add(ring(p), sentinel(p, list), node);
	p->count[list]++;
}

static void unlist(struct buf_policy *p, uint32_t node)
{
	ring_remove(ring(p), node);
	p->count[lists(p)[node]]--;
}

/* ---- ghosts: number g is node n + g ---- */

static inline uint32_t *chain_of(struct buf_policy *p, uint64_t block)
{
	return &hash(p)[(block * 0x9e3779b97f4a7c15u) >> p->hash_shift];
}

static uint32_t ghost_find(struct buf_policy *p, uint64_t block)
{
	uint32_t g = *chain_of(p, block);

	while (g != BUF_NONE && blocks(p)[p->n + g] != block)
		g = chain(p)[g];
	return g;
}

static void ghost_drop(struct buf_policy *p, uint32_t g)
{
	uint32_t *at = chain_of(p, blocks(p)[p->n + g]);

	while (*at != g)
		at = &chain(p)[*at];
	*at = chain(p)[g];
	unlist(p, p->n + g);
	chain(p)[g] = p->free;
	p->free = g;
}

/* The ghost that was made first of those of `list`. */
static void ghost_drop_oldest(struct buf_policy *p, uint32_t list)
{
	ghost_drop(p, ring(p)[sentinel(p, list)].prev - p->n);
}

static void ghost_make(struct buf_policy *p, uint64_t block, uint32_t list)
{
	if (p->free == BUF_NONE)
		ghost_drop_oldest(p, GHOST + (p->count[GHOST + OFTEN] > p->count[GHOST + ONCE]));
	const uint32_t g = p->free;
	uint32_t *head = chain_of(p, block);

	p->free = chain(p)[g];
	blocks(p)[p->n + g] = block;
	chain(p)[g] = *head;
	*head = g;
	enlist(p, p->n + g, list);
}

/* The paper's bounds: c nodes of ONCE with ghosts, 2c in all. */
static void ghosts_trim(struct buf_policy *p)
{
	const uint32_t *n = p->count;

	while (n[GHOST + ONCE] > 0 && n[ONCE] + n[GHOST + ONCE] > p->limit)
		ghost_drop_oldest(p, GHOST + ONCE);
	while (n[GHOST + OFTEN] > 0 &&
	       n[ONCE] + n[OFTEN] + n[GHOST + ONCE] + n[GHOST + OFTEN] > 2 * (uint64_t)p->limit)
		ghost_drop_oldest(p, GHOST + OFTEN);
}

/* A block of this ghost was wanted: the ring that it left was too short. */
static void learn(struct buf_policy *p, uint32_t g)
{
	const uint32_t once = p->count[GHOST + ONCE], often = p->count[GHOST + OFTEN];

	if (lists(p)[p->n + g] == GHOST + ONCE) {
		const uint32_t step = often > once ? often / once : 1;
		p->target = p->limit - p->target < step ? p->limit : p->target + step;
	} else {
		const uint32_t step = once > often ? once / often : 1;
		p->target = p->target < step ? 0 : p->target - step;
	}
}

/* ---- the policy ---- */

void buf_policy_limit(struct buf_policy *p, uint32_t limit)
{
	p->limit = limit;
	if (p->target > limit)
		p->target = limit;
	ghosts_trim(p);
}

void buf_policy_insert(struct buf_policy *p, uint32_t f, uint64_t block)
{
	const uint32_t g = ghost_find(p, block);

	blocks(p)[f] = block;
	if (g != BUF_NONE) {
		learn(p, g);
		ghost_drop(p, g);
	}
	enlist(p, f, g != BUF_NONE ? OFTEN : ONCE);
	ghosts_trim(p);
}

void buf_policy_touch(struct buf_policy *p, uint32_t f)
{
	unlist(p, f);
	enlist(p, f, OFTEN);
}

void buf_policy_remove(struct buf_policy *p, uint32_t f, enum buf_leave why)
{
	unlist(p, f);
	/* The ghost of a block that was never used would make its first use a second one. */
	if (why == BUF_EVICTED)
		ghost_make(p, blocks(p)[f], GHOST + lists(p)[f]);
}

/* The ring that is to give up a frame. */
static uint32_t shorten(const struct buf_policy *p)
{
	return p->count[ONCE] > 0 && (p->count[ONCE] > p->target || p->count[OFTEN] == 0) ? ONCE
											  : OFTEN;
}

/* All of that ring from its oldest on, then all of the other. */
uint32_t buf_policy_victim(struct buf_policy *p, uint32_t f)
{
	const uint32_t first = shorten(p), other = ONCE + OFTEN - first;
	uint32_t v = ring(p)[f == BUF_NONE ? sentinel(p, first) : f].prev;

	if (v == sentinel(p, first))
		v = ring(p)[sentinel(p, other)].prev;
	return v == sentinel(p, other) ? BUF_NONE : v;
}
