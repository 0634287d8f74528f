/*
 * outcome.h - what a granted call must have done, beyond what the state alone shows.
 */
#ifndef EXHAUST_OUTCOME_H
#define EXHAUST_OUTCOME_H

#include "exhaust.h"

/* The world is in the state from which moves are made now. */
void outcome_note(void);

/* After call `number` of `who` was granted, with arguments `a` that had been chosen as `values`,
 * and answered `value`: null, or what is wrong. */
const char *outcome_of_call(uint32_t who, uint32_t number, const uint64_t *values,
			    const uint64_t *a, uint64_t value);

/* After any move: the same of environments, by what they were. */
const char *outcome_of_move(void);

#endif
