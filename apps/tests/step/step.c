/*
 * step.c - a program that steps through itself (TF), over calls too.
 *
 * Found by apps/tests/callfuzz: under Bochs the trap after a `syscall` with TF set came on the
 * program's stack, in the kernel, and ended the machine.  Each instruction must give one debug
 * upcall, with the registers as they were, and the call its answer.
 */
#include <stdint.h>
#include <exo/abi.h>
#include <libos/bare.h>
#include <libos/upcall.h>

int main(int argc, char **argv);

enum { DEBUG = 1, ROUNDS = 1000, INSTRUCTIONS = 6 /* traced in a round, but for the syscall */ };

static RESIDENT uint64_t steps;

static int step(struct exo_upcall_frame *frame)
{
	(void)frame;
	steps++;
	return 1;
}

/* One call of `null` with TF set from the popfq on. */
static struct exo_result traced_call(void)
{
	struct exo_result r;

	__asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
			 "xorl %%eax, %%eax\n\tnop\n\tsyscall\n\tnop\n\t"
			 "pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq"
			 : "=a"(r.status), "=d"(r.value)
			 :
			 : "rcx", "r11", "rdi", "rsi", "r8", "r9", "r10", "memory", "cc");
	return r;
}

/* The same right behind a load of SS, which holds debug traps back for one instruction. */
static struct exo_result traced_after_ss(void)
{
	struct exo_result r;

	__asm__ volatile("movl %[ss], %%ecx\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
			 "xorl %%eax, %%eax\n\tmovw %%cx, %%ss\n\tsyscall\n\tnop\n\t"
			 "pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq"
			 : "=a"(r.status), "=d"(r.value)
			 : [ss] "i"(EXO_USER_SS)
			 : "rcx", "r11", "rdi", "rsi", "r8", "r9", "r10", "memory", "cc");
	return r;
}

static uint64_t is_wrong(struct exo_result r)
{
	return r.status != EXO_OK || r.value != EXO_ABI_VERSION;
}

int main(int argc, char **argv)
{
	uint64_t wrong = 0, counted;

	(void)argc;
	(void)argv;
	upcall_on_fault(DEBUG, step);
	for (uint32_t i = 0; i < ROUNDS; i++)
		wrong += is_wrong(traced_call());
	counted = steps;
	for (uint32_t i = 0; i < ROUNDS; i++)
		wrong += is_wrong(traced_after_ss());
	bare_print("%s step: %u calls wrong\n", wrong ? "FAIL" : "ok", wrong);
	/* Whether the syscall itself or only what follows it traps, processors agree on no more. */
	bare_print("%s step: %u upcalls\n",
		   counted >= ROUNDS * INSTRUCTIONS && counted <= ROUNDS * (INSTRUCTIONS + 1)
			   ? "ok"
			   : "FAIL",
		   counted);
	return wrong != 0;
}
