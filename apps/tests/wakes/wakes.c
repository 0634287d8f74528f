/*
 * wakes - how often a program wakes for 32 requests that it wants the end of, with wait, and with a
 * predicate that says when (wait_until); then one that waits for memory, for which no event comes.
 *
 * Started by the manifest with an extent to write.
 */
#include <stddef.h>
#include <libos/bare.h>
#include <libos/call.h>
#include <libos/layout.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/vm.h>

int main(void);

enum { REQUESTS = EXO_RING_SQ, MS = 1000000, LIMIT_MS = 20000 };

static struct exo_ring ring __attribute__((aligned(4096)));
static uint8_t page[EXO_PAGE_SIZE] __attribute__((aligned(4096)));
static int failed;

static void expect(const char *what, int good)
{
	bare_print("%s wakes: %s\n", good ? "ok" : "FAIL", what);
	failed |= !good;
}

/* Wakes when the 32-bit field of what it sees at this place is at least word 0. */
#define WAKES_AT(field)                                                                            \
	{                                                                                          \
		{BPF_ALU64 | BPF_MOV, 0, 0, 0},                                                    \
			{BPF_LDX | BPF_MEM | BPF_W, 0x12, offsetof(struct exo_wake, field), 0},    \
			{BPF_LDX | BPF_MEM | BPF_DW, 0x13, offsetof(struct exo_wake, word), 0},    \
			{BPF_JMP | BPF_JLT | BPF_X, 0x32, 1, 0}, {BPF_ALU64 | BPF_MOV, 0, 0, 1},   \
		{                                                                                  \
			BPF_JMP | BPF_EXIT, 0, 0, 0                                                \
		}                                                                                  \
	}

static int load(const struct exo_bpf_insn insn[6])
{
	struct exo_result r;

	while (call_bpf_begin(0).value == 0)
		(void)time_sleep_until(time_now() + MS, 0);
	(void)call_bpf_put((uint64_t)insn, 6);
	do
		r = call_bpf_verify();
	while (r.status == EXO_OK && EXO_BPF_ANSWER_REASON(r.value) == EXO_BPF_MORE);
	return r.status == EXO_OK && EXO_BPF_ANSWER_REASON(r.value) == EXO_BPF_OK;
}

static const volatile struct exo_waker *self(void)
{
	return tables_waker(EXO_EID_INDEX((struct eid){start_self()}));
}

/* ---- completions --------------------------------------------------------------------------- */

static uint64_t frame_of(const void *p)
{
	return vm_frame((uint64_t)(uintptr_t)p, NULL);
}

/* As many writes as the ring takes, of one page to one block. */
static void submit(uint64_t block)
{
	volatile struct exo_ring *const r = &ring;

	r->cq_head = r->cq_tail;
	r->list[0] = (uint32_t)frame_of(page);
	for (uint32_t i = 0; i < REQUESTS; i++) {
		r->sq[r->sq_tail % EXO_RING_SQ] = (struct exo_sqe){
			.op = EXO_IO_WRITE, .cap = LAYOUT_CAP_EXTENT, .count = 1, .block = block};
		r->sq_tail = r->sq_tail + 1;
	}
}

/* Until all are done: how often it was awake for that. */
static uint32_t wait_for_all(int with_predicate)
{
	volatile struct exo_ring *const r = &ring;
	const uint64_t until = time_now() + LIMIT_MS * (uint64_t)MS;
	uint32_t wakes = 0;

	(void)call_io_submit();
	while (r->cq_tail - r->cq_head < REQUESTS && time_now() < until) {
		if (with_predicate)
			(void)call_wait_until(EXO_EV_IO, until, REQUESTS, 0, 0, 0);
		else
			(void)call_wait(EXO_EV_IO, until);
		wakes++;
		(void)call_io_submit(); /* what there was no room for in the queue */
	}
	return wakes;
}

static void completions(void)
{
	static const struct exo_bpf_insn insn[6] = WAKES_AT(completions);
	const volatile struct exo_cap *const c =
		&tables_caps(EXO_EID_INDEX((struct eid){start_self()}))->c[LAYOUT_CAP_EXTENT];
	uint32_t plain, by_predicate;

	ring = (struct exo_ring){0}; /* so that there are frames */
	page[0] = 1;
	expect("a ring is had", call_io_setup(frame_of(&ring)).status == EXO_OK);
	expect("a predicate is accepted", load(insn));
	submit(c->start);
	plain = wait_for_all(0);
	submit(c->start);
	by_predicate = wait_for_all(1);
	bare_print("wakes: %u requests: awake %u times with wait, %u with a predicate, which was "
		   "asked %u times\n",
		   (uint64_t)REQUESTS, (uint64_t)plain, (uint64_t)by_predicate, self()->asked);
	/*
	 * A drive that is quicker than the program leaves nothing to wait for: in QEMU that is the
	 * host's affair.  Bochs' is slow, and wakes it 32 times.
	 */
	expect("one wake-up for all", by_predicate <= 1);
	(void)call_io_setup(0);
}

/* ---- memory -------------------------------------------------------------------------------- */

static void memory(void)
{
	static const struct exo_bpf_insn insn[6] = WAKES_AT(free_frames);
	const uint32_t least = tables_info()->free_frames / 2;
	const uint64_t asked = self()->asked;
	struct exo_result r;

	expect("another is accepted", load(insn));
	r = call_wait_until(0, time_now() + 600 * (uint64_t)MS, least, 0, 0, 0);
	expect("what is there ends the wait at once",
	       r.status == EXO_OK && r.value == 0 && self()->asked == asked + 1);
	r = call_wait_until(0, time_now() + 600 * (uint64_t)MS, ~0u, 0, 0, 0);
	expect("what never comes is asked for in its own slots, until the deadline",
	       r.status == EXO_TIMEOUT && self()->asked > asked + 2);
}

int main(void)
{
	completions();
	memory();
	return failed;
}
