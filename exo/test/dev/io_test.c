/*
 * io_test.c - rings, queues and turns: who may transfer what, in which order, and what an error, a
 * revocation or a death costs whom.
 */
#include <stdlib.h>
#include <string.h>
#include "../../kern/cap.h"
#include "../../kern/check.h"
#include "../../kern/env.h"
#include "../../kern/page.h"
#include "../../kern/quota.h"
#include "../../kern/syscall.h"
#include "../../kern/trace.h"
#include "fake.h"

enum { A = 2, B = 3, X = 5, Y = 6 };

static struct exo_ring *ring(uint32_t e)
{
	return machine_ring((struct pfn){e * 64});
}

/* Frame i of e that is not its ring. */
static uint32_t frame(uint32_t e, uint32_t i)
{
	return e * 64 + 1 + i;
}

/* Puts an entry whose frames are e's own, from its first on; returns it for changes. */
static struct exo_sqe *put(uint32_t e, uint32_t slot, enum exo_io_op op, uint64_t block, uint32_t n)
{
	struct exo_ring *r = ring(e);
	struct exo_sqe *s = &r->sq[r->sq_tail % EXO_RING_SQ];

	*s = (struct exo_sqe){.op = (uint8_t)op,
			      .cap = (uint16_t)slot,
			      .count = (uint16_t)n,
			      .block = block,
			      .tag = 1000 + r->sq_tail};
	r->sq_tail++;
	for (uint32_t i = 0; i < n && i < 63; i++)
		r->list[i] = frame(e, i);
	return s;
}

static uint64_t submit(uint32_t e)
{
	fake_as(e);
	return sys_io_submit().value;
}

/* Status of e's n-th completion from the start; 99: not there yet. */
static uint32_t completion(uint32_t e, uint32_t n)
{
	return n < ring(e)->cq_tail ? ring(e)->cq[n % EXO_RING_CQ].status : 99;
}

/* Submits the one entry put last and returns how it ends. */
static uint32_t outcome(uint32_t e)
{
	const uint32_t n = ring(e)->cq_tail;

	if (submit(e) != 1)
		return 98;
	fake_run();
	ring(e)->cq_head = ring(e)->cq_tail;
	return completion(e, n);
}

static uint32_t one(uint32_t e, uint32_t slot, enum exo_io_op op, uint64_t block, uint32_t n)
{
	(void)put(e, slot, op, block, n);
	return outcome(e);
}

/* Two environments; A owns X = 450..549, B owns Y = 550..649, both readable whole. */
static void two_owners(void)
{
	fake_env(A, 0x1100000000000000ull);
	fake_env(B, 0x2200000000000000ull);
	for (uint32_t e = A; e <= B; e++) {
		fake_as(e);
		if (sys_extent_take(X + e - A, e == A ? 0 : X, e == A ? 450 : 550, 100, 0, 0)
			    .status != EXO_OK)
			abort();
		fake_run();
		if (sys_extent_open(X + e - A, X + e - A).status != EXO_OK)
			abort();
		extents[X + e - A].init = 100;
	}
}

static void data_goes_there_and_back(void)
{
	two_owners();
	for (uint32_t i = 0; i < 3; i++)
		memset(machine_bytes((struct pfn){frame(A, i)}), (int)(7 + i), EXO_BLOCK_SIZE);
	CHECK(one(A, X, EXO_IO_WRITE, 460, 3) == EXO_OK);
	CHECK(fake_disk[0][462].bytes[4095] == 9 && fake_disk[0][463].bytes[0] == 0);
	for (uint32_t i = 0; i < 3; i++)
		machine_zero((struct pfn){frame(A, i)});
	CHECK(one(A, X, EXO_IO_READ, 460, 3) == EXO_OK);
	CHECK(machine_bytes((struct pfn){frame(A, 2)})[77] == 9);
	CHECK(ring(A)->cq[1].tag == 1001 && ring(A)->cq[1].count == 3);
	CHECK(one(A, X, EXO_IO_CLEAR, 461, 99 - 11) == EXO_OK);
	CHECK(fake_disk[0][460].bytes[1] == 7 && fake_disk[0][461].bytes[1] == 0);
	CHECK((envs[A].events & EXO_EV_IO) != 0 && envs[B].events != EXO_EV_IO);
	CHECK(page_pins[frame(A, 0)] == 0 && quota_used[A].n[EXO_QUOTA_IO] == 0);
	CHECK(drives[0].blocks_read == 3 && fake_broken() == NULL);
}

