/*
 * disk.c - the worlds of the disk: extents and their table (extents), requests on a drive (io).
 *
 * The drive is that of exo/test/dev/fake.c and takes no time, so that nobody's share is used up;
 * that a request is done, or fails, comes from outside.  Blocks that are no extent's hold a secret,
 * and no frame of a program may ever hold it: nothing is read that its owner has not written.  When
 * no change is under way, the table is read from the disk, and must be the one in memory.
 *
 * Beyond what form.c takes out of a state: numbers, checksums and order of the table's copies, and
 * the copies themselves, which are read at boot only; rings, which programs empty at once; records
 * of requests that are done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../kern/cap.h"
#include "../../kern/cpu.h"
#include "../../kern/env.h"
#include "../../kern/extent.h"
#include "../../kern/info.h"
#include "../../kern/io.h"
#include "../../kern/quota.h"
#include "../../kern/syscall.h"
#include "../dev/fake.h"
#include "disk.h"
#include "exhaust.h"
#include "snapshot.h"

enum {
	A = 2,
	B = 3,
	START = 450, /* blocks that the worlds are about: START to END - 1 */
	END = 454,
	RECORDS = 128,
	RING_A = A * 64,
	RING_B = B * 64,
	C = 4, /* capability slots: C, C + 1 */
	X = 5, /* extents: X, X + 1, X + 2 */
	BOTH = 1 << A | 1 << B,
};

static const uint64_t SECRET = 0xdddddddddddddddd;

/* ---- the program's side ------------------------------------------------------------------ */

static uint8_t io_was[EXO_NIO];

void machine_remember(void)
{
	for (uint32_t io = 0; io < EXO_NIO; io++)
		io_was[io] = ios[io].state;
}

/* Has a request begun of which the extent has been revoked before? */
static int begun_stale(void)
{
	for (uint32_t io = 1; io < EXO_NIO; io++)
		if (ios[io].state == EXO_IOS_ACTIVE && io_was[io] != EXO_IOS_ACTIVE &&
		    inside_io_stale(io))
			return 1;
	return 0;
}

static int removal_waits;

void machine_watch(void)
{
	removal_waits = inside_extent_waits();
}

/* Who is answered BUSY gets an event when it may try again, and a removal whose commit has failed
 * is tried again. */
int machine_noted(enum exo_status status, struct image before)
{
	return status == EXO_BUSY && (removal_waits || inside_extent_noted(before));
}

uint64_t *machine_clock(void)
{
	return &fake_now;
}

static int holds_secret(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof word);
	return word == SECRET;
}

static const char *judge_frames(void)
{
	for (uint32_t f = RING_A + 1; f < RING_A + 4; f++)
		if (holds_secret(machine_bytes((struct pfn){f})) ||
		    holds_secret(machine_bytes((struct pfn){f - RING_A + RING_B})))
			return "somebody reads what was there before";
	return 0;
}

/* Do records x of memory and of the disk agree?  Watermarks follow the data, later. */
static int same_record(const struct exo_extent *memory, uint32_t x)
{
	struct exo_extent m = memory[x], d = extents[x];

	if (m.drive != 0)
		m = (struct exo_extent){0};
	m.gen = d.gen = 0;
	if (d.init > m.init)
		return 0;
	m.init = d.init = 0;
	m.payer = d.payer = 0; /* is not kept */
	return memcmp(&m, &d, sizeof m) == 0;
}

/* Do A and B, who change only what is theirs, pay for the extents that there are? */
static int charged(void)
{
	uint32_t there = 0;

	for (uint32_t x = 1; x < RECORDS; x++)
		there += extents[x].state != EXO_EXTENT_FREE && extents[x].drive == 0;
	return quota_used[A].n[EXO_QUOTA_EXTENTS] + quota_used[B].n[EXO_QUOTA_EXTENTS] == there;
}

/* The power is lost now.  After a commit whose last write failed, the disk may have it all the
 * same: then the table there has a later number. */
static const char *judge_table(void)
{
	static struct exo_extent memory[RECORDS];
	static struct image kept;
	const uint64_t seq = inside_extent_seq();
	int same = 1;

	if (extent_changing())
		return 0;
	if (!charged())
		return "the extents that there are are not paid for";
	if (!kept.bytes)
		kept = snap_image();
	memcpy(memory, extents, sizeof memory);
	snap_take(kept);
	same = (int)extent_load(&fake_image, 0, FAKE_BLOCKS).usable;
	for (uint32_t x = 0; x < RECORDS && inside_extent_seq() == seq; x++)
		same = same && same_record(memory, x);
	snap_put(kept);
	return same ? 0 : "the table on the disk is not the one in memory";
}

const char *machine_judge(uint32_t me)
{
	const char *broken = fake_broken();

	(void)me;
	if (!broken && begun_stale())
		broken = "a request begins that was revoked";
	if (!broken)
		broken = judge_frames();
	return broken ? broken : judge_table();
}

/* Is the block part of an extent, or on its way to be free? */
static int covered(uint64_t block)
{
	for (uint32_t x = 1; x < RECORDS; x++)
		if (extents[x].drive == 0 && extents[x].state != EXO_EXTENT_FREE &&
		    block >= extents[x].start && block - extents[x].start < extents[x].len)
			return 1;
	return 0;
}

