/*
 * suite.c - the tests of the buffer cache's mechanism with any policy: see suite.h.
 *
 * Each test makes a cache anew over the same frames, so none depends on another. Contents are known
 * by a model: block b was last given the number model[b]. Nothing is asserted of time but that it
 * passes.
 */
#include "suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <libos/time.h>
#include "behaviour.h"

static const struct suite *now;
static struct buf_cache *cache;
static struct disk *disk;
static uint64_t model[SUITE_BLOCKS];
static uint64_t seed;

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

/* ---- the volume, past the cache ---- */

static int transfer(enum disk_op op, uint64_t block)
{
	void *page = now->page;
	struct disk_req r = {.op = op, .nblocks = 1, .block = block, .pages = &page};
	const int error = disk_submit(disk, &r);

	return error ? error : disk_wait(disk, &r);
}

static uint64_t on_disk(uint64_t block)
{
	uint64_t v = UINT64_MAX;

	if (transfer(DISK_READ, block) == 0)
		memcpy(&v, now->page, sizeof(v));
	return v;
}

/* An empty cache of `frames` over a volume of zeroes; `numbers`: the blocks hold their numbers + 1.
 */
static int begin(uint32_t frames, int numbers)
{
	disk = now->disk;
	seed = 1;
	memset(now->page, 0, BUF_SIZE);
	for (uint64_t b = 0; b < SUITE_BLOCKS; b++) {
		model[b] = numbers ? b + 1 : 0;
		memcpy(now->page, &model[b], sizeof(model[b]));
		if (transfer(DISK_WRITE, b))
			return 1;
	}
	cache = buf_init(arena_init(now->region, SUITE_REGION), now->frames, frames, SUITE_BLOCKS);
	return cache == NULL;
}

/* ---- through the cache ---- */

static int put(uint64_t block, uint64_t v)
{
	struct buf *b;
	const int status = buf_get(cache, disk, block, BUF_READ, &b);

	if (status)
		return status;
	memcpy(b->data, &v, sizeof(v));
	buf_dirty(cache, b, (uint32_t)block % 5);
	buf_put(b);
	model[block] = v;
	return 0;
}

/* 0 if the block holds what it should. */
static int look(uint64_t block)
{
	struct buf *b;
	uint64_t v;
	const int status = buf_get(cache, disk, block, BUF_READ, &b);

	if (status)
		return status;
	memcpy(&v, b->data, sizeof(v));
	buf_put(b);
	return v == model[block] ? 0 : -EBADMSG;
}

/* The same of what buf_get_run gives. */
static int look_run(uint64_t first, uint64_t n)
{
	struct buf *b[BUF_RUN];
	const uint32_t got = buf_get_run(cache, first, n, b);
	int status = got <= n && got <= BUF_RUN ? 0 : -EBADMSG;

	for (uint32_t i = 0; i < got; i++) {
		uint64_t v;

		memcpy(&v, b[i]->data, sizeof(v));
		if (b[i]->block != first + i || v != model[first + i])
			status = -EBADMSG;
		buf_put(b[i]);
	}
	return status;
}

static struct buf_stats stats(void)
{
	struct buf_stats s;

	buf_get_stats(cache, &s);
	return s;
}

static struct buf_tuning tuning(void)
{
	struct buf_tuning t;

	buf_get_tuning(cache, &t);
	return t;
}

static int set_limit(uint32_t limit)
{
	struct buf_tuning t = tuning();

	t.limit = limit;
	return buf_tune(cache, &t);
}

static int all_on_disk(void)
{
	for (uint64_t b = 0; b < SUITE_BLOCKS; b++)
		if (on_disk(b) != model[b])
			return 0;
	return 1;
}

/* ---- contents ---- */

