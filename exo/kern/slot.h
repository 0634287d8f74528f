/*
 * slot.h - the vector of CPU slots, and who runs now.
 *
 * Slot i runs at tick i % EXO_NSLOT.  Its owner runs if it can; else the next owner in the vector
 * that can, starting after the last one that borrowed.  Who was told that its slice ends
 * (EXO_SLICE_END) and still runs when it has ended forfeits its next slot: that falls to others. An
 * environment without a slot runs only when somebody yields to it, or as the member that the group
 * of a slot chose, for which that slot then is as if its own.  While a call is served, the
 * caller's slots count for who serves it (slot_user).  Invariant: bit s of slot_runnable says that
 * slot s has an owner and that it, or who serves it, is RUNNABLE; envs[].slots has the bits of what
 * each one owns.
 */
#ifndef KERN_SLOT_H
#define KERN_SLOT_H

#include <exo/tables.h>
#include "table_section.h"

enum { SLOT_WORDS = EXO_NSLOT / 64 };

extern struct exo_slot slots[EXO_NSLOT];
extern uint64_t slot_runnable[SLOT_WORDS];
extern uint32_t slot_enders; /* environments that live and want EXO_SLICE_END */

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

/* e is no member any more: if it was chosen for the running slot, it is not. */
void slot_unchoose(uint32_t e);

/* e has ended: if the running slot is its own, nobody is chosen for it any more. */
void slot_orphan(uint32_t e);

/* Slot s, which is `from`'s, becomes `to`'s, and the quota for it too. */
void slot_pass(uint32_t from, uint32_t to, uint32_t s);

/* Slot s, which is e's, becomes nobody's, and its charge is given back. */
void slot_release(uint32_t e, uint32_t s);

/*
 * Who runs now: an environment index, 0: nobody.  Clears cpu.resched.  x86/ calls it when it
 * finds cpu.resched set, or is idle; it sets cpu.current itself.
 */
uint32_t cpu_next(void);

/*
 * e wants these upcalls (EXO_SLICE_*): while anybody that lives wants EXO_SLICE_END, each tick has
 * the machine interrupt EXO_GRACE_NS before the next.
 */
void slot_upcalls(uint32_t e, uint8_t wanted);

/* EXO_GRACE_NS are left: must e, which is running, be told?  Then it counts as told. */
int slot_ending(uint32_t e);

/* A tick has passed: the next slot begins.  Sets cpu.resched when somebody else must run. */
void slot_tick(void);

#endif
