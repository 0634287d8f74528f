/*
 * bpf_verify.c - follows all paths of a program at once, and says how long the longest one is.
 *
 * Owns the struct bpf_verifier it is given, no lock.  Called when a program is loaded, by parts.
 *
 * A program is cut at its targets: the instructions that are jumped to.  From one, flow goes on
 * until it meets the next target or ends.  What leads to a target waits there and is put together
 * (meet(): the hull of all); then the next that somebody waits at is taken, in an order in which
 * all that leads to a target comes before it, but for jumps back (sort()); these wait for the next
 * round.  So a loop is unrolled, but no more than one copy of it is known at a time: the time is
 * that of one path, and the walk ends when the ranges say that no jump back is taken any more.
 * Invariant: each state that a run can be in before a target is described by what has waited there,
 * and each run is a path of the walk, so the longest of these, counted on the way, bounds every
 * run.  Both hold in whatever order.
 */
#include "bpf.h"

/* ---- values and states -------------------------------------------------------------------- */

/*@ assigns \nothing;
    ensures \result != 0 <==> v.kind == BPF_CONTEXT || v.kind == BPF_STACK; */
static int is_pointer(struct bpf_value v)
{
	return v.kind == BPF_CONTEXT || v.kind == BPF_STACK;
}

/*@ assigns \nothing;
    ensures is_range(\result.in) && \result.kind == BPF_UNSET; */
static struct bpf_value unset(uint32_t set)
{
	return (struct bpf_value){{0, 0}, BPF_UNSET, set};
}

/*@ assigns \nothing;
    ensures \result.in == in && \result.kind == kind; */
static struct bpf_value value(uint32_t kind, struct bpf_range in)
{
	return (struct bpf_value){in, kind, 0xff};
}

/* A value that is a or b.  Bytes of a pointer are not readable where the other is none. */
/*@ requires is_range(a.in) && is_range(b.in);
    assigns \nothing;
    ensures is_range(\result.in);
    ensures \result.kind != BPF_UNSET ==> \result.kind == a.kind == b.kind &&
      covers(\result.in, a.in) && covers(\result.in, b.in); */
static struct bpf_value meet_value(struct bpf_value a, struct bpf_value b)
{
	if (a.kind == b.kind)
		return (struct bpf_value){bpf_hull(a.in, b.in), a.kind, a.set & b.set};
	return unset(is_pointer(a) || is_pointer(b) ? 0 : a.set & b.set);
}

/* *s describes also what *other does. */
/*@ requires \valid(s) && \valid_read(other) && \separated(s, other);
    requires ranged(s) && ranged(other);
    assigns *s;
    ensures ranged(s) && s->steps >= other->steps && s->steps >= \old(s->steps); */
static void meet(struct bpf_state *s, const struct bpf_state *other)
{
	/*@ loop invariant 0 <= r <= EXO_BPF_REGS && ranged(s);
	    loop assigns r, s->reg[0 .. EXO_BPF_REGS - 1];
	    loop variant EXO_BPF_REGS - r; */
	for (uint32_t r = 0; r < EXO_BPF_REGS; r++)
		s->reg[r] = meet_value(s->reg[r], other->reg[r]);
	/*@ loop invariant 0 <= n <= BPF_SLOTS && ranged(s);
	    loop assigns n, s->slot[0 .. BPF_SLOTS - 1];
	    loop variant BPF_SLOTS - n; */
	for (uint32_t n = 0; n < BPF_SLOTS; n++)
		s->slot[n] = meet_value(s->slot[n], other->slot[n]);
	if (other->steps > s->steps)
		s->steps = other->steps;
}

/* A path with the state flow jumps to `target`. */
/*@ requires \valid(v) && 0 < v->targets <= EXO_BPF_MAX_TARGETS && known(v) && ranged(&v->flow);
    requires target < EXO_BPF_MAX_INSNS && 0 < v->place[target] <= v->targets;
    assigns v->at[0 .. EXO_BPF_MAX_TARGETS - 1], v->live[0 .. EXO_BPF_MAX_TARGETS - 1];
    ensures known(v); */
static void flow_to(struct bpf_verifier *v, uint32_t target)
{
	const uint32_t k = v->place[target] - 1u;

	if (v->live[k])
		meet(&v->at[k], &v->flow);
	else
		v->at[k] = v->flow;
	v->live[k] = 1;
}

