/*
 * soak.h - counting busy instructions: those in which somebody wanted the processor.
 *
 * Owns the soaker, a second process that asks the kernel again and again to run somebody else, and
 * adds up the laps in which nobody wanted to.  So the processor is never idle, and what was soaked
 * can be taken off.  One soaker a program, no lock.  Called by bench and measure.
 */
#ifndef SOAK_H
#define SOAK_H

#include <stdint.h>

/* The processor's counter: under QEMU -icount shift=0 and under Bochs, one tick an instruction. */
static inline uint64_t soak_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* From here on nobody else is idle.  0, or a negative errno. */
int soak_begin(void);

/* Instructions so far, without those of the soaker; without a soaker, all of the counter. */
uint64_t soak_busy(void);

/* Ends the soaker; may be called without soak_begin(). */
void soak_end(void);

#endif
