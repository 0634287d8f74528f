/*
 * wait.h - the lowest way to wait: everything in the libOSes that sleeps for an event does it here.
 *
 * In a program without threads it is the kernel's call and nothing else; the thread layer
 * (libos/sched/wait.c) brings definitions of its own, in which only the caller waits.
 * Owns: whether it is so now (wait_alone).
 */
#ifndef LIBOS_WAIT_H
#define LIBOS_WAIT_H

#include <exo/abi.h>

/* call_wait(mask, deadline), as the kernel does it.  May return without events: look again. */
struct exo_result wait_events(uint64_t mask, uint64_t deadline);

/*
 * Not 0: whoever waits does so for the whole program, and its other threads stand still.  For code
 * that waits while others would find its work half done.
 */
extern uint32_t wait_alone;

/* Whether other threads may run while the caller waits. */
int wait_shared(void);

/*
 * The pager's turns: one thread has them, others that want them sleep.  wait_over() follows the end
 * of what it did in the midst of code that computes: events that came are handled, and a thread
 * that is more urgent runs.
 */
void wait_turn(void);
void wait_turn_end(void);
void wait_over(void);

/* Events of this program that an upcall took: others of its threads may wait for them too. */
void wait_posted(uint64_t events);

/* The word is, from now on, each thread's own: it has the same value for all now. */
void wait_own(uint64_t *word);

/* fork: this is the copy, which has one thread. */
void wait_forked(void);

#endif