/* The paths that wait before the n-th target in order go on from it. */
/*@ requires \valid(v) && 0 < v->targets <= EXO_BPF_MAX_TARGETS && n < v->targets && known(v);
    requires v->order[n] < v->targets && v->live[v->order[n]] != 0;
    assigns v->flow, v->live[0 .. EXO_BPF_MAX_TARGETS - 1], v->pc, v->now, v->flowing;
    ensures known(v) && ranged(&v->flow) && v->now == n && v->pc == v->target[v->order[n]]; */
static void flow_from(struct bpf_verifier *v, uint32_t n)
{
	const uint32_t k = v->order[n];

	v->flow = v->at[k];
	v->live[k] = 0;
	v->pc = v->target[k];
	v->now = n;
	v->flowing = 1;
}

/* ---- memory ------------------------------------------------------------------------------- */

/* Where an access begins: `from` plus the offset of its instruction. */
/*@ requires is_range(from);
    assigns \nothing;
    ensures is_range(\result);
    ensures \forall integer x; holds(from, x) ==>
      holds(\result, (uint64_t)(x + (uint64_t)i.off)); */
static struct bpf_range address(struct bpf_range from, struct exo_bpf_insn i)
{
	/*@ assert bits: ones(0); */
	return bpf_range_add(from, bpf_exactly((uint64_t)(int64_t)i.off));
}

/* Do all accesses of `size` bytes that begin in `at` lie in the `length` bytes from base on? */
/*@ requires 0 < size <= 8 && base + length <= UINT64_MAX && size <= base && is_range(at);
    assigns \nothing;
    ensures \result != 0 ==> base <= at.lo && at.hi + size <= base + length; */
static int inside(struct bpf_range at, uint32_t size, uint64_t base, uint32_t length)
{
	return at.lo >= base && at.hi <= base + length - size && length >= size;
}

/* The bits of the bytes of slot n that an access of `size` bytes to offset o is about. */
/*@ requires n < BPF_SLOTS && o < EXO_BPF_STACK_BYTES && size <= EXO_BPF_STACK_BYTES;
    requires o < 8 * n + 8 && 8 * n < o + size;
    assigns \nothing; */
static uint32_t bytes_of(uint32_t n, uint32_t o, uint32_t size)
{
	const uint32_t from = o > 8 * n ? o - 8 * n : 0;
	const uint32_t to = o + size < 8 * n + 8 ? o + size - 8 * n : 8;

	return 0xffu >> (8 - to) & ~(0xffu >> (8 - from));
}

/* Writes numbers that are not kept to bytes lo..hi-1: to all of them (sure), or to some. */
/*@ requires \valid(s) && ranged(s) && lo < hi <= EXO_BPF_STACK_BYTES;
    assigns s->slot[0 .. BPF_SLOTS - 1];
    ensures ranged(s); */
static void blur(struct bpf_state *s, uint32_t lo, uint32_t hi, int sure)
{
	/*@ loop invariant lo / 8 <= n <= (hi - 1) / 8 + 1 && ranged(s);
	    loop assigns n, s->slot[0 .. BPF_SLOTS - 1];
	    loop variant (hi - 1) / 8 + 1 - n; */
	for (uint32_t n = lo / 8; n <= (hi - 1) / 8; n++) {
		const uint32_t kept = is_pointer(s->slot[n]) ? 0 : s->slot[n].set;

		s->slot[n] = unset(kept | (sure ? bytes_of(n, lo, hi - lo) : 0));
	}
}

/*@ requires \valid(s) && ranged(s) && is_range(at) && is_range(v.in) && 0 < size <= 8;
    assigns s->slot[0 .. BPF_SLOTS - 1];
    ensures ranged(s);
    ensures \result == EXO_BPF_OK ==> BPF_AT_STACK <= at.lo &&
      at.hi + size <= BPF_AT_STACK + EXO_BPF_STACK_BYTES; */
static enum exo_bpf_reason store_stack(struct bpf_state *s, struct bpf_range at, uint32_t size,
				       struct bpf_value v)
{
	const int whole = bpf_exact(at) && at.lo % 8 == 0 && size == 8;

	if (!inside(at, size, BPF_AT_STACK, EXO_BPF_STACK_BYTES))
		return EXO_BPF_STACK;
	if (is_pointer(v) && !whole)
		return EXO_BPF_LEAK_STORE;

