/*
 * pointers.c - addresses that the kernel must not follow, in every argument that is one.
 *
 * console_read needs a right that no attacker is given: that it writes nowhere else is tested on
 * the host (core_test, copies).  Here it is called all the same.
 */
#include <exo/image.h>
#include <libos/layout.h>
#include <libos/vm.h>
#include "attack.h"

#define DIRECT_MAP 0xffff800000000000ull /* all memory, for the kernel */

/* Nothing here may be read by a call on this program's behalf. */
static const uint64_t bad[] = {
	0,
	8,
	0x1000,
	EXO_KERNEL_VA + EXO_KERNEL_PHYS,
	DIRECT_MAP + 0x100000,
	DIRECT_MAP + 0xfee00000,
	EXO_TABLES_KERNEL,
	EXO_TABLES_VA,
	0x00007fffffffffffull,
	0x00007ffffffff000ull,
	0x0000800000000000ull,
	0x8000000000000000ull,
	0xffff7fffffffffffull,
	0x7ffffffffff0ull,
	~0ull - 256,
	~0ull - 8,
	~0ull,
};
static const uint64_t lengths[] = {1, 2, 8, 64, 255, 256};

enum { BAD = sizeof bad / sizeof bad[0], LENGTHS = sizeof lengths / sizeof lengths[0] };

static void console(void)
{
	for (uint32_t i = 0; i < BAD; i++)
		for (uint32_t k = 0; k < LENGTHS; k++) {
			tally_answered(call_console_write(LAYOUT_CAP_CONSOLE, bad[i], lengths[k]),
				       EXO_FAULT);
			tally_refused(call_console_read(LAYOUT_CAP_CONSOLE, bad[i], lengths[k]));
		}
	sum_up("console calls with bad addresses");
	tally_answered(call_console_write(LAYOUT_CAP_CONSOLE, 0x400000, 257), EXO_RANGE);
	tally_answered(call_console_write(LAYOUT_CAP_CONSOLE, 0x400000, 1ull << 32), EXO_RANGE);
	tally_answered(call_console_write(LAYOUT_CAP_CONSOLE, 0x400000, ~0ull), EXO_RANGE);
	sum_up("console calls with lengths that are too much");
}

/* The second page is not there: nothing of the first may go out. */
static void crossing(void)
{
	uint64_t va;

	if (vm_reserve(0, 2 * VM_PAGE, VM_READ | VM_WRITE, VM_ANON, &va) != 0 ||
	    vm_populate(va, VM_PAGE, VM_READ | VM_WRITE) != 0) {
		unprepared("a page before a hole");
		return;
	}
	for (uint64_t n = 2; n <= 256; n++)
		tally_answered(call_console_write(LAYOUT_CAP_CONSOLE, va + VM_PAGE - n + 1, n),
			       EXO_FAULT);
	sum_up("console calls that reach into a page that is not there");
	(void)vm_release(va, 2 * VM_PAGE);
}

/* Addresses that the kernel keeps for later: where a program starts, its handler, its stack. */
static void kept(void)
{
	const uint32_t e = find_free_env();

	if (call_env_create(e, CHILD_CAP).status != EXO_OK) {
		unprepared("a child to start badly");
		return;
	}
	for (uint32_t i = 0; i < BAD; i++) {
		tally_refused(call_env_start(CHILD_CAP, bad[i], 0x400000, 0));
		tally_refused(call_env_start(CHILD_CAP, 0x400000, bad[i], 0));
		if (bad[i] < 0x800000000000ull)
			continue;
		tally_answered(call_env_set(CHILD_CAP, EXO_SET_UPCALL_ENTRY, bad[i]), EXO_ARG);
		tally_answered(call_env_set(CHILD_CAP, EXO_SET_UPCALL_VA, bad[i]), EXO_ARG);
		tally_answered(call_env_set(EXO_SELF.n, EXO_SET_UPCALL_ENTRY, bad[i]), EXO_ARG);
		tally_answered(call_env_set(EXO_SELF.n, EXO_SET_UPCALL_VA, bad[i]), EXO_ARG);
	}
	sum_up("handlers, stacks and starts at bad addresses");
	(void)call_env_kill(CHILD_CAP, 0);
	score("a child that never ran taken back", call_env_reap(CHILD_CAP).status == EXO_OK);
}

void attack_pointers(void)
{
	console();
	crossing();
	kept();
}
