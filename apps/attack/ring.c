/*
 * ring.c - a ring that changes while the kernel reads it: another environment rewrites its entries
 * all the time, and the drive itself reads blocks into the ring page.
 *
 * Whatever the entries say, nothing outside the own extent, no frame of others and no more requests
 * than the quota may come of it.
 */
#include <libos/vm.h>
#include "attack.h"

enum { CAP = 47, SUBMITS = 1500, DMAS = 60, WAIT_MS = 2000 };

static struct thread t;
static uint64_t start, len;
static uint32_t good, bad, bad_pins;

/* An entry of which each field is right or wrong by chance. */
static struct exo_sqe some_entry(void)
{
	const uint64_t r = next_random();

	return (struct exo_sqe){
		.op = (uint8_t)(1 + r % 5),
		.reserved0 = r >> 8 & 7 ? 0 : 1,
		.cap = r >> 11 & 3 ? CAP : (uint16_t)(r >> 16),
		.pages = r >> 13 & 3 ? 0 : (uint16_t)(r >> 24 & 63),
		.count = r >> 15 & 3 ? 1 : (uint16_t)(r >> 30 & 511),
		.block = r >> 17 & 3 ? start + (r >> 40) % len : start + len - 1 + (r >> 60),
		.list = r >> 19 & 3 ? (uint32_t)(r >> 20 & 15) : (uint32_t)(r >> 32),
		.tag = r};
}

/* Rewrites everything in the ring, over and over. */
static void rewrite(struct thread *me)
{
	volatile struct exo_ring *const r = &ring_page;

	while (!me->stop) {
		for (uint32_t i = 0; i < EXO_RING_SQ; i++)
			r->sq[i] = some_entry();
		for (uint32_t i = 0; i < 32; i++)
			r->list[i] = next_random() % 2 ? good : bad;
		r->sq_head = (uint32_t)next_random();
		r->cq_tail = (uint32_t)next_random();
		if (next_random() % 8 == 0)
			r->cq_head = (uint32_t)next_random();
		me->rounds++;
		disturb(me->other);
	}
}

/* Requests of this program in the kernel's table; one that it may not make counts as `wrong`. */
static uint32_t in_flight(uint32_t me, uint32_t *wrong)
{
	uint32_t flight = 0;

	for (uint32_t i = 1; i < EXO_NIO; i++) {
		const volatile struct exo_io *io = tables_io(i);

		if (io->state == EXO_IOS_FREE || io->env != me)
			continue;
		flight++;
		*wrong +=
			io->op < EXO_IO_READ || io->op > EXO_IO_CLEAR || io->count > EXO_IO_BLOCKS;
		*wrong += io->op != EXO_IO_FLUSH &&
			  (io->block < start || io->block + io->count > start + len);
	}
	return flight;
}

/* Does the kernel's table hold what this program may ask for, and no more? */
static int in_bounds(void)
{
	const uint32_t me = self_index();
	const volatile uint32_t *const used = &tables_quota_used(me)->n[EXO_QUOTA_IO];
	uint32_t flight, before, wrong;

	do { /* none of them ended meanwhile */
		before = *used;
		wrong = 0;
		flight = in_flight(me, &wrong);
	} while (before != *used);
	return wrong == 0 && flight == before &&
	       flight <= tables_quota_limit(me)->n[EXO_QUOTA_IO] &&
	       tables_page_pins(bad)[0] == bad_pins;
}

static void rewritten(void)
{
	volatile struct exo_ring *const r = &ring_page;

	if (!thread_make(&t, THREAD_CAP, rewrite)) {
		unprepared("another environment at the ring");
		return;
	}
	t.other = eid_of(self_index());
	if (!thread_go(&t) || !thread_wait(&t, 1, WAIT_MS)) {
		unprepared("another environment at the ring");
		return;
	}
	for (uint32_t i = 0; i < SUBMITS; i++) {
		r->sq_tail = (uint32_t)next_random();
		r->cq_head = r->cq_tail;
		(void)call_io_submit();
		tally(in_bounds());
		disturb(t.c.eid);
	}
	sum_up("entries rewritten while the kernel takes them");
	t.stop = 1;
	(void)child_wait(&t.c, WAIT_MS);
	score("it rewrote them many times", t.rounds > 10);
	score("taken back", child_end(&t.c));
	score("every request came to its end", ring_drain());
}

/* The drive writes entries into the ring while the kernel takes others from it. */
static void by_dma(void)
{
	const uint32_t ring_frame = vm_frame((uint64_t)(uintptr_t)&ring_page, NULL);
	struct exo_sqe e = {.op = EXO_IO_WRITE, .cap = CAP, .count = 1, .block = start};
	volatile struct exo_ring *const r = &ring_page;

	(void)call_io_setup(0);
	if (!ring_open()) {
		unprepared("a ring for the drive");
		return;
	}
	for (uint32_t i = 0; i < DMAS; i++) {
		struct exo_ring *const image = (struct exo_ring *)ring_data;

		for (uint32_t k = 0; k < EXO_RING_SQ; k++)
			image->sq[k] = some_entry();
		for (uint32_t k = 0; k < EXO_RING_LIST; k++)
			image->list[k] = k % 2 ? bad : good;
		image->sq_tail = (uint32_t)next_random();
		image->cq_head = (uint32_t)next_random();
		e.op = EXO_IO_WRITE;
		r->list[0] = data_frame(0);
		r->sq[r->sq_head % EXO_RING_SQ] = e;
		r->sq_tail = r->sq_head + 1;
		r->cq_head = r->cq_tail;
		(void)call_io_submit();
		tally(ring_drain());
		e.op = EXO_IO_READ;
		r->list[0] = ring_frame;
		r->sq[r->sq_head % EXO_RING_SQ] = e;
		r->sq_tail = r->sq_head + 1;
		(void)call_io_submit();
		while (tables_quota_used(self_index())->n[EXO_QUOTA_IO] != 0) {
			(void)call_io_submit();
			tally(in_bounds());
			disturb(0);
		}
		(void)call_io_setup(0);
		if (!ring_open())
			tally(0);
	}
	sum_up("entries that the drive itself writes into the ring");
}

void attack_ring(void)
{
	uint32_t x;

	bad = find_frame(EXO_PAGE_DATA, 0);
	bad_pins = tables_page_pins(bad)[0];
	if (!ring_open() || (x = prey_open(CAP)) == 0) {
		unprepared("requests");
		return;
	}
	good = data_frame(3);
	start = tables_extent(x)->start;
	len = tables_extent(x)->len;
	rewritten();
	by_dma();
	ring_close();
}
