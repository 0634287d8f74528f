/*
 * crash_test.c - power lost at any moment: the table is as before or as after a change, and every
 * block below a watermark holds what its owner wrote.
 *
 * A script of changes runs on the fake drive, which logs writes and flushes.  Then, for every
 * prefix of the log, the disk is rebuilt from what was flushed and a part of what was not: all of
 * it, all but torn sectors of the last block, or random sectors of random blocks.
 */
#include <stdlib.h>
#include <string.h>
#include "../../kern/console.h"
#include "../../kern/env.h"
#include "../../kern/syscall.h"
#include "fake.h"

enum { A = 2, B = 3, SECTOR = 512, SECTORS = EXO_BLOCK_SIZE / SECTOR, STATES = 64, RECORDS = 128 };

/* The table as a boot finds it once log[0..at) is on the disk. */
static struct {
	uint32_t at;
	uint32_t promised; /* extent whose watermark a completed flush has promised; 0: none */
	struct exo_extent table[RECORDS];
} states[STATES];
static uint32_t state_count;

static union extent_block initial[FAKE_BLOCKS], saved[FAKE_BLOCKS];

static void remember_state(uint32_t promised)
{
	static struct exo_extent live[RECORDS];

	memcpy(live, extents, sizeof(live));
	states[state_count].at = fake_logged;
	states[state_count].promised = promised;
	for (uint32_t x = 0; x < RECORDS; x++) {
		struct exo_extent *r = &states[state_count].table[x];

		*r = live[x].drive == 0 ? live[x] : (struct exo_extent){.gen = live[x].gen};
	}
	state_count++;
}

/* Completes a change. */
static void settle(void)
{
	fake_run();
	remember_state(0);
}

static void put(uint32_t e, uint32_t slot, enum exo_io_op op, uint64_t block, uint32_t count)
{
	struct exo_ring *ring = machine_ring((struct pfn){e * 64});
	struct exo_sqe *s = &ring->sq[ring->sq_tail++ % EXO_RING_SQ];

	*s = (struct exo_sqe){
		.op = (uint8_t)op, .cap = (uint16_t)slot, .count = (uint16_t)count, .block = block};
	for (uint32_t i = 0; i < count; i++) {
		ring->list[i] = e * 64 + 1 + i;
		memset(machine_bytes((struct pfn){e * 64 + 1 + i}), (int)(0xa0 + e),
		       EXO_BLOCK_SIZE);
	}
	ring->cq_head = ring->cq_tail;
	fake_as(e);
	if (sys_io_submit().value != 1)
		abort();
}

/* Flushes extent x, for which e has slot `slot`. */
static void flush(uint32_t e, uint32_t slot, uint32_t x)
{
	put(e, slot, EXO_IO_FLUSH, 0, 0);
	fake_run();
	remember_state(x);
}

static void take(uint32_t e, uint64_t x, uint64_t prev, uint64_t start, uint64_t len)
{
	fake_as(e);
	if (sys_extent_take(x, prev, start, len, 0, 0).status != EXO_OK)
		abort();
	settle();
	if (sys_extent_open(x, x % EXO_NCAP).status != EXO_OK)
		abort();
}

static void must(struct exo_result r)
{
	if (r.status != EXO_OK)
		abort();
}

/* Writes go on while the table is being written: watermarks move under the commit. */
static void write_during_commit(void)
{
	fake_as(A);
	must(sys_extent_access(5, 7, EXO_RIGHT_READ));
	for (uint64_t block = 455; fake_active(0) != 0; fake_complete(0)) {
		if (block < 465)
			put(A, 5, EXO_IO_WRITE, block++, 1);
		fake_complete(0);
	}
	remember_state(0);
}

static void script(void)
{
	fake_env(A, 1);
	fake_env(B, 2);
	remember_state(0);
	take(A, 5, 0, 450, 20);
	put(A, 5, EXO_IO_WRITE, 450, 4);
	fake_run();
	flush(A, 5, 5);
	take(B, 70, 5, 480, 10); /* in the other record block */
	put(B, 6, EXO_IO_WRITE, 480, 3);
	put(A, 5, EXO_IO_WRITE, 454, 1);
	write_during_commit();
	flush(B, 6, 70);
	fake_as(B);
	must(sys_extent_free(6));
	settle();
	take(A, 6, 5, 480, 5); /* what was B's */
	put(A, 6, EXO_IO_WRITE, 480, 1);
	flush(A, 6, 6);
	fake_as(A);
	must(sys_extent_split(5, 452, 71)); /* both parts have been written */
	settle();
	must(sys_extent_open(71, 7));
	put(A, 7, EXO_IO_WRITE, 455, 1);
	flush(A, 7, 71);
	must(sys_extent_free(7));
	settle();
	must(sys_extent_open(5, 8));
	fake_as(A);
	must(sys_extent_free(8));
	settle();
	take(B, 5, 0, 450, 20);
	put(B, 5, EXO_IO_WRITE, 450, 2);
	flush(B, 5, 5);
}

