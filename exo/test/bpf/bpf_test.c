/*
 * bpf_test.c - what each instruction does, what each reason of refusal is for, what is accepted.
 *
 * Results are worked out from RFC 9669.  Whatever is accepted runs in the kernel's interpreter and
 * in the model, which must agree in the result and in the steps.
 */
#include "../../host/bpf_model.h"
#include "../../kern/bpf.h"
#include "asm.h"

#include <stdio.h>
#include <string.h>

static const char *why; /* the first thing wrong in the running test */
static char why_text[256];

static void wrong(int line, const char *what, uint64_t got, uint64_t wanted)
{
	if (why)
		return;
	snprintf(why_text, sizeof(why_text), "line %d: %s: %llx, not %llx", line, what,
		 (unsigned long long)got, (unsigned long long)wanted);
	why = why_text;
}

/* ---- running ------------------------------------------------------------------------------ */

static const uint8_t memory[64] = {0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88, 0x11, 0x22};

static struct bpf_verifier verifier;
static struct bpf_program program;

static enum exo_bpf_reason verify(const struct exo_bpf_insn *insn, uint32_t count)
{
	enum exo_bpf_reason reason;

	program.count = count;
	program.context_size = sizeof(memory);
	if (count <= EXO_BPF_MAX_INSNS)
		memcpy(program.insn, insn, count * sizeof(*insn));
	reason = bpf_verify_begin(&verifier, &program);
	while (reason == EXO_BPF_MORE)
		reason = bpf_verify_some(&verifier, &program, 7);
	return reason;
}

