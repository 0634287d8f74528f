/*
 * pthread.h - what the files of POSIX threads share.
 *
 * Owns: what a thread has besides libos/thread.h's: values of keys, clean-up handlers,
 * cancellation. These files are an archive of their own, of which a program gets what it calls.
 * Called by libos/posix/pthread*.c only.
 */
#ifndef POSIX_PTHREAD_H
#define POSIX_PTHREAD_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>
#include <libos/sched.h>

enum { PTHREAD_KEYS = 128 };

struct pthread_part {
	struct _pthread_cleanup_context *cleanup;
	int cancelled, cancel_disabled;
	const void *value[PTHREAD_KEYS];
};

struct pthread_part *pthread_part_of(struct thread *t);

/* When the clock says `t`, in ns since boot, never 0; 0: it is no time (EINVAL). */
uint64_t pthread_deadline(int clock, const struct timespec *t);

/* Runs the destructors of the caller's keys (pthread_key.c). */
void pthread_destroy_values(struct pthread_part *p);

#endif
