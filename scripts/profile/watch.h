/*
 * watch.h - which instructions wrote into a page frame, or what went to a block of a drive: under
 * Bochs alone.
 *
 * For a frame, each instruction that stored into it, in order of its first store there:
 *
 *   writer TICK ENVIRONMENT PC STORES CHAIN     (of callers, as tree_write_chain() prints it)
 *
 * and for the frame or the block each transfer by a drive, with the writers of the frame since the
 * last one:
 *
 *   transfer TICK ENVIRONMENT read|write|clear DRIVE BLOCK FRAME CHAIN     (of who asked for it)
 */
#ifndef PROFILE_WATCH_H
#define PROFILE_WATCH_H

#include "code.h"

/* Reads what is wanted from the control file; false: nothing. */
bool watch_start(void);

/* site is about to be executed, stack_step() knows it; the instruction before it is done. */
void watch_step(const struct site *site);

/* The instruction at hand stores. */
void watch_store(uint64_t va, uint64_t physical);

/* Prints the writers that no transfer has come after. */
void watch_end(void);

#endif