	const uint32_t lo = (uint32_t)(at.lo - BPF_AT_STACK), hi = (uint32_t)(at.hi - BPF_AT_STACK);

	if (whole)
		s->slot[lo / 8] = v;
	else
		blur(s, lo, hi + size, bpf_exact(at));
	return EXO_BPF_OK;
}

/*@ requires \valid_read(s) && \valid(v) && \separated(s, v) && ranged(s) && is_range(at);
    requires size == 1 || size == 2 || size == 4 || size == 8;
    assigns *v;
    ensures \result == EXO_BPF_OK ==> is_range(v->in) && BPF_AT_STACK <= at.lo &&
      at.hi + size <= BPF_AT_STACK + EXO_BPF_STACK_BYTES; */
static enum exo_bpf_reason load_stack(const struct bpf_state *s, struct bpf_range at, uint32_t size,
				      struct bpf_value *v)
{
	if (!inside(at, size, BPF_AT_STACK, EXO_BPF_STACK_BYTES))
		return EXO_BPF_STACK;

	const uint32_t lo = (uint32_t)(at.lo - BPF_AT_STACK), hi = (uint32_t)(at.hi - BPF_AT_STACK);

	if (lo == hi && lo % 8 == 0 && size == 8 && s->slot[lo / 8].kind != BPF_UNSET) {
		*v = s->slot[lo / 8];
		return EXO_BPF_OK;
	}
	/*@ loop invariant lo / 8 <= n <= (hi + size - 1) / 8 + 1;
	    loop assigns n;
	    loop variant (hi + size - 1) / 8 + 1 - n; */
	for (uint32_t n = lo / 8; n <= (hi + size - 1) / 8; n++) {
		if (is_pointer(s->slot[n]))
			return EXO_BPF_LEAK_LOAD;
		if (bytes_of(n, lo, hi + size - lo) & ~s->slot[n].set)
			return EXO_BPF_UNSET_STACK;
	}
	*v = value(BPF_SCALAR, bpf_up_to(bpf_ones(8 * size)));
	return EXO_BPF_OK;
}

/*@ requires \valid(v) && \valid_read(p) && \separated(v, p) && ranged(&v->flow);
    requires regs_named(i) && p->context_size <= EXO_BPF_MAX_CONTEXT;
    assigns v->flow;
    ensures ranged(&v->flow);
    ensures \result == EXO_BPF_OK ==> \forall integer x;
      holds(\old(v->flow.reg[i.regs / 16].in), x) ==>
      in_stack((uint64_t)(x + (uint64_t)i.off), size_of(i)) ||
      in_context((uint64_t)(x + (uint64_t)i.off), size_of(i), p->context_size); */
static enum exo_bpf_reason load(struct bpf_verifier *v, const struct bpf_program *p,
				struct exo_bpf_insn i)
{
	const struct bpf_value base = v->flow.reg[bpf_src(i)];
	const uint32_t size = bpf_size(i);
	struct bpf_value got = value(BPF_SCALAR, bpf_up_to(bpf_ones(8 * size)));
	enum exo_bpf_reason reason = EXO_BPF_OK;

	if (base.kind == BPF_UNSET)
		return EXO_BPF_UNSET;
	if (base.kind == BPF_SCALAR)
		return EXO_BPF_NUMBER;
	if (base.kind == BPF_STACK)
		reason = load_stack(&v->flow, address(base.in, i), size, &got);
	else if (!inside(address(base.in, i), size, BPF_AT_CONTEXT, p->context_size))
		reason = EXO_BPF_CONTEXT;
	if (reason == EXO_BPF_OK && (i.op & 0xe0) == BPF_MEMSX)
		got.in = bpf_up_to(~0ull);
	if (reason == EXO_BPF_OK)
		v->flow.reg[bpf_dst(i)] = got;
	return reason;
}

/*@ requires \valid(v) && ranged(&v->flow) && regs_named(i);
    assigns v->flow;
    ensures ranged(&v->flow);
    ensures \result == EXO_BPF_OK ==> \forall integer x;
      holds(\old(v->flow.reg[i.regs % 16].in), x) ==>
      in_stack((uint64_t)(x + (uint64_t)i.off), size_of(i)); */
