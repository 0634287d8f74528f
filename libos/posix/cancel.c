/*
 * cancel.c - what newlib's stdio asks of threads: not to be cancelled while it holds a lock.
 *
 * Owns nothing: with one thread, which is never cancelled, nothing is to be done.  Weak, since
 * pthread.c has what programs with threads need.  Called by newlib and posix_wait().
 */
#include "posix.h"

#include <pthread.h>

__attribute__((weak)) int pthread_setcancelstate(int state, int *old)
{
	if (old)
		*old = PTHREAD_CANCEL_DISABLE;
	(void)state;
	return 0;
}

__attribute__((weak)) void posix_cancel_point(void)
{
}
