/*
 * bpf_run.c - runs a program that was verified.
 *
 * Owns nothing: registers and stack of a run are on the kernel's stack.  No lock.  What the
 * verifier has seen is not looked at again; SEEN() says it, and host tests, which define BPF_SEEN,
 * end there when it is not so.  Only the number of steps is counted, since the loop below ends by
 * it.
 */
#include "bpf.h"

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

/*@ // where a load or store begins, and that the verifier has seen it to lie within memory
    logic integer load_at(struct run *r, struct exo_bpf_insn i) =
      (uint64_t)(r->reg[i.regs / 16] + (uint64_t)i.off);
    logic integer store_at(struct run *r, struct exo_bpf_insn i) =
      (uint64_t)(r->reg[i.regs % 16] + (uint64_t)i.off);
    predicate loads_inside(struct run *r, struct exo_bpf_insn i) =
      in_stack(load_at(r, i), size_of(i)) ||
      in_context(load_at(r, i), size_of(i), r->context_size);
    predicate stores_inside(struct run *r, struct exo_bpf_insn i) =
      in_stack(store_at(r, i), size_of(i));

    logic integer operand_of(struct run *r, struct exo_bpf_insn i) =
      (i.op & 0x08) != 0 ? r->reg[i.regs / 16] : (uint64_t)i.imm;
    predicate leads_to(struct exo_bpf_insn i, integer pc, integer to) =
      (is_jump(i) && to == goes_to(i, pc)) || (goes_on(i) && to == behind(i, pc));

    predicate prepared(struct run *r) = \valid(r) && r->context_size <= EXO_BPF_MAX_CONTEXT &&
      \valid_read(r->context + (0 .. r->context_size - 1)); */

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

/*@ requires prepared(r) && regs_named(i) && loads_inside(r, i);
    assigns r->reg[0 .. 15]; */
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

/*@ requires prepared(r) && regs_named(i) && stores_inside(r, i);
    assigns r->stack[0 .. EXO_BPF_STACK_BYTES - 1]; */
static void store(struct run *r, struct exo_bpf_insn i)
{
	const uint64_t from = r->reg[bpf_dst(i)] + (uint64_t)(int64_t)i.off;
	const uint64_t at = from - BPF_AT_STACK;
	const uint64_t n = bpf_class(i) == BPF_ST ? bpf_imm(i) : r->reg[bpf_src(i)];

	SEEN(at <= EXO_BPF_STACK_BYTES - bpf_size(i));
	scatter(&r->stack[at], bpf_size(i), n);
}

/*@ requires \valid_read(r) && regs_named(i);
    assigns \nothing;
    ensures \result == operand_of(r, i); */
static uint64_t operand(const struct run *r, struct exo_bpf_insn i)
{
	return i.op & BPF_X ? r->reg[bpf_src(i)] : bpf_imm(i);
}

/*@ requires \valid(r) && regs_named(i) && is_alu(i) && alu_known(i);
    assigns r->reg[0 .. 15];
    ensures i.op / 16 == BPF_END / 16 ==>
      r->reg[i.regs % 16] == reordered(i, \old(r->reg[i.regs % 16]));
    ensures i.op / 16 != BPF_END / 16 ==>
      r->reg[i.regs % 16] == result_of(i, \old(r->reg[i.regs % 16]), \old(operand_of(r, i)));
    ensures \forall integer k; 0 <= k < 16 && k != i.regs % 16 ==> r->reg[k] == \old(r->reg[k]); */
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
/*@ requires \valid_read(r) && regs_named(i) && is_jump(i) && pc < EXO_BPF_MAX_INSNS;
    requires 0 <= goes_to(i, pc) < EXO_BPF_MAX_INSNS && jump_known(i);
    assigns \nothing;
    ensures leads_to(i, pc, \result); */
static uint32_t jump(const struct run *r, struct exo_bpf_insn i, uint32_t pc)
{
	if (bpf_code(i) == BPF_JA || bpf_holds(i, r->reg[bpf_dst(i)], operand(r, i)))
		return (uint32_t)bpf_target(i, pc);
	return pc + 1;
}

/* Does instruction pc, which is no exit; where the run goes on. */
/*@ requires prepared(r) && pc < EXO_BPF_MAX_INSNS && \valid_read(insn + pc);
    requires \separated(r, insn + (pc .. pc + 1)) && sound(insn[pc], pc, EXO_BPF_MAX_INSNS);
    requires insn[pc].op != 0x95;
    requires insn[pc].op != 0 && (insn[pc].op == 0x18 ==> \valid_read(insn + pc + 1));
    requires is_load(insn[pc]) ==> loads_inside(r, insn[pc]);
    requires is_store(insn[pc]) ==> stores_inside(r, insn[pc]);
    assigns r->reg[0 .. 15], r->stack[0 .. EXO_BPF_STACK_BYTES - 1];
    ensures leads_to(\old(insn[pc]), pc, \result); */
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
	/*@ loop invariant 0 < n <= bound + 1 && pc < count && insn[pc].op != 0 && prepared(&r);
	    loop invariant \forall integer k; 0 <= k < count ==>
	      insn[k].op == \at(insn[k].op, Pre) && insn[k].regs == \at(insn[k].regs, Pre);
	    loop assigns n, pc, r.reg[0 .. 15], r.stack[0 .. EXO_BPF_STACK_BYTES - 1], *steps;
	    loop variant bound - n; */
	for (uint32_t n = 1; n <= bound; n++) {
		SEEN(pc < count);
		if (insn[pc].op == (BPF_JMP | BPF_EXIT)) {
			*steps = n;
			return r.reg[0];
		}
		/*@ admit verified_load: is_load(insn[pc]) ==> loads_inside(&r, insn[pc]); */
		/*@ admit verified_store: is_store(insn[pc]) ==> stores_inside(&r, insn[pc]); */
		/*@ assert here: sound(insn[pc], pc, count); */
		/*@ assert next: \forall integer to; leads_to(insn[pc], pc, to) ==>
		      0 <= to < count && \at(insn[to].op, Pre) != 0; */
		pc = step(&r, insn, pc);
	}
	SEEN(0);
	*steps = bound;
	return ~0ull;
}
