/*
 * slot.h - the vector of CPU slots, and who runs now.
 *
 * Slot i runs at tick i % EXO_NSLOT.  Its owner runs if it can; else the next owner in the vector
 * that can, starting after the last one that borrowed.  An environment without a slot runs only
 * when somebody yields to it.  While a call is served, the caller's slots count for who serves it
 * (slot_user).  Invariant: bit s of slot_runnable says that slot s has an owner and that it, or who
 * serves it, is RUNNABLE; envs[].slots has the bits of what each one owns.
 */
#ifndef KERN_SLOT_H
#define KERN_SLOT_H

#include <exo/tables.h>
#include "table_section.h"

enum { SLOT_WORDS = EXO_NSLOT / 64 };

extern struct exo_slot slots[EXO_NSLOT];
extern uint64_t slot_runnable[SLOT_WORDS];

/*
 * Who runs in the slots of e now: e, or who serves its call, or that one's call, and so on; 0:
 * nobody can.
 */
uint32_t slot_user(uint32_t e);

/* e has become RUNNABLE: its slots count, and the CPU is asked again if that changes who runs. */
void slot_ready(uint32_t e);

/* e is not RUNNABLE any more; the CPU is asked again if it was running. */
void slot_unready(uint32_t e);

/* e has become RUNNABLE for who runs now, which calls it: as slot_ready(), but the CPU is the
   caller's to pass on. */
void slot_lend(uint32_t e);

/* e (0: nobody) may have run in a slot that it has no right to any more: the CPU is asked again. */
void slot_end(uint32_t e);

/* Slot s, which is e's, becomes nobody's, and its charge is given back. */
void slot_release(uint32_t e, uint32_t s);

/*
 * Who runs now: an environment index, 0: nobody.  Clears cpu.resched.  x86/ calls it when it
 * finds cpu.resched set, or is idle; it sets cpu.current itself.
 */
uint32_t cpu_next(void);

/* A tick has passed: the next slot begins.  Sets cpu.resched when somebody else must run. */
void slot_tick(void);

#endif