static void entries_are_checked(void)
{
	struct exo_sqe *s;

	two_owners();
	CHECK(one(A, X, EXO_IO_READ, 449, 1) == EXO_RANGE);
	CHECK(one(A, X, EXO_IO_READ, 549, 2) == EXO_RANGE);
	CHECK(one(A, X, EXO_IO_READ, UINT64_MAX, 2) == EXO_RANGE);
	CHECK(one(A, X, EXO_IO_READ, 450, 0) == EXO_ARG);
	CHECK(one(A, X, EXO_IO_CLEAR, 450, 257) == EXO_ARG);
	CHECK(one(A, X, EXO_IO_FLUSH, 0, 1) == EXO_ARG);
	CHECK(one(A, X, 0, 450, 1) == EXO_ARG && one(A, X, 5, 450, 1) == EXO_ARG);
	CHECK(one(A, 40, EXO_IO_READ, 450, 1) == EXO_STATE);
	CHECK(one(A, EXO_NCAP, EXO_IO_READ, 450, 1) == EXO_RANGE);
	CHECK(one(A, 0, EXO_IO_READ, 450, 1) == EXO_TYPE);
	s = put(A, X, EXO_IO_READ, 450, 1), s->reserved0 = 1;
	CHECK(outcome(A) == EXO_ARG);
	s = put(A, X, EXO_IO_READ, 450, 2), s->list = EXO_RING_LIST - 1;
	CHECK(outcome(A) == EXO_ARG);
	s = put(A, X, EXO_IO_READ, 450, 2), s->list = UINT32_MAX;
	CHECK(outcome(A) == EXO_ARG);
	(void)put(A, X, EXO_IO_READ, 450, 2), ring(A)->list[1] = frame(B, 0);
	CHECK(outcome(A) != EXO_OK);
	(void)put(A, X, EXO_IO_WRITE, 450, 2), ring(A)->list[0] = 3; /* the kernel's */
	CHECK(outcome(A) != EXO_OK);
	(void)put(A, X, EXO_IO_WRITE, 450, 2), ring(A)->list[0] = UINT32_MAX;
	CHECK(outcome(A) == EXO_RANGE);
	fake_as(A);
	CHECK(sys_cap_derive(X, 20, EXO_RIGHT_READ, 460, 5).status == EXO_OK);
	CHECK(one(A, 20, EXO_IO_READ, 460, 5) == EXO_OK);
	CHECK(one(A, 20, EXO_IO_READ, 460, 6) == EXO_RANGE);
	CHECK(one(A, 20, EXO_IO_READ, 459, 1) == EXO_RANGE);
	CHECK(one(A, 20, EXO_IO_WRITE, 460, 1) == EXO_PERM);
	CHECK(one(A, 20, EXO_IO_CLEAR, 460, 1) == EXO_PERM);
	CHECK(fake_broken() == NULL);
}

static void a_read_only_page_is_not_read_into(void)
{
	two_owners();
	fake_as(B);
	CHECK(sys_env_open(env_eid(A).n, 30).status != EXO_OK);
	fake_as(1); /* share a frame of B with A for reading */
	CHECK(sys_cap_grant(A + 8, B + 8, 30, EXO_RIGHTS_ALL).status == EXO_OK);
	fake_as(B);
	CHECK(sys_page_share(frame(B, 0), 1, 30, 25, EXO_RIGHT_READ).status == EXO_OK);
	put(A, X, EXO_IO_READ, 450, 1)->pages = 25, ring(A)->list[0] = frame(B, 0);
	CHECK(outcome(A) == EXO_PERM);
	put(A, X, EXO_IO_WRITE, 450, 1)->pages = 25, ring(A)->list[0] = frame(B, 0);
	CHECK(outcome(A) == EXO_OK);
}

static void nothing_old_is_read(void)
{
	two_owners();
	extents[X].init = 10;
	CHECK(one(A, X, EXO_IO_READ, 450, 10) == EXO_OK);
	CHECK(one(A, X, EXO_IO_READ, 450, 11) == EXO_UNINIT);
	CHECK(one(A, X, EXO_IO_WRITE, 461, 1) == EXO_UNINIT);
	CHECK(one(A, X, EXO_IO_WRITE, 455, 7) == EXO_OK && extents[X].init == 12);
	(void)put(A, X, EXO_IO_WRITE, 462, 2); /* in one go: each where the one before ends */
	(void)put(A, X, EXO_IO_CLEAR, 464, 4);
	(void)put(A, X, EXO_IO_READ, 450, 18);
	CHECK(submit(A) == 3);
	fake_run();
	CHECK(completion(A, 4) == EXO_OK && completion(A, 5) == EXO_OK &&
	      completion(A, 6) == EXO_OK && extents[X].init == 18);
	(void)put(A, X, EXO_IO_WRITE, 468, 2); /* fails, so what needs it is refused */
	(void)put(A, X, EXO_IO_WRITE, 470, 2);
	CHECK(submit(A) == 2);
	fake_fail(0);
	fake_run();
	CHECK(completion(A, 7) == EXO_IO && completion(A, 8) == EXO_UNINIT);
	CHECK(extents[X].init == 18);
}

