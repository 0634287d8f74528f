/*
 * bpf_range.c - ranges of numbers through arithmetic and comparisons.
 *
 * Owns nothing, no lock.  Called by bpf_verify.c.  Ranges are unsigned; signed operations see them
 * through a flip of the sign bit where they lie on one side of it.
 */
#include "bpf_range.h"

/*@ lemma product: \forall integer a, b, x, y; 0 <= a <= x && 0 <= b <= y ==> a * b <= x * y;
    lemma product_fits: \forall integer a, b, m; 0 <= a && 0 < b && 0 <= m && a <= m / b ==>
      a * b <= m;
    lemma quotient: \forall integer a, x, b; 0 <= a <= x && 0 < b ==> a / b <= x / b;
    lemma quotient_divisor: \forall integer a, b, y; 0 <= a && 0 < b <= y ==> a / y <= a / b;
    lemma quotient_less: \forall integer a, b; 0 <= a && 0 < b ==> 0 <= a / b <= a;
    lemma remainder: \forall integer a, b; 0 <= a && 0 < b ==> 0 <= a % b < b && a % b <= a;
    lemma remainder_same: \forall integer a, b; 0 <= a < b ==> a % b == a; */

/*@ assigns \nothing;
    ensures \result.lo == 0 && \result.hi == UINT64_MAX; */
static struct bpf_range anything(void)
{
	return bpf_up_to(UINT64_MAX);
}

/*@ assigns \nothing;
    ensures \result == (a < b ? a : b); */
static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*@ assigns \nothing;
    ensures \result == (a > b ? a : b); */
static uint64_t greatest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The low 32 bits of r. */
/*@ requires is_range(r);
    assigns \nothing;
    ensures is_range(\result) && \result.hi <= 0xffffffff;
    ensures \forall integer x; holds(r, x) ==> holds(\result, (uint32_t)x); */
static struct bpf_range cut(struct bpf_range r)
{
	const uint64_t high = 1ull << 32;

	/*@ assert bits: ones(0); */
	if (r.lo / high == r.hi / high)
		return (struct bpf_range){r.lo % high, r.hi % high};
	return bpf_up_to(high - 1);
}

/* When both ends wrap around or neither does, all between them does the same. */
struct bpf_range bpf_range_add(struct bpf_range a, struct bpf_range b)
{
	if (a.hi <= UINT64_MAX - b.hi)
		return (struct bpf_range){a.lo + b.lo, a.hi + b.hi};
	if (a.lo > UINT64_MAX - b.lo)
		return (struct bpf_range){a.lo - (UINT64_MAX - b.lo) - 1,
					  a.hi - (UINT64_MAX - b.hi) - 1};
	return anything();
}

struct bpf_range bpf_range_sub(struct bpf_range a, struct bpf_range b)
{
	if (a.lo >= b.hi)
		return (struct bpf_range){a.lo - b.hi, a.hi - b.lo};
	if (a.hi < b.lo)
		return (struct bpf_range){UINT64_MAX - (b.hi - a.lo) + 1,
					  UINT64_MAX - (b.lo - a.hi) + 1};
	return anything();
}

/*@ requires is_range(a) && is_range(b);
    assigns \nothing;
    ensures is_range(\result);
    ensures \forall integer x, y; holds(a, x) && holds(b, y) ==>
      holds(\result, (uint64_t)(x * y)); */
static struct bpf_range multiply(struct bpf_range a, struct bpf_range b)
{
	if (b.hi != 0 && a.hi > ~0ull / b.hi)
		return anything();
	return (struct bpf_range){a.lo * b.lo, a.hi * b.hi};
}

/*@ requires is_range(a) && is_range(b);
    assigns \nothing;
    ensures is_range(\result);
    ensures \forall integer x, y; holds(a, x) && holds(b, y) ==> holds(\result, udiv(x, y)); */
static struct bpf_range divide(struct bpf_range a, struct bpf_range b)
{
	if (b.lo == 0)
		return bpf_up_to(a.hi);
	return (struct bpf_range){a.lo / b.hi, a.hi / b.lo};
}

