/*
 * halt.c - stopping the machine with the file system clean.
 *
 * Owns: segment.halting and halt_request.  Whoever holds the machine's capability does it; others
 * ask init.  Once `halting` names the one who does it, all others sleep at their next call of this
 * layer; those inside one now come out or wait for the file system's lock.
 * Called by programs, and by init.
 */
#include "posix.h"

#include <errno.h>
#include <libos/call.h>
#include <libos/console.h>
#include <libos/start.h>
#include <libos/system.h>
#include <libos/tables.h>
#include <libos/time.h>

enum { GRACE_TICKS = 4 };

static int holds_machine(void)
{
	const volatile struct exo_caps *mine = tables_caps((uint32_t)(start_self() & 0xffff));

	return mine->c[LAYOUT_CAP_MACHINE].kind == EXO_CAP_MACHINE;
}

/* Others finish what they are in; long transfers are waited for by unmount, which takes the lock.
 */
static void let_others_stop(void)
{
	const uint64_t until = time_now() + GRACE_TICKS * (uint64_t)tables_info()->tick_ns;

	while (time_now() < until)
		call_wait(0, until);
}

static int unmount(void)
{
	return mount_main() ? mount_end_all() : 0;
}

static int halt_now(int status)
{
	uint64_t nobody = 0;
	int error;

	if (!__atomic_compare_exchange_n(&posix_seg->halting, &nobody, start_self(), 0,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		for (;;)
			call_wait(0, 0);
	let_others_stop();
	error = unmount();
	if (error) {
		console_print("halt: the file system could not be unmounted cleanly: error ");
		console_dec((uint64_t)-error);
		console_print("\n");
		status = status ? status : 1;
	}
	return call_result(call_machine_halt(LAYOUT_CAP_MACHINE, (uint64_t)(status & 0xff)));
}

void posix_halt_if_asked(void)
{
	const uint32_t request = posix_seg->halt_request;

	if (!request)
		return;
	posix_enter();
	(void)posix_leave(halt_now((int)request - 1));
}

static int ask_init(int status)
{
	const struct posix_proc *init = proc_find(POSIX_INIT);

	if (!init || init == posix_self)
		return -EPERM;
	posix_seg->halt_request = (uint32_t)(status & 0xff) + 1;
	posix_wake(init->eid);
	for (;;)
		call_wait(0, 0);
}

int system_halt(int status)
{
	posix_enter();
	if (!posix_seg)
		return (int)posix_leave(call_result(
			call_machine_halt(LAYOUT_CAP_MACHINE, (uint64_t)(status & 0xff))));
	return (int)posix_leave(holds_machine() ? halt_now(status) : ask_init(status));
}
