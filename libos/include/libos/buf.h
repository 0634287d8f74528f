/*
 * buf.h - the seam of the buffer cache: 4 KiB blocks of one volume, in page frames that
 * processes share.
 *
 * Two halves meet here. The mechanism (buf/cache.c) finds, fills, pins, dirties and writes
 * buffers; the policy (buf/lru.c or another file of that folder, chosen at link time) says
 * which one to give up. All state lives in the arena and in the frames; the disk handle is the
 * caller's and comes with each call.
 *
 * Invariant: a block is in at most one buffer; a buffer that is pinned, dirty or in transfer is
 * not reused.
 * Lock: the cache's own, taken inside each call and dropped during transfers. A transfer is
 * marked with the token of the process that does it: if that process dies, whoever waits takes
 * the buffer over and reads it again.
 * Called by file systems (between their own lock and release: see buf_recover) and by the
 * pager.
 */
#ifndef LIBOS_BUF_H
#define LIBOS_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <libos/arena.h>
#include <libos/disk.h>

#define BUF_SIZE       DISK_BLOCK
#define BUF_NONE       UINT32_MAX /* no frame */
#define BUF_MIN_FRAMES 8u

struct buf_cache;

/* What a holder of a pinned buffer may look at; the rest is the cache's. */
struct buf {
	void *data;	/* the 4 KiB frame */
	uint64_t block; /* the block it holds */
	uint64_t owner; /* who transfers it, while it is in transfer */
	uint32_t pins;
	uint32_t tag; /* whose dirt: see buf_dirty */
	uint32_t hash_next;
	uint32_t dirty_next;
	uint32_t dirty_prev;
	uint8_t state;
	uint8_t flags;
	uint16_t spare;
	uint64_t round; /* the sync that tried last to write it */
	uint64_t spare2;
};
_Static_assert(sizeof(struct buf) == 64, "one buffer head to a cache line");

/* How a buffer is wanted. */
enum buf_mode {
	BUF_READ = 0, /* with the block's contents */
	BUF_OVERWRITE =
		1 /* the caller overwrites all: not read, so it holds anything if it was absent */
};

struct buf_stats {
	uint64_t hits, misses;
	uint64_t reads, read_blocks;   /* commands, and blocks in them */
	uint64_t writes, write_blocks; /* the same */
	uint64_t errors;	       /* failed commands */
	uint32_t frames, dirty;	       /* now */
};

/*
 * Makes a cache over the `nframes` page-aligned 4 KiB frames at `frames`, for a volume of `nblocks`
 * blocks. Heads and policy state come from `a` (about 100 bytes a frame). NULL: too few frames
 * (BUF_MIN_FRAMES), misaligned, or no memory. One process calls this; others use the pointer after
 * buf_attach.
 */
struct buf_cache *buf_init(struct arena *a, void *frames, size_t nframes, uint64_t nblocks);

/* Gives back what buf_init took of `a`; the frames are the caller's. */
void buf_end(struct arena *a, struct buf_cache *c);

/* 0 if this program was linked with the policy that `c` was made with, else -EINVAL: then keep off.
 */
__attribute__((warn_unused_result)) int buf_attach(const struct buf_cache *c);

/*
 * Pins `block` and gives it in `*out`. 0; -EIO (the disk said so, or all frames are dirty and
 * cannot be written), -ENOMEM (all frames pinned), -ERANGE (beyond the volume). On error nothing is
 * pinned.
 */
__attribute__((warn_unused_result)) int buf_get(struct buf_cache *c, struct disk *d, uint64_t block,
						enum buf_mode mode, struct buf **out);

/* Unpins. Each successful buf_get wants one. Takes no lock: pins only grow under it. */
static inline void buf_put(struct buf *b)
{
	__atomic_fetch_sub(&b->pins, 1, __ATOMIC_RELEASE);
}

/*
 * Notes that the pinned buffer was changed. `tag` says on whose behalf (an inode number; 0 for
 * nobody), so that buf_sync_tag finds it without looking at all others; the last one counts.
 */
void buf_dirty(struct buf_cache *c, struct buf *b, uint32_t tag);

/*
 * Starts nothing, waits for nothing it need not: reads the absent ones among the blocks first ..
 * first+n-1 in commands as large as the gaps allow. n is cut to DISK_MAX_BLOCKS, to the volume and
 * to a quarter of the cache. Errors are not reported: a later buf_get will meet them. Returns the
 * blocks that it read.
 */
uint32_t buf_prefetch(struct buf_cache *c, struct disk *d, uint64_t first, uint32_t n);

/*
 * Writes dirty buffers in block order, gathered in large commands, and waits: all of them, those of
 * one tag, or those in [first, first + n). None of them flushes the disk's own cache: see
 * buf_flush. 0, or the first error; what could not be written stays dirty and is tried again next
 * time.
 */
__attribute__((warn_unused_result)) int buf_sync(struct buf_cache *c, struct disk *d);
__attribute__((warn_unused_result)) int buf_sync_tag(struct buf_cache *c, struct disk *d,
						     uint32_t tag);
__attribute__((warn_unused_result)) int buf_sync_range(struct buf_cache *c, struct disk *d,
						       uint64_t first, uint64_t n);

/* Makes all completed writes durable. 0 or a negative errno. */
__attribute__((warn_unused_result)) int buf_flush(struct disk *d);

/* The block's contents no longer matter: its buffer, if any and if not pinned, is dropped
 * unwritten. */
void buf_forget(struct buf_cache *c, uint64_t block);

/* Drops all buffers that are neither pinned nor dirty nor in transfer: the next reads go to the
 * disk. */
void buf_invalidate(struct buf_cache *c);

/*
 * After the death of a process that was using the cache: the caller holds the lock under which all
 * users work, so nobody else is inside. Pins fall, half-done reads are dropped, half-done writes
 * are dirty again.
 */
void buf_recover(struct buf_cache *c);

/* A copy of the counters. */
void buf_get_stats(struct buf_cache *c, struct buf_stats *out);

/* 0 if every invariant of the cache holds, else the line of the broken one. For tests. */
int buf_check(struct buf_cache *c);

/* ---- the policy: what a file such as buf/lru.c provides. Called by the mechanism, under its lock.
 * ---- */

struct buf_policy; /* in shared memory, the policy's own */

extern const uint32_t buf_policy_id; /* a different number for each policy */

/* Bytes of state wanted for `nframes`. */
size_t buf_policy_size(uint32_t nframes);

/* Makes the state, in zeroed memory, with no frame in it. */
void buf_policy_init(struct buf_policy *p, uint32_t nframes);

/* Frame `f`, not in the policy, now holds `block`. */
void buf_policy_insert(struct buf_policy *p, uint32_t f, uint64_t block);

/* Frame `f`, in the policy, was asked for again. */
void buf_policy_touch(struct buf_policy *p, uint32_t f);

/* Frame `f`, in the policy, leaves it. `evicted`: to make room (1), or because its block is void
 * (0). */
void buf_policy_remove(struct buf_policy *p, uint32_t f, int evicted);

/*
 * The next best frame to give up, after `f` (BUF_NONE: the best). BUF_NONE when there are no more.
 * Frames may be refused by the mechanism (pinned, say), which then asks for the next; meanwhile
 * nothing changes.
 */
uint32_t buf_policy_victim(struct buf_policy *p, uint32_t f);

#endif
