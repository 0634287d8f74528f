/*
 * step.c - flags that are still set when the kernel is entered: single step, direction, nested
 * task, alignment; they must neither work in the kernel nor be changed for the program.
 */
#include "attack.h"

enum { TF = 0x100, DF = 0x400, NT = 0x4000, AC = 0x40000, ROUNDS = 50 };

#define KERNEL 0x800000000000ull /* and above */

/* xor %eax,%eax; mov %ss,%ecx; pushf; orl $flags,(%rsp); popf; then what is given. */
static struct tried with_flags(uint32_t flags, const uint8_t *code, uint32_t bytes, uint64_t arg)
{
	uint8_t all[48] = {0x31,
			   0xc0,
			   0x8c,
			   0xd1,
			   0x9c,
			   0x81,
			   0x0c,
			   0x24,
			   (uint8_t)flags,
			   (uint8_t)(flags >> 8),
			   (uint8_t)(flags >> 16),
			   (uint8_t)(flags >> 24),
			   0x9d};

	for (uint32_t i = 0; i < bytes; i++)
		all[13 + i] = code[i];
	return try_code(all, 13 + bytes, arg);
}

/* syscall (the call `null`); nop; nop. */
static const uint8_t null_call[] = {0x0f, 0x05, 0x90, 0x90};

/*
 * mov %ecx,%ss; then the way into the kernel: the trap of the step may wait until the kernel has
 * been entered, where the stack pointer is still the program's.
 */
static const uint8_t hidden_call[] = {0x8e, 0xd1, 0x0f, 0x05, 0x90, 0x90};
static const uint8_t hidden_int3[] = {0x8e, 0xd1, 0xcc, 0x90, 0x90};
static const uint8_t hidden_int[] = {0x8e, 0xd1, 0xcd, 0x20, 0x90, 0x90};
static const uint8_t hidden_fault[] = {0x8e, 0xd1, 0x0f, 0x0b};

static void stepping(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		const struct tried t = with_flags(TF, null_call, sizeof null_call, 0);

		tally(t.fault == DB && t.rip < KERNEL && (t.rflags & TF) != 0);
	}
	sum_up("single step into a call");
}

static void hidden(const char *name, const uint8_t *code, uint32_t bytes, uint32_t fault)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		const struct tried t = with_flags(TF, code, bytes, 0);

		tally((t.fault == fault || t.fault == DB) && t.rip < KERNEL);
	}
	sum_up(name);
}

/* pushf; pop (%rdi) after a call: the flags are as before. */
static void kept(void)
{
	static const uint8_t call_and_look[] = {0x57, 0x0f, 0x05, 0x5f, 0x9c, 0x8f, 0x07};
	static const uint32_t flags[] = {DF, NT, AC, DF | AC, DF | NT | AC};

	for (uint32_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		uint64_t seen = 0;
		const struct tried t = with_flags(flags[i], call_and_look, sizeof call_and_look,
						  (uint64_t)(uintptr_t)&seen);

		tally(t.fault == 0 && (seen & (DF | NT | AC)) == flags[i]);
	}
	sum_up("direction, nested task and alignment flags over a call");
}

/* The same flags while the kernel is entered by a fault, many times by interrupts. */
static void faulting(void)
{
	static const uint8_t fault[] = {0x0f, 0x0b};
	static const uint8_t spin[] = {0xb9, 0x00, 0x00, 0x10, 0x00, 0xff, 0xc9, 0x75, 0xfc};

	for (uint32_t i = 0; i < ROUNDS; i++)
		tally(with_flags(DF | NT | AC, fault, sizeof fault, 0).fault == UD);
	for (uint32_t i = 0; i < 4; i++)
		tally(with_flags(DF | NT | AC, spin, sizeof spin, 0).fault == 0);
	sum_up("faults and interrupts with those flags set");
}

void attack_step(void)
{
	stepping();
	hidden("single step behind a load of SS into a call", hidden_call, sizeof hidden_call, DB);
	hidden("single step behind a load of SS into int3", hidden_int3, sizeof hidden_int3, BP);
	hidden("single step behind a load of SS into int 32", hidden_int, sizeof hidden_int, GP);
	hidden("single step behind a load of SS into a fault", hidden_fault, sizeof hidden_fault,
	       UD);
	kept();
	faulting();
}
