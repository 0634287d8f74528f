/*
 * rr.c - round robin: every thread gets one slice, in turn.
 *
 * Owns the queue.  Who becomes runnable goes to its end, and who used a slice does too; the first
 * is next.  With n runnable threads none waits longer than n - 1 slices, none gets more than the
 * others, and nothing about a thread is looked at.  Every step is constant in n.
 */
#include <libos/sched.h>

const char sched_name[] = "rr";

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

/* To the end, and the first is next, in one go. */
struct thread *sched_turn(struct thread *t)
{
	struct thread *const first = ready.first;

	if (!first)
		return t;
	t->prev = ready.last;
	t->next = NULL;
	ready.last->next = t;
	ready.last = t;
	ready.first = first->next;
	ready.first->prev = NULL;
	return first;
}

void sched_dequeue(struct thread *t)
{
	sched_list_remove(&ready, t);
}

int sched_tick(struct thread *t)
{
	(void)t;
	return ready.first != NULL;
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
