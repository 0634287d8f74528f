/*
 * swap.h - which pages go: the replacement policy of vm=swap, and what it may ask.
 *
 * vm/swap_clock.c is the policy that a program gets which brings none.  One that defines
 * swap_victims() has its own.  It runs in the pager, on the pager's stack: it may touch only memory
 * that is always there (RESIDENT, libos/upcall.h), its own stack, and what is below.
 */
#ifndef LIBOS_SWAP_H
#define LIBOS_SWAP_H

#include <stdint.h>

/* The policy: calls swap_choose() for pages that are to go, until that says 0 or there are none. */
void swap_victims(void);

/* The first page at or above va that is here and may go, and is not chosen yet; 0: none above. */
uint64_t swap_next(uint64_t va);

/* Whether the page was accessed since it came or since this was asked last: 1 or 0. */
int swap_used(uint64_t va);

/* Whether it must be written before it goes: 1 or 0. */
int swap_dirty(uint64_t va);

/* This page, one that swap_next() named, goes.  0: enough are chosen. */
int swap_choose(uint64_t va);

#endif
