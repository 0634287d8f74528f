/*
 * test_buf.c - host tests of the arena and of the buffer cache, with tiny caches and a failing
 * disk.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "host.h"

#define REGION (256u << 10)

struct bench {
	struct disk *disk;
	void *region, *frames;
	struct arena *arena;
	struct buf_cache *cache;
};

static void bench_up(struct bench *b, size_t nframes, uint64_t nblocks)
{
	b->disk = disk_new(nblocks);
	b->region = host_pages(REGION);
	b->frames = host_pages(nframes * BUF_SIZE);
	b->arena = arena_init(b->region, REGION);
	b->cache = buf_init(b->arena, b->frames, nframes, nblocks);
}

static void bench_down(struct bench *b)
{
	disk_free(b->disk);
	free(b->region);
	free(b->frames);
}

/* Writes the number `v` to a block through the cache. */
static int put(struct bench *t, uint64_t block, uint64_t v, uint32_t tag)
{
	struct buf *b;
	int status = buf_get(t->cache, t->disk, block, BUF_READ, &b);

	if (status != 0)
		return status;
	memcpy(b->data, &v, sizeof v);
	buf_dirty(t->cache, b, tag);
	buf_put(b);
	return 0;
}

/* The number in a block, or a negative error. */
static int64_t get(struct bench *t, uint64_t block)
{
	struct buf *b;
	int64_t v;
	int status = buf_get(t->cache, t->disk, block, BUF_READ, &b);

	if (status != 0)
		return status;
	memcpy(&v, b->data, sizeof v);
	buf_put(b);
	return v;
}

static int64_t on_disk(const struct bench *t, uint64_t block)
{
	int64_t v;

	memcpy(&v, t->disk->data + block * DISK_BLOCK, sizeof v);
	return v;
}

static int test_arena(void)
{
	char *region = host_pages(REGION);
	struct arena *a = arena_init(region, REGION);
	struct rng r = {1};
	struct {
		char *p;
		size_t n;
	} live[64] = {{0}};

	EXPECT(arena_init(region + 1, REGION) == NULL && arena_init(region, 64) == NULL);
	a = arena_init(region, REGION);
	for (int i = 0; i < 20000; i++) {
		uint32_t k = rnd(&r, 64);
		for (size_t j = 0; j < live[k].n; j++)
			EXPECT(live[k].p[j] == (char)k);
		arena_free(a, live[k].p, live[k].n);
		live[k].n = 1 + rnd(&r, rnd(&r, 16) == 0 ? 9000 : 300);
		live[k].p = arena_alloc(a, live[k].n);
		if (live[k].p == NULL) {
			live[k].n = 0;
			continue;
		}
		EXPECT((uintptr_t)live[k].p % (live[k].n >= 4096 ? 4096 : 16) == 0);
		EXPECT(live[k].p > region && live[k].p + live[k].n <= region + REGION);
		for (size_t j = 0; j < live[k].n; j++)
			EXPECT(live[k].p[j] == 0);
		memset(live[k].p, (int)k, live[k].n);
	}
	EXPECT(arena_alloc(a, REGION) == NULL && arena_alloc(a, 0) == NULL);
	EXPECT(arena_alloc(a, SIZE_MAX) == NULL);
	free(region);
	return 0;
}

static int test_eviction(void)
{
	struct bench t;
	struct rng r = {2};
	uint64_t model[200] = {0};

	bench_up(&t, BUF_MIN_FRAMES, 200);
	EXPECT(t.cache != NULL);
	for (int i = 0; i < 20000; i++) {
		uint32_t block = rnd(&r, 200);
		if (rnd(&r, 2) == 0) {
			model[block] = (uint64_t)i + 1;
			EXPECT(put(&t, block, model[block], block % 5) == 0);
		} else {
			EXPECT(get(&t, block) == (int64_t)model[block]);
		}
		if (i % 100 == 0)
			EXPECT(buf_check(t.cache) == 0);
		if (rnd(&r, 50) == 0)
			(void)buf_prefetch(t.cache, t.disk, rnd(&r, 210), 1 + rnd(&r, 20));
	}
	EXPECT(buf_sync(t.cache, t.disk) == 0);
	for (uint32_t i = 0; i < 200; i++)
		EXPECT(on_disk(&t, i) == (int64_t)model[i]);
	bench_down(&t);
	return 0;
}

static int test_lru_order(void)
{
	struct bench t;
	struct buf_stats s;

	bench_up(&t, BUF_MIN_FRAMES, 100);
	for (uint64_t i = 0; i < 8; i++)
		EXPECT(get(&t, i) == 0);
	EXPECT(get(&t, 0) == 0); /* 1 is now the oldest */
	EXPECT(get(&t, 50) == 0);
	EXPECT(get(&t, 0) == 0);
	buf_get_stats(t.cache, &s);
	EXPECT(s.misses == 9 && s.hits == 2);
	EXPECT(get(&t, 1) == 0);
	buf_get_stats(t.cache, &s);
	EXPECT(s.misses == 10);
	bench_down(&t);
	return 0;
}

