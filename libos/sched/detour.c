/*
 * detour.c - has a thread that does not run do something first, when it runs again.
 *
 * Owns: the frames of thread_switch() that are made for it, below the thread's own.  Invariant: a
 * thread has one at most, since it may not get to run for long and its stack is finite; there is
 * none where the thread is deeper in upcall_defer() than the thread layer itself: what is around it
 * holds locks, or its own idea of where it is.  Lock: deferred upcalls.  Called by pthreads.
 */
#include <libos/sched.h>
#include <libos/upcall.h>

enum { LAYER = 1 }; /* depth of upcall_defer() in the thread layer, called by the program */

/* Comes out of a switch to it, entered.  A handler may wait for other mutexes meanwhile. */
static void run(void)
{
	struct thread *const me = thread_current;
	struct thread_mutex *const blocked_on = me->blocked_on;
	const uint64_t back = me->after_detour;
	void (*const fn)(void) = me->detour;

	me->detour = NULL;
	thread_leave();
	fn();
	thread_enter();
	me->blocked_on = blocked_on;
	thread_resume(back);
}

int thread_detour(struct thread *t, void (*fn)(void))
{
	struct thread_frame *f = (struct thread_frame *)((t->rsp & ~15ul) - sizeof(*f));

	if (t->detour)
		return 1;
	if (t->state == THREAD_ENDED || !t->rsp || *(const uint64_t *)t->rsp != LAYER)
		return 0;
	*f = (struct thread_frame){.defer = LAYER, .go = run};
	t->detour = fn;
	t->after_detour = t->rsp;
	t->rsp = (uint64_t)(uintptr_t)f;
	thread_unblock(t);
	return 1;
}
