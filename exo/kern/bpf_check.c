/*
 * bpf_check.c - looks at each instruction of a program by itself: is there such an instruction, do
 * its fields say something, does it jump to an instruction?
 *
 * Owns nothing, no lock.  Called by bpf_verify.c first; what follows relies on it for all
 * instructions, those too that are never reached.
 */
#include "bpf.h"

/* Operations whose fields `dst op= operand` describes: all but NEG, END and MOV with sign. */
/*@ assigns \nothing; */
static enum exo_bpf_reason check_operand(struct exo_bpf_insn i)
{
	if (i.op & BPF_X ? i.imm != 0 : bpf_src(i) != 0)
		return EXO_BPF_FIELD;
	return EXO_BPF_OK;
}

/* MOV that extends a sign: from a register, from fewer bits than the result has. */
/*@ assigns \nothing;
    ensures \result != 0 ==> i.off == 8 || i.off == 16 || i.off == 32; */
static int extends(struct exo_bpf_insn i)
{
	if (bpf_code(i) != BPF_MOV || !(i.op & BPF_X))
		return 0;
	return i.off == 8 || i.off == 16 || (i.off == 32 && bpf_class(i) == BPF_ALU64);
}

/*@ assigns \nothing;
    ensures \result != 0 ==> i.off == 1; */
static int is_signed_division(struct exo_bpf_insn i)
{
	return (bpf_code(i) == BPF_DIV || bpf_code(i) == BPF_MOD) && i.off == 1;
}

/*@ assigns \nothing;
    ensures \result == EXO_BPF_OK ==> i.imm == 16 || i.imm == 32 || i.imm == 64; */
static enum exo_bpf_reason check_end(struct exo_bpf_insn i)
{
	if (bpf_class(i) == BPF_ALU64 && (i.op & BPF_X))
		return EXO_BPF_OPCODE;
	if (bpf_src(i) != 0 || i.off != 0)
		return EXO_BPF_FIELD;
	return i.imm == 16 || i.imm == 32 || i.imm == 64 ? EXO_BPF_OK : EXO_BPF_FIELD;
}

/*@ assigns \nothing;
    ensures \result == EXO_BPF_OK ==> alu_known(i); */
static enum exo_bpf_reason check_alu(struct exo_bpf_insn i)
{
	const uint32_t code = bpf_code(i);

	if (code > BPF_END || (code == BPF_NEG && (i.op & BPF_X)))
		return EXO_BPF_OPCODE;
	if (bpf_dst(i) == EXO_BPF_FP)
		return EXO_BPF_FRAME;
	if (code == BPF_END)
		return check_end(i);
	if (code == BPF_NEG && i.imm != 0)
		return EXO_BPF_FIELD;
	if (i.off != 0 && !extends(i) && !is_signed_division(i))
		return EXO_BPF_FIELD;
	return check_operand(i);
}

/*@ assigns \nothing;
    ensures \result != EXO_BPF_OK; */
static enum exo_bpf_reason check_call(struct exo_bpf_insn i)
{
	if (i.op & BPF_X)
		return EXO_BPF_CALL_REGISTER;
	if (bpf_src(i) == 1)
		return EXO_BPF_LOCAL_CALL;
	/* RFC 9669 leaves the numbers of helpers to platforms; 12 is a tail call on all of them. */
	return bpf_src(i) == 0 && i.imm == 12 ? EXO_BPF_TAIL_CALL : EXO_BPF_HELPER;
}

/* goto: of the class JMP32 with the long distance in imm; and exit. */
/*@ assigns \nothing;
    ensures \result == EXO_BPF_OK ==> i.op == 0x95 || i.op == 0x05 || i.op == 0x06; */
static enum exo_bpf_reason check_plain_jump(struct exo_bpf_insn i)
{
	const int is_long = i.op == (BPF_JMP32 | BPF_JA);
	const int is_exit = i.op == (BPF_JMP | BPF_EXIT);

	if (!is_long && !is_exit && i.op != (BPF_JMP | BPF_JA))
		return EXO_BPF_OPCODE;
	if (i.regs != 0 || (i.imm != 0 && !is_long) || (i.off != 0 && (is_long || is_exit)))
		return EXO_BPF_FIELD;
	return EXO_BPF_OK;
}

/*@ assigns \nothing;
    ensures \result == EXO_BPF_OK ==> jump_known(i); */
static enum exo_bpf_reason check_jump(struct exo_bpf_insn i)
{
	const uint32_t code = bpf_code(i);

	if (code > BPF_JSLE)
		return EXO_BPF_OPCODE;
	if (code == BPF_CALL)
		return bpf_class(i) == BPF_JMP ? check_call(i) : EXO_BPF_OPCODE;
	if (code == BPF_JA || code == BPF_EXIT)
		return check_plain_jump(i);
	return check_operand(i);
}

