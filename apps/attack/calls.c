/*
 * calls.c - unknown numbers, bad pointers, registers that might tell kernel secrets, random calls.
 */
#include <exo/image.h>
#include <libos/console.h>
#include <libos/layout.h>
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
	int all = 1;

	for (uint32_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		all &= call_trap(numbers[i], 1, 2, 3, 4, 5, 6).status == EXO_CALL;
	score("unknown call numbers", all);
}

static void pointers(void)
{
	static const uint64_t bad[] = {0,
				       0x1000,
				       EXO_KERNEL_VA + EXO_KERNEL_PHYS,
				       0xffff800000100000ull,
				       0x0000800000000000ull,
				       0x7ffffffffff0ull,
				       ~0ull - 8,
				       ~0ull};
	int writes = 1, reads = 1;

	for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct exo_result w = call_console_write(LAYOUT_CAP_CONSOLE, bad[i], 64);
		struct exo_result r = call_console_read(LAYOUT_CAP_CONSOLE, bad[i], 64);

		writes &= w.status == EXO_FAULT;
		reads &= r.status != EXO_OK;
	}
	score("console_write from bad pointers", writes);
	score("console_read to bad pointers", reads);
	refused("console_read into the read-only tables",
		call_console_read(LAYOUT_CAP_CONSOLE, EXO_TABLES_VA, 64));
	answered("console_write of too much",
		 call_console_write(LAYOUT_CAP_CONSOLE, 0x400000, 1ull << 40), EXO_RANGE);
}

/* Whatever the kernel did in between, argument registers come back zero. */
static void registers(void)
{
	uint64_t rax = 0, rdi = 1, rsi = 2, rdx = 3;
	register uint64_t r8 __asm__("r8") = 4;
	register uint64_t r9 __asm__("r9") = 5;
	register uint64_t r10 __asm__("r10") = 6;

	__asm__ volatile("syscall"
			 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r8), "+r"(r9), "+r"(r10)
			 :
			 : "rcx", "r11", "memory");
	score("registers after a call", (rdi | rsi | r8 | r9 | r10) == 0 && rdx == EXO_ABI_VERSION);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Numbers that are likely to be something. */
static uint64_t nearly_right(uint64_t *state)
{
	static const uint64_t some[] = {
		0,   1,	    2,	   3,	     8,	    16,		63,	    64,		  511,
		512, 0x100, 0x1ff, 0x200000, ~0ull, 1ull << 32, 1ull << 47, EXO_TABLES_VA};
	uint64_t r = next_random(state);

	if (r % 3 == 0)
		return some[r / 3 % (sizeof some / sizeof some[0])];
	return r % 3 == 1 ? r / 3 % tables()->frames : r;
}

/* Calls that could end, stop or cripple this very program are left to the other groups. */
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

static void random_calls(void)
{
	uint64_t state = 0x9e3779b97f4a7c15ull;

	for (uint32_t i = 0; i < RANDOM_CALLS; i++) {
		uint64_t number = next_random(&state) % FIRST_UNKNOWN, a[6];

		for (uint32_t k = 0; k < 6; k++)
			a[k] = nearly_right(&state);
		if (harmless(number))
			(void)call_trap(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
	score("20,000 random calls", 1);
}

void attack_calls(void)
{
	unknown_numbers();
	pointers();
	registers();
	random_calls();
}
