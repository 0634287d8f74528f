/*
 * cache.c - the mechanism of the buffer cache: which block is in which frame, transfers, dirt.
 *
 * Owns: `struct buf_cache`, all buffer heads, and the frames. States of a buffer:  EMPTY (in
 * the free list)  ->  READING (hashed, owned by a process)  -> VALID (hashed). A VALID one may
 * be DIRTY (in the dirty list that its tag selects) and WRITING (owned by a process); it may be
 * both, when it was changed again during the transfer.
 * Invariant: every non-EMPTY buffer is in exactly one hash chain, no block is in two; every
 * DIRTY one is in exactly one dirty list; `stats.dirty` counts them; pinned, DIRTY, READING or
 * WRITING buffers keep their frames; READING ones are not pinned. buf_check says it in code.
 * Lock: c->lock, taken in each public function, dropped during transfers. Functions named
 * *_unlocked_io drop it inside; after them nothing looked up before may be trusted. If the
 * holder of the lock died, lists may be half changed: they are rebuilt from the heads, whose
 * `state` is stored last when one is filled and first when emptied.
 * Called by file systems and pagers, through buf.h.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <libos/buf.h>
#include <libos/lock.h>

enum state { EMPTY = 0, READING = 1, VALID = 2 };
enum flag { DIRTY = 1, WRITING = 2, FAILED = 4, AHEAD = 8 };

#define RUNS_MAX 256u /* runs sorted at a time by a sync */

struct buf_cache {
	struct lock lock;
	struct buf *heads;
	uint32_t *hash;	 /* [hash_mask + 1] first frame of each chain */
	uint32_t *dirty; /* [dirty_mask + 1] first frame of each list */
	struct buf_policy *policy;
	char *frames;
	uint64_t nblocks;
	uint32_t nframes;
	uint32_t hash_shift; /* 64 - log2 of the chains */
	uint32_t hash_mask;
	uint32_t dirty_mask;
	uint32_t free; /* list through hash_next */
	uint32_t policy_id;
	uint32_t sync_seq;
	uint32_t writing; /* buffers that are WRITING */
	struct buf_stats stats;
};

/* Keeps the compiler from moving stores across: matters if the process dies between them. */
static inline void in_order(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline uint32_t index_of(const struct buf_cache *c, const struct buf *b)
{
	return (uint32_t)(b - c->heads);
}

/* ---- hash chains, dirty lists, free list ---- */

static inline uint32_t *chain_of(struct buf_cache *c, uint64_t block)
{
	return &c->hash[(block * 0x9e3779b97f4a7c15u) >> c->hash_shift];
}

static struct buf *find(struct buf_cache *c, uint64_t block)
{
	for (uint32_t f = *chain_of(c, block); f != BUF_NONE; f = c->heads[f].hash_next)
		if (c->heads[f].block == block)
			return &c->heads[f];
	return NULL;
}

static void hash_add(struct buf_cache *c, struct buf *b)
{
	uint32_t *head = chain_of(c, b->block);

	b->hash_next = *head;
	*head = index_of(c, b);
}

static void hash_remove(struct buf_cache *c, struct buf *b)
{
	uint32_t *at = chain_of(c, b->block);
	uint32_t f = index_of(c, b);

	while (*at != f)
		at = &c->heads[*at].hash_next;
	*at = b->hash_next;
}

static inline uint32_t *dirty_list(struct buf_cache *c, uint32_t tag)
{
	return &c->dirty[tag & c->dirty_mask];
}

static void dirty_add(struct buf_cache *c, struct buf *b, uint32_t tag)
{
	uint32_t *head = dirty_list(c, tag);

	b->tag = tag;
	b->flags |= DIRTY;
	b->dirty_prev = BUF_NONE;
	b->dirty_next = *head;
	if (*head != BUF_NONE)
		c->heads[*head].dirty_prev = index_of(c, b);
	*head = index_of(c, b);
	c->stats.dirty++;
}

static void dirty_remove(struct buf_cache *c, struct buf *b)
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
	c->free = index_of(c, b);
}

/* Empties a hashed buffer that is neither pinned nor dirty, without giving its frame to the free
 * list. */
static void detach(struct buf_cache *c, struct buf *b, int evicted)
{
	b->state = EMPTY;
	b->flags = 0;
	in_order();
	buf_policy_remove(c->policy, index_of(c, b), evicted);
	hash_remove(c, b);
}

static void drop(struct buf_cache *c, struct buf *b)
{
	detach(c, b, 0);
	free_add(c, b);
}

