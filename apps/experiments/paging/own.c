/*
 * own.c - which pages go, for the program that knows what it will touch: farthest use first.
 *
 * multiply and columns go round through their data, so the page that was left last is the one that
 * is wanted last; of the matrices that are gone through once, what lies behind is not wanted at
 * all, and what lies ahead is not wanted for some rounds.  The graph is laid out by degree, and the
 * chance that a walk comes to a vertex is its degree, so the last page is wanted least.
 *
 * FEW pages go at a time: each that goes sooner than it must may be missed.  But where faults in
 * one matrix come between those in another, MORE keep together what comes back by one command.
 *
 * Called by the pager instead of vm/swap_clock.c; what it touches is always there.
 */
#include <libos/swap.h>
#include <libos/upcall.h>
#include <libos/vm.h>
#include "paging.h"

enum { FEW = 8, MORE = 32, LOOK = 32 * VM_PAGE };

static RESIDENT uint32_t wanted;

static uint64_t count_here(uint64_t from, uint64_t to)
{
	uint64_t n = 0;

	for (uint64_t va = swap_next(from); va && va < to; va = swap_next(va + 1))
		n++;
	return n;
}

/* The last ones that are here of pages [from, to) of an area, in order, so that they come back by
 * few commands.  0: enough are gone. */
static int choose_last(uint64_t area, uint64_t from, uint64_t to)
{
	const uint64_t first = area + from * VM_PAGE, end = area + to * VM_PAGE;
	uint64_t low = end, n = 0;

	while (low > first && n < wanted) {
		const uint64_t high = low;

		low = low - first > LOOK ? low - LOOK : first;
		n += count_here(low, high);
	}
	for (uint64_t va = swap_next(low); va && va < end; va = swap_next(va + 1)) {
		if (n-- > wanted)
			continue;
		wanted--;
		if (!swap_choose(va))
			return 0;
	}
	return wanted != 0;
}

/* The pages behind the one in use, and so on, round to the one after it. */
static int choose_round(void)
{
	return choose_last(plan.data, 0, plan.at) &&
	       choose_last(plan.data, plan.at + 1, plan.pages);
}

static int choose_passed(void)
{
	return choose_last(plan.left, 0, plan.left_at) && choose_last(plan.out, 0, plan.out_at) &&
	       choose_last(plan.left, plan.left_at + 1, plan.left_pages) &&
	       choose_last(plan.out, plan.out_at + 1, plan.out_pages);
}

void swap_victims(void)
{
	wanted = plan.workload == PAGING_MULTIPLY ? MORE : FEW;
	if (plan.workload == PAGING_GRAPH)
		(void)choose_last(plan.data, 0, plan.pages);
	else if (choose_passed())
		(void)choose_round();
}
