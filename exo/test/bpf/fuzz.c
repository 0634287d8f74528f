/*
 * fuzz.c - programs at random against the verifier, the interpreter and the model.
 *
 * Programs are made from compiled schedulers, from a generator and from accepted ones, by changing
 * them a little.  What the verifier accepts runs on several contexts in the kernel's interpreter,
 * which ends at what the verifier should have seen (BPF_SEEN), and in the model, which checks
 * everything and gives memory other addresses.  They must agree in result and steps, the model must
 * find nothing wrong, and no run may be longer than the bound.  Ends at the first that is wrong and
 * prints it, for exo-bpf.  Arguments: [--seed N] [--programs N | --seconds N].
 */
#include "../../host/bpf_file.h"
#include "../../host/bpf_model.h"
#include "../../kern/bpf.h"
#include "asm.h"

#include <exo/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	POOL = 512,
	CONTEXTS = 3,	 /* runs of an accepted program */
	PATIENCE = 4000, /* instructions looked at until a program is given up */
	LONGEST = 96,	 /* instructions of what is made here */
	PROGRAMS = 200000,
};

struct candidate {
	struct exo_bpf_insn insn[LONGEST];
	uint32_t count, context_size;
};

static struct candidate pool[POOL];
static uint32_t pooled, kept; /* the first `kept` stay */
static struct bpf_verifier verifier;
static struct bpf_program program;
static uint8_t context[sizeof(struct exo_sched)];
static uint64_t seed = 1;
static struct {
	uint64_t programs, accepted, runs, steps, at_bound, reason[64];
} count;

static uint64_t dice(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)((dice() >> 32) % n);
}

static int one_in(uint32_t n)
{
	return below(n) == 0;
}

/* ---- instructions ------------------------------------------------------------------------- */

static int32_t some_imm(void)
{
	static const int32_t numbers[] = {0,	1,    2,    3,	   4,	      7,	8,   15,
					  16,	31,   32,   63,	   64,	      127,	128, 255,
					  256,	511,  512,  513,   -1,	      -8,	-2,  -64,
					  4095, 4096, 4160, 65535, INT32_MAX, INT32_MIN};

	if (one_in(8))
		return (int32_t)dice();
	return numbers[below(sizeof(numbers) / sizeof(numbers[0]))];
}

static uint32_t some_reg(void)
{
	return one_in(16) ? below(11) : below(7);
}

static struct exo_bpf_insn some_alu(void)
{
	static const uint8_t codes[] = {BPF_ADD, BPF_ADD, BPF_SUB, BPF_MUL,  BPF_DIV, BPF_OR,
					BPF_AND, BPF_AND, BPF_LSH, BPF_RSH,  BPF_NEG, BPF_MOD,
					BPF_XOR, BPF_MOV, BPF_MOV, BPF_ARSH, BPF_END};
	static const int16_t widths[] = {8, 16, 32};
	const uint32_t code = codes[below(sizeof(codes))];
	const uint32_t class = one_in(2) ? BPF_ALU : BPF_ALU64;

	if (code == BPF_NEG)
		return INSN(class | code, some_reg(), 0, 0, 0);
	if (code == BPF_END)
		return INSN(class | code | (class == BPF_ALU && one_in(2) ? BPF_X : 0), some_reg(),
			    0, 0, 16 << below(3));
	if (code == BPF_MOV && one_in(4))
		return INSN(class | code | BPF_X, some_reg(), some_reg(), widths[below(3)], 0);
	if ((code == BPF_DIV || code == BPF_MOD) && one_in(2))
		return INSN(class | code | BPF_X, some_reg(), some_reg(), 1, 0);
	if (one_in(2))
		return INSN(class | code | BPF_X, some_reg(), some_reg(), 0, 0);
	return INSN(class | code, some_reg(), 0, 0, some_imm());
}

static struct exo_bpf_insn some_access(void)
{
	const uint32_t size = below(4) << 3;
	const int16_t spot = (int16_t)(one_in(2) ? -8 - 8 * (int)below(4) : -(int)below(40));

	switch (below(5)) {
	case 0:
		return INSN(BPF_ST | BPF_MEM | size, 10, 0, spot, some_imm());
	case 1:
		return INSN(BPF_STX | BPF_MEM | size, one_in(4) ? some_reg() : 10, some_reg(), spot,
			    0);
	case 2:
		return INSN(BPF_LDX | BPF_MEM | size, some_reg(), 10, spot, 0);
	case 3:
		return INSN(BPF_LDX | (size != BPF_DW && one_in(3) ? BPF_MEMSX : BPF_MEM) | size,
			    some_reg(), 1, below(40), 0);
	default:
		return INSN(BPF_LDX | BPF_MEM | size, some_reg(), some_reg(), below(9) * 8, 0);
	}
}

