/*
 * cpu.c - privileged instructions, broken upcalls, greed for the CPU: done by children, which must
 * die alone, with the right report.
 */
#include <libos/frames.h>
#include <libos/time.h>
#include "attack.h"

enum { WAIT_MS = 2000, GREED_MS = 2000, WAKES = 20, MS = 1000000 };
enum { GP = 13, PF = 14 };

/* The child's end must be `end`, by exception `vector`. */
static void must_die(const char *name, enum child_task task, enum exo_end end, uint8_t vector)
{
	const struct exo_env *env;
	struct child c;
	int right;

	if (!child_start(&c, task)) {
		unprepared(name);
		return;
	}
	env = env_at(c.index);
	right = child_wait(&c, WAIT_MS) && env->end == end && env->end_vector == vector;
	score(name, child_end(&c) && right);
}

/* A program that never yields costs others no more than its share. */
static void greed(void)
{
	const struct exo_env *env;
	uint64_t start = time_now();
	uint32_t wakes = 0;
	struct child c;

	if (!child_start(&c, CHILD_SPIN)) {
		unprepared("running without yielding");
		return;
	}
	env = env_at(c.index);
	for (; wakes < WAKES || env->used_ticks == 0; wakes++) {
		(void)time_sleep_until(time_now() + 2 * MS, 0);
		if (time_now() > start + GREED_MS * (uint64_t)MS)
			break;
	}
	score("running without yielding",
	      wakes >= WAKES && env->used_ticks > 0 && env->state == EXO_ENV_RUNNABLE);
	score("killing what never yields", child_end(&c));
}

static void bad_start(void)
{
	uint32_t e = find_free_env();

	if (call_env_create(e, CHILD_CAP).status != EXO_OK) {
		unprepared("starting at bad addresses");
		return;
	}
	refused("starting without an address space", call_env_start(CHILD_CAP, 0x400000, 0, 0));
	refused("starting at a non-canonical address",
		call_env_start(CHILD_CAP, 0x8000000000000000ull, 0, 0));
	refused("starting in the kernel", call_env_start(CHILD_CAP, 0xffffffff80100000ull, 0, 0));
	refused("a handler at a non-canonical address",
		call_env_set(CHILD_CAP, EXO_SET_UPCALL_ENTRY, 0x8000000000000000ull));
	(void)call_env_kill(CHILD_CAP, 0);
	score("a child that never ran taken back", call_env_reap(CHILD_CAP).status == EXO_OK);
}

/*
 * A call at the very end of the lower half would return to an address that is none, and SYSRET
 * would fault in the kernel: nothing can be mapped there.
 */
static void last_page(void)
{
	uint32_t table;

	if (frame_take(0, EXO_PAGE_TABLE | 3 << 8, &table) != 0) {
		unprepared("code at the end of the lower half");
		return;
	}
	refused("code at the end of the lower half",
		call_table_link(0, env_at(self_index())->root, 255, table));
	(void)frames_free(0, table, 1);
}

void attack_cpu(void)
{
	must_die("faulting in the own upcall", CHILD_FAULT_IN_UPCALL, EXO_END_UPCALL_FAULT, PF);
	must_die("an upcall stack that is not there", CHILD_LOST_STACK, EXO_END_UPCALL_FAULT, PF);
	must_die("a fault without a handler", CHILD_NO_HANDLER, EXO_END_FAULT, PF);
	must_die("a non-canonical jump", CHILD_NONCANONICAL, EXO_END_FAULT, GP);
	must_die("hlt", CHILD_HLT, EXO_END_FAULT, GP);
	must_die("cli", CHILD_CLI, EXO_END_FAULT, GP);
	must_die("in", CHILD_IN, EXO_END_FAULT, GP);
	must_die("out", CHILD_OUT, EXO_END_FAULT, GP);
	must_die("wrmsr", CHILD_WRMSR, EXO_END_FAULT, GP);
	must_die("reading cr3", CHILD_CR3, EXO_END_FAULT, GP);
	must_die("lgdt", CHILD_LGDT, EXO_END_FAULT, GP);
	must_die("the kernel's interrupt", CHILD_INT32, EXO_END_FAULT, GP);
	must_die("iretq to the kernel", CHILD_IRET_KERNEL, EXO_END_FAULT, GP);
	must_die("jumping into the kernel", CHILD_JUMP_KERNEL, EXO_END_FAULT, PF);
	must_die("reading kernel memory", CHILD_READ_KERNEL, EXO_END_FAULT, PF);
	must_die("writing the read-only tables", CHILD_WRITE_TABLES, EXO_END_FAULT, PF);
	greed();
	bad_start();
	last_page();
}