static int random_step(uint32_t *limit)
{
	const uint32_t block = pick(SUITE_BLOCKS), before = stats().used;

	switch (pick(40)) {
	case 0:
		(void)buf_prefetch(cache, disk, pick(SUITE_BLOCKS + 10), 1 + pick(20));
		break;
	case 1:
		MUST(buf_advise(cache, disk, block, 1 + pick(30), (enum buf_advice)pick(4)) == 0);
		break;
	case 2:
		*limit = BUF_MIN_FRAMES + pick(56 - BUF_MIN_FRAMES + 1);
		MUST(set_limit(*limit) == 0);
		break;
	case 3:
		MUST(buf_settle(cache, disk) == 0 && buf_sync_range(cache, disk, block, 9) == 0);
		break;
	case 4:
		MUST(buf_sync_tag(cache, disk, pick(5)) == 0);
		break;
	case 5:
		MUST(look_run(block, 1 + pick(20)) == 0);
		break;
	default:
		MUST(pick(2) ? put(block, model[block] + 1 + block) == 0 : look(block) == 0);
	}
	MUST(stats().used <= *limit || stats().used <= before);
	return 0;
}

static int test_model(void)
{
	uint32_t limit = 56;

	MUST(begin(56, 0) == 0);
	for (int i = 0; i < 6000; i++) {
		if (random_step(&limit))
			return 1;
		MUST(i % 64 != 0 || buf_check(cache) == 0);
	}
	MUST(buf_sync(cache, disk) == 0 && stats().dirty == 0 && stats().errors == 0);
	MUST(buf_check(cache) == 0 && all_on_disk());
	return 0;
}

static int test_pins(void)
{
	struct buf *held[BUF_MIN_FRAMES], *b;
	uint64_t v;

	MUST(begin(BUF_MIN_FRAMES, 1) == 0);
	for (uint32_t i = 0; i + 1 < BUF_MIN_FRAMES; i++)
		MUST(buf_get(cache, disk, i, BUF_READ, &held[i]) == 0);
	for (uint64_t i = 20; i < 120; i++)
		MUST(look(i) == 0);
	for (uint32_t i = 0; i + 1 < BUF_MIN_FRAMES; i++) {
		memcpy(&v, held[i]->data, sizeof(v));
		MUST(held[i]->block == i && v == i + 1);
	}
	MUST(buf_get(cache, disk, 0, BUF_READ, &b) == 0 && b == held[0]);
	buf_put(b);
	MUST(buf_get(cache, disk, 50, BUF_READ, &b) == 0);
	held[BUF_MIN_FRAMES - 1] = b;
	MUST(buf_get(cache, disk, 51, BUF_READ, &b) == -ENOMEM && buf_check(cache) == 0);
	for (uint32_t i = 0; i < BUF_MIN_FRAMES; i++)
		buf_put(held[i]);
	MUST(look(51) == 0 && buf_check(cache) == 0);
	return 0;
}

/* Several at once: those that are there before the first that is not. */
static int test_runs(void)
{
	struct buf *b[BUF_RUN];

	MUST(begin(64, 1) == 0);
	for (uint64_t i = 10; i < 40; i++)
		MUST(i == 14 || look(i) == 0);
	if (!tuning().reuse) {
		MUST(buf_get_run(cache, 10, 4, b) == 0);
		return 0;
	}
	const uint64_t hits = stats().hits, misses = stats().misses;
	MUST(buf_get_run(cache, 10, 9, b) == 4 && stats().hits == hits + 4);
	for (uint32_t i = 0; i < 4; i++) {
		MUST(b[i]->block == 10 + i && b[i]->pins == 1);
		buf_put(b[i]);
	}
	MUST(buf_get_run(cache, 14, 9, b) == 0 && buf_get_run(cache, 12, 0, b) == 0);
	MUST(look_run(11, 2) == 0 && stats().hits == hits + 6 && stats().misses == misses);
	MUST(look(SUITE_BLOCKS - 1) == 0 && look_run(SUITE_BLOCKS - 1, 5) == 0);
	/* No more than a quarter of the cache, nor than BUF_RUN. */
	MUST(buf_get_run(cache, 15, 25, b) == BUF_RUN);
	for (uint32_t i = 0; i < BUF_RUN; i++)
		buf_put(b[i]);
	MUST(set_limit(48) == 0 && buf_get_run(cache, 15, 25, b) == 12);
	for (uint32_t i = 0; i < 12; i++)
		buf_put(b[i]);
	MUST(buf_check(cache) == 0);
	return 0;
}

