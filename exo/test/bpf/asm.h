/*
 * asm.h - instructions of BPF as C expressions, for tests.
 */
#ifndef TEST_BPF_ASM_H
#define TEST_BPF_ASM_H

#include <exo/bpf.h>

#define INSN(op, dst, src, off, imm)                                                               \
	((struct exo_bpf_insn){(uint8_t)(op), (uint8_t)((src) << 4 | (dst)), (int16_t)(off),       \
			       (int32_t)(imm)})

/* dst op= imm; dst op= src; the same in 32 bits. */
#define OP(op, dst, imm)   INSN(BPF_ALU64 | BPF_##op, dst, 0, 0, imm)
#define OPX(op, dst, src)  INSN(BPF_ALU64 | BPF_X | BPF_##op, dst, src, 0, 0)
#define OPW(op, dst, imm)  INSN(BPF_ALU | BPF_##op, dst, 0, 0, imm)
#define OPXW(op, dst, src) INSN(BPF_ALU | BPF_X | BPF_##op, dst, src, 0, 0)

#define LDDW(dst, n)                                                                               \
	INSN(BPF_LDDW, dst, 0, 0, (uint32_t)(n)), INSN(0, 0, 0, 0, (uint32_t)((uint64_t)(n) >> 32))
#define LDX(size, dst, src, off)  INSN(BPF_LDX | BPF_MEM | BPF_##size, dst, src, off, 0)
#define LDXS(size, dst, src, off) INSN(BPF_LDX | BPF_MEMSX | BPF_##size, dst, src, off, 0)
#define ST(size, dst, off, imm)	  INSN(BPF_ST | BPF_MEM | BPF_##size, dst, 0, off, imm)
#define STX(size, dst, off, src)  INSN(BPF_STX | BPF_MEM | BPF_##size, dst, src, off, 0)

/* goto; if dst op imm goto; if dst op src goto; the same in 32 bits. */
#define JA(off)			 INSN(BPF_JMP | BPF_JA, 0, 0, off, 0)
#define JAL(distance)		 INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, distance)
#define JIF(op, dst, imm, off)	 INSN(BPF_JMP | BPF_##op, dst, 0, off, imm)
#define JIFX(op, dst, src, off)	 INSN(BPF_JMP | BPF_X | BPF_##op, dst, src, off, 0)
#define JIFW(op, dst, imm, off)	 INSN(BPF_JMP32 | BPF_##op, dst, 0, off, imm)
#define JIFXW(op, dst, src, off) INSN(BPF_JMP32 | BPF_X | BPF_##op, dst, src, off, 0)
#define CALL(imm)		 INSN(BPF_JMP | BPF_CALL, 0, 0, 0, imm)
#define EXIT			 INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#endif
