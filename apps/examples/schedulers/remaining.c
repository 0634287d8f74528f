/*
 * remaining.c - shortest remaining work first: the least time from job to answer, on the average.
 *
 * Word 0: how many slots the member's present job takes, as it declares; word 1: how many it had
 * used when that began.  Who takes longer than declared counts as nearly done, and comes after
 * those that are.
 */
#include "scheduler.h"

enum { DECLARED = 0, BEGAN = 1 };

uint64_t SCHEDULER(const struct exo_sched *s)
{
	uint64_t best = EXO_SCHED_NONE, least = ~0ull;

	TRY_TO_WRITE(s);
	for (uint32_t i = 0; i < EXO_SCHED_MEMBERS; i++) {
		const struct exo_sched_member *const m = &s->member[i];
		const uint64_t done = m->used - m->word[BEGAN];
		uint64_t remains;

		if (!m->runnable)
			continue;
		remains = m->word[DECLARED] > done ? m->word[DECLARED] - done : 1;
		if (remains < least) {
			best = i;
			least = remains;
		}
	}
	return best;
}
