/*
 * near.h - nearly right calls for tests that make many, and the small world they are made in.
 */
#ifndef TEST_NEAR_H
#define TEST_NEAR_H

#include <exo/abi.h>

enum {
	NEAR_ENVS = 6,
	NEAR_FRAMES = 1024,
	NEAR_CALLS = 58,
};

struct near_call {
	uint32_t number;
	uint64_t a[6];
};

/* One letter an argument; null: not among the calls that near_choose() makes. */
extern const char *const near_shapes[NEAR_CALLS];

/* 0 .. n-1: given by the test. */
uint64_t near_below(uint64_t n);

/* A next call for environment e, which is RUNNABLE. */
struct near_call near_choose(uint32_t e);

struct exo_result near_do(const struct near_call *call);

/*
 * The machine as after boot, environment 1 holding something of each kind; and the calls by which
 * that one gets an address space, a whole run of frames, a CPU slot, and starts.
 */
void near_boot(void);
void near_first(void (*attempt)(struct near_call));

#endif
