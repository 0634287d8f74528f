/*
 * bpf.h - programs that the kernel runs: their instructions, their limits, why one is refused.
 *
 * The instruction set is RFC 9669's, of the groups base32, base64, divmul32 and divmul64, without
 * calls.  r1 holds the address of the context, which is read-only, r2 its length; r10 is the end of
 * 512 bytes of stack; r0 is the answer.  doc/book/10-downloaded-schedulers.md says what is
 * accepted.
 */
#ifndef EXO_BPF_H
#define EXO_BPF_H

#include <stdint.h>

enum exo_bpf_reason {
#define REASON(name, number, meaning) EXO_BPF_##name = number,
#include <exo/bpf.def>
#undef REASON
};

enum {
	EXO_BPF_MAX_INSNS = 512, /* a page of them */
	EXO_BPF_STACK_BYTES = 512,
	EXO_BPF_MAX_CONTEXT = 65536, /* most bytes of context */
	EXO_BPF_MAX_TARGETS = 128,   /* most instructions that are jumped to */
	EXO_BPF_MAX_STEPS =
		100000, /* most instructions that the verifier looks at, loops unrolled */
	EXO_BPF_REGS = 11,
	EXO_BPF_FP = 10, /* r10 */
};

struct exo_bpf_insn {
	uint8_t op;
	uint8_t regs; /* destination in the low half, source in the high */
	int16_t off;
	int32_t imm;
};
_Static_assert(sizeof(struct exo_bpf_insn) == 8, "BPF instruction");

/* The low three bits of op. */
enum {
	BPF_LD = 0,
	BPF_LDX = 1,
	BPF_ST = 2,
	BPF_STX = 3,
	BPF_ALU = 4,
	BPF_JMP = 5,
	BPF_JMP32 = 6,
	BPF_ALU64 = 7,
};

/* Loads and stores: size (two bits) and mode (the high three). */
enum {
	BPF_W = 0x00,
	BPF_H = 0x08,
	BPF_B = 0x10,
	BPF_DW = 0x18,
	BPF_IMM = 0x00,
	BPF_ABS = 0x20,
	BPF_IND = 0x40,
	BPF_MEM = 0x60,
	BPF_MEMSX = 0x80,
	BPF_ATOMIC = 0xc0,
	BPF_LDDW = 0x18,
};

/* Arithmetic and jumps: BPF_X says that the operand is a register; the high four bits say what. */
enum {
	BPF_X = 0x08,
	BPF_ADD = 0x00,
	BPF_SUB = 0x10,
	BPF_MUL = 0x20,
	BPF_DIV = 0x30, /* off 1: signed */
	BPF_OR = 0x40,
	BPF_AND = 0x50,
	BPF_LSH = 0x60,
	BPF_RSH = 0x70,
	BPF_NEG = 0x80,
	BPF_MOD = 0x90, /* off 1: signed */
	BPF_XOR = 0xa0,
	BPF_MOV = 0xb0, /* off 8, 16, 32: with sign from that many bits */
	BPF_ARSH = 0xc0,
	BPF_END = 0xd0,
	BPF_JA = 0x00,
	BPF_JEQ = 0x10,
	BPF_JGT = 0x20,
	BPF_JGE = 0x30,
	BPF_JSET = 0x40,
	BPF_JNE = 0x50,
	BPF_JSGT = 0x60,
	BPF_JSGE = 0x70,
	BPF_CALL = 0x80,
	BPF_EXIT = 0x90,
	BPF_JLT = 0xa0,
	BPF_JLE = 0xb0,
	BPF_JSLT = 0xc0,
	BPF_JSLE = 0xd0,
};

static inline const char *exo_bpf_reason_text(uint32_t reason)
{
	switch (reason) {
#define REASON(name, number, meaning)                                                              \
	case number:                                                                               \
		return meaning;
#include <exo/bpf.def>
#undef REASON
	default:
		return "unknown";
	}
}

#endif