static void settle_ring(uint32_t e)
{
	struct exo_ring *const ring = machine_ring((struct pfn){envs[e].io_ring});

	if (envs[e].io_ring == 0)
		return;
	ring->sq_tail = ring->sq_head;
	ring->cq_head = ring->cq_tail;
	for (uint32_t f = e * 64 + 1; f < e * 64 + 4; f++)
		memset(machine_bytes((struct pfn){f}), (int)e, sizeof SECRET);
}

void machine_settle(int scheduled)
{
	(void)scheduled;
	for (uint64_t block = START; block < END; block++)
		if (!covered(block))
			memcpy(fake_disk[0][block].bytes, &SECRET, sizeof SECRET);
	settle_ring(A);
	settle_ring(B);
	cpus[0] = (struct cpu){0};
}

void machine_plain(void)
{
	inside_io_plain();
	inside_extent_plain();
	for (uint32_t c = 0; c < 2; c++)
		memset(&fake_disk[0][fake_image.table[c]], 0, TABLE_BLOCKS * EXO_BLOCK_SIZE);
}

/* ---- beginning --------------------------------------------------------------------------- */

static void must(struct exo_result r)
{
	if (r.status == EXO_OK)
		return;
	printf("FAIL exhaust: a world could not be built: %s\n", host_status_name(r.status));
	exit(1);
}

/* Environment e with its frames (fake_env), few requests, and so that it runs. */
static void add_env(uint32_t e, uint64_t principal)
{
	const uint64_t ce = e + 8, root = 2 * e + 16;

	fake_env(e, principal);
	if (quota_move(e, 1, EXO_QUOTA_IO, 62) != EXO_OK)
		abort();
	fake_as(1);
	must(sys_quota_move(ce, EXO_QUOTA_PAGES, 2));
	must(sys_page_take(ce, root, EXO_PAGE_TABLE | 4 << 8));
	must(sys_page_take(ce, root + 1, EXO_PAGE_SAVE));
	must(sys_env_set(ce, EXO_SET_ROOT, root));
	must(sys_env_set(ce, EXO_SET_SAVE, root + 1));
	must(sys_env_start(ce, 1, 1, 1));
}

/* A has extent X, of so many blocks, none of them written, in slot C. */
static void begin_with(uint64_t len)
{
	fake_boot();
	add_env(A, 1);
	add_env(B, 2);
	fake_as(A);
	must(sys_extent_take(X, 0, START, len, 0, 0));
	fake_run();
	must(sys_extent_open(X, C));
}

static void begin_extents(void)
{
	begin_with(2);
}

/* ---- from outside ------------------------------------------------------------------------ */

static int done(void)
{
	const uint32_t io = fake_active(0);

	if (io == 0)
		return 0;
	fake_now -= 8 + ios[io - 1].count; /* the time that it takes */
	fake_complete(0);
	return 1;
}

static int fails(void)
{
	if (fake_active(0) == 0)
		return 0;
	fake_fail(0);
	return 1;
}

static int time_passes(void)
{
	fake_now += EXO_REVOKE_MIN_NS;
	return 1;
}

static const struct outside disk_outside[] = {
	{"the drive is done with a request", done},
	{"a request fails", fails},
	{"time passes", time_passes},
};

/* ---- extents ----------------------------------------------------------------------------- */

enum {
	R = EXO_RIGHT_READ,
	ADMIN = EXO_RIGHT_ADMIN,
};

static const struct call extents_calls[] = {
	AS(1 << A, extent_take, D(X, X + 1), D(0, X), D(START, START + 2), D(2, 4), D(0), D(0)),
	AS(1 << B, extent_take, D(X + 1), D(0, X), D(START + 1, START + 2), D(2), D(0), D(0)),
	IN_VAIN(extent_take, D(X), D(0), D(TABLE_A, POOL - 1, POOL_END), D(2), D(0), D(0)),
	IN_VAIN(extent_take, D(0, RECORDS), D(0), D(START), D(2), D(0), D(0)),
	IN_VAIN(extent_take, D(X), D(X, X + 1), D(START), D(0, ~0ull), D(0, 1, 2), D(0)),
	DO(extent_open, D(X, X + 1, X + 2), D(C)),
	IN_VAIN(extent_open, D(0, RECORDS), D(C)),
	DO(extent_free, D(C)),
	AS(1 << A, extent_split, D(C), D(START, START + 1, START + 2, END), D(X + 1, X)),
	DO(extent_access, D(C), D(2), D(R, 0, ADMIN)),
	AS(1 << A, extent_recall, D(C), D(EID(B), EID(A), OLD_EID(B)), D(0)),
	DO(cap_drop, D(C)),
	AS(1 << A, cap_revoke, D(C)),
};

static const struct world world_extents = {
	.name = "extents",
	.what = "two principals take, open, free, split and share extents; commits complete or "
		"fail",
	.begin = begin_extents,
	.who = BOTH,
	.calls = extents_calls,
	.call_count = COUNT(extents_calls),
	.outside = disk_outside,
	.outside_count = COUNT(disk_outside),
	.states = 1500,
};