static struct exo_bpf_insn some_jump(uint32_t ahead)
{
	static const uint8_t codes[] = {BPF_JA,	  BPF_JEQ,  BPF_JGT, BPF_JGE, BPF_JSET, BPF_JNE,
					BPF_JSGT, BPF_JSGE, BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JSLE};
	const uint32_t code = codes[below(sizeof(codes))];
	const uint32_t class = one_in(2) ? BPF_JMP : BPF_JMP32;
	const int16_t off = (int16_t)below(ahead + 1);

	if (code == BPF_JA)
		return class == BPF_JMP ? JA(off) : JAL(off);
	if (one_in(2))
		return INSN(class | code | BPF_X, some_reg(), some_reg(), off, 0);
	return INSN(class | code, some_reg(), 0, off, some_imm());
}

static struct exo_bpf_insn some_insn(uint32_t ahead)
{
	switch (below(8)) {
	case 0:
		return ahead ? some_jump(ahead) : some_alu();
	case 1:
	case 2:
	case 3:
		return some_access();
	default:
		return some_alu();
	}
}

/* ---- programs from nothing ---------------------------------------------------------------- */

static void add(struct candidate *c, struct exo_bpf_insn i)
{
	if (c->count < LONGEST)
		c->insn[c->count++] = i;
}

static void add_body(struct candidate *c, uint32_t n)
{
	for (; n != 0; n--)
		add(c, some_insn(n - 1));
}

/* Bounds register r in one of the ways that compilers do, near what memory allows. */
static void add_bound(struct candidate *c, uint32_t r, uint32_t size)
{
	const int32_t n = (int32_t)(size ? size - 2 + below(4) : below(4));

	switch (below(6)) {
	case 0:
		add(c, INSN((one_in(2) ? BPF_ALU : BPF_ALU64) | BPF_MOD, r, 0, 0, n));
		break;
	case 1:
		add(c, INSN((one_in(2) ? BPF_JMP : BPF_JMP32) | BPF_JLE, r, 0, 1, n));
		add(c, OP(MOV, r, below(4)));
		break;
	case 2:
		add(c, INSN((one_in(2) ? BPF_JMP : BPF_JMP32) | BPF_JSLT, r, 0, 1, n));
		add(c, OP(AND, r, below(4)));
		break;
	case 3:
		add(c, OP(RSH, r, 50 + (int32_t)below(14)));
		break;
	default:
		add(c, INSN((one_in(2) ? BPF_ALU : BPF_ALU64) | BPF_AND, r, 0, 0,
			    (1 << below(10)) - 1));
	}
}

/* Memory at an index: a load of the context, or a store to the stack and a load from it. */
static void add_indexed(struct candidate *c)
{
	const uint32_t i = 3 + below(3), at = 6, size = below(4) << 3;
	const int in_stack = one_in(3);

	add_bound(c, i, in_stack ? 16 : c->context_size);
	if (one_in(3))
		add(c, OP(LSH, i, (int32_t)below(4)));
	add(c, OPX(MOV, at, in_stack ? 10 : 1));
	add(c, INSN(BPF_ALU64 | BPF_X | (one_in(4) || in_stack ? BPF_SUB : BPF_ADD), at, i, 0, 0));
	if (in_stack && one_in(2))
		add(c, INSN(BPF_STX | BPF_MEM | size, at, some_reg(), -8, 0));
	add(c, INSN(BPF_LDX | BPF_MEM | size, i, at, in_stack ? -8 : (int32_t)below(9), 0));
}

/* A branch on what is not known, with different things done on both sides. */
static void add_branches(struct candidate *c)
{
	const uint32_t n = 1 + below(3), m = 1 + below(3);

	add(c, JIF(JSGT, 3 + below(4), some_imm(), n + 1));
	add_body(c, n);
	add(c, JA((int16_t)m));
	add_body(c, m);
}

static void add_part(struct candidate *c)
{
	switch (below(3)) {
	case 0:
		add_indexed(c);
		break;
	case 1:
		add_branches(c);
		break;
	default:
		add_body(c, below(4));
	}
}

/* Parts that are done a number of times, which is known or read. */
static void add_loop(struct candidate *c)
{
	const uint32_t counter = 7 + below(3);

	if (one_in(2) && c->context_size != 0) {
		add(c, LDX(B, counter, 1, below(c->context_size)));
		add(c, OP(AND, counter, 15));
		add(c, OP(ADD, counter, 1));
	} else {
		add(c, OP(MOV, counter, 1 + (int32_t)below(20)));
	}

	const uint32_t head = c->count;

	for (uint32_t n = 1 + below(2); n != 0; n--)
		add_part(c);
	if (one_in(3))
		add(c, JIF(JEQ, 3 + below(4), some_imm(), 2));
	add(c, OP(ADD, counter, -1));
	add(c, JIF(JNE, counter, 0, (int)head - (int)c->count - 1));
}

