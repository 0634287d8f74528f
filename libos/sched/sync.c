/*
 * sync.c - mutexes, condition variables, semaphores; locks between processes where threads meet.
 *
 * Owns: whose a mutex is, and the lists of mutexes whose waiters lent their urgency to the owner.
 * Invariant: a mutex in a thread's `lent` list is that thread's and has waiters; a thread's rank is
 * the most urgent of its own and of those waiters'.  A free mutex may be taken by anybody, also
 * before a waiter that was woken for it.  Lock: deferred upcalls; to take a free mutex is one
 * atomic instruction.  Who unlocks one must not be preempted before it has done with it: the next
 * owner may free its memory.  Called by programs and pthreads; core/lock.c and the buffer cache
 * call the last part, which takes the place of weak definitions there.
 */
#include <errno.h>
#include <libos/lock.h>
#include <libos/sched.h>
#include <libos/tables.h>
#include <libos/time.h>
#include <libos/upcall.h>

/* ---- lending -------------------------------------------------------------------------------- */

/* t's rank is not what it was: another place in the queue. */
static void requeue(struct thread *t)
{
	if (t->state != THREAD_RUNNABLE || t == thread_current)
		return;
	sched_dequeue(t);
	sched_enqueue(t, SCHED_PREEMPTED);
}

/* The one that t waits for; NULL. */
static struct thread *waits_for(const struct thread *t)
{
	return t->blocked_on ? t->blocked_on->owner : NULL;
}

void thread_rank(struct thread *t)
{
	for (; t; t = waits_for(t)) {
		const int64_t before = t->rank;

		sched_restore(t);
		for (const struct thread_mutex *m = t->lent; m; m = m->lent)
			thread_queue_lend(&m->waiters, t);
		if (t->rank == before)
			return;
		requeue(t);
	}
}

static int has_lent(const struct thread *t, const struct thread_mutex *m)
{
	const struct thread_mutex *at = t->lent;

	while (at && at != m)
		at = at->lent;
	return at != NULL;
}

static void begin_loan(struct thread_mutex *m)
{
	if (has_lent(m->owner, m))
		return;
	m->lent = m->owner->lent;
	m->owner->lent = m;
}

/* m's owner has `from`'s urgency, and so has the one that he waits for. */
static void lend(struct thread_mutex *m, const struct thread *from)
{
	begin_loan(m);
	for (struct thread *t = m->owner; t; t = waits_for(t)) {
		const int64_t before = t->rank;

		sched_inherit(t, from);
		if (t->rank == before)
			return;
		requeue(t);
	}
}

/* m is not t's any more, or has no waiters. */
static void end_loan(struct thread *t, struct thread_mutex *m)
{
	struct thread_mutex **at = &t->lent;

	if (!has_lent(t, m))
		return;
	while (*at != m)
		at = &(*at)->lent;
	*at = m->lent;
	m->lent = NULL;
	thread_rank(t);
}

/* ---- mutexes -------------------------------------------------------------------------------- */

int thread_mutex_trylock(struct thread_mutex *m)
{
	struct thread *nobody = NULL;

	return __atomic_compare_exchange_n(&m->owner, &nobody, thread_current, 0, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED)
		       ? 0
		       : -EBUSY;
}

/* Who has m has what its waiters lend, and no more: one came to have it, or waits no longer. */
static void settle(struct thread_mutex *m)
{
	if (!m->owner)
		return;
	if (!m->waiters.first) {
		end_loan(m->owner, m);
		return;
	}
	begin_loan(m);
	thread_rank(m->owner);
}

static int lock_slowly(struct thread_mutex *m, uint64_t deadline)
{
	struct thread *const me = thread_current;
	int error = 0;

	thread_enter();
	while (error != -ETIMEDOUT && thread_mutex_trylock(m)) {
		lend(m, me);
		me->blocked_on = m;
		error = thread_queue_wait(&m->waiters, deadline);
		me->blocked_on = NULL;
		settle(m);
	}
	if (error != -ETIMEDOUT)
		settle(m); /* others may have waited for longer */
	thread_leave();
	return error == -ETIMEDOUT ? error : 0;
}

void thread_mutex_lock(struct thread_mutex *m)
{
	if (thread_mutex_trylock(m))
		(void)lock_slowly(m, 0);
}

int thread_mutex_lock_until(struct thread_mutex *m, uint64_t deadline)
{
	return thread_mutex_trylock(m) ? lock_slowly(m, deadline) : 0;
}

void thread_mutex_unlock(struct thread_mutex *m)
{
	struct thread *const owner = m->owner;

	upcall_defer();
	__atomic_store_n(&m->owner, NULL, __ATOMIC_RELEASE);
	if (m->waiters.first) {
		if (owner)
			end_loan(owner, m);
		(void)thread_queue_wake(&m->waiters);
	}
	thread_leave();
}

/* ---- condition variables -------------------------------------------------------------------- */

int thread_cond_wait(struct thread_cond *c, struct thread_mutex *m, uint64_t deadline)
{
	int error;

	thread_enter();
	thread_mutex_unlock(m);
	error = thread_queue_wait(&c->waiters, deadline);
	thread_leave();
	thread_mutex_lock(m);
	return error;
}

void thread_cond_signal(struct thread_cond *c)
{
	thread_enter();
	(void)thread_queue_wake(&c->waiters);
	thread_leave();
}

void thread_cond_broadcast(struct thread_cond *c)
{
	thread_enter();
	thread_queue_wake_all(&c->waiters);
	thread_leave();
}

/* ---- semaphores ----------------------------------------------------------------------------- */

int thread_sem_trywait(struct thread_sem *s)
{
	int error = 0;

	thread_enter();
	if (s->count)
		s->count--;
	else
		error = -EAGAIN;
	thread_leave();
	return error;
}

int thread_sem_wait(struct thread_sem *s, uint64_t deadline)
{
	int error = 0;

	thread_enter();
	while (s->count == 0 && !error)
		error = thread_queue_wait(&s->waiters, deadline);
	if (!error)
		s->count--;
	thread_leave();
	return error;
}

int thread_sem_post(struct thread_sem *s)
{
	int error = 0;

	thread_enter();
	if (s->count == INT32_MAX)
		error = -EOVERFLOW;
	else
		s->count++;
	(void)thread_queue_wake(&s->waiters);
	thread_leave();
	return error;
}

/* ---- locks between processes ---------------------------------------------------------------- */

/*
 * A lock's owner is a process (libos/lock.h), so a thread that finds its own process there waits
 * for a sibling: until any lock is let go of, since that is what all waiting in the layers is
 * about. The deadline is for one that let go between the look and the wait.
 */
static struct thread_queue contenders;

void owner_yield(uint64_t owner)
{
	if (owner != owner_self() || thread_count < 2) {
		owner_give_slice(owner);
		return;
	}
	thread_enter();
	(void)thread_queue_wait(&contenders, time_now() + tables_info()->tick_ns);
	thread_leave();
}

void lock_release(struct lock *l)
{
	__atomic_store_n(&l->owner, 0, __ATOMIC_RELEASE);
	if (!contenders.first)
		return;
	thread_enter();
	thread_queue_wake_all(&contenders);
	thread_leave();
}
