/*
 * upcalls.c - stacks and handlers that are not what they should be.  The environment that has such
 * a one ends, with the right report, and nothing else happens.
 */
#include <libos/vm.h>
#include "attack.h"

enum { WAIT_MS = 2000 };

/* The child's end must be `end`, by exception `vector`. */
static void must_die(const char *name, enum child_task task, enum exo_end end, uint8_t vector)
{
	const volatile struct exo_env *env;
	struct child c;
	int right;

	if (!child_start(&c, task)) {
		unprepared(name);
		return;
	}
	env = tables_env(c.index);
	right = child_wait(&c, WAIT_MS) && env->end == end && env->end_vector == vector;
	score(name, child_end(&c) && right);
}

static void children(void)
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
}

/* What a kernel that wrote by address would spoil. */
static uint64_t target[512] __attribute__((aligned(4096)));

/* An address in the first page; kept from the compiler, which knows better. */
static volatile uint64_t *volatile nowhere = (volatile uint64_t *)0x18;

static _Noreturn void handler(void)
{
	volatile uint64_t stack_user = 1; /* needs the stack */

	for (;;)
		stack_user = stack_user + *nowhere;
}

/* The thread says where its stack and handler are, and faults. */
static void misplaced(struct thread *t)
{
	(void)call_env_set(EXO_SELF.n, EXO_SET_UPCALL_VA, t->arg);
	(void)call_env_set(EXO_SELF.n, EXO_SET_UPCALL_ENTRY,
			   t->other != 0 ? t->other : (uint64_t)(uintptr_t)handler);
	(void)*nowhere;
}

static void misplace(uint64_t va, uint64_t entry)
{
	static struct thread t;

	if (!thread_make(&t, THREAD_CAP, misplaced)) {
		tally(0);
		return;
	}
	t.arg = va;
	t.other = entry;
	tally(thread_go(&t) && child_wait(&t.c, WAIT_MS) &&
	      tables_env(t.c.index)->end == EXO_END_UPCALL_FAULT);
	tally(child_end(&t.c));
}

/* Stacks where something else stands: read-only, the ring, the stack, this very code, nothing. */
static void misplaced_stacks(void)
{
	const uint64_t code = (uint64_t)(uintptr_t)misplaced & ~(VM_PAGE - 1);
	const uint64_t places[] = {
		(uint64_t)(uintptr_t)target, code,	0, 0x10000, 0x7fffffffe000ull,
		0x7ffffffff000ull,	     1ull << 39};
	uint64_t changed = 0;

	for (uint32_t i = 0; i < 512; i++)
		target[i] = i + 1;
	for (uint32_t i = 0; i < sizeof places / sizeof places[0]; i++)
		misplace(places[i], 0);
	misplace(THREAD_RING, 0);
	misplace(THREAD_STACK, 0x7fffffffffffull);
	misplace(THREAD_UPCALL, 0x10);
	misplace(THREAD_UPCALL, THREAD_UPCALL);
	for (uint32_t i = 504; i < 512; i++) /* where the frame would be */
		changed += target[i] != i + 1;
	sum_up("upcall stacks and handlers where something else stands");
	score("no frame was written by its address", changed == 0);
}

/* The page itself, mapped read-only, or twice: the kernel writes to the frame it has pinned. */
static void own_page_twice(void)
{
	const uint32_t page = tables_env(self_index())->upcall_page, leaf = scratch_table();

	tally_refused(call_io_setup(page));
	tally_refused(call_env_set(EXO_SELF.n, EXO_SET_UPCALL_PAGE, find_frame(EXO_PAGE_DATA, 1)));
	tally_refused(call_env_set(EXO_SELF.n, EXO_SET_SAVE, find_frame(EXO_PAGE_DATA, 1)));
	tally_refused(call_env_set(EXO_SELF.n, EXO_SET_ROOT, find_frame(EXO_PAGE_TABLE, 1)));
	sum_up("other frames for the kernel's roles");
	if (call_page_map(0, leaf, 90, page, 1, RW).status == EXO_OK) {
		tally(!can_read(0x10)); /* an upcall while it is mapped twice */
		(void)call_page_unmap(0, leaf, 90, 1);
	}
	sum_up("the own upcall page mapped twice");
}

void attack_upcalls(void)
{
	children();
	misplaced_stacks();
	own_page_twice();
}