/* lddw; the rest of the class LD are accesses to packets that RFC 9669 keeps from older times. */
/*@ assigns \nothing;
    ensures \result == EXO_BPF_OK ==> i.regs / 16 == 0 && i.op == BPF_LDDW; */
static enum exo_bpf_reason check_ld(struct exo_bpf_insn i)
{
	const uint32_t mode = i.op & 0xe0;

	if ((mode == BPF_ABS || mode == BPF_IND) && (i.op & 0x18) != BPF_DW)
		return EXO_BPF_PACKET;
	if (i.op != BPF_LDDW)
		return EXO_BPF_OPCODE;
	if (bpf_dst(i) == EXO_BPF_FP)
		return EXO_BPF_FRAME;
	if (bpf_src(i) != 0)
		return bpf_src(i) <= 6 ? EXO_BPF_OBJECT : EXO_BPF_FIELD;
	return i.off == 0 ? EXO_BPF_OK : EXO_BPF_FIELD;
}

/*@ assigns \nothing; */
static enum exo_bpf_reason check_ldx(struct exo_bpf_insn i)
{
	const uint32_t mode = i.op & 0xe0;

	if (mode != BPF_MEM && (mode != BPF_MEMSX || (i.op & 0x18) == BPF_DW))
		return EXO_BPF_OPCODE;
	if (bpf_dst(i) == EXO_BPF_FP)
		return EXO_BPF_FRAME;
	return i.imm == 0 ? EXO_BPF_OK : EXO_BPF_FIELD;
}

/*@ assigns \nothing; */
static enum exo_bpf_reason check_store(struct exo_bpf_insn i)
{
	const int immediate = bpf_class(i) == BPF_ST;

	if (!immediate && (i.op & 0xe0) == BPF_ATOMIC)
		return (i.op & 0x18) == BPF_W || (i.op & 0x18) == BPF_DW ? EXO_BPF_ATOMIC
									 : EXO_BPF_OPCODE;
	if ((i.op & 0xe0) != BPF_MEM)
		return EXO_BPF_OPCODE;
	if (immediate ? bpf_src(i) != 0 : i.imm != 0)
		return EXO_BPF_FIELD;
	return EXO_BPF_OK;
}

/* What is wrong with the fields of i. */
/*@ assigns \nothing;
    ensures \result == EXO_BPF_OK ==> field_known(i) && (i.op % 8 == BPF_LD ==> i.op == 0x18); */
static enum exo_bpf_reason check_fields(struct exo_bpf_insn i)
{
	if (bpf_dst(i) > EXO_BPF_FP)
		return EXO_BPF_REGISTER;
	/* Of a call and of lddw, src is not a register. */
	if (bpf_src(i) > EXO_BPF_FP && bpf_class(i) != BPF_LD)
		return EXO_BPF_REGISTER;
	switch (bpf_class(i)) {
	case BPF_LD:
		return check_ld(i);
	case BPF_LDX:
		return check_ldx(i);
	case BPF_ST:
	case BPF_STX:
		return check_store(i);
	case BPF_JMP:
	case BPF_JMP32:
		return check_jump(i);
	default:
		break;
	}
	return check_alu(i);
}

/* The second half of lddw has the operation 0, which no instruction has. */
/*@ requires \valid_read(p) && pc < p->count <= EXO_BPF_MAX_INSNS;
    assigns \nothing;
    ensures \result == EXO_BPF_OK ==> 0 <= goes_to(p->insn[pc], pc) < p->count &&
      p->insn[goes_to(p->insn[pc], pc)].op != 0; */
static enum exo_bpf_reason check_target(const struct bpf_program *p, uint32_t pc)
{
	const int64_t to = bpf_target(p->insn[pc], pc);

	if (to < 0 || to >= p->count)
		return EXO_BPF_TARGET;
	return p->insn[to].op == 0 ? EXO_BPF_MIDDLE : EXO_BPF_OK;
}

/*@ requires \valid_read(p) && pc < p->count <= EXO_BPF_MAX_INSNS;
    assigns \nothing;
    ensures \result == EXO_BPF_OK ==>
      pc + 1 < p->count && p->insn[pc + 1].regs == 0 && p->insn[pc + 1].op == 0; */
static enum exo_bpf_reason check_pair(const struct bpf_program *p, uint32_t pc)
{
	if (pc + 1 >= p->count)
		return EXO_BPF_PAIR;

	const struct exo_bpf_insn second = p->insn[pc + 1];

	if (second.op != 0)
		return EXO_BPF_PAIR;
	return second.regs == 0 && second.off == 0 ? EXO_BPF_OK : EXO_BPF_FIELD;
}