/* What a predicate sees of the ring: what is there and was not taken; nothing without a ring. */
static void completions_are_counted(void)
{
	two_owners();
	(void)put(A, X, EXO_IO_READ, 450, 1);
	(void)put(A, X, EXO_IO_READ, 451, 1);
	CHECK(submit(A) == 2 && io_completions(A) == 0);
	fake_run();
	CHECK(io_completions(A) == 2 && io_completions(B) == 0);
	ring(A)->cq_head++;
	CHECK(io_completions(A) == 1);
	fake_as(A);
	CHECK(sys_io_setup(0).status == EXO_OK && io_completions(A) == 0);
}

static void pins_hold_while_the_drive_works(void)
{
	two_owners();
	(void)put(A, X, EXO_IO_READ, 450, 2);
	CHECK(submit(A) == 1 && page_pins[frame(A, 0)] == 1 && page_pins[frame(A, 1)] == 1);
	fake_as(A);
	CHECK(sys_page_free(0, frame(A, 1)).status == EXO_BUSY);
	CHECK(sys_io_setup(0).status == EXO_BUSY);
	CHECK(fake_broken() == NULL);
	fake_run();
	CHECK(sys_page_free(0, frame(A, 1)).status == EXO_OK);
	CHECK(sys_page_free(0, A * 64).status == EXO_BUSY); /* the ring */
	CHECK(sys_io_setup(frame(A, 1)).status == EXO_PERM);
	CHECK(sys_io_setup(NFRAME).status == EXO_RANGE);
	fake_as(1);
	CHECK(sys_page_free(A + 8, frame(A, 3)).status == EXO_OK);
	CHECK(sys_page_take(A + 8, frame(A, 3), EXO_PAGE_SAVE).status == EXO_OK);
	fake_as(A);
	CHECK(sys_io_setup(frame(A, 3)).status == EXO_TYPE);
	CHECK(sys_io_setup(frame(A, 2)).status == EXO_OK);
	CHECK(sys_page_free(0, A * 64).status == EXO_OK);
	CHECK(sys_io_setup(0).status == EXO_OK && sys_io_submit().status == EXO_STATE);
	CHECK(fake_broken() == NULL);
}

static void a_full_ring_waits(void)
{
	two_owners();
	for (uint32_t i = 0; i < 4; i++) { /* 64 completions nobody takes */
		for (uint32_t k = 0; k < 16; k++)
			(void)put(A, X, EXO_IO_READ, 450, 1);
		CHECK(submit(A) == 16);
		fake_run();
	}
	(void)put(A, X, EXO_IO_READ, 450, 1);
	CHECK(submit(A) == 0 && sys_io_submit().status == EXO_AGAIN && ring(A)->sq_head == 64);
	ring(A)->cq_head++;
	CHECK(submit(A) == 1 && sys_io_submit().status == EXO_OK);
	ring(A)->sq_tail += 1000; /* nonsense: at most a ring of them is looked at */
	CHECK(submit(A) <= EXO_RING_SQ);
	ring(A)->cq_head += 12345;
	CHECK(submit(A) == 0);
	fake_run();
	CHECK(fake_broken() == NULL);
}

static void quota_bounds_requests(void)
{
	two_owners();
	quota_limit[1].n[EXO_QUOTA_IO] += quota_limit[A].n[EXO_QUOTA_IO] - 2;
	quota_limit[A].n[EXO_QUOTA_IO] = 2;
	for (uint32_t i = 0; i < 3; i++)
		(void)put(A, X, EXO_IO_READ, 450, 1);
	CHECK(submit(A) == 2);
	CHECK(sys_io_submit().status == EXO_AGAIN);
	fake_run();
	CHECK(submit(A) == 1);
}

/* B's one request waits only for A's that is on the drive, whichever size A's requests have. */
static void a_flood_delays_others_little(void)
{
	for (uint32_t size = 1; size <= 60; size += 59) {
		uint32_t before = 0;

		fake_boot();
		two_owners();
		for (uint32_t i = 0; i < 32; i++)
			(void)put(A, X, EXO_IO_READ, 450, size);
		while (submit(A) != 0)
			;
		for (uint32_t n = 0; n < 5; n++)
			fake_complete(0);
		(void)put(B, Y, EXO_IO_READ, 550, 1);
		CHECK(submit(B) == 1);
		while (completion(B, 0) == 99) {
			before++;
			fake_complete(0);
		}
		CHECK(before == 2 && completion(B, 0) == EXO_OK);
		fake_run();
	}
}

