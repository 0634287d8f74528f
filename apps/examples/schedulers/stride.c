/*
 * stride.c - shares by tickets: the one whose time, divided by its tickets, is least.
 *
 * Word 0: tickets, 0 being no share at all.  Word 1: where it began; who joins later begins where
 * the others are, and the owner of the group sets that.  Shares are off by one slot at most.
 */
#include "scheduler.h"

enum { TICKETS = 0, BASE = 1, SCALE = 1 << 20 };

uint64_t SCHEDULER(const struct exo_sched *s)
{
	uint64_t best = EXO_SCHED_NONE, least = ~0ull;

	TRY_TO_WRITE(s);
	for (uint32_t i = 0; i < EXO_SCHED_MEMBERS; i++) {
		const struct exo_sched_member *const m = &s->member[i];
		uint64_t pass;

		if (!m->runnable || m->word[TICKETS] == 0)
			continue;
		pass = m->word[BASE] + m->used * SCALE / m->word[TICKETS];
		if (pass < least) {
			best = i;
			least = pass;
		}
	}
	return best;
}