/* ---- requests ---------------------------------------------------------------------------- */

/* A has extent X, of which it has written one block; B may read and write its first two. */
static void begin_io(void)
{
	struct exo_cap cap;

	begin_with(END - START);
	extents[X].init = 1;
	cap = caps[A].c[C];
	cap.rights = EXO_RIGHT_READ | EXO_RIGHT_WRITE;
	cap.len = 2;
	cap_put(B, C, cap);
	memset(fake_disk[0][START].bytes, A, sizeof SECRET);
	for (uint64_t block = START + 1; block < END; block++)
		memcpy(fake_disk[0][block].bytes, &SECRET, sizeof SECRET);
}

/* The program puts an entry: operation, capability, block, blocks, first frame, for its frames. */
static void put_entry(uint32_t e, const uint64_t *a)
{
	struct exo_ring *const ring = machine_ring((struct pfn){envs[e].io_ring});

	if (envs[e].io_ring == 0)
		return;
	ring->sq[ring->sq_tail++ % EXO_RING_SQ] = (struct exo_sqe){
		.op = (uint8_t)a[0],
		.cap = (uint16_t)a[1],
		.count = (uint16_t)a[3],
		.block = a[2],
		.pages = (uint16_t)a[5],
	};
	for (uint32_t i = 0; i < 4; i++)
		ring->list[i] = (uint32_t)a[4] + i;
}

#define SUBMIT(e, ...)                                                                             \
	{                                                                                          \
		.number = CALL_io_submit, .who = 1 << (e), .prepare = put_entry,                   \
		.arg = { __VA_ARGS__ }                                                             \
	}

static const struct call io_calls[] = {
	SUBMIT(A, D(EXO_IO_READ), D(C), D(START, START + 1), D(1, 2), D(RING_A + 1), D(0)),
	SUBMIT(A, D(EXO_IO_WRITE, EXO_IO_CLEAR), D(C), D(START + 1), D(1, 3), D(RING_A + 1), D(0)),
	SUBMIT(A, D(EXO_IO_WRITE), D(C), D(START + 2, END), D(1), D(RING_A + 1), D(0)),
	SUBMIT(A, D(EXO_IO_FLUSH), D(C), D(0), D(0), D(0), D(0)),
	SUBMIT(A, D(EXO_IO_READ, EXO_IO_WRITE), D(C), D(START), D(1), D(RING_B + 1, 0, 511),
	       D(0, C)),
	SUBMIT(A, D(0, 5), D(C, C + 1), D(START), D(1), D(RING_A + 1), D(0)),
	SUBMIT(B, D(EXO_IO_READ), D(C), D(START, START + 1, START + 2), D(1), D(RING_B + 1), D(0)),
	SUBMIT(B, D(EXO_IO_WRITE), D(C), D(START + 1), D(1, 2), D(RING_B + 1), D(0)),
	AS(1 << A, page_free, D(0), D(RING_A + 1, RING_A)),
	AS(1 << A, io_setup, D(RING_A, RING_A + 2, 0, RING_B)),
	AS(1 << A, cap_revoke, D(C)),
	AS(1 << A, extent_open, D(X), D(C)),
	DO(cap_drop, D(C)),
};

static const struct world world_io = {
	.name = "io",
	.what = "two programs read, write, clear and flush blocks, whose extent is revoked "
		"meanwhile",
	.begin = begin_io,
	.who = BOTH,
	.calls = io_calls,
	.call_count = COUNT(io_calls),
	.outside = disk_outside,
	.outside_count = COUNT(disk_outside) - 1, /* no time passes */
	.states = 1500,
};

/* ---- reuse ------------------------------------------------------------------------------- */

static const struct call reuse_calls[] = {
	SUBMIT(A, D(EXO_IO_READ), D(C), D(START), D(1), D(RING_A + 1), D(0)),
	SUBMIT(A, D(EXO_IO_WRITE), D(C), D(START + 1), D(1), D(RING_A + 1), D(0)),
	AS(1 << A, extent_free, D(C)),
	AS(1 << B, extent_take, D(X, X + 1), D(0, X), D(START), D(2), D(0), D(0)),
	AS(1 << B, extent_open, D(X, X + 1), D(C + 1)),
	SUBMIT(B, D(EXO_IO_READ, EXO_IO_CLEAR), D(C + 1), D(START, START + 1), D(1), D(RING_B + 1),
	       D(0)),
	SUBMIT(B, D(EXO_IO_FLUSH), D(C + 1), D(0), D(0), D(0), D(0)),
};

static const struct world world_reuse = {
	.name = "reuse",
	.what = "an extent is freed under requests, and its blocks are another's, who reads them",
	.begin = begin_io,
	.who = BOTH,
	.calls = reuse_calls,
	.call_count = COUNT(reuse_calls),
	.outside = disk_outside,
	.outside_count = COUNT(disk_outside) - 1,
	.states = 6000,
};

const struct world *const worlds[] = {&world_extents, &world_io, &world_reuse};
const uint32_t world_count = COUNT(worlds);
