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

/*@ // what the interpreter may be given: it was accepted
    predicate waker_sound(integer e) = wakers[e].w.insns <= EXO_WAKE_INSNS &&
      wakers[e].w.bound <= EXO_WAKE_STEPS &&
      checked_insns(&wakers[e].w.insn[0], wakers[e].w.insns); */

/* e's predicate is this one from now on; e is not asleep. */
void wake_program(uint32_t e, const struct bpf_program *program);

/* Events have come to e, which is asleep in wait_until: they are counted, and if one of them is of
   its mask it wakes if its predicate says so. */
void wake_raise(uint32_t e, uint64_t bits);

/* A CPU slot of e, which is asleep in wait_until, begins: the same. */
void wake_slot(uint32_t e);

/* e, asleep or not, is not asleep in wait_until from now on: its deadline has come, or its end. */
void wake_over(uint32_t e);

/* e is reaped: nothing of its predicate is left for whoever comes after it. */
void wake_forget(uint32_t e);

#endif