/*@ requires is_range(a) && is_range(b);
    assigns \nothing;
    ensures is_range(\result);
    ensures \forall integer x, y; holds(a, x) && holds(b, y) ==> holds(\result, umod(x, y)); */
static struct bpf_range remain(struct bpf_range a, struct bpf_range b)
{
	if (b.lo == 0)
		return bpf_up_to(a.hi);
	return a.hi < b.lo ? a : bpf_up_to(least(a.hi, b.hi - 1));
}

/* The least 2^k - 1 that is not below n. */
/*@ assigns \nothing;
    ensures \result >= n && ones(\result); */
static uint64_t ones_over(uint64_t n)
{
	uint64_t ones = 0;

	/*@ loop invariant ones(ones) && 0 <= ones <= 0xffffffffffffffff;
	    loop assigns ones;
	    loop variant 0xffffffffffffffff - ones; */
	while (ones < n)
		ones = ones <= ~0ull / 2 ? 2 * ones + 1 : ~0ull;
	return ones;
}

/*@ requires is_range(a) && is_range(b) && (bits == 32 || bits == 64);
    assigns \nothing;
    ensures is_range(\result);
    ensures \forall integer x, y; holds(a, x) && holds(b, y) ==>
      holds(\result, (uint64_t)(x << (y % bits))); */
static struct bpf_range shift_left(struct bpf_range a, struct bpf_range b, uint32_t bits)
{
	/*@ assert bits: ones(0); */
	if (b.hi >= bits || a.hi > ~0ull >> b.hi)
		return anything();
	return (struct bpf_range){a.lo << b.lo, a.hi << b.hi};
}

/*@ requires is_range(a) && is_range(b) && (bits == 32 || bits == 64);
    assigns \nothing;
    ensures is_range(\result);
    ensures \forall integer x, y; holds(a, x) && holds(b, y) ==>
      holds(\result, x >> (y % bits)); */
static struct bpf_range shift_right(struct bpf_range a, struct bpf_range b, uint32_t bits)
{
	/*@ assert bits: ones(0); */
	if (b.hi >= bits)
		return bpf_up_to(a.hi);
	return (struct bpf_range){a.lo >> b.hi, a.hi >> b.lo};
}

/* Operations on numbers whose sign bits are clear are those on numbers without sign. */
/*@ requires is_range(a) && is_range(b) && (bits == 32 || bits == 64) && off_known(i);
    requires bits == 32 ==> a.hi <= 0xffffffff && b.hi <= 0xffffffff;
    assigns \nothing;
    ensures is_range(\result);
    ensures \forall integer x, y; holds(a, x) && holds(b, y) && i.op / 16 != BPF_END / 16 ==>
      holds(\result, computed(i.op / 16 * 16, i.off, x, y, bits)); */
static struct bpf_range alu(struct exo_bpf_insn i, struct bpf_range a, struct bpf_range b,
			    uint32_t bits)
{
	const uint64_t sign = bpf_sign(bits);

	switch (bpf_code(i)) {
	case BPF_ADD:
		return bpf_range_add(a, b);
	case BPF_SUB:
		return bpf_range_sub(a, b);
	case BPF_MUL:
		return multiply(a, b);
	case BPF_DIV:
		return i.off == 1 && (a.hi >= sign || b.hi >= sign) ? anything() : divide(a, b);
	case BPF_MOD:
		return i.off == 1 && (a.hi >= sign || b.hi >= sign) ? anything() : remain(a, b);
	case BPF_OR:
		return (struct bpf_range){greatest(a.lo, b.lo), ones_over(greatest(a.hi, b.hi))};
	case BPF_AND:
		return bpf_up_to(least(a.hi, b.hi));
	case BPF_XOR:
		return bpf_up_to(ones_over(greatest(a.hi, b.hi)));
	case BPF_LSH:
		return shift_left(a, b, bits);
	case BPF_RSH:
		return shift_right(a, b, bits);
	case BPF_ARSH:
		return a.hi >= sign ? anything() : shift_right(a, b, bits);
	case BPF_NEG:
		return bpf_range_sub(bpf_exactly(0), a);
	default: /* BPF_MOV */
		break;
	}
	return i.off == 0 || b.hi < bpf_sign((uint32_t)i.off) ? b : anything();
}