/* Gives the unlisted frame `b` to `block`. */
static void attach(struct buf_cache *c, struct buf *b, uint64_t block, enum state state)
{
	b->block = block;
	b->flags = 0;
	b->pins = 0;
	b->owner = owner_self();
	in_order();
	b->state = (uint8_t)state;
	hash_add(c, b);
	buf_policy_insert(c->policy, index_of(c, b), block);
}

/* ---- coming in, and repair ---- */

static void lists_clear(struct buf_cache *c)
{
	memset(c->hash, 0xff, ((size_t)c->hash_mask + 1) * sizeof *c->hash);
	memset(c->dirty, 0xff, ((size_t)c->dirty_mask + 1) * sizeof *c->dirty);
	memset(c->policy, 0, buf_policy_size(c->nframes));
	buf_policy_init(c->policy, c->nframes);
	c->free = BUF_NONE;
	c->stats.dirty = 0;
	c->writing = 0;
}

/* Makes every list anew from the heads: what the policy had learnt is lost, no data is. */
static void rebuild(struct buf_cache *c)
{
	lists_clear(c);
	for (uint32_t f = c->nframes; f-- > 0;) {
		struct buf *b = &c->heads[f];

		if (b->state == EMPTY) {
			free_add(c, b);
			continue;
		}
		hash_add(c, b);
		buf_policy_insert(c->policy, f, b->block);
		if (b->flags & DIRTY)
			dirty_add(c, b, b->tag);
		c->writing += (b->flags & WRITING) != 0;
	}
}

static void enter(struct buf_cache *c)
{
	if (lock_acquire(&c->lock) == LOCK_STOLEN)
		rebuild(c);
}

static void leave(struct buf_cache *c)
{
	lock_release(&c->lock);
}

/* If the process that transfers `b` died: a read starts over (b is dropped), a write must be done
 * again. */
static void settle(struct buf_cache *c, struct buf *b)
{
	if (owner_alive(b->owner))
		return;
	if (b->state == READING) {
		drop(c, b);
	} else if (b->flags & WRITING) {
		b->flags &= (uint8_t)~WRITING;
		c->writing--;
		if (!(b->flags & DIRTY))
			dirty_add(c, b, b->tag);
	}
}

static inline int busy(const struct buf *b)
{
	return b->state == READING || (b->flags & WRITING);
}

/* Lets the owner of busy `b` go on, or does away with a dead one. Drops the lock meanwhile. */
static void wait_unlocked_io(struct buf_cache *c, struct buf *b)
{
	uint64_t owner = b->owner;

	settle(c, b);
	leave(c);
	owner_yield(owner);
	enter(c);
}

/* ---- transfers ---- */

/* One command, with the lock dropped, for `n` buffers that are marked busy. */
static int transfer_unlocked_io(struct buf_cache *c, struct disk *d, enum disk_op op,
				uint64_t block, uint32_t n, void *const *pages)
{
	struct disk_req r = {.op = op, .block = block, .nblocks = n, .pages = pages};

	leave(c);
	int status = disk_submit(d, &r);
	if (status == 0)
		status = disk_wait(d, &r);
	enter(c);
	*(op == DISK_READ ? &c->stats.reads : &c->stats.writes) += 1;
	*(op == DISK_READ ? &c->stats.read_blocks : &c->stats.write_blocks) += n;
	c->stats.errors += status != 0;
	return status;
}

/* Writes the `n` WRITING buffers of consecutive blocks in `run`; they end clean, or DIRTY and
 * FAILED. */
static int write_run_unlocked_io(struct buf_cache *c, struct disk *d, struct buf *const *run,
				 void *const *pages, uint32_t n)
{
	int status = transfer_unlocked_io(c, d, DISK_WRITE, run[0]->block, n, pages);

	if (status != 0 && n > 1) {
		/* Some of them may be writable: only the bad ones stay dirty. */
		int worst = 0;
		for (uint32_t i = 0; i < n; i++) {
			int one = write_run_unlocked_io(c, d, run + i, pages + i, 1);
			worst = worst != 0 ? worst : one;
		}
		return worst;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct buf *b = run[i];

		b->flags &= (uint8_t) ~(WRITING | FAILED);
		c->writing--;
		if (status == 0)
			continue;
		b->flags |= FAILED;
		if (!(b->flags & DIRTY))
			dirty_add(c, b, b->tag);
	}
	return status;
}

static inline int writable(const struct buf *b, uint32_t seq)
{
	return b != NULL && (b->flags & (DIRTY | WRITING)) == DIRTY &&
	       (seq == 0 || b->round != seq);
}

