/*
 * event.h - pending events of an environment, and waiting for them.
 *
 * Invariant: a WAITING environment has no pending event of its wait_mask, unless it sleeps in
 * wait_until (kern/wake.h) and its predicate said no.
 */
#ifndef KERN_EVENT_H
#define KERN_EVENT_H

#include <exo/tables.h>

/* Makes events pending for e (any index; nothing happens to a FREE or ZOMBIE one) and wakes it if
   it waits for one of them.  For the kernel's own events; cannot fail. */
void event_raise(uint32_t e, uint64_t bits);

/*
 * Ends the wait of e, which is WAITING or CALLING: its call returns status, and value (the events)
 * where that call has them.
 */
void event_wake(uint32_t e, enum exo_status status, uint64_t value);

/* e, RUNNABLE, sleeps for events of mask until the deadline (0: none). */
void event_sleep(uint32_t e, uint64_t mask, uint64_t deadline);

#endif
