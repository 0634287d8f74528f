/*
 * bpf_alu.h - what arithmetic and comparison instructions do with numbers, as RFC 9669 says.
 *
 * Owns nothing.  The interpreter computes with it; the verifier too, where both operands are known.
 * Division by zero gives zero, the remainder by zero is the dividend, shifts take the low bits of
 * their distance, and the one signed quotient that does not fit wraps.
 */
#ifndef KERN_BPF_ALU_H
#define KERN_BPF_ALU_H

#include "bpf_insn.h"

/*
 * For the prover, to which numbers are integers: what it needs to know of bits.  Each axiom
 * `bits_*` is proved of bit vectors under the same name (scripts/prove/bits.smt2); those `to_*` say
 * what C does when a number is cut to a type.
 */
/*@ axiomatic bits {
      // the operators by another name: provers do not know that these commute
      logic integer bits_and(integer x, integer y);
      logic integer bits_or(integer x, integer y);
      logic integer bits_xor(integer x, integer y);
      axiom is_and: \forall integer x, y; bits_and(x, y) == (x & y);
      axiom is_or: \forall integer x, y; bits_or(x, y) == (x | y);
      axiom is_xor: \forall integer x, y; bits_xor(x, y) == (x ^ y);
      axiom bits_and_commutes: \forall integer x, y; bits_and(x, y) == bits_and(y, x);
      axiom bits_or_commutes: \forall integer x, y; bits_or(x, y) == bits_or(y, x);
      axiom bits_xor_commutes: \forall integer x, y; bits_xor(x, y) == bits_xor(y, x);
      predicate ones(integer m); // 2^k - 1, at most 64 bits of it
      axiom bits_ones: ones(0) && ones(0xff) && ones(0xffff) && ones(0xffffffff) &&
	ones(0x7fffffffffffffff) && ones(0xffffffffffffffff);
      axiom bits_ones_next: \forall integer m; 0 <= m <= 0x7fffffffffffffff && ones(m) ==>
	ones(2 * m + 1);
      axiom bits_or_low: \forall integer x, y;
	0 <= x <= 0xffffffffffffffff && 0 <= y <= 0xffffffffffffffff ==>
	x <= bits_or(x, y) && y <= bits_or(x, y);
      axiom bits_or_high: \forall integer x, y, m; 0 <= x <= m && 0 <= y <= m && ones(m) ==>
	0 <= bits_or(x, y) <= m;
      axiom bits_xor_high: \forall integer x, y, m; 0 <= x <= m && 0 <= y <= m && ones(m) ==>
	0 <= bits_xor(x, y) <= m;
      axiom bits_and_high: \forall integer x, y;
	0 <= x <= 0xffffffffffffffff && 0 <= y <= 0xffffffffffffffff ==>
	0 <= bits_and(x, y) <= x && bits_and(x, y) <= y;
      axiom bits_and_all: \forall integer x, m; 0 <= x <= m && ones(m) ==>
	bits_and(x, m) == x;
      axiom bits_left: \forall integer x, y, s, t;
	0 <= x <= y <= (0xffffffffffffffff >> t) && 0 <= s <= t < 64 ==>
	0 <= (x << s) <= (y << t) <= 0xffffffffffffffff;
      axiom bits_right: \forall integer x, y, s, t;
	0 <= x <= y <= 0xffffffffffffffff && 0 <= s <= t < 64 ==> 0 <= (x >> t) <= (y >> s);
      axiom bits_right_less: \forall integer x, s; 0 <= x <= 0xffffffffffffffff && 0 <= s < 64 ==>
	0 <= (x >> s) <= x;
      axiom bits_flip: \forall integer x; 0 <= x <= 0xffffffffffffffff ==>
	bits_xor(x, 0x8000000000000000) ==
	  (x < 0x8000000000000000 ? x + 0x8000000000000000 : x - 0x8000000000000000);
      axiom bits_flip_low: \forall integer x; 0 <= x <= 0xffffffff ==>
	bits_xor(x, 0x80000000) == (x < 0x80000000 ? x + 0x80000000 : x - 0x80000000);
      axiom to_low: \forall integer x; 0 <= x <= 0xffffffffffffffff ==>
	(uint32_t)x == x % 0x100000000;
      axiom to_less: \forall integer x; 0x10000000000000000 <= x < 0x20000000000000000 ==>
	(uint64_t)x == x - 0x10000000000000000;
      axiom to_more: \forall integer x; -0x10000000000000000 <= x < 0 ==>
	(uint64_t)x == x + 0x10000000000000000;
    }

    logic integer sign_of(integer bits) = (uint64_t)(1 << (bits - 1));
    logic integer ones_of(integer bits) = 0xffffffffffffffff >> (64 - bits);
    logic integer extended(integer a, integer bits) =
      (uint64_t)(bits_xor(bits_and(a, ones_of(bits)), sign_of(bits)) - sign_of(bits));
    axiomatic extension {
      axiom bits_extend: \forall integer a, n; 1 <= n <= 64 && 0 <= a < sign_of(n) ==>
	extended(a, n) == a;
    }
    logic integer udiv(integer a, integer b) = b == 0 ? 0 : a / b;
    logic integer umod(integer a, integer b) = b == 0 ? a : a % b;
    logic integer negative(integer a) = (uint64_t)(0 - a);
    logic integer magnitude(integer a) = a >= 0x8000000000000000 ? negative(a) : a;
    logic integer sdiv(integer a, integer b) =
      bits_xor(a, b) >= 0x8000000000000000 ? negative(udiv(magnitude(a), magnitude(b))) :
      udiv(magnitude(a), magnitude(b));
    logic integer smod(integer a, integer b) =
      a >= 0x8000000000000000 ? negative(umod(magnitude(a), magnitude(b))) :
      umod(magnitude(a), magnitude(b));
    logic integer inverted(integer a) = 0xffffffffffffffff - a;
    logic integer arsh(integer a, integer s) =
      a >= 0x8000000000000000 ? inverted(inverted(a) >> s) : a >> s;

    logic integer computed(integer code, integer off, integer x, integer y, integer bits) =
      code == BPF_ADD ? (uint64_t)(x + y) :
      code == BPF_SUB ? (uint64_t)(x - y) :
      code == BPF_MUL ? (uint64_t)(x * y) :
      code == BPF_DIV ? (off == 1 ? sdiv(extended(x, bits), extended(y, bits)) : udiv(x, y)) :
      code == BPF_MOD ? (off == 1 ? smod(extended(x, bits), extended(y, bits)) : umod(x, y)) :
      code == BPF_OR ? bits_or(x, y) :
      code == BPF_AND ? bits_and(x, y) :
      code == BPF_XOR ? bits_xor(x, y) :
      code == BPF_LSH ? (uint64_t)(x << (y % bits)) :
      code == BPF_RSH ? x >> (y % bits) :
      code == BPF_ARSH ? arsh(extended(x, bits), y % bits) :
      code == BPF_NEG ? negative(x) :
      off == 0 ? y : extended(y, off);
    // what an instruction of arithmetic, not one of byte order, makes of x and y
    logic integer result_of(struct exo_bpf_insn i, integer x, integer y) =
      i.op % 8 == BPF_ALU64 ? computed(i.op / 16 * 16, i.off, x, y, 64) :
      (uint32_t)computed(i.op / 16 * 16, i.off, (uint32_t)x, (uint32_t)y, 32);

    axiomatic byte_order {
      logic integer swapped(integer a);
      axiom swapped_is_number: \forall integer a; 0 <= swapped(a) <= 0xffffffffffffffff;
    }
    logic integer reordered(struct exo_bpf_insn i, integer a) =
      i.op == 0xd4 ? bits_and(a, ones_of(i.imm)) : swapped(a) >> (64 - i.imm);

    predicate compared(integer code, integer a, integer b, integer flip) =
      code == BPF_JEQ ? a == b :
      code == BPF_JNE ? a != b :
      code == BPF_JSET ? bits_and(a, b) != 0 :
      code == BPF_JGT ? a > b :
      code == BPF_JGE ? a >= b :
      code == BPF_JLT ? a < b :
      code == BPF_JLE ? a <= b :
      code == BPF_JSGT ? bits_xor(a, flip) > bits_xor(b, flip) :
      code == BPF_JSGE ? bits_xor(a, flip) >= bits_xor(b, flip) :
      code == BPF_JSLT ? bits_xor(a, flip) < bits_xor(b, flip) :
      bits_xor(a, flip) <= bits_xor(b, flip);
    predicate taken(struct exo_bpf_insn i, integer a, integer b) =
      i.op % 8 == BPF_JMP32 ?
      compared(i.op / 16 * 16, (uint32_t)a, (uint32_t)b, 0x80000000) :
      compared(i.op / 16 * 16, a, b, 0x8000000000000000); */
