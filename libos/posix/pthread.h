/*
 * pthread.h - what the files of POSIX threads share.
 *
 * Owns: what a thread has besides libos/thread.h's: values of keys, clean-up handlers,
 * cancellation, a name. These files are an archive of their own, of which a program gets what it
 * calls. Called by libos/posix/pthread*.c only.
 */
#ifndef POSIX_PTHREAD_H
#define POSIX_PTHREAD_H

#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>
#include <libos/sched.h>

enum { PTHREAD_NAME = 16 };

struct pthread_part {
	struct _pthread_cleanup_context *cleanup;
	int cancelled, cancel_disabled, cancel_async;
	char name[PTHREAD_NAME];
	const void *value[PTHREAD_KEYS_MAX];
};

struct pthread_part *pthread_part_of(struct thread *t);

/* When the clock says `t`, in ns since boot, never 0; 0: it is no time (EINVAL). */
uint64_t pthread_deadline(int clock, const struct timespec *t);

/* What objects say of being shared with other processes: 0, EINVAL or ENOTSUP. */
int pthread_set_shared(int shared);

/* The policy that a program names so: 0; EINVAL: it does not exist; ENOTSUP: not with this
 * scheduler.  And back. */
int pthread_policy_of(int policy, int priority, struct thread_policy *out);
int pthread_policy_name(const struct thread_policy *p);

/*
 * Waits by `wait`, as a call that handlers end unless they are to restart it (SA_RESTART): its
 * answer, or -EINTR (pthread_signal.c).
 */
int pthread_breakable(int (*wait)(void *of, uint64_t deadline), void *of, uint64_t deadline);

/* For the thread that runs again after others did. */
void pthread_resumed(void);

/* Until a deadline, or 0; a point of cancellation. */
int pthread_join_until(pthread_t t, void **result, uint64_t deadline);

/* Runs the destructors of the caller's keys (pthread_key.c). */
void pthread_destroy_values(struct pthread_part *p);

#endif
