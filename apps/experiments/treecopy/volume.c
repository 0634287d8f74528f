/*
 * volume.c - copies a whole ext2 volume, block by block in use, to the same places of another
 * extent of the user's: what it holds need not be looked at.
 *
 * Reads and writes by turns, as many blocks as one command moves.  Neither volume is to be mounted
 * for writing meanwhile.
 */
#include "../experiment_posix.h"
#include "ext2_disk.h"
#include "treecopy.h"

static uint8_t *used; /* a byte for each block */

static void read_bitmaps(const struct ext2_super *s)
{
	const struct ext2_group *const groups = ext2_groups();
	const uint32_t count = ext2_group_count(s);

	for (uint32_t g = 0; g < count; g++)
		sweep_want(groups[g].block_bitmap, NULL);
	sweep_read();
	used = calloc(s->blocks, 1);
	need(used ? 0 : -ENOMEM, "memory");
	for (uint32_t b = 0; b < s->blocks; b++) {
		const uint32_t in = b % s->blocks_per_group;
		const uint8_t *const bitmap =
			sweep_at(groups[b / s->blocks_per_group].block_bitmap);

		used[b] = bitmap[in / 8] >> in % 8 & 1;
	}
}

static void transfer(struct disk *d, enum disk_op op, uint32_t first, uint32_t n,
		     void *const *pages)
{
	struct disk_req r = {.op = op, .nblocks = n, .block = first, .pages = pages};

	need(disk_submit(d, &r), "a request");
	need(disk_wait(d, &r), op == DISK_READ ? "reading" : "writing");
}

/* How many blocks from `first` on are in use. */
static uint32_t run_from(const struct ext2_super *s, uint32_t first)
{
	uint32_t n = 0;

	while (n < DISK_MAX_BLOCKS && first + n < s->blocks && used[first + n])
		n++;
	return n;
}

void volume_copy(const char *from, const char *to)
{
	const struct ext2_super *const s = ext2_head(sweep_open(from));
	char *const memory = aligned_alloc(EXT2_BLOCK, (size_t)DISK_MAX_BLOCKS * EXT2_BLOCK);
	void *pages[DISK_MAX_BLOCKS];
	struct disk *in = NULL, *out = NULL;

	need(memory ? 0 : -ENOMEM, "memory");
	need(experiment_open(from, &in), from);
	need(experiment_open(to, &out), to);
	need(disk_size(out) < s->blocks ? -ENOSPC : 0, to);
	read_bitmaps(s);
	for (uint32_t i = 0; i < DISK_MAX_BLOCKS; i++)
		pages[i] = memory + (uint64_t)i * EXT2_BLOCK;
	for (uint32_t b = 0; b < s->blocks;) {
		const uint32_t n = run_from(s, b);

		if (n) {
			transfer(in, DISK_READ, b, n, pages);
			transfer(out, DISK_WRITE, b, n, pages);
		}
		b += n ? n : 1;
	}
	transfer(out, DISK_FLUSH, 0, 0, NULL);
}