#ifdef __FRAMAC__
/*@ assigns \nothing;
    ensures \result == swapped(a); */
uint64_t __builtin_bswap64(uint64_t a);
#endif

/* Numbers of 64 bits that have a sign are not below. */
#define BPF_NEGATIVE 0x8000000000000000ull

/* The sign bit of a value of `bits` (8, 16, 32, 64) bits. */
/*@ requires 1 <= bits <= 64;
    assigns \nothing;
    ensures \result == sign_of(bits);
    ensures bits == 32 ==> \result == 0x80000000;
    ensures bits == 64 ==> \result == 0x8000000000000000; */
static inline uint64_t bpf_sign(uint32_t bits)
{
	return 1ull << (bits - 1);
}

/* All ones in the low `bits` (1..64). */
/*@ requires 1 <= bits <= 64;
    assigns \nothing;
    ensures \result == ones_of(bits);
    ensures bits == 8 ==> \result == 0xff;
    ensures bits == 16 ==> \result == 0xffff;
    ensures bits == 32 ==> \result == 0xffffffff;
    ensures bits == 64 ==> \result == 0xffffffffffffffff; */
static inline uint64_t bpf_ones(uint32_t bits)
{
	return ~0ull >> (64 - bits);
}

/* The low `bits` of a, their highest bit being the sign, as 64. */
/*@ requires 1 <= bits <= 64;
    assigns \nothing;
    ensures \result == extended(a, bits); */