static int test_pins(void)
{
	struct bench t;
	struct buf *held[BUF_MIN_FRAMES], *b;

	bench_up(&t, BUF_MIN_FRAMES, 100);
	for (uint32_t i = 0; i < BUF_MIN_FRAMES; i++)
		EXPECT(buf_get(t.cache, t.disk, i, BUF_READ, &held[i]) == 0);
	EXPECT(buf_get(t.cache, t.disk, 99, BUF_READ, &b) == -ENOMEM);
	EXPECT(buf_prefetch(t.cache, t.disk, 50, 10) == 0);
	EXPECT(buf_get(t.cache, t.disk, 100, BUF_READ, &b) == -ERANGE);
	buf_put(held[3]);
	EXPECT(buf_get(t.cache, t.disk, 99, BUF_READ, &b) == 0);
	EXPECT(buf_check(t.cache) == 0);
	buf_recover(t.cache);
	EXPECT(buf_check(t.cache) == 0 && get(&t, 77) == 0);
	bench_down(&t);
	return 0;
}

static int test_clusters(void)
{
	struct bench t;
	struct buf_stats s;

	bench_up(&t, 1024, 4000);
	for (uint64_t i = 600; i-- > 0;)
		EXPECT(put(&t, 100 + i, i + 1, 7) == 0);
	EXPECT(put(&t, 3000, 1, 8) == 0 && put(&t, 10, 1, 8) == 0);
	uint64_t before = t.disk->commands[DISK_WRITE];
	EXPECT(buf_sync_tag(t.cache, t.disk, 7) == 0);
	EXPECT(t.disk->commands[DISK_WRITE] - before == 3 && t.disk->largest == 256);
	EXPECT(t.disk->backwards == 0 && on_disk(&t, 3000) == 0);
	for (uint64_t i = 0; i < 600; i++)
		EXPECT(on_disk(&t, 100 + i) == (int64_t)i + 1);
	EXPECT(buf_sync_range(t.cache, t.disk, 3000, 5) == 0 && on_disk(&t, 3000) == 1);
	EXPECT(on_disk(&t, 10) == 0);
	EXPECT(buf_sync(t.cache, t.disk) == 0 && on_disk(&t, 10) == 1);
	buf_get_stats(t.cache, &s);
	EXPECT(s.dirty == 0);
	buf_invalidate(t.cache);
	before = t.disk->commands[DISK_READ];
	EXPECT(get(&t, 130) == 31);
	EXPECT(buf_prefetch(t.cache, t.disk, 100, 256) == 255);
	EXPECT(t.disk->commands[DISK_READ] - before == 3);
	for (uint64_t i = 0; i < 256; i++)
		EXPECT(get(&t, 100 + i) == (int64_t)i + 1);
	EXPECT(t.disk->commands[DISK_READ] - before == 3);
	EXPECT(buf_check(t.cache) == 0);
	bench_down(&t);
	return 0;
}

static int test_many_runs(void)
{
	struct bench t;

	bench_up(&t, 2000, 4000);
	for (uint64_t i = 0; i < 1000; i++)
		EXPECT(put(&t, (i * 7 % 1000) * 3, i + 1, (uint32_t)i) == 0);
	EXPECT(buf_sync(t.cache, t.disk) == 0);
	for (uint64_t i = 0; i < 1000; i++)
		EXPECT(on_disk(&t, (i * 7 % 1000) * 3) == (int64_t)i + 1);
	EXPECT(t.disk->backwards <= 4);
	bench_down(&t);
	return 0;
}

static int test_errors(void)
{
	struct bench t;

	bench_up(&t, 16, 100);
	t.disk->bad_block = 5;
	EXPECT(get(&t, 5) == -EIO && get(&t, 6) == 0);
	EXPECT(buf_prefetch(t.cache, t.disk, 4, 4) <= 4);
	EXPECT(get(&t, 4) == 0 && get(&t, 5) == -EIO && get(&t, 7) == 0);
	t.disk->bad_block = UINT64_MAX;
	for (uint64_t i = 3; i < 8; i++)
		EXPECT(put(&t, i, i, 0) == 0);
	t.disk->bad_block = 5;
	EXPECT(buf_sync(t.cache, t.disk) == -EIO);
	EXPECT(on_disk(&t, 4) == 4 && on_disk(&t, 6) == 6 && on_disk(&t, 5) == 0);
	EXPECT(buf_check(t.cache) == 0);
	/* The dirty block survives pressure, and is written once the disk can. */
	for (uint64_t i = 20; i < 80; i++)
		EXPECT(put(&t, i, i, 0) == 0);
	EXPECT(get(&t, 5) == 5 && buf_sync(t.cache, t.disk) == -EIO);
	t.disk->bad_block = UINT64_MAX;
	EXPECT(buf_sync(t.cache, t.disk) == 0 && on_disk(&t, 5) == 5);
	disk_fail(t.disk, DISK_FLUSH, 1, 1);
	EXPECT(buf_flush(t.disk) == -EIO && buf_flush(t.disk) == 0);
	bench_down(&t);
	return 0;
}

