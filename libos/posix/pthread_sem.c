/*
 * pthread_sem.c - barriers, and semaphores of one process.
 *
 * Owns: what the words of pthread_barrier_t and sem_t mean.  Lock: deferred upcalls.
 * Called by programs.
 */
#include "pthread.h"

#include <errno.h>
#include <semaphore.h>

/* ---- barriers ------------------------------------------------------------------------------- */

struct barrier {
	struct thread_queue waiters;
	uint32_t count, here, round;
};

_Static_assert(sizeof(struct barrier) <= sizeof(pthread_barrier_t), "overlay's size");

int pthread_barrier_init(pthread_barrier_t *b, const pthread_barrierattr_t *attr, unsigned count)
{
	(void)attr;
	if (count == 0)
		return EINVAL;
	*(struct barrier *)b = (struct barrier){.count = count};
	return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *b)
{
	return ((struct barrier *)b)->here ? EBUSY : 0;
}

/* Until the last one of this round comes.  Who is woken by it does not look again: the barrier may
 * be another, or gone. */
static void wait_for_last(struct barrier *b)
{
	const uint32_t round = b->round;

	while (thread_queue_wait(&b->waiters, 0) == -EINTR && b->round == round)
		;
}

int pthread_barrier_wait(pthread_barrier_t *barrier)
{
	struct barrier *const b = (struct barrier *)barrier;
	int last;

	thread_enter();
	last = ++b->here == b->count;
	if (last) {
		b->here = 0;
		b->round++;
		thread_queue_wake_all(&b->waiters);
	} else {
		wait_for_last(b);
	}
	thread_leave();
	return last ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

int pthread_barrierattr_init(pthread_barrierattr_t *a)
{
	*a = (pthread_barrierattr_t){0};
	return 0;
}

int pthread_barrierattr_destroy(pthread_barrierattr_t *a)
{
	(void)a;
	return 0;
}

int pthread_barrierattr_setpshared(pthread_barrierattr_t *a, int shared)
{
	(void)a;
	return pthread_set_shared(shared);
}

int pthread_barrierattr_getpshared(const pthread_barrierattr_t *a, int *shared)
{
	(void)a;
	*shared = PTHREAD_PROCESS_PRIVATE;
	return 0;
}

/* ---- semaphores ----------------------------------------------------------------------------- */

_Static_assert(sizeof(struct thread_sem) <= sizeof(sem_t), "overlay's size");

static int answer(int error)
{
	if (!error)
		return 0;
	errno = -error;
	return -1;
}

int sem_init(sem_t *s, int shared, unsigned value)
{
	if (shared)
		return answer(-ENOSYS);
	if (value > SEM_VALUE_MAX)
		return answer(-EINVAL);
	*(struct thread_sem *)s = (struct thread_sem){.count = value};
	return 0;
}

int sem_destroy(sem_t *s)
{
	return answer(((struct thread_sem *)s)->waiters.first ? -EBUSY : 0);
}

static int wait(void *s, uint64_t deadline)
{
	return thread_sem_wait(s, deadline);
}

static int wait_until(sem_t *s, uint64_t deadline)
{
	return answer(pthread_breakable(wait, s, deadline));
}

int sem_wait(sem_t *s)
{
	return wait_until(s, 0);
}

int sem_timedwait(sem_t *s, const struct timespec *until)
{
	uint64_t deadline;

	pthread_testcancel();
	if (thread_sem_trywait((struct thread_sem *)s) == 0)
		return 0;
	deadline = pthread_deadline(CLOCK_REALTIME, until);
	return deadline ? wait_until(s, deadline) : answer(-EINVAL);
}

int sem_trywait(sem_t *s)
{
	return answer(thread_sem_trywait((struct thread_sem *)s));
}

int sem_post(sem_t *s)
{
	return answer(thread_sem_post((struct thread_sem *)s));
}

int sem_getvalue(sem_t *s, int *value)
{
	*value = (int)((struct thread_sem *)s)->count;
	return 0;
}

/* ---- with names: none, since no memory is shared by name ------------------------------------- */

sem_t *sem_open(const char *name, int flags, ...)
{
	(void)name, (void)flags;
	errno = ENOSYS;
	return SEM_FAILED;
}

int sem_close(sem_t *s)
{
	(void)s;
	return answer(-EINVAL);
}

int sem_unlink(const char *name)
{
	(void)name;
	return answer(-ENOENT);
}
