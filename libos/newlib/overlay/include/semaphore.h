/* Counting semaphores of one process.  Those that processes share, by name or in shared memory, are
 * refused (ENOSYS). */
#ifndef _SEMAPHORE_H
#define _SEMAPHORE_H

#include <limits.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <time.h>

#define SEM_FAILED ((sem_t *)0)

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
sem_t *sem_open(const char *name, int flags, ...);
int sem_close(sem_t *sem);
int sem_unlink(const char *name);
__END_DECLS

#endif
