/*
 * bpf_model.c - RFC 9669 as it is written, an instruction at a time, with every check.
 *
 * Every register and each byte of the stack carries what it is: nothing yet, a number, or part of
 * an address.  Called by exo-bpf and the tests; may be slow, must be plain.
 */
#include "bpf_model.h"

#include <stddef.h>
#include <string.h>

enum { FRAMES = 8, STACK = FRAMES * EXO_BPF_STACK_BYTES };

enum tag { NOTHING, NUMBER, CONTEXT_ADDRESS, STACK_ADDRESS };

struct word {
	uint64_t n;
	enum tag tag;
};

struct call {
	uint32_t back;
	struct word kept[4]; /* r6 .. r9 */
};

struct machine {
	struct bpf_model *m;
	struct word reg[11];
	uint8_t stack[STACK];
	enum tag tag[STACK];
	struct call call[FRAMES];
	int depth;
	uint32_t next;
	int done;
};

static void fault(struct machine *x, const char *what)
{
	if (!x->m->fault)
		x->m->fault = what;
}

static uint64_t low(uint64_t n, int bits)
{
	return bits == 64 ? n : n & ((1ull << bits) - 1);
}

static int64_t with_sign(uint64_t n, int bits)
{
	switch (bits) {
	case 8:
		return (int8_t)n;
	case 16:
		return (int16_t)n;
	case 32:
		return (int32_t)n;
	default:
		return (int64_t)n;
	}
}

static int is_address(struct word w)
{
	return w.tag == CONTEXT_ADDRESS || w.tag == STACK_ADDRESS;
}

/* Register r is used. */
static const struct word *use(struct machine *x, unsigned r)
{
	if (x->reg[r].tag == NOTHING && x->m->strict)
		fault(x, "uses a register that was not set");
	return &x->reg[r];
}

static void set(struct machine *x, unsigned r, uint64_t n, enum tag tag)
{
	x->reg[r] = (struct word){n, tag};
}

/* ---- memory ------------------------------------------------------------------------------- */

/* The stack of the program, or in strict mode of its one frame, begins here. */
static int stack_start(const struct machine *x)
{
	return x->m->strict ? STACK - EXO_BPF_STACK_BYTES : 0;
}

/* Where `size` bytes at address a are: an index of the context (0) or the stack (1), else -1. */
static int find(const struct machine *x, uint64_t a, int size, int *where)
{
	const uint64_t c = a - x->m->context_at, s = a - x->m->stack_at;

	*where = 0;
	if (c < x->m->context_size && c + (unsigned)size <= x->m->context_size)
		return (int)c;
	*where = 1;
	if (s < STACK && s + (unsigned)size <= STACK && (int)s >= stack_start(x))
		return (int)s;
	return -1;
}

/* The tag of what stands in `size` bytes of the stack from s. */
static enum tag tag_of(struct machine *x, int s, int size)
{
	const enum tag first = x->tag[s];

	for (int k = 0; k < size; k++)
		if (x->tag[s + k] == NOTHING && x->m->strict)
			fault(x, "reads stack that was not written");
	for (int k = 0; k < size; k++)
		if (x->tag[s + k] > NUMBER && (size != 8 || s % 8 || x->tag[s + k] != first))
			fault(x, "reads part of an address");
	return size == 8 && first > NUMBER ? first : NUMBER;
}

static void load(struct machine *x, struct exo_bpf_insn i, int size)
{
	const struct word base = *use(x, i.regs >> 4);
	int where;
	const int at = find(x, base.n + (uint64_t)(int64_t)i.off, size, &where);
	enum tag tag = NUMBER;
	uint64_t n = 0;

	if (x->m->strict && base.tag != (where ? STACK_ADDRESS : CONTEXT_ADDRESS))
		fault(x, "reads through what is no address of this memory");
	if (at < 0) {
		fault(x, "reads outside of its memory");
		return;
	}
	for (int k = size - 1; k >= 0; k--)
		n = n << 8 | (where ? x->stack[at + k] : x->m->context[at + k]);
	if (where)
		tag = tag_of(x, at, size);
	if ((i.op & 0xe0) == BPF_MEMSX)
		n = (uint64_t)with_sign(n, 8 * size);
	set(x, i.regs & 15, n, tag);
}

/* An address that is overwritten in part is no address any more, nor a number. */
static void tear(struct machine *x, int at)
{
	if (x->tag[at] <= NUMBER)
		return;
	for (int k = at & ~7; k < (at & ~7) + 8; k++)
		x->tag[k] = NOTHING;
}

