/*
 * deadline.c - a disk order: the circular elevator, but nobody waits for longer than is promised.
 *
 * How it works: as cscan.c, until a request has waited for its time: a read READ_MS, since somebody
 * sleeps until it is there, a write WRITE_MS, which few wait for. Then the one that has waited for
 * longest in excess of its time goes next, wherever it is, and the sweep goes on from there.
 * Wins: when latency counts and the queue is long: a read at the other end of the disk does not
 * wait for a long sweep of writes. Loses: throughput, when more comes in than the disk can do: then
 * all are late, and it becomes fifo. Starvation: none, in time: once late, a request is passed only
 * by those that are later still, which were submitted no more than WRITE_MS - READ_MS after it, and
 * by the DEPTH with the kernel. Cost: as cscan.c, and reading the clock for each choice. Source:
 * Linux's deadline scheduler (Axboe, 2002), whose times these are; it also sends requests in
 * batches and prefers reads, which this does not.
 *
 * Owns nothing.  Called by queue.c.
 */
#include <libos/time.h>
#include "order.h"

enum { DEPTH = 2, READ_MS = 500, WRITE_MS = 5000 };

static const uint64_t NS_PER_MS = 1000000;

const char order_name[] = "deadline";
const uint32_t order_depth = DEPTH;

/* By when it is to be sent. */
static uint64_t deadline(const struct disk_req *r)
{
	return r->since + (r->op == DISK_READ ? READ_MS : WRITE_MS) * NS_PER_MS;
}

struct disk_req *order_next(struct disk_req *oldest, uint64_t at)
{
	struct disk_req *latest = oldest;

	for (struct disk_req *r = oldest->next; r; r = r->next)
		if (deadline(r) < deadline(latest))
			latest = r;
	return deadline(latest) <= time_now() ? latest : order_sweep(oldest, at);
}