/* The result, by the kernel's interpreter. */
static uint64_t run(int line)
{
	static uint8_t copy[sizeof(memory)];
	struct bpf_model m = {.insn = program.insn,
			      .count = program.count,
			      .context = copy,
			      .context_size = sizeof(copy),
			      .limit = 1000000,
			      .strict = 1,
			      .context_at = 0x70000000,
			      .stack_at = 0x7000000000};
	uint32_t steps;
	const uint64_t r0 = bpf_run(&program, memory, &steps);

	memcpy(copy, memory, sizeof(memory));
	bpf_model_run(&m);
	if (m.fault)
		wrong(line, m.fault, m.pc, 0);
	if (m.r0 != r0)
		wrong(line, "the model's result", m.r0, r0);
	if (m.steps != steps)
		wrong(line, "the model's steps", m.steps, steps);
	if (steps > program.steps)
		wrong(line, "steps", steps, program.steps);
	return r0;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void gives(int line, uint64_t wanted, const struct exo_bpf_insn *insn, uint32_t count)
{
	const enum exo_bpf_reason reason = verify(insn, count);
	uint64_t got;

	if (reason != EXO_BPF_OK) {
		wrong(line, exo_bpf_reason_text(reason), verifier.pc, 0);
		return;
	}
	got = run(line);
	if (got != wanted)
		wrong(line, "result", got, wanted);
}

/* The program is accepted, and its result is this. */
#define GIVES(wanted, ...)                                                                         \
	do {                                                                                       \
		const struct exo_bpf_insn insn[] = {__VA_ARGS__};                                  \
		gives(__LINE__, wanted, insn, COUNT(insn));                                        \
	} while (0)

/* The program is accepted, and its longest path is this long. */
#define STEPS(wanted, ...)                                                                         \
	do {                                                                                       \
		const struct exo_bpf_insn insn[] = {__VA_ARGS__};                                  \
		const enum exo_bpf_reason reason = verify(insn, COUNT(insn));                      \
		if (reason != EXO_BPF_OK)                                                          \
			wrong(__LINE__, exo_bpf_reason_text(reason), verifier.pc, 0);              \
		else if (program.steps != (wanted))                                                \
			wrong(__LINE__, "longest path", program.steps, wanted);                    \
		else                                                                               \
			run(__LINE__);                                                             \
	} while (0)

static int seen[256]; /* reasons of refusal that came */

static void refuses(int line, enum exo_bpf_reason wanted, uint32_t at,
		    const struct exo_bpf_insn *insn, uint32_t count)
{
	const enum exo_bpf_reason reason = verify(insn, count);

	seen[reason] = 1;
	if (reason != wanted)
		wrong(line, exo_bpf_reason_text(reason), reason, wanted);
	else if (verifier.pc != at)
		wrong(line, "instruction", verifier.pc, at);
	else if (program.steps != 0)
		wrong(line, "refused, and has steps", program.steps, 0);
}

/* The program is refused for this reason, which is found at instruction `at`. */
#define NO(reason, at, ...)                                                                        \
	do {                                                                                       \
		const struct exo_bpf_insn insn[] = {__VA_ARGS__};                                  \
		refuses(__LINE__, EXO_BPF_##reason, at, insn, COUNT(insn));                        \
	} while (0)

/* a op b, with b in a register and, where it fits, as the immediate.  r6 hides from the verifier
   what it could work out itself, since loads are not known: b = b + 0, the 0 from memory. */
static void binary(int line, struct exo_bpf_insn i, uint64_t a, uint64_t b, uint64_t wanted)
{
	struct exo_bpf_insn known[] = {LDDW(0, a), LDDW(3, b), i, EXIT};
	struct exo_bpf_insn loaded[] = {LDX(DW, 6, 1, 24), LDDW(0, a), LDDW(3, b), OPX(ADD, 0, 6),
					OPX(ADD, 3, 6),	   i,	       EXIT};

	gives(line, wanted, known, COUNT(known));
	gives(line, wanted, loaded, COUNT(loaded));
	if ((i.op & BPF_X) == 0 || (uint64_t)(int64_t)(int32_t)b != b ||
	    (i.off != 0 && i.off != 1) || (i.op & 0xf0) == BPF_END)
		return;
	known[4] = loaded[7] = INSN(i.op & ~BPF_X, 0, 0, i.off, (int32_t)b);
	gives(line, wanted, known, COUNT(known));
	gives(line, wanted, loaded, COUNT(loaded));
}

#define OF(wanted, insn, a, b) binary(__LINE__, insn, a, b, wanted)
#define SDIV		       INSN(BPF_ALU64 | BPF_X | BPF_DIV, 0, 3, 1, 0)
#define SMOD		       INSN(BPF_ALU64 | BPF_X | BPF_MOD, 0, 3, 1, 0)
#define SDIVW		       INSN(BPF_ALU | BPF_X | BPF_DIV, 0, 3, 1, 0)
#define SMODW		       INSN(BPF_ALU | BPF_X | BPF_MOD, 0, 3, 1, 0)

static const uint64_t TOP = 1ull << 63, MINUS = ~0ull;

/* ---- what instructions do ----------------------------------------------------------------- */

static void test_arithmetic_64(void)
{
	OF(7, OPX(ADD, 0, 3), 3, 4);
	OF(0, OPX(ADD, 0, 3), MINUS, 1);
	OF(2, OPX(ADD, 0, 3), 3, MINUS);
	OF(MINUS, OPX(SUB, 0, 3), 3, 4);
	OF(1ull << 40, OPX(MUL, 0, 3), 1 << 20, 1 << 20);
	OF(0xfffffffe00000001, OPX(MUL, 0, 3), 0xffffffff, 0xffffffff);
	OF(0, OPX(MUL, 0, 3), 1ull << 32, 1ull << 32);
	OF(0xf5, OPX(OR, 0, 3), 0xa1, 0x54);
	OF(0x0f0f, OPX(AND, 0, 3), 0xff0f, 0x0fff);
	OF(0x1234, OPX(AND, 0, 3), 0x1234, MINUS);
	OF(0xff, OPX(XOR, 0, 3), 0xa5, 0x5a);
	OF(5, OPX(MOV, 0, 3), 9, 5);
	OF(MINUS, OPX(MOV, 0, 3), 9, MINUS);
	OF(~5ull + 1, OP(NEG, 0, 0), 5, 0);
	OF(TOP, OP(NEG, 0, 0), TOP, 0);
}

static void test_arithmetic_32(void)
{
	OF(0, OPXW(ADD, 0, 3), 0xffffffff, 1);
	OF(0xffffffff, OPXW(SUB, 0, 3), 1ull << 40 | 3, 4);
	OF(1, OPXW(MUL, 0, 3), 0xffffffff, 0xffffffff);
	OF(0xf5, OPXW(OR, 0, 3), 0xffffffff000000a1, 0x54);
	OF(0x34, OPXW(AND, 0, 3), 0xffffffff00001234, 0xff);
	OF(0xffffff00, OPXW(XOR, 0, 3), 0xff, MINUS);
	OF(0xffffffff, OPXW(MOV, 0, 3), 9, MINUS);
	OF(0xfffffffb, OPW(NEG, 0, 0), 5, 0);
	OF(0x80000000, OPW(NEG, 0, 0), 0x80000000, 0);
}

static void test_division(void)
{
	OF(3, OPX(DIV, 0, 3), 7, 2);
	OF(0, OPX(DIV, 0, 3), 7, 0);
	OF(1, OPX(DIV, 0, 3), MINUS, MINUS);
	OF(1, OPX(MOD, 0, 3), 7, 2);
	OF(7, OPX(MOD, 0, 3), 7, 0);
	OF(MINUS, OPX(MOD, 0, 3), MINUS, 0);
	OF(0x7fffffff, OPXW(DIV, 0, 3), 0xfffffffeull, 2);
	OF(0, OPXW(DIV, 0, 3), 7, 1ull << 32);
	OF(7, OPXW(MOD, 0, 3), 0xabcd00000007, 0);
	OF(1, OPXW(DIV, 0, 3), 0xffffffff, MINUS);
	OF(3, OPXW(MOD, 0, 3), 0x1100000007, 4);
}

static void test_signed_division(void)
{
	OF(~3ull + 1, SDIV, ~7ull + 1, 2);
	OF(~3ull + 1, SDIV, 7, ~2ull + 1);
	OF(3, SDIV, ~7ull + 1, ~2ull + 1);
	OF(0, SDIV, ~7ull + 1, 0);
	OF(TOP, SDIV, TOP, MINUS);
	OF(MINUS, SMOD, ~7ull + 1, 2);
	OF(1, SMOD, 7, ~2ull + 1);
	OF(~7ull + 1, SMOD, ~7ull + 1, 0);
	OF(0, SMOD, TOP, MINUS);
	OF(0xfffffffd, SDIVW, 0xfffffff9, 2);
	OF(0x80000000, SDIVW, 0x80000000, MINUS);
	OF(0, SDIVW, 5, 0);
	OF(0xffffffff, SMODW, 0xfffffff9, 2);
	OF(0, SMODW, 0x80000000, MINUS);
	OF(0xfffffff9, SMODW, 0xabfffffff9, 0);
}

static void test_shifts(void)
{
	OF(1ull << 40, OPX(LSH, 0, 3), 1, 40);
	OF(2, OPX(LSH, 0, 3), 1, 65);
	OF(1, OPX(RSH, 0, 3), TOP, 63);
	OF(4, OPX(RSH, 0, 3), 8, 129);
	OF(MINUS, OPX(ARSH, 0, 3), TOP, 63);
	OF(0xfffffffffffffffe, OPX(ARSH, 0, 3), ~3ull + 1, 65);
	OF(3, OPX(ARSH, 0, 3), 7, 1);
	OF(0, OPXW(LSH, 0, 3), 0x80000000, 1);
	OF(2, OPXW(LSH, 0, 3), 1, 33);
	OF(1, OPXW(RSH, 0, 3), 0xff80000000, 31);
	OF(4, OPXW(RSH, 0, 3), 8, 33);
	OF(0xffffffff, OPXW(ARSH, 0, 3), 0x80000000, 31);
	OF(0xc0000000, OPXW(ARSH, 0, 3), 0xff80000000, 33);
}

static void test_sign_extension(void)
{
	OF(MINUS, INSN(BPF_ALU64 | BPF_X | BPF_MOV, 0, 3, 8, 0), 0, 0x1ff);
	OF(0x7f, INSN(BPF_ALU64 | BPF_X | BPF_MOV, 0, 3, 8, 0), 0, 0x17f);
	OF(0xffffffffffff8000, INSN(BPF_ALU64 | BPF_X | BPF_MOV, 0, 3, 16, 0), 0, 0x18000);
	OF(0xffffffff80000000, INSN(BPF_ALU64 | BPF_X | BPF_MOV, 0, 3, 32, 0), 0, 0x180000000);
	OF(0xffffff80, INSN(BPF_ALU | BPF_X | BPF_MOV, 0, 3, 8, 0), 0, 0x80);
	OF(0xffff8000, INSN(BPF_ALU | BPF_X | BPF_MOV, 0, 3, 16, 0), 0, 0x8000);
	OF(0x7000, INSN(BPF_ALU | BPF_X | BPF_MOV, 0, 3, 16, 0), 0, 0xffff7000);
}

static void test_byte_order(void)
{
	const uint64_t n = 0x0102030405060708;

	OF(0x0708, INSN(BPF_ALU | BPF_END, 0, 0, 0, 16), n, 0);
	OF(0x05060708, INSN(BPF_ALU | BPF_END, 0, 0, 0, 32), n, 0);
	OF(n, INSN(BPF_ALU | BPF_END, 0, 0, 0, 64), n, 0);
	OF(0x0807, INSN(BPF_ALU | BPF_X | BPF_END, 0, 0, 0, 16), n, 0);
	OF(0x08070605, INSN(BPF_ALU | BPF_X | BPF_END, 0, 0, 0, 32), n, 0);
	OF(0x0807060504030201, INSN(BPF_ALU | BPF_X | BPF_END, 0, 0, 0, 64), n, 0);
	OF(0x0807, INSN(BPF_ALU64 | BPF_END, 0, 0, 0, 16), n, 0);
	OF(0x08070605, INSN(BPF_ALU64 | BPF_END, 0, 0, 0, 32), n, 0);
	OF(0x0807060504030201, INSN(BPF_ALU64 | BPF_END, 0, 0, 0, 64), n, 0);
}

static void test_loads(void)
{
	GIVES(0x82, LDX(B, 0, 1, 1), EXIT);
	GIVES(0x8403, LDX(H, 0, 1, 2), EXIT);
	GIVES(0x86058403, LDX(W, 0, 1, 2), EXIT);
	GIVES(0x8807860584038201, LDX(DW, 0, 1, 0), EXIT);
	GIVES(0x2211880786058403, LDX(DW, 0, 1, 2), EXIT);
	GIVES(0xffffffffffffff82, LDXS(B, 0, 1, 1), EXIT);
	GIVES(3, LDXS(B, 0, 1, 2), EXIT);
	GIVES(0xffffffffffff8403, LDXS(H, 0, 1, 2), EXIT);
	GIVES(0xffffffff86058403, LDXS(W, 0, 1, 2), EXIT);
	GIVES(0x123456789abcdef0, LDDW(0, 0x123456789abcdef0), EXIT);
	GIVES(0xffffffff, LDDW(0, 0xffffffff), EXIT);
	GIVES(64, OPX(MOV, 0, 2), EXIT);
}

static void test_stores(void)
{
	GIVES(0x11223344, ST(W, 10, -4, 0x11223344), LDX(W, 0, 10, -4), EXIT);
	GIVES(MINUS, ST(DW, 10, -8, -1), LDX(DW, 0, 10, -8), EXIT);
	GIVES(0x3344, ST(H, 10, -512, 0x11223344), LDX(H, 0, 10, -512), EXIT);
	GIVES(0xff02, ST(B, 10, -2, 2), ST(B, 10, -1, -1), LDX(H, 0, 10, -2), EXIT);
	GIVES(0x05040302, LDDW(3, 0x0807060504030201), STX(DW, 10, -16, 3), LDX(W, 0, 10, -15),
	      EXIT);
	GIVES(0x0201020100000000, LDDW(3, 0x0807060504030201), ST(DW, 10, -8, 0), STX(H, 10, -4, 3),
	      STX(H, 10, -2, 3), LDX(DW, 0, 10, -8), EXIT);
	GIVES(0x0101, LDDW(3, 0x0807060504030201), STX(B, 10, -3, 3), STX(B, 10, -2, 3),
	      LDX(H, 0, 10, -3), EXIT);
	GIVES(0x04030201, LDDW(3, 0x0807060504030201), STX(W, 10, -6, 3), LDX(W, 0, 10, -6), EXIT);
	/* An address that was put aside is one again. */
	GIVES(0x82, STX(DW, 10, -8, 1), LDX(DW, 3, 10, -8), LDX(B, 0, 3, 1), EXIT);
	GIVES(5, STX(DW, 10, -8, 10), LDX(DW, 3, 10, -8), ST(DW, 3, -16, 5), LDX(DW, 0, 10, -16),
	      EXIT);
}

/* Is the jump i (r3 against r4, 2 further) taken, with known and with loaded operands? */
static void jump(int line, struct exo_bpf_insn i, uint64_t a, uint64_t b, uint64_t taken)
{
	struct exo_bpf_insn known[] = {LDDW(3, a), LDDW(4, b),	  i,   OP(MOV, 0, 0),
				       EXIT,	   OP(MOV, 0, 1), EXIT};
	struct exo_bpf_insn loaded[] = {
		LDX(DW, 6, 1, 24), LDDW(3, a), LDDW(4, b),    OPX(ADD, 3, 6),
		OPX(ADD, 4, 6),	   i,	       OP(MOV, 0, 0), EXIT,
		OP(MOV, 0, 1),	   EXIT};

	i.off = 2;
	for (int n = 0; n < 2; n++) {
		known[4] = loaded[7] = i;
		gives(line, taken, known, COUNT(known));
		gives(line, taken, loaded, COUNT(loaded));
		if ((uint64_t)(int64_t)(int32_t)b != b)
			return;
		i = INSN(i.op & ~BPF_X, 3, 0, 2, (int32_t)b);
	}
}

#define TAKEN(op, a, b)                                                                            \
	(jump(__LINE__, JIFX(op, 3, 4, 0), a, b, 1), jump(__LINE__, JIFXW(op, 3, 4, 0), a, b, 1))
#define PASSED(op, a, b)                                                                           \
	(jump(__LINE__, JIFX(op, 3, 4, 0), a, b, 0), jump(__LINE__, JIFXW(op, 3, 4, 0), a, b, 0))

static void test_jumps(void)
{
	TAKEN(JEQ, 5, 5);
	PASSED(JEQ, 5, 6);
	TAKEN(JNE, 5, 6);
	PASSED(JNE, 5, 5);
	TAKEN(JGT, 6, 5);
	PASSED(JGT, 5, 5);
	TAKEN(JGT, MINUS, 5);
	TAKEN(JGE, 5, 5);
	PASSED(JGE, 4, 5);
	TAKEN(JLT, 4, 5);
	PASSED(JLT, 5, 5);
	PASSED(JLT, MINUS, 5);
	TAKEN(JLE, 5, 5);
	PASSED(JLE, 6, 5);
	TAKEN(JSET, 6, 4);
	PASSED(JSET, 6, 9);
	TAKEN(JSGT, 5, MINUS);
	PASSED(JSGT, MINUS, 5);
	PASSED(JSGT, MINUS, MINUS);
	TAKEN(JSGE, MINUS, MINUS);
	PASSED(JSGE, MINUS, 0);
	TAKEN(JSLT, MINUS, 0);
	PASSED(JSLT, 0, MINUS);
	TAKEN(JSLE, MINUS, 0);
	TAKEN(JSLE, MINUS, MINUS);
	PASSED(JSLE, 1, MINUS);
}

static void test_jumps_of_32_bits(void)
{
	jump(__LINE__, JIFXW(JEQ, 3, 4, 0), 1ull << 32 | 5, 5, 1);
	jump(__LINE__, JIFX(JEQ, 3, 4, 0), 1ull << 32 | 5, 5, 0);
	jump(__LINE__, JIFXW(JSLT, 3, 4, 0), 0x80000000, 0, 1);
	jump(__LINE__, JIFX(JSLT, 3, 4, 0), 0x80000000, 0, 0);
	jump(__LINE__, JIFXW(JSET, 3, 4, 0), 1ull << 32, 1ull << 32, 0);
	jump(__LINE__, JIFX(JSET, 3, 4, 0), 1ull << 32, 1ull << 32, 1);
	GIVES(7, OP(MOV, 0, 7), JA(1), OP(MOV, 0, 8), EXIT);
	GIVES(7, OP(MOV, 0, 7), JAL(1), OP(MOV, 0, 8), EXIT);
	GIVES(3, JA(2), OP(MOV, 0, 3), EXIT, JAL(-3));
}

/* ---- what is accepted --------------------------------------------------------------------- */

static void test_bound_is_the_longest_path(void)
{
	STEPS(2, OP(MOV, 0, 0), EXIT);
	/* Of two branches the longer one counts, and what cannot be reached does not. */
	STEPS(6, LDX(B, 3, 1, 0), JIF(JEQ, 3, 0, 3), OP(MOV, 0, 0), OP(ADD, 0, 1), JA(1),
	      OP(MOV, 0, 1), EXIT);
	STEPS(2, OP(MOV, 0, 0), EXIT, OP(ADD, 0, 1), EXIT);
	/* Ten rounds of two, two before, one behind. */
	STEPS(22, OP(MOV, 0, 10), OP(ADD, 0, -1), JIF(JNE, 0, 0, -2), EXIT);
	/* A number of rounds that is read, but at most 31. */
	STEPS(4 + 2 * 31 + 1, LDX(B, 3, 1, 0), OP(AND, 3, 31), OP(MOV, 0, 0), JIF(JEQ, 3, 0, 2),
	      OP(ADD, 3, -1), JIF(JNE, 3, 0, -2), EXIT);
}

static void test_loops(void)
{
	/* Sum of a table by index: base + (i << 3). */
	GIVES(0, OP(MOV, 0, 0), OP(MOV, 3, 2), OPX(MOV, 4, 3), OP(LSH, 4, 3), OPX(MOV, 5, 1),
	      OPX(ADD, 5, 4), LDX(DW, 5, 5, 0), OPX(ADD, 0, 5), OP(ADD, 3, 1), JIF(JLT, 3, 8, -8),
	      EXIT);
	/* By address, to an end. */
	GIVES(0x88, OP(MOV, 0, 0), OPX(MOV, 3, 1), OPX(MOV, 4, 1), OP(ADD, 4, 64), LDX(B, 5, 3, 0),
	      JIFX(JGE, 0, 5, 1), OPX(MOV, 0, 5), OP(ADD, 3, 1), JIFX(JLT, 3, 4, -5), EXIT);
	/* Two loops, one in the other: 4 rounds of 5. */
	GIVES(20, OP(MOV, 0, 0), OP(MOV, 3, 4), OP(MOV, 4, 5), OP(ADD, 0, 1), OP(ADD, 4, -1),
	      JIF(JNE, 4, 0, -3), OP(ADD, 3, -1), JIF(JNE, 3, 0, -6), EXIT);
	/* A counter of 32 bits that is entered in the middle, as clang does. */
	GIVES(64, OP(MOV, 0, 0), OPW(MOV, 3, 65), JA(1), OP(ADD, 0, 1), OPW(ADD, 3, -1),
	      JIFW(JNE, 3, 0, -3), EXIT);
	/* Numbers of the stack, at an index. */
	GIVES(7, ST(DW, 10, -16, 7), ST(DW, 10, -8, 7), LDX(B, 3, 1, 0), OP(AND, 3, 8),
	      OPX(MOV, 4, 10), OPX(SUB, 4, 3), LDX(DW, 0, 4, -8), EXIT);
}

static void test_ranges(void)
{
	/* Bounded by a comparison, of each kind. */
	GIVES(0, LDX(DW, 3, 1, 24), JIF(JGT, 3, 63, 2), OPX(ADD, 1, 3), LDX(B, 0, 1, 0),
	      OP(MOV, 0, 0), EXIT);
	GIVES(0, LDX(DW, 3, 1, 24), JIF(JSLT, 3, 0, 3), JIF(JSGE, 3, 64, 2), OPX(ADD, 1, 3),
	      LDX(B, 0, 1, 0), OP(MOV, 0, 0), EXIT);
	GIVES(0, LDX(W, 3, 1, 24), JIFW(JGE, 3, 64, 2), OPX(ADD, 1, 3), LDX(B, 0, 1, 0),
	      OP(MOV, 0, 0), EXIT);
	/* By arithmetic: & 63, % 64, >> 58, / 4 of a byte. */
	GIVES(1, LDX(DW, 3, 1, 24), OP(AND, 3, 63), OPX(ADD, 1, 3), LDX(B, 0, 1, 0), EXIT);
	GIVES(1, LDX(DW, 3, 1, 24), OP(MOD, 3, 64), OPX(ADD, 1, 3), LDX(B, 0, 1, 0), EXIT);
	GIVES(1, LDX(DW, 3, 1, 24), OP(RSH, 3, 58), OPX(ADD, 1, 3), LDX(B, 0, 1, 0), EXIT);
	GIVES(1, LDX(B, 3, 1, 24), OP(DIV, 3, 4), OPX(ADD, 1, 3), LDX(B, 0, 1, 0), EXIT);
	/* An address less a number, the other way around, and how far two are apart. */
	GIVES(0, LDX(DW, 3, 1, 24), OP(AND, 3, 31), OPX(MOV, 4, 1), OP(ADD, 4, 33), OPX(SUB, 4, 3),
	      LDX(B, 0, 4, -2), EXIT);
	GIVES(0x82, OP(MOV, 3, 1), OPX(ADD, 3, 1), LDX(B, 0, 3, 0), EXIT);
	GIVES(8, OPX(MOV, 0, 1), OP(ADD, 0, 8), OPX(SUB, 0, 1), EXIT);
	GIVES(1, OP(MOV, 0, 1), JIF(JNE, 1, 0, 1), OP(MOV, 0, 2), EXIT);
}

/* ---- what is refused ---------------------------------------------------------------------- */

static void test_no_such_instruction(void)
{
	NO(OPCODE, 0, INSN(0, 0, 0, 0, 0), EXIT);
	NO(OPCODE, 1, OP(MOV, 0, 0), INSN(0xe7, 0, 0, 0, 1), EXIT);
	NO(OPCODE, 0, INSN(0xf4, 0, 0, 0, 1), EXIT);
	NO(OPCODE, 0, INSN(BPF_ALU64 | BPF_NEG | BPF_X, 0, 0, 0, 0), EXIT);
	NO(OPCODE, 0, INSN(BPF_ALU64 | BPF_END | BPF_X, 0, 0, 0, 16), EXIT);
	NO(OPCODE, 0, INSN(0xe5, 0, 0, 0, 0), EXIT);
	NO(OPCODE, 0, INSN(BPF_JMP | BPF_JA | BPF_X, 0, 0, 0, 0), EXIT);
	NO(OPCODE, 0, INSN(BPF_JMP32 | BPF_EXIT, 0, 0, 0, 0), EXIT);
	NO(OPCODE, 0, INSN(BPF_JMP | BPF_EXIT | BPF_X, 0, 0, 0, 0), EXIT);
	NO(OPCODE, 0, INSN(BPF_JMP32 | BPF_CALL, 0, 0, 0, 1), EXIT);
	NO(OPCODE, 0, INSN(BPF_LDX | BPF_MEMSX | BPF_DW, 0, 1, 0, 0), EXIT);
	NO(OPCODE, 0, INSN(BPF_LDX | BPF_IMM, 0, 1, 0, 0), EXIT);
	NO(OPCODE, 0, INSN(BPF_LD | BPF_IMM | BPF_B, 0, 0, 0, 0), EXIT);
	NO(OPCODE, 0, INSN(BPF_LD | BPF_ABS | BPF_DW, 0, 0, 0, 0), EXIT);
	NO(OPCODE, 0, INSN(BPF_ST | BPF_ATOMIC | BPF_W, 10, 0, -4, 0), EXIT);
	NO(OPCODE, 0, INSN(BPF_STX | BPF_ATOMIC | BPF_H, 10, 1, -4, 0), EXIT);
	NO(OPCODE, 0, INSN(BPF_STX | BPF_MEMSX | BPF_W, 10, 1, -4, 0), EXIT);
}

static void test_fields(void)
{
	NO(REGISTER, 0, OP(MOV, 11, 0), EXIT);
	NO(REGISTER, 0, OPX(MOV, 0, 15), EXIT);
	NO(REGISTER, 0, OPX(MOV, 0, 11), EXIT);
	NO(REGISTER, 0, LDX(W, 0, 12, 0), EXIT);
	NO(FRAME, 0, OP(MOV, 10, 0), EXIT);
	NO(FRAME, 0, OP(ADD, 10, -8), EXIT);
	NO(FRAME, 0, LDX(DW, 10, 1, 0), EXIT);
	NO(FRAME, 0, LDDW(10, 0), EXIT);
	NO(FRAME, 0, INSN(BPF_ALU | BPF_END, 10, 0, 0, 64), EXIT);
	NO(FIELD, 0, INSN(BPF_ALU64 | BPF_ADD, 0, 1, 0, 1), EXIT);
	NO(FIELD, 0, INSN(BPF_ALU64 | BPF_ADD | BPF_X, 0, 1, 0, 1), EXIT);
	NO(FIELD, 0, INSN(BPF_ALU64 | BPF_ADD | BPF_X, 0, 1, 1, 0), EXIT);
	NO(FIELD, 0, INSN(BPF_ALU64 | BPF_DIV | BPF_X, 0, 1, 2, 0), EXIT);
	NO(FIELD, 0, INSN(BPF_ALU64 | BPF_MOV, 0, 0, 8, 0), EXIT);
	NO(FIELD, 0, INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 1, 24, 0), EXIT);
	NO(FIELD, 0, INSN(BPF_ALU | BPF_MOV | BPF_X, 0, 1, 32, 0), EXIT);
	NO(FIELD, 0, INSN(BPF_ALU64 | BPF_NEG, 0, 0, 0, 1), EXIT);
	NO(FIELD, 0, INSN(BPF_ALU64 | BPF_NEG, 0, 1, 0, 0), EXIT);
	NO(FIELD, 0, INSN(BPF_ALU | BPF_END, 0, 0, 0, 8), EXIT);
	NO(FIELD, 0, INSN(BPF_ALU | BPF_END, 0, 1, 0, 16), EXIT);
	NO(FIELD, 0, INSN(BPF_ALU64 | BPF_END, 0, 0, 1, 16), EXIT);
	NO(FIELD, 0, INSN(BPF_JMP | BPF_JA, 0, 0, 0, 1), EXIT);
	NO(FIELD, 0, INSN(BPF_JMP | BPF_JA, 1, 0, 0, 0), EXIT);
	NO(FIELD, 0, INSN(BPF_JMP32 | BPF_JA, 0, 0, 1, 0), EXIT, EXIT);
	NO(FIELD, 0, INSN(BPF_JMP | BPF_JEQ, 0, 1, 0, 0), EXIT);
	NO(FIELD, 0, INSN(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0, 1), EXIT);
	NO(FIELD, 0, INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 1));
	NO(FIELD, 0, INSN(BPF_JMP | BPF_EXIT, 0, 1, 0, 0));
	NO(FIELD, 0, INSN(BPF_JMP | BPF_EXIT, 0, 0, 1, 0));
	NO(FIELD, 0, INSN(BPF_LDX | BPF_MEM, 0, 1, 0, 1), EXIT);
	NO(FIELD, 0, INSN(BPF_ST | BPF_MEM, 10, 1, -4, 1), EXIT);
	NO(FIELD, 0, INSN(BPF_STX | BPF_MEM, 10, 1, -4, 1), EXIT);
	NO(FIELD, 0, INSN(BPF_LDDW, 0, 0, 1, 0), INSN(0, 0, 0, 0, 0), EXIT);
	NO(FIELD, 0, INSN(BPF_LDDW, 0, 7, 0, 0), INSN(0, 0, 0, 0, 0), EXIT);
	NO(FIELD, 0, INSN(BPF_LDDW, 0, 0, 0, 0), INSN(0, 1, 0, 0, 0), EXIT);
	NO(FIELD, 0, INSN(BPF_LDDW, 0, 0, 0, 0), INSN(0, 0, 0, 1, 0), EXIT);
	/* Also where no path leads to. */
	NO(FIELD, 2, OP(MOV, 0, 0), EXIT, INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 1));
}

