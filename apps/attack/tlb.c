/*
 * tlb.c - using what is not mapped any more: translations that the processor may still have.
 *
 * Every round touches an address, changes what stands there, and touches it again at once, on the
 * same processor, with nothing in between that would empty its buffers anyway.
 */
#include <libos/frames.h>
#include <libos/vm.h>
#include "attack.h"

enum { ROUNDS = 300, FIRST = 64, MOST = 40 };

static uint32_t page[MOST];

static volatile uint64_t *at(uint32_t index)
{
	return (volatile uint64_t *)(SCRATCH + (uint64_t)index * VM_PAGE);
}

static void fill(uint32_t leaf, uint64_t how)
{
	for (uint32_t i = 0; i < MOST; i++)
		(void)call_page_map(0, leaf, FIRST + i, page[i], 1, how);
}

/* One page goes and another comes to its address, in runs short and long. */
static void replaced(uint32_t leaf)
{
	for (uint32_t round = 0; round < ROUNDS; round++) {
		const uint32_t n = 1 + (uint32_t)(next_random() % MOST);
		uint64_t wrong = 0;

		for (uint32_t i = 0; i < n; i++)
			(void)call_page_map(0, leaf, FIRST + i, page[i], 1, RW);
		for (uint32_t i = 0; i < n; i++)
			at(FIRST + i)[0] = page[i];
		(void)call_page_unmap(0, leaf, FIRST, n);
		for (uint32_t i = 0; i < n; i++)
			(void)call_page_map(0, leaf, FIRST + i, page[n - 1 - i], 1, RW);
		for (uint32_t i = 0; i < n; i++)
			wrong += at(FIRST + i)[0] != page[n - 1 - i];
		(void)call_page_unmap(0, leaf, FIRST, n);
		tally(wrong == 0);
	}
	sum_up("pages replaced behind translations in use");
}

static void unmapped(uint32_t leaf)
{
	for (uint32_t round = 0; round < ROUNDS; round++) {
		const uint32_t i = (uint32_t)(next_random() % MOST);

		fill(leaf, RW);
		at(FIRST + i)[1] = round;
		(void)call_page_unmap(0, leaf, round % 2 ? FIRST : FIRST + i, round % 2 ? MOST : 1);
		tally(!can_read((uint64_t)(uintptr_t)at(FIRST + i)));
		(void)call_page_unmap(0, leaf, FIRST, MOST);
	}
	sum_up("reading what was just unmapped");
}

static void protected(uint32_t leaf)
{
	for (uint32_t round = 0; round < ROUNDS; round++) {
		const uint32_t i = (uint32_t)(next_random() % MOST);

		fill(leaf, RW);
		at(FIRST + i)[1] = round;
		(void)call_page_protect(0, leaf, round % 2 ? FIRST : FIRST + i,
					round % 2 ? MOST : 1, EXO_MAP_READ);
		tally(!can_write((uint64_t)(uintptr_t)at(FIRST + i)));
		(void)call_page_unmap(0, leaf, FIRST, MOST);
	}
	sum_up("writing what was just made read-only");
}

/* A whole table goes, and comes back elsewhere. */
static void unlinked(void)
{
	const uint32_t root = tables_env(self_index())->root;
	uint32_t t[4] = {0};

	for (uint64_t level = 1; level <= 3; level++)
		if (frame_take(0, EXO_PAGE_TABLE | level << 8, &t[level]) != 0) {
			unprepared("own tables");
			return;
		}
	for (uint32_t round = 0; round < ROUNDS / 10; round++) {
		const uint64_t va = (12 + round % 2) * (1ull << 39);

		if (call_table_link(0, root, 12 + round % 2, t[3]).status != EXO_OK ||
		    call_table_link(0, t[3], 0, t[2]).status != EXO_OK ||
		    call_table_link(0, t[2], 0, t[1]).status != EXO_OK ||
		    call_page_map(0, t[1], 0, page[0], 1, RW).status != EXO_OK)
			tally(0);
		*(volatile uint64_t *)va = round;
		tally_refused(call_table_unlink(0, t[2], 0)); /* it has an entry */
		(void)call_page_unmap(0, t[1], 0, 1);
		tally(!can_read(va));
		for (uint32_t level = 2; level <= 4; level++)
			(void)call_table_unlink(0, level == 4 ? root : t[level],
						level == 4 ? 12 + round % 2 : 0);
		tally(!can_read(va));
	}
	sum_up("reading through tables that were taken out");
	for (uint32_t level = 1; level <= 3; level++)
		(void)frames_free(0, t[level], 1);
}

void attack_tlb(void)
{
	const uint32_t leaf = scratch_table();

	for (uint32_t i = 0; i < MOST; i++)
		if (leaf == 0 || frame_take(0, EXO_PAGE_DATA, &page[i]) != 0) {
			unprepared("pages");
			return;
		}
	replaced(leaf);
	unmapped(leaf);
	protected(leaf);
	unlinked();
	for (uint32_t i = 0; i < MOST; i++)
		(void)frames_free(0, page[i], 1);
}