static void store(struct machine *x, struct exo_bpf_insn i, int size)
{
	const struct word base = *use(x, i.regs & 15);
	const struct word what = (i.op & 7) == BPF_ST
					 ? (struct word){(uint64_t)(int64_t)i.imm, NUMBER}
					 : *use(x, i.regs >> 4);
	int where;
	const int at = find(x, base.n + (uint64_t)(int64_t)i.off, size, &where);

	if (x->m->strict && (!where || base.tag != STACK_ADDRESS))
		fault(x, "writes to what is not its stack");
	if (at < 0) {
		fault(x, "writes outside of its memory");
		return;
	}
	if (is_address(what) && x->m->strict && (size != 8 || at % 8))
		fault(x, "stores part of an address");
	if (x->m->fault)
		return;
	for (int k = 0; k < size; k++) {
		if (where) {
			tear(x, at + k);
			x->stack[at + k] = (uint8_t)(what.n >> 8 * k);
		} else {
			x->m->context[at + k] = (uint8_t)(what.n >> 8 * k);
		}
	}
	for (int k = 0; k < size && where; k++)
		x->tag[at + k] = is_address(what) ? what.tag : NUMBER;
}

/* ---- arithmetic --------------------------------------------------------------------------- */

static uint64_t signed_division(int remainder, int64_t a, int64_t b)
{
	if (b == 0)
		return remainder ? (uint64_t)a : 0;
	if (b == -1) /* the quotient of the least number does not fit and wraps */
		return remainder ? 0 : 0 - (uint64_t)a;
	return (uint64_t)(remainder ? a % b : a / b);
}

static uint64_t shift_signed(int64_t a, int s)
{
	while (s-- > 0)
		a = a / 2 - (a % 2 < 0); /* rounds down */
	return (uint64_t)a;
}

/* dst and src have `bits` bits; the result may have more. */
static uint64_t operate(struct exo_bpf_insn i, uint64_t a, uint64_t b, int bits)
{
	switch (i.op >> 4) {
	case 0x0:
		return a + b;
	case 0x1:
		return a - b;
	case 0x2:
		return a * b;
	case 0x3:
		if (i.off == 1)
			return signed_division(0, with_sign(a, bits), with_sign(b, bits));
		return b ? a / b : 0;
	case 0x4:
		return a | b;
	case 0x5:
		return a & b;
	case 0x6:
		return a << (b % (unsigned)bits);
	case 0x7:
		return a >> (b % (unsigned)bits);
	case 0x8:
		return 0 - a;
	case 0x9:
		if (i.off == 1)
			return signed_division(1, with_sign(a, bits), with_sign(b, bits));
		return b ? a % b : a;
	case 0xa:
		return a ^ b;
	case 0xb:
		return i.off ? (uint64_t)with_sign(b, i.off) : b;
	default:
		return shift_signed(with_sign(a, bits), (int)(b % (unsigned)bits));
	}
}

static uint64_t byte_order(struct exo_bpf_insn i, uint64_t n)
{
	uint64_t swapped = 0;

	if (i.op == 0xd4)
		return low(n, i.imm);
	for (int k = 0; k < i.imm / 8; k++)
		swapped = swapped << 8 | (n >> 8 * k & 0xff);
	return swapped;
}

/* What comes of an operation on addresses that the kernel promises to allow. */
static enum tag address_tag(struct machine *x, struct exo_bpf_insn i, struct word a, struct word b)
{
	if (i.op == 0xbf && i.off == 0)
		return b.tag;
	if (i.op == 0x0f && is_address(a) != is_address(b))
		return is_address(a) ? a.tag : b.tag;
	if ((i.op == 0x07 || i.op == 0x17 || i.op == 0x1f) && is_address(a) && !is_address(b))
		return a.tag;
	if (i.op == 0x1f && a.tag == b.tag)
		return NUMBER;
	if (x->m->strict)
		fault(x, "calculates with an address");
	return NUMBER;
}

/* The operand besides the destination: a register, or the immediate, which is in *imm then. */
static const struct word *operand(struct machine *x, struct exo_bpf_insn i, struct word *imm)
{
	*imm = (struct word){(uint64_t)(int64_t)i.imm, NUMBER};
	return i.op & BPF_X ? use(x, i.regs >> 4) : imm;
}

static void arithmetic(struct machine *x, struct exo_bpf_insn i)
{
	const int bits = (i.op & 7) == BPF_ALU64 ? 64 : 32;
	const unsigned dst = i.regs & 15;
	const int moves = i.op >> 4 == 0xb, ends = i.op >> 4 == 0xd;
	const struct word a = moves ? (struct word){0, NUMBER} : *use(x, dst);
	struct word imm;
	const struct word b = ends ? (struct word){0, NUMBER} : *operand(x, i, &imm);
	enum tag tag = NUMBER;

	if (is_address(a) || is_address(b))
		tag = address_tag(x, i, a, b);
	if (ends)
		set(x, dst, byte_order(i, a.n), tag);
	else
		set(x, dst, low(operate(i, low(a.n, bits), low(b.n, bits), bits), bits), tag);
}

