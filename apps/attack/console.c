/*
 * console.c - the sessions of others, and what is typed for them.
 */
#include <libos/console.h>
#include <libos/layout.h>
#include "attack.h"

enum { TARGET = 50, WRITES = 16 };

/* The rights that were given are to write, and to pass that on. */
static void rights(void)
{
	const volatile struct exo_cap *c = &tables_caps(self_index())->c[LAYOUT_CAP_CONSOLE];
	uint8_t byte[8];

	for (uint32_t n = 0; n <= 8; n++)
		tally_answered(call_console_read(LAYOUT_CAP_CONSOLE, (uint64_t)(uintptr_t)byte, n),
			       EXO_PERM);
	sum_up("reading what is typed at the shell");
	answered("making sessions", call_console_session(TARGET), EXO_PERM);
	answered("revoking a session", call_cap_revoke(LAYOUT_CAP_CONSOLE), EXO_PERM);
	score("the session is one of its own, not init's", c->object != 0);
	tally_refused(call_cap_derive(LAYOUT_CAP_CONSOLE, TARGET, EXO_RIGHT_READ, 0, 0));
	tally_refused(call_cap_derive(LAYOUT_CAP_CONSOLE, TARGET, EXO_RIGHT_ADMIN, 0, 0));
	tally_refused(call_cap_derive(LAYOUT_CAP_CONSOLE, TARGET, EXO_RIGHT_WRITE, 0, 1));
	tally_refused(call_cap_derive(LAYOUT_CAP_CONSOLE, TARGET, EXO_RIGHT_WRITE, 1, 1));
	sum_up("a session made into more");
}

/* An endless line: the buffer fills, the call takes less, nobody waits in the kernel. */
static void flood(void)
{
	uint8_t dots[256];
	int bounded = 1;

	for (uint32_t i = 0; i < sizeof dots; i++)
		dots[i] = '.';
	for (uint32_t i = 0; i < WRITES; i++) {
		const struct exo_result r = call_console_write(
			LAYOUT_CAP_CONSOLE, (uint64_t)(uintptr_t)dots, sizeof dots);

		bounded &= r.status == EXO_OK && r.value <= sizeof dots;
	}
	console_print("\n");
	score("a line without end", bounded);
}

void attack_console(void)
{
	rights();
	flood();
}
