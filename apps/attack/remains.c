/*
 * remains.c - what others have left: in pages, in blocks, in registers.
 */
#include <libos/layout.h>
#include <libos/time.h>
#include <libos/vm.h>
#include "attack.h"

enum {
	PAGES = 64,
	ROUNDS = 8,
	TURNS = 40,
	SPOILED = 0x5a5a5a5a,
	LOOK_BYTES = 640,
	FPU_CONTROL = 0x7f
};

enum { WAIT_MS = 2000 };

/* What remains_look() stores: registers, selectors, then the FXSAVE image. */
static union {
	struct {
		uint64_t general[14];
		uint16_t selector[4];
		uint64_t fill;
		uint8_t fpu[512];
	} r;
	uint8_t bytes[LOOK_BYTES];
} seen __attribute__((aligned(64)));
_Static_assert(sizeof seen.r.general + 8 + 8 == 128, "FXSAVE goes to 128");

void remains_look(void);

static void pages(void)
{
	uint64_t va, bits = 0;

	if (vm_reserve(0, PAGES * VM_PAGE, VM_READ | VM_WRITE, VM_ANON, &va) != 0) {
		unprepared("reading an old owner's page");
		return;
	}
	for (uint64_t i = 0; i < PAGES * 512; i++)
		bits |= ((const volatile uint64_t *)va)[i];
	score("reading an old owner's page", bits == 0);
	(void)vm_release(va, PAGES * VM_PAGE);
}

/* Frames of every kind that a child had, taken again at once. */
static void pages_of_the_dead(void)
{
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t frame[64], n = 0;
		uint64_t bits = 0;
		struct child c;

		if (!child_start(&c, CHILD_NO_HANDLER) || !child_wait(&c, WAIT_MS)) {
			unprepared("a child's pages");
			return;
		}
		for (uint32_t f = 1; f < tables_info()->frames && n < 64; f++)
			if (tables_page(f)->owner == c.index)
				frame[n++] = f;
		tally(child_end(&c));
		for (uint32_t i = 0; i < n; i++) {
			const uint64_t *at;

			if (call_page_take(0, frame[i], EXO_PAGE_DATA).status != EXO_OK)
				continue;
			at = vm_window(&frame[i], 1, VM_READ, 0, NULL);
			for (uint32_t k = 0; at != NULL && k < 512; k++)
				bits |= at[k];
			vm_window_end();
			(void)call_page_free(0, frame[i]);
		}
		tally(bits == 0);
	}
	sum_up("pages, tables and save area of a child that has ended");
}

/* ---- registers --------------------------------------------------------------------------- */

/* Leaves a value in every register that there is, and shows that it runs. */
static void spoil(struct thread *t)
{
	const uint32_t mxcsr = 0x7f80;
	uint64_t value[2] = {SPOILED, SPOILED};

	while (!t->stop) {
		__asm__ volatile(
			"movdqu (%0), %%xmm0; movdqa %%xmm0, %%xmm1; movdqa %%xmm0, %%xmm7;"
			"movdqa %%xmm0, %%xmm8; movdqa %%xmm0, %%xmm15; ldmxcsr (%1);"
			"fldpi; fldpi; movw %w2, %%ds; movw %w2, %%es; movw %w2, %%fs;"
			"movw %w2, %%gs"
			:
			: "r"(value), "r"(&mxcsr), "r"(EXO_USER_SS)
			: "xmm0", "xmm1", "xmm7", "xmm8", "xmm15", "memory");
		t->rounds++;
		if (next_random() % 2 == 0)
			(void)call_yield(0);
	}
}

static uint32_t selectors(void)
{
	uint32_t all, one;

	__asm__ volatile("movl %%ds, %0; movl %%es, %1; orl %1, %0; movl %%fs, %1; orl %1, %0;"
			 "movl %%gs, %1; orl %1, %0"
			 : "=&r"(all), "=&r"(one));
	return all & 0xffff;
}