/* Numbers in r3..r6 and in some of the stack; parts; a loop perhaps; an answer. */
static void generate(struct candidate *c)
{
	c->count = 0;
	c->context_size = one_in(8) ? 0 : 8u << below(4);
	add(c, OP(MOV, 0, (int32_t)below(10)));
	for (uint32_t r = 3; r <= 6; r++) {
		const int load = c->context_size != 0 && !one_in(3);

		add(c, load ? INSN(BPF_LDX | BPF_MEM | below(4) << 3, r, 1,
				   below(c->context_size - 7), 0)
			    : OP(MOV, r, some_imm()));
	}
	for (int spot = -8; spot >= -24; spot -= 8)
		if (!one_in(4))
			add(c, STX(DW, 10, spot, below(7)));
	for (uint32_t n = below(3); n != 0; n--)
		add_part(c);
	if (!one_in(3))
		add_loop(c);
	for (uint32_t n = below(2); n != 0; n--)
		add_part(c);
	if (one_in(2))
		add(c, OPX(MOV, 0, some_reg()));
	add(c, EXIT);
}

/* ---- changes ------------------------------------------------------------------------------ */

/* Makes room for an instruction at `at`, and jumps over it go where they went. */
static void insert(struct candidate *c, uint32_t at, struct exo_bpf_insn what)
{
	if (c->count == LONGEST)
		return;
	for (uint32_t k = 0; k < c->count; k++) {
		struct exo_bpf_insn *const i = &c->insn[k];
		const int jumps = (i->op & 7) == BPF_JMP || (i->op & 7) == BPF_JMP32;
		const int64_t to = bpf_target(*i, k);

		if (!jumps || i->op == (BPF_JMP32 | BPF_JA))
			continue;
		if (k < at && to > (int64_t)at)
			i->off++;
		if (k >= at && to <= (int64_t)at)
			i->off--;
	}
	memmove(&c->insn[at + 1], &c->insn[at], (c->count - at) * sizeof(what));
	c->insn[at] = what;
	c->count++;
}

static void change_field(struct exo_bpf_insn *i)
{
	switch (below(6)) {
	case 0:
		i->op ^= (uint8_t)(1 << below(8));
		break;
	case 1:
		i->regs = (uint8_t)((i->regs & 0xf0) | some_reg());
		break;
	case 2:
		i->regs = (uint8_t)((i->regs & 15) | some_reg() << 4);
		break;
	case 3:
		i->off = (int16_t)(one_in(2) ? i->off + (int)below(17) - 8 : some_imm());
		break;
	case 4:
		i->imm = one_in(2) ? (int32_t)((uint32_t)i->imm + below(5) - 2) : some_imm();
		break;
	default: /* the same with another operand size or operation */
		i->op ^= (uint8_t)((i->op & 7) < BPF_ALU ? 8 << below(2) : 16 << below(4));
	}
}

static void change(struct candidate *c)
{
	const uint32_t at = below(c->count), from = below(pooled);
	const struct candidate *const other = &pool[from];
	const struct exo_bpf_insn old = c->insn[at];

	switch (below(10)) {
	case 0:
		c->insn[at] = c->insn[below(c->count)];
		break;
	case 1:
		c->insn[at] = c->insn[c->count - 1 - at];
		c->insn[c->count - 1 - at] = old;
		break;
	case 2:
		c->insn[at] = other->insn[below(other->count)];
		break;
	case 3:
	case 4:
	case 5:
		insert(c, at, some_insn(below(4)));
		break;
	case 6:
		insert(c, at, other->insn[below(other->count)]);
		break;
	default:
		change_field(&c->insn[at]);
	}
}

/* ---- judging ------------------------------------------------------------------------------ */

static void fill_context(void)
{
	const uint32_t kind = below(4);

	for (size_t k = 0; k < sizeof(context); k += 8) {
		const uint64_t n = kind == 0   ? 0
				   : kind == 1 ? ~0ull
				   : kind == 2 ? below(100)
					       : dice() >> below(64);

		memcpy(context + k, &n, 8);
	}
}

static _Noreturn void fail(const char *what, uint64_t a, uint64_t b)
{
	printf("FAIL bpf at random: %s: %llx, %llx; context %u bytes, bound %u\n", what,
	       (unsigned long long)a, (unsigned long long)b, program.context_size, program.steps);
	for (uint32_t k = 0; k < program.count * 8; k++)
		printf("%02x%s", ((const uint8_t *)program.insn)[k], k % 8 == 7 ? "\n" : " ");
	printf("context:");
	for (uint32_t k = 0; k < program.context_size; k++)
		printf(" %02x", context[k]);
	printf("\n");
	exit(1);
}

