/*
 * gang.c - gangs of two: pairs that talk to each other get slots beside each other, the first an
 * even one, and only when both can run.  PARTNER is the other's place in the group.
 */
#include "scheduler.h"

enum { PARTNER = 0 };

static inline uint64_t partner(const struct exo_sched *s, uint64_t i)
{
	return s->member[i].word[PARTNER] % EXO_SCHED_MEMBERS;
}

uint64_t SCHEDULER(const struct exo_sched *s)
{
	const uint64_t last = s->last % EXO_SCHED_MEMBERS;

	TRY_TO_WRITE(s);
	if (s->slot % 2 == 1 && s->last != EXO_SCHED_NONE && s->member[partner(s, last)].runnable)
		return partner(s, last);
	for (uint32_t n = 1; n <= EXO_SCHED_MEMBERS; n++) {
		const uint64_t i = (last + n) % EXO_SCHED_MEMBERS;

		if (s->member[i].runnable && s->member[partner(s, i)].runnable)
			return i;
	}
	return EXO_SCHED_NONE;
}
