/*
 * buf.h - the seam of the buffer cache: 4 KiB blocks of one volume, in page frames that
 * processes share.
 *
 * Two halves meet here. The mechanism (buf/cache.c and the files beside it) finds, fills, pins,
 * dirties and writes buffers, within bounds that can be changed while it runs (struct buf_tuning);
 * the policy (buf/lru.c or another file of that folder, chosen at link time) says which one to
 * give up. All state lives in the arena and in the frames; the disk handle is the caller's and
 * comes with each call.
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
	uint64_t since; /* read ahead: the evictions until then */
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
	uint64_t evictions;	       /* blocks given up to make room */
	uint64_t ahead_used;	       /* blocks read ahead that were then asked for */
	uint64_t ahead_wasted;	       /* and those that were given up before */
	uint32_t frames, used, dirty;  /* now */
	uint32_t spare;
};

/* What may be set while the cache runs (buf_tune). */
struct buf_tuning {
	uint32_t limit;	     /* frames in use at most: BUF_MIN_FRAMES .. all there are */
	uint32_t dirty_most; /* dirty buffers after an operation; 0: write-through */
	uint32_t dirty_ms;   /* age from which dirt is to be written (buf_due); 0: no bound */
	uint32_t ahead_most; /* blocks read beyond what was asked for, at most; 0: no read-ahead */
	uint32_t reuse;	     /* 0: direct: what was read serves one request, and is read again */
};

/* What the user of some blocks says about them. */
enum buf_advice {
	BUF_NORMAL = 0,	  /* nothing any more */
	BUF_WILLNEED = 1, /* they will be asked for, more than once */
	BUF_ONCE = 2,	  /* they will be asked for once */
	BUF_DONTNEED = 3  /* they will not be asked for */
};

/* The reader of one file, as read-ahead sees it; all zero at first. In blocks of that file. */
struct buf_stream {
	uint32_t next;	     /* where a sequential reader would go on */
	uint32_t window;     /* how much is read ahead when it does */
	uint32_t first, end; /* what was read ahead last */
	uint32_t pattern;    /* enum buf_pattern */
};

