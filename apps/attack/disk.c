/*
 * disk.c - extents of others, forged requests, DMA where it must not go.
 */
#include <libos/frames.h>
#include <libos/time.h>
#include <libos/vm.h>
#include <string.h>
#include "attack.h"

enum { RING_CAP = 50, MS = 1000000, WAIT_MS = 3000 };

static const struct exo_extent *extent_at(uint32_t x)
{
	return (const struct exo_extent *)table_of(EXO_TABLE_EXTENTS) + x;
}

/* Every extent that is not this program's principal's. */
static void open_others(void)
{
	uint64_t mine = env_at(self_index())->principal;
	uint32_t tried = 0;
	int all = 1;

	for (uint32_t x = 0; x < tables()->table[EXO_TABLE_EXTENTS].count; x++)
		if (extent_at(x)->state == EXO_EXTENT_LIVE && extent_at(x)->owner != mine) {
			all &= call_extent_open(x, RING_CAP).status != EXO_OK;
			tried++;
		}
	score("opening the extents of others", all && tried > 0);
	refused("opening an extent beyond the table", call_extent_open(1 << 20, RING_CAP));
	refused("freeing through an empty slot", call_extent_free(RING_CAP));
	refused("access through an empty slot", call_extent_access(RING_CAP, mine, 3));
}

static void overlap(void)
{
	uint32_t count = tables()->table[EXO_TABLE_EXTENTS].count, x = 1, free = 0;

	while (x < count && extent_at(x)->state != EXO_EXTENT_LIVE)
		x++;
	while (free < count && extent_at(free)->state != EXO_EXTENT_FREE)
		free++;
	if (x == count || free == count) {
		unprepared("overlapping extents");
		return;
	}
	refused("an extent over another's blocks",
		call_extent_take(free, x, extent_at(x)->start + 1, 1, extent_at(x)->drive, 0));
	refused("an extent over the boot record",
		call_extent_take(free, 0, 0, 1, extent_at(x)->drive, 0));
	refused("an extent over the extent table",
		call_extent_take(free, 0, extent_at(x)->start - 1, 1, extent_at(x)->drive, 0));
	refused("an extent whose end wraps", call_extent_take(free, x, ~0ull, 2, 0, 0));
	refused("an extent on no drive", call_extent_take(free, x, 1, 1, 9, 0));
}

/* One request; what its completion says. */
static uint64_t request(struct exo_ring *ring, struct exo_sqe e)
{
	uint64_t until = time_now() + (uint64_t)WAIT_MS * MS;
	volatile struct exo_ring *shared = ring;

	ring->sq[ring->sq_tail % EXO_RING_SQ] = e;
	shared->sq_tail = shared->sq_tail + 1;
	(void)call_io_submit();
	while (shared->cq_tail == shared->cq_head && time_now() < until)
		(void)time_sleep_until(time_now() + MS, EXO_EV_IO);
	if (shared->cq_tail == shared->cq_head)
		return EXO_TIMEOUT;
	shared->cq_head = shared->cq_head + 1;
	return ring->cq[(shared->cq_head - 1) % EXO_RING_CQ].status;
}

static void bad_request(const char *name, struct exo_ring *ring, struct exo_sqe e)
{
	uint64_t status = request(ring, e);

	score(name, status != EXO_OK && status != EXO_TIMEOUT);
}

/* Through slots that are no extents. */
static void without_right(struct exo_ring *ring)
{
	struct exo_sqe e = {.op = EXO_IO_READ, .count = 1, .block = 300};

	ring->list[0] = vm_frame((uint64_t)ring, NULL);
	bad_request("reading through slot 0", ring, e);
	e.cap = 1;
	bad_request("reading through the console's slot", ring, e);
	e.cap = 60;
	bad_request("reading through an empty slot", ring, e);
	e.cap = 0xffff;
	bad_request("reading through a slot beyond the table", ring, e);
	e.op = 77;
	bad_request("an unknown operation", ring, e);
}

/* With a right to an extent, where this program was given one. */
static void with_right(struct exo_ring *ring, uint32_t slot, uint32_t x)
{
	const struct exo_extent *ext = extent_at(x);
	struct exo_sqe e = {.op = EXO_IO_READ, .cap = (uint16_t)slot, .count = 1};

	e.block = ext->start + ext->len;
	bad_request("a block after the own extent", ring, e);
	e.block = ext->start - 1;
	bad_request("a block before the own extent", ring, e);
	e.block = ~0ull;
	bad_request("a block that wraps", ring, e);
	e.block = ext->start;
	e.count = 0;
	bad_request("no blocks", ring, e);
	e.count = EXO_IO_BLOCKS + 1;
	bad_request("too many blocks", ring, e);
	e.count = 1;
	e.list = EXO_RING_LIST;
	bad_request("a frame list beyond the ring", ring, e);
	e.list = 0;
	ring->list[0] = find_frame(EXO_PAGE_DATA, 0);
	bad_request("DMA to another's page", ring, e);
	ring->list[0] = find_frame(EXO_PAGE_KERNEL, 0);
	bad_request("DMA to the kernel", ring, e);
	ring->list[0] = find_frame(EXO_PAGE_TABLE, 1);
	bad_request("DMA to the own page table", ring, e);
	ring->list[0] = env_at(self_index())->save;
	bad_request("DMA to the own save area", ring, e);
	ring->list[0] = tables()->frames;
	bad_request("DMA beyond memory", ring, e);
	ring->list[0] = find_frame(EXO_PAGE_FREE, 0);
	bad_request("DMA to a free frame", ring, e);
}

static void rings(void)
{
	uint32_t other = find_frame(EXO_PAGE_DATA, 0);

	refused("a ring in another's page", call_io_setup(other));
	refused("a ring in the kernel", call_io_setup(find_frame(EXO_PAGE_KERNEL, 0)));
	refused("a ring in the own page table", call_io_setup(find_frame(EXO_PAGE_TABLE, 1)));
	refused("a ring beyond memory", call_io_setup(~0ull));
}

void attack_disk(void)
{
	uint32_t slot = 8; /* where given extents are */
	uint64_t va;

	open_others();
	overlap();
	rings();
	if (vm_reserve(0, 4096, VM_READ | VM_WRITE, VM_ANON, &va) != 0 ||
	    vm_populate(va, 4096, VM_READ | VM_WRITE) != 0 ||
	    call_io_setup(vm_frame(va, NULL)).status != EXO_OK) {
		unprepared("requests");
		return;
	}
	without_right((struct exo_ring *)va);
	for (uint32_t x = 1; x < tables()->table[EXO_TABLE_EXTENTS].count; x++)
		if (extent_at(x)->state == EXO_EXTENT_LIVE &&
		    extent_at(x)->owner == env_at(self_index())->principal) {
			with_right((struct exo_ring *)va, slot, x);
			break;
		}
	answered("a ring given up", call_io_setup(0), EXO_OK);
	(void)vm_release(va, 4096);
}
