/*
 * inside_extent.c - exo/kern/extent.c, and what the exhaustion does with its variables.
 */
#include "../../kern/extent.c"
#include "disk.h"

/* Which of the two copies is the newer one does not matter. */
static void plain_copies(void)
{
	const uint64_t kept = disk.stale[0];

	disk.seq = 0;
	for (uint32_t b = 0; b < NBLOCK; b++)
		disk.crc[0][b] = disk.crc[1][b] = 0;
	if (disk.newest == 0)
		return;
	disk.newest = 0;
	disk.stale[0] = disk.stale[1];
	disk.stale[1] = kept;
}

int inside_extent_waits(void)
{
	return change.kind != CHANGE_NONE && commit.step == STEP_IDLE && !change.draining;
}

uint64_t inside_extent_seq(void)
{
	return disk.seq;
}

int inside_extent_noted(struct image saved)
{
	return snap_same_but(saved, &turned_away[0], sizeof turned_away[0]);
}

void inside_extent_plain(void)
{
	plain_copies();
	extent_page = (union extent_block){.bytes = {0}};
	if (commit.step == STEP_IDLE)
		commit.writing = commit.left = 0;
	if (change.kind == CHANGE_NONE)
		change.x = change.part = change.part_gen = 0, change.at = change.asker = 0;
	if (change.kind != CHANGE_ACCESS)
		change.old_other = 0, change.old_rights = 0;
	if (change.kind == CHANGE_SPLIT)
		change.part_gen = 1;
	for (uint32_t x = 0; x < disk.records; x++) {
		if (extents[x].gen != 1)
			extents[x].gen = 1;
		if (extents[x].state == EXO_EXTENT_FREE && before[x] != 0)
			before[x] = 0;
	}
}
