/*
 * halt.c - stopping the machine: by the call, by the emulators' ports, by a reset, by faults that
 * the processor gives up on.
 */
#include "attack.h"

static void by_call(void)
{
	for (uint64_t s = 0; s < EXO_NCAP; s++)
		tally_refused(call_machine_halt(s, 0));
	tally_refused(call_machine_halt(EXO_NCAP, 0));
	tally_refused(call_machine_halt(~0ull, 0));
	tally_refused(call_machine_halt(1ull << 32 | 2, 0));
	sum_up("machine_halt by every slot");
}

static void by_ports(void)
{
	static const uint16_t ports[] = {0x604, 0xf4, 0x64, 0x92, 0xcf9, 0xb004, 0x8900, 0x501};

	for (uint32_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
		const uint8_t code[] = {
			0x66, 0xba, (uint8_t)ports[i], (uint8_t)(ports[i] >> 8), 0xb0,
			0x01, 0xee}; /* mov port,%dx; mov $1,%al; out */

		tally(try_code(code, sizeof code, 0).fault == GP);
	}
	sum_up("ports that stop or reset a machine");
}

/* A fault while the stack is nowhere is the program's fault all the same. */
static void by_stacks(void)
{
	/* mov %rdi,%rsp; ud2 and the like: the frame goes to the save area, whatever rsp is. */
	static const uint8_t ud[] = {0x48, 0x89, 0xfc, 0x0f, 0x0b};
	static const uint8_t push[] = {0x48, 0x89, 0xfc, 0x50};
	static const uint8_t call[] = {0x48, 0x89, 0xfc, 0x31, 0xc0, 0x0f, 0x05, 0x0f, 0x0b};
	static const uint64_t stacks[] = {0, 8, 0x800000000000ull, 0xffffffff80200000ull, ~0ull};

	for (uint32_t i = 0; i < sizeof stacks / sizeof stacks[0]; i++) {
		tally(try_code(ud, sizeof ud, stacks[i]).fault == UD);
		tally(try_code(push, sizeof push, stacks[i]).fault != 0);
		tally(try_code(call, sizeof call, stacks[i]).fault == UD);
	}
	sum_up("faults and calls with a stack pointer that is nowhere");
}

void attack_halt(void)
{
	by_call();
	by_ports();
	by_stacks();
}