static inline uint64_t bpf_extend(uint64_t a, uint32_t bits)
{
	return ((a & bpf_ones(bits)) ^ bpf_sign(bits)) - bpf_sign(bits);
}

/*@ assigns \nothing;
    ensures \result == udiv(a, b); */
static inline uint64_t bpf_udiv(uint64_t a, uint64_t b)
{
	return b == 0 ? 0 : a / b;
}

/*@ assigns \nothing;
    ensures \result == umod(a, b); */
static inline uint64_t bpf_umod(uint64_t a, uint64_t b)
{
	return b == 0 ? a : a % b;
}

/* a without its sign, which is that of 64 bits. */
/*@ assigns \nothing;
    ensures \result == magnitude(a); */
static inline uint64_t bpf_magnitude(uint64_t a)
{
	return a >= BPF_NEGATIVE ? 0 - a : a;
}

/*@ assigns \nothing;
    ensures \result == sdiv(a, b); */
static inline uint64_t bpf_sdiv(uint64_t a, uint64_t b)
{
	const uint64_t q = bpf_udiv(bpf_magnitude(a), bpf_magnitude(b));

	return (a ^ b) >= BPF_NEGATIVE ? 0 - q : q;
}

/*@ assigns \nothing;
    ensures \result == smod(a, b); */
static inline uint64_t bpf_smod(uint64_t a, uint64_t b)
{
	const uint64_t r = bpf_umod(bpf_magnitude(a), bpf_magnitude(b));

	return a >= BPF_NEGATIVE ? 0 - r : r;
}

/* a shifted right by s < 64, with the sign of 64 bits coming in. */
/*@ requires s < 64;
    assigns \nothing;
    ensures \result == arsh(a, s); */
static inline uint64_t bpf_arsh(uint64_t a, uint32_t s)
{
	return a >= BPF_NEGATIVE ? ~0ull - ((~0ull - a) >> s) : a >> s;
}

