/*
 * swap_clock.c - which pages go: the clock, with the second chance of those that were accessed.
 *
 * A hand goes round the pages that are here.  A page accessed since the hand came by is passed, and
 * its bit cleared; one that was not is chosen.  So what is in use stays, at the cost of one bit
 * that the processor keeps anyway, and a page that came and was not touched again is gone after one
 * round.  Owns the hand.  Called by the pager; a program's own swap_victims() takes its place.
 */
#include <libos/swap.h>
#include <libos/upcall.h>

static RESIDENT uint64_t hand;

enum { ROUNDS = 3 }; /* the rest of this one, one that clears bits, one that finds them clear */

__attribute__((weak)) void swap_victims(void)
{
	uint32_t round = 0;

	while (round < ROUNDS) {
		const uint64_t va = swap_next(hand);

		hand = va + 1; /* 0: begins anew */
		if (!va) {
			hand = 0;
			round++;
		} else if (!swap_used(va) && !swap_choose(va)) {
			return;
		}
	}
}
