/*
 * syscall.h - prototypes of the calls, expanded from the one table.
 *
 * Each sys_NAME stands in the kern file that owns its object.  The caller is cpu_self().  Called by
 * the dispatch in x86/ and by host tests; a body with other arguments does not compile.
 */
#ifndef KERN_SYSCALL_H
#define KERN_SYSCALL_H

#include <exo/abi.h>

#define CALL(number, name, nargs, args, what, errors, bound, example)                              \
	struct exo_result sys_##name args;
#include <exo/syscall.def>
#undef CALL

/*@ assigns \nothing;
    ensures \result.status == status && \result.value == value; */
static inline struct exo_result answer(enum exo_status status, uint64_t value)
{
	return (struct exo_result){(uint64_t)status, value};
}

/*@ assigns \nothing;
    ensures \result.status == status && \result.value == 0; */
static inline struct exo_result refuse(enum exo_status status)
{
	return answer(status, 0);
}

#endif