static enum exo_bpf_reason store(struct bpf_verifier *v, struct exo_bpf_insn i)
{
	const struct bpf_value base = v->flow.reg[bpf_dst(i)];
	const struct bpf_value what = bpf_class(i) == BPF_ST
					      ? value(BPF_SCALAR, bpf_exactly(bpf_imm(i)))
					      : v->flow.reg[bpf_src(i)];

	if (base.kind == BPF_UNSET || what.kind == BPF_UNSET)
		return EXO_BPF_UNSET;
	if (base.kind == BPF_SCALAR)
		return EXO_BPF_NUMBER;
	if (base.kind == BPF_CONTEXT)
		return EXO_BPF_STORE;
	return store_stack(&v->flow, address(base.in, i), bpf_size(i), what);
}

/* ---- arithmetic --------------------------------------------------------------------------- */

/* The operand of an arithmetic or jump instruction besides the destination. */
/*@ requires \valid_read(s) && ranged(s) && regs_named(i);
    assigns \nothing;
    ensures is_range(\result.in);
    ensures (i.op & 0x08) != 0 ==> \result == s->reg[i.regs / 16]; */
static struct bpf_value operand(const struct bpf_state *s, struct exo_bpf_insn i)
{
	const uint32_t class = bpf_class(i);

	if (i.op & BPF_X)
		return s->reg[bpf_src(i)];
	return value(
		BPF_SCALAR,
		bpf_exactly(class == BPF_JMP32 || class == BPF_ALU ? (uint32_t)i.imm : bpf_imm(i)));
}

/* A pointer that may lie anywhere in `in`, which must not be far from its region. */
/*@ requires \valid(v) && is_range(v->in) && is_range(in);
    assigns *v;
    ensures is_range(v->in);
    ensures \result == EXO_BPF_OK ==> v->in == in && v->kind == \old(v->kind); */
static enum exo_bpf_reason point(struct bpf_value *v, struct bpf_range in)
{
	const uint64_t base = v->kind == BPF_CONTEXT ? BPF_AT_CONTEXT : BPF_AT_STACK;

	if (in.lo < base - BPF_FAR || in.hi > base + BPF_FAR)
		return EXO_BPF_FAR;
	v->in = in;
	return EXO_BPF_OK;
}

/* a op= b in 64 bits, one of them a pointer. */
/*@ requires \valid(a) && is_range(a->in) && is_range(b.in);
    assigns *a;
    ensures is_range(a->in); */
static enum exo_bpf_reason calculate(struct exo_bpf_insn i, struct bpf_value *a, struct bpf_value b)
{
	const uint32_t code = bpf_code(i);
	const uint32_t kind = a->kind;

	if (bpf_class(i) != BPF_ALU64 || (code != BPF_ADD && code != BPF_SUB))
		return EXO_BPF_POINTER;
	if (code == BPF_SUB && kind == b.kind) { /* their distance */
		*a = value(BPF_SCALAR, bpf_range_sub(a->in, b.in));
		return EXO_BPF_OK;
	}
	if (b.kind == BPF_SCALAR)
		return point(a, code == BPF_ADD ? bpf_range_add(a->in, b.in)
						: bpf_range_sub(a->in, b.in));
	if (code == BPF_SUB || kind != BPF_SCALAR)
		return EXO_BPF_POINTER;
	a->kind = b.kind;
	return point(a, bpf_range_add(a->in, b.in));
}

/* dst = operand, all of it. */
/*@ assigns \nothing; */
static int is_copy(struct exo_bpf_insn i)
{
	return (i.op & 0xf7) == (BPF_ALU64 | BPF_MOV) && i.off == 0;
}

/*@ requires \valid(s) && ranged(s) && regs_named(i) && is_alu(i) && alu_known(i);
    assigns s->reg[0 .. EXO_BPF_REGS - 1];
    ensures ranged(s); */
static enum exo_bpf_reason arithmetic(struct bpf_state *s, struct exo_bpf_insn i)
{
	struct bpf_value *const dst = &s->reg[bpf_dst(i)];
	const int moves = bpf_code(i) == BPF_MOV, ends = bpf_code(i) == BPF_END;
	const struct bpf_value a = moves ? value(BPF_SCALAR, bpf_exactly(0)) : *dst;
	const struct bpf_value b = ends ? a : operand(s, i);

