/*
 * wake.h - wake-up predicates: a verified program that a sleeper leaves with its wait.
 *
 * Invariant: who is asleep in wait_until is WAITING and has a predicate, which was verified for
 * struct exo_wake with at most EXO_WAKE_STEPS.
 */
#ifndef KERN_WAKE_H
#define KERN_WAKE_H

#include <exo/tables.h>
#include "bpf.h"
#include "table_section.h"

/* The record, and its beginning as the bytes that the interpreter reads. */
union waker {
	struct exo_waker w;
	uint8_t bytes[sizeof(struct exo_wake)];
};

extern union waker wakers[EXO_NENV];

/* e's predicate is this one from now on; e is not asleep. */
void wake_program(uint32_t e, const struct bpf_program *program);

/* Events have come to e, which is asleep in wait_until: they are counted. */
void wake_count(uint32_t e, uint64_t bits);

/* Does the predicate of e, which sleeps for events of mask, want it awake?  One run of it. */
int wake_wanted(uint32_t e, uint64_t mask);

/* A CPU slot of e, which is asleep in wait_until, begins: it wakes if its predicate says so. */
void wake_slot(uint32_t e);

/* e is reaped: nothing of its predicate is left for whoever comes after it. */
void wake_forget(uint32_t e);

#endif
