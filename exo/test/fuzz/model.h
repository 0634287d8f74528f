/*
 * model.h - what the calls do, said once more: slowly, obviously, and after doc/abi.md.
 */
#ifndef TEST_FUZZ_MODEL_H
#define TEST_FUZZ_MODEL_H

#include <exo/abi.h>

/*
 * What a call may answer.  `refusals` is a set, bit s for status s, of every cause that holds;
 * where several do, the ABI leaves open which is named.  The empty set: it must be granted, with
 * `value`.
 */
struct verdict {
	uint32_t refusals;
	uint64_t value;
};

/* The model's state becomes that of the tables as they are. */
void model_begin(void);

/* Makes a call for who runs: changes the state unless there is a cause to refuse it. */
struct verdict model_call(uint32_t number, const uint64_t *a, uint64_t now);

/* A tick of the clock, at this time. */
void model_tick(uint64_t now);

/* Events come to e from a device. */
void model_raise(uint32_t e, uint64_t bits);

/* EXO_GRACE_NS of the slice are left: is who runs to be told? */
int model_ending(void);

/* Who runs gives the rest of the slice to e. */
void model_hand_over(uint32_t e);

/* Who runs from now on; 0: nobody. */
uint32_t model_runs(void);

/* Null when tables, page tables and registers are what the model says, else what differs. */
const char *model_differs(void);

#endif