	if (a.kind == BPF_UNSET || b.kind == BPF_UNSET)
		return EXO_BPF_UNSET;
	if (is_copy(i))
		*dst = b;
	else if (is_pointer(a) || is_pointer(b))
		return calculate(i, dst, b);
	else
		*dst = value(BPF_SCALAR,
			     ends ? bpf_range_reorder(i, a.in) : bpf_range_alu(i, a.in, b.in));
	return EXO_BPF_OK;
}

/* ---- control ------------------------------------------------------------------------------ */

/* May i compare a with b?  Pointers into one region, or a pointer with zero, to see it is none. */
/*@ assigns \nothing; */
static int comparable(struct exo_bpf_insn i, struct bpf_value a, struct bpf_value b)
{
	const uint32_t code = bpf_code(i);

	if (a.kind == BPF_SCALAR && b.kind == BPF_SCALAR)
		return 1;
	if (bpf_class(i) == BPF_JMP32 || code == BPF_JSET)
		return 0;
	if (a.kind == b.kind)
		return 1;
	return (code == BPF_JEQ || code == BPF_JNE) && b.kind == BPF_SCALAR && b.in.hi == 0;
}

/* flow is narrowed to where the jump i is taken (yes) or not; false: it never is. */
/*@ requires \valid(s) && ranged(s) && regs_named(i) && is_range(a.in) && is_range(b.in);
    requires compares(i.op / 16 * 16) && (yes == 0 || yes == 1);
    assigns s->reg[0 .. EXO_BPF_REGS - 1];
    ensures ranged(s); */
static int assume(struct bpf_state *s, struct exo_bpf_insn i, int yes, struct bpf_value a,
		  struct bpf_value b)
{
	if (!bpf_range_jump(i, yes, &a.in, &b.in))
		return 0;
	s->reg[bpf_dst(i)] = a;
	if (i.op & BPF_X)
		s->reg[bpf_src(i)] = b;
	return 1;
}

/*@ requires \valid(v) && 0 < v->targets <= EXO_BPF_MAX_TARGETS && known(v) && ranged(&v->flow);
    requires regs_named(i) && v->pc < EXO_BPF_MAX_INSNS && is_jump(i);
    requires compares(i.op / 16 * 16);
    requires 0 <= goes_to(i, v->pc) < EXO_BPF_MAX_INSNS;
    requires 0 < v->place[goes_to(i, v->pc)] <= v->targets;
    assigns v->flow, v->at[0 .. EXO_BPF_MAX_TARGETS - 1], v->live[0 .. EXO_BPF_MAX_TARGETS - 1],
      v->flowing, v->steps;
    ensures known(v) && ranged(&v->flow); */
static enum exo_bpf_reason branch(struct bpf_verifier *v, struct exo_bpf_insn i)
{
	const struct bpf_value a = v->flow.reg[bpf_dst(i)], b = operand(&v->flow, i);

	if (a.kind == BPF_UNSET || b.kind == BPF_UNSET)
		return EXO_BPF_UNSET;
	if (!comparable(i, a, b))
		return EXO_BPF_COMPARE;
	if (assume(&v->flow, i, 1, a, b))
		flow_to(v, (uint32_t)bpf_target(i, v->pc));
	v->flowing = (uint32_t)assume(&v->flow, i, 0, a, b);
	return EXO_BPF_OK;
}

/*@ requires \valid(v);
    assigns v->steps, v->flowing;
    ensures \result == EXO_BPF_OK ==> v->steps >= v->flow.steps && v->flowing == 0; */
static enum exo_bpf_reason leave(struct bpf_verifier *v)
{
	const struct bpf_value r0 = v->flow.reg[0];

	if (r0.kind == BPF_UNSET)
		return EXO_BPF_UNSET;
	if (is_pointer(r0))
		return EXO_BPF_LEAK_RETURN;
	if (v->flow.steps > v->steps)
		v->steps = v->flow.steps;
	v->flowing = 0;
	return EXO_BPF_OK;
}

/*@ requires \valid(v) && 0 < v->targets <= EXO_BPF_MAX_TARGETS && known(v) && ranged(&v->flow);
    requires regs_named(i) && v->pc < EXO_BPF_MAX_INSNS;
    requires jump_known(i);
    requires is_jump(i) ==> 0 <= goes_to(i, v->pc) < EXO_BPF_MAX_INSNS &&
      0 < v->place[goes_to(i, v->pc)] <= v->targets;
    assigns v->flow, v->at[0 .. EXO_BPF_MAX_TARGETS - 1], v->live[0 .. EXO_BPF_MAX_TARGETS - 1],
      v->flowing, v->steps;
    ensures known(v) && ranged(&v->flow); */
