/*
 * prio.c - fixed priorities, preemptive: the runnable thread of the highest priority runs.
 *
 * Owns the queue, sorted by rank = -priority, equals in order of arrival.  A thread that wakes
 * takes the processor at once from one of lower priority, but where the kernel wakes it, which is
 * seen when a slice begins; threads of the same priority take turns
 * by slices, but one that is `fifo` runs on until it waits or yields; lower ones wait, for ever if
 * need be.  So that a low one that holds a mutex cannot
 * make a high one wait for the middle ones (priority inversion), who waits for a mutex lends its
 * rank to the owner, along chains of owners, until it unlocks: sched_inherit.  Enqueueing is linear
 * in the runnable threads that are less urgent.
 */
#include <libos/sched.h>

const char sched_name[] = "prio";

static struct sched_list ready;

/* Before equals: whoever is to run on until it waits was interrupted by a more urgent one only. */
static void put_first(struct thread *t)
{
	struct thread *at = ready.first;

	while (at && at->rank < t->rank)
		at = at->next;
	sched_list_insert(&ready, t, at);
}

void sched_enqueue(struct thread *t, enum sched_why why)
{
	if (why == SCHED_NEW)
		sched_restore(t);
	if (why == SCHED_PREEMPTED && t->policy.fifo)
		put_first(t);
	else
		sched_list_by_rank(&ready, t);
}

int sched_priorities(void)
{
	return 1;
}

struct thread *sched_pick(void)
{
	struct thread *t = ready.first;

	if (t)
		sched_list_remove(&ready, t);
	return t;
}

void sched_dequeue(struct thread *t)
{
	sched_list_remove(&ready, t);
}

int sched_tick(struct thread *t)
{
	return ready.first && ready.first->rank < t->rank + !t->policy.fifo;
}

int sched_before(const struct thread *a, const struct thread *b)
{
	return a->rank < b->rank;
}

int sched_admit(const struct thread *t, const struct thread_policy *policy)
{
	(void)t, (void)policy;
	return 0;
}

void sched_restore(struct thread *t)
{
	t->rank = -(int64_t)t->policy.priority;
}

void sched_inherit(struct thread *t, const struct thread *from)
{
	if (from->rank < t->rank)
		t->rank = from->rank;
}
