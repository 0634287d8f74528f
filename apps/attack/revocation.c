/*
 * revocation.c - races with whoever takes something back: pages that are unshared, freed and taken
 * while they are mapped and used, capabilities lost while requests under them are queued.
 */
#include <libos/frames.h>
#include <libos/time.h>
#include <libos/vm.h>
#include "attack.h"

enum {
	SHARED = 10,
	LEAF_AT = 300,
	ROUNDS = 150,
	MOST = 3000,
	WAIT_MS = 2000,
	CAP = 47,
	LESS = 48,
	GENERATIONS = 50
};

static struct thread t;
static volatile uint32_t shared_frame; /* what the thread tries to keep mapped */

/* Maps, writes and unmaps the frame it is told of, by a capability that comes and goes. */
static void grab(struct thread *me)
{
	volatile uint64_t *const at =
		(volatile uint64_t *)(CHILD_CODE + (uint64_t)LEAF_AT * EXO_PAGE_SIZE);

	while (!me->stop) {
		const uint32_t f = shared_frame;

		if (f != 0 &&
		    call_page_map(EXO_SELF.n, me->c.leaf, LEAF_AT, f, 1, RW | SHARED << 8).status ==
			    EXO_OK) {
			me->rounds++;
			at[0] = me->rounds;
			disturb(me->other);
			at[0] = me->rounds;
			(void)call_page_unmap(EXO_SELF.n, me->c.leaf, LEAF_AT, 1);
		}
		if (next_random() % 4 == 0)
			(void)call_cap_drop(SHARED);
		if (next_random() % 3 == 0)
			disturb(me->other);
	}
}

static _Noreturn void grab_and_end(void)
{
	grab(&t);
	for (;;)
		(void)call_env_kill(EXO_SELF.n, 0);
}

/* Its handler: the page was taken while it wrote.  It begins anew, on its own stack. */
static _Noreturn void lost_it(void)
{
	t.result[0]++;
	__asm__ volatile("movq %0, %%rsp; xorl %%ebp, %%ebp; call *%1; ud2"
			 :
			 : "r"((uint64_t)THREAD_STACK + 2 * EXO_PAGE_SIZE - 64), "r"(grab_and_end));
	__builtin_unreachable();
}

static void begin_grabbing(struct thread *me)
{
	(void)call_env_set(EXO_SELF.n, EXO_SET_UPCALL_ENTRY, (uint64_t)(uintptr_t)lost_it);
	grab(me);
}

/*
 * Takes a frame, shares it, takes it back at a random moment, frees it, and takes it anew, zeroed:
 * from the moment that the kernel has said it is free, nothing of the thread's reaches it.
 */
static int one_round(uint32_t leaf)
{
	const volatile uint64_t *const at = (const volatile uint64_t *)(SCRATCH + 80 * VM_PAGE);
	enum exo_status status;
	uint64_t bits = 0;
	uint32_t f;

	if (frame_take(0, EXO_PAGE_DATA, &f) != 0)
		return 0;
	(void)call_page_share(f, 1, THREAD_CAP, SHARED, EXO_RIGHT_READ | EXO_RIGHT_WRITE);
	shared_frame = f;
	disturb(t.c.eid);
	disturb(t.c.eid);
	if (next_random() % 2 == 0)
		(void)call_page_unshare(f, 1);
	for (uint32_t i = 0;
	     (status = (enum exo_status)call_page_free(0, f).status) == EXO_BUSY && i < 1000; i++) {
		(void)call_revoke_take(EXO_SELF.n, EXO_ASK_PAGES, f, t.c.leaf);
		disturb(t.c.eid);
	}
	if (status != EXO_OK || call_page_take(0, f, EXO_PAGE_DATA).status != EXO_OK)
		return 0;
	if (call_page_map(0, leaf, 80, f, 1, RW).status != EXO_OK)
		return 0;
	for (uint32_t i = 0; i < 6; i++) {
		disturb(t.c.eid);
		bits |= at[0];
	}
	shared_frame = 0;
	(void)call_page_unmap(0, leaf, 80, 1);
	return bits == 0 && call_page_free(0, f).status == EXO_OK;
}

static void pages_taken_back(uint32_t leaf)
{
	shared_frame = 0;
	if (!thread_make(&t, THREAD_CAP, begin_grabbing)) {
		unprepared("pages taken back");
		return;
	}
	t.other = eid_of(self_index());
	(void)thread_go(&t);
	for (uint32_t i = 0; i < ROUNDS || (t.result[0] == 0 && i < MOST); i++)
		tally(one_round(leaf));
	sum_up("a page taken back from one that maps and writes it");
	score("it had the page at times, and lost it while it wrote",
	      t.rounds > 0 && t.result[0] > 0);
	t.stop = 1;
	(void)child_wait(&t.c, WAIT_MS);
	score("it ended when it was told to", tables_env(t.c.index)->end == EXO_END_EXIT);
	score("nothing of it is left", child_end(&t.c));
}