/* i of 32 bits, on ranges of so many. */
/*@ requires is_range(a) && is_range(b) && a.hi <= 0xffffffff && b.hi <= 0xffffffff;
    requires is_alu(i) && i.op % 8 != BPF_ALU64 && off_known(i);
    assigns \nothing;
    ensures is_range(\result);
    ensures \forall integer x, y; holds(a, x) && holds(b, y) && i.op / 16 != BPF_END / 16 ==>
      holds(\result, (uint32_t)computed(i.op / 16 * 16, i.off, x, y, 32)); */
static struct bpf_range alu_low(struct exo_bpf_insn i, struct bpf_range a, struct bpf_range b)
{
	if (bpf_exact(a) && bpf_exact(b))
		return bpf_exactly(bpf_alu32(i, a.lo, b.lo));
	return cut(alu(i, a, b, 32));
}

struct bpf_range bpf_range_alu(struct exo_bpf_insn i, struct bpf_range a, struct bpf_range b)
{
	if (bpf_class(i) != BPF_ALU64)
		return alu_low(i, cut(a), cut(b));
	if (bpf_exact(a) && bpf_exact(b))
		return bpf_exactly(bpf_alu64(i, a.lo, b.lo));
	return alu(i, a, b, 64);
}

struct bpf_range bpf_range_reorder(struct exo_bpf_insn i, struct bpf_range a)
{
	const uint64_t all = bpf_ones((uint32_t)i.imm);

	if (bpf_exact(a))
		return bpf_exactly(bpf_reorder(i, a.lo));
	return i.op == (BPF_ALU | BPF_END) && a.hi <= all ? a : bpf_up_to(all);
}

/* ---- comparisons -------------------------------------------------------------------------- */

/*@ predicate is_plain(integer code) =
      code == BPF_JEQ || code == BPF_JNE || code == BPF_JGT || code == BPF_JGE ||
      code == BPF_JLT || code == BPF_JLE;
    logic integer flip(integer x, integer bits) =
      x < sign_of(bits) ? x + sign_of(bits) : x - sign_of(bits); */

/* The comparison that holds when this one does not. */
/*@ requires is_plain(code);
    assigns \nothing;
    ensures is_plain(\result);
    ensures \forall integer x, y; compared(\result, x, y, 0) <==> !compared(code, x, y, 0); */
static uint32_t opposite(uint32_t code)
{
	switch (code) {
	case BPF_JEQ:
		return BPF_JNE;
	case BPF_JNE:
		return BPF_JEQ;
	case BPF_JGT:
		return BPF_JLE;
	case BPF_JLE:
		return BPF_JGT;
	case BPF_JGE:
		return BPF_JLT;
	default: /* BPF_JLT */
		return BPF_JGE;
	}
}

/* The unsigned comparison with the name of this one; is_signed: it was a signed one. */
/*@ requires \valid(is_signed) && compares(code);
    assigns *is_signed;
    ensures code != BPF_JSET ==> is_plain(\result);
    ensures code == BPF_JSET ==> \result == code && *is_signed == 0;
    ensures \forall integer x, y, f; *is_signed == 0 ==>
      (compared(code, x, y, f) <==> compared(\result, x, y, 0));
    ensures \forall integer x, y, f; *is_signed != 0 ==>
      (compared(code, x, y, f) <==> compared(\result, bits_xor(x, f), bits_xor(y, f), 0)); */
static uint32_t plain(uint32_t code, int *is_signed)
{
	*is_signed = 1;
	switch (code) {
	case BPF_JSGT:
		return BPF_JGT;
	case BPF_JSGE:
		return BPF_JGE;
	case BPF_JSLT:
		return BPF_JLT;
	case BPF_JSLE:
		return BPF_JLE;
	default:
		*is_signed = 0;
		return code;
	}
}

/* What of r lies in `in`: false when nothing does, and r stays. */
/*@ requires \valid(r) && is_range(*r) && is_range(in);
    assigns *r;
    ensures is_range(*r) && covers(\old(*r), *r);
    ensures \forall integer x; holds(\old(*r), x) && holds(in, x) ==>
      \result != 0 && holds(*r, x); */
