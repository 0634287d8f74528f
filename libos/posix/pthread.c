/*
 * pthread.c - POSIX threads on the threads of libos/thread.h: made, ended, cancelled, cleaned up.
 *
 * Owns: struct pthread_part of each thread.  A thread that is cancelled ends in
 * pthread_testcancel(), or where it waits for another thread or in the POSIX layer (posix_wait); if
 * it may be cancelled asynchronously, also where it computes, when it runs again.  Invariant: a
 * thread ends with no lock of the layer, since none is held there. Lock: deferred upcalls.  Called
 * by programs and newlib's stdio.
 */
#include "posix.h"
#include "pthread.h"

#include <sched.h>
#include <stdlib.h>
#include <libos/time.h>
#include <libos/wait.h>

static struct pthread_part first_part;
static struct pthread_part gone = {.cancel_disabled = 1}; /* of all that have given up theirs */

struct pthread_part *pthread_part_of(struct thread *t)
{
	return t->keep ? t->keep : &first_part;
}

uint64_t pthread_deadline(int clock, const struct timespec *t)
{
	const uint64_t zero = clock == CLOCK_MONOTONIC ? 0 : time_real() - time_now();
	uint64_t at;

	if (t->tv_nsec < 0 || t->tv_nsec >= 1000000000)
		return 0;
	if (t->tv_sec < 0)
		return 1;
	at = posix_ns(t);
	return at > zero ? at - zero : 1;
}

/* ---- beginning and ending ------------------------------------------------------------------- */

struct beginning {
	void *(*fn)(void *arg);
	void *arg;
	struct pthread_part part;
};

static void *begin(void *arg)
{
	const struct beginning *const b = arg;

	pthread_exit(b->fn(b->arg));
}

static struct thread_attr attr_of(const pthread_attr_t *a)
{
	if (!a)
		return (struct thread_attr){0};
	return (struct thread_attr){.stack = a->stacksize,
				    .guard = a->guardsize ? a->guardsize : THREAD_UNGUARDED,
				    .at = a->stackaddr,
				    .detached = a->detachstate == PTHREAD_CREATE_DETACHED};
}

/* Of an inherited policy what threads can have in common: not a period, nor tickets. */
static int policy_of(const pthread_attr_t *a, struct thread_policy *out)
{
	const struct thread_policy mine = thread_current->policy;

	if (a && a->inheritsched == PTHREAD_EXPLICIT_SCHED)
		return pthread_policy_of(a->schedpolicy, a->schedparam.sched_priority, out);
	*out = (struct thread_policy){.priority = mine.priority, .fifo = mine.fifo};
	return 0;
}

int pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	struct thread_attr how = attr_of(attr);
	int error = policy_of(attr, &how.policy);
	struct beginning *const b = error ? NULL : calloc(1, sizeof(*b));

	if (!b)
		return error ? error : EAGAIN;
	b->fn = fn;
	b->arg = arg;
	thread_enter();
	error = thread_create(out, &how, begin, b);
	if (!error)
		(*out)->keep = &b->part;
	thread_leave();
	if (error)
		free(b);
	return error == -ENOMEM ? EAGAIN : -error;
}

void pthread_exit(void *result)
{
	struct pthread_part *const p = pthread_part_of(thread_current);

	p->cancel_disabled = 1;
	(void)signal_own_take(~0ul);
	while (p->cleanup)
		_pthread_cleanup_pop(p->cleanup, 1);
	pthread_destroy_values(p);
	thread_current->keep = &gone;
	if (p != &first_part)
		free((char *)p - offsetof(struct beginning, part));
	thread_exit(result);
}

int pthread_join_until(pthread_t t, void **result, uint64_t deadline)
{
	int error;

	do {
		pthread_testcancel();
		error = thread_join_until(t, result, deadline);
	} while (error == -EINTR);
	return -error;
}

int pthread_join(pthread_t t, void **result)
{
	return pthread_join_until(t, result, 0);
}

int pthread_detach(pthread_t t)
{
	return -thread_detach(t);
}

pthread_t pthread_self(void)
{
	return thread_current;
}

int pthread_equal(pthread_t a, pthread_t b)
{
	return a == b;
}

int sched_yield(void)
{
	thread_yield();
	return 0;
}

/* ---- cleaning up ---------------------------------------------------------------------------- */

void _pthread_cleanup_push(struct _pthread_cleanup_context *c, void (*fn)(void *), void *arg)
{
	struct pthread_part *const p = pthread_part_of(thread_current);

	c->_routine = fn;
	c->_arg = arg;
	c->_previous = p->cleanup;
	p->cleanup = c;
}

void _pthread_cleanup_pop(struct _pthread_cleanup_context *c, int execute)
{
	pthread_part_of(thread_current)->cleanup = c->_previous;
	if (execute)
		c->_routine(c->_arg);
}

/* ---- cancelling ----------------------------------------------------------------------------- */

int pthread_cancel(pthread_t t)
{
	thread_enter();
	if (t->state != THREAD_ENDED) {
		struct pthread_part *const p = pthread_part_of(t);

		p->cancelled = 1;
		if (p->cancel_disabled)
			;
		else if (t == thread_current || !p->cancel_async ||
			 !thread_detour(t, pthread_resumed))
			thread_interrupt(t);
	}
	thread_leave();
	pthread_resumed();
	return 0;
}

static int is_cancelled(void)
{
	const struct pthread_part *const p = pthread_part_of(thread_current);

	return p->cancelled && !p->cancel_disabled;
}

void pthread_resumed(void)
{
	if (pthread_part_of(thread_current)->cancel_async && is_cancelled() &&
	    ((volatile struct exo_upcall_head *)LAYOUT_UPCALL)->defer == 0)
		pthread_exit(PTHREAD_CANCELED);
}

void pthread_testcancel(void)
{
	if (is_cancelled())
		pthread_exit(PTHREAD_CANCELED);
}

/* In the layer, where it waits. */
void posix_cancel_point(void)
{
	if (!is_cancelled())
		return;
	((volatile struct exo_upcall_head *)LAYOUT_UPCALL)->defer = 0;
	pthread_exit(PTHREAD_CANCELED);
}

int pthread_setcancelstate(int state, int *old)
{
	struct pthread_part *const p = pthread_part_of(thread_current);

	if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE)
		return EINVAL;
	if (old)
		*old = p->cancel_disabled ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
	p->cancel_disabled = state == PTHREAD_CANCEL_DISABLE;
	pthread_resumed();
	return 0;
}

/* From now on the caller looks whenever it runs again (wait_own: personality_thread_resumed). */
int pthread_setcanceltype(int type, int *old)
{
	struct pthread_part *const p = pthread_part_of(thread_current);

	if (type != PTHREAD_CANCEL_ASYNCHRONOUS && type != PTHREAD_CANCEL_DEFERRED)
		return EINVAL;
	if (old)
		*old = p->cancel_async ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
	wait_own(&signal_blocked);
	p->cancel_async = type == PTHREAD_CANCEL_ASYNCHRONOUS;
	pthread_resumed();
	return 0;
}
