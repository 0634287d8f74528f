/*
 * trace.h - lists the instructions of a function or a region, with what each changed: under Bochs
 * alone.
 *
 * A line for each: `insn TICK ENVIRONMENT IMAGE PC FUNCTION DEPTH`, then `NAME=VALUE` for each
 * general register that has another value afterwards, then `load|store@VA/PHYSICAL/SIZE=VALUE` for
 * each access to memory. scripts/profile/trace makes it readable.
 */
#ifndef PROFILE_TRACE_H
#define PROFILE_TRACE_H

#include "code.h"

/* Reads what is wanted from the control file; false: nothing. */
bool trace_start(void);

/* site is about to be executed, stack_step() knows it; the instruction before it is done. */
void trace_step(const struct site *site);

/* The instruction at hand is done, and something else comes before the next; or it faults, which
 * ends its line with `fault`. */
void trace_done(void);
void trace_fault(void);

/* The instruction at hand reaches memory. */
void trace_access(uint64_t va, uint64_t physical, unsigned size, bool store);

#endif
