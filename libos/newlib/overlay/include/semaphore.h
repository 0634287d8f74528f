/* Counting semaphores of one process; those with names, and shared ones, are not there. */
#ifndef _SEMAPHORE_H
#define _SEMAPHORE_H

#include <sys/cdefs.h>
#include <sys/types.h>
#include <time.h>

#define SEM_VALUE_MAX 0x7fffffff

typedef struct {
	unsigned long word[3];
} sem_t;

__BEGIN_DECLS
int sem_init(sem_t *sem, int shared, unsigned value);
int sem_destroy(sem_t *sem);
int sem_wait(sem_t *sem);
int sem_trywait(sem_t *sem);
int sem_timedwait(sem_t *sem, const struct timespec *until);
int sem_post(sem_t *sem);
int sem_getvalue(sem_t *sem, int *value);
__END_DECLS

#endif
