/*
 * cpu.h - state of each processor that the core decides with.
 *
 * The kernel runs with interrupts off and is entered on one CPU at a time, so this needs no lock.
 * x86/ reads `resched` when a call or an interrupt is done: nonzero means that `current` must be
 * saved and cpu_next() (kern/slot.h) asked who runs now.
 */
#ifndef KERN_CPU_H
#define KERN_CPU_H

#include <stdint.h>

enum { NCPU = 1 };

struct cpu {
	uint32_t current;  /* environment index that runs; 0: idle */
	uint32_t resched;  /* leave `current` when the kernel is left */
	uint32_t next;	   /* directed yield: who gets the rest of the slice; 0: nobody special */
	uint32_t position; /* slot of the vector that is running */
	uint32_t borrow;   /* slot whose owner last ran in a slot not its own */
	uint32_t inbox;	   /* `current` gets a message when it has left: ipc_left() */
	uint32_t told;	   /* who was told that its slice ends, and has not yielded; 0: nobody */
	uint32_t forfeit;  /* whose slot is running has forfeited it */
	uint32_t chosen;   /* member that has the running slot by its group's choice; 0: nobody */
};

extern struct cpu cpus[NCPU];

/*@ assigns \nothing;
    ensures \result == &cpus[0]; */
static inline struct cpu *cpu_this(void)
{
	return &cpus[0];
}

/*@ assigns \nothing;
    ensures \result == cpus[0].current; */
static inline uint32_t cpu_self(void)
{
	return cpus[0].current;
}

#endif