/* An environment whose first instructions look at what is there: only rdi and rsp were set. */
static int looks_clean(void)
{
	static struct thread t;
	uint64_t bits = 0;
	int ran;

	for (uint32_t i = 0; i < LOOK_BYTES; i++)
		seen.bytes[i] = 0;
	if (!thread_make(&t, OTHER_CAP, NULL) ||
	    call_env_start(OTHER_CAP, (uint64_t)(uintptr_t)remains_look, THREAD_STACK + VM_PAGE,
			   (uint64_t)(uintptr_t)&seen)
			    .status != EXO_OK)
		return 0;
	ran = child_wait(&t.c, WAIT_MS);
	for (uint32_t i = 0; i < 14; i++)
		bits |= seen.r.general[i];
	for (uint32_t i = 0; i < 4; i++)
		bits |= seen.r.selector[i];
	for (uint32_t i = 2; i < 24; i++) /* status, tags, instruction and data pointers */
		bits |= seen.r.fpu[i];
	for (uint32_t i = 32; i < 416; i++)
		bits |= seen.r.fpu[i];
	return child_end(&t.c) && ran && seen.r.fpu[0] == FPU_CONTROL && bits == 0;
}

static void registers_of_others(void)
{
	static struct thread t;
	uint64_t met = 0;

	if (!thread_make(&t, THREAD_CAP, spoil) || !thread_go(&t) || !thread_wait(&t, 2, WAIT_MS)) {
		unprepared("registers of others");
		return;
	}
	for (uint32_t i = 0; i < TURNS; i++) {
		const uint64_t before = t.rounds;

		(void)call_yield(t.c.eid);
		met += t.rounds != before;
		tally(selectors() == 0);
	}
	sum_up("segment registers that another program has set");
	for (uint32_t i = 0; i < ROUNDS; i++)
		tally(looks_clean());
	sum_up("registers of whoever ran before, FPU and segments too");
	score("the other one ran in between", met > 0);
	t.stop = 1;
	(void)child_wait(&t.c, WAIT_MS);
	score("taken back", child_end(&t.c));
}

/* Every call but `wait`, refused or not: what comes back in the registers that it does not define.
 */
static uint64_t left_by(uint64_t number)
{
	uint64_t rax = number, rdi = ~0ull, rsi = ~0ull, rdx = ~0ull;
	register uint64_t r8 __asm__("r8") = ~0ull;
	register uint64_t r9 __asm__("r9") = ~0ull;
	register uint64_t r10 __asm__("r10") = ~0ull;

	__asm__ volatile("syscall"
			 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r8), "+r"(r9), "+r"(r10)
			 :
			 : "rcx", "r11", "memory");
	return rdi | rsi | r8 | r9 | r10 | (rax == EXO_OK ? 0 : rdx) | (rax > 255 ? rax : 0);
}

static void registers_after_calls(void)
{
	enum {
#define CALL(number, name, nargs, args, what, errors, bound, example) N_##name = number,
#include <exo/syscall.def>
#undef CALL
		N_END
	};

	for (uint64_t n = 0; n < N_END + 4; n++)
		if (n != N_wait)
			tally(left_by(n) == 0);
	sum_up("registers after every call");
}

/* ---- blocks ------------------------------------------------------------------------------ */

/* Blocks that this principal has never written; the extent has them from the image maker. */
static void blocks(void)
{
	const volatile struct exo_cap *c = &tables_caps(self_index())->c[LAYOUT_CAP_EXTENT];
	const volatile struct exo_extent *x = tables_extent(c->object);
	struct exo_sqe e = {.op = EXO_IO_READ, .cap = LAYOUT_CAP_EXTENT, .count = 1};

	if (!ring_open() || x->init == x->len) {
		unprepared("blocks never written");
		return;
	}
	ring_page.list[0] = data_frame(0);
	for (uint64_t b = x->init; b < x->len; b += 7) {
		e.block = x->start + b;
		tally_answered((struct exo_result){ring_request(e), 0}, EXO_UNINIT);
	}
	e.block = x->start + x->init + 1;
	e.op = EXO_IO_WRITE;
	tally_answered((struct exo_result){ring_request(e), 0}, EXO_UNINIT);
	sum_up("blocks of an old owner, never written by this one");
	ring_close();
}

void attack_remains(void)
{
	pages();
	pages_of_the_dead();
	registers_of_others();
	registers_after_calls();
	blocks();
}
