/*
 * wake.h - what a wake-up predicate sees: a downloaded program that says whether a sleeper wakes.
 *
 * The program is called with r1 = the address of a struct exo_wake and r2 = its size, and answers 0:
 * sleep on, or anything else: wake.  It is asked when an event of the mask comes, and when a CPU
 * slot of the sleeper begins, in that slot's time; a deadline wakes without asking.
 */
#ifndef EXO_WAKE_H
#define EXO_WAKE_H

#include <stdint.h>

enum {
	EXO_WAKE_VERSION = 1, /* of struct exo_wake: a later one has more at its end */
	EXO_WAKE_INSNS = 32,  /* most instructions of a predicate */
	EXO_WAKE_STEPS = 256, /* most that a run of one may take */
	EXO_WAKE_WORDS = 4,
	EXO_WAKE_EVENTS = 64,
};

struct exo_wake {
	uint32_t version;
	uint32_t completions; /* in its disk ring, put and not taken */
	uint32_t free_frames; /* of the machine */
	uint32_t reserved;
	uint64_t now;	 /* ns since boot */
	uint64_t slept;	 /* ns since boot when it went to sleep */
	uint64_t events; /* of its mask, pending */
	uint64_t word[EXO_WAKE_WORDS]; /* its own, of wait_until */
	/* Times that event i has come since it went to sleep; stops at 65535. */
	uint16_t count[EXO_WAKE_EVENTS];
};
_Static_assert(sizeof(struct exo_wake) == 200, "what a wake-up predicate sees");

#endif
