/*
 * cache.c - the mechanism of the buffer cache: which block is in which frame, and transfers.
 *
 * Owns: `struct buf_cache` (cache.h), all buffer heads, and the frames. States of a buffer:  EMPTY
 * (in the free list)  ->  READING (hashed, owned by a process)  -> VALID (hashed). A VALID one may
 * be DIRTY (in the dirty list that its tag selects) and WRITING (owned by a process); it may be
 * both, when it was changed again during the transfer. GONE: its frame was given away.
 * Invariant: every READING or VALID buffer is in exactly one hash chain, no block is in two; every
 * DIRTY one is in exactly one dirty list; `stats.dirty` counts them; pinned, DIRTY, READING or
 * WRITING buffers keep their frames; READING ones are not pinned; a frame is filled only while
 * `stats.used` is below the limit. buf_check says it in code.
 * Lock: c->lock, taken in each public function, dropped during transfers: see cache.h. If the
 * holder of the lock died, lists may be half changed: they are rebuilt from the heads, whose
 * `state` is stored last when one is filled and first when emptied.
 * Called by file systems and pagers, through buf.h.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <libos/time.h>
#include "cache.h"

enum { AHEAD_MIN = 32, DIRTY_MS = 5000 };

/* Keeps the compiler from moving stores across: matters if the process dies between them. */
static inline void in_order(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* ---- hash chains, dirty lists, free list ---- */

static inline void hash_add(struct buf_cache *c, struct buf *b)
{
	uint32_t *head = cache_chain(c, b->block);

	b->hash_next = *head;
	*head = cache_index(c, b);
}

static inline void hash_remove(struct buf_cache *c, struct buf *b)
{
	uint32_t *at = cache_chain(c, b->block);
	uint32_t f = cache_index(c, b);

	while (*at != f)
		at = &c->heads[*at].hash_next;
	*at = b->hash_next;
}

static inline uint32_t *dirty_list(struct buf_cache *c, uint32_t tag)
{
	return &c->dirty[tag & c->dirty_mask];
}

void cache_dirty_add(struct buf_cache *c, struct buf *b, uint32_t tag)
{
	uint32_t *head = dirty_list(c, tag);

	b->tag = tag;
	b->flags |= DIRTY;
	b->dirty_prev = BUF_NONE;
	b->dirty_next = *head;
	if (*head != BUF_NONE)
		c->heads[*head].dirty_prev = cache_index(c, b);
	*head = cache_index(c, b);
	c->stats.dirty++;
}

void cache_dirty_remove(struct buf_cache *c, struct buf *b)
{
	if (b->dirty_prev == BUF_NONE)
		*dirty_list(c, b->tag) = b->dirty_next;
	else
		c->heads[b->dirty_prev].dirty_next = b->dirty_next;
	if (b->dirty_next != BUF_NONE)
		c->heads[b->dirty_next].dirty_prev = b->dirty_prev;
	b->flags &= (uint8_t)~DIRTY;
	c->stats.dirty--;
}

static void free_add(struct buf_cache *c, struct buf *b)
{
	b->hash_next = c->free;
	c->free = cache_index(c, b);
	c->stats.used--;
}

/* What was read ahead in vain makes the reader of all streams go less far ahead. */
static void ahead_wasted(struct buf_cache *c)
{
	const uint32_t least = c->tuning.ahead_most < AHEAD_MIN ? c->tuning.ahead_most : AHEAD_MIN;

	c->stats.ahead_wasted++;
	c->ahead_now = c->ahead_now / 2 > least ? c->ahead_now / 2 : least;
}

/* Empties a hashed buffer that is neither pinned nor dirty; its frame is in no list then. */
static inline void detach(struct buf_cache *c, struct buf *b, enum buf_leave why)
{
	b->state = EMPTY;
	b->flags = 0;
	in_order();
	buf_policy_remove(c->policy, cache_index(c, b), why);
	hash_remove(c, b);
}

/* The same, to make room. */
static inline void evict(struct buf_cache *c, struct buf *b)
{
	const int unused = b->flags & AHEAD;

	detach(c, b, unused ? BUF_UNUSED : BUF_EVICTED);
	c->stats.evictions++;
	if (unused)
		ahead_wasted(c);
}

void cache_drop(struct buf_cache *c, struct buf *b)
{
	detach(c, b, BUF_VOID);
	free_add(c, b);
}

/* Gives the unlisted frame `b` to `block`. */
static inline void attach(struct buf_cache *c, struct buf *b, uint64_t block, enum state state)
{
	b->block = block;
	b->flags = 0;
	b->pins = 0;
	b->owner = owner_self();
	in_order();
	b->state = (uint8_t)state;
	hash_add(c, b);
	buf_policy_insert(c->policy, cache_index(c, b), block);
}

/* If the process dies in the midst of this, what was dirty is lost: see buf_vacate. */
void cache_move(struct buf_cache *c, struct buf *b)
{
	struct buf *const to = &c->heads[c->free];
	const struct buf was = *b;

	c->free = to->hash_next;
	memcpy(to->data, b->data, BUF_SIZE);
	if (was.flags & DIRTY)
		cache_dirty_remove(c, b);
	detach(c, b, BUF_VOID);
	attach(c, to, was.block, VALID);
	to->flags = was.flags & (uint8_t)~DIRTY;
	to->round = was.round;
	to->since = was.since;
	if (was.flags & DIRTY)
		cache_dirty_add(c, to, was.tag);
}

/* ---- coming in, and repair ---- */

static void lists_clear(struct buf_cache *c)
{
	memset(c->hash, 0xff, ((size_t)c->hash_mask + 1) * sizeof *c->hash);
	memset(c->dirty, 0xff, ((size_t)c->dirty_mask + 1) * sizeof *c->dirty);
	memset(c->policy, 0, buf_policy_size(c->nframes));
	buf_policy_init(c->policy, c->nframes);
	buf_policy_limit(c->policy, c->tuning.limit);
	c->free = BUF_NONE;
	c->gone = 0;
	c->stats.used = c->nframes;
	c->stats.dirty = 0;
	c->writing = 0;
}

__attribute__((cold)) void cache_rebuild(struct buf_cache *c)
{
	lists_clear(c);
	for (uint32_t f = c->nframes; f-- > 0;) {
		struct buf *b = &c->heads[f];

		if (b->state == EMPTY) {
			free_add(c, b);
			continue;
		}
		if (b->state == GONE) {
			c->gone++;
			c->stats.used--;
			continue;
		}
		hash_add(c, b);
		buf_policy_insert(c->policy, f, b->block);
		if (b->flags & DIRTY)
			cache_dirty_add(c, b, b->tag);
		c->writing += (b->flags & WRITING) != 0;
	}
}

/* If the process that transfers `b` died: a read starts over (b is dropped), a write must be done
 * again. */
static void settle(struct buf_cache *c, struct buf *b)
{
	if (owner_alive(b->owner))
		return;
	if (b->state == READING) {
		cache_drop(c, b);
	} else if (b->flags & WRITING) {
		b->flags &= (uint8_t)~WRITING;
		c->writing--;
		if (!(b->flags & DIRTY))
			cache_dirty_add(c, b, b->tag);
	}
}

void cache_wait_unlocked_io(struct buf_cache *c, struct buf *b)
{
	uint64_t owner = b->owner;

	settle(c, b);
	cache_leave(c);
	owner_yield(owner);
	cache_enter(c);
}

/* ---- transfers ---- */

int cache_transfer_unlocked_io(struct buf_cache *c, struct disk *d, enum disk_op op, uint64_t block,
			       uint32_t n, void *const *pages)
{
	struct disk_req r = {.op = op, .block = block, .nblocks = n, .pages = pages};

	cache_leave(c);
	int status = disk_submit(d, &r);
	if (status == 0)
		status = disk_wait(d, &r);
	cache_enter(c);
	*(op == DISK_READ ? &c->stats.reads : &c->stats.writes) += 1;
	*(op == DISK_READ ? &c->stats.read_blocks : &c->stats.write_blocks) += n;
	c->stats.errors += status != 0;
	return status;
}

/* ---- finding a frame ---- */

int cache_evict_clean(struct buf_cache *c)
{
	for (uint32_t f = BUF_NONE; (f = buf_policy_victim(c->policy, f)) != BUF_NONE;) {
		struct buf *b = &c->heads[f];

		if (b->pins == 0 && !cache_busy(b) && !(b->flags & DIRTY)) {
			evict(c, b);
			free_add(c, b);
			return 1;
		}
	}
	return 0;
}

/*
 * Read ahead lately, and not asked for yet: given up only when there is nothing else. A policy with
 * a short ring for new blocks would else give up the next block that its reader comes to.
 */
static inline int awaited(const struct buf_cache *c, const struct buf *b)
{
	return (b->flags & AHEAD) && c->stats.evictions - b->since < c->tuning.limit / 2;
}

/* The best buffer to give up, emptied, in `*out`, or as cache_evict_unlocked_io says. */
static int evict_unlocked_io(struct buf_cache *c, struct disk *d, int wait, struct buf **out)
{
	struct buf *blocked = NULL, *spare = NULL;
	int status = -ENOMEM;

	for (uint32_t f = BUF_NONE; (f = buf_policy_victim(c->policy, f)) != BUF_NONE;) {
		struct buf *b = &c->heads[f];

		if (cache_busy(b)) {
			blocked = b;
		} else if (b->pins == 0 && !(b->flags & DIRTY)) {
			const int wanted = awaited(c, b);

			if (spare == NULL || !wanted)
				spare = b;
			if (!wanted)
				break;
		} else if (b->pins == 0 && (b->flags & FAILED)) {
			status = -EIO;
		} else if (b->pins == 0) {
			/* A failure marks it FAILED: the next round passes it by. */
			(void)cache_write_around_unlocked_io(c, d, b->block);
			return -EAGAIN;
		}
	}
	if (spare != NULL) {
		evict(c, spare);
		*out = spare;
		return 0;
	}
	if (blocked == NULL)
		return status;
	if (!wait)
		return -EBUSY;
	cache_wait_unlocked_io(c, blocked);
	return -EAGAIN;
}

int cache_evict_unlocked_io(struct buf_cache *c, struct disk *d, int wait)
{
	struct buf *b;
	const int status = evict_unlocked_io(c, d, wait, &b);

	if (status == 0)
		free_add(c, b);
	return status;
}

/* Whether nothing has to be looked at before it is given up. */
static inline int is_spare(const struct buf *b)
{
	return b->state == VALID && b->flags == 0 && b->pins == 0;
}

/* An unlisted frame in `*out`, or as cache_evict_unlocked_io says. */
static inline int claim_unlocked_io(struct buf_cache *c, struct disk *d, int wait, struct buf **out)
{
	while (c->stats.used > c->tuning.limit) {
		const int status = cache_evict_unlocked_io(c, d, wait);

		if (status != 0)
			return status;
	}
	if (c->free == BUF_NONE || c->stats.used == c->tuning.limit) {
		const uint32_t f = buf_policy_victim(c->policy, BUF_NONE);

		if (f == BUF_NONE || !is_spare(&c->heads[f]))
			return evict_unlocked_io(c, d, wait, out);
		*out = &c->heads[f];
		evict(c, *out);
		return 0;
	}
	*out = &c->heads[c->free];
	c->free = (*out)->hash_next;
	c->stats.used++;
	return 0;
}

/* ---- public: buffers ---- */

static uint32_t log2_up(uint64_t n)
{
	uint32_t log = 0;

	while ((uint64_t)1 << log < n)
		log++;
	return log;
}

static struct buf_tuning first_tuning(uint32_t nframes)
{
	struct buf_tuning t = {.limit = nframes,
			       .dirty_most = nframes,
			       .dirty_ms = DIRTY_MS,
			       .ahead_most = DISK_MAX_BLOCKS,
			       .reuse = 1};

	buf_policy_tune(&t);
	return t;
}

struct buf_cache *buf_init(struct arena *a, void *frames, size_t nframes, uint64_t nblocks)
{
	if (nframes < BUF_MIN_FRAMES || nframes >= BUF_NONE / 2 ||
	    ((uintptr_t)frames & (BUF_SIZE - 1)) != 0)
		return NULL;
	uint32_t log = log2_up(nframes), dirty_log = log > 6 ? log - 4 : 2;
	size_t nhash = (size_t)1 << log, ndirty = (size_t)1 << dirty_log;
	struct buf_cache *c = arena_alloc(a, sizeof *c);
	struct buf *heads = arena_alloc(a, nframes * sizeof *heads);
	uint32_t *hash = arena_alloc(a, (nhash + ndirty) * sizeof *hash);
	struct buf_policy *policy = arena_alloc(a, buf_policy_size((uint32_t)nframes));

	if (c == NULL || heads == NULL || hash == NULL || policy == NULL) {
		arena_free(a, c, sizeof *c);
		arena_free(a, heads, nframes * sizeof *heads);
		arena_free(a, hash, (nhash + ndirty) * sizeof *hash);
		arena_free(a, policy, buf_policy_size((uint32_t)nframes));
		return NULL;
	}
	lock_init(&c->lock);
	*c = (struct buf_cache){.lock = c->lock,
				.heads = heads,
				.hash = hash,
				.dirty = hash + nhash,
				.policy = policy,
				.frames = frames,
				.nblocks = nblocks,
				.nframes = (uint32_t)nframes,
				.hash_shift = 64 - log,
				.hash_mask = (uint32_t)nhash - 1,
				.dirty_mask = (uint32_t)ndirty - 1,
				.tuning = first_tuning((uint32_t)nframes)};
	for (uint32_t i = 0; i + 1 < sizeof c->policy_name && buf_policy_name[i] != 0; i++)
		c->policy_name[i] = buf_policy_name[i];
	c->ahead_now = c->tuning.ahead_most;
	c->more_since = time_now();
	cache_bounds(c);
	for (uint32_t f = 0; f < c->nframes; f++)
		heads[f].data = c->frames + (size_t)f * BUF_SIZE;
	cache_rebuild(c);
	return c;
}

void buf_end(struct arena *a, struct buf_cache *c)
{
	arena_free(a, c->heads, c->nframes * sizeof *c->heads);
	arena_free(a, c->hash, (c->hash_mask + c->dirty_mask + 2ul) * sizeof *c->hash);
	arena_free(a, c->policy, buf_policy_size(c->nframes));
	arena_free(a, c, sizeof *c);
}

int buf_attach(const struct buf_cache *c)
{
	return strncmp(c->policy_name, buf_policy_name, sizeof c->policy_name - 1) == 0 ? 0
											: -EINVAL;
}

const char *buf_policy_of(const struct buf_cache *c)
{
	return c->policy_name;
}

/* Fills the frame `b`, attached as READING. On error it is gone. */
static int fill_unlocked_io(struct buf_cache *c, struct disk *d, struct buf *b)
{
	void *page = b->data;
	int status = cache_transfer_unlocked_io(c, d, DISK_READ, b->block, 1, &page);

	if (status != 0)
		cache_drop(c, b);
	else
		b->state = VALID;
	return status;
}

/* The buffer of an absent block, or -EAGAIN when the search must start over. */
static int get_absent(struct buf_cache *c, struct disk *d, uint64_t block, enum buf_mode mode,
		      struct buf **out)
{
	struct buf *b;
	int status = claim_unlocked_io(c, d, 1, &b);

	if (status != 0)
		return status;
	c->stats.misses++;
	if (mode == BUF_OVERWRITE) {
		attach(c, b, block, VALID);
	} else {
		attach(c, b, block, READING);
		status = fill_unlocked_io(c, d, b);
	}
	if (status == 0) {
		b->pins = 1;
		*out = b;
	}
	return status;
}

/* The buffer of `block`; without reuse, one that nobody is using is as good as absent. */
static inline struct buf *find_usable(struct buf_cache *c, uint64_t block)
{
	struct buf *b = cache_find(c, block);

	if (b == NULL || c->tuning.reuse || b->pins != 0 || b->state != VALID || b->flags != 0)
		return b;
	cache_drop(c, b);
	return NULL;
}

/* The first use of a block that was read ahead. */
static inline void ahead_used(struct buf_cache *c, struct buf *b)
{
	b->flags &= (uint8_t)~AHEAD;
	c->stats.ahead_used++;
	if (c->ahead_now < c->tuning.ahead_most)
		c->ahead_now++;
}

/* Too much became dirty in the midst of an operation. After an error the next try is put off. */
static void write_down_unlocked_io(struct buf_cache *c, struct disk *d)
{
	(void)cache_write_all_unlocked_io(c, d, 1);
	cache_bounds(c);
}

/* Pins what is there. */
static inline struct buf *hit(struct buf_cache *c, struct buf *b)
{
	if (b->flags & AHEAD)
		ahead_used(c, b);
	else
		buf_policy_touch(c->policy, cache_index(c, b));
	__atomic_fetch_add(&b->pins, 1, __ATOMIC_ACQUIRE);
	c->stats.hits++;
	return b;
}

/* The buffer of a block that is not simply there, or not to be had before others were written. */
__attribute__((noinline)) static int get_slowly(struct buf_cache *c, struct disk *d, uint64_t block,
						enum buf_mode mode, struct buf **out)
{
	int status;

	if (block >= c->nblocks)
		return -ERANGE;
	if (c->stats.dirty >= c->dirty_hard)
		write_down_unlocked_io(c, d);
	do {
		struct buf *b = find_usable(c, block);

		if (b != NULL && b->state == READING) {
			cache_wait_unlocked_io(c, b);
			status = -EAGAIN;
		} else if (b != NULL) {
			*out = hit(c, b);
			status = 0;
		} else {
			status = get_absent(c, d, block, mode, out);
		}
	} while (status == -EAGAIN);
	return status;
}

/* Whether `b` may be pinned as it is, without a look at anything else. */
static inline int ready(const struct buf_cache *c, const struct buf *b)
{
	return b != NULL && b->state == VALID && c->tuning.reuse;
}

int buf_get(struct buf_cache *c, struct disk *d, uint64_t block, enum buf_mode mode,
	    struct buf **out)
{
	int status = 0;

	cache_enter(c);
	struct buf *const b = cache_find(c, block);
	if (ready(c, b) && c->stats.dirty < c->dirty_hard)
		*out = hit(c, b);
	else
		status = get_slowly(c, d, block, mode, out);
	cache_leave(c);
	return status;
}

uint32_t buf_get_run(struct buf_cache *c, uint64_t first, uint64_t n, struct buf *out[BUF_RUN])
{
	uint32_t got = 0;

	cache_enter(c);
	const uint32_t most = cache_min(cache_gather(c), BUF_RUN);
	for (; got < most && got < n; got++) {
		struct buf *const b = cache_find(c, first + got);

		if (!ready(c, b))
			break;
		out[got] = hit(c, b);
	}
	cache_leave(c);
	return got;
}

void buf_dirty(struct buf_cache *c, struct buf *b, uint32_t tag)
{
	if ((b->flags & DIRTY) && b->tag == tag)
		return;
	cache_enter(c);
	if (b->flags & DIRTY)
		cache_dirty_remove(c, b);
	else if (c->stats.dirty == 0)
		c->dirty_since = time_now();
	cache_dirty_add(c, b, tag);
	cache_leave(c);
}

/* Reads the `n` READING buffers of consecutive blocks in `run`. */
static uint32_t ahead_unlocked_io(struct buf_cache *c, struct disk *d, struct buf *const *run,
				  void *const *pages, uint32_t n)
{
	if (n == 0)
		return 0;
	int status = cache_transfer_unlocked_io(c, d, DISK_READ, run[0]->block, n, pages);

	for (uint32_t i = 0; i < n; i++) {
		if (status != 0) {
			cache_drop(c, run[i]);
		} else {
			run[i]->state = VALID;
			run[i]->flags = AHEAD;
			run[i]->since = c->stats.evictions;
		}
	}
	return status == 0 ? n : 0;
}

uint32_t buf_prefetch(struct buf_cache *c, struct disk *d, uint64_t first, uint32_t n)
{
	struct buf *run[DISK_MAX_BLOCKS];
	void *pages[DISK_MAX_BLOCKS];
	uint32_t len = 0, got = 0;

	if (first >= c->nblocks)
		return 0;
	if (n > c->nblocks - first)
		n = (uint32_t)(c->nblocks - first);
	cache_enter(c);
	if (n > cache_gather(c))
		n = cache_gather(c);
	for (uint32_t i = 0; i < n; i++) {
		struct buf *b = NULL;
		int status = 0;

		while (find_usable(c, first + i) == NULL &&
		       (status = claim_unlocked_io(c, d, 0, &b)) == -EAGAIN)
			;
		if (b != NULL && status == 0) {
			attach(c, b, first + i, READING);
			run[len] = b;
			pages[len++] = b->data;
			continue;
		}
		got += ahead_unlocked_io(c, d, run, pages, len);
		len = 0;
		if (status != 0)
			break;
	}
	got += ahead_unlocked_io(c, d, run, pages, len);
	cache_leave(c);
	return got;
}

/* ---- public: the rest ---- */

void buf_forget(struct buf_cache *c, uint64_t block)
{
	cache_enter(c);
	struct buf *b = cache_find(c, block);
	if (b != NULL && b->pins == 0 && !cache_busy(b)) {
		if (b->flags & DIRTY)
			cache_dirty_remove(c, b);
		cache_drop(c, b);
	}
	cache_leave(c);
}

void buf_invalidate(struct buf_cache *c)
{
	cache_enter(c);
	/* From the end: so neighbours are taken again one after the other, and the kernel, which
	 * looks at runs of frames, finds long ones. */
	for (uint32_t f = c->nframes; f-- > 0;) {
		struct buf *b = &c->heads[f];

		if (b->state == VALID && b->pins == 0 && !(b->flags & (DIRTY | WRITING)))
			cache_drop(c, b);
	}
	cache_leave(c);
}

void buf_recover(struct buf_cache *c)
{
	cache_enter(c);
	for (uint32_t f = 0; f < c->nframes; f++) {
		struct buf *b = &c->heads[f];

		b->pins = 0;
		if (b->state == READING)
			b->state = EMPTY;
		if (b->flags & WRITING)
			b->flags = (uint8_t)((b->flags & ~WRITING) | DIRTY);
	}
	cache_rebuild(c);
	cache_leave(c);
}

void buf_get_stats(struct buf_cache *c, struct buf_stats *out)
{
	cache_enter(c);
	*out = c->stats;
	out->frames = c->nframes - c->gone;
	cache_leave(c);
}

/* 0 if `b`, number `f`, is as the head of this file says. */
static int check_one(struct buf_cache *c, uint32_t f)
{
	const struct buf *b = &c->heads[f];

	if (b->data != c->frames + (size_t)f * BUF_SIZE)
		return __LINE__;
	if (b->state == EMPTY || b->state == GONE)
		return b->pins == 0 && b->flags == 0 ? 0 : __LINE__;
	if (cache_find(c, b->block) != b || b->block >= c->nblocks)
		return __LINE__;
	if (b->state == READING && (b->pins != 0 || b->flags != 0))
		return __LINE__;
	return 0;
}

/* How many frames are in the free list; more than nframes: it goes in a circle. */
static uint32_t count_free(const struct buf_cache *c)
{
	uint32_t n = 0;

	for (uint32_t f = c->free; f != BUF_NONE && n <= c->nframes; f = c->heads[f].hash_next)
		n++;
	return n;
}

static uint32_t count_listed_dirty(const struct buf_cache *c)
{
	uint32_t n = 0;

	for (uint32_t list = 0; list <= c->dirty_mask; list++)
		for (uint32_t f = c->dirty[list]; f != BUF_NONE && n <= c->nframes;
		     f = c->heads[f].dirty_next)
			n += (c->heads[f].flags & DIRTY) != 0;
	return n;
}

/* Every frame that the policy knows, once each: in `members`, which is what is held, or a line. */
static int check_policy(struct buf_cache *c, uint32_t held)
{
	uint32_t members = 0;

	for (uint32_t f = BUF_NONE; (f = buf_policy_victim(c->policy, f)) != BUF_NONE;) {
		if (f >= c->nframes || c->heads[f].state == EMPTY || c->heads[f].state == GONE)
			return __LINE__;
		if (++members > c->nframes)
			return __LINE__;
	}
	return members == held ? 0 : __LINE__;
}

int buf_check(struct buf_cache *c)
{
	uint32_t dirty = 0, held = 0, writing = 0, gone = 0;
	int line = 0;

	cache_enter(c);
	for (uint32_t f = 0; f < c->nframes && line == 0; f++) {
		line = check_one(c, f);
		dirty += (c->heads[f].flags & DIRTY) != 0;
		held += c->heads[f].state == READING || c->heads[f].state == VALID;
		gone += c->heads[f].state == GONE;
		writing += (c->heads[f].flags & WRITING) != 0;
	}
	if (line == 0)
		line = check_policy(c, held);
	if (line == 0 && (dirty != count_listed_dirty(c) || dirty != c->stats.dirty))
		line = __LINE__;
	if (line == 0 && (held != c->stats.used || gone != c->gone || writing != c->writing))
		line = __LINE__;
	if (line == 0 && held + gone + count_free(c) != c->nframes)
		line = __LINE__;
	cache_leave(c);
	return line;
}
