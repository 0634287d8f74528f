/*
 * pthread_attr.c - attributes of threads: what pthread_create() is told.
 *
 * Owns: what the fields of pthread_attr_t mean.  stackaddr is the lowest address of a stack that
 * the program brings, which then has no guard.  A policy is looked at when it is set and again by
 * pthread_create().  Lock: none, an attributes object is its caller's.  Called by programs.
 */
#include "pthread.h"

#include <errno.h>
#include <sched.h>
#include <libos/vm.h>

_Static_assert(PTHREAD_STACK_MIN == THREAD_STACK_MIN, "newlib/edits.py has it for <limits.h>");

int pthread_attr_init(pthread_attr_t *a)
{
	*a = (pthread_attr_t){.stacksize = THREAD_STACK,
			      .guardsize = VM_PAGE,
			      .detachstate = PTHREAD_CREATE_JOINABLE,
			      .inheritsched = PTHREAD_INHERIT_SCHED,
			      .schedpolicy = SCHED_OTHER};
	return 0;
}

int pthread_attr_destroy(pthread_attr_t *a)
{
	(void)a;
	return 0;
}

/* ---- the stack ------------------------------------------------------------------------------ */

int pthread_attr_setstacksize(pthread_attr_t *a, size_t size)
{
	if (size < PTHREAD_STACK_MIN)
		return EINVAL;
	a->stacksize = size;
	return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *a, size_t *size)
{
	*size = a->stacksize;
	return 0;
}

int pthread_attr_setstack(pthread_attr_t *a, void *low, size_t size)
{
	if (size < PTHREAD_STACK_MIN || !low || (uintptr_t)low > UINTPTR_MAX - size)
		return EINVAL;
	a->stackaddr = low;
	a->stacksize = size;
	return 0;
}

int pthread_attr_getstack(const pthread_attr_t *a, void **low, size_t *size)
{
	*low = a->stackaddr;
	*size = a->stacksize;
	return 0;
}

/* Which end of the stack was never agreed upon; here and on most systems it is where it begins. */
int pthread_attr_setstackaddr(pthread_attr_t *a, void *top)
{
	return pthread_attr_setstack(a, (char *)top - a->stacksize, a->stacksize);
}

int pthread_attr_getstackaddr(const pthread_attr_t *a, void **top)
{
	*top = a->stackaddr ? (char *)a->stackaddr + a->stacksize : NULL;
	return 0;
}

int pthread_attr_setguardsize(pthread_attr_t *a, size_t size)
{
	if (size > SIZE_MAX - VM_PAGE)
		return EINVAL;
	a->guardsize = size;
	return 0;
}

int pthread_attr_getguardsize(const pthread_attr_t *a, size_t *size)
{
	*size = a->guardsize;
	return 0;
}

/* ---- the others ----------------------------------------------------------------------------- */

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

int pthread_attr_setinheritsched(pthread_attr_t *a, int inherit)
{
	if (inherit != PTHREAD_INHERIT_SCHED && inherit != PTHREAD_EXPLICIT_SCHED)
		return EINVAL;
	a->inheritsched = inherit;
	return 0;
}

int pthread_attr_getinheritsched(const pthread_attr_t *a, int *inherit)
{
	*inherit = a->inheritsched;
	return 0;
}

/* The parameter belongs to the policy, so the least that it allows is what it begins with. */
int pthread_attr_setschedpolicy(pthread_attr_t *a, int policy)
{
	struct thread_policy p;
	const int error = pthread_policy_of(policy, sched_get_priority_min(policy), &p);

	if (error)
		return error;
	a->schedpolicy = policy;
	return 0;
}

int pthread_attr_getschedpolicy(const pthread_attr_t *a, int *policy)
{
	*policy = a->schedpolicy;
	return 0;
}

/* Whether it fits the policy is seen by pthread_create(): either may be set first. */
int pthread_attr_setschedparam(pthread_attr_t *a, const struct sched_param *p)
{
	if (p->sched_priority < sched_get_priority_min(SCHED_OTHER) ||
	    p->sched_priority > sched_get_priority_max(SCHED_FIFO))
		return EINVAL;
	a->schedparam = *p;
	return 0;
}

int pthread_attr_getschedparam(const pthread_attr_t *a, struct sched_param *p)
{
	*p = a->schedparam;
	return 0;
}

/* Threads of one program have its slices among them, and no others. */
int pthread_attr_setscope(pthread_attr_t *a, int scope)
{
	(void)a;
	if (scope == PTHREAD_SCOPE_SYSTEM)
		return ENOTSUP;
	return scope == PTHREAD_SCOPE_PROCESS ? 0 : EINVAL;
}

int pthread_attr_getscope(const pthread_attr_t *a, int *scope)
{
	(void)a;
	*scope = PTHREAD_SCOPE_PROCESS;
	return 0;
}