/* Both have requests of these sizes waiting for `n` completions; the drive time that each got. */
static void both_busy(uint32_t n, uint32_t a_size, uint32_t b_size, uint64_t got[2])
{
	const uint64_t a = envs[A].disk_time, b = envs[B].disk_time;

	for (uint32_t i = 0; i < 32; i++) {
		(void)put(A, X, EXO_IO_CLEAR, 450, a_size);
		(void)put(B, Y, EXO_IO_CLEAR, 550, b_size);
	}
	for (uint32_t i = 0; i < n; i++) {
		ring(A)->cq_head = ring(A)->cq_tail;
		ring(B)->cq_head = ring(B)->cq_tail;
		ring(A)->sq_tail = ring(A)->sq_head + EXO_RING_SQ;
		ring(B)->sq_tail = ring(B)->sq_head + EXO_RING_SQ;
		(void)submit(A);
		(void)submit(B);
		fake_complete(0);
	}
	got[0] = envs[A].disk_time - a;
	got[1] = envs[B].disk_time - b;
}

static void turns_are_fair(void)
{
	uint64_t got[2];

	two_owners();
	both_busy(200, 100, 4, got);
	CHECK(got[0] > 1500 && got[0] <= got[1] + 120 && got[1] <= got[0] + 120);
}

static void shares_weigh(void)
{
	uint64_t got[2];

	two_owners();
	fake_as(B);
	CHECK(sys_quota_move(0, EXO_QUOTA_DISK, 1).status == EXO_OK);
	quota_limit[A].n[EXO_QUOTA_DISK] += 500; /* 1500 to 500 */
	quota_limit[B].n[EXO_QUOTA_DISK] -= 500;
	both_busy(400, 40, 40, got);
	CHECK(got[0] > 1500 && got[0] <= 3 * got[1] + 150 && 3 * got[1] <= got[0] + 150);
	quota_limit[A].n[EXO_QUOTA_DISK] += 500; /* B has no share left: last, but not starved */
	quota_limit[B].n[EXO_QUOTA_DISK] -= 500;
	both_busy(200, 40, 40, got);
	CHECK(got[0] > 10 * got[1]);
	quota_limit[A].n[EXO_QUOTA_DISK] -= 1000;
	quota_limit[B].n[EXO_QUOTA_DISK] += 1000;
	CHECK(fake_broken() == NULL);
}

/* Who did nothing for long has no more claim than who comes for the first time. */
static void idle_time_is_not_saved(void)
{
	uint64_t got[2];

	two_owners();
	for (uint32_t i = 0; i < 200; i++) {
		(void)put(A, X, EXO_IO_CLEAR, 450, 40);
		ring(A)->cq_head = ring(A)->cq_tail;
		(void)submit(A);
		fake_run();
	}
	both_busy(100, 40, 40, got);
	CHECK(got[0] > 1000 && got[0] <= got[1] + 150 && got[1] <= got[0] + 150);
}

static void errors_reach_the_asker_only(void)
{
	two_owners();
	(void)put(A, X, EXO_IO_READ, 450, 1);
	(void)put(B, Y, EXO_IO_READ, 550, 1);
	(void)submit(A);
	(void)submit(B);
	fake_fail(0);
	fake_run();
	CHECK(completion(A, 0) == EXO_IO && completion(B, 0) == EXO_OK);
	CHECK(ring(A)->cq[0].count == 0 && drives[0].errors == 1 && ring(B)->cq_tail == 1);
}

static void revoking_reaches_what_is_queued(void)
{
	two_owners();
	(void)put(A, X, EXO_IO_READ, 450, 1);
	(void)put(A, X, EXO_IO_READ, 450, 1);
	(void)submit(A);
	CHECK(sys_cap_revoke(X).status == EXO_OK);
	fake_run();
	CHECK(completion(A, 0) == EXO_OK && completion(A, 1) == EXO_STALE);
	CHECK(sys_extent_open(X, 20).status == EXO_OK);
	(void)put(A, 20, EXO_IO_WRITE, 450, 1);
	(void)put(A, 20, EXO_IO_WRITE, 450, 1);
	(void)submit(A);
	CHECK(sys_extent_free(20).status == EXO_OK && fake_logged != 0);
	CHECK(fake_active(0) != 0 && ios[fake_active(0) - 1].env == A); /* drains first */
	fake_complete(0);
	CHECK(extents[X].state == EXO_EXTENT_DYING);
	fake_run();
	CHECK(extents[X].state == EXO_EXTENT_FREE && completion(A, 3) == EXO_STALE);
	CHECK(fake_broken() == NULL);
}

/* Requests drain before the cut; those that had not begun do not, and nobody opens it meanwhile. */
static void splitting_reaches_what_is_queued(void)
{
	two_owners();
	(void)put(A, X, EXO_IO_READ, 450, 1);
	(void)put(A, X, EXO_IO_READ, 450, 1);
	(void)submit(A);
	CHECK(sys_extent_split(X, 452, 100).status == EXO_OK);
	CHECK(extents[X].len > 2 && sys_extent_open(X, 20).status == EXO_STATE);
	CHECK(fake_broken() == NULL);
	fake_complete(0);
	CHECK(extents[X].len == 2 && extents[100].state == EXO_EXTENT_TAKING);
	CHECK(sys_extent_open(X, 20).status == EXO_OK && caps[A].c[20].len == 2);
	fake_run();
	CHECK(completion(A, 0) == EXO_OK && completion(A, 1) == EXO_STALE);
	CHECK(extents[100].state == EXO_EXTENT_LIVE && fake_broken() == NULL);
}

