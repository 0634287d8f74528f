/*
 * bpf_run.c - runs a program that was verified.
 *
 * Owns nothing: registers and stack of a run are on the kernel's stack.  No lock.  What the
 * verifier has seen is not looked at again; SEEN() says it, and host tests, which define BPF_SEEN,
 * end there when it is not so.  Only the number of steps is counted, since the loop below ends by
 * it.
 */
#include "bpf.h"
#include "bpf_alu.h"

#ifdef BPF_SEEN
#define SEEN(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define SEEN(condition) ((void)sizeof(condition))
#endif

struct run {
	uint64_t reg[16];
	uint8_t stack[EXO_BPF_STACK_BYTES];
	const uint8_t *context;
	uint32_t context_size;
};

/* The `size` bytes at m as a number. */
/*@ requires \valid_read(m + (0 .. size - 1)) && (size == 1 || size == 2 || size == 4 || size == 8);
    assigns \nothing; */
static uint64_t gather(const uint8_t *m, uint32_t size)
{
	switch (size) {
	case 1:
		return m[0];
	case 2:
		return m[0] | (uint64_t)m[1] << 8;
	case 4:
		return m[0] | (uint64_t)m[1] << 8 | (uint64_t)m[2] << 16 | (uint64_t)m[3] << 24;
	default:
		return m[0] | (uint64_t)m[1] << 8 | (uint64_t)m[2] << 16 | (uint64_t)m[3] << 24 |
		       (uint64_t)m[4] << 32 | (uint64_t)m[5] << 40 | (uint64_t)m[6] << 48 |
		       (uint64_t)m[7] << 56;
	}
}

/* The low `size` bytes of a number to m. */
/*@ requires \valid(m + (0 .. size - 1)) && size <= 8;
    assigns m[0 .. size - 1]; */
static void scatter(uint8_t *m, uint32_t size, uint64_t n)
{
	/*@ loop invariant 0 <= k <= size;
	    loop assigns k, m[0 .. size - 1];
	    loop variant size - k; */
	for (uint32_t k = 0; k < size; k++)
		m[k] = (uint8_t)(n >> 8 * k);
}

static void load(struct run *r, struct exo_bpf_insn i)
{
	const uint64_t at = r->reg[bpf_src(i)] + (uint64_t)(int64_t)i.off;
	const uint32_t size = bpf_size(i);
	uint64_t n;

	if (at >= BPF_AT_STACK) {
		SEEN(at - BPF_AT_STACK <= EXO_BPF_STACK_BYTES - size);
		n = gather(&r->stack[at - BPF_AT_STACK], size);
	} else {
		SEEN(at >= BPF_AT_CONTEXT && at - BPF_AT_CONTEXT + size <= r->context_size);
		n = gather(&r->context[at - BPF_AT_CONTEXT], size);
	}
	r->reg[bpf_dst(i)] = (i.op & 0xe0) == BPF_MEMSX ? bpf_extend(n, 8 * size) : n;
}

static void store(struct run *r, struct exo_bpf_insn i)
{
	const uint64_t at = r->reg[bpf_dst(i)] + (uint64_t)(int64_t)i.off - BPF_AT_STACK;
	const uint64_t n = bpf_class(i) == BPF_ST ? bpf_imm(i) : r->reg[bpf_src(i)];

	SEEN(at <= EXO_BPF_STACK_BYTES - bpf_size(i));
	scatter(&r->stack[at], bpf_size(i), n);
}

static uint64_t operand(const struct run *r, struct exo_bpf_insn i)
{
	return i.op & BPF_X ? r->reg[bpf_src(i)] : bpf_imm(i);
}

static void arithmetic(struct run *r, struct exo_bpf_insn i)
{
	uint64_t *const dst = &r->reg[bpf_dst(i)];

	if (bpf_code(i) == BPF_END)
		*dst = bpf_reorder(i, *dst);
	else if (bpf_class(i) == BPF_ALU64)
		*dst = bpf_alu64(i, *dst, operand(r, i));
	else
		*dst = bpf_alu32(i, *dst, operand(r, i));
}

/* Where the run goes on after the jump i at pc, which is no exit. */
static uint32_t jump(const struct run *r, struct exo_bpf_insn i, uint32_t pc)
{
	if (bpf_code(i) == BPF_JA || bpf_holds(i, r->reg[bpf_dst(i)], operand(r, i)))
		return (uint32_t)bpf_target(i, pc);
	return pc + 1;
}

/* Does instruction pc; where the run goes on. */
static uint32_t step(struct run *r, const struct exo_bpf_insn *insn, uint32_t pc)
{
	const struct exo_bpf_insn i = insn[pc];

	switch (bpf_class(i)) {
	case BPF_LD:
		r->reg[bpf_dst(i)] = (uint32_t)i.imm | (uint64_t)(uint32_t)insn[pc + 1].imm << 32;
		return pc + 2;
	case BPF_LDX:
		load(r, i);
		return pc + 1;
	case BPF_ST:
	case BPF_STX:
		store(r, i);
		return pc + 1;
	case BPF_JMP:
	case BPF_JMP32:
		return jump(r, i, pc);
	default:
		arithmetic(r, i);
		return pc + 1;
	}
}

uint64_t bpf_run_insns(const struct exo_bpf_insn *insn, uint32_t count, uint32_t bound,
		       const uint8_t *context, uint32_t size, uint32_t *steps)
{
	/* Zeros, though a verified program reads nothing that it has not written: so were the
	   verifier wrong in that, the kernel's stack would still not be seen. */
	struct run r = {.context = context, .context_size = size};
	uint32_t pc = 0;

	r.reg[1] = size != 0 ? BPF_AT_CONTEXT : 0;
	r.reg[2] = size;
	r.reg[EXO_BPF_FP] = BPF_AT_STACK + EXO_BPF_STACK_BYTES;
	/*@ loop variant bound - n; */
	for (uint32_t n = 1; n <= bound; n++) {
		SEEN(pc < count);
		if (insn[pc].op == (BPF_JMP | BPF_EXIT)) {
			*steps = n;
			return r.reg[0];
		}
		pc = step(&r, insn, pc);
	}
	SEEN(0);
	*steps = bound;
	return ~0ull;
}