/* ---- requests ---------------------------------------------------------------------------- */

/* Words of block b on the drive. */
static uint64_t on_disk(const volatile struct exo_extent *x, uint64_t b)
{
	const struct exo_sqe e = {.op = EXO_IO_READ, .cap = CAP, .count = 1, .block = x->start + b};

	ring_page.list[0] = data_frame(1);
	return ring_request(e) == EXO_OK ? ring_data[512] : ~0ull;
}

/*
 * Writes are queued under a capability that is lost before they begin; in its slot stands one that
 * only reads, of the same blocks.  What had not begun must not be written.
 */
static int lesser_right(const volatile struct exo_extent *x, uint64_t round)
{
	const struct exo_sqe slow = {
		.op = EXO_IO_READ, .cap = CAP, .count = 8, .list = 8, .block = x->start};
	const struct exo_sqe write = {
		.op = EXO_IO_WRITE, .cap = LESS, .count = 1, .block = x->start + 40};
	uint64_t before = on_disk(x, 40), status;

	(void)call_cap_drop(LESS);
	if (call_cap_derive(CAP, LESS, EXO_RIGHT_READ | EXO_RIGHT_WRITE, x->start + 40, 1).status !=
	    EXO_OK)
		return 0;
	ring_data[0] = round + 1000;
	ring_page.list[0] = data_frame(0);
	for (uint32_t i = 0; i < 8; i++)
		ring_page.list[8 + i] = data_frame(2 + i);
	ring_put(slow);
	ring_put(slow);
	ring_put(write);
	(void)call_io_submit();
	(void)call_cap_drop(LESS);
	if (round % 2 == 0)
		(void)call_cap_derive(CAP, LESS, EXO_RIGHT_READ, x->start + 40, 1);
	if (!ring_drain())
		return 0;
	status = ring_page.cq[(ring_page.cq_tail - 1) % EXO_RING_CQ].status;
	return status == EXO_STALE ? on_disk(x, 40) == before : status == EXO_OK;
}

static void requests_queued(const volatile struct exo_extent *x)
{
	uint64_t stale_seen = 0;

	for (uint64_t round = 0; round < 20 || (stale_seen == 0 && round < MOST); round++) {
		tally(lesser_right(x, round));
		stale_seen +=
			ring_page.cq[(ring_page.cq_tail - 2) % EXO_RING_CQ].status == EXO_STALE ||
			ring_page.cq[(ring_page.cq_tail - 1) % EXO_RING_CQ].status == EXO_STALE;
	}
	sum_up("requests queued under a right that is lost");
	score("some of them were caught in the queue", stale_seen > 0);
}

/* ---- by force, after the deadline ---------------------------------------------------------- */

/* Writes to a page of its own as long as it can. */
static void write_on(struct thread *me)
{
	volatile uint64_t *const at = (volatile uint64_t *)THREAD_RING;

	while (!me->stop) {
		at[me->rounds % 512] = ++me->rounds;
		disturb(me->other);
	}
}

static void sleep_past_deadline(void)
{
	(void)time_sleep_until(time_now() + EXO_REVOKE_MIN_NS + MS, 0);
}

/* A page is taken from one that writes to it: what is in it afterwards is its new owner's. */
static void page_in_use(uint32_t leaf)
{
	const volatile uint64_t *const at = (const volatile uint64_t *)(SCRATCH + 80 * VM_PAGE);
	uint64_t bits = 0, before;
	uint32_t f;

	if (!thread_make(&t, THREAD_CAP, write_on) || !thread_go(&t) ||
	    !thread_wait(&t, 2, WAIT_MS)) {
		unprepared("a page in use");
		return;
	}
	f = t.frames[0];
	tally_answered(call_revoke_ask(THREAD_CAP, EXO_ASK_PAGES, 1, 0), EXO_OK);
	tally_answered(call_revoke_take(THREAD_CAP, EXO_ASK_PAGES, f, t.c.leaf), EXO_AGAIN);
	sleep_past_deadline();
	before = t.rounds;
	tally(call_revoke_take(THREAD_CAP, EXO_ASK_PAGES, f, t.c.leaf).value == 1);
	tally_answered(call_page_take(0, f, EXO_PAGE_DATA), EXO_OK);
	tally_answered(call_page_map(0, leaf, 80, f, 1, RW), EXO_OK);
	tally(child_wait(&t.c, WAIT_MS) && tables_env(t.c.index)->end == EXO_END_FAULT);
	for (uint32_t i = 0; i < 512; i++)
		bits |= at[i];
	tally(bits == 0 && before > 1);
	tally_refused(call_revoke_take(THREAD_CAP, EXO_ASK_PAGES, t.c.leaf, t.c.leaf));
	sum_up("a page taken by force from one that writes to it");
	(void)call_page_unmap(0, leaf, 80, 1);
	(void)call_page_free(0, f);
	score("nothing of it is left", child_end(&t.c));
}

