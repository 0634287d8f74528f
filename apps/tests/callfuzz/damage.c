/*
 * damage.c - what a child does to itself around its calls: registers, flags, FPU, code, ring.
 */
#include <string.h>
#include "fuzz.h"

enum {
	FLAG_TF = 1 << 8,
	FLAG_DF = 1 << 10,
	FLAG_IOPL = 3 << 12,
	FLAG_NT = 1 << 14,
	FLAG_AC = 1 << 18,
	ORDINARY = 0x8d5, /* those of arithmetic */
};

static uint64_t random_flags(struct shared *s)
{
	static const uint32_t flags[] = {FLAG_TF, FLAG_DF,  FLAG_IOPL, FLAG_NT,
					 FLAG_AC, ORDINARY, 1 << 21,   1 << 16};
	uint64_t f = 2;

	for (uint32_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (fuzz_one_in(s, 4))
			f |= flags[i];
	return f;
}

static uint64_t random_rsp(struct body *b)
{
	switch (fuzz_below(b->s, 6)) {
	case 0:
		return args_wild(b);
	case 1:
		return 0x0000800000000000ull - fuzz_below(b->s, 3) + 1;
	case 2:
		return 0xffffffff80100000ull + fuzz_below(b->s, 1 << 20);
	case 3: /* any fault there is the end */
		if (!b->s->careless)
			return 0;
		return LAYOUT_UPCALL + fuzz_below(b->s, VM_PAGE + 1);
	default:
		return CHILD_ARENA + fuzz_below(b->s, CHILD_ARENA_PAGES * VM_PAGE);
	}
}

/* Mostly a state that can be loaded: reserved bits of MXCSR fault. */
static const uint8_t *random_fpu(struct body *b)
{
	for (uint32_t i = 0; i < sizeof b->fpu; i += 8) {
		const uint64_t r = fuzz_random(b->s) << 11 ^ fuzz_random(b->s);

		memcpy(b->fpu + i, &r, sizeof r);
	}
	if (!fuzz_one_in(b->s, 8))
		memset(b->fpu + 26, 0, 2); /* high half of MXCSR */
	return b->fpu;
}

void damage_registers(struct body *b, struct leap *l)
{
	uint64_t *const others[] = {&l->rcx, &l->r11, &l->rbx, &l->rbp,
				    &l->r12, &l->r13, &l->r14, &l->r15};

	if (!fuzz_one_in(b->s, 4))
		return;
	for (uint32_t i = 0; i < sizeof others / sizeof others[0]; i++)
		*others[i] = args_wild(b);
	if (fuzz_one_in(b->s, 2))
		l->rsp = random_rsp(b);
	if (fuzz_one_in(b->s, 2))
		l->rflags = random_flags(b->s);
	if (fuzz_one_in(b->s, 4))
		l->fpu = random_fpu(b);
}

/* ---- code -------------------------------------------------------------------------------- */

/* Instructions that a program should not get far with, and some that it may. */
static const struct {
	uint8_t n, bytes[7];
} seeds[] = {
	{2, {0x0f, 0x05}},		     /* syscall */
	{3, {0x48, 0x0f, 0x07}},	     /* sysretq */
	{2, {0x0f, 0x34}},		     /* sysenter */
	{2, {0x0f, 0x35}},		     /* sysexit */
	{2, {0xcd, 0x20}},		     /* int 0x20 */
	{2, {0xcd, 0x80}},		     /* int 0x80 */
	{2, {0xcd, 0x02}},		     /* int 2 */
	{2, {0xcd, 0x08}},		     /* int 8 */
	{1, {0xcc}},			     /* int3 */
	{1, {0xf1}},			     /* int1 */
	{2, {0x0f, 0x0b}},		     /* ud2 */
	{1, {0xf4}},			     /* hlt */
	{1, {0xfa}},			     /* cli */
	{1, {0xfb}},			     /* sti */
	{2, {0x48, 0xcf}},		     /* iretq */
	{1, {0xcb}},			     /* lret */
	{2, {0x0f, 0x30}},		     /* wrmsr */
	{2, {0x0f, 0x32}},		     /* rdmsr */
	{2, {0x0f, 0x33}},		     /* rdpmc */
	{1, {0xec}},			     /* in */
	{1, {0xee}},			     /* out */
	{2, {0xf3, 0x6c}},		     /* rep ins */
	{3, {0x0f, 0x22, 0xd8}},	     /* mov cr3 */
	{3, {0x0f, 0x20, 0xe0}},	     /* mov from cr4 */
	{3, {0x0f, 0x23, 0xf8}},	     /* mov dr7 */
	{3, {0x0f, 0x01, 0xf8}},	     /* swapgs */
	{3, {0x0f, 0x01, 0x10}},	     /* lgdt */
	{3, {0x0f, 0x01, 0x18}},	     /* lidt */
	{3, {0x0f, 0x01, 0x00}},	     /* sgdt */
	{3, {0x0f, 0x00, 0xd0}},	     /* lldt */
	{3, {0x0f, 0x00, 0xd8}},	     /* ltr */
	{3, {0x0f, 0x01, 0xf0}},	     /* lmsw */
	{3, {0x0f, 0x01, 0xd1}},	     /* xsetbv */
	{2, {0x0f, 0x06}},		     /* clts */
	{2, {0x0f, 0x09}},		     /* wbinvd */
	{3, {0x0f, 0x01, 0x38}},	     /* invlpg */
	{5, {0xf3, 0x48, 0x0f, 0xae, 0xd0}}, /* wrfsbase */
	{5, {0xf3, 0x48, 0x0f, 0xae, 0xd8}}, /* wrgsbase */
	{2, {0x8e, 0xd8}},		     /* mov ds */
	{2, {0x8e, 0xe0}},		     /* mov fs */
	{2, {0x8e, 0xe8}},		     /* mov gs */
	{2, {0x8e, 0xd0}},		     /* mov ss */
	{1, {0x9d}},			     /* popf */
	{3, {0x0f, 0xae, 0x10}},	     /* ldmxcsr */
	{2, {0xd9, 0x28}},		     /* fldcw */
	{2, {0xd9, 0x20}},		     /* fldenv */
	{1, {0x9b}},			     /* fwait */
	{3, {0x0f, 0xae, 0x08}},	     /* fxrstor */
	{3, {0x0f, 0x01, 0xca}},	     /* clac */
	{3, {0x0f, 0x01, 0xcb}},	     /* stac */
	{3, {0x0f, 0x01, 0xc1}},	     /* vmcall */
	{3, {0x0f, 0x01, 0xd9}},	     /* vmmcall */
	{4, {0xd9, 0xe8, 0xd9, 0xee}},	     /* fld1, fldz */
	{2, {0xde, 0xf9}},		     /* fdivp */
	{2, {0xff, 0xe0}},		     /* jmp rax */
	{2, {0xff, 0xd3}},		     /* call rbx */
	{2, {0xc3, 0x90}},		     /* ret */
};

static void fill_code(struct body *b, volatile uint8_t *code, uint32_t size)
{
	uint32_t at = 0;

	while (at < size - 8) {
		const uint64_t i = fuzz_below(b->s, 2 * sizeof seeds / sizeof seeds[0]);

		if (i < sizeof seeds / sizeof seeds[0])
			for (uint32_t k = 0; k < seeds[i].n; k++)
				code[at++] = seeds[i].bytes[k];
		else
			code[at++] = (uint8_t)fuzz_random(b->s);
	}
}

/* The page is written while it is not executable: both calls are counted as what they are. */
void damage_run(struct body *b)
{
	enum { RW = EXO_MAP_READ | EXO_MAP_WRITE, RX = EXO_MAP_READ | EXO_MAP_EXEC };
	const uint64_t index = CHILD_CODE / VM_PAGE % 512;
	const uint64_t own = args_own_frame(b, EXO_PAGE_TABLE, 1);
	struct leap l = {
		.rax = fuzz_random(b->s), .rsp = random_rsp(b), .rflags = random_flags(b->s)};
	uint64_t *const words[] = {&l.rdi, &l.rsi, &l.rdx, &l.r10, &l.r8,
				   &l.r9,  &l.rcx, &l.rbx, &l.rbp};

	if (tables_page((uint32_t)own)->va > CHILD_CODE ||
	    call_page_protect(0, own, index, 1, RW).status != EXO_OK)
		return;
	fill_code(b, (volatile uint8_t *)CHILD_CODE, 64);
	if (call_page_protect(0, own, index, 1, RX).status != EXO_OK)
		return;
	for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++)
		*words[i] = fuzz_one_in(b->s, 3) ? CHILD_ARENA : args_wild(b);
	l.rax %= 200;
	l.rip = CHILD_CODE + (fuzz_one_in(b->s, 4) ? VM_PAGE - 1 - fuzz_below(b->s, 16) : 0);
	l.fpu = fuzz_one_in(b->s, 2) ? random_fpu(b) : NULL;
	b->s->n.codes++;
	b->s->number = ~0ull;
	(void)fuzz_leap(&l);
}

