/*
 * cscan.c - a disk order: the circular elevator, C-SCAN.
 *
 * How it works: the arm sweeps from low blocks to high ones and takes on its way every request that
 * waits there; when nothing is ahead any more it goes back to the lowest one and begins again. It
 * goes one way only, so blocks at the edges wait no longer than those in the middle, as they would
 * with an elevator that also serves on its way back.
 * Wins: when many requests for all over a turning disk wait together: the arm travels the length of
 * the disk once for all of them.
 * Loses: when there are few requests; and one behind the arm waits for the rest of the sweep,
 * however urgent it is. Starvation: none. The arm only goes forward, so a sweep ends after at most
 * the length of the disk, whatever is submitted meanwhile, and each request is in the present sweep
 * or in the next. But that bound is in blocks, not in time: see deadline.c. Cost: each choice looks
 * at every request that waits. Source: Seaman, Lind and Wilson, "On teleprocessing system design,
 * part IV", 1966.
 *
 * DEPTH requests are with the kernel: one on the drive, one that follows it at once while this
 * program sleeps. Owns nothing.  Called by queue.c.
 */
#include "order.h"

enum { DEPTH = 2 };

const char order_name[] = "cscan";
const uint32_t order_depth = DEPTH;

struct disk_req *order_next(struct disk_req *oldest, uint64_t at)
{
	return order_sweep(oldest, at);
}
