/*
 * pthread_mutex.c - mutexes of three kinds, spin locks, and condition variables.
 *
 * Owns: what the words of pthread_mutex_t, pthread_spinlock_t and pthread_cond_t mean.  The kinds
 * differ only in what happens when a thread meets its own mutex, or another's.  All mutexes lend
 * their waiters' urgency, where the scheduler knows of any: protocols are only remembered.  On one
 * processor a spin lock is a mutex, since who has it cannot run while another spins.
 * Called by programs.
 */
#include "pthread.h"

#include <errno.h>

struct mutex {
	struct thread_mutex m;
	uint64_t depth; /* recursive: locks beyond the first */
};

_Static_assert(sizeof(struct mutex) <= offsetof(pthread_mutex_t, type), "overlay's size");
_Static_assert(sizeof(struct thread_mutex) <= sizeof(pthread_spinlock_t), "overlay's size");
_Static_assert(sizeof(struct thread_cond) <= offsetof(pthread_cond_t, clock), "overlay's size");

static struct mutex *mutex_of(pthread_mutex_t *m)
{
	return (struct mutex *)m;
}

static struct thread_cond *cond_of(pthread_cond_t *c)
{
	return (struct thread_cond *)c;
}

/* ---- mutexes -------------------------------------------------------------------------------- */

int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
	*m = (pthread_mutex_t){.type = attr ? attr->type : PTHREAD_MUTEX_DEFAULT};
	return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *m)
{
	return mutex_of(m)->m.owner ? EBUSY : 0;
}

/* The caller has it already: -1 if it is to wait all the same. */
static int again(pthread_mutex_t *m)
{
	if (m->type == PTHREAD_MUTEX_ERRORCHECK)
		return EDEADLK;
	if (m->type != PTHREAD_MUTEX_RECURSIVE)
		return -1;
	if (mutex_of(m)->depth == UINT32_MAX)
		return EAGAIN;
	mutex_of(m)->depth++;
	return 0;
}

int pthread_mutex_lock(pthread_mutex_t *m)
{
	if (mutex_of(m)->m.owner == thread_current) {
		const int result = again(m);

		if (result >= 0)
			return result;
	}
	thread_mutex_lock(&mutex_of(m)->m);
	return 0;
}

int pthread_mutex_trylock(pthread_mutex_t *m)
{
	if (m->type == PTHREAD_MUTEX_RECURSIVE && mutex_of(m)->m.owner == thread_current)
		return again(m);
	return -thread_mutex_trylock(&mutex_of(m)->m);
}

int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
	const uint64_t deadline = pthread_deadline(CLOCK_REALTIME, until);

	if (mutex_of(m)->m.owner == thread_current) {
		const int result = again(m);

		if (result >= 0)
			return result;
	}
	if (thread_mutex_trylock(&mutex_of(m)->m) == 0)
		return 0;
	return deadline ? -thread_mutex_lock_until(&mutex_of(m)->m, deadline) : EINVAL;
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
	if (m->type != PTHREAD_MUTEX_NORMAL && mutex_of(m)->m.owner != thread_current)
		return EPERM;
	if (mutex_of(m)->depth)
		mutex_of(m)->depth--;
	else
		thread_mutex_unlock(&mutex_of(m)->m);
	return 0;
}

/* None is robust, and none has a ceiling: 0 is told with the refusal. */
int pthread_mutex_consistent(pthread_mutex_t *m)
{
	(void)m;
	return EINVAL;
}

int pthread_mutex_setprioceiling(pthread_mutex_t *m, int ceiling, int *old)
{
	(void)m, (void)ceiling;
	*old = 0;
	return EINVAL;
}

int pthread_mutex_getprioceiling(const pthread_mutex_t *restrict m, int *restrict ceiling)
{
	(void)m;
	*ceiling = 0;
	return EINVAL;
}

/* ---- attributes of mutexes ------------------------------------------------------------------ */

int pthread_mutexattr_init(pthread_mutexattr_t *a)
{
	*a = (pthread_mutexattr_t){.type = PTHREAD_MUTEX_DEFAULT, .protocol = PTHREAD_PRIO_NONE};
	return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *a)
{
	(void)a;
	return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *a, int type)
{
	if (type < PTHREAD_MUTEX_NORMAL || type > PTHREAD_MUTEX_ERRORCHECK)
		return EINVAL;
	a->type = type;
	return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *a, int *type)
{
	*type = a->type;
	return 0;
}

int pthread_set_shared(int shared)
{
	if (shared == PTHREAD_PROCESS_SHARED)
		return ENOTSUP;
	return shared == PTHREAD_PROCESS_PRIVATE ? 0 : EINVAL;
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *a, int shared)
{
	(void)a;
	return pthread_set_shared(shared);
}

