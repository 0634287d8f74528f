/*
 * time.h - time from the processor's counter and the kernel's info page; no call is needed to read
 * it.  Nanoseconds.  Callers: everybody.
 */
#ifndef LIBOS_TIME_H
#define LIBOS_TIME_H

#include <stdint.h>

/* Since boot; never goes back. */
uint64_t time_now(void);

/* Since 1970, UTC. */
uint64_t time_real(void);

/* Sleeps until `deadline` (since boot) or, if mask is not 0, an event of it; returns the events. */
uint64_t time_sleep_until(uint64_t deadline, uint64_t mask);

#endif