/*
 * Writes the dirty buffers around `block` (which is one) as one command: those before it too if
 * `back`. Buffers already tried in round `seq` are left out.
 */
static int write_cluster_unlocked_io(struct buf_cache *c, struct disk *d, uint64_t block, int back,
				     uint32_t seq)
{
	struct buf *run[DISK_MAX_BLOCKS];
	void *pages[DISK_MAX_BLOCKS];
	uint32_t n = 0;

	for (uint32_t i = 1; back && i < DISK_MAX_BLOCKS / 2; i++) {
		if (block == 0 || !writable(find(c, block - 1), seq))
			break;
		block--;
	}
	for (; n < DISK_MAX_BLOCKS; n++) {
		struct buf *b = find(c, block + n);

		if (!writable(b, seq))
			break;
		dirty_remove(c, b);
		b->flags |= WRITING;
		c->writing++;
		b->owner = owner_self();
		b->round = seq;
		run[n] = b;
		pages[n] = b->data;
	}
	return n == 0 ? 0 : write_run_unlocked_io(c, d, run, pages, n);
}

/* ---- finding a frame ---- */

/*
 * An unlisted frame in `*out`. 0; -EAGAIN: the lock was dropped, look again (if `wait`), or no
 * frame without waiting (if not); -EIO, -ENOMEM: there is none to be had.
 */
static int claim(struct buf_cache *c, struct disk *d, int wait, struct buf **out)
{
	struct buf *blocked = NULL;
	int status = -ENOMEM;

	if (c->free != BUF_NONE) {
		*out = &c->heads[c->free];
		c->free = (*out)->hash_next;
		return 0;
	}
	for (uint32_t f = BUF_NONE; (f = buf_policy_victim(c->policy, f)) != BUF_NONE;) {
		struct buf *b = &c->heads[f];

		if (busy(b)) {
			blocked = b;
		} else if (b->pins == 0 && !(b->flags & DIRTY)) {
			detach(c, b, 1);
			*out = b;
			return 0;
		} else if (b->pins == 0 && (b->flags & FAILED)) {
			status = -EIO;
		} else if (b->pins == 0) {
			/* A failure marks it FAILED: the next round passes it by. */
			(void)write_cluster_unlocked_io(c, d, b->block, 1, 0);
			return -EAGAIN;
		}
	}
	if (blocked == NULL)
		return status;
	if (!wait)
		return -EBUSY;
	wait_unlocked_io(c, blocked);
	return -EAGAIN;
}

/* ---- public: buffers ---- */

static uint32_t log2_up(uint64_t n)
{
	uint32_t log = 0;

	while ((uint64_t)1 << log < n)
		log++;
	return log;
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
				.policy_id = buf_policy_id};
	for (uint32_t f = 0; f < c->nframes; f++)
		heads[f].data = c->frames + (size_t)f * BUF_SIZE;
	rebuild(c);
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
	return c->policy_id == buf_policy_id ? 0 : -EINVAL;
}

/* Fills the frame `b`, attached as READING. On error it is gone. */
static int fill_unlocked_io(struct buf_cache *c, struct disk *d, struct buf *b)
{
	void *page = b->data;
	int status = transfer_unlocked_io(c, d, DISK_READ, b->block, 1, &page);

	if (status != 0)
		drop(c, b);
	else
		b->state = VALID;
	return status;
}

/* The buffer of an absent block, or -EAGAIN when the search must start over. */
static int get_absent(struct buf_cache *c, struct disk *d, uint64_t block, enum buf_mode mode,
		      struct buf **out)
{
	struct buf *b;
	int status = claim(c, d, 1, &b);

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

int buf_get(struct buf_cache *c, struct disk *d, uint64_t block, enum buf_mode mode,
	    struct buf **out)
{
	int status;