static void test_not_offered(void)
{
	NO(ATOMIC, 0, INSN(BPF_STX | BPF_ATOMIC | BPF_W, 10, 1, -4, 0), EXIT);
	NO(ATOMIC, 0, INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 10, 1, -8, 0xf1), EXIT);
	NO(HELPER, 0, CALL(1), EXIT);
	NO(HELPER, 0, INSN(BPF_JMP | BPF_CALL, 0, 2, 0, 1), EXIT);
	NO(LOCAL_CALL, 0, INSN(BPF_JMP | BPF_CALL, 0, 1, 0, 0), EXIT);
	NO(CALL_REGISTER, 0, INSN(BPF_JMP | BPF_CALL | BPF_X, 1, 0, 0, 0), EXIT);
	NO(TAIL_CALL, 0, CALL(12), EXIT);
	NO(PACKET, 0, INSN(BPF_LD | BPF_ABS | BPF_W, 0, 0, 0, 0), EXIT);
	NO(PACKET, 0, INSN(BPF_LD | BPF_IND | BPF_B, 0, 1, 0, 0), EXIT);
	NO(OBJECT, 0, INSN(BPF_LDDW, 1, 1, 0, 3), INSN(0, 0, 0, 0, 0), EXIT);
}

static void test_shape(void)
{
	struct exo_bpf_insn many[EXO_BPF_MAX_INSNS + 1];

	for (uint32_t k = 0; k < COUNT(many); k++)
		many[k] = k % 4 == 3 ? OP(ADD, 0, 1) : OP(MOV, 0, 0);
	many[COUNT(many) - 1] = EXIT;
	refuses(__LINE__, EXO_BPF_LENGTH, 0, many, 0);
	refuses(__LINE__, EXO_BPF_LENGTH, 0, many, COUNT(many));
	gives(__LINE__, 1, many + 1, COUNT(many) - 1);
	NO(PAIR, 0, INSN(BPF_LDDW, 0, 0, 0, 0));
	NO(PAIR, 0, INSN(BPF_LDDW, 0, 0, 0, 0), EXIT);
	NO(TARGET, 0, JA(1), EXIT);
	NO(TARGET, 0, JA(-2), EXIT);
	NO(TARGET, 0, JAL(0x7fffffff), EXIT);
	NO(MIDDLE, 0, JA(1), LDDW(0, 0), EXIT);
	NO(END, 0, OP(MOV, 0, 0));
	NO(END, 1, OP(MOV, 0, 0), JIF(JEQ, 0, 0, -2));
	NO(END, 1, LDDW(0, 0));
}

