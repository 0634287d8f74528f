/*
 * bpf_range.h - what the verifier knows of a number: that it is not below lo nor above hi.
 *
 * Each function answers with a range that has every result that the instruction can have with
 * operands from the ranges given; where that is hard to say, with all numbers.
 */
#ifndef KERN_BPF_RANGE_H
#define KERN_BPF_RANGE_H

#include "bpf_alu.h"

struct bpf_range {
	uint64_t lo, hi; /* lo <= hi, unsigned */
};

/*@ predicate is_range(struct bpf_range r) = r.lo <= r.hi;
    predicate covers(struct bpf_range r, struct bpf_range s) = r.lo <= s.lo && s.hi <= r.hi;
    predicate holds(struct bpf_range r, integer n) = r.lo <= n <= r.hi; */

/*@ assigns \nothing;
    ensures \result.lo == n && \result.hi == n; */
static inline struct bpf_range bpf_exactly(uint64_t n)
{
	return (struct bpf_range){n, n};
}

/*@ assigns \nothing;
    ensures \result.lo == 0 && \result.hi == hi; */
static inline struct bpf_range bpf_up_to(uint64_t hi)
{
	return (struct bpf_range){0, hi};
}

/*@ assigns \nothing;
    ensures \result != 0 <==> r.lo == r.hi; */
static inline int bpf_exact(struct bpf_range r)
{
	return r.lo == r.hi;
}

/* The smallest range around both. */
/*@ requires is_range(a) && is_range(b);
    assigns \nothing;
    ensures is_range(\result) && covers(\result, a) && covers(\result, b); */
static inline struct bpf_range bpf_hull(struct bpf_range a, struct bpf_range b)
{
	return (struct bpf_range){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

/* a + b, a - b, modulo 2^64. */
/*@ requires is_range(a) && is_range(b);
    assigns \nothing;
    ensures is_range(\result);
    ensures \forall integer x, y; holds(a, x) && holds(b, y) ==>
      holds(\result, x + y <= 0xffffffffffffffff ? x + y : x + y - 0x10000000000000000);
    ensures \forall integer x; holds(a, x) ==>
      holds(\result, x + b.lo <= 0xffffffffffffffff ? x + b.lo :
	x + b.lo - 0x10000000000000000); */
struct bpf_range bpf_range_add(struct bpf_range a, struct bpf_range b);
/*@ requires is_range(a) && is_range(b);
    assigns \nothing;
    ensures is_range(\result);
    ensures \forall integer x, y; holds(a, x) && holds(b, y) ==>
      holds(\result, x >= y ? x - y : x - y + 0x10000000000000000);
    ensures \forall integer y; holds(b, y) ==>
      holds(\result, a.lo >= y ? a.lo - y : a.lo - y + 0x10000000000000000); */
struct bpf_range bpf_range_sub(struct bpf_range a, struct bpf_range b);

/* The arithmetic instruction i, not one of byte order, on numbers. */
/*@ requires is_range(a) && is_range(b) && is_alu(i) && off_known(i);
    assigns \nothing;
    ensures is_range(\result);
    ensures \forall integer x, y; holds(a, x) && holds(b, y) && i.op / 16 != BPF_END / 16 ==>
      holds(\result, result_of(i, x, y)); */
struct bpf_range bpf_range_alu(struct exo_bpf_insn i, struct bpf_range a, struct bpf_range b);

/* The instruction of byte order i. */
/*@ requires is_range(a) && (i.imm == 16 || i.imm == 32 || i.imm == 64);
    assigns \nothing;
    ensures is_range(\result);
    ensures \forall integer x; holds(a, x) ==> holds(\result, reordered(i, x)); */
struct bpf_range bpf_range_reorder(struct exo_bpf_insn i, struct bpf_range a);

/*
 * The conditional jump i compares *a with *b: can it be taken (yes) or not be taken (!yes)?  If so,
 * *a and *b are narrowed to what they are then.
 */
/*@ requires \valid(a) && \valid(b) && \separated(a, b) && is_range(*a) && is_range(*b);
    requires compares(i.op / 16 * 16) && (yes == 0 || yes == 1);
    assigns *a, *b;
    ensures is_range(*a) && is_range(*b);
    ensures \forall integer x, y; holds(\old(*a), x) && holds(\old(*b), y) &&
      (taken(i, x, y) <==> yes != 0) ==> \result != 0 && holds(*a, x) && holds(*b, y); */
int bpf_range_jump(struct exo_bpf_insn i, int yes, struct bpf_range *a, struct bpf_range *b);

#endif