/* ---- the ring ---------------------------------------------------------------------------- */

static struct exo_sqe random_entry(struct body *b)
{
	struct shared *const s = b->s;
	const uint32_t cap = args_slot(b, EXO_CAP_EXTENT);
	const volatile struct exo_cap *c = &tables_caps(b->self)->c[cap];
	struct exo_sqe e = {
		.op = (uint8_t)(1 + fuzz_below(s, 4)),
		.cap = (uint16_t)cap,
		.count = (uint16_t)(1 + fuzz_below(s, 4)),
		.block = c->start + fuzz_below(s, c->len ? c->len : 1),
		.list = (uint32_t)fuzz_below(s, EXO_RING_LIST - 4),
		.tag = fuzz_random(s),
	};

	if (e.op == EXO_IO_FLUSH)
		e.count = 0;
	if (fuzz_one_in(s, 4))
		((uint8_t *)&e)[fuzz_below(s, sizeof e)] = (uint8_t)fuzz_random(s);
	return e;
}

void damage_ring(struct body *b)
{
	struct exo_ring *const ring = (struct exo_ring *)CHILD_RING;
	struct shared *const s = b->s;

	if (!fuzz_one_in(s, 8))
		return;
	ring->list[fuzz_below(s, EXO_RING_LIST)] =
		(uint32_t)(fuzz_one_in(s, 4) ? args_wild(b) : args_own_frame(b, EXO_PAGE_DATA, 0));
	ring->sq[ring->sq_tail % EXO_RING_SQ] = random_entry(b);
	ring->sq_tail++;
	ring->cq_head = ring->cq_tail;
	if (fuzz_one_in(s, 64))
		((uint32_t *)ring)[fuzz_below(s, 16)] = (uint32_t)fuzz_random(s);
}