/* ---- control ------------------------------------------------------------------------------ */

static int holds(int code, uint64_t a, uint64_t b, int bits)
{
	const int64_t sa = with_sign(a, bits), sb = with_sign(b, bits);

	a = low(a, bits);
	b = low(b, bits);
	switch (code) {
	case 0x1:
		return a == b;
	case 0x2:
		return a > b;
	case 0x3:
		return a >= b;
	case 0x4:
		return (a & b) != 0;
	case 0x5:
		return a != b;
	case 0x6:
		return sa > sb;
	case 0x7:
		return sa >= sb;
	case 0xa:
		return a < b;
	case 0xb:
		return a <= b;
	case 0xc:
		return sa < sb;
	default:
		return sa <= sb;
	}
}

static void compare(struct machine *x, struct exo_bpf_insn i)
{
	struct word imm;
	const struct word a = *use(x, i.regs & 15), b = *operand(x, i, &imm);

	if (x->m->strict && a.tag != b.tag && (b.tag != NUMBER || b.n != 0))
		fault(x, "compares an address with something else");
	if (x->m->strict && (is_address(a) || is_address(b)) && (i.op & 7) == BPF_JMP32)
		fault(x, "compares half of an address");
	if (holds(i.op >> 4, a.n, b.n, (i.op & 7) == BPF_JMP32 ? 32 : 64))
		x->next += (uint32_t)i.off;
}

static void enter(struct machine *x, struct exo_bpf_insn i)
{
	if (x->m->strict || i.regs >> 4 != 1 || i.op & BPF_X)
		fault(x, "calls what is not offered");
	else if (x->depth == FRAMES - 1)
		fault(x, "calls too deep");
	if (x->m->fault)
		return;

	struct call *const c = &x->call[x->depth++];

	c->back = x->next;
	memcpy(c->kept, &x->reg[6], sizeof(c->kept));
	x->reg[EXO_BPF_FP].n -= EXO_BPF_STACK_BYTES;
	x->next += (uint32_t)i.imm;
}

static void leave(struct machine *x)
{
	if (x->depth == 0) {
		const struct word r0 = *use(x, 0);

		if (is_address(r0) && x->m->strict)
			fault(x, "answers with an address");
		x->m->r0 = r0.n;
		x->done = 1;
		return;
	}

	const struct call *const c = &x->call[--x->depth];

	memcpy(&x->reg[6], c->kept, sizeof(c->kept));
	x->reg[EXO_BPF_FP].n += EXO_BPF_STACK_BYTES;
	x->next = c->back;
}

static void control(struct machine *x, struct exo_bpf_insn i)
{
	if (i.op == 0x05)
		x->next += (uint32_t)i.off;
	else if (i.op == 0x06)
		x->next += (uint32_t)i.imm;
	else if (i.op >> 4 == 8)
		enter(x, i);
	else if (i.op == 0x95)
		leave(x);
	else
		compare(x, i);
}

static void step(struct machine *x)
{
	static const int sizes[] = {4, 2, 1, 8};
	const struct exo_bpf_insn i = x->m->insn[x->m->pc];

	x->next = x->m->pc + 1;
	switch (i.op & 7) {
	case BPF_LD:
		if (i.op != BPF_LDDW || x->next >= x->m->count) {
			fault(x, "no such instruction");
			return;
		}
		set(x, i.regs & 15,
		    (uint32_t)i.imm | (uint64_t)(uint32_t)x->m->insn[x->next].imm << 32, NUMBER);
		x->next++;
		break;
	case BPF_LDX:
		load(x, i, sizes[i.op >> 3 & 3]);
		break;
	case BPF_ST:
	case BPF_STX:
		store(x, i, sizes[i.op >> 3 & 3]);
		break;
	case BPF_JMP:
	case BPF_JMP32:
		control(x, i);
		break;
	default:
		arithmetic(x, i);
	}
}

void bpf_model_run(struct bpf_model *m)
{
	static struct machine x;

	x = (struct machine){.m = m};
	m->fault = NULL;
	m->pc = 0;
	m->steps = 0;
	if (m->context_size)
		set(&x, 1, m->context_at, CONTEXT_ADDRESS);
	else
		set(&x, 1, 0, NUMBER);
	set(&x, 2, m->context_size, NUMBER);
	set(&x, EXO_BPF_FP, m->stack_at + STACK, STACK_ADDRESS);
	for (;;) {
		if (m->pc >= m->count)
			fault(&x, "leaves the program");
		else if (m->steps == m->limit)
			fault(&x, "takes too many steps");
		if (m->fault)
			return;
		m->steps++;
		step(&x);
		if (x.done || m->fault)
			return;
		m->pc = x.next;
	}
}
