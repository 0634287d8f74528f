/*
 * time.h - the slice timer and the clock.
 */
#ifndef X86_TIME_H
#define X86_TIME_H

/* Measures TSC and local APIC against the old timer, reads the battery clock, starts the ticks. */
void time_init(void);

/* The timer interrupt is handled. */
void lapic_done(void);

#endif