/* A holder may say first that it will change a buffer: a neighbour that is written meanwhile must
 * not take it along half changed and call it clean. */
static int test_pinned_change_kept(void)
{
	const uint64_t v = 777;
	struct buf *b;

	MUST(begin(BUF_MIN_FRAMES, 0) == 0);
	MUST(put(31, 5) == 0 && buf_get(cache, disk, 30, BUF_OVERWRITE, &b) == 0);
	buf_dirty(cache, b, 1);
	for (uint64_t i = 100; i < 130; i++)
		MUST(look(i) == 0);
	memcpy(b->data, &v, sizeof(v));
	buf_put(b);
	model[30] = v;
	for (uint64_t i = 100; i < 130; i++)
		MUST(look(i) == 0);
	MUST(look(30) == 0 && buf_sync(cache, disk) == 0 && on_disk(30) == v && on_disk(31) == 5);
	return 0;
}

static int test_recover(void)
{
	struct buf *b;

	MUST(begin(40, 1) == 0);
	for (uint64_t i = 0; i < 60; i++)
		MUST(i % 3 ? look(i) == 0 : put(i, i + 1000) == 0);
	MUST(buf_get(cache, disk, 7, BUF_READ, &b) == 0);
	buf_recover(cache);
	MUST(buf_check(cache) == 0 && b->pins == 0);
	for (uint64_t i = 0; i < 100; i++)
		MUST(look(i) == 0);
	MUST(buf_sync(cache, disk) == 0 && all_on_disk());
	return 0;
}

/* ---- when it is written ---- */

/* On the disk when the operation is over: whoever loses power after that loses nothing. */
static int test_write_through(void)
{
	struct buf_tuning t;

	MUST(begin(64, 0) == 0);
	t = tuning();
	t.dirty_most = 0;
	MUST(buf_tune(cache, &t) == 0 && buf_wants(cache) == BUF_WANT_ALL);
	for (uint32_t i = 0; i < 100; i++) {
		const uint32_t block = pick(SUITE_BLOCKS - 1);

		MUST(put(block, i + 1) == 0 && put(block + 1, i + 2) == 0);
		MUST(buf_settle(cache, disk) == 0 && stats().dirty == 0);
		MUST(on_disk(block) == i + 1 && on_disk(block + 1) == i + 2);
	}
	MUST(buf_check(cache) == 0);
	return 0;
}

static int test_dirty_most(void)
{
	struct buf_tuning t;
	uint64_t before;

	MUST(begin(SUITE_FRAMES, 0) == 0);
	t = tuning();
	t.dirty_most = 10;
	MUST(buf_tune(cache, &t) == 0 && buf_wants(cache) == BUF_WANT_NOTHING);
	before = stats().writes;
	for (uint64_t i = 0; i < 10; i++)
		MUST(put(i, i + 1) == 0 && buf_settle(cache, disk) == 0);
	MUST(stats().dirty == 10 && stats().writes == before);
	MUST(put(11, 1) == 0 && buf_settle(cache, disk) == 0 && stats().dirty <= 10);
	MUST(on_disk(0) == 1 && on_disk(9) == 10);
	/* In the midst of an operation there may be as many more as make one command. */
	for (uint64_t i = 0; i < SUITE_FRAMES; i++) {
		MUST(put(i, i + 9) == 0);
		MUST(stats().dirty <= 10 + DISK_MAX_BLOCKS + 1);
	}
	MUST(buf_settle(cache, disk) == 0 && stats().dirty <= 10 && buf_check(cache) == 0);
	return 0;
}

