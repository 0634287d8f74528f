/*
 * bpf_range.h - what the verifier knows of a number: that it is not below lo nor above hi.
 *
 * Each function answers with a range that has every result that the instruction can have with
 * operands from the ranges given; where that is hard to say, with all numbers.
 */
#ifndef KERN_BPF_RANGE_H
#define KERN_BPF_RANGE_H

#include "bpf_insn.h"

struct bpf_range {
	uint64_t lo, hi; /* lo <= hi, unsigned */
};

/*@ predicate is_range(struct bpf_range r) = r.lo <= r.hi; */

static inline struct bpf_range bpf_exactly(uint64_t n)
{
	return (struct bpf_range){n, n};
}

static inline struct bpf_range bpf_up_to(uint64_t hi)
{
	return (struct bpf_range){0, hi};
}

static inline int bpf_exact(struct bpf_range r)
{
	return r.lo == r.hi;
}

/* The smallest range around both. */
static inline struct bpf_range bpf_hull(struct bpf_range a, struct bpf_range b)
{
	return (struct bpf_range){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

/* a + b, a - b, modulo 2^64. */
struct bpf_range bpf_range_add(struct bpf_range a, struct bpf_range b);
struct bpf_range bpf_range_sub(struct bpf_range a, struct bpf_range b);

/* The arithmetic instruction i, not one of byte order, on numbers. */
struct bpf_range bpf_range_alu(struct exo_bpf_insn i, struct bpf_range a, struct bpf_range b);

/* The instruction of byte order i. */
struct bpf_range bpf_range_reorder(struct exo_bpf_insn i, struct bpf_range a);

/*
 * The conditional jump i compares *a with *b: can it be taken (yes) or not be taken (!yes)?  If so,
 * *a and *b are narrowed to what they are then.
 */
int bpf_range_jump(struct exo_bpf_insn i, int yes, struct bpf_range *a, struct bpf_range *b);

#endif