static void test_many_targets(void)
{
	struct exo_bpf_insn chain[EXO_BPF_MAX_TARGETS + 2];

	for (uint32_t k = 0; k < COUNT(chain); k++)
		chain[k] = JIF(JEQ, 2, 0, 0);
	chain[0] = OP(MOV, 0, 9);
	chain[COUNT(chain) - 1] = EXIT;
	/* Each of the jumps 1..128 makes its next a target: with the first instruction that is 129.
	 */
	refuses(__LINE__, EXO_BPF_TARGETS, COUNT(chain) - 1, chain, COUNT(chain));
	chain[1] = OP(MOV, 0, 7);
	gives(__LINE__, 7, chain, COUNT(chain));
}

static void test_unset(void)
{
	NO(UNSET, 0, EXIT);
	NO(UNSET, 0, OPX(MOV, 0, 3), EXIT);
	NO(UNSET, 0, OP(ADD, 0, 1), EXIT);
	NO(UNSET, 0, LDX(B, 0, 3, 0), EXIT);
	NO(UNSET, 0, STX(B, 10, -1, 3), EXIT);
	NO(UNSET, 0, STX(B, 3, -1, 1), EXIT);
	NO(UNSET, 0, JIF(JEQ, 3, 0, 0), EXIT);
	NO(UNSET, 0, JIFX(JEQ, 1, 3, 0), EXIT);
	/* On one path only; and an address on one, a number on the other. */
	NO(UNSET, 3, LDX(B, 3, 1, 0), JIF(JEQ, 3, 0, 1), OP(MOV, 0, 0), EXIT);
	NO(UNSET, 5, LDX(B, 3, 1, 0), OPX(MOV, 4, 1), JIF(JEQ, 3, 0, 1), OP(MOV, 4, 0),
	   OP(MOV, 0, 0), LDX(B, 0, 4, 0), EXIT);
	NO(UNSET, 4, LDX(B, 3, 1, 0), JIF(JEQ, 3, 0, 1), OPX(MOV, 1, 10), OP(MOV, 0, 0),
	   LDX(B, 0, 1, -1), EXIT);
	NO(UNSET_STACK, 0, LDX(DW, 0, 10, -8), EXIT);
	NO(UNSET_STACK, 1, ST(W, 10, -4, 0), LDX(DW, 0, 10, -8), EXIT);
	NO(UNSET_STACK, 1, ST(B, 10, -3, 0), LDX(H, 0, 10, -3), EXIT);
	NO(UNSET_STACK, 3, LDX(B, 3, 1, 0), JIF(JEQ, 3, 0, 1), ST(DW, 10, -8, 0),
	   LDX(DW, 0, 10, -8), EXIT);
	NO(UNSET_STACK, 5, LDX(B, 3, 1, 0), JIF(JEQ, 3, 0, 2), ST(DW, 10, -8, 0), JA(1),
	   OP(MOV, 0, 0), LDX(DW, 0, 10, -8), EXIT);
	/* Written at an index that is not known: some of it, so none of it. */
	NO(UNSET_STACK, 5, LDX(B, 3, 1, 0), OP(AND, 3, 8), OPX(MOV, 4, 10), OPX(SUB, 4, 3),
	   ST(DW, 4, -8, 0), LDX(DW, 0, 10, -8), EXIT);
}