static int test_all_unwritable(void)
{
	struct bench t;

	bench_up(&t, BUF_MIN_FRAMES, 100);
	for (uint64_t i = 0; i < BUF_MIN_FRAMES; i++)
		EXPECT(put(&t, i * 2, i + 1, 0) == 0);
	disk_fail(t.disk, DISK_WRITE, 1, 1000);
	EXPECT(get(&t, 50) == -EIO);
	EXPECT(buf_prefetch(t.cache, t.disk, 60, 4) == 0);
	disk_fail(t.disk, DISK_WRITE, 1, 0);
	EXPECT(buf_sync(t.cache, t.disk) == 0 && get(&t, 50) == 0);
	for (uint64_t i = 0; i < BUF_MIN_FRAMES; i++)
		EXPECT(on_disk(&t, i * 2) == (int64_t)i + 1);
	bench_down(&t);
	return 0;
}

static int test_forget(void)
{
	struct bench t;

	bench_up(&t, BUF_MIN_FRAMES, 100);
	EXPECT(put(&t, 9, 1, 0) == 0);
	buf_forget(t.cache, 9);
	EXPECT(buf_sync(t.cache, t.disk) == 0 && on_disk(&t, 9) == 0 && get(&t, 9) == 0);
	EXPECT(buf_check(t.cache) == 0);
	bench_down(&t);
	return 0;
}

/* Process 2 dies while it reads, and while it writes; process 1 must not wait for it. */
static int test_dead_owner(void)
{
	struct bench t;

	bench_up(&t, BUF_MIN_FRAMES, 100);
	memcpy(t.disk->data + 9 * DISK_BLOCK, &(uint64_t){42}, 8);
	owner_token = 2;
	host_death.countdown = 1;
	if (setjmp(host_death.at) == 0)
		EXPECT(get(&t, 9) == 0);
	owner_token = 1;
	host_dead = 2;
	EXPECT(buf_check(t.cache) == 0 && get(&t, 9) == 42);
	EXPECT(put(&t, 9, 43, 3) == 0 && put(&t, 10, 44, 3) == 0);
	owner_token = 3;
	host_death.countdown = 1;
	if (setjmp(host_death.at) == 0)
		EXPECT(buf_sync(t.cache, t.disk) != 0);
	owner_token = 1;
	host_dead = 3;
	EXPECT(buf_check(t.cache) == 0 && on_disk(&t, 9) == 42);
	EXPECT(buf_sync(t.cache, t.disk) == 0 && on_disk(&t, 9) == 43 && on_disk(&t, 10) == 44);
	EXPECT(buf_check(t.cache) == 0);
	bench_down(&t);
	return 0;
}

/* Process 2 dies holding the cache's lock, with its lists in disorder. */
static int test_stolen_lock(void)
{
	struct bench t;

	bench_up(&t, 16, 100);
	for (uint64_t i = 0; i < 12; i++)
		EXPECT(put(&t, i, i + 1, (uint32_t)i) == 0);
	((struct lock *)(void *)t.cache)->owner = 2;
	host_dead = 2;
	EXPECT(buf_check(t.cache) == 0);
	for (uint64_t i = 0; i < 12; i++)
		EXPECT(get(&t, i) == (int64_t)i + 1);
	EXPECT(buf_sync(t.cache, t.disk) == 0 && on_disk(&t, 11) == 12);
	bench_down(&t);
	return 0;
}

static int test_refusals(void)
{
	struct bench t;

	bench_up(&t, BUF_MIN_FRAMES, 10);
	EXPECT(buf_init(t.arena, t.frames, BUF_MIN_FRAMES - 1, 10) == NULL);
	EXPECT(buf_init(t.arena, (char *)t.frames + 8, BUF_MIN_FRAMES, 10) == NULL);
	EXPECT(buf_init(t.arena, t.frames, 1 << 20, 10) == NULL);
	EXPECT(buf_attach(t.cache) == 0);
	bench_down(&t);
	return 0;
}

int main(void)
{
	int failed = 0;

	failed += host_test("arena", test_arena);
	failed += host_test("buf.eviction", test_eviction);
	failed += host_test("buf.lru_order", test_lru_order);
	failed += host_test("buf.pins", test_pins);
	failed += host_test("buf.clusters", test_clusters);
	failed += host_test("buf.many_runs", test_many_runs);
	failed += host_test("buf.errors", test_errors);
	failed += host_test("buf.all_unwritable", test_all_unwritable);
	failed += host_test("buf.forget", test_forget);
	failed += host_test("buf.dead_owner", test_dead_owner);
	failed += host_test("buf.stolen_lock", test_stolen_lock);
	failed += host_test("buf.refusals", test_refusals);
	return failed != 0;
}
