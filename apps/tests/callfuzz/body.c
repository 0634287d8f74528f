/*
 * body.c - what a child does: call after call, until its budget is used up or it is dead.
 *
 * In most calls all arguments are likely to be right; in some one is not, in some all are random.
 * Each call is written down in struct shared before it is made.  It is made by a leap, so that the
 * child survives whatever it did to its registers.  Owns the struct body on its stack.
 */
#include "fuzz.h"

enum { LOOK_AGAIN = 256 /* calls between looks at which frames are own */ };

static void remember(struct body *b, uint32_t frame)
{
	if (b->hints < HINTS)
		b->hint[b->hints++] = frame;
	else
		b->hint[fuzz_below(b->s, HINTS)] = frame;
}

/* All own frames, as far as there is room; of a run of 512 only where it begins. */
static void look(struct body *b)
{
	const uint32_t frames = tables_info()->frames;
	uint32_t in_row = 0;

	b->hints = b->run = 0;
	for (uint32_t f = 0; f < frames; f++) {
		const volatile struct exo_page *p = tables_page(f);

		in_row = f % 512 == 0 ? 0 : in_row;
		if (p->owner != b->self)
			continue;
		in_row += p->state == EXO_PAGE_DATA;
		if (in_row == 512)
			b->run = f - 511;
		if (in_row < HINTS / 4 || p->state != EXO_PAGE_DATA)
			remember(b, f);
	}
}

static void choose_arguments(struct body *b, uint32_t number, uint64_t *a)
{
	struct shared *const s = b->s;
	const uint64_t how = fuzz_below(s, 10);
	const uint32_t n = number < UNKNOWN ? s->nargs[number] : 0;

	for (uint32_t i = 0; i < ARGS; i++)
		a[i] = i < n && how < 9 ? args_right(b, s->kind[number][i]) : args_wild(b);
	if (how < 8 && number < UNKNOWN)
		helpful(b, number, a);
	if ((how == 7 || how == 8) && n)
		a[fuzz_below(s, n)] = args_wild(b);
}

static void count(struct body *b, uint32_t number, struct exo_result r)
{
	struct shared *const s = b->s;
	const uint32_t place = number < s->known ? number : UNKNOWN;
	const int answers_more = number == N_ipc_call || number == N_ipc_reply_wait;

	s->n.granted[place] += r.status == EXO_OK;
	if (number == N_page_take && r.status == EXO_OK && s->arg[1] < tables_info()->frames)
		remember(b, (uint32_t)s->arg[1]);
	if (r.status != ~0ull)
		s->n.dirty += s->differs || r.status >= STATUSES || (s->secret && !answers_more);
}

/* Most children do not end themselves, nor each of theirs at once, nor sleep: they would get
 * nowhere. */
static void spare(struct body *b, uint32_t number, uint64_t *a)
{
	const uint32_t e = args_env(b, a[0]);

	if (b->s->careless)
		return;
	args_wake(b, number, a);
	if (number != N_env_kill)
		return;
	if (e == b->self || (tables_env(e)->state == EXO_ENV_BUILDING && !fuzz_one_in(b->s, 4)))
		a[0] = EXO_NCAP;
}

static void one_call(struct body *b)
{
	struct shared *const s = b->s;
	const uint32_t number = (uint32_t)fuzz_below(s, s->known + 1);
	struct leap l = {.rip = (uint64_t)(uintptr_t)fuzz_syscall, .rflags = 2};
	uint64_t a[ARGS];

	choose_arguments(b, number, a);
	spare(b, number, a);
	for (uint32_t i = 0; i < ARGS; i++)
		s->arg[i] = a[i];
	l.rax = s->number = number < s->known ? number : fuzz_random(s);
	l.rdi = a[0], l.rsi = a[1], l.rdx = a[2], l.r10 = a[3], l.r8 = a[4], l.r9 = a[5];
	l.rsp = CHILD_STACK - 2048;
	damage_registers(b, &l);
	s->differs = s->secret = 0;
	s->n.made[number < s->known ? number : UNKNOWN]++;
	s->calls++;
	count(b, number, fuzz_leap(&l));
}

_Noreturn void fuzz_body(struct shared *s)
{
	struct body b = {.s = s, .self = (uint32_t)(s->self & 0xffff)};

	while (s->calls < s->budget) {
		if (s->calls % LOOK_AGAIN == 0)
			look(&b);
		if (b.hints == 0)
			look(&b);
		damage_ring(&b);
		if (fuzz_one_in(s, 64))
			damage_run(&b);
		one_call(&b);
	}
	for (;;)
		(void)call_env_kill(0, 0);
}