static enum exo_bpf_reason control(struct bpf_verifier *v, struct exo_bpf_insn i)
{
	switch (bpf_code(i)) {
	case BPF_EXIT:
		return leave(v);
	case BPF_JA:
		flow_to(v, (uint32_t)bpf_target(i, v->pc));
		v->flowing = 0;
		return EXO_BPF_OK;
	default:
		return branch(v, i);
	}
}

/* What instruction pc does to flow, and where that goes from it. */
/*@ requires \valid(v) && \valid_read(p) && \separated(v, p) && walking(v, p);
    requires p->context_size <= EXO_BPF_MAX_CONTEXT;
    assigns v->flow, v->at[0 .. EXO_BPF_MAX_TARGETS - 1], v->live[0 .. EXO_BPF_MAX_TARGETS - 1],
      v->flowing, v->steps;
    ensures known(v) && ranged(&v->flow); */
static enum exo_bpf_reason look(struct bpf_verifier *v, const struct bpf_program *p)
{
	const struct exo_bpf_insn i = p->insn[v->pc];

	v->flow.steps++;
	switch (bpf_class(i)) {
	case BPF_LD:
		v->flow.reg[bpf_dst(i)] = value(
			BPF_SCALAR, bpf_exactly((uint32_t)i.imm |
						(uint64_t)(uint32_t)p->insn[v->pc + 1].imm << 32));
		return EXO_BPF_OK;
	case BPF_LDX:
		return load(v, p, i);
	case BPF_ST:
	case BPF_STX:
		return store(v, i);
	case BPF_JMP:
	case BPF_JMP32:
		return control(v, i);
	default:
		return arithmetic(&v->flow, i);
	}
}

/* The first live target in order from n on; v->targets: there is none. */
/*@ requires \valid_read(v) && 0 < v->targets <= EXO_BPF_MAX_TARGETS && n <= v->targets;
    requires \forall integer k; 0 <= k < v->targets ==> v->order[k] < v->targets;
    assigns \nothing;
    ensures n <= \result <= v->targets;
    ensures \result < v->targets ==> v->live[v->order[\result]] != 0; */
static uint32_t live_from(const struct bpf_verifier *v, uint32_t n)
{
	/*@ loop invariant \at(n, Pre) <= n <= v->targets;
	    loop assigns n;
	    loop variant v->targets - n; */
	while (n < v->targets && !v->live[v->order[n]])
		n++;
	return n;
}

/* To the instruction that is looked at next: false: there is none. */
/*@ requires \valid(v) && \valid_read(p) && \separated(v, p);
    requires walking(v, p) && (v->flowing != 0 ==> goes_on(p->insn[v->pc]));
    assigns v->flow, v->at[0 .. EXO_BPF_MAX_TARGETS - 1], v->live[0 .. EXO_BPF_MAX_TARGETS - 1],
      v->pc, v->now, v->flowing;
    ensures known(v) && (\result != 0 ==> walking(v, p)); */
static int advance(struct bpf_verifier *v, const struct bpf_program *p)
{
	const uint32_t behind = bpf_behind(p->insn[v->pc], v->pc);
	uint32_t n;

	if (v->flowing && v->place[behind] == 0) {
		v->pc = behind;
		return 1;
	}
	if (v->flowing)
		flow_to(v, behind);
	n = live_from(v, v->now + 1);
	if (n == v->targets)
		n = live_from(v, 0);
	if (n == v->targets)
		return 0;
	flow_from(v, n);
	return 1;
}

/* All paths have been followed to their end, if nobody waits any more. */
/*@ requires \valid_read(v) && \valid(p) && \separated(v, p) && v->targets <= EXO_BPF_MAX_TARGETS;
    assigns p->steps;
    ensures \result == EXO_BPF_OK ==>
      \forall integer k; 0 <= k < v->targets ==> v->live[k] == 0; */
