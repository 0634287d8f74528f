/*
 * stride.c - stride scheduling: shares in proportion to tickets, by counting.
 *
 * Owns the queue, sorted by rank, which is a thread's pass: virtual time.  Who runs a slice has its
 * pass go on by its stride, BIG / tickets, and the smallest pass is next.  So after n slices each
 * of two threads that always compute is within one slice of its share, where a lottery is off by
 * the square root of n.  One that slept does not get back what it did not use: it goes on at the
 * virtual time of now.  (Waldspurger and Weihl, 1995.)  Enqueueing is linear in runnable threads.
 */
#include <errno.h>
#include <libos/sched.h>

const char sched_name[] = "stride";

static const int64_t big = 1 << 24;
static struct sched_list ready;
static int64_t now; /* pass of the one that was picked last */

static int64_t stride(const struct thread *t)
{
	return big / (t->policy.tickets ? t->policy.tickets : 1);
}

void sched_enqueue(struct thread *t, enum sched_why why)
{
	if ((why == SCHED_NEW || why == SCHED_WOKEN) && t->rank < now)
		t->rank = now;
	sched_list_by_rank(&ready, t);
}

/* The slice is paid for when it begins, however little of it will be used. */
struct thread *sched_pick(void)
{
	struct thread *t = ready.first;

	if (!t)
		return NULL;
	sched_list_remove(&ready, t);
	now = t->rank;
	t->rank += stride(t);
	return t;
}

void sched_dequeue(struct thread *t)
{
	sched_list_remove(&ready, t);
}

int sched_tick(struct thread *t)
{
	if (ready.first && ready.first->rank < t->rank)
		return 1;
	now = t->rank;
	t->rank += stride(t);
	return 0;
}

int sched_before(const struct thread *a, const struct thread *b)
{
	(void)a, (void)b;
	return 0;
}

int sched_admit(const struct thread *t, const struct thread_policy *policy)
{
	(void)t;
	return policy->tickets > big ? -EINVAL : 0;
}

void sched_restore(struct thread *t)
{
	(void)t;
}

void sched_inherit(struct thread *t, const struct thread *from)
{
	(void)t, (void)from;
}