static void test_bounds(void)
{
	NO(CONTEXT, 0, LDX(B, 0, 1, 64), EXIT);
	NO(CONTEXT, 0, LDX(DW, 0, 1, 57), EXIT);
	NO(CONTEXT, 0, LDX(B, 0, 1, -1), EXIT);
	NO(CONTEXT, 3, LDX(B, 3, 1, 0), OP(AND, 3, 127), OPX(ADD, 1, 3), LDX(B, 0, 1, 0), EXIT);
	NO(CONTEXT, 3, LDX(DW, 3, 1, 0), JIF(JGT, 3, 64, 2), OPX(ADD, 1, 3), LDX(B, 0, 1, 0),
	   OP(MOV, 0, 0), EXIT);
	NO(CONTEXT, 2, OP(MOV, 3, 0), OPX(ADD, 1, 3), LDX(B, 0, 1, 0), OP(ADD, 1, 1), JA(-3));
	/* A byte stays one when divided by what may be 1, shifted by what may be 0, modulo what may
	 * be 0. */
	NO(CONTEXT, 5, LDX(B, 3, 1, 0), LDX(B, 4, 1, 1), OP(OR, 4, 1), OPX(DIV, 3, 4),
	   OPX(ADD, 1, 3), LDX(B, 0, 1, 0), EXIT);
	NO(CONTEXT, 5, LDX(B, 3, 1, 0), LDX(B, 4, 1, 1), OP(AND, 4, 7), OPX(RSH, 3, 4),
	   OPX(ADD, 1, 3), LDX(B, 0, 1, 0), EXIT);
	NO(CONTEXT, 5, LDX(B, 3, 1, 0), LDX(B, 4, 1, 1), OP(AND, 4, 7), OPX(MOD, 3, 4),
	   OPX(ADD, 1, 3), LDX(B, 0, 1, 0), EXIT);
	/* Up to 4 or up to 3 is up to 7; less than 64 is up to 63; signs are far below. */
	NO(CONTEXT, 6, LDX(B, 3, 1, 0), OP(MOD, 3, 5), LDX(B, 4, 1, 0), OP(MOD, 4, 4),
	   OPX(OR, 3, 4), OPX(ADD, 1, 3), LDX(B, 0, 1, 57), EXIT);
	NO(CONTEXT, 3, LDX(B, 3, 1, 0), JIF(JGE, 3, 64, 2), OPX(ADD, 1, 3), LDX(B, 0, 1, 1),
	   OP(MOV, 0, 0), EXIT);
	NO(FAR, 3, LDX(B, 3, 1, 0), OP(MOD, 3, 129), INSN(BPF_ALU64 | BPF_X | BPF_MOV, 3, 3, 8, 0),
	   OPX(ADD, 1, 3), EXIT);
	NO(FAR, 1, LDXS(B, 3, 1, 0), OPX(ADD, 1, 3), EXIT);
	NO(STACK, 0, ST(B, 10, 0, 0), EXIT);
	NO(STACK, 0, ST(DW, 10, -7, 0), EXIT);
	NO(STACK, 0, ST(B, 10, -513, 0), EXIT);
	NO(STACK, 0, LDX(B, 0, 10, 0), EXIT);
	NO(STACK, 0, LDX(DW, 0, 10, -516), EXIT);
	NO(FAR, 1, LDX(DW, 3, 1, 0), OPX(ADD, 1, 3), EXIT);
	NO(FAR, 0, OP(ADD, 1, 0x7fffffff), EXIT);
	NO(FAR, 1, LDX(DW, 3, 1, 0), OPX(SUB, 1, 3), EXIT);
	/* The square of what may be 2^32 is not 0 for all between. */
	NO(FAR, 4, LDX(DW, 3, 1, 0), OP(AND, 3, 1), OP(LSH, 3, 32), OPX(MUL, 3, 3), OPX(ADD, 1, 3),
	   EXIT);
}

