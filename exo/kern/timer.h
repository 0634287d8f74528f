/*
 * timer.h - deadlines of waiting environments, earliest first.
 *
 * A binary heap of environment indices ordered by envs[].deadline.  Invariant: an environment is
 * in the heap exactly when it is WAITING or CALLING with a deadline, and timer_place says where.
 */
#ifndef KERN_TIMER_H
#define KERN_TIMER_H

#include <exo/tables.h>

enum { TIMER_BATCH = 16 }; /* most that one timer_expire() wakes */

extern uint16_t timer_heap[EXO_NENV];  /* [0..timer_count) */
extern uint16_t timer_place[EXO_NENV]; /* index in the heap + 1; 0: not in it */
extern uint32_t timer_count;

/* e, not in the heap, has a nonzero envs[e].deadline: enter it.  log2 of environments. */
void timer_add(uint32_t e);

/* Takes e out if it is in. */
void timer_drop(uint32_t e);

/* Wakes those whose deadline is now or past, at most TIMER_BATCH; the others at the next call. */
void timer_expire(uint64_t now);

#endif
