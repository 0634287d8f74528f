/*
 * threads.h - the tests of threads: lists of checks, by file.
 *
 * The checks of pthread_*.c are written from POSIX's text and use nothing else, so that the same
 * files run on the host's own pthreads too (host/host.c).  The others are of libos/thread.h.
 */
#ifndef THREADS_H
#define THREADS_H

#include "../posix/check.h"

extern const struct check pthread_checks[], pthread_sync_checks[], pthread_signal_checks[],
	pthread_attr_checks[], pthread_regress_checks[], pthread_torture_checks[], thread_checks[],
	wait_checks[], handler_checks[], regress_checks[], policy_checks[];

/* Prints what the scheduler does over many slices: shares against tickets, deadlines missed. */
void policy_measure(void);

#endif
