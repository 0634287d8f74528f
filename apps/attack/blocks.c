/*
 * blocks.c - disk blocks of others, and requests that are not what they should be.
 */
#include <libos/layout.h>
#include "attack.h"

enum { CAP = 47 };

/* Extents over what is another's, the boot record, the extent table, nothing. */
static void overlap(void)
{
	const uint32_t count = tables_info()->table[EXO_TABLE_EXTENTS].count;
	uint32_t free = 1;

	while (free < count && tables_extent(free)->state != EXO_EXTENT_FREE)
		free++;
	for (uint32_t x = 0; x < count; x++) {
		const volatile struct exo_extent *e = tables_extent(x);

		if (e->state == EXO_EXTENT_FREE)
			continue;
		tally_refused(call_extent_take(free, x, e->start + 1, 1, e->drive, 0));
		tally_refused(call_extent_take(free, x, e->start, e->len, e->drive, 0));
		tally_refused(call_extent_take(free, x, e->start + e->len - 1, 1, e->drive, 0));
		tally_refused(call_extent_take(free, x, e->start - 1, 2, e->drive, 0));
		tally_refused(call_extent_take(free, 0, e->start, 1, e->drive, 0));
		tally_refused(call_extent_take(x, 0, e->start + e->len, 1, e->drive, 0));
	}
	tally_refused(call_extent_take(free, 0, 0, 1, 0, 0));
	tally_refused(call_extent_take(free, 0, ~0ull, 2, 0, 0));
	tally_refused(call_extent_take(free, 0, 2, ~0ull, 0, 0));
	tally_refused(call_extent_take(free, 1ull << 32, 1, 1, 0, 0));
	tally_refused(call_extent_take(free, 1, 1, 1, 9, 0));
	sum_up("extents over blocks of others and of the system");
}

static void bad(const char *name, struct exo_sqe e)
{
	const uint64_t status = ring_request(e);

	score(name, status != EXO_OK && status != EXO_TIMEOUT);
}

/* Through slots that are no extents. */
static void without_right(void)
{
	struct exo_sqe e = {.op = EXO_IO_READ, .count = 1, .block = 300};

	ring_page.list[0] = data_frame(0);
	bad("reading through slot 0", e);
	e.cap = LAYOUT_CAP_CONSOLE;
	bad("reading through the console's slot", e);
	e.cap = 60;
	bad("reading through an empty slot", e);
	e.cap = 0xffff;
	bad("reading through a slot beyond the table", e);
	e.cap = CAP;
	e.op = 77;
	bad("an unknown operation", e);
}

/* Every block of the drive that is not this program's, by its own capability, both ways. */
static void outside(const volatile struct exo_extent *x)
{
	for (uint32_t op = EXO_IO_READ; op <= EXO_IO_CLEAR; op++) {
		struct exo_sqe e = {.op = (uint8_t)op, .cap = CAP, .count = 1};

		if (op == EXO_IO_FLUSH)
			continue;
		for (uint64_t b = 0; b < tables_drive(x->drive)->blocks; b += 509) {
			e.block = b;
			if (b < x->start || b >= x->start + x->len)
				tally(ring_request(e) == EXO_RANGE);
		}
		for (uint32_t i = 0; i < 64; i++) {
			e.block = ~0ull << i;
			e.count = (uint16_t)(1 + i * 4);
			tally(ring_request(e) != EXO_OK);
		}
		e.block = x->start + x->len - 1;
		e.count = 2;
		tally(ring_request(e) == EXO_RANGE);
		e.block = x->start - 1;
		tally(ring_request(e) == EXO_RANGE);
	}
	sum_up("blocks outside the own extent");
}

static void malformed(const volatile struct exo_extent *x)
{
	const struct exo_sqe good = {.op = EXO_IO_READ, .cap = CAP, .count = 1, .block = x->start};
	struct exo_sqe e = good;

	e.count = 0;
	bad("no blocks", e);
	e.count = EXO_IO_BLOCKS + 1;
	bad("too many blocks", e);
	e = good;
	e.reserved0 = 1;
	bad("a reserved field", e);
	for (uint64_t list = EXO_RING_LIST; list < 1ull << 32; list = list * 2 + 1) {
		e = good;
		e.list = (uint32_t)list;
		tally(ring_request(e) == EXO_ARG);
	}
	sum_up("frame lists beyond the ring");
}

/* DMA to every frame of the machine that is not this program's data. */
static void frames(const volatile struct exo_extent *x)
{
	const struct exo_sqe e = {.op = EXO_IO_READ, .cap = CAP, .count = 1, .block = x->start};

	for (uint32_t f = 0; f < tables_info()->frames + 64; f += 1 + f / 64 % 7) {
		const volatile struct exo_page *p = tables_page(f);

		if (f < tables_info()->frames && p->owner == self_index() &&
		    p->state == EXO_PAGE_DATA)
			continue;
		ring_page.list[0] = f;
		tally(ring_request(e) != EXO_OK);
	}
	sum_up("DMA to frames that are not the own data");
}

static void rings(void)
{
	for (uint32_t state = EXO_PAGE_FREE; state <= EXO_PAGE_NONE; state++)
		if (find_frame(state, 0) != 0)
			tally_refused(call_io_setup(find_frame(state, 0)));
	for (uint32_t state = EXO_PAGE_TABLE; state <= EXO_PAGE_UPCALL; state++)
		tally_refused(call_io_setup(find_frame(state, 1)));
	tally_refused(call_io_setup(tables_info()->frames));
	tally_refused(call_io_setup(~0ull));
	sum_up("rings in frames that are not the own data");
}

void attack_blocks(void)
{
	uint32_t x;

	overlap();
	rings();
	if (!ring_open() || (x = prey_open(CAP)) == 0) {
		unprepared("requests");
		return;
	}
	without_right();
	outside(tables_extent(x));
	malformed(tables_extent(x));
	frames(tables_extent(x));
	ring_close();
	answered("a ring given up", call_io_submit(), EXO_STATE);
}
