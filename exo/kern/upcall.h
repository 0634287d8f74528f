/*
 * upcall.h - entering a program's handler.
 */
#ifndef KERN_UPCALL_H
#define KERN_UPCALL_H

#include "env.h"

/*
 * A fault of environment e, whose registers are `regs`: its handler is entered, or it ends with a
 * report to its creator.  Returns 1 where the handler was entered.
 */
int upcall_fault(uint32_t e, struct exo_regs *regs, uint64_t addr);

/* The events `bits` that e wants to see, or, where there are none, that its slice has started. */
void upcall_due(uint32_t e, struct exo_regs *regs, uint64_t bits);

/* Before e, whose registers are `regs`, is entered again: events and slice starts it wants to see.
 */
static inline void upcall_pending(uint32_t e, struct exo_regs *regs, int slice_started)
{
	const uint64_t bits = envs[e].events & envs[e].event_upcall;

	if (bits != 0 || (slice_started && (envs[e].slice_upcall & EXO_SLICE_START) != 0))
		upcall_due(e, regs, bits);
}

/* The slice ends in EXO_GRACE_NS: enters its handler, if it wants to know and can. */
void upcall_ending(uint32_t e, struct exo_regs *regs);

#endif
