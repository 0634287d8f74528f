/*
 * rr.c - round robin: the first that can run after who ran last.
 *
 * No words.  Of n that can run each has every n-th slot of the group, whatever the others do.
 */
#include "scheduler.h"

uint64_t SCHEDULER(const struct exo_sched *s)
{
	const uint32_t last = s->last;

	TRY_TO_WRITE(s);
	for (uint32_t n = 1; n <= EXO_SCHED_MEMBERS; n++) {
		const uint32_t i = (last + n) % EXO_SCHED_MEMBERS;

		if (s->member[i].runnable)
			return i;
	}
	return EXO_SCHED_NONE;
}