static int test_dirty_age(void)
{
	struct buf_tuning t;

	MUST(begin(64, 0) == 0);
	t = tuning();
	t.dirty_ms = 3600 * 1000;
	MUST(buf_tune(cache, &t) == 0 && !buf_due(cache, 0));
	MUST(put(5, 1) == 0 && !buf_due(cache, 0));
	t.dirty_ms = 1;
	MUST(buf_tune(cache, &t) == 0);
	const uint64_t start = time_now();
	while (time_now() - start < 2000000)
		;
	MUST(stats().dirty == 0 || buf_due(cache, 0));
	MUST(buf_sync(cache, disk) == 0 && !buf_due(cache, 0) && on_disk(5) == 1);
	/* What is not in buffers counts from the last time that there was none. */
	t.dirty_ms = 3600 * 1000;
	MUST(buf_tune(cache, &t) == 0 && !buf_due(cache, 1));
	t.dirty_ms = 0;
	MUST(buf_tune(cache, &t) == 0 && !buf_due(cache, 1));
	t.dirty_ms = 1;
	MUST(buf_tune(cache, &t) == 0 && !buf_due(cache, 0));
	const uint64_t clean = time_now();
	while (time_now() - clean < 2000000)
		;
	MUST(buf_due(cache, 1) && !buf_due(cache, 0));
	return 0;
}

/* ---- reading ahead ---- */

static int test_volume_end(void)
{
	struct buf *b;

	MUST(begin(128, 1) == 0);
	MUST(buf_prefetch(cache, disk, SUITE_BLOCKS - 3, 30) == 3);
	MUST(buf_prefetch(cache, disk, SUITE_BLOCKS, 5) == 0);
	MUST(buf_prefetch(cache, disk, UINT64_MAX, 5) == 0);
	MUST(buf_advise(cache, disk, SUITE_BLOCKS - 2, 100, BUF_WILLNEED) == 0);
	MUST(stats().read_blocks <= 5 && stats().errors == 0);
	MUST(buf_get(cache, disk, SUITE_BLOCKS, BUF_READ, &b) == -ERANGE);
	MUST(look(SUITE_BLOCKS - 1) == 0 && buf_check(cache) == 0);
	return 0;
}

/* Reads `n` blocks of a file that lies at block 0, `step` apart; commands that it took. */
static uint64_t read_file(struct buf_stream *s, uint32_t n, uint32_t step)
{
	const uint64_t before = stats().reads;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t from;
		const uint32_t at = (i * step) % SUITE_BLOCKS;
		const uint32_t len = buf_stream_next(cache, s, at, 1, SUITE_BLOCKS, 0, &from);

		if (len > 0 && (from + len > SUITE_BLOCKS || len > 64))
			return UINT64_MAX;
		if (len > 0) {
			s->first = from;
			s->end = from + len;
			(void)buf_prefetch(cache, disk, from, len);
		}
		if (look(at))
			return UINT64_MAX;
	}
	return stats().reads - before;
}

static int test_ahead(void)
{
	struct buf_stream s = {0}, random = {.pattern = BUF_RANDOM},
			  all = {.pattern = BUF_SEQUENTIAL};
	struct buf_tuning t;

	MUST(begin(256, 1) == 0);
	t = tuning();
	t.ahead_most = 64;
	MUST(buf_tune(cache, &t) == 0);
	MUST(read_file(&s, 200, 1) <= 6 && s.window == 64);
	buf_invalidate(cache);
	MUST(read_file(&s, 60, 37) == 60 && s.window == 0);
	buf_invalidate(cache);
	MUST(read_file(&random, 60, 1) == 60);
	buf_invalidate(cache);
	MUST(read_file(&all, 60, 1) == 1);
	t.ahead_most = 0;
	MUST(buf_tune(cache, &t) == 0);
	buf_invalidate(cache);
	MUST(read_file(&s, 60, 1) == 60 && stats().errors == 0 && buf_check(cache) == 0);
	return 0;
}

/* What was read ahead and given up unread makes the windows smaller, what is used makes them grow.
 */
static int test_ahead_shrinks(void)
{
	struct buf_stream s = {.pattern = BUF_SEQUENTIAL};
	struct buf_tuning t;
	uint32_t from;

	MUST(begin(256, 1) == 0);
	t = tuning();
	t.ahead_most = 64;
	MUST(buf_tune(cache, &t) == 0);
	MUST(buf_stream_next(cache, &s, 0, 1, SUITE_BLOCKS, 0, &from) == 64);
	MUST(buf_prefetch(cache, disk, 0, 64) == 64 && set_limit(BUF_MIN_FRAMES) == 0);
	MUST(stats().ahead_wasted >= 64 - BUF_MIN_FRAMES && stats().used <= BUF_MIN_FRAMES);
	MUST(set_limit(256) == 0);
	MUST(buf_stream_next(cache, &s, 64, 1, SUITE_BLOCKS, 0, &from) < 64);
	MUST(buf_prefetch(cache, disk, 100, 64) == 64);
	for (uint64_t i = 100; i < 164; i++)
		MUST(look(i) == 0);
	MUST(buf_stream_next(cache, &s, 200, 1, SUITE_BLOCKS, 0, &from) == 64);
	MUST(buf_check(cache) == 0);
	return 0;
}

