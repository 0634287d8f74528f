/*
 * machine_host.h - the machine under the core in host tests: memory is an array, time a variable.
 */
#ifndef TEST_MACHINE_HOST_H
#define TEST_MACHINE_HOST_H

#include <setjmp.h>
#include "../kern/machine.h"
#include "seen.h"

/* A range that the core dropped from the TLB. */
struct host_drop {
	uint32_t root;
	uint32_t pages;
	uint64_t va;
};

enum { HOST_DROPS = 16, HOST_BINDS = 64 };

extern uint64_t host_now;
extern uint32_t host_slice_timers;		/* times that machine_slice_timer() was asked */
extern struct host_drop host_drops[HOST_DROPS]; /* since host_drop_count was set to 0 */
extern uint32_t host_drop_count;

/* Frames that traces[] stands in, as the core has said last. */
extern struct host_trace {
	uint32_t first, frames;
} host_trace;
extern uint64_t host_tsc; /* grows by one whenever it is asked */

/* machine_halt() comes back by `host_halt`, which the test has set, with its status here. */
extern jmp_buf host_halt;
extern uint64_t host_halted;

/* What the core asks of disk and console, as the tests set it. */
extern uint32_t host_extent_gen[EXO_NEXTENT];
extern uint16_t host_extent_payer[EXO_NEXTENT];
extern uint32_t host_session_gen[EXO_NSESSION];
extern uint32_t host_io_queued[EXO_NENV];   /* requests that io_env_end() can drop, one a call */
extern uint32_t host_io_active[EXO_NENV];   /* requests on a drive */
extern uint32_t host_completions[EXO_NENV]; /* in its ring */

/*
 * Everything as after boot: frames 1..first_free-1 are the kernel's, the others free, environment 1
 * is BUILDING and current.
 */
void host_boot(uint32_t frames, uint32_t first_free, uint32_t nenv);

/* Remembers the whole state of the core, with tables and save areas; host_same() compares. */
void host_remember(void);
int host_same(void);

/*
 * Was every translation that the remembered state allowed and the present one does not dropped
 * from the TLB since?  Tables of the dead do not count.
 */
int host_tlb_clean(void);

/*
 * Did environment `me`, since the remembered state, change only what was its own, what it had the
 * capability to change, or what a dead one had held?  Null, or what it overstepped.
 */
const char *host_overstep(uint32_t me);

#endif