static void test_addresses(void)
{
	NO(NUMBER, 0, LDX(B, 0, 2, 0), EXIT);
	NO(NUMBER, 0, ST(B, 2, 0, 0), EXIT);
	NO(STORE, 0, ST(B, 1, 0, 0), EXIT);
	NO(STORE, 0, STX(DW, 1, 8, 2), EXIT);
	NO(STORE, 1, OP(ADD, 1, 8), STX(DW, 1, 8, 2), EXIT);
	NO(POINTER, 0, OP(MUL, 1, 2), EXIT);
	NO(POINTER, 0, OP(AND, 1, -8), EXIT);
	NO(POINTER, 0, OPW(ADD, 1, 1), EXIT);
	NO(POINTER, 0, OPXW(MOV, 0, 1), EXIT);
	NO(POINTER, 0, INSN(BPF_ALU64 | BPF_X | BPF_MOV, 0, 1, 32, 0), EXIT);
	NO(POINTER, 0, OP(NEG, 1, 0), EXIT);
	NO(POINTER, 0, INSN(BPF_ALU | BPF_END, 1, 0, 0, 64), EXIT);
	NO(POINTER, 0, OPX(ADD, 1, 1), EXIT);
	NO(POINTER, 0, OPX(SUB, 1, 10), EXIT);
	NO(POINTER, 0, OPX(SUB, 2, 1), EXIT);
	NO(COMPARE, 0, JIF(JEQ, 1, 5, 0), EXIT);
	NO(COMPARE, 0, JIF(JGT, 1, 0, 0), EXIT);
	NO(COMPARE, 0, JIFW(JEQ, 1, 0, 0), EXIT);
	NO(COMPARE, 0, JIFX(JEQ, 1, 10, 0), EXIT);
	NO(COMPARE, 0, JIFX(JEQ, 2, 1, 0), EXIT);
	NO(COMPARE, 0, JIFX(JSET, 1, 1, 0), EXIT);
	NO(LEAK_RETURN, 1, OPX(MOV, 0, 1), EXIT);
	NO(LEAK_RETURN, 1, OPX(MOV, 0, 10), EXIT);
	NO(LEAK_STORE, 0, STX(W, 10, -8, 1), EXIT);
	NO(LEAK_STORE, 0, STX(DW, 10, -12, 1), EXIT);
	NO(LEAK_LOAD, 1, STX(DW, 10, -8, 1), LDX(W, 0, 10, -8), EXIT);
	NO(LEAK_LOAD, 2, STX(DW, 10, -8, 1), ST(DW, 10, -16, 1), LDX(DW, 0, 10, -12), EXIT);
	/* One that was written to in part is neither. */
	NO(UNSET_STACK, 2, STX(DW, 10, -8, 1), ST(B, 10, -8, 0), LDX(DW, 0, 10, -8), EXIT);
	NO(UNSET_STACK, 2, STX(DW, 10, -8, 1), ST(B, 10, -8, 0), LDX(B, 0, 10, -7), EXIT);
	/* One path leaves an address there, the other a number. */
	NO(UNSET_STACK, 4, LDX(B, 3, 1, 0), STX(DW, 10, -8, 1), JIF(JEQ, 3, 0, 1),
	   ST(DW, 10, -8, 0), LDX(DW, 0, 10, -8), EXIT);
}

