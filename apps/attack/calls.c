/*
 * calls.c - calls that do not exist, and calls with any arguments at all.
 *
 * Comes last: random calls make, take and share things of this program's own.
 */
#include "attack.h"

enum {
#define CALL(number, name, nargs, args, what, errors, bound, example) CALL_##name = number,
#include <exo/syscall.def>
#undef CALL
	FIRST_UNKNOWN,
	RANDOM_CALLS = 20000,
};

static void unknown_numbers(void)
{
	static const uint64_t numbers[] = {FIRST_UNKNOWN, 255, 4096, 1ull << 31, 1ull << 32, ~0ull};

	for (uint32_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		tally_answered(call_trap(numbers[i], 1, 2, 3, 4, 5, 6), EXO_CALL);
	for (uint64_t i = 6; i < 64; i++)
		tally_answered(call_trap(1ull << i, 1, 2, 3, 4, 5, 6), EXO_CALL);
	sum_up("unknown call numbers");
}

/* Numbers that are likely to be something. */
static uint64_t nearly_right(void)
{
	static const uint64_t some[] = {
		0,   1,	    2,	   3,	     8,	    16,		63,	    64,		  511,
		512, 0x100, 0x1ff, 0x200000, ~0ull, 1ull << 32, 1ull << 47, EXO_TABLES_VA};
	uint64_t r = next_random();

	if (r % 3 == 0)
		return some[r / 3 % (sizeof some / sizeof some[0])];
	return r % 3 == 1 ? r / 3 % tables_info()->frames : r;
}

/* Calls that could end, stop or cripple this very program are left to the other attacks. */
static int harmless(uint64_t number)
{
	static const uint8_t not [] = {CALL_env_set,	  CALL_env_kill,      CALL_page_free,
				       CALL_table_unlink, CALL_page_unmap,    CALL_page_protect,
				       CALL_cap_drop,	  CALL_cap_revoke,    CALL_slot_free,
				       CALL_wait,	  CALL_io_setup,      CALL_machine_halt,
				       CALL_quota_move,	  CALL_slot_give,     CALL_page_share,
				       CALL_ipc_call,	  CALL_ipc_reply_wait};

	for (uint32_t i = 0; i < sizeof not ; i++)
		if (number == not [i])
			return 0;
	return 1;
}

/* What comes of them is this program's own affair: it goes on, and so do all others. */
static void random_calls(void)
{
	const uint32_t victim = find_victim();
	const uint32_t gen = tables_env(victim)->gen;

	for (uint32_t i = 0; i < RANDOM_CALLS; i++) {
		uint64_t number = next_random() % FIRST_UNKNOWN, a[6];

		for (uint32_t k = 0; k < 6; k++)
			a[k] = nearly_right();
		if (harmless(number))
			tally(call_trap(number, a[0], a[1], a[2], a[3], a[4], a[5]).status < 256);
	}
	tally(tables_env(victim)->gen == gen && tables_env(victim)->state != EXO_ENV_ZOMBIE);
	sum_up("calls with random arguments");
}

void attack_calls(void)
{
	unknown_numbers();
	random_calls();
}
