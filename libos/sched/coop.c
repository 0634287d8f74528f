/*
 * coop.c - cooperative: a thread runs until it yields, waits or ends.
 *
 * Owns the queue, first come, first served.  No slice ever takes the processor from a thread, so
 * code between two waits is a critical section without a lock, and switches are as few as can be; a
 * thread that computes for long keeps all others waiting as long.  What the slice is still good
 * for: sleepers whose time came are made runnable, and signals run.
 */
#include <libos/sched.h>

const char sched_name[] = "coop";

static struct sched_list ready;

void sched_enqueue(struct thread *t, enum sched_why why)
{
	(void)why;
	sched_list_insert(&ready, t, NULL);
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
	(void)t;
	return 0;
}

int sched_before(const struct thread *a, const struct thread *b)
{
	(void)a, (void)b;
	return 0;
}

int sched_admit(const struct thread *t, const struct thread_policy *policy)
{
	(void)t, (void)policy;
	return 0;
}

void sched_restore(struct thread *t)
{
	(void)t;
}

void sched_inherit(struct thread *t, const struct thread *from)
{
	(void)t, (void)from;
}
