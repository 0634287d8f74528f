/*
 * fpu.c - holds values in every SSE register, and a control word, over many slices; run two at
 * once.
 *
 * usage: fpu SEED.  Nothing but preemption happens while the loop runs, so a register that
 * comes back changed was not kept, and one with another program's pattern was leaked.
 */
#include <stdint.h>
#include <libos/bare.h>

int main(int argc, char **argv);

enum { ROUNDS = 20, SPIN = 3000000 };

static uint64_t before[16], after[16];

#define LOAD(n)	 "movq 8*" #n "(%1), %%xmm" #n "\n\t"
#define STORE(n) "movq %%xmm" #n ", 8*" #n "(%2)\n\t"
#define EACH(x)                                                                                    \
	x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15)

static void hold(uint64_t spin)
{
	__asm__ volatile(EACH(LOAD) "1: decq %0\n\tjnz 1b\n\t" EACH(STORE)
			 : "+r"(spin)
			 : "r"(before), "r"(after)
			 : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
			   "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static uint32_t control_word(void)
{
	uint32_t word;

	__asm__ volatile("stmxcsr %0" : "=m"(word));
	return word & ~0x3fu; /* without the sticky exception flags */
}

int main(int argc, char **argv)
{
	const uint32_t fresh = 0x1f80, mine = 0x3f80; /* round down */
	uint64_t seed = 0, wrong;

	if (argc != 2 || bare_number(argv[1], &seed) != 0) {
		bare_print("usage: fpu SEED\n");
		return 2;
	}
	wrong = control_word() != fresh;
	__asm__ volatile("ldmxcsr %0" ::"m"(mine));
	for (uint64_t round = 0; round < ROUNDS; round++) {
		for (uint64_t i = 0; i < 16; i++)
			before[i] = (seed << 32 | round << 8 | i) * 0x9e3779b97f4a7c15ull;
		hold(SPIN);
		for (uint64_t i = 0; i < 16; i++)
			wrong += before[i] != after[i];
		wrong += control_word() != mine;
	}
	bare_print("%s fpu %u: %u wrong\n", wrong == 0 ? "ok" : "FAIL", seed, wrong);
	return wrong != 0;
}
