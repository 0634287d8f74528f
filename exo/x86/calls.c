/*
 * calls.c - the dispatch table of entry.S, expanded from the table of calls.
 */
#include "../kern/cpu.h"
#include "../kern/env.h"
#include "../kern/machine.h"
#include "../kern/syscall.h"
#include "../kern/trace.h"
#include "trap.h"

/* Registers that a call does not look at do no harm: entry.S passes six to each. */
typedef struct exo_result any_call(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
				   uint64_t f);

extern any_call *const call_table[];
any_call *const call_table[] = {
#define CALL(number, name, nargs, args, what, errors, bound, example)                              \
	[number] = (any_call *)(void *)sys_##name,
#include <exo/syscall.def>
#undef CALL
};

enum { CALLS = sizeof call_table / sizeof call_table[0] };
_Static_assert(CALLS == CALL_COUNT, "entry.S refuses numbers from here on");

struct exo_result traced_call(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
			      uint64_t f, uint64_t number)
{
	const uint32_t me = cpu_self(), client = envs[me].client;
	const uint64_t since = machine_tsc();
	const struct exo_result r = call_table[number](a, b, c, d, e, f);

	trace_call(me, client, number, r.status, since);
	return r;
}
