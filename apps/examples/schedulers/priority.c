/*
 * priority.c - fixed priorities: the greatest of those that can run; of equals, who waits longest.
 *
 * Word 0: the priority.  Who is low runs only while all above sleep: give the group a patience
 * (libos/group.h), and the kernel tells when one starves.
 */
#include "scheduler.h"

enum { PRIORITY = 0 };

uint64_t SCHEDULER(const struct exo_sched *s)
{
	uint64_t best = EXO_SCHED_NONE, priority = 0, since = 0;

	TRY_TO_WRITE(s);
	for (uint32_t i = 0; i < EXO_SCHED_MEMBERS; i++) {
		const struct exo_sched_member *const m = &s->member[i];
		const uint64_t p = m->word[PRIORITY];

		if (!m->runnable)
			continue;
		if (best == EXO_SCHED_NONE || p > priority || (p == priority && m->since < since)) {
			best = i;
			priority = p;
			since = m->since;
		}
	}
	return best;
}
