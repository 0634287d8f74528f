/*
 * order.h - the seam of the disk's order: which of the requests that wait goes to the drive next.
 *
 * Two halves meet here, below libos/disk.h. The mechanism is queue.c, which holds requests back,
 * and volume.c, which hands them to the kernel. The policy (fifo.c or another file of this folder,
 * chosen at link time) names the next one. The kernel serves each program's requests in the order
 * in which it gets them, so to choose means to hold back: while `order_depth` requests are with the
 * kernel, the others wait here. A program that has one request at a time leaves nothing to choose.
 *
 * Whatever a policy says, of two requests that touch the same block, one of them writing, the one
 * that was submitted first goes first.
 * No lock: one thread.  Called by queue.c; host tests replace volume.c.
 */
#ifndef ORDER_ORDER_H
#define ORDER_ORDER_H

#include <libos/disk.h>

/* ---- the policy: what a file such as order/fifo.c provides ---- */

/* How many requests the kernel is given at a time. */
extern const uint32_t order_depth;

/*
 * The one to send, of those from `oldest` on, which are linked by `next` in the order of their
 * submission. `at` is the block of the drive behind the one sent last; `r->at` is where r begins.
 */
struct disk_req *order_next(struct disk_req *oldest, uint64_t at);

/* For policies that sweep: the first request at or behind `at`; when there is none, of all. */
static inline struct disk_req *order_sweep(struct disk_req *oldest, uint64_t at)
{
	struct disk_req *ahead = 0, *lowest = oldest;

	for (struct disk_req *r = oldest; r; r = r->next) {
		if (r->at >= at && (!ahead || r->at < ahead->at))
			ahead = r;
		if (r->at < lowest->at)
			lowest = r;
	}
	return ahead ? ahead : lowest;
}

/* ---- queue.c, for volume.c ---- */

/* A request that was sent is over. */
void queue_done(void);

/* Forgets everything: this program is a copy of the one whose requests they are. */
void queue_reset(void);

/* ---- volume.c, for queue.c ---- */

/* What is wrong with r, as disk_submit says; else 0, and r->at is set. */
int volume_check(const struct disk *d, struct disk_req *r);

/* Hands r to the kernel. r->state is not 0 until it is over; an error is in r->status. */
void volume_send(struct disk_req *r);

/* Until a request, or a part of one, is over: 1 when that took sleep, 0 when one was already. */
int volume_wait(void);

#endif
