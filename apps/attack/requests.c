/*
 * requests.c - a ring without a libOS, so that its entries can be anything.
 *
 * The ring and the data stand in this program's bss, which threads see too.
 */
#include <libos/time.h>
#include <libos/vm.h>
#include "attack.h"

struct exo_ring ring_page __attribute__((aligned(4096)));
uint64_t ring_data[DATA_PAGES * 512] __attribute__((aligned(4096)));

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

uint32_t data_frame(uint32_t i)
{
	return vm_frame(address(&ring_data[(uint64_t)i * 512]), NULL);
}

int ring_open(void)
{
	ring_page = (struct exo_ring){0};
	return vm_populate(address(ring_data), sizeof ring_data, VM_READ | VM_WRITE) == 0 &&
	       call_io_setup(vm_frame(address(&ring_page), NULL)).status == EXO_OK;
}

void ring_close(void)
{
	(void)ring_drain();
	(void)call_io_setup(0);
}

void ring_put(struct exo_sqe e)
{
	volatile struct exo_ring *r = &ring_page;

	r->sq[r->sq_tail % EXO_RING_SQ] = e;
	r->sq_tail = r->sq_tail + 1;
}

int ring_drain(void)
{
	const uint64_t until = time_now() + (uint64_t)TRANSFER_MS * MS;
	volatile struct exo_ring *r = &ring_page;

	while (tables_quota_used(self_index())->n[EXO_QUOTA_IO] != 0 && time_now() < until)
		(void)time_sleep_until(time_now() + MS, EXO_EV_IO);
	r->cq_head = r->cq_tail;
	return tables_quota_used(self_index())->n[EXO_QUOTA_IO] == 0;
}

uint64_t ring_request(struct exo_sqe e)
{
	const uint64_t until = time_now() + (uint64_t)TRANSFER_MS * MS;
	volatile struct exo_ring *r = &ring_page;

	ring_put(e);
	(void)call_io_submit();
	while (r->cq_tail == r->cq_head && time_now() < until)
		(void)time_sleep_until(time_now() + MS, EXO_EV_IO);
	if (r->cq_tail == r->cq_head)
		return EXO_TIMEOUT;
	r->cq_head = r->cq_head + 1;
	return r->cq[(r->cq_head - 1) % EXO_RING_CQ].status;
}

/* Its extent, wherever init has put it in the table. */
static uint32_t prey_index(void)
{
	const uint64_t mine = tables_env(self_index())->principal;

	for (uint32_t x = 1; x < tables_info()->table[EXO_TABLE_EXTENTS].count; x++)
		if (tables_extent(x)->state == EXO_EXTENT_LIVE && tables_extent(x)->owner == mine)
			return x;
	return 0;
}

uint32_t prey_open(uint32_t cap)
{
	const uint32_t x = prey_index();
	const volatile struct exo_extent *e = tables_extent(x);

	if (x == 0 || call_extent_open(x, cap).status != EXO_OK)
		return 0;
	while (e->init < e->len) {
		const uint64_t left = e->len - e->init;
		const struct exo_sqe clear = {
			.op = EXO_IO_CLEAR,
			.cap = (uint16_t)cap,
			.count = (uint16_t)(left > EXO_IO_BLOCKS ? EXO_IO_BLOCKS : left),
			.block = e->start + e->init};

		if (ring_request(clear) != EXO_OK)
			return 0;
	}
	return x;
}

/* ---- a thread that reads for ever --------------------------------------------------------- */

/* Its ring is its own page; it reads into its own frames for ever. */
static void reader(struct thread *me)
{
	volatile struct exo_ring *const r = (volatile struct exo_ring *)THREAD_RING;

	if (call_io_setup(me->frames[0]).status != EXO_OK)
		return;
	while (!me->stop) {
		const uint32_t i = r->sq_tail % EXO_RING_SQ;

		for (uint32_t k = 0; k < 6; k++)
			r->list[k] = me->frames[1 + k];
		r->sq[i] = (struct exo_sqe){
			.op = EXO_IO_READ, .cap = READER_CAP, .count = 6, .block = me->arg};
		r->sq_tail = r->sq_tail + 1;
		r->cq_head = r->cq_tail;
		if (call_io_submit().status == EXO_OK)
			me->rounds++;
		else
			r->sq_tail = r->sq_tail - 1;
		disturb(0);
	}
}

int reader_start(struct thread *t, uint32_t cap, uint32_t extent)
{
	const uint32_t lesser = free_slot(cap + 2);

	if (!thread_make(t, cap, reader) ||
	    call_cap_derive(extent, lesser, EXO_RIGHT_READ | EXO_RIGHT_GRANT, 0, 0).status !=
		    EXO_OK ||
	    call_cap_grant(lesser, cap, READER_CAP, EXO_RIGHT_READ).status != EXO_OK)
		return 0;
	(void)call_cap_drop(lesser);
	t->arg = tables_caps(self_index())->c[extent].start;
	for (uint32_t i = 1; i <= 6; i++)
		if ((t->frames[i] = child_take(&t->c, EXO_PAGE_DATA)) == 0)
			return 0;
	return thread_go(t) && thread_wait(t, 1, TRANSFER_MS);
}
