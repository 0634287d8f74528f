/*
 * cache.h - what the files of the buffer cache's mechanism share: cache.c (finding and filling),
 * write.c (writing back), tune.c (bounds, advice, read-ahead), give.c (frames given away).
 *
 * Owns: the layout of `struct buf_cache`; what its invariant is stands at the head of cache.c.
 * Lock: c->lock, held between cache_enter and cache_leave. Functions named *_unlocked_io drop it
 * inside; after them nothing looked up before may be trusted.
 * Called by those four files only.
 */
#ifndef BUF_CACHE_H
#define BUF_CACHE_H

#include <stdint.h>
#include <libos/buf.h>
#include <libos/lock.h>

enum state { EMPTY = 0, READING = 1, VALID = 2, GONE = 3 };
enum flag { DIRTY = 1, WRITING = 2, FAILED = 4, AHEAD = 8 };

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
	uint32_t gone; /* frames that are GONE */
	uint32_t sync_seq;
	uint32_t writing;     /* buffers that are WRITING */
	uint32_t dirty_hard;  /* so many dirty ones, and the next buf_get writes */
	uint64_t dirty_since; /* when the first of those that are dirty became so, or before */
	uint64_t more_since;  /* when buf_due was told last that there is no more than that */
	uint32_t ahead_now;   /* what read-ahead has come down to, of tuning.ahead_most */
	struct buf_tuning tuning;
	struct buf_stats stats; /* used: neither in the free list nor GONE */
	char policy_name[16];
};

/* Makes every list anew from the heads: what the policy had learnt is lost, no data is. */
void cache_rebuild(struct buf_cache *c);

static inline void cache_enter(struct buf_cache *c)
{
	if (lock_acquire(&c->lock) == LOCK_STOLEN)
		cache_rebuild(c);
}

static inline void cache_leave(struct buf_cache *c)
{
	lock_release(&c->lock);
}

static inline uint32_t cache_index(const struct buf_cache *c, const struct buf *b)
{
	return (uint32_t)(b - c->heads);
}

static inline uint32_t *cache_chain(struct buf_cache *c, uint64_t block)
{
	return &c->hash[(block * 0x9e3779b97f4a7c15u) >> c->hash_shift];
}

/* The buffer of `block`, or NULL. */
static inline struct buf *cache_find(struct buf_cache *c, uint64_t block)
{
	for (uint32_t f = *cache_chain(c, block); f != BUF_NONE; f = c->heads[f].hash_next)
		if (c->heads[f].block == block)
			return &c->heads[f];
	return NULL;
}

static inline uint32_t cache_min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Most blocks fetched at a time: they are to leave room for others. */
static inline uint32_t cache_gather(const struct buf_cache *c)
{
	return cache_min(c->tuning.limit / 4, DISK_MAX_BLOCKS);
}

static inline int cache_busy(const struct buf *b)
{
	return b->state == READING || (b->flags & WRITING);
}

/* What follows from `tuning` and from what is dirty. */
void cache_bounds(struct buf_cache *c);

/* Puts a buffer on the dirty list of `tag`, and takes it off. */
void cache_dirty_add(struct buf_cache *c, struct buf *b, uint32_t tag);
void cache_dirty_remove(struct buf_cache *c, struct buf *b);

/* Empties a hashed buffer that is neither pinned nor dirty, because its block is void. */
void cache_drop(struct buf_cache *c, struct buf *b);

/* What `b` holds, which is neither pinned nor in transfer, is in a free frame from now on (there
 * must be one); b is EMPTY, and in no list. */
void cache_move(struct buf_cache *c, struct buf *b);

/* Gives up the best clean buffer: 1; 0: there is none that is idle. */
int cache_evict_clean(struct buf_cache *c);

/* Gives up the best buffer, writing it if need be. 0; -EAGAIN: the lock was dropped, look again;
 * -EBUSY: that would mean to wait (without `wait`); -EIO, -ENOMEM: there is none. */
int cache_evict_unlocked_io(struct buf_cache *c, struct disk *d, int wait);

/* Lets the owner of busy `b` go on, or does away with a dead one. */
void cache_wait_unlocked_io(struct buf_cache *c, struct buf *b);

/* One command for `n` buffers that are marked busy. */
int cache_transfer_unlocked_io(struct buf_cache *c, struct disk *d, enum disk_op op, uint64_t block,
			       uint32_t n, void *const *pages);

/* Writes the dirty, unpinned buffers around `block`, which is one, as one command. */
int cache_write_around_unlocked_io(struct buf_cache *c, struct disk *d, uint64_t block);

/* Writes all dirty buffers, but for pinned ones if `idle`. */
int cache_write_all_unlocked_io(struct buf_cache *c, struct disk *d, int idle);

#endif
