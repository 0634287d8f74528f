/*
 * bpf_insn.h - the fields of an instruction, by name.
 *
 * Owns nothing.  Written with % and / where a prover has to follow.
 */
#ifndef KERN_BPF_INSN_H
#define KERN_BPF_INSN_H

#include <exo/bpf.h>

/* The class, and what arithmetic or jump it is. */
static inline uint32_t bpf_class(struct exo_bpf_insn i)
{
	return i.op % 8u;
}

static inline uint32_t bpf_code(struct exo_bpf_insn i)
{
	return i.op / 16u * 16u;
}

static inline uint32_t bpf_dst(struct exo_bpf_insn i)
{
	return i.regs % 16u;
}

static inline uint32_t bpf_src(struct exo_bpf_insn i)
{
	return i.regs / 16u;
}

/* Bytes that a load or store moves. */
static inline uint32_t bpf_size(struct exo_bpf_insn i)
{
	switch (i.op & 0x18) {
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
static inline uint64_t bpf_imm(struct exo_bpf_insn i)
{
	return (uint64_t)(int64_t)i.imm;
}

/* Is i, which bpf_check() has passed, a jump, and not an exit? */
static inline int bpf_jumps(struct exo_bpf_insn i)
{
	return (bpf_class(i) == BPF_JMP || bpf_class(i) == BPF_JMP32) && bpf_code(i) != BPF_EXIT;
}

/* Can what follows i be reached from it? */
static inline int bpf_passes(struct exo_bpf_insn i)
{
	return i.op != (BPF_JMP | BPF_EXIT) && i.op != (BPF_JMP | BPF_JA) &&
	       i.op != (BPF_JMP32 | BPF_JA);
}

/* The place of the instruction behind pc. */
static inline uint32_t bpf_behind(struct exo_bpf_insn i, uint32_t pc)
{
	return pc + (i.op == BPF_LDDW ? 2 : 1);
}

/* Where the jump at pc goes: goto of the class JMP32 has its distance in imm. */
static inline int64_t bpf_target(struct exo_bpf_insn i, uint32_t pc)
{
	return (int64_t)pc + 1 + (i.op == (BPF_JMP32 | BPF_JA) ? i.imm : i.off);
}

#endif
