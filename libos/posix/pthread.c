/*
 * pthread.c - POSIX threads on the threads of libos/thread.h: made, ended, cancelled, cleaned up.
 *
 * Owns: struct pthread_part of each thread.  Cancellation is deferred only: a thread that is
 * cancelled ends in pthread_testcancel(), or where it waits for another thread or in the POSIX
 * layer (posix_wait).  Invariant: a thread ends with no lock of the layer, since none is held
 * there. Lock: deferred upcalls.  Called by programs and newlib's stdio.
 */
#include "posix.h"
#include "pthread.h"

#include <sched.h>
#include <stdlib.h>
#include <libos/time.h>

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
				    .detached = a->detachstate == PTHREAD_CREATE_DETACHED,
				    .policy.priority = a->schedparam.sched_priority};
}

int pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	const struct thread_attr how = attr_of(attr);
	struct beginning *const b = calloc(1, sizeof(*b));
	int error;

	if (!b)
		return EAGAIN;
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
	while (p->cleanup)
		_pthread_cleanup_pop(p->cleanup, 1);
	pthread_destroy_values(p);
	thread_current->keep = &gone;
	if (p != &first_part)
		free((char *)p - offsetof(struct beginning, part));
	thread_exit(result);
}

int pthread_join(pthread_t t, void **result)
{
	int error;

	do {
		pthread_testcancel();
		error = thread_join(t, result);
	} while (error == -EINTR);
	return -error;
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
		if (!p->cancel_disabled)
			thread_interrupt(t);
	}
	thread_leave();
	return 0;
}

static int is_cancelled(void)
{
	const struct pthread_part *const p = pthread_part_of(thread_current);

	return p->cancelled && !p->cancel_disabled;
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
	return 0;
}

int pthread_setcanceltype(int type, int *old)
{
	if (type == PTHREAD_CANCEL_ASYNCHRONOUS)
		return ENOTSUP;
	if (type != PTHREAD_CANCEL_DEFERRED)
		return EINVAL;
	if (old)
		*old = PTHREAD_CANCEL_DEFERRED;
	return 0;
}

/* ---- attributes ----------------------------------------------------------------------------- */

int pthread_attr_init(pthread_attr_t *a)
{
	*a = (pthread_attr_t){.stacksize = THREAD_STACK, .detachstate = PTHREAD_CREATE_JOINABLE};
	return 0;
}

int pthread_attr_destroy(pthread_attr_t *a)
{
	(void)a;
	return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *a, size_t size)
{
	if (size < THREAD_STACK_MIN)
		return EINVAL;
	a->stacksize = size;
	return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *a, size_t *size)
{
	*size = a->stacksize;
	return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *a, int state)
{
	if (state != PTHREAD_CREATE_DETACHED && state != PTHREAD_CREATE_JOINABLE)
		return EINVAL;
	a->detachstate = state;
	return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *a, int *state)
{
	*state = a->detachstate;
	return 0;
}

int pthread_attr_setschedparam(pthread_attr_t *a, const struct sched_param *p)
{
	a->schedparam = *p;
	return 0;
}

int pthread_attr_getschedparam(const pthread_attr_t *a, struct sched_param *p)
{
	*p = a->schedparam;
	return 0;
}