static enum exo_bpf_reason conclude(const struct bpf_verifier *v, struct bpf_program *p)
{
	/*@ loop invariant 0 <= k <= v->targets &&
	      \forall integer n; 0 <= n < k ==> v->live[n] == 0;
	    loop assigns k;
	    loop variant v->targets - k; */
	for (uint32_t k = 0; k < v->targets; k++)
		if (v->live[k])
			return EXO_BPF_LOOP;
	p->steps = v->steps;
	return EXO_BPF_OK;
}

enum exo_bpf_reason bpf_verify_some(struct bpf_verifier *v, struct bpf_program *p, uint32_t n)
{
	/*@ loop invariant walking(v, p);
	    loop variant n; */
	for (; n != 0; n--) {
		if (v->work == EXO_BPF_MAX_STEPS) {
			v->pc = v->target[v->order[v->now]]; /* in a loop that has not ended */
			return EXO_BPF_LOOP;
		}
		v->work++;

		const enum exo_bpf_reason reason = look(v, p);

		if (reason != EXO_BPF_OK)
			return reason;
		if (!advance(v, p))
			return conclude(v, p);
	}
	return EXO_BPF_MORE;
}

/* ---- the beginning ------------------------------------------------------------------------ */

/* Marks what is jumped to in place[]. */
/*@ requires \valid(v) && \valid_read(p) && \separated(v, p);
    requires checked(p);
    assigns v->place[0 .. EXO_BPF_MAX_INSNS - 1];
    ensures v->place[0] == 1;
    ensures \forall integer n; 0 <= n < p->count && is_jump(p->insn[n]) ==>
      v->place[goes_to(p->insn[n], n)] == 1; */
static void mark(struct bpf_verifier *v, const struct bpf_program *p)
{
	/*@ loop invariant 0 <= pc <= EXO_BPF_MAX_INSNS;
	    loop assigns pc, v->place[0 .. EXO_BPF_MAX_INSNS - 1];
	    loop variant EXO_BPF_MAX_INSNS - pc; */
	for (uint32_t pc = 0; pc < EXO_BPF_MAX_INSNS; pc++)
		v->place[pc] = 0;
	v->place[0] = 1;
	/*@ loop invariant 0 <= pc <= p->count && v->place[0] == 1;
	    loop invariant \forall integer n; 0 <= n < pc && is_jump(p->insn[n]) ==>
	      v->place[goes_to(p->insn[n], n)] == 1;
	    loop assigns pc, v->place[0 .. EXO_BPF_MAX_INSNS - 1];
	    loop variant p->count - pc; */
	for (uint32_t pc = 0; pc < p->count; pc++)
		if (bpf_jumps(p->insn[pc]))
			v->place[bpf_target(p->insn[pc], pc)] = 1;
}

/* Numbers the targets. */
/*@ requires \valid(v) && \valid_read(p) && \separated(v, p);
    requires 0 < p->count <= EXO_BPF_MAX_INSNS;
    ensures v->targets <= EXO_BPF_MAX_TARGETS; */
static enum exo_bpf_reason number(struct bpf_verifier *v, const struct bpf_program *p)
{
	v->targets = 0;
	/*@ loop invariant 0 <= pc <= p->count && v->targets <= EXO_BPF_MAX_TARGETS;
	    loop variant p->count - pc; */
	for (uint32_t pc = 0; pc < p->count; pc++) {
		if (v->place[pc] == 0)
			continue;
		if (v->targets == EXO_BPF_MAX_TARGETS) {
			v->pc = pc;
			return EXO_BPF_TARGETS;
		}
		v->target[v->targets] = (uint16_t)pc;
		v->found[v->targets] = 0;
		v->live[v->targets] = 0;
		v->order[v->targets] = 0;
		v->targets++;
		v->place[pc] = (uint8_t)v->targets;
	}
	return EXO_BPF_OK;
}

/* A target that instruction pc leads to and that was not found before; v->targets: there is none.
 */
/*@ requires \valid_read(v) && \valid_read(p) && checked(p) && placed(v, p) && pc < p->count;
    assigns \nothing;
    ensures \result <= v->targets;
    ensures \result < v->targets ==> v->found[\result] == 0; */
static uint32_t leads_to(const struct bpf_verifier *v, const struct bpf_program *p, uint32_t pc)
{
	const struct exo_bpf_insn i = p->insn[pc];
	uint32_t k;

	if (bpf_passes(i)) {
		k = v->place[bpf_behind(i, pc)];
		if (k != 0 && !v->found[k - 1])
			return k - 1;
	}
	if (bpf_jumps(i)) {
		k = v->place[bpf_target(i, pc)];
		if (!v->found[k - 1])
			return k - 1;
	}
	return v->targets;
}