int pthread_mutexattr_getpshared(const pthread_mutexattr_t *a, int *shared)
{
	(void)a;
	*shared = PTHREAD_PROCESS_PRIVATE;
	return 0;
}

int pthread_mutexattr_setprotocol(pthread_mutexattr_t *a, int protocol)
{
	if (protocol == PTHREAD_PRIO_PROTECT)
		return ENOTSUP;
	if (protocol != PTHREAD_PRIO_NONE && protocol != PTHREAD_PRIO_INHERIT)
		return EINVAL;
	a->protocol = protocol;
	return 0;
}

int pthread_mutexattr_getprotocol(const pthread_mutexattr_t *a, int *protocol)
{
	*protocol = a->protocol;
	return 0;
}

int pthread_mutexattr_setprioceiling(pthread_mutexattr_t *a, int ceiling)
{
	(void)a, (void)ceiling;
	return ENOTSUP;
}

int pthread_mutexattr_getprioceiling(const pthread_mutexattr_t *a, int *ceiling)
{
	(void)a;
	*ceiling = 0;
	return ENOTSUP;
}

int pthread_mutexattr_setrobust(pthread_mutexattr_t *a, int robust)
{
	(void)a;
	if (robust == PTHREAD_MUTEX_ROBUST)
		return ENOTSUP;
	return robust == PTHREAD_MUTEX_STALLED ? 0 : EINVAL;
}

int pthread_mutexattr_getrobust(const pthread_mutexattr_t *restrict a, int *restrict robust)
{
	(void)a;
	*robust = PTHREAD_MUTEX_STALLED;
	return 0;
}

/* ---- spin locks ----------------------------------------------------------------------------- */

static struct thread_mutex *spin_of(pthread_spinlock_t *s)
{
	return (struct thread_mutex *)s;
}

int pthread_spin_init(pthread_spinlock_t *s, int shared)
{
	*spin_of(s) = (struct thread_mutex){.owner = NULL};
	return pthread_set_shared(shared);
}

int pthread_spin_destroy(pthread_spinlock_t *s)
{
	return spin_of(s)->owner ? EBUSY : 0;
}

int pthread_spin_lock(pthread_spinlock_t *s)
{
	if (spin_of(s)->owner == thread_current)
		return EDEADLK;
	thread_mutex_lock(spin_of(s));
	return 0;
}

int pthread_spin_trylock(pthread_spinlock_t *s)
{
	return -thread_mutex_trylock(spin_of(s));
}

int pthread_spin_unlock(pthread_spinlock_t *s)
{
	if (spin_of(s)->owner != thread_current)
		return EPERM;
	thread_mutex_unlock(spin_of(s));
	return 0;
}

/* ---- condition variables -------------------------------------------------------------------- */

int pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *attr)
{
	*c = (pthread_cond_t){.clock = attr ? attr->clock : 0};
	return 0;
}

int pthread_cond_destroy(pthread_cond_t *c)
{
	return cond_of(c)->waiters.first ? EBUSY : 0;
}

/* A recursive mutex is let go of once only, as POSIX says: then others cannot have it.  Who was
 * woken is not cancelled here, or a signal would be lost. */
static int wait(pthread_cond_t *c, pthread_mutex_t *m, uint64_t deadline)
{
	int error;

	if (m->type != PTHREAD_MUTEX_NORMAL && mutex_of(m)->m.owner != thread_current)
		return EPERM;
	pthread_testcancel();
	error = thread_cond_wait(cond_of(c), &mutex_of(m)->m, deadline);
	if (error == -EINTR)
		pthread_testcancel();
	return error == -ETIMEDOUT ? ETIMEDOUT : 0;
}

int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	return wait(c, m, 0);
}

int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
	const uint64_t deadline = pthread_deadline(c->clock, until);

	return deadline ? wait(c, m, deadline) : EINVAL;
}

int pthread_cond_signal(pthread_cond_t *c)
{
	thread_cond_signal(cond_of(c));
	return 0;
}

int pthread_cond_broadcast(pthread_cond_t *c)
{
	thread_cond_broadcast(cond_of(c));
	return 0;
}

int pthread_condattr_init(pthread_condattr_t *a)
{
	*a = (pthread_condattr_t){.clock = CLOCK_REALTIME};
	return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *a)
{
	(void)a;
	return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *a, clockid_t clock)
{
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return EINVAL;
	a->clock = (int)clock;
	return 0;
}

int pthread_condattr_getclock(const pthread_condattr_t *restrict a, clockid_t *restrict clock)
{
	*clock = (clockid_t)a->clock;
	return 0;
}

int pthread_condattr_setpshared(pthread_condattr_t *a, int shared)
{
	(void)a;
	return pthread_set_shared(shared);
}

int pthread_condattr_getpshared(const pthread_condattr_t *a, int *shared)
{
	(void)a;
	*shared = PTHREAD_PROCESS_PRIVATE;
	return 0;
}