static void test_endless(void)
{
	NO(LOOP, 0, JA(-1));
	NO(LOOP, 0, OP(MOV, 0, 0), JA(-2));
	/* Until a number that is read changes; and with a bound that is read. */
	NO(LOOP, 0, LDX(B, 0, 1, 0), JIF(JNE, 0, 0, -2), EXIT);
	NO(LOOP, 2, LDX(DW, 3, 1, 0), OP(MOV, 0, 0), OP(ADD, 0, 1), JIFX(JLT, 0, 3, -2), EXIT);
	/* Down past zero. */
	NO(LOOP, 1, OP(MOV, 0, 9), OP(ADD, 0, -2), JIF(JNE, 0, 0, -2), EXIT);
}

/* Each reason has come, and each has a text.  BUDGET is what loading says, not the verifier. */
static void test_every_reason(void)
{
	static const int reasons[] = {
#define REASON(name, number, meaning) number,
#include <exo/bpf.def>
#undef REASON
	};

	for (unsigned k = 2; k < COUNT(reasons); k++) /* not OK and MORE */
		if (!seen[reasons[k]] && reasons[k] != EXO_BPF_BUDGET)
			wrong(__LINE__, exo_bpf_reason_text((uint32_t)reasons[k]), 0, 1);
	if (strcmp(exo_bpf_reason_text(255), "unknown") != 0)
		wrong(__LINE__, "text of no reason", 0, 0);
}

