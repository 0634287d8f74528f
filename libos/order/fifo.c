/*
 * fifo.c - a disk order: requests go to the drive in the order in which they are submitted.
 *
 * How it works: nothing is held back; the kernel gets each request at once.
 * Wins: when there is one request at a time, or the submitter has sorted them (the buffer cache
 * writes in block order), and wherever seeks cost nothing (emulators, solid-state drives). Loses:
 * when many requests for all over a turning disk wait together: the arm goes to and fro.
 * Starvation: none; each request waits for those before it only.
 * Cost: nothing is looked at.
 *
 * Owns nothing.  Called by queue.c.
 */
#include "order.h"

const char order_name[] = "fifo";
const uint32_t order_depth = UINT32_MAX;

struct disk_req *order_next(struct disk_req *oldest, uint64_t at)
{
	(void)at;
	return oldest;
}