	if (block >= c->nblocks)
		return -ERANGE;
	enter(c);
	do {
		struct buf *b = find(c, block);

		if (b != NULL && b->state == READING) {
			wait_unlocked_io(c, b);
			status = -EAGAIN;
		} else if (b != NULL) {
			if (b->flags & AHEAD)
				b->flags &= (uint8_t)~AHEAD;
			else
				buf_policy_touch(c->policy, index_of(c, b));
			__atomic_fetch_add(&b->pins, 1, __ATOMIC_ACQUIRE);
			c->stats.hits++;
			*out = b;
			status = 0;
		} else {
			status = get_absent(c, d, block, mode, out);
		}
	} while (status == -EAGAIN);
	leave(c);
	return status;
}

void buf_dirty(struct buf_cache *c, struct buf *b, uint32_t tag)
{
	if ((b->flags & DIRTY) && b->tag == tag)
		return;
	enter(c);
	if (b->flags & DIRTY)
		dirty_remove(c, b);
	dirty_add(c, b, tag);
	leave(c);
}

/* Reads the `n` READING buffers of consecutive blocks in `run`. */
static uint32_t ahead_unlocked_io(struct buf_cache *c, struct disk *d, struct buf *const *run,
				  void *const *pages, uint32_t n)
{
	if (n == 0)
		return 0;
	int status = transfer_unlocked_io(c, d, DISK_READ, run[0]->block, n, pages);

	for (uint32_t i = 0; i < n; i++) {
		if (status != 0) {
			drop(c, run[i]);
		} else {
			run[i]->state = VALID;
			run[i]->flags = AHEAD;
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
	if (n > c->nframes / 4)
		n = c->nframes / 4;
	if (n > DISK_MAX_BLOCKS)
		n = DISK_MAX_BLOCKS;
	enter(c);
	for (uint32_t i = 0; i < n; i++) {
		struct buf *b = NULL;
		int status = 0;

		while (find(c, first + i) == NULL && (status = claim(c, d, 0, &b)) == -EAGAIN)
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
	leave(c);
	return got;
}

/* ---- public: writing back ---- */

/* Which dirty buffers a sync is about: all, or one tag's. */
struct scope {
	uint32_t tag;
	int all;
};

static int in_scope(const struct buf *b, const struct scope *s, uint32_t seq)
{
	return writable(b, seq) && (s->all || b->tag == s->tag);
}

/* Puts the first blocks of up to RUNS_MAX runs of one dirty list into `starts`, after `n` others.
 */
static uint32_t collect(struct buf_cache *c, uint32_t list, const struct scope *s, uint32_t seq,
			uint64_t *starts, uint32_t n)
{
	for (uint32_t f = c->dirty[list]; f != BUF_NONE && n < RUNS_MAX;
	     f = c->heads[f].dirty_next) {
		const struct buf *b = &c->heads[f];

		if (!in_scope(b, s, seq))
			continue;
		if (b->block > 0 && in_scope(find(c, b->block - 1), s, seq))
			continue;
		starts[n++] = b->block;
	}
	return n;
}

static void sift(uint64_t *v, uint32_t i, uint32_t n)
{
	for (uint32_t k; (k = 2 * i + 1) < n; i = k) {
		if (k + 1 < n && v[k + 1] > v[k])
			k++;
		if (v[i] >= v[k])
			return;
		uint64_t t = v[i];
		v[i] = v[k];
		v[k] = t;
	}
}

static void sort(uint64_t *v, uint32_t n)
{
	for (uint32_t i = n / 2; i-- > 0;)
		sift(v, i, n);
	while (n-- > 1) {
		uint64_t t = v[0];
		v[0] = v[n];
		v[n] = t;
		sift(v, 0, n);
	}
}

/* Writes whole runs from their first blocks, in order. */
static int write_runs_unlocked_io(struct buf_cache *c, struct disk *d, uint64_t *starts, uint32_t n,
				  uint32_t seq)
{
	int worst = 0;

	sort(starts, n);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t block = starts[i];

		for (; writable(find(c, block), seq); block += DISK_MAX_BLOCKS) {
			int status = write_cluster_unlocked_io(c, d, block, 0, seq);
			worst = worst != 0 ? worst : status;
		}
	}
	return worst;
}

/* Waits for the transfers of others, which took their buffers off the dirty lists. 1 if one of them
 * had died. */
static int wait_for_writers_unlocked_io(struct buf_cache *c)
{
	int again = 0;

	for (uint32_t f = 0; f < c->nframes && c->writing > 0; f++) {
		struct buf *b = &c->heads[f];

		while (b->state == VALID && (b->flags & WRITING)) {
			wait_unlocked_io(c, b);
			again |= (b->flags & DIRTY) != 0;
		}
	}
	return again;
}

static uint32_t next_seq(struct buf_cache *c)
{
	if (++c->sync_seq == 0)
		c->sync_seq = 1;
	return c->sync_seq;
}

static int sync_scope(struct buf_cache *c, struct disk *d, const struct scope *s)
{
	uint64_t starts[RUNS_MAX];
	uint32_t first = s->all ? 0 : s->tag & c->dirty_mask, last = s->all ? c->dirty_mask : first;
	int worst = 0, again = 0;

	enter(c);
	do {
		uint32_t seq = next_seq(c), n, list;
		do {
			for (n = 0, list = first; list <= last && n < RUNS_MAX; list++)
				n = collect(c, list, s, seq, starts, n);
			int status = write_runs_unlocked_io(c, d, starts, n, seq);
			worst = worst != 0 ? worst : status;
		} while (n == RUNS_MAX);
		again = !again && worst == 0 && wait_for_writers_unlocked_io(c);
	} while (again);
	leave(c);
	return worst;
}

int buf_sync(struct buf_cache *c, struct disk *d)
{
	return sync_scope(c, d, &(struct scope){.all = 1});
}

int buf_sync_tag(struct buf_cache *c, struct disk *d, uint32_t tag)
{
	return sync_scope(c, d, &(struct scope){.tag = tag});
}

int buf_sync_range(struct buf_cache *c, struct disk *d, uint64_t first, uint64_t n)
{
	int worst = 0;

	enter(c);
	uint32_t seq = next_seq(c);
	for (uint64_t block = first; block - first < n && block < c->nblocks; block++) {
		struct buf *b;
		while ((b = find(c, block)) != NULL && (b->flags & WRITING))
			wait_unlocked_io(c, b);
		if (!writable(b, seq))
			continue;
		int status = write_cluster_unlocked_io(c, d, block, 0, seq);
		worst = worst != 0 ? worst : status;
	}
	leave(c);
	return worst;
}

int buf_flush(struct disk *d)
{
	struct disk_req r = {.op = DISK_FLUSH};
	int status = disk_submit(d, &r);

	return status != 0 ? status : disk_wait(d, &r);
}

/* ---- public: the rest ---- */

void buf_forget(struct buf_cache *c, uint64_t block)
{
	enter(c);
	struct buf *b = find(c, block);
	if (b != NULL && b->pins == 0 && !busy(b)) {
		if (b->flags & DIRTY)
			dirty_remove(c, b);
		drop(c, b);
	}
	leave(c);
}

void buf_invalidate(struct buf_cache *c)
{
	enter(c);
	for (uint32_t f = 0; f < c->nframes; f++) {
		struct buf *b = &c->heads[f];
		if (b->state == VALID && b->pins == 0 && !(b->flags & (DIRTY | WRITING)))
			drop(c, b);
	}
	leave(c);
}

void buf_recover(struct buf_cache *c)
{
	enter(c);
	for (uint32_t f = 0; f < c->nframes; f++) {
		struct buf *b = &c->heads[f];

		b->pins = 0;
		if (b->state == READING)
			b->state = EMPTY;
		if (b->flags & WRITING)
			b->flags = (uint8_t)((b->flags & ~WRITING) | DIRTY);
	}
	rebuild(c);
	leave(c);
}

void buf_get_stats(struct buf_cache *c, struct buf_stats *out)
{
	enter(c);
	*out = c->stats;
	out->frames = c->nframes;
	leave(c);
}

/* 0 if `b`, number `f`, is as the head of this file says. */
static int check_one(struct buf_cache *c, uint32_t f)
{
	const struct buf *b = &c->heads[f];

	if (b->data != c->frames + (size_t)f * BUF_SIZE)
		return __LINE__;
	if (b->state == EMPTY)
		return b->pins == 0 && b->flags == 0 ? 0 : __LINE__;
	if (find(c, b->block) != b || b->block >= c->nblocks)
		return __LINE__;
	if (b->state == READING && (b->pins != 0 || b->flags != 0))
		return __LINE__;
	return 0;
}

int buf_check(struct buf_cache *c)
{
	uint32_t dirty = 0, listed = 0, held = 0, members = 0, writing = 0;
	int line = 0;

	enter(c);
	for (uint32_t f = 0; f < c->nframes && line == 0; f++) {
		line = check_one(c, f);
		dirty += (c->heads[f].flags & DIRTY) != 0;
		held += c->heads[f].state != EMPTY;
		writing += (c->heads[f].flags & WRITING) != 0;
	}
	for (uint32_t list = 0; list <= c->dirty_mask; list++)
		for (uint32_t f = c->dirty[list]; f != BUF_NONE && listed <= c->nframes;
		     f = c->heads[f].dirty_next)
			listed += (c->heads[f].flags & DIRTY) != 0;
	for (uint32_t f = BUF_NONE; (f = buf_policy_victim(c->policy, f)) != BUF_NONE;)
		members++;
	for (uint32_t f = c->free; f != BUF_NONE && held <= c->nframes; f = c->heads[f].hash_next)
		held++;
	if (line == 0 && (dirty != listed || dirty != c->stats.dirty))
		line = __LINE__;
	if (line == 0 && (held != c->nframes || members > c->nframes || writing != c->writing))
		line = __LINE__;
	leave(c);
	return line;
}