/* A request under a capability that is gone when its turn comes is not done. */
static void dropping_reaches_what_is_queued(void)
{
	two_owners();
	fake_as(A);
	CHECK(sys_cap_derive(X, 20, 15, 450, 4).status == EXO_OK);
	(void)put(A, 20, EXO_IO_READ, 450, 1);
	(void)put(A, 20, EXO_IO_READ, 450, 1);
	(void)put(A, X, EXO_IO_READ, 450, 1);
	(void)submit(A);
	CHECK(sys_cap_drop(20).status == EXO_OK);
	fake_run();
	CHECK(completion(A, 0) == EXO_OK && completion(A, 1) == EXO_STALE &&
	      completion(A, 2) == EXO_OK);
	CHECK(fake_broken() == NULL);
}

/* Nor is one for whose kind the capability that stands in its place has not the right. */
static void a_lesser_right_in_its_place_does_not_serve(void)
{
	two_owners();
	fake_as(A);
	CHECK(sys_cap_derive(X, 20, EXO_RIGHT_READ | EXO_RIGHT_WRITE, 450, 4).status == EXO_OK);
	(void)put(A, X, EXO_IO_READ, 450, 1);
	(void)put(A, 20, EXO_IO_WRITE, 450, 1);
	(void)put(A, 20, EXO_IO_READ, 450, 1);
	(void)put(A, 20, EXO_IO_CLEAR, 450, 1);
	(void)submit(A);
	CHECK(sys_cap_drop(20).status == EXO_OK);
	CHECK(sys_cap_derive(X, 20, EXO_RIGHT_READ, 450, 4).status == EXO_OK);
	fake_run();
	CHECK(completion(A, 0) == EXO_OK && completion(A, 1) == EXO_STALE);
	CHECK(completion(A, 2) == EXO_OK && completion(A, 3) == EXO_STALE);
	CHECK(fake_broken() == NULL);
}

static void death_with_requests_in_flight(void)
{
	uint64_t calls = 0;

	two_owners();
	for (uint32_t i = 0; i < 10; i++)
		(void)put(A, X, EXO_IO_READ, 450, 3);
	CHECK(submit(A) == 10);
	(void)put(B, Y, EXO_IO_READ, 550, 1);
	CHECK(submit(B) == 1);
	fake_as(1);
	CHECK(sys_env_kill(A + 8, 0).status == EXO_OK);
	memset(ring(A)->cq, 0x55, sizeof(ring(A)->cq));
	CHECK(io_busy(A) && fake_broken() == NULL);
	while (io_env_end(A) == EXO_BUSY && calls < 20)
		calls++;
	CHECK(calls == 20 && page_pins[frame(A, 0)] == 1); /* the one on the drive stays */
	fake_run();
	CHECK(completion(B, 0) == EXO_OK);
	CHECK(io_env_end(A) == EXO_OK && !io_busy(A) && envs[A].io_ring == 0);
	CHECK(page_pins[frame(A, 0)] == 0 && page_pins[A * 64] == 0);
	CHECK(ring(A)->cq[0].status == 0x55555555 && quota_used[A].n[EXO_QUOTA_IO] == 0);
	CHECK(fake_broken() == NULL);
}

static void requests_of_the_dead_are_not_started(void)
{
	uint32_t before;

	two_owners();
	for (uint32_t i = 0; i < 10; i++)
		(void)put(A, X, EXO_IO_WRITE, 450, 1);
	(void)submit(A);
	fake_as(1);
	CHECK(sys_env_kill(A + 8, 0).status == EXO_OK);
	before = fake_logged;
	for (uint32_t i = 0; i < 10; i++) {
		fake_complete(0);
		io_tick();
	}
	CHECK(fake_logged == before + 1 && io_env_end(A) == EXO_OK && fake_broken() == NULL);
}

static void a_flush_comes_after_what_was_before_it(void)
{
	two_owners();
	fake_run();
	fake_logged = 0;
	(void)put(A, X, EXO_IO_WRITE, 450, 1);
	(void)put(A, X, EXO_IO_FLUSH, 0, 0);
	(void)put(A, X, EXO_IO_WRITE, 451, 1);
	CHECK(submit(A) == 3);
	fake_run();
	CHECK(fake_logged == 3 && fake_log[0].block == 450 && fake_log[1].flush &&
	      fake_log[2].block == 451);
	extents[X].init = 50;
	(void)put(A, X, EXO_IO_WRITE, 500, 1); /* moves the watermark: the table follows */
	(void)put(A, X, EXO_IO_FLUSH, 0, 0);
	CHECK(submit(A) == 2);
	fake_complete(0);
	CHECK(completion(A, 3) == EXO_OK && completion(A, 4) == 99);
	fake_fail(0);
	fake_run();
	CHECK(completion(A, 4) == EXO_IO);
	CHECK(one(A, X, EXO_IO_FLUSH, 0, 0) == EXO_OK);
	CHECK(fake_reboot().usable && extents[X].init == 51);
}

