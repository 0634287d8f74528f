/*
 * bpf_insn.h - the fields of an instruction, by name.
 *
 * Owns nothing.  Written with % and / where a prover has to follow.
 */
#ifndef KERN_BPF_INSN_H
#define KERN_BPF_INSN_H

#include <exo/bpf.h>

/*@ predicate regs_named(struct exo_bpf_insn i) = i.regs % 16 <= 10 && i.regs / 16 <= 10;
    predicate is_jump(struct exo_bpf_insn i) =
      (i.op % 8 == BPF_JMP || i.op % 8 == BPF_JMP32) && i.op / 16 != BPF_EXIT / 16;
    predicate goes_on(struct exo_bpf_insn i) = i.op != 0x95 && i.op != 0x05 && i.op != 0x06;
    logic integer goes_to(struct exo_bpf_insn i, integer pc) =
      pc + 1 + (i.op == 0x06 ? i.imm : i.off);
    logic integer behind(struct exo_bpf_insn i, integer pc) = pc + (i.op == 0x18 ? 2 : 1);
    predicate off_known(struct exo_bpf_insn i) =
      i.off == 0 || i.off == 1 || i.off == 8 || i.off == 16 || i.off == 32;
    predicate is_alu(struct exo_bpf_insn i) = i.op % 8 == BPF_ALU || i.op % 8 == BPF_ALU64;
    predicate alu_known(struct exo_bpf_insn i) =
      i.op / 16 == BPF_END / 16 ? (i.imm == 16 || i.imm == 32 || i.imm == 64) : off_known(i);
    predicate compares(integer code) = 0 < code <= BPF_JSLE && code % 16 == 0 &&
      code != BPF_CALL && code != BPF_EXIT;
    predicate jump_known(struct exo_bpf_insn i) =
      i.op == 0x95 || i.op == 0x05 || i.op == 0x06 || compares(i.op / 16 * 16);
    predicate field_known(struct exo_bpf_insn i) =
      regs_named(i) && (is_alu(i) ==> alu_known(i)) &&
      (i.op % 8 == BPF_JMP || i.op % 8 == BPF_JMP32 ==> jump_known(i));
    predicate is_load(struct exo_bpf_insn i) = i.op % 8 == BPF_LDX;
    predicate is_store(struct exo_bpf_insn i) = i.op % 8 == BPF_ST || i.op % 8 == BPF_STX;
    logic integer size_of(struct exo_bpf_insn i) =
      i.op / 8 % 4 == 0 ? 4 : i.op / 8 % 4 == 1 ? 2 : i.op / 8 % 4 == 2 ? 1 : 8; */

/* The class, and what arithmetic or jump it is. */
/*@ assigns \nothing;
    ensures \result == i.op % 8; */
static inline uint32_t bpf_class(struct exo_bpf_insn i)
{
	return i.op % 8u;
}

/*@ assigns \nothing;
    ensures \result == i.op / 16 * 16; */
static inline uint32_t bpf_code(struct exo_bpf_insn i)
{
	return i.op / 16u * 16u;
}

/*@ assigns \nothing;
    ensures \result == i.regs % 16; */
static inline uint32_t bpf_dst(struct exo_bpf_insn i)
{
	return i.regs % 16u;
}

/*@ assigns \nothing;
    ensures \result == i.regs / 16; */
static inline uint32_t bpf_src(struct exo_bpf_insn i)
{
	return i.regs / 16u;
}

/* Bytes that a load or store moves. */
/*@ assigns \nothing;
    ensures \result == 1 || \result == 2 || \result == 4 || \result == 8;
    ensures \result == size_of(i); */
static inline uint32_t bpf_size(struct exo_bpf_insn i)
{
	switch (i.op / 8u % 4u * 8u) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

/* The immediate as an operand: with its sign. */
/*@ assigns \nothing;
    ensures \result == (uint64_t)i.imm; */
static inline uint64_t bpf_imm(struct exo_bpf_insn i)
{
	return (uint64_t)(int64_t)i.imm;
}

/* Is i, which bpf_check() has passed, a jump, and not an exit? */
/*@ assigns \nothing;
    ensures \result != 0 <==> is_jump(i); */
static inline int bpf_jumps(struct exo_bpf_insn i)
{
	return (bpf_class(i) == BPF_JMP || bpf_class(i) == BPF_JMP32) && bpf_code(i) != BPF_EXIT;
}

/* Can what follows i be reached from it? */
/*@ assigns \nothing;
    ensures \result != 0 <==> goes_on(i); */
static inline int bpf_passes(struct exo_bpf_insn i)
{
	return i.op != (BPF_JMP | BPF_EXIT) && i.op != (BPF_JMP | BPF_JA) &&
	       i.op != (BPF_JMP32 | BPF_JA);
}

/* The place of the instruction behind pc. */
/*@ requires pc < EXO_BPF_MAX_INSNS;
    assigns \nothing;
    ensures \result == behind(i, pc); */
static inline uint32_t bpf_behind(struct exo_bpf_insn i, uint32_t pc)
{
	return pc + (i.op == BPF_LDDW ? 2 : 1);
}

/* Where the jump at pc goes: goto of the class JMP32 has its distance in imm. */
/*@ requires pc < EXO_BPF_MAX_INSNS;
    assigns \nothing;
    ensures \result == goes_to(i, pc); */
static inline int64_t bpf_target(struct exo_bpf_insn i, uint32_t pc)
{
	return (int64_t)pc + 1 + (i.op == (BPF_JMP32 | BPF_JA) ? i.imm : i.off);
}

#endif
