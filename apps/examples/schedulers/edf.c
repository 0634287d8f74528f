/*
 * edf.c - earliest deadline first: each sets when its present job must be done, in ns since boot.
 *
 * Word 0: that time, which a member sets by itself at the begin of each job.  Who has set none (0)
 * comes after all who have, in order of waiting.  All deadlines are met that can be met at all;
 * when the group has too few slots for its jobs, which one is late is anybody's guess.
 */
#include "scheduler.h"

enum { DEADLINE = 0 };

uint64_t SCHEDULER(const struct exo_sched *s)
{
	uint64_t best = EXO_SCHED_NONE, earliest = ~0ull, since = ~0ull;

	TRY_TO_WRITE(s);
	for (uint32_t i = 0; i < EXO_SCHED_MEMBERS; i++) {
		const struct exo_sched_member *const m = &s->member[i];
		const uint64_t deadline = m->word[DEADLINE] ? m->word[DEADLINE] : ~0ull;

		if (!m->runnable)
			continue;
		if (deadline < earliest || (deadline == earliest && m->since < since)) {
			best = i;
			earliest = deadline;
			since = m->since;
		}
	}
	return best;
}