static void channels_work_at_once(void)
{
	two_owners();
	fake_as(1);
	CHECK(sys_extent_open(127, 60).status == EXO_OK);
	CHECK(sys_cap_grant(60, A + 8, 30, EXO_RIGHTS_ALL).status == EXO_OK);
	(void)put(A, 30, EXO_IO_WRITE, 0, 1);
	(void)put(A, X, EXO_IO_WRITE, 450, 1);
	(void)put(A, 30, EXO_IO_FLUSH, 0, 0);
	CHECK(submit(A) == 3);
	CHECK(fake_active(0) != 0 && fake_active(1) != 0);
	fake_run();
	CHECK(completion(A, 0) == EXO_OK && completion(A, 2) == EXO_OK);
	CHECK(fake_broken() == NULL);
}

/* A queue whose next request is for another channel goes on there. */
static void a_queue_changes_its_channel(void)
{
	two_owners();
	fake_as(1);
	CHECK(sys_extent_open(127, 60).status == EXO_OK);
	CHECK(sys_cap_grant(60, A + 8, 30, EXO_RIGHTS_ALL).status == EXO_OK);
	(void)put(B, Y, EXO_IO_READ, 550, 1);
	CHECK(submit(B) == 1);
	(void)put(A, X, EXO_IO_READ, 450, 1);
	(void)put(A, 30, EXO_IO_WRITE, 0, 1);
	CHECK(submit(A) == 2 && fake_active(1) == 0);
	fake_complete(0);
	io_tick();
	CHECK(fake_active(1) != 0);
	fake_run();
	CHECK(completion(A, 0) == EXO_OK && completion(A, 1) == EXO_OK && fake_broken() == NULL);
}

/* While X waits for its last request to end it, what ends elsewhere is not that one. */
static void only_its_own_requests_drain_an_extent(void)
{
	two_owners();
	fake_as(1);
	CHECK(sys_extent_open(127, 60).status == EXO_OK);
	CHECK(sys_cap_grant(60, A + 8, 30, EXO_RIGHTS_ALL).status == EXO_OK);
	(void)put(A, X, EXO_IO_READ, 450, 1);
	(void)put(A, 30, EXO_IO_WRITE, 0, 1);
	CHECK(submit(A) == 2);
	fake_as(A);
	CHECK(sys_extent_free(X).status == EXO_OK);
	fake_complete(1);
	CHECK(extents[X].state == EXO_EXTENT_DYING && fake_broken() == NULL);
	CHECK(fake_active(0) != IO_KERNEL + 1);
	fake_run();
	CHECK(extents[X].state == EXO_EXTENT_FREE && completion(A, 0) == EXO_OK);
	(void)put(B, Y, EXO_IO_READ, 550, 1); /* nor is Y, which is freed at once, of that drive */
	(void)put(A, 30, EXO_IO_WRITE, 0, 1);
	CHECK(submit(A) == 1);
	fake_as(B);
	CHECK(sys_extent_free(Y).status == EXO_OK && fake_active(0) == IO_KERNEL + 1);
	fake_run();
	CHECK(extents[Y].state == EXO_EXTENT_FREE);
}

/* The slot that a queued request came by holds something else when its turn comes: of another kind,
 * another extent, an earlier generation (the one of 99 blocks), a narrower range. */
static void a_slot_that_was_filled_anew_does_not_count(void)
{
	const struct exo_cap other[] = {
		{.kind = EXO_CAP_ENV, .rights = 15, .object = A, .gen = 1},
		{.kind = EXO_CAP_EXTENT, .rights = 15, .object = Y, .start = 550, .len = 100},
		{.kind = EXO_CAP_EXTENT, .rights = 15, .object = X, .start = 450, .len = 99},
		{.kind = EXO_CAP_EXTENT, .rights = 15, .object = X, .start = 452, .len = 10},
		{.kind = EXO_CAP_EXTENT, .rights = 15, .object = X, .start = 450, .len = 1},
	};

	two_owners();
	for (uint32_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		const uint32_t n = ring(A)->cq_tail;

		fake_as(A);
		CHECK(sys_cap_derive(X, 20, 15, 450, 10).status == EXO_OK);
		(void)put(B, Y, EXO_IO_READ, 550, 1);
		CHECK(submit(B) == 1);
		(void)put(A, 20, EXO_IO_READ, 451, 2);
		CHECK(submit(A) == 1);
		caps[A].c[20] = other[i];
		if (other[i].kind == EXO_CAP_EXTENT)
			caps[A].c[20].gen = extents[other[i].object].gen - (other[i].len == 99);
		fake_run();
		CHECK(completion(A, n) == EXO_STALE);
		fake_as(A);
		CHECK(sys_cap_drop(20).status == EXO_OK);
	}
}

