/*
 * pthread_signal.c - signals among threads: to one of them, and whoever may take the process's.
 *
 * Owns: struct thread's `signals` and `breaks`, and the mark in the process's pending signals,
 * which has every call of the layer look for its thread's.  A signal to a thread that does not run
 * is a detour (sched.h): the thread runs the handler first when it runs again, in whatever it
 * waits, and goes on waiting; one that is inside the layer is told to look by the end of its wait,
 * and looks when it leaves.  Invariant: the mark is set exactly while a thread has signals of its
 * own. Lock: deferred upcalls.  Called by programs, signal.c, pthread.c.
 */
#include "posix.h"
#include "pthread.h"

#include <errno.h>
#include <signal.h>

#define BIT(sig) (1ul << (sig))

/* What `breaks` says: no wait is to end for a handler; ours is; it has. */
enum { BREAKS_NOTHING, BREAKS_WAIT, BROKEN };

static void mark(void)
{
	uint64_t any = 0;
	const struct thread *t = thread_current;

	do
		any |= t->signals;
	while ((t = t->after) != thread_current);
	if (any)
		__atomic_or_fetch(&posix_self->pending, POSIX_SIGNAL_MARK, __ATOMIC_RELAXED);
	else
		__atomic_and_fetch(&posix_self->pending, ~POSIX_SIGNAL_MARK, __ATOMIC_RELAXED);
}

uint64_t signal_own(void)
{
	return thread_current->signals;
}

int signal_own_take(uint64_t set)
{
	if (!(thread_current->signals & set))
		return 0;
	thread_enter();
	thread_current->signals &= ~set;
	mark();
	thread_leave();
	return 1;
}

void signal_own_drop(uint64_t set)
{
	struct thread *t = thread_current;

	thread_enter();
	do
		t->signals &= ~set;
	while ((t = t->after) != thread_current);
	mark();
	thread_leave();
}

/* ---- telling -------------------------------------------------------------------------------- */

static void look(void)
{
	posix_enter();
	(void)posix_leave(0);
}

static void tell(struct thread *t)
{
	if (!thread_detour(t, look))
		thread_interrupt(t);
}

void signal_offer(void)
{
	if (!(posix_self->pending & signal_blocked))
		return;
	thread_enter();
	for (struct thread *t = thread_current->after; t != thread_current; t = t->after)
		tell(t);
	thread_leave();
}

/* One that has ended and was not joined is there still, so it is no error. */
int pthread_kill(pthread_t t, int sig)
{
	if (sig < 0 || sig >= NSIG)
		return EINVAL;
	posix_enter();
	if (sig && t->state != THREAD_ENDED && !(posix_self->ignored & BIT(sig) & ~BIT(SIGKILL))) {
		t->signals |= BIT(sig);
		mark();
		if (t != thread_current)
			tell(t);
	}
	(void)posix_leave(0);
	return 0;
}

int raise(int sig)
{
	const int error = pthread_kill(thread_current, sig);

	if (!error)
		return 0;
	errno = error;
	return -1;
}

/* ---- waits that a handler ends --------------------------------------------------------------- */

void signal_broke(void)
{
	if (thread_current->breaks != BREAKS_WAIT)
		return;
	thread_current->breaks = BROKEN;
	thread_interrupt(thread_current);
}

int pthread_breakable(int (*wait)(void *of, uint64_t deadline), void *of, uint64_t deadline)
{
	const int outer = thread_current->breaks;
	int error, broken;

	do {
		pthread_testcancel();
		thread_current->breaks = BREAKS_WAIT;
		error = wait(of, deadline);
		broken = thread_current->breaks == BROKEN;
		thread_current->breaks = outer;
	} while (error == -EINTR && !broken);
	return error;
}