/* Blocks are recalled from one that keeps its queue full of requests for them. */
static void recalled(void)
{
	uint64_t done;

	if (!reader_start(&t, THREAD_CAP, CAP)) {
		unprepared("blocks in use");
		return;
	}
	tally_answered(call_extent_recall(CAP, t.c.eid, 0), EXO_OK);
	tally(tables_caps(t.c.index)->c[READER_CAP].kind == EXO_CAP_EXTENT);
	sleep_past_deadline();
	done = t.rounds;
	tally(call_extent_recall(CAP, t.c.eid, 0).value == 1);
	tally(tables_caps(t.c.index)->c[READER_CAP].kind == EXO_CAP_NONE && done > 0);
	(void)thread_wait(&t, done + 64, WAIT_MS); /* it goes on asking */
	for (uint32_t i = 1; i < EXO_NIO; i++)
		tally(tables_io(i)->state != EXO_IOS_ACTIVE || tables_io(i)->env != t.c.index);
	sum_up("blocks recalled from one that keeps asking for them");
	score("nothing of it is left", child_end(&t.c));
}

/* How the i-th last request ended. */
static uint32_t status_before(uint32_t i)
{
	return ring_page.cq[(ring_page.cq_tail - i) % EXO_RING_CQ].status;
}

/* All requests under the extent's generation. */
static void generation(uint32_t x)
{
	const struct exo_sqe e = {.op = EXO_IO_READ,
				  .cap = CAP,
				  .count = 8,
				  .list = 8,
				  .block = tables_extent(x)->start};
	uint32_t ok = 0, stale = 0, rounds = 0;

	/* The drive may be through with all of them first: then once more. */
	for (; rounds < GENERATIONS && stale == 0; rounds++) {
		if (rounds != 0) {
			(void)call_cap_drop(CAP);
			(void)call_extent_open(x, CAP);
		}
		for (uint32_t i = 0; i < 8; i++)
			ring_put(e);
		(void)call_io_submit();
		tally_answered(call_cap_revoke(CAP), EXO_OK);
		tally_refused(call_cap_derive(CAP, LESS + 1, EXO_RIGHT_READ, 0, 0));
		(void)ring_drain();
		for (uint32_t i = 1; i <= 8; i++)
			ok += status_before(i) == EXO_OK, stale += status_before(i) == EXO_STALE;
	}
	tally(ok + stale == 8 * rounds && stale > 0);
	ring_put(e);
	(void)call_io_submit();
	tally(status_before(1) == EXO_STALE);
	sum_up("requests queued under an extent that is revoked");
}

/* Nothing is taken before its time, or by who has not asked. */
static void taking(void)
{
	struct child c;

	if (!child_start(&c, CHILD_SPIN)) {
		unprepared("taking from a child");
		return;
	}
	for (uint32_t f = 1; f < tables_info()->frames; f++)
		if (tables_page(f)->owner == c.index)
			tally_refused(call_revoke_take(CHILD_CAP, EXO_ASK_PAGES, f, c.leaf));
	tally_answered(call_revoke_ask(CHILD_CAP, EXO_ASK_PAGES, 4, 0), EXO_OK);
	for (uint32_t f = 1; f < tables_info()->frames; f++)
		if (tables_page(f)->owner == c.index)
			tally_refused(call_revoke_take(CHILD_CAP, EXO_ASK_PAGES, f, c.leaf));
	tally_refused(call_revoke_ask(EXO_SELF.n, EXO_ASK_PAGES, 1, 0));
	tally_refused(call_revoke_ask(CHILD_CAP, EXO_ASK_PAGES, ~0ull, 0));
	tally_refused(call_revoke_ask(CHILD_CAP, EXO_ASK_EXTENT, 1, 0));
	sum_up("taking before the deadline, or without asking");
	score("taken back", child_end(&c));
}

void attack_revocation(void)
{
	const uint32_t leaf = scratch_table();
	uint32_t x;

	if (leaf == 0) {
		unprepared("revocation");
		return;
	}
	taking();
	pages_taken_back(leaf);
	page_in_use(leaf);
	if (!ring_open() || (x = prey_open(CAP)) == 0) {
		unprepared("requests");
		return;
	}
	requests_queued(tables_extent(x));
	recalled();
	generation(x);
	ring_close();
}
