/*
 * suite.c - the tests of the disk's order with any policy: see suite.h.
 *
 * A block is known by its first word. model[] says what each would hold if all that was submitted
 * were done in that order.
 */
#include "suite.h"

#include <string.h>

static const struct suite *now;
static const char *order;
static uint64_t model[SUITE_BLOCKS];
static uint64_t seed = 1;

static struct flight {
	struct disk_req req;
	void *pages[SUITE_MOST];
	uint64_t want[SUITE_MOST]; /* of a read */
} flights[SUITE_FLIGHT];

/* A condition, and where it stands, for the one line that a failed test prints. */
static int failed_line;
static const char *failed_what;

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			failed_what = #x;                                                          \
			failed_line = __LINE__;                                                    \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

static uint32_t pick(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % below);
}

/* Submits `n` blocks from `block` on as flight i; what is written is new. */
static int start(uint32_t i, enum disk_op op, uint64_t block, uint32_t n)
{
	static uint64_t stamp;
	struct flight *f = &flights[i];

	f->req = (struct disk_req){.op = op, .nblocks = n, .block = block, .pages = f->pages};
	for (uint32_t k = 0; k < n; k++) {
		f->pages[k] = now->pages + ((size_t)i * SUITE_MOST + k) * DISK_BLOCK;
		if (op == DISK_WRITE)
			model[block + k] = ++stamp;
		f->want[k] = model[block + k];
		memcpy(f->pages[k], op == DISK_WRITE ? &stamp : &(uint64_t){0}, sizeof(stamp));
	}
	return disk_submit(now->disk, &f->req);
}

/* Waits for flight i; 0 if it holds what it should. */
static int finish(uint32_t i)
{
	struct flight *f = &flights[i];
	const int error = disk_wait(now->disk, &f->req);

	for (uint32_t k = 0; k < f->req.nblocks && !error; k++)
		if (memcmp(f->pages[k], &f->want[k], sizeof(f->want[k])) != 0)
			return 1;
	return error;
}

static int write_all(void)
{
	for (uint64_t b = 0; b < SUITE_BLOCKS; b += SUITE_MOST)
		if (start(0, DISK_WRITE, b, SUITE_MOST) || finish(0))
			return 1;
	return 0;
}

/* Reads and writes of any size anywhere, many at a time, and waited for in any order. */
static int test_contents(void)
{
	uint8_t busy[SUITE_FLIGHT] = {0};

	MUST(write_all() == 0);
	for (uint32_t step = 0; step < 1500; step++) {
		const uint32_t i = pick(SUITE_FLIGHT), n = 1 + pick(SUITE_MOST);

		if (busy[i])
			MUST(finish(i) == 0);
		busy[i] = pick(4) != 0;
		/* Mostly in a few blocks, so that they meet. */
		if (busy[i])
			MUST(start(i, pick(2) ? DISK_READ : DISK_WRITE,
				   pick(pick(2) ? 20 : SUITE_BLOCKS - SUITE_MOST), n) == 0);
	}
	for (uint32_t i = 0; i < SUITE_FLIGHT; i++)
		MUST(!busy[i] || finish(i) == 0);
	for (uint64_t b = 0; b < SUITE_BLOCKS; b += SUITE_MOST)
		MUST(start(0, DISK_READ, b, SUITE_MOST) == 0 && finish(0) == 0);
	return 0;
}

/* The same block again and again, with others between them that any sweep would prefer. */
static int test_same_block(void)
{
	for (int round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < SUITE_FLIGHT; i++)
			MUST(start(i, i % 4 == 3 ? DISK_READ : DISK_WRITE,
				   i % 2 ? 200 : pick(SUITE_BLOCKS - 1), 1) == 0);
		for (uint32_t i = SUITE_FLIGHT; i-- > 0;)
			MUST(finish(i) == 0);
	}
	return 0;
}

static int test_flush(void)
{
	struct disk_req flush = {.op = DISK_FLUSH};

	for (uint32_t i = 0; i < 8; i++)
		MUST(start(i, DISK_WRITE, pick(SUITE_BLOCKS), 1) == 0);
	MUST(disk_submit(now->disk, &flush) == 0 && disk_wait(now->disk, &flush) == 0);
	for (uint32_t i = 0; i < 8; i++)
		MUST(finish(i) == 0);
	return 0;
}

static int test_refusals(void)
{
	struct flight *f = &flights[0];

	f->pages[0] = now->pages;
	f->req = (struct disk_req){.op = DISK_READ, .block = 0, .pages = f->pages};
	MUST(disk_submit(now->disk, &f->req) < 0);
	f->req.nblocks = DISK_MAX_BLOCKS + 1;
	MUST(disk_submit(now->disk, &f->req) < 0);
	f->req.nblocks = 1;
	f->req.block = disk_size(now->disk);
	MUST(disk_submit(now->disk, &f->req) < 0);
	f->req.block = UINT64_MAX;
	MUST(disk_submit(now->disk, &f->req) < 0);
	return 0;
}

/* What the arm travels for requests all over the volume that were submitted together. */
static int test_travel(void)
{
	uint64_t given = 0, at = 0;
	struct disk_stats before, after;

	disk_get_stats(&before);
	for (uint32_t i = 0; i < SUITE_FLIGHT; i++) {
		const uint32_t block = pick(SUITE_BLOCKS);

		if (i > 0)
			given += block < at ? at - block : block - at;
		at = block + 1;
		MUST(start(i, DISK_READ, block, 1) == 0);
	}
	for (uint32_t i = 0; i < SUITE_FLIGHT; i++)
		MUST(finish(i) == 0);
	disk_get_stats(&after);
	MUST(after.commands - before.commands == SUITE_FLIGHT);
	MUST(after.blocks - before.blocks == SUITE_FLIGHT);
	const uint64_t travel = after.travel - before.travel, back = after.back - before.back;
	if (!strcmp(order, "fifo"))
		/* To the first one the arm comes from wherever it was. */
		MUST(travel >= given && travel <= given + SUITE_BLOCKS && back > 6);
	if (!strcmp(order, "cscan") || !strcmp(order, "deadline"))
		/* The first ones were on their way at once; then one way, and back once. */
		MUST(travel < given / 2 && back <= 4);
	return 0;
}

int suite_run(const struct suite *s, const char *name)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} tests[] = {
		{"contents", test_contents}, {"same_block", test_same_block}, {"flush", test_flush},
		{"refusals", test_refusals}, {"travel", test_travel},
	};
	int failures = 0;

	now = s;
	order = name;
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		const int failed = tests[i].run();

		s->say(tests[i].name, failed ? failed_what : NULL, failed_line);
		failures += failed != 0;
	}
	return failures;
}
