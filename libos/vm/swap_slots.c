/*
 * swap_slots.c - which blocks of the swap extent are used: one bit each, next fit.
 *
 * Owns the bits, in the pager's own area, filled when the pager starts.  Blocks are handed out in
 * runs, so that pages that go together are written by one command and can come together.  What the
 * extent's owner never wrote cannot be read (the watermark), so no run begins above it.
 */
#include <libos/tables.h>
#include "swap.h"

enum { WORD = 64, GOOD = 8, LOOK = 8192 };

static uint64_t *bits(void)
{
	return (uint64_t *)SWAP_BITS;
}

static int used(uint64_t block)
{
	return (bits()[block / WORD] >> block % WORD & 1) != 0;
}

int swap_slots_start(void)
{
	const uint64_t end = SWAP_BITS + (swap.blocks + 7) / 8;
	int err = 0;

	for (uint64_t va = SWAP_BITS; va < end && !err; va += VM_PAGE)
		err = vm_fill(va, VM_READ | VM_WRITE);
	return err;
}

/* How many blocks from `block` on are free, up to want. */
static uint32_t run_at(uint64_t block, uint32_t want)
{
	uint32_t n = 0;

	while (n < want && block + n < swap.blocks && !used(block + n))
		n++;
	return n;
}

/* The first block that a write may begin with, and be read later: counted from ours. */
static uint64_t watermark(void)
{
	const volatile struct exo_extent *x = tables_extent(swap.extent);
	const uint64_t first = tables_caps(start_self() & 0xffff)->c[swap.cap].start - x->start;

	return x->init > first ? x->init - first : 0;
}

uint32_t swap_slots_take(uint32_t want, uint64_t *first)
{
	const uint64_t written = watermark();
	uint64_t at = swap.cursor;
	uint32_t best = 0;

	for (uint64_t seen = 0;
	     seen < swap.blocks && best < want && !(best >= GOOD && seen > LOOK);) {
		uint32_t n;

		if (at >= swap.blocks || at > written)
			at = 0;
		n = run_at(at, want);
		if (n > best) {
			best = n;
			*first = at;
		}
		at += n + 1;
		seen += n + 1;
	}
	for (uint32_t i = 0; i < best; i++)
		bits()[(*first + i) / WORD] |= 1ull << (*first + i) % WORD;
	if (best)
		swap.cursor = *first + best;
	swap.stats.slots_used += best;
	return best;
}

void swap_slot_free(uint64_t block)
{
	bits()[block / WORD] &= ~(1ull << block % WORD);
	swap.stats.slots_used--;
}