static int narrow(struct bpf_range *r, struct bpf_range in)
{
	const uint64_t lo = greatest(r->lo, in.lo), hi = least(r->hi, in.hi);

	if (lo > hi)
		return 0;
	*r = (struct bpf_range){lo, hi};
	return 1;
}

/* *a < *b can hold: narrows both. */
/*@ requires \valid(a) && \valid(b) && \separated(a, b) && is_range(*a) && is_range(*b);
    assigns *a, *b;
    ensures is_range(*a) && is_range(*b) && covers(\old(*a), *a) && covers(\old(*b), *b);
    ensures \forall integer x, y; holds(\old(*a), x) && holds(\old(*b), y) && x < y ==>
      \result != 0 && holds(*a, x) && holds(*b, y); */
static int below(struct bpf_range *a, struct bpf_range *b)
{
	if (a->lo >= b->hi)
		return 0;
	a->hi = least(a->hi, b->hi - 1);
	b->lo = greatest(b->lo, a->lo + 1);
	return 1;
}

/* *a <= *b can hold: narrows both. */
/*@ requires \valid(a) && \valid(b) && \separated(a, b) && is_range(*a) && is_range(*b);
    assigns *a, *b;
    ensures is_range(*a) && is_range(*b) && covers(\old(*a), *a) && covers(\old(*b), *b);
    ensures \forall integer x, y; holds(\old(*a), x) && holds(\old(*b), y) && x <= y ==>
      \result != 0 && holds(*a, x) && holds(*b, y); */
static int not_above(struct bpf_range *a, struct bpf_range *b)
{
	if (a->lo > b->hi)
		return 0;
	a->hi = least(a->hi, b->hi);
	b->lo = greatest(b->lo, a->lo);
	return 1;
}

/* Takes n off an end of r, which is not n alone. */
/*@ requires \valid(r) && is_range(*r) && !(r->lo == n && r->hi == n);
    assigns *r;
    ensures is_range(*r) && covers(\old(*r), *r);
    ensures \forall integer x; holds(\old(*r), x) && x != n ==> holds(*r, x); */
static void without(struct bpf_range *r, uint64_t n)
{
	if (r->lo == n)
		r->lo++;
	else if (r->hi == n)
		r->hi--;
}

/* *a != *b can hold: narrows what differs from a known number. */
/*@ requires \valid(a) && \valid(b) && \separated(a, b) && is_range(*a) && is_range(*b);
    assigns *a, *b;
    ensures is_range(*a) && is_range(*b) && covers(\old(*a), *a) && covers(\old(*b), *b);
    ensures \forall integer x, y; holds(\old(*a), x) && holds(\old(*b), y) && x != y ==>
      \result != 0 && holds(*a, x) && holds(*b, y); */
static int unequal(struct bpf_range *a, struct bpf_range *b)
{
	if (bpf_exact(*a) && bpf_exact(*b))
		return a->lo != b->lo;
	if (bpf_exact(*b))
		without(a, b->lo);
	else if (bpf_exact(*a))
		without(b, a->lo);
	return 1;
}

/*@ requires \valid(a) && \valid(b) && \separated(a, b) && is_range(*a) && is_range(*b);
    requires is_plain(code);
    assigns *a, *b;
    ensures is_range(*a) && is_range(*b) && covers(\old(*a), *a) && covers(\old(*b), *b);
    ensures \forall integer x, y; holds(\old(*a), x) && holds(\old(*b), y) &&
      compared(code, x, y, 0) ==> \result != 0 && holds(*a, x) && holds(*b, y); */
static int can_hold(uint32_t code, struct bpf_range *a, struct bpf_range *b)
{
	switch (code) {
	case BPF_JEQ:
		return narrow(a, *b) && narrow(b, *a);
	case BPF_JNE:
		return unequal(a, b);
	case BPF_JGT:
		return below(b, a);
	case BPF_JGE:
		return not_above(b, a);
	case BPF_JLT:
		return below(a, b);
	default: /* BPF_JLE */
		break;
	}
	return not_above(a, b);
}