static void reserved_fields_are_zero(void)
{
	two_owners();
	put(A, X, EXO_IO_READ, 450, 1)->reserved1 = 1;
	CHECK(outcome(A) == EXO_ARG);
	put(A, X, EXO_IO_READ, 450, 1)->reserved0 = 1;
	CHECK(outcome(A) == EXO_ARG);
	put(A, X, EXO_IO_READ, 450, 1)->pages = 40; /* an empty slot for the frames */
	CHECK(outcome(A) == EXO_STATE);
}

/* Flushes that come while the table is written: with what it writes, and with what it does not yet.
 */
static void flushes_during_a_commit(void)
{
	two_owners();
	extents[X].init = extents[Y].init = 50;
	(void)put(A, X, EXO_IO_WRITE, 500, 1);
	(void)put(A, X, EXO_IO_FLUSH, 0, 0);
	CHECK(submit(A) == 2);
	fake_complete(0);
	CHECK(extent_changing());
	(void)put(A, X, EXO_IO_FLUSH, 0, 0); /* the same record, on its way */
	CHECK(submit(A) == 1);
	(void)put(B, Y, EXO_IO_WRITE, 600, 1);
	(void)put(B, Y, EXO_IO_FLUSH, 0, 0);
	CHECK(submit(B) == 2);
	fake_run();
	CHECK(completion(A, 1) == EXO_OK && completion(A, 2) == EXO_OK &&
	      completion(B, 1) == EXO_OK && !extent_changing());
	CHECK(fake_reboot().usable && extents[X].init == 51 && extents[Y].init == 51);
}

/* What a request has written when a commit was under way already is for the next one. */
static void a_flush_waits_for_the_next_commit(void)
{
	enum { C = 4 }; /* of B's principal, and first in turn, for it has had nothing yet */

	two_owners();
	fake_env(C, 0x2200000000000000ull);
	CHECK(sys_extent_open(Y, Y).status == EXO_OK);
	extents[Y].init = 50;
	(void)put(B, Y, EXO_IO_WRITE, 600, 1);
	CHECK(submit(B) == 1);
	fake_as(A);
	CHECK(sys_extent_access(X, 7, EXO_RIGHT_READ).status == EXO_OK);
	fake_complete(0);
	CHECK(completion(B, 0) == EXO_OK && extent_changing());
	(void)put(C, Y, EXO_IO_FLUSH, 0, 0);
	CHECK(submit(C) == 1);
	fake_run();
	CHECK(completion(C, 0) == EXO_OK);
	CHECK(fake_reboot().usable && extents[X].other == 7 && extents[Y].init == 51);
}

/* A has a request on the drive and two that wait: their numbers. */
static uint32_t on_drive, waits, waits_last;

static void checked_world(void)
{
	fake_boot();
	two_owners();
	for (uint32_t i = 0; i < 3; i++)
		(void)put(A, X, EXO_IO_READ, 460, 1);
	(void)submit(A);
	on_drive = fake_active(0) - 1;
	waits = envs[A].io_head - 1u;
	waits_last = envs[A].io_tail - 1u;
}

/* What is planted is seen; one field at a time, from a good state. */
static void checker_sees_what_is_planted(void)
{
#define PLANT(statement)                                                                           \
	do {                                                                                       \
		checked_world();                                                                   \
		CHECK(fake_broken() == NULL);                                                      \
		statement;                                                                         \
		CHECK(check_disk() != NULL);                                                       \
	} while (0)
	PLANT(extents[X].state = EXO_EXTENT_SYSTEM + 1);
	PLANT(extents[100].owner = 1);
	PLANT(extents[127].start = UINT64_MAX);
	PLANT(extents[X].init = 101);
	PLANT(extents[X].payer = EXO_NENV - 1);
	PLANT(extents[X].payer = B);
	PLANT(extents[Y].next = 0; extents[X].next = 0);
	PLANT(extents[0].next = EXO_NEXTENT);
	PLANT(extents[0].next = 100);
	PLANT(extents[0].next = 127);
	PLANT(extents[X].len = 101);
	PLANT(extents[Y].next = X);
	PLANT(extents[X].state = EXO_EXTENT_SYSTEM);
	PLANT(caps[A].c[X].start--);
	PLANT(caps[A].c[X].len++);
	PLANT(ios[on_drive].extent = 100);
	PLANT(ios[on_drive].block = 449);
	PLANT(ios[on_drive].count = 200);
	PLANT(envs[A].io_head = EXO_NIO + 1);
	PLANT(ios[waits].next = (uint16_t)(waits + 1));
	PLANT(ios[waits].env = B);
	PLANT(ios[waits].state = EXO_IOS_FREE);
	PLANT(envs[A].io_tail = 0);
	PLANT(ios[200] = ios[on_drive]);
	PLANT(ios[200].state = EXO_IOS_QUEUED);
#undef PLANT
	checked_world();
	extents[0] = (struct exo_extent){0}; /* no table, no list */
	CHECK(check_disk() == NULL && waits != waits_last);
}

