/*
 * checked.c - the kernel that checks itself: every invariant of check.c and check_disk.c, after
 * each call.
 *
 * Linked only into build/exo/checked/kernel.elf (make run CHECK=1), whose entry.S calls it. A call
 * costs a pass over all tables, so this is for small machines and patient people.
 */
#include "../dev/log.h"
#include "../kern/check.h"
#include "../kern/cpu.h"
#include "../kern/machine.h"

/* Both are used by entry.S alone: the number of the call that ends, and the check at its end. */
extern uint64_t checked_number;
void checked_call(void);

uint64_t checked_number;

static uint64_t calls;

void checked_call(void)
{
	const char *broken = check_state();

	if (!broken)
		broken = check_disk();
	if (broken)
		machine_panic(broken, checked_number, cpu_this()->current);
	if (calls++ == 0)
		log_str("checked: every invariant holds after each call\n");
}
