/*
 * Types of <pthread.h>.  newlib's own are numbers that name objects kept elsewhere; these are the
 * objects, so that none can run out.  What the words mean is known to libos/posix/pthread*.c alone,
 * and all zero is a new object.
 */
#ifndef _SYS__PTHREADTYPES_H_
#define _SYS__PTHREADTYPES_H_

#include <sys/sched.h>

struct thread;

typedef struct thread *pthread_t;
typedef unsigned int pthread_key_t;

#define PTHREAD_SCOPE_PROCESS  0
#define PTHREAD_SCOPE_SYSTEM   1
#define PTHREAD_INHERIT_SCHED  1
#define PTHREAD_EXPLICIT_SCHED 2

#define PTHREAD_CREATE_DETACHED 0
#define PTHREAD_CREATE_JOINABLE 1

#define PTHREAD_PROCESS_PRIVATE 0
#define PTHREAD_PROCESS_SHARED	1

#define PTHREAD_MUTEX_NORMAL	 0
#define PTHREAD_MUTEX_RECURSIVE	 1
#define PTHREAD_MUTEX_ERRORCHECK 2
#define PTHREAD_MUTEX_DEFAULT	 0

#define PTHREAD_MUTEX_STALLED 0
#define PTHREAD_MUTEX_ROBUST  1

#define PTHREAD_PRIO_NONE    0
#define PTHREAD_PRIO_INHERIT 1
#define PTHREAD_PRIO_PROTECT 2

typedef struct {
	void *stackaddr;
	unsigned long stacksize, guardsize;
	int detachstate;
	int inheritsched;
	int schedpolicy;
	struct sched_param schedparam;
} pthread_attr_t;

typedef struct {
	unsigned long word[6];
	int type;
} pthread_mutex_t;

typedef struct {
	int type;
	int protocol;
} pthread_mutexattr_t;

typedef struct {
	unsigned long word[2];
	int clock;
} pthread_cond_t;

typedef struct {
	int clock;
} pthread_condattr_t;

typedef struct {
	unsigned long word[5];
} pthread_once_t;

typedef struct {
	unsigned long word[12];
} pthread_rwlock_t;

typedef struct {
	int none;
} pthread_rwlockattr_t;

typedef struct {
	unsigned long word[4];
} pthread_spinlock_t;

typedef struct {
	unsigned long word[4];
} pthread_barrier_t;

typedef struct {
	int none;
} pthread_barrierattr_t;

#define _PTHREAD_MUTEX_INITIALIZER                                                                 \
	{                                                                                          \
		{0}, PTHREAD_MUTEX_DEFAULT                                                         \
	}
#define _PTHREAD_COND_INITIALIZER                                                                  \
	{                                                                                          \
		{0}, 0                                                                             \
	}
#define _PTHREAD_RWLOCK_INITIALIZER                                                                \
	{                                                                                          \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}
#define _PTHREAD_ONCE_INIT                                                                         \
	{                                                                                          \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

#endif
