/*
 * disk.h - the seam to the disk: asynchronous transfers between page frames and a volume.
 *
 * Owns: the request. A volume is an extent or a part of one, seen as blocks 0 .. disk_size()-1
 * of 4 KiB. `struct disk` belongs to one process (it holds that process's rights and ring) and
 * is opaque here; it must never be stored in shared memory. In what order waiting requests go to
 * the drive is the variant's (libos/order: fifo, cscan, deadline). Lock: none; one thread of one
 * process at a time uses a `struct disk`. Called by the buffer cache, by raw users and by tests.
 * Host tests implement it over memory.
 *
 * A command costs nearly the same for 1 block as for 256: callers gather.
 */
#ifndef LIBOS_DISK_H
#define LIBOS_DISK_H

#include <stdint.h>

#define DISK_BLOCK	4096u
#define DISK_MAX_BLOCKS 256u

struct disk;

enum disk_op { DISK_READ = 1, DISK_WRITE = 2, DISK_FLUSH = 3 };

/*
 * One command. The caller fills op, block, nblocks and pages, and keeps the request, the array and
 * the pages in place until disk_wait has returned. `pages[i]` is the 4 KiB aligned buffer of block
 * `block + i`. DISK_FLUSH takes no block and no page: when it is done, all writes that completed
 * before its submission are durable.
 */
struct disk_req {
	enum disk_op op;
	uint32_t nblocks;   /* 1 .. DISK_MAX_BLOCKS; 0 for DISK_FLUSH */
	uint64_t block;	    /* first block of the volume */
	void *const *pages; /* nblocks of them */
	int status;	    /* after disk_wait: 0 or a negative errno */
	/* The implementation's, from here on. */
	uint32_t state;	       /* 0: not under way */
	struct disk_req *next; /* among those that wait to be sent */
	struct disk *disk;
	uint64_t at;	/* first block, on the drive */
	uint64_t since; /* when it began to wait: ns since boot */
};

/* What this program has sent to its drives. */
struct disk_stats {
	uint64_t commands, blocks;
	uint64_t travel; /* blocks between the end of each command and the start of the next */
	uint64_t back;	 /* commands that began before the end of the last one */
	uint64_t sleeps; /* times that disk_wait() found nothing over */
};

/*
 * Queues `r`. 0, or -EINVAL (bad op, count or alignment), -ERANGE (beyond the volume), -EACCES (no
 * right); then nothing was queued and disk_wait must not be called. It may be sent only when others
 * are done: whoever submits must come to disk_wait. When the queue is full it waits for room.
 * Requests in flight together may complete in any order, but of two that touch the same block, one
 * of them writing, the first one submitted is done first.
 */
__attribute__((warn_unused_result)) int disk_submit(struct disk *d, struct disk_req *r);

/* Waits until `r`, submitted before, is done. Returns its status: 0, -EIO, or another negative
 * errno. */
__attribute__((warn_unused_result)) int disk_wait(struct disk *d, struct disk_req *r);

void disk_get_stats(struct disk_stats *out);

/* The order that this program is linked with, as in its file's name. */
extern const char order_name[];

/* Blocks in the volume. */
uint64_t disk_size(struct disk *d);

#endif
