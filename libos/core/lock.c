/*
 * lock.c - locks between programs that share memory (libos/lock.h).
 *
 * A token is an eid: its generation makes it name one environment for good, and the kernel's table
 * says whether that one lives.  A waiter gives its slice to the holder; if the holder sleeps, the
 * waiter sleeps too, a tick at a time.  On one processor spinning would only waste the slice.
 */
#include <libos/call.h>
#include <libos/lock.h>
#include <libos/tables.h>
#include <libos/time.h>

void lock_init(struct lock *l)
{
	*l = (struct lock){0, 0};
}

int owner_alive(uint64_t owner)
{
	return tables_alive(owner);
}

void owner_give_slice(uint64_t owner)
{
	if (tables_env(owner & 0xffff)->state == EXO_ENV_RUNNABLE &&
	    call_yield(owner).status == EXO_OK)
		return;
	call_wait(0, time_now() + tables_info()->tick_ns);
}

/* Programs with threads have their own of these (libos/sched/sync.c). */
__attribute__((weak, alias("owner_give_slice"))) void owner_yield(uint64_t owner);

enum lock_state lock_wait(struct lock *l)
{
	const uint64_t self = owner_self();

	for (;;) {
		uint64_t holder = 0;

		if (__atomic_compare_exchange_n(&l->owner, &holder, self, 0, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return LOCK_OK;
		if (owner_alive(holder)) {
			owner_yield(holder);
			continue;
		}
		if (__atomic_compare_exchange_n(&l->owner, &holder, self, 0, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return LOCK_STOLEN;
	}
}

__attribute__((weak)) void lock_release(struct lock *l)
{
	__atomic_store_n(&l->owner, 0, __ATOMIC_RELEASE);
}
