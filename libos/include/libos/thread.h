/*
 * thread.h - threads within a program, switched by the program itself.
 *
 * A thread is a stack and a few words above it; which one runs is said by the scheduler that the
 * program is linked with (libos/sched.h).  Preemption is a slice that starts (libos/upcall.h), so
 * between upcall_defer() and upcall_undefer() there is none.  Errors are negative errnos, times ns
 * since boot.  Nothing of this is in a program that does not call it.
 * Called by programs, and by the POSIX layer's pthreads.
 */
#ifndef LIBOS_THREAD_H
#define LIBOS_THREAD_H

#include <stddef.h>
#include <stdint.h>

struct thread;

/* What each scheduler is told of a thread; it looks at what is meant for it. */
struct thread_policy {
	int priority;	   /* prio: higher goes first */
	int fifo;	   /* prio: its slices do not end for the sake of equals */
	uint32_t tickets;  /* lottery, stride: its share; 0 counts as 1 */
	uint64_t period;   /* edf: a job begins every so many ns; 0: none, it runs when no job wants
			      to */
	uint64_t budget;   /* edf: computing time of a job, for the admission test */
	uint64_t deadline; /* edf: from a job's begin; 0: the period */
};

struct thread_attr {
	size_t stack; /* bytes; 0: THREAD_STACK */
	size_t guard; /* bytes below that fault, in whole pages; 0: a page; THREAD_UNGUARDED */
	void *at;     /* the caller's own memory for it, `stack` bytes, nothing added; NULL: none */
	int detached;
	struct thread_policy policy;
};

enum { THREAD_STACK = 64 * 1024, THREAD_STACK_MIN = 8 * 1024 };
#define THREAD_UNGUARDED SIZE_MAX

/*
 * Starts fn(arg) in a thread of its own; attr may be NULL.  -ENOMEM, -EINVAL; -EBUSY: the scheduler
 * cannot promise what the policy asks for.
 */
int thread_create(struct thread **out, const struct thread_attr *attr, void *(*fn)(void *arg),
		  void *arg);

/* Ends the caller; the last thread of a program ends the program by returning from main. */
_Noreturn void thread_exit(void *result);

/*
 * Waits for the end of t, which is forgotten then.  -EDEADLK: it is the caller; -EINVAL: detached;
 * -EINTR: thread_interrupt(); and until a deadline (0: none), -ETIMEDOUT.
 */
int thread_join(struct thread *t, void **result);
int thread_join_until(struct thread *t, void **result, uint64_t deadline);

/* t is forgotten when it ends.  -EINVAL: it is detached already. */
int thread_detach(struct thread *t);

struct thread *thread_self(void);

/* Lets others run, if the scheduler thinks that they should. */
void thread_yield(void);

void thread_sleep_until(uint64_t deadline);

/* Sleeps until thread_unpark() or the deadline (0: none); an unpark that came before counts.  0 or
 * -ETIMEDOUT. */
int thread_park(uint64_t deadline);
void thread_unpark(struct thread *t);

/* The policy from now on: 0; -EBUSY as thread_create. */
int thread_set_policy(struct thread *t, const struct thread_policy *policy);
struct thread_policy thread_policy_of(const struct thread *t);

/*
 * For threads with a period: this job is done; sleeps until the next begins.  *slack (may be NULL)
 * gets the time that was left until its deadline, negative when it was missed.  -EINVAL: no period.
 */
int thread_next_period(int64_t *slack);

/* Time that t ran, in slices that began while it did. */
uint64_t thread_slices(const struct thread *t);

/* ---- waiting for each other: all zero is a new one ------------------------------------------ */

struct thread_wait;

/* Threads that wait for something, in order of arrival. */
struct thread_queue {
	struct thread_wait *first, *last;
};

/* Not recursive.  A waiter's urgency is lent to the owner, where the scheduler knows of urgency. */
struct thread_mutex {
	struct thread *owner; /* NULL: free */
	struct thread_queue waiters;
	struct thread_mutex *lent; /* the owner's other mutexes with waiters */
};

void thread_mutex_lock(struct thread_mutex *m);

/* 0 or -EBUSY; 0 or -ETIMEDOUT. */
int thread_mutex_trylock(struct thread_mutex *m);
int thread_mutex_lock_until(struct thread_mutex *m, uint64_t deadline);

void thread_mutex_unlock(struct thread_mutex *m);

struct thread_cond {
	struct thread_queue waiters;
};

/* Unlocks m while it waits; a deadline of 0 is none.  0 or -ETIMEDOUT. */
int thread_cond_wait(struct thread_cond *c, struct thread_mutex *m, uint64_t deadline);
void thread_cond_signal(struct thread_cond *c);
void thread_cond_broadcast(struct thread_cond *c);

struct thread_sem {
	struct thread_queue waiters;
	uint32_t count;
};

/* 0, -ETIMEDOUT (a deadline of 0 is none) or -EINTR; 0 or -EAGAIN; 0 or -EOVERFLOW. */
int thread_sem_wait(struct thread_sem *s, uint64_t deadline);
int thread_sem_trywait(struct thread_sem *s);
int thread_sem_post(struct thread_sem *s);

#endif