/*
 * Fills order[] with the targets in reverse postorder, depth first without recursion: those on the
 * way from the first one to the one at hand are order[0..depth-1], and trail[] says how far each
 * was looked through; those done with fill order[] from its end.  Nobody is in both, so both fit.
 * Each turn goes on by an instruction, or comes to a target or leaves it.  Who is not reached from
 * the first stays out: nobody ever waits there.
 */
/*@ requires \valid(v) && \valid_read(p) && \separated(v, p);
    requires checked(p) && placed(v, p); */
static void sort(struct bpf_verifier *v, const struct bpf_program *p)
{
	uint32_t depth = 1, done = v->targets;

	v->order[0] = 0;
	v->trail[0] = 0;
	v->found[0] = 1;
	/*@ loop invariant depth <= done <= v->targets;
	    loop variant EXO_BPF_MAX_INSNS + 2 * EXO_BPF_MAX_TARGETS - n; */
	for (uint32_t n = 0; n < EXO_BPF_MAX_INSNS + 2 * EXO_BPF_MAX_TARGETS && depth != 0; n++) {
		const uint32_t pc = v->trail[depth - 1], k = leads_to(v, p, pc);
		const uint32_t behind = bpf_behind(p->insn[pc], pc);

		if (k != v->targets) {
			v->found[k] = 1;
			v->order[depth] = (uint8_t)k;
			v->trail[depth] = v->target[k];
			depth++;
		} else if (bpf_passes(p->insn[pc]) && v->place[behind] == 0) {
			v->trail[depth - 1] = (uint16_t)behind;
		} else {
			depth--;
			done--;
			v->order[done] = v->order[depth];
		}
	}
	v->now = done; /* the first target, where everything begins */
	/*@ loop invariant 0 <= n <= done;
	    loop assigns n, v->order[0 .. EXO_BPF_MAX_TARGETS - 1];
	    loop variant done - n; */
	for (uint32_t n = 0; n < done; n++)
		v->order[n] = 0;
}

/* What is known before the first instruction.  Of an empty context there is no address. */
/*@ requires \valid(s) && context_size <= EXO_BPF_MAX_CONTEXT;
    assigns *s;
    ensures ranged(s) && s->steps == 0; */
static void enter(struct bpf_state *s, uint32_t context_size)
{
	/*@ loop invariant 0 <= r <= EXO_BPF_REGS &&
	      \forall integer k; 0 <= k < r ==> is_range(s->reg[k].in);
	    loop assigns r, s->reg[0 .. EXO_BPF_REGS - 1];
	    loop variant EXO_BPF_REGS - r; */
	for (uint32_t r = 0; r < EXO_BPF_REGS; r++)
		s->reg[r] = unset(0);
	/*@ loop invariant 0 <= n <= BPF_SLOTS &&
	      \forall integer k; 0 <= k < n ==> is_range(s->slot[k].in);
	    loop assigns n, s->slot[0 .. BPF_SLOTS - 1];
	    loop variant BPF_SLOTS - n; */
	for (uint32_t n = 0; n < BPF_SLOTS; n++)
		s->slot[n] = unset(0);
	s->reg[1] = context_size != 0 ? value(BPF_CONTEXT, bpf_exactly(BPF_AT_CONTEXT))
				      : value(BPF_SCALAR, bpf_exactly(0));
	s->reg[2] = value(BPF_SCALAR, bpf_exactly(context_size));
	s->reg[EXO_BPF_FP] = value(BPF_STACK, bpf_exactly(BPF_AT_STACK + EXO_BPF_STACK_BYTES));
	s->steps = 0;
}

enum exo_bpf_reason bpf_verify_begin(struct bpf_verifier *v, struct bpf_program *p)
{
	enum exo_bpf_reason reason = bpf_check(p, &v->pc);

	p->steps = 0;
	if (reason != EXO_BPF_OK)
		return reason;
	mark(v, p);
	reason = number(v, p);
	if (reason != EXO_BPF_OK)
		return reason;
	sort(v, p);
	enter(&v->flow, p->context_size);
	v->flowing = 1;
	v->pc = 0;
	v->work = 0;
	v->steps = 0;
	return EXO_BPF_MORE;
}
