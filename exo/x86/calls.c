/*
 * calls.c - the dispatch table of entry.S, expanded from the table of calls.
 */
#include "../kern/syscall.h"

typedef void any_call(void);

extern any_call *const call_table[];
any_call *const call_table[] = {
#define CALL(number, name, nargs, args, what, errors, bound, example)                              \
	[number] = (any_call *)sys_##name,
#include <exo/syscall.def>
#undef CALL
};

enum { CALLS = sizeof call_table / sizeof call_table[0] };
_Static_assert(CALLS == CALL_COUNT, "entry.S refuses numbers from here on");