/* The parts in which a program is looked at do not matter. */
static void test_parts(void)
{
	const struct exo_bpf_insn loop[] = {OP(MOV, 0, 10), OP(ADD, 0, -1), JIF(JNE, 0, 0, -2),
					    EXIT};
	uint32_t parts = 0;

	verify(loop, COUNT(loop));
	for (enum exo_bpf_reason reason = bpf_verify_begin(&verifier, &program);
	     reason == EXO_BPF_MORE; parts++)
		reason = bpf_verify_some(&verifier, &program, 1);
	if (parts != 22 || program.steps != 22)
		wrong(__LINE__, "parts", parts, 22);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
#define TEST(name)                                                                                 \
	{                                                                                          \
#name, test_##name                                                                 \
	}
	TEST(arithmetic_64),
	TEST(arithmetic_32),
	TEST(division),
	TEST(signed_division),
	TEST(shifts),
	TEST(sign_extension),
	TEST(byte_order),
	TEST(loads),
	TEST(stores),
	TEST(jumps),
	TEST(jumps_of_32_bits),
	TEST(bound_is_the_longest_path),
	TEST(loops),
	TEST(ranges),
	TEST(no_such_instruction),
	TEST(fields),
	TEST(not_offered),
	TEST(shape),
	TEST(many_targets),
	TEST(unset),
	TEST(bounds),
	TEST(addresses),
	TEST(endless),
	TEST(every_reason),
	TEST(parts),
#undef TEST
};

int main(void)
{
	int failed = 0;

	for (unsigned k = 0; k < COUNT(tests); k++) {
		why = NULL;
		tests[k].run();
		if (why)
			printf("FAIL bpf %s: %s\n", tests[k].name, why);
		else
			printf("ok bpf %s\n", tests[k].name);
		failed |= why != NULL;
	}
	return failed;
}
