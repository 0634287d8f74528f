/*
 * edf.c - earliest deadline first, with an admission test.
 *
 * Owns the queue, sorted by rank: the absolute deadline of a thread's job, or NEVER for threads
 * without a period, which run by turns when no job wants to.  A job that begins takes the processor
 * from one with a later deadline, at once or, where the kernel wakes it, when a slice begins.  EDF
 * meets all deadlines whenever anyone could, as long as the density, the sum of budget /
 * min(deadline, period), is at most 1: a thread that would make it more is refused (-EBUSY).  That
 * counts the slices that the program gets as the whole processor, which is true when it owns enough
 * of them, and budgets as kept: nobody is stopped at the end of his.  thread_next_period() tells
 * each job's slack.  Waiters for a mutex lend their deadline to its owner.  Enqueueing is linear in
 * the runnable threads that are less urgent.
 */
#include <errno.h>
#include <libos/sched.h>

const char sched_name[] = "edf";

static const int64_t never = INT64_MAX;
static const uint64_t whole = 1ul << 32;
static struct sched_list ready;
static uint64_t admitted; /* density of all threads, in parts of `whole` */

static uint64_t relative(const struct thread_policy *p)
{
	return p->deadline && p->deadline < p->period ? p->deadline : p->period;
}

/* Rounded down, so that parts which are all of it together, such as thirds, are not too much. */
static uint64_t density(const struct thread_policy *p)
{
	uint64_t budget = p->budget, of = relative(p);

	if (!p->period)
		return 0;
	for (; of >= whole; of /= 2)
		budget /= 2;
	return budget * whole / of;
}

void sched_restore(struct thread *t)
{
	t->rank = t->policy.period ? (int64_t)(t->release + (t->policy.deadline ? t->policy.deadline
										: t->policy.period))
				   : never;
}

/* A period may have begun anew while it was away. */
void sched_enqueue(struct thread *t, enum sched_why why)
{
	if (why == SCHED_NEW || (why == SCHED_WOKEN && !t->lent))
		sched_restore(t);
	sched_list_by_rank(&ready, t);
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
	return ready.first &&
	       (ready.first->rank < t->rank || (t->rank == never && ready.first->rank == never));
}

int sched_before(const struct thread *a, const struct thread *b)
{
	return a->rank < b->rank;
}

int sched_admit(const struct thread *t, const struct thread_policy *p)
{
	const uint64_t others = admitted - density(&t->policy);

	if (p->period && (p->budget == 0 || p->budget > relative(p)))
		return -EINVAL;
	if (others + density(p) > whole)
		return -EBUSY;
	admitted = others + density(p);
	return 0;
}

void sched_inherit(struct thread *t, const struct thread *from)
{
	if (from->rank < t->rank)
		t->rank = from->rank;
}