enum buf_pattern {
	BUF_DETECT = 0,	   /* the window grows while the reader is sequential, and ends when not */
	BUF_RANDOM = 1,	   /* never ahead */
	BUF_SEQUENTIAL = 2 /* as far ahead as allowed, from the first read on */
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

/* The name of the policy that `c` was made with; this program's is buf_policy_name. */
const char *buf_policy_of(const struct buf_cache *c);

/*
 * Pins `block` and gives it in `*out`. 0; -EIO (the disk said so, or all frames are dirty and
 * cannot be written), -ENOMEM (all frames pinned), -ERANGE (beyond the volume). On error nothing is
 * pinned.
 */
__attribute__((warn_unused_result)) int buf_get(struct buf_cache *c, struct disk *d, uint64_t block,
						enum buf_mode mode, struct buf **out);

/*
 * Pins, of blocks first .. first+n-1, those that are there before the first that is not, or is
 * still coming: how many; no more than BUF_RUN, nor a quarter of the cache. No I/O. What follows
 * wants buf_get.
 */
#define BUF_RUN 16u
uint32_t buf_get_run(struct buf_cache *c, uint64_t first, uint64_t n, struct buf *out[BUF_RUN]);

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

/*
 * For the end of an operation that changed something, when no buffer is pinned: writes what is
 * dirty when it is more than `dirty_most`. So with write-through everything is on the disk then
 * (not flushed). 0, or the first error, with what could not be written still dirty.
 */
__attribute__((warn_unused_result)) int buf_settle(struct buf_cache *c, struct disk *d);

/* What the end of such an operation asks for. */
enum buf_want {
	BUF_WANT_NOTHING = 0,
	BUF_WANT_SETTLE = 1, /* too much is dirty: buf_settle */
	BUF_WANT_ALL = 2     /* write-through: what is only in a file system's own tables, too */
};
enum buf_want buf_wants(const struct buf_cache *c);

/* 1 when something may have been dirty for as long as `dirty_ms`: a sync is due. Then the time
 * begins anew, so that what cannot be written is not tried all the time. `more`: the caller keeps
 * changes besides, which count from when this was asked last and there were none. */
int buf_due(struct buf_cache *c, int more);

/* Makes all completed writes durable. 0 or a negative errno. */
__attribute__((warn_unused_result)) int buf_flush(struct disk *d);

/*
 * Sets the numbers. -EINVAL: one is out of its bounds, nothing was set. No I/O: when the limit
 * falls, the coldest clean buffers go at once, and dirty ones as room is wanted, but no frame is
 * filled meanwhile. Nothing is lost.
 */
__attribute__((warn_unused_result)) int buf_tune(struct buf_cache *c, const struct buf_tuning *t);
void buf_get_tuning(struct buf_cache *c, struct buf_tuning *out);

/* Whether file blocks at .. at+want-1 were read ahead already. If not, buf_stream_next comes next.
 */
static inline int buf_stream_has(struct buf_stream *s, uint32_t at, uint32_t want)
{
	if (at < s->first || at + want > s->end)
		return 0;
	s->next = at + want;
	return 1;
}

/*
 * The reader of file blocks at .. at+want-1, of `size`, comes to read them: how many blocks from
 * *from on should be fetched now (buf_prefetch), 0: none. The caller notes in first and end what it
 * fetched. A block of the cache is 1 << shift blocks of the file.
 */
uint32_t buf_stream_next(const struct buf_cache *c, struct buf_stream *s, uint32_t at,
			 uint32_t want, uint32_t size, uint32_t shift, uint32_t *from);

/*
 * What the user says of blocks first .. first+n-1. BUF_WILLNEED reads them, as far as a quarter of
 * the limit goes; BUF_DONTNEED writes and drops them; a policy that listens is told. 0 or the error
 * of a write.
 */
__attribute__((warn_unused_result)) int
buf_advise(struct buf_cache *c, struct disk *d, uint64_t first, uint64_t n, enum buf_advice advice);

/*
 * Takes up to `n` frames out of the cache, empty ones first, then the coldest, and lowers the limit
 * if need be: their owner may unmap and free them, when the kernel asks for pages. BUF_MIN_FRAMES
 * stay. How many; their addresses in `pages`. buf_take puts one, mapped again, back: 0, or -EINVAL
 * if it was not out. Only for a cache whose frames nobody else has mapped.
 */
uint32_t buf_give(struct buf_cache *c, struct disk *d, uint32_t n, void **pages);
__attribute__((warn_unused_result)) int buf_take(struct buf_cache *c, void *page);

/*
 * The same for one run: takes frames first .. first+n-1 out of the cache.  What is in them moves to
 * others, for which the coldest blocks make room.  For a cache that many have mapped, in large
 * pages perhaps: its owner sees to it that they unmap them.  0; -EINVAL (one is out already, or
 * there are not so many), -ENOMEM (BUF_MIN_FRAMES would not stay), -EBUSY (one is pinned, and stays
 * so), -EIO (room cannot be made): then nothing was taken.  A process must not die in here.
 */
__attribute__((warn_unused_result)) int buf_vacate(struct buf_cache *c, struct disk *d,
						   uint32_t first, uint32_t n);

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

extern const char buf_policy_name[]; /* as in its file's name; at most 15 letters */

/* Bytes of state wanted for `nframes`. */
size_t buf_policy_size(uint32_t nframes);

/* Makes the state, in zeroed memory, with no frame in it. */
void buf_policy_init(struct buf_policy *p, uint32_t nframes);

/* Frame `f`, not in the policy, now holds `block`. */
void buf_policy_insert(struct buf_policy *p, uint32_t f, uint64_t block);

/* Frame `f`, in the policy, was asked for again. */
void buf_policy_touch(struct buf_policy *p, uint32_t f);

/* Why a frame leaves the policy. */
enum buf_leave {
	BUF_VOID = 0,	 /* its block does not matter any more */
	BUF_EVICTED = 1, /* to make room */
	BUF_UNUSED = 2	 /* to make room; it was read ahead, and nobody has asked for it */
};

/* Frame `f`, in the policy, leaves it. */
void buf_policy_remove(struct buf_policy *p, uint32_t f, enum buf_leave why);

/*
 * The next best frame to give up, after `f` (BUF_NONE: the best). BUF_NONE when there are no more.
 * Frames may be refused by the mechanism (pinned, say), which then asks for the next; meanwhile
 * nothing changes.
 */
uint32_t buf_policy_victim(struct buf_policy *p, uint32_t f);

/* ---- what a policy need not provide: the mechanism has these, which do nothing ---- */

/* Changes what the mechanism is set to at the start. */
void buf_policy_tune(struct buf_tuning *t);

/* No more than `limit` frames will be in use. */
void buf_policy_limit(struct buf_policy *p, uint32_t limit);

/* The user's word on blocks first .. first+n-1. 1: the policy listens; then those that are present
 * are removed and inserted again, for it to put them elsewhere. */
int buf_policy_advise(struct buf_policy *p, uint64_t first, uint64_t n, enum buf_advice advice);

#endif