/* r with the sign bit flipped; what lies on both sides of it is anything of its bits then. */
/*@ requires is_range(r) && (bits == 32 || bits == 64);
    requires bits == 32 ==> r.hi <= 0xffffffff;
    assigns \nothing;
    ensures is_range(\result) && (bits == 32 ==> \result.hi <= 0xffffffff);
    ensures \forall integer x; holds(r, x) ==> holds(\result, flip(x, bits)); */
static struct bpf_range flipped(struct bpf_range r, uint32_t bits)
{
	const uint64_t sign = bpf_sign(bits);

	if (r.hi < sign)
		return (struct bpf_range){r.lo + sign, r.hi + sign};
	if (r.lo >= sign)
		return (struct bpf_range){r.lo - sign, r.hi - sign};
	return bpf_up_to(bpf_ones(bits));
}

/* As can_hold(), in signed order. */
/*@ requires \valid(a) && \valid(b) && \separated(a, b) && is_range(*a) && is_range(*b);
    requires bits == 32 || bits == 64;
    requires bits == 32 ==> a->hi <= 0xffffffff && b->hi <= 0xffffffff;
    requires is_plain(code);
    assigns *a, *b;
    ensures is_range(*a) && is_range(*b) && covers(\old(*a), *a) && covers(\old(*b), *b);
    ensures \forall integer x, y; holds(\old(*a), x) && holds(\old(*b), y) &&
      compared(code, flip(x, bits), flip(y, bits), 0) ==>
      \result != 0 && holds(*a, x) && holds(*b, y); */
static int can_hold_signed(uint32_t code, struct bpf_range *a, struct bpf_range *b, uint32_t bits)
{
	struct bpf_range x = flipped(*a, bits), y = flipped(*b, bits);

	/*@ assert twice: \forall integer n; 0 <= n && (bits == 32 ==> n <= 0xffffffff) &&
	      (bits == 64 ==> n <= 0xffffffffffffffff) ==> flip(flip(n, bits), bits) == n; */
	if (!can_hold(code, &x, &y))
		return 0;
	return narrow(a, flipped(x, bits)) && narrow(b, flipped(y, bits));
}

/* Can a & b be other than zero (yes), or zero? */
/*@ requires is_range(a) && is_range(b) && (yes == 0 || yes == 1);
    assigns \nothing;
    ensures \forall integer x, y; holds(a, x) && holds(b, y) &&
      (bits_and(x, y) != 0 <==> yes != 0) ==> \result != 0; */
static int can_meet(int yes, struct bpf_range a, struct bpf_range b)
{
	if (bpf_exact(a) && bpf_exact(b))
		return yes == ((a.lo & b.lo) != 0);
	return !yes || (a.hi != 0 && b.hi != 0);
}

int bpf_range_jump(struct exo_bpf_insn i, int yes, struct bpf_range *a, struct bpf_range *b)
{
	const uint32_t bits = bpf_class(i) == BPF_JMP32 ? 32 : 64;
	int is_signed;
	uint32_t code = plain(bpf_code(i), &is_signed);

	/* Of 32 bits that are not all there is, nothing is known. */
	if (a->hi > bpf_ones(bits) || b->hi > bpf_ones(bits))
		return 1;
	/*@ assert whole: \forall integer x, y; holds(*a, x) && holds(*b, y) ==>
	      (taken(i, x, y) <==> compared(i.op / 16 * 16, x, y, sign_of(bits))); */
	if (code == BPF_JSET)
		return can_meet(yes, *a, *b);
	/*@ assert flips: \forall integer x; 0 <= x <= ones_of(bits) ==>
	      bits_xor(x, sign_of(bits)) == flip(x, bits); */
	/*@ assert plainly: \forall integer x, y; holds(*a, x) && holds(*b, y) ==>
	      (taken(i, x, y) <==> (is_signed != 0 ?
		compared(code, flip(x, bits), flip(y, bits), 0) : compared(code, x, y, 0))); */
	code = yes ? code : opposite(code);
	return is_signed ? can_hold_signed(code, a, b, bits) : can_hold(code, a, b);
}
