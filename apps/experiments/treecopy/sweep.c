/*
 * sweep.c - reads blocks of a volume in the order in which they stand on it, by commands as large
 * as the drive takes, straight to where they are wanted.
 *
 * Blocks nobody wants are read along, into a page of no use, where that costs less than another
 * command.  Owns the volume and, for each block, where it is.
 */
#include "../experiment_posix.h"
#include "treecopy.h"

enum { GAP = 3 };

static struct {
	struct disk *disk;
	uint64_t blocks;
	void **at;	  /* of each block; NULL: not wanted */
	uint8_t *pending; /* wanted, and not read yet */
	void *nowhere;
} sweep;

static void *page(void)
{
	void *const p = aligned_alloc(EXPERIMENT_BLOCK, EXPERIMENT_BLOCK);

	need(p ? 0 : -ENOMEM, "memory");
	return p;
}

uint64_t sweep_open(const char *extent)
{
	need(experiment_open(extent, &sweep.disk), extent);
	sweep.blocks = disk_size(sweep.disk);
	sweep.at = calloc(sweep.blocks, sizeof(*sweep.at));
	sweep.pending = calloc(sweep.blocks, 1);
	need(sweep.at && sweep.pending ? 0 : -ENOMEM, "memory");
	sweep.nowhere = page();
	return sweep.blocks;
}

void sweep_want(uint64_t block, void *at)
{
	need(block < sweep.blocks ? 0 : -ERANGE, "a block of the source");
	if (sweep.at[block])
		return;
	sweep.at[block] = at ? at : page();
	sweep.pending[block] = 1;
}

void *sweep_at(uint64_t block)
{
	need(block < sweep.blocks && sweep.at[block] ? 0 : -ERANGE, "a block of the source");
	return sweep.at[block];
}

/* How many blocks one command reads from `first`, which is pending: it ends with one that is, too.
 */
static uint32_t run_from(uint64_t first)
{
	uint32_t n = 1;

	for (uint32_t i = 1; i < DISK_MAX_BLOCKS && first + i < sweep.blocks && i <= n + GAP; i++)
		if (sweep.pending[first + i])
			n = i + 1;
	return n;
}

static void read_run(uint64_t first, uint32_t n)
{
	void *pages[DISK_MAX_BLOCKS];
	struct disk_req r = {.op = DISK_READ, .nblocks = n, .block = first, .pages = pages};

	for (uint32_t i = 0; i < n; i++) {
		pages[i] = sweep.pending[first + i] ? sweep.at[first + i] : sweep.nowhere;
		sweep.pending[first + i] = 0;
	}
	need(disk_submit(sweep.disk, &r), "a request");
	need(disk_wait(sweep.disk, &r), "reading");
}

void sweep_read(void)
{
	for (uint64_t b = 0; b < sweep.blocks; b++)
		if (sweep.pending[b])
			read_run(b, run_from(b));
}
