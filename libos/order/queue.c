/*
 * queue.c - the requests that wait to be sent, and libos/disk.h's way in and out.
 *
 * Owns the list of held requests, in the order of submission, and the count of those that are with
 * the kernel. Invariant: nothing is held while fewer than order_depth are with the kernel, when a
 * function of disk.h has returned; so whoever waits for a held request waits for one that was sent.
 * A held request's state is HELD. No lock: one thread. Completions are only noticed in calls of
 * disk.h, so a program that submits and then computes leaves the drive idle after order_depth
 * requests. Called by the buffer cache and by raw users through libos/disk.h.
 */
#include <libos/time.h>
#include <libos/vm.h>
#include "order.h"

enum { HELD = 1u << 30 };

static struct disk_req *oldest, **end = &oldest;
static uint32_t sent;
static struct disk_stats stats;
static uint64_t at; /* behind the block sent last */

void queue_done(void)
{
	sent--;
}

void queue_reset(void)
{
	oldest = 0;
	end = &oldest;
	sent = 0;
}

static int conflict(const struct disk_req *a, const struct disk_req *b)
{
	return (a->op == DISK_WRITE || b->op == DISK_WRITE) && a->at < b->at + b->nblocks &&
	       b->at < a->at + a->nblocks;
}

/* The one that must go before `r` may, if any; else r. */
static struct disk_req *due(struct disk_req *r)
{
	struct disk_req *q = oldest;

	while (q != r) {
		if (!conflict(q, r)) {
			q = q->next;
			continue;
		}
		r = q;
		q = oldest;
	}
	return r;
}

static void unlink_held(struct disk_req *r)
{
	struct disk_req **from = &oldest;

	while (*from != r)
		from = &(*from)->next;
	*from = r->next;
	if (!r->next)
		end = from;
}

static void send(struct disk_req *r)
{
	stats.commands++;
	stats.blocks += r->nblocks;
	stats.travel += r->at < at ? at - r->at : r->at - at;
	stats.back += r->at < at;
	at = r->at + r->nblocks;
	sent++;
	volume_send(r);
}

/* Sends what may be sent of those that are held. */
static void pump(void)
{
	while (oldest && sent < order_depth) {
		struct disk_req *r = due(order_next(oldest, at));

		unlink_held(r);
		send(r);
	}
}

static void submit(struct disk_req *r)
{
	if (!oldest && sent < order_depth) {
		send(r); /* there is nothing to choose */
		return;
	}
	r->state = HELD;
	r->since = time_now();
	r->next = 0;
	*end = r;
	end = &r->next;
	pump();
}

static int submit_checked(struct disk *d, struct disk_req *r)
{
	const int error = volume_check(d, r);

	if (error)
		return error;
	r->disk = d;
	r->status = 0;
	if (r->op == DISK_FLUSH) {
		/* It speaks of writes that are over, so none of those held need go before it. */
		sent++;
		volume_send(r);
		return 0;
	}
	submit(r);
	return 0;
}

int disk_submit(struct disk *d, struct disk_req *r)
{
	int error = vm_disk_enter(r);

	if (error)
		return error;
	error = submit_checked(d, r);
	vm_disk_leave(error ? r : 0);
	return error;
}

int disk_wait(struct disk *d, struct disk_req *r)
{
	(void)d;
	(void)vm_disk_enter(0);
	while (r->state) {
		stats.sleeps += (uint64_t)volume_wait();
		if (oldest)
			pump();
	}
	vm_disk_leave(r);
	return r->status;
}

void disk_get_stats(struct disk_stats *out)
{
	*out = stats;
}