/* Is record n of the ring this one? */
static int recorded(uint64_t n, enum exo_trace_kind kind, uint32_t env, uint32_t detail,
		    uint32_t blocks, uint64_t block)
{
	const struct exo_trace *const t = &traces[n % tracing.records];

	return t->number == n && t->kind == kind && t->env == env && t->detail == detail &&
	       t->a == blocks && t->b == block; /* drive 0 */
}

static void a_trace_says_what_the_drives_do(void)
{
	uint64_t n;

	two_owners();
	fake_as(A);
	cap_put(A, 20, (struct exo_cap){.kind = EXO_CAP_TRACE});
	CHECK(sys_page_free(0, frame(A, 4)).status == EXO_OK);
	CHECK(sys_page_take(0, frame(A, 4), EXO_PAGE_TRACE).status == EXO_OK);
	CHECK(sys_trace_start(20, frame(A, 4), 1).status == EXO_OK);
	n = tracing.last;
	CHECK(one(A, X, EXO_IO_WRITE, 460, 2) == EXO_OK);
	CHECK(recorded(n + 1, EXO_TRACE_IO_QUEUE, A, EXO_IO_WRITE, 2, 460));
	CHECK(recorded(n + 2, EXO_TRACE_IO_START, A, EXO_IO_WRITE, 2, 460));
	CHECK(recorded(n + 3, EXO_TRACE_IO_DONE, A, EXO_OK, 2, 460) && tracing.last == n + 3);
	(void)put(A, X, EXO_IO_READ, 450, 1);
	(void)put(A, X, EXO_IO_READ, 470, 1); /* waits */
	CHECK(submit(A) == 2 && tracing.last == n + 6);
	CHECK(recorded(n + 5, EXO_TRACE_IO_START, A, EXO_IO_READ, 1, 450));
	CHECK(recorded(n + 6, EXO_TRACE_IO_QUEUE, A, EXO_IO_READ, 1, 470));
	fake_fail(0);
	CHECK(recorded(n + 7, EXO_TRACE_IO_DONE, A, EXO_IO, 0, 450));
	CHECK(recorded(n + 8, EXO_TRACE_IO_START, A, EXO_IO_READ, 1, 470));
	fake_run();
	CHECK(recorded(n + 9, EXO_TRACE_IO_DONE, A, EXO_OK, 1, 470) && fake_broken() == NULL);
	CHECK(sys_page_share(frame(A, 4), 1, 0, 30, EXO_RIGHT_READ).status == EXO_TYPE);
	(void)put(A, X, EXO_IO_READ, 450, 1), ring(A)->list[0] = frame(A, 4);
	CHECK(outcome(A) == EXO_TYPE); /* no drive writes into the ring */
	CHECK(sys_trace_stop().status == EXO_OK);
}

int main(void)
{
	RUN_TEST(data_goes_there_and_back);
	RUN_TEST(entries_are_checked);
	RUN_TEST(a_read_only_page_is_not_read_into);
	RUN_TEST(nothing_old_is_read);
	RUN_TEST(completions_are_counted);
	RUN_TEST(pins_hold_while_the_drive_works);
	RUN_TEST(a_full_ring_waits);
	RUN_TEST(quota_bounds_requests);
	RUN_TEST(a_flood_delays_others_little);
	RUN_TEST(turns_are_fair);
	RUN_TEST(shares_weigh);
	RUN_TEST(idle_time_is_not_saved);
	RUN_TEST(errors_reach_the_asker_only);
	RUN_TEST(revoking_reaches_what_is_queued);
	RUN_TEST(splitting_reaches_what_is_queued);
	RUN_TEST(dropping_reaches_what_is_queued);
	RUN_TEST(a_lesser_right_in_its_place_does_not_serve);
	RUN_TEST(death_with_requests_in_flight);
	RUN_TEST(requests_of_the_dead_are_not_started);
	RUN_TEST(a_flush_comes_after_what_was_before_it);
	RUN_TEST(channels_work_at_once);
	RUN_TEST(a_queue_changes_its_channel);
	RUN_TEST(only_its_own_requests_drain_an_extent);
	RUN_TEST(a_slot_that_was_filled_anew_does_not_count);
	RUN_TEST(reserved_fields_are_zero);
	RUN_TEST(flushes_during_a_commit);
	RUN_TEST(a_flush_waits_for_the_next_commit);
	RUN_TEST(a_trace_says_what_the_drives_do);
	RUN_TEST(checker_sees_what_is_planted);
	return fake_failed != 0;
}
