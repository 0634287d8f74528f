/*
 * bpf.h - programs that the kernel runs for others: verified when loaded, then interpreted.
 *
 * A program reads a context of a known size and its own stack, and answers with a number.
 * Invariant: a program with steps != 0 was accepted by bpf_verify() with this context_size and has
 * not changed since; each run of it ends within that many steps, reads nothing but the context and
 * stack that it has written itself, writes nothing but its stack, and does not answer with an
 * address.
 *
 * Addresses in registers are numbers of our own: a region's base and an offset.  So no run-time
 * address exists that a program could learn, and memory is reached through arrays alone.
 */
#ifndef KERN_BPF_H
#define KERN_BPF_H

#include "bpf_insn.h"
#include "bpf_range.h"

/* Regions lie far apart, and pointers are kept within BPF_FAR of their region's base. */
#define BPF_AT_CONTEXT 0x100000000ull
#define BPF_AT_STACK   0x200000000ull
#define BPF_FAR	       0x20000000ull

struct bpf_program {
	struct exo_bpf_insn insn[EXO_BPF_MAX_INSNS];
	uint32_t count;
	uint32_t context_size; /* bytes, at most EXO_BPF_MAX_CONTEXT */
	uint32_t steps;	       /* most that a run takes; 0: not verified */
};

/*@ predicate sound(struct exo_bpf_insn i, integer pc, integer count) =
      field_known(i) && (i.op % 8 == BPF_LD ==> i.op == 0x18 || i.op == 0) &&
      (is_jump(i) ==> 0 <= goes_to(i, pc) < count) && (goes_on(i) ==> behind(i, pc) < count);
    // operation 0 is the second half of lddw, to which nothing leads
    predicate halves(struct exo_bpf_insn *insn, integer count) =
      insn[0].op != 0 &&
      (\forall integer pc, to; 0 <= pc < count && is_jump(insn[pc]) &&
	to == goes_to(insn[pc], pc) ==> insn[to].op != 0) &&
      (\forall integer pc, to; 0 <= pc < count && goes_on(insn[pc]) &&
	to == behind(insn[pc], pc) ==> insn[to].op != 0);
    predicate checked_insns(struct exo_bpf_insn *insn, integer count) =
      0 < count <= EXO_BPF_MAX_INSNS && halves(insn, count) &&
      \forall integer pc; 0 <= pc < count ==> sound(insn[pc], pc, count);
    predicate checked(struct bpf_program *p) = checked_insns(&p->insn[0], p->count);

    // an access of `size` bytes at a, an address in the program's sense
    predicate in_stack(integer a, integer size) =
      BPF_AT_STACK <= a && a + size <= BPF_AT_STACK + EXO_BPF_STACK_BYTES;
    predicate in_context(integer a, integer size, integer context_size) =
      BPF_AT_CONTEXT <= a && a + size <= BPF_AT_CONTEXT + context_size; */

enum bpf_kind {
	BPF_UNSET = 0, /* not readable as a value: never written, or kinds differ between paths */
	BPF_SCALAR = 1,
	BPF_CONTEXT = 2, /* an address in the context */
	BPF_STACK = 3,	 /* an address in the stack */
};

/* What is known of a register, or of eight bytes of stack. */
struct bpf_value {
	struct bpf_range in; /* unless UNSET */
	uint32_t kind;	     /* enum bpf_kind; not UNSET: all of set */
	uint32_t set;	     /* bit per byte that is written */
};

enum { BPF_SLOTS = EXO_BPF_STACK_BYTES / 8 };

/* What is known before an instruction, over all paths to it. */
struct bpf_state {
	struct bpf_value reg[EXO_BPF_REGS];
	struct bpf_value slot[BPF_SLOTS];
	uint32_t steps; /* of the longest path */
};

/*
 * A verification under way.  Its targets are the first instruction and those that are jumped to:
 * place[i] is k + 1 where instruction i is target k, else 0.  at[k] is what is known before target
 * k; it counts while live[k] is set.  order[] says in which order they are looked at.
 */
struct bpf_verifier {
	struct bpf_state flow; /* before instruction pc */
	struct bpf_state at[EXO_BPF_MAX_TARGETS];
	uint8_t live[EXO_BPF_MAX_TARGETS];
	uint16_t target[EXO_BPF_MAX_TARGETS];
	uint8_t place[EXO_BPF_MAX_INSNS];
	uint8_t order[EXO_BPF_MAX_TARGETS];
	uint8_t found[EXO_BPF_MAX_TARGETS];  /* while the order is sought: see sort() */
	uint16_t trail[EXO_BPF_MAX_TARGETS]; /* the same */
	uint32_t targets;
	uint32_t pc;	  /* the next to look at; of a refused program, the culprit */
	uint32_t now;	  /* where in order[] flow began */
	uint32_t flowing; /* does a path come from the instruction before? */
	uint32_t work;	  /* instructions looked at so far */
	uint32_t steps;	  /* of the longest path to an exit so far */
};

