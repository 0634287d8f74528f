/*
 * pthread_np.c - what GNU has beyond POSIX: names, joining without waiting, where a stack is.
 *
 * Owns nothing: a name stands in struct pthread_part.  Called by programs.
 */
#define _GNU_SOURCE /* pthread_setname_np */
#include "pthread.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <libos/layout.h>
#include <libos/vm.h>

int pthread_setname_np(pthread_t t, const char *name)
{
	const size_t length = strlen(name);

	if (length >= PTHREAD_NAME)
		return ERANGE;
	memcpy(pthread_part_of(t)->name, name, length + 1);
	return 0;
}

int pthread_getname_np(pthread_t t, char *name, size_t size)
{
	if (size < PTHREAD_NAME)
		return ERANGE;
	memcpy(name, pthread_part_of(t)->name, PTHREAD_NAME);
	return 0;
}

void pthread_yield(void)
{
	(void)sched_yield();
}

/* No point of cancellation, as it never waits. */
int pthread_tryjoin_np(pthread_t t, void **result)
{
	return t->state == THREAD_ENDED ? -thread_join_until(t, result, 0) : EBUSY;
}

int pthread_timedjoin_np(pthread_t t, void **result, const struct timespec *until)
{
	const uint64_t deadline = pthread_deadline(CLOCK_REALTIME, until);

	return deadline ? pthread_join_until(t, result, deadline) : EINVAL;
}

int pthread_getattr_np(pthread_t t, pthread_attr_t *a)
{
	const int first = t == &thread_first;

	(void)pthread_attr_init(a);
	a->guardsize = first ? VM_PAGE : t->guard;
	a->stackaddr = (void *)(first ? LAYOUT_STACK_LOW : t->low + t->guard);
	a->stacksize = first ? LAYOUT_STACK_TOP - LAYOUT_STACK_LOW : t->size - t->guard;
	a->detachstate = t->detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE;
	a->schedpolicy = pthread_policy_name(&t->policy);
	a->schedparam.sched_priority = t->policy.priority;
	return 0;
}