/* What was read ahead is there when its reader comes, though all else is used more often, and
 * others want room meanwhile. */
static int test_ahead_kept(void)
{
	uint64_t before;

	MUST(begin(64, 1) == 0);
	for (uint64_t i = 0; i < 128; i++)
		MUST(look(i % 64) == 0);
	MUST(buf_prefetch(cache, disk, 200, 16) == 16);
	for (uint64_t i = 300; i < 304; i++)
		MUST(look(i) == 0);
	before = stats().misses;
	for (uint64_t i = 200; i < 216; i++)
		MUST(look(i) == 0);
	MUST(stats().misses == before && stats().ahead_wasted == 0);
	return 0;
}

/* ---- bounds on memory ---- */

static int test_limit(void)
{
	struct buf_tuning t;

	MUST(begin(200, 0) == 0);
	t = tuning();
	t.limit = BUF_MIN_FRAMES - 1;
	MUST(buf_tune(cache, &t) == -EINVAL);
	t.limit = 201;
	MUST(buf_tune(cache, &t) == -EINVAL);
	for (uint64_t i = 0; i < 300; i++)
		MUST(put(i, i + 5) == 0);
	/* All is dirty: what cannot go at once goes as room is wanted, and nothing is lost. */
	MUST(set_limit(BUF_MIN_FRAMES) == 0 && buf_check(cache) == 0);
	for (uint64_t i = 0; i < 300; i++)
		MUST(look(299 - i) == 0);
	MUST(stats().used <= BUF_MIN_FRAMES && buf_check(cache) == 0);
	MUST(set_limit(200) == 0);
	for (uint64_t i = 0; i < 300; i++)
		MUST(look(i) == 0);
	MUST(stats().used > BUF_MIN_FRAMES && stats().used <= 200 && buf_check(cache) == 0);
	return 0;
}

static int test_give(void)
{
	void *pages[64];
	uint32_t n;

	MUST(begin(64, 0) == 0);
	for (uint64_t i = 0; i < 100; i++)
		MUST(put(i, i + 3) == 0);
	n = buf_give(cache, disk, 20, pages);
	MUST(n == 20 && stats().frames == 44 && tuning().limit == 44 && buf_check(cache) == 0);
	for (uint32_t i = 0; i < n; i++)
		memset(pages[i], 0xa5, BUF_SIZE); /* it is somebody else's now */
	for (uint64_t i = 0; i < 100; i++)
		MUST(look(i) == 0);
	MUST(set_limit(45) == -EINVAL);
	MUST(buf_give(cache, disk, 64, pages + 20) == 64 - 20 - BUF_MIN_FRAMES);
	for (uint64_t i = 0; i < 100; i++)
		MUST(look(i) == 0);
	MUST(buf_take(cache, (char *)pages[0] + 8) == -EINVAL);
	for (uint32_t i = 0; i < 64 - BUF_MIN_FRAMES; i++)
		MUST(buf_take(cache, pages[i]) == 0);
	MUST(buf_take(cache, pages[0]) == -EINVAL && set_limit(64) == 0);
	for (uint64_t i = 0; i < 100; i++)
		MUST(look(i) == 0);
	MUST(stats().frames == 64 && buf_check(cache) == 0);
	MUST(buf_sync(cache, disk) == 0 && all_on_disk());
	return 0;
}

