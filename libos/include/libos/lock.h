/*
 * lock.h - mutual exclusion between processes that share memory.
 *
 * Owns: the layout of `struct lock`, and the notion of an owner token: a number, never zero,
 * that names a process for as long as it lives (an environment id with its generation serves
 * well).
 * Invariant: `owner` is 0 when the lock is free, else the token of the holder. Implemented once
 * for the target (spin, then yield to the holder) and once for host tests.
 * Called by the buffer cache, the arena, the file systems and the POSIX layer.
 * Order: a file system's lock, then a buffer cache's, then an arena's. No lock is held while
 * waiting for the disk except a file system's own.
 */
#ifndef LIBOS_LOCK_H
#define LIBOS_LOCK_H

#include <stdint.h>

/* Lives in shared memory; all zero is a free lock. `spare` belongs to the implementation. */
struct lock {
	uint64_t owner;
	uint64_t spare;
};

/* How a lock was had: LOCK_STOLEN says that its holder died inside, so what it guards wants repair.
 */
enum lock_state { LOCK_OK = 0, LOCK_STOLEN = 1 };

/* Makes a free lock. */
void lock_init(struct lock *l);

/* The caller's own token: the program's eid, once it knows it (core/start.c). */
extern uint64_t owner_token;

static inline uint64_t owner_self(void)
{
	return owner_token;
}

/* lock_acquire's way when somebody holds `l`. */
enum lock_state lock_wait(struct lock *l);

/*
 * Waits until the caller holds `l`. Not recursive. Never waits for a dead holder: then the lock
 * changes hands and LOCK_STOLEN is returned, and the caller must make the guarded state sound
 * before going on.
 */
__attribute__((warn_unused_result)) static inline enum lock_state lock_acquire(struct lock *l)
{
	uint64_t holder = 0;

	return __atomic_compare_exchange_n(&l->owner, &holder, owner_token, 0, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED)
		       ? LOCK_OK
		       : lock_wait(l);
}

/* Lets go of a lock that the caller holds. */
void lock_release(struct lock *l);

/* Whether the process named by `owner` still lives: 1 or 0. False for tokens that never were. */
int owner_alive(uint64_t owner);

/* Gives the processor to `owner` (or to anybody) for a while: called in a loop while waiting for
 * it. */
void owner_yield(uint64_t owner);

/* The same, when `owner` is another process. */
void owner_give_slice(uint64_t owner);

#endif
