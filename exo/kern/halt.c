/*
 * halt.c - the two calls that own nothing: one does nothing, and one ends everything.
 */
#include "cap.h"
#include "cpu.h"
#include "machine.h"
#include "syscall.h"

/* For measuring the way in and out, and for asking the version. */
struct exo_result sys_null(void)
{
	return answer(EXO_OK, EXO_ABI_VERSION);
}

struct exo_result sys_machine_halt(uint64_t s, uint64_t status)
{
	struct exo_cap cap;
	const enum exo_status found = cap_find(cpu_self(), s, EXO_CAP_MACHINE, 0, &cap);

	if (found != EXO_OK)
		return refuse(found);
	machine_halt(status);
}