/*@ predicate ranged(struct bpf_state *s) =
      (\forall integer r; 0 <= r < EXO_BPF_REGS ==> s->reg[r].in.lo <= s->reg[r].in.hi) &&
      (\forall integer n; 0 <= n < BPF_SLOTS ==> s->slot[n].in.lo <= s->slot[n].in.hi);
    predicate placed(struct bpf_verifier *v, struct bpf_program *p) =
      0 < v->targets <= EXO_BPF_MAX_TARGETS &&
      (\forall integer k; 0 <= k < v->targets ==>
	v->order[k] < v->targets && v->target[k] < p->count) &&
      (\forall integer n; 0 <= n < p->count ==> v->place[n] <= v->targets) &&
      (\forall integer n; 0 <= n < p->count && is_jump(p->insn[n]) ==>
	v->place[goes_to(p->insn[n], n)] > 0);
    predicate known(struct bpf_verifier *v) =
      \forall integer k; 0 <= k < v->targets && v->live[k] != 0 ==> ranged(&v->at[k]);
    predicate walking(struct bpf_verifier *v, struct bpf_program *p) =
      checked(p) && placed(v, p) && known(v) && ranged(&v->flow) &&
      v->pc < p->count && v->now < v->targets && v->work <= EXO_BPF_MAX_STEPS; */

/*
 * Begins with a program of which insn, count and context_size are set: looks at each instruction by
 * itself.  EXO_BPF_MORE, or why it is refused (v->pc: the instruction).  A few passes over it.
 */
/*@ requires \valid(v) && \valid(p) && \separated(v, p) && p->context_size <= EXO_BPF_MAX_CONTEXT;
    assigns *v, p->steps;
    ensures \result == EXO_BPF_MORE ==> walking(v, p) && v->work == 0;
    ensures \result != EXO_BPF_OK && p->steps == 0; */
enum exo_bpf_reason bpf_verify_begin(struct bpf_verifier *v, struct bpf_program *p);

/*
 * Goes on for at most n instructions.  EXO_BPF_MORE; EXO_BPF_OK: p->steps is set; or why it is
 * refused (v->pc: the instruction).  In all, no program takes more than EXO_BPF_MAX_STEPS of them.
 */
/*@ requires \valid(v) && \valid(p) && \separated(v, p) && p->context_size <= EXO_BPF_MAX_CONTEXT;
    requires walking(v, p);
    assigns *v, p->steps;
    ensures \result == EXO_BPF_MORE ==> walking(v, p);
    ensures \result == EXO_BPF_OK ==> checked(p) && p->steps <= EXO_BPF_MAX_STEPS;
    ensures \result != EXO_BPF_OK ==> p->steps == \old(p->steps); */
enum exo_bpf_reason bpf_verify_some(struct bpf_verifier *v, struct bpf_program *p, uint32_t n);

/* Fields of each instruction, and jumps; *culprit: which is wrong.  A pass over them. */
/*@ requires \valid_read(p) && \valid(culprit) && \separated(p, culprit);
    assigns *culprit;
    ensures \result == EXO_BPF_OK ==> checked(p); */
enum exo_bpf_reason bpf_check(const struct bpf_program *p, uint32_t *culprit);

/*
 * A run of `count` instructions that were verified for a context of `size` bytes, with at most
 * `bound` steps: r0 at exit.  *steps: how many it took.
 */
/*@ requires \valid_read(insn + (0 .. count - 1)) && checked_insns(insn, count);
    requires \valid_read(context + (0 .. size - 1)) && size <= EXO_BPF_MAX_CONTEXT;
    requires \valid(steps) && bound <= EXO_BPF_MAX_STEPS;
    assigns *steps;
    ensures *steps <= bound; */
uint64_t bpf_run_insns(const struct exo_bpf_insn *insn, uint32_t count, uint32_t bound,
		       const uint8_t *context, uint32_t size, uint32_t *steps);

/* The same of a program. */
/*@ requires \valid_read(p) && checked(p);
    requires \valid_read(context + (0 .. p->context_size - 1));
    requires p->context_size <= EXO_BPF_MAX_CONTEXT && p->steps <= EXO_BPF_MAX_STEPS;
    requires \valid(steps);
    assigns *steps;
    ensures *steps <= p->steps; */
static inline uint64_t bpf_run(const struct bpf_program *p, const uint8_t *context, uint32_t *steps)
{
	return bpf_run_insns(p->insn, p->count, p->steps, context, p->context_size, steps);
}

#endif
