/*
 * wait.h - the lowest way to wait: everything in the libOSes that sleeps for an event does it here.
 *
 * In a program without threads it is the kernel's call and nothing else; the thread layer
 * (libos/sched/wait.c) brings definitions of its own, in which only the caller waits.
 */
#ifndef LIBOS_WAIT_H
#define LIBOS_WAIT_H

#include <exo/abi.h>

/* call_wait(mask, deadline), as the kernel does it.  May return without events: look again. */
struct exo_result wait_events(uint64_t mask, uint64_t deadline);

/* Events of this program that an upcall took: others of its threads may wait for them too. */
void wait_posted(uint64_t events);

/* The word is, from now on, each thread's own: it has the same value for all now. */
void wait_own(uint64_t *word);

/* fork: this is the copy, which has one thread. */
void wait_forked(void);

#endif
