/*
 * sysret.c - returns to where a program must not be: addresses that are none, the kernel's, other
 * segments.  A processor that finds such an address in SYSRET faults in the kernel.
 */
#include <stddef.h>
#include <libos/frames.h>
#include "attack.h"

/* A call at the very end of the lower half would return to an address that is none. */
static void last_page(void)
{
	uint32_t table;

	if (frame_take(0, EXO_PAGE_TABLE | 3 << 8, &table) != 0) {
		unprepared("code at the end of the lower half");
		return;
	}
	refused("code at the end of the lower half",
		call_table_link(0, tables_env(self_index())->root, 255, table));
	(void)frames_free(0, table, 1);
}

/* rcx and r11 are what SYSRET takes: the kernel must bring its own. */
static void registers(void)
{
	/* mov %rdi,%rcx; mov %rdi,%r11; xor %eax,%eax; syscall */
	static const uint8_t call[] = {0x48, 0x89, 0xf9, 0x49, 0x89, 0xfb, 0x31, 0xc0, 0x0f, 0x05};
	static const uint64_t values[] = {0x800000000000ull, 0xffffffff80100000ull, ~0ull, 0};

	for (uint32_t i = 0; i < sizeof values / sizeof values[0]; i++)
		tally(try_code(call, sizeof call, values[i]).fault == 0);
	sum_up("calls with bad return addresses in rcx and r11");
}

/* Jumps and returns of the program itself fault where it is. */
static void jumps(void)
{
	static const uint8_t jump[] = {0xff, 0xe7}, ret[] = {0x57, 0xc3};
	static const uint64_t where[] = {0x800000000000ull, 0x8000000000000000ull,
					 0xffffffff80100000ull, 0xffff800000100000ull, ~0ull};

	for (uint32_t i = 0; i < sizeof where / sizeof where[0]; i++) {
		tally(try_code(jump, sizeof jump, where[i]).fault != 0);
		tally(try_code(ret, sizeof ret, where[i]).fault != 0);
	}
	sum_up("jumps and returns to bad addresses");
}

/* push ss; push rsp; push flags; push cs; push rip; iretq, as after an upcall. */
static void iret(uint8_t ss, uint32_t flags, uint8_t cs, const char *name)
{
	const uint8_t code[] = {
		0x48, 0x89, 0xe0, 0x6a, ss,   0x50, 0x68, (uint8_t)flags, (uint8_t)(flags >> 8),
		0,    0,    0x6a, cs,	0x57, 0x48, 0xcf};

	tally(try_code(code, sizeof code, 0xffffffff80100000ull).fault != 0);
	tally(try_code(code, sizeof code, 0x800000000000ull).fault != 0);
	tally(try_code(code, sizeof code, 0x10).fault != 0);
	sum_up(name);
}

static void starts(void)
{
	static const uint64_t bad[] = {0x800000000000ull, 0x8000000000000000ull,
				       0xffffffff80100000ull, ~0ull};
	static struct thread t;

	if (!thread_make(&t, THREAD_CAP, NULL)) {
		unprepared("starting at bad addresses");
		return;
	}
	for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		tally_answered(call_env_start(THREAD_CAP, bad[i], 0x400000, 0), EXO_ARG);
		tally_answered(call_env_start(THREAD_CAP, 0x400000, bad[i], 0), EXO_ARG);
	}
	sum_up("starting at bad addresses");
	score("taken back", child_end(&t.c));
}

void attack_sysret(void)
{
	last_page();
	registers();
	jumps();
	iret(0x10, 0x202, 0x08, "iretq to the kernel's segments");
	iret(0x23, 0x202, 0x08, "iretq to the kernel's code");
	iret(0x23, 0x3202, 0x2b, "iretq to bad addresses, with IOPL 3");
	iret(0x23, 0x202, 0x1b, "iretq to the empty code segment");
	iret(0x23, 0x202, 0x33, "iretq to the task's segment");
	starts();
}
