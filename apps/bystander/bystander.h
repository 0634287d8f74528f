/*
 * bystander.h - what a bystander looks at besides its memory and its blocks.
 */
#ifndef BYSTANDER_H
#define BYSTANDER_H

#include <stdint.h>

/* ---- own.c: capabilities, CPU slots, quotas, frames, FPU registers -------------------------- */

/* Remembers them; the pages from `memory` on are to stay this program's alone. */
void own_remember(const void *memory, uint32_t pages);

/* How many of them are not as they were. */
uint64_t own_changed(void);

/* ---- ledger.c: the whole machine ------------------------------------------------------------ */

void ledger_remember(void);

/* How many sums are not right.  Others may run meanwhile, so it looks until they are, or 2 s. */
uint64_t ledger_wrong(void);

#endif
