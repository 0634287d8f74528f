/*
 * cancel.c - what newlib's stdio asks of threads: not to be cancelled while it holds a lock.
 *
 * Owns nothing: there is one thread, and it is never cancelled.  Called by newlib.
 */
#include <pthread.h>

int pthread_setcancelstate(int state, int *old)
{
	if (old)
		*old = PTHREAD_CANCEL_DISABLE;
	(void)state;
	return 0;
}