/*@ requires 1 <= bits <= 64;
    assigns \nothing;
    ensures \result == swapped(a) >> (64 - bits); */
static inline uint64_t bpf_swap(uint64_t a, uint32_t bits)
{
	return __builtin_bswap64(a) >> (64 - bits);
}

/*
 * What operation `code` of an instruction with offset `off` makes of a (the destination) and b, in
 * `bits` (32 or 64).  Of 32, operands and result have zeros above.
 */
/*@ requires bits == 32 || bits == 64;
    requires off == 0 || off == 1 || off == 8 || off == 16 || off == 32;
    assigns \nothing;
    ensures \result == computed(code, off, a, b, bits); */
static inline uint64_t bpf_compute(uint32_t code, int32_t off, uint64_t a, uint64_t b,
				   uint32_t bits)
{
	switch (code) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		if (off == 1)
			return bpf_sdiv(bpf_extend(a, bits), bpf_extend(b, bits));
		return bpf_udiv(a, b);
	case BPF_MOD:
		if (off == 1)
			return bpf_smod(bpf_extend(a, bits), bpf_extend(b, bits));
		return bpf_umod(a, b);
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b % bits);
	case BPF_RSH:
		return a >> (b % bits);
	case BPF_ARSH:
		return bpf_arsh(bpf_extend(a, bits), b % bits);
	case BPF_NEG:
		return 0 - a;
	default: /* BPF_MOV */
		break;
	}
	return off == 0 ? b : bpf_extend(b, (uint32_t)off);
}

/*@ requires off_known(i);
    assigns \nothing;
    ensures i.op % 8 == BPF_ALU64 ==> \result == result_of(i, a, b); */
static inline uint64_t bpf_alu64(struct exo_bpf_insn i, uint64_t a, uint64_t b)
{
	return bpf_compute(bpf_code(i), i.off, a, b, 64);
}

/*@ requires off_known(i);
    assigns \nothing;
    ensures i.op % 8 != BPF_ALU64 ==> \result == result_of(i, a, b); */
static inline uint64_t bpf_alu32(struct exo_bpf_insn i, uint64_t a, uint64_t b)
{
	return (uint32_t)bpf_compute(bpf_code(i), i.off, (uint32_t)a, (uint32_t)b, 32);
}

/* Byte order: to little-endian (ALU, K) only cuts; to big (ALU, X) and bswap (ALU64) also swap. */
/*@ requires i.imm == 16 || i.imm == 32 || i.imm == 64;
    assigns \nothing;
    ensures \result == reordered(i, a); */
static inline uint64_t bpf_reorder(struct exo_bpf_insn i, uint64_t a)
{
	const uint32_t bits = (uint32_t)i.imm;

	return i.op == (BPF_ALU | BPF_END) ? a & bpf_ones(bits) : bpf_swap(a, bits);
}

/* Does the comparison `code` hold?  flip: the sign bit for signed ones, see bpf_holds(). */
/*@ assigns \nothing;
    ensures \result != 0 <==> compared(code, a, b, flip); */
static inline int bpf_compare(uint32_t code, uint64_t a, uint64_t b, uint64_t flip)
{
	switch (code) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JSET:
		return (a & b) != 0;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSGT:
		return (a ^ flip) > (b ^ flip);
	case BPF_JSGE:
		return (a ^ flip) >= (b ^ flip);
	case BPF_JSLT:
		return (a ^ flip) < (b ^ flip);
	default: /* BPF_JSLE */
		return (a ^ flip) <= (b ^ flip);
	}
}

/* Is the conditional jump i taken?  Signed order is unsigned order with the sign bits flipped. */
/*@ assigns \nothing;
    ensures \result != 0 <==> taken(i, a, b); */
static inline int bpf_holds(struct exo_bpf_insn i, uint64_t a, uint64_t b)
{
	if (bpf_class(i) == BPF_JMP32)
		return bpf_compare(bpf_code(i), (uint32_t)a, (uint32_t)b, bpf_sign(32));
	return bpf_compare(bpf_code(i), a, b, bpf_sign(64));
}

#endif
