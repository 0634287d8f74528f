/*
 * gang.c - gangs of two: pairs that talk to each other get slots beside each other, the first an
 * even one, and only when both can run; pairs take turns.
 *
 * Word 0: the place in the group of the member's partner, or its own when it has none.  The group
 * wants slots in pairs: 2 in every so many.
 */
#include "scheduler.h"

enum { PARTNER = 0 };

static inline uint32_t partner(const struct exo_sched *s, uint32_t i)
{
	return s->member[i].word[PARTNER] % EXO_SCHED_MEMBERS;
}

uint64_t SCHEDULER(const struct exo_sched *s)
{
	const uint32_t last = s->last % EXO_SCHED_MEMBERS, other = partner(s, last);
	const uint32_t pair = last < other ? last : other; /* who ran before: its first */

	TRY_TO_WRITE(s);
	if (s->slot % 2 == 1 && s->last != EXO_SCHED_NONE && s->member[other].runnable)
		return other;
	for (uint32_t n = 1; n <= EXO_SCHED_MEMBERS; n++) {
		const uint32_t i = (pair + n) % EXO_SCHED_MEMBERS;

		if (i <= partner(s, i) && s->member[i].runnable &&
		    s->member[partner(s, i)].runnable)
			return i;
	}
	return EXO_SCHED_NONE;
}