/* What is in the run, clean, dirty and changed since, is elsewhere afterwards; the coldest go. */
static int test_vacate(void)
{
	struct buf *b = NULL;

	MUST(begin(64, 0) == 0);
	for (uint64_t i = 0; i < 100; i++)
		MUST(put(i, i + 7) == 0 && (i != 60 || buf_sync(cache, disk) == 0));
	MUST(buf_vacate(cache, disk, 60, 5) == -EINVAL &&
	     buf_vacate(cache, disk, 64, 1) == -EINVAL);
	MUST(buf_vacate(cache, disk, 0, 64 - BUF_MIN_FRAMES + 1) == -ENOMEM);
	MUST(stats().frames == 64 && tuning().limit == 64 && buf_check(cache) == 0);
	/* A pinned one is not moved: all stays as it is. */
	MUST(buf_get(cache, disk, 99, BUF_READ, &b) == 0);
	const uint32_t at = (uint32_t)(((uintptr_t)b->data - (uintptr_t)now->frames) / BUF_SIZE);
	MUST(buf_vacate(cache, disk, at, 1) == -EBUSY && stats().frames == 64);
	MUST(tuning().limit == 64 && buf_check(cache) == 0);
	buf_put(b);
	MUST(buf_vacate(cache, disk, 20, 30) == 0 && buf_check(cache) == 0);
	MUST(stats().frames == 34 && tuning().limit == 34 && stats().used <= 34);
	memset((char *)now->frames + 20 * BUF_SIZE, 0xa5,
	       30 * BUF_SIZE); /* they are somebody else's now */
	MUST(buf_vacate(cache, disk, 49, 1) == -EINVAL);
	for (uint64_t i = 0; i < 100; i++)
		MUST(look(i) == 0);
	MUST(buf_vacate(cache, disk, 50, 14) == 0 && buf_vacate(cache, disk, 8, 12) == 0);
	MUST(stats().frames == BUF_MIN_FRAMES && buf_check(cache) == 0);
	memset((char *)now->frames + 8 * BUF_SIZE, 0xa5, 56 * BUF_SIZE);
	for (uint64_t i = 0; i < 100; i++)
		MUST(look(99 - i) == 0);
	MUST(buf_take(cache, (char *)now->frames + 8 * BUF_SIZE) == 0 && buf_check(cache) == 0);
	MUST(buf_sync(cache, disk) == 0 && all_on_disk());
	return 0;
}

static int test_attach(void)
{
	char *name;

	MUST(begin(64, 0) == 0 && buf_attach(cache) == 0);
	MUST(strcmp(buf_policy_of(cache), buf_policy_name) == 0);
	name = (char *)(uintptr_t)buf_policy_of(cache); /* in the shared memory: another's policy */
	name[0] = '?';
	MUST(buf_attach(cache) == -EINVAL);
	return 0;
}

/* ---- what it is for ---- */

static int test_behaviour(void)
{
	const struct expected *e = behaviour_of(buf_policy_name);

	for (enum pattern p = 0; p < PATTERNS; p++) {
		MUST(begin(BEHAVIOUR_FRAMES, 1) == 0);
		const uint32_t hits = behaviour_hits(cache, disk, p);

		if (hits < e->least[p] || hits > e->most[p]) {
			failed_what = behaviour_pattern[p];
			failed_line = (int)hits;
			return 1;
		}
		MUST(buf_check(cache) == 0);
	}
	return 0;
}

int suite_run(const struct suite *s)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} tests[] = {
		{"model", test_model},
		{"pins", test_pins},
		{"runs", test_runs},
		{"pinned_change_kept", test_pinned_change_kept},
		{"recover", test_recover},
		{"write_through", test_write_through},
		{"dirty_most", test_dirty_most},
		{"dirty_age", test_dirty_age},
		{"volume_end", test_volume_end},
		{"ahead", test_ahead},
		{"ahead_shrinks", test_ahead_shrinks},
		{"ahead_kept", test_ahead_kept},
		{"limit", test_limit},
		{"give", test_give},
		{"vacate", test_vacate},
		{"attach", test_attach},
		{"behaviour", test_behaviour},
	};
	int failures = 0;

	now = s;
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		const int failed = tests[i].run();

		s->say(tests[i].name, failed ? failed_what : NULL, failed_line);
		failures += failed != 0;
	}
	return failures;
}