/* ---- the judge --------------------------------------------------------------------------- */

/* Tables agree in all but generations and watermarks (which follow the data, not the changes). */
static int same_table(const struct exo_extent *a, const struct exo_extent *b)
{
	for (uint32_t x = 0; x < RECORDS; x++) {
		struct exo_extent l = a[x], r = b[x];

		if (l.drive != 0)
			l = (struct exo_extent){0};
		l.init = r.init = 0;
		l.payer = r.payer = 0; /* is not kept */
		l.gen = r.gen = 0;
		if (memcmp(&l, &r, sizeof(l)) != 0)
			return 0;
	}
	return 1;
}

/* Blocks below the watermark of every extent were written by its owner. */
static int watermarks_true(void)
{
	for (uint32_t x = 1; x < RECORDS; x++) {
		const struct exo_extent *r = &extents[x];

		if (r->state != EXO_EXTENT_LIVE || r->drive != 0)
			continue;
		for (uint64_t i = 0; i < r->init * EXO_BLOCK_SIZE; i++) {
			const uint64_t block = r->start + i / EXO_BLOCK_SIZE;

			if (fake_disk[0][block].bytes[i % EXO_BLOCK_SIZE] !=
			    (r->owner == 1 ? 0xa2 : 0xa3))
				return 0;
		}
	}
	return 1;
}

/* The state that was complete when log[0..at) was done. */
static uint32_t state_at(uint32_t at)
{
	uint32_t s = 0;

	while (s + 1 < state_count && states[s + 1].at <= at)
		s++;
	return s;
}

/* Boots from the disk as it is: log[0..at) was done when the power went. */
static int survives(uint32_t at)
{
	const uint32_t s = state_at(at);

	if (!fake_reboot().usable || !watermarks_true())
		return 0;
	if (states[s].at == at && states[s].promised != 0 &&
	    extents[states[s].promised].init != states[s].table[states[s].promised].init)
		return 0;
	return same_table(extents, states[s].table) || (states[s].at < at && s + 1 < state_count &&
							same_table(extents, states[s + 1].table));
}

static void apply(const struct fake_entry *e, uint32_t sectors)
{
	for (uint32_t i = 0; i < SECTORS; i++) {
		if (sectors >> i & 1)
			memcpy(fake_disk[0][e->block].bytes + i * SECTOR, e->data + i * SECTOR,
			       SECTOR);
	}
}

static void rebuild(uint32_t entries)
{
	memcpy(fake_disk[0], initial, sizeof(initial));
	for (uint32_t i = 0; i < entries; i++) {
		if (!fake_log[i].flush)
			apply(&fake_log[i], 0xff);
	}
}

static void record(void)
{
	memcpy(initial, fake_disk[0], sizeof(initial));
	state_count = 0;
	script();
	memcpy(saved, fake_disk[0], sizeof(saved));
}

static void every_prefix_is_before_or_after(void)
{
	record();
	CHECK(state_count == 15 && fake_logged > 40 && fake_logged <= FAKE_LOG);
	for (uint32_t n = 0; n <= fake_logged; n++) {
		rebuild(n);
		CHECK(survives(n));
	}
}

static void every_torn_block_is_before_or_after(void)
{
	record();
	for (uint32_t n = 0; n < fake_logged; n++) {
		for (uint32_t k = 1; k < SECTORS && !fake_log[n].flush; k++) {
			rebuild(n);
			apply(&fake_log[n], (1u << k) - 1);
			CHECK(survives(n));
			rebuild(n);
			apply(&fake_log[n], 0xff & ~((1u << k) - 1));
			CHECK(survives(n));
		}
	}
}

/* A drive may write what was not flushed in any order, and in parts. */
static void every_reordering_is_before_or_after(void)
{
	record();
	srand(2);
	for (uint32_t n = 0; n <= fake_logged; n++) {
		uint32_t flushed = n;

		while (flushed > 0 && !fake_log[flushed - 1].flush)
			flushed--;
		for (uint32_t round = 0; round < 12; round++) {
			rebuild(flushed);
			for (uint32_t i = flushed; i < n; i++)
				apply(&fake_log[i], (uint32_t)rand() & (uint32_t)rand() & 0xff);
			CHECK(survives(n));
		}
	}
}

int main(void)
{
	RUN_TEST(every_prefix_is_before_or_after);
	RUN_TEST(every_torn_block_is_before_or_after);
	RUN_TEST(every_reordering_is_before_or_after);
	return fake_failed != 0;
}
