/*
 * pthread_rwlock.c - locks for many readers or one writer.
 *
 * Owns: what the words of pthread_rwlock_t mean.  Invariant: writer is NULL or readers is 0.  New
 * readers stand behind writers that wait, and the lock is kept for a writer that was woken, so
 * writers do not starve.  A thread that has a read lock passes them: it may be this very lock that
 * they wait for.  Which locks a thread has is not kept, only how many.  Lock: deferred upcalls.
 * Called by programs.
 */
#include "pthread.h"

#include <errno.h>

struct rwlock {
	struct thread *writer;
	struct thread_queue reading, writing; /* who waits */
	uint32_t readers, called;	      /* called: a writer was woken, and has not come yet */
};

_Static_assert(sizeof(struct rwlock) <= sizeof(pthread_rwlock_t), "overlay's size");

static struct rwlock *lock_of(pthread_rwlock_t *l)
{
	return (struct rwlock *)l;
}

int pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *attr)
{
	(void)attr;
	*l = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
	return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *l)
{
	return lock_of(l)->writer || lock_of(l)->readers ? EBUSY : 0;
}

static int is_open(const struct rwlock *l)
{
	return !l->writer && !l->called;
}

static int may_read(const struct rwlock *l)
{
	return is_open(l) && (!l->writing.first || thread_current->reads);
}

static int may_write(const struct rwlock *l)
{
	return is_open(l) && !l->readers;
}

/* Whoever may go on is woken; readers look again then. */
static void pass_on(struct rwlock *l)
{
	if (may_write(l))
		l->called = (uint32_t)thread_queue_wake(&l->writing);
	if (is_open(l) && !l->writing.first)
		thread_queue_wake_all(&l->reading);
}

static void add_reader(struct rwlock *l)
{
	l->readers++;
	thread_current->reads++;
}

static void drop_reader(struct rwlock *l)
{
	l->readers--;
	if (thread_current->reads) /* else another has locked what it unlocks */
		thread_current->reads--;
}

/* `until`: NULL for no end.  0, EDEADLK, EINVAL or ETIMEDOUT. */
static int acquire(struct rwlock *l, int write, const struct timespec *until)
{
	int (*const may)(const struct rwlock *) = write ? may_write : may_read;
	struct thread_queue *const q = write ? &l->writing : &l->reading;
	int error = 0;

	if (l->writer == thread_current)
		return EDEADLK;
	thread_enter();
	while (!may(l) && error != -ETIMEDOUT && error != -EINVAL) {
		const uint64_t deadline = until ? pthread_deadline(CLOCK_REALTIME, until) : 0;

		error = until && !deadline ? -EINVAL : thread_queue_wait(q, deadline);
		if (write && !error)
			l->called = 0;
	}
	if (error == -EINTR)
		error = 0;
	if (!error && write)
		l->writer = thread_current;
	else if (!error)
		add_reader(l);
	else
		pass_on(l); /* readers may have stood behind us */
	thread_leave();
	return -error;
}

static int try(struct rwlock *l, int write)
{
	int error = EBUSY;

	thread_enter();
	if (write ? may_write(l) : may_read(l))
		error = acquire(l, write, NULL);
	thread_leave();
	return error;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	return acquire(lock_of(l), 0, NULL);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	return acquire(lock_of(l), 1, NULL);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
	return try(lock_of(l), 0);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
	return try(lock_of(l), 1);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *until)
{
	return acquire(lock_of(l), 0, until);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *until)
{
	return acquire(lock_of(l), 1, until);
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	struct rwlock *const l = lock_of(lock);
	int error = 0;

	thread_enter();
	if (l->writer == thread_current)
		l->writer = NULL;
	else if (!l->writer && l->readers)
		drop_reader(l);
	else
		error = EPERM;
	pass_on(l);
	thread_leave();
	return error;
}

int pthread_rwlockattr_init(pthread_rwlockattr_t *a)
{
	*a = (pthread_rwlockattr_t){0};
	return 0;
}

int pthread_rwlockattr_destroy(pthread_rwlockattr_t *a)
{
	(void)a;
	return 0;
}

int pthread_rwlockattr_setpshared(pthread_rwlockattr_t *a, int shared)
{
	(void)a;
	return pthread_set_shared(shared);
}

int pthread_rwlockattr_getpshared(const pthread_rwlockattr_t *a, int *shared)
{
	(void)a;
	*shared = PTHREAD_PROCESS_PRIVATE;
	return 0;
}