/*@ requires \valid_read(p) && pc < p->count <= EXO_BPF_MAX_INSNS;
    assigns \nothing;
    ensures \result == EXO_BPF_OK ==>
      field_known(p->insn[pc]) && (p->insn[pc].op % 8 == BPF_LD ==> p->insn[pc].op == 0x18) &&
      (is_jump(p->insn[pc]) ==> 0 <= goes_to(p->insn[pc], pc) < p->count &&
       p->insn[goes_to(p->insn[pc], pc)].op != 0) &&
      (p->insn[pc].op == BPF_LDDW ==> pc + 1 < p->count &&
       p->insn[pc + 1].regs == 0 && p->insn[pc + 1].op == 0); */
static enum exo_bpf_reason check_one(const struct bpf_program *p, uint32_t pc)
{
	const struct exo_bpf_insn i = p->insn[pc];
	const enum exo_bpf_reason reason = check_fields(i);

	if (reason != EXO_BPF_OK)
		return reason;
	if (i.op == BPF_LDDW)
		return check_pair(p, pc);
	return bpf_jumps(i) ? check_target(p, pc) : EXO_BPF_OK;
}

enum exo_bpf_reason bpf_check(const struct bpf_program *p, uint32_t *culprit)
{
	int second = 0; /* is pc the second half of lddw? */

	*culprit = 0;
	if (p->count == 0 || p->count > EXO_BPF_MAX_INSNS)
		return EXO_BPF_LENGTH;
	/*@ loop invariant 0 <= pc <= p->count;
	    loop invariant second != 0 ==> 0 < pc < p->count;
	    loop invariant second != 0 ==> p->insn[pc].regs == 0;
	    loop invariant second != 0 ==> p->insn[pc].op == 0;
	    loop invariant \forall integer n; 0 <= n < pc ==> field_known(p->insn[n]);
	    loop invariant \forall integer n; 0 <= n < pc && p->insn[n].op % 8 == BPF_LD ==>
	      p->insn[n].op == 0x18 || p->insn[n].op == 0;
	    loop invariant pc > 0 ==> p->insn[0].op != 0;
	    loop invariant paired: \forall integer n; 0 < n < pc && p->insn[n].op == 0 ==>
	      n > 0 && p->insn[n - 1].op == 0x18;
	    loop invariant \forall integer n; 0 <= n < pc && is_jump(p->insn[n]) ==>
	      0 <= goes_to(p->insn[n], n) < p->count && p->insn[goes_to(p->insn[n], n)].op != 0;
	    loop invariant \forall integer n; 0 <= n < pc && p->insn[n].op == 0x18 ==>
	      n + 1 < p->count && p->insn[n + 1].op == 0;
	    loop invariant pc > 0 ==> (second != 0 <==> p->insn[pc - 1].op == BPF_LDDW);
	    loop assigns pc, second, *culprit;
	    loop variant p->count - pc; */
	for (uint32_t pc = 0; pc < p->count; pc++) {
		const enum exo_bpf_reason reason = second ? EXO_BPF_OK : check_one(p, pc);

		*culprit = pc;
		if (reason != EXO_BPF_OK)
			return reason;
		/*@ assert a_first: second == 0 ==> p->insn[pc].op != 0; */
		/*@ assert a_second: second != 0 ==> p->insn[pc - 1].op == 0x18; */
		second = !second && p->insn[pc].op == BPF_LDDW;
	}
	if (bpf_passes(p->insn[p->count - 1]))
		return EXO_BPF_END;
	/*@ assert last: !goes_on(p->insn[p->count - 1]); */
	/*@ assert not_last: \forall integer n; 0 <= n < p->count && goes_on(p->insn[n]) ==>
	      n + 1 < p->count; */
	/*@ assert pairs: \forall integer n; 0 <= n < p->count && p->insn[n].op == BPF_LDDW ==>
	      n + 2 < p->count; */
	/*@ assert after_pair: \forall integer n; 0 <= n < p->count && p->insn[n].op == 0x18 ==>
	      p->insn[n + 1].op == 0 && p->insn[n + 2].op != 0; */
	/*@ assert after_other: \forall integer n; 0 <= n < p->count && goes_on(p->insn[n]) &&
	      p->insn[n].op != 0x18 ==> p->insn[n + 1].op != 0; */
	/*@ assert first: p->insn[0].op != 0; */
	/*@ assert where: \forall integer n; 0 <= n < p->count ==>
	      behind(p->insn[n], n) == (p->insn[n].op == 0x18 ? n + 2 : n + 1); */
	/*@ assert behind: \forall integer n, to; 0 <= n < p->count && goes_on(p->insn[n]) &&
	      to == behind(p->insn[n], n) ==> p->insn[to].op != 0; */
	/*@ assert jumps: \forall integer n, to; 0 <= n < p->count && is_jump(p->insn[n]) &&
	      to == goes_to(p->insn[n], n) ==> p->insn[to].op != 0; */
	/*@ assert halves: halves(&p->insn[0], p->count); */
	/*@ assert sound: \forall integer n; 0 <= n < p->count ==>
	      sound(p->insn[n], n, p->count); */
	return EXO_BPF_OK;
}
