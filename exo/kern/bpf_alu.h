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

/* The sign bit of a value of `bits` (8, 16, 32, 64) bits. */
/*@ requires 1 <= bits <= 64;
    assigns \nothing;
    ensures bits == 32 ==> \result == 0x80000000;
    ensures bits == 64 ==> \result == 0x8000000000000000; */
static inline uint64_t bpf_sign(uint32_t bits)
{
	return 1ull << (bits - 1);
}

/* All ones in the low `bits` (1..64). */
/*@ requires 1 <= bits <= 64;
    assigns \nothing; */
static inline uint64_t bpf_ones(uint32_t bits)
{
	return ~0ull >> (64 - bits);
}

/* The low `bits` of a, their highest bit being the sign, as 64. */
/*@ requires 1 <= bits <= 64;
    assigns \nothing; */
static inline uint64_t bpf_extend(uint64_t a, uint32_t bits)
{
	return ((a & bpf_ones(bits)) ^ bpf_sign(bits)) - bpf_sign(bits);
}

/*@ assigns \nothing; */
static inline uint64_t bpf_udiv(uint64_t a, uint64_t b)
{
	return b == 0 ? 0 : a / b;
}

/*@ assigns \nothing; */
static inline uint64_t bpf_umod(uint64_t a, uint64_t b)
{
	return b == 0 ? a : a % b;
}

/* a without its sign, which is that of 64 bits. */
/*@ assigns \nothing; */
static inline uint64_t bpf_magnitude(uint64_t a)
{
	return a >> 63 ? 0 - a : a;
}

/*@ assigns \nothing; */
static inline uint64_t bpf_sdiv(uint64_t a, uint64_t b)
{
	const uint64_t q = bpf_udiv(bpf_magnitude(a), bpf_magnitude(b));

	return (a ^ b) >> 63 ? 0 - q : q;
}

/*@ assigns \nothing; */
static inline uint64_t bpf_smod(uint64_t a, uint64_t b)
{
	const uint64_t r = bpf_umod(bpf_magnitude(a), bpf_magnitude(b));

	return a >> 63 ? 0 - r : r;
}

/* a shifted right by s < 64, with the sign of 64 bits coming in. */
/*@ requires s < 64;
    assigns \nothing; */
static inline uint64_t bpf_arsh(uint64_t a, uint32_t s)
{
	return a >> 63 ? ~(~a >> s) : a >> s;
}

/*@ requires 1 <= bits <= 64;
    assigns \nothing; */
static inline uint64_t bpf_swap(uint64_t a, uint32_t bits)
{
	return __builtin_bswap64(a) >> (64 - bits);
}

/*
 * What operation `code` of an instruction with offset `off` makes of a (the destination) and b, in
 * `bits` (32 or 64).  Of 32, operands and result have zeros above.
 */
/*@ requires (bits == 32 || bits == 64) && (off == 0 || off == 1 || off == 8 || off == 16 || off ==
   32); assigns \nothing; */
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
    assigns \nothing; */
static inline uint64_t bpf_alu64(struct exo_bpf_insn i, uint64_t a, uint64_t b)
{
	return bpf_compute(bpf_code(i), i.off, a, b, 64);
}

/*@ requires off_known(i);
    assigns \nothing; */
static inline uint64_t bpf_alu32(struct exo_bpf_insn i, uint64_t a, uint64_t b)
{
	return (uint32_t)bpf_compute(bpf_code(i), i.off, (uint32_t)a, (uint32_t)b, 32);
}

/* Byte order: to little-endian (ALU, K) only cuts; to big (ALU, X) and bswap (ALU64) also swap. */
/*@ requires i.imm == 16 || i.imm == 32 || i.imm == 64;
    assigns \nothing; */
static inline uint64_t bpf_reorder(struct exo_bpf_insn i, uint64_t a)
{
	const uint32_t bits = (uint32_t)i.imm;

	return i.op == (BPF_ALU | BPF_END) ? a & bpf_ones(bits) : bpf_swap(a, bits);
}

/* Does the comparison `code` hold?  flip: the sign bit for signed ones, see bpf_holds(). */
/*@ assigns \nothing; */
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
/*@ assigns \nothing; */
static inline int bpf_holds(struct exo_bpf_insn i, uint64_t a, uint64_t b)
{
	if (bpf_class(i) == BPF_JMP32)
		return bpf_compare(bpf_code(i), (uint32_t)a, (uint32_t)b, bpf_sign(32));
	return bpf_compare(bpf_code(i), a, b, bpf_sign(64));
}

#endif