static void run(void)
{
	struct bpf_model m = {.insn = program.insn,
			      .count = program.count,
			      .context = context,
			      .context_size = program.context_size,
			      .limit = program.steps,
			      .strict = 1,
			      .context_at = dice() << 16,
			      .stack_at = ~dice() << 16};
	uint32_t steps;
	uint64_t r0;

	fill_context();
	bpf_model_run(&m);
	if (m.fault)
		fail(m.fault, m.pc, m.steps);
	r0 = bpf_run(&program, context, &steps);
	if (r0 != m.r0)
		fail("results", r0, m.r0);
	if (steps != m.steps)
		fail("steps", steps, m.steps);
	count.runs++;
	count.steps += steps;
	count.at_bound += steps == program.steps;
}

static int judge(const struct candidate *c)
{
	const uint32_t patience = one_in(4096) ? EXO_BPF_MAX_STEPS + 1 : PATIENCE;
	enum exo_bpf_reason reason;

	memcpy(program.insn, c->insn, sizeof(c->insn));
	program.count = c->count;
	program.context_size = c->context_size;
	reason = bpf_verify_begin(&verifier, &program);
	if (reason == EXO_BPF_MORE)
		reason = bpf_verify_some(&verifier, &program, patience);
	count.programs++;
	count.reason[reason]++;
	if (reason != EXO_BPF_OK)
		return 0;
	count.accepted++;
	for (int k = 0; k < CONTEXTS; k++)
		run();
	return 1;
}

/* Takes one of the pool, changes it, and puts what is accepted in another's place now and then. */
static void turn(void)
{
	static struct candidate c;

	if (one_in(8)) {
		generate(&c);
	} else {
		c = pool[below(one_in(3) ? kept : pooled)];
		for (uint32_t n = 1 + below(3); n != 0; n--)
			change(&c);
	}
	if (judge(&c) && program.steps <= PATIENCE / 2 && one_in(4))
		pool[pooled < POOL ? pooled++ : kept + below(POOL - kept)] = c;
}

static void take(const char *name, const char *kind)
{
	const char *const build = getenv("O");
	struct candidate *const c = &pool[pooled++];
	char path[512];
	const char *why;
	long bytes;

	snprintf(path, sizeof(path), "%s/exo/test/bpf/sched/%s.%s.o",
		 build && *build ? build : "build", name, kind);
	bytes = bpf_object(path, "sched", (uint8_t *)c->insn, sizeof(c->insn), &why);
	c->count = (uint32_t)bytes / 8;
	c->context_size = sizeof(struct exo_sched);
	if (bytes >= 0 && judge(c))
		return;
	printf("FAIL bpf at random: %s: %s\n", path, bytes < 0 ? why : "refused");
	exit(1);
}

static void fill_pool(void)
{
	static const char *const names[] = {"rr", "priority", "stride", "edf", "remaining", "gang"};

	for (unsigned k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		take(names[k], "clang");
		take(names[k], "gcc");
	}
	kept = pooled;
	while (pooled < POOL / 2) {
		generate(&pool[pooled]);
		pooled += (uint32_t)judge(&pool[pooled]);
	}
}

static void print_counts(void)
{
	printf("%llu programs, %llu accepted, %llu runs of %llu steps in all, %llu as long as the "
	       "bound\n",
	       (unsigned long long)count.programs, (unsigned long long)count.accepted,
	       (unsigned long long)count.runs, (unsigned long long)count.steps,
	       (unsigned long long)count.at_bound);
	for (uint32_t k = 1; k < 64; k++)
		if (count.reason[k])
			printf("%10llu %s\n", (unsigned long long)count.reason[k],
			       exo_bpf_reason_text(k));
}

int main(int words, char **word)
{
	const time_t begun = time(NULL);
	uint64_t programs = PROGRAMS, seconds = 0;

	for (int k = 1; k + 1 < words; k += 2) {
		const uint64_t n = strtoull(word[k + 1], NULL, 0);

		if (strcmp(word[k], "--seed") == 0)
			seed = n * 2 + 1;
		else if (strcmp(word[k], "--programs") == 0)
			programs = n;
		else if (strcmp(word[k], "--seconds") == 0)
			seconds = n;
	}
	fill_pool();
	while (seconds ? (uint64_t)(time(NULL) - begun) < seconds : count.programs < programs)
		for (int k = 0; k < 1000; k++)
			turn();
	print_counts();
	/* Fuzzing that accepts next to nothing, or everything, would show nothing. */
	if (count.accepted < count.programs / 20 || count.accepted > count.programs * 19 / 20) {
		printf("FAIL bpf at random: %llu of %llu accepted\n",
		       (unsigned long long)count.accepted, (unsigned long long)count.programs);
		return 1;
	}
	printf("ok bpf at random\n");
	return 0;
}
