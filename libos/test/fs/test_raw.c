/*
 * test_raw.c - what is raw's own: that a file is one run, which copy of the directory counts, and
 * volumes that are damaged.
 *
 * Each round of the last damages the directories of a good volume, and then makes their checksums
 * right again, so that what is behind them must see it: nothing may crash, hang, or touch memory
 * that is not its own.  `test_raw N` runs round N alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <exo/crc32c.h>
#include "../../fs/raw.h"
#include "exercise.h"

enum { MIB = 4, ROUNDS = 2400, COMMANDS_MAX = 20000, SECONDS_MAX = 20 };

static const struct fs_ops *const ops = &fs_raw_ops;

static struct raw_copy *copy_of(struct disk *d, int which)
{
	return (struct raw_copy *)(void *)(d->data + (size_t)which * RAW_COPY * DISK_BLOCK);
}

static void seal(struct raw_copy *k)
{
	const uint32_t places = k->head.places <= RAW_PLACES ? k->head.places : 0;

	k->head.crc = 0;
	k->head.crc =
		exo_crc32c(0, (const uint8_t *)k, sizeof k->head + places * sizeof k->entry[0]);
}

static int make(struct rig *r, struct fs_node *root, const char *name, struct fs_node **n)
{
	return ops->create(&r->ctx, root, name, strlen(name), 0644, n);
}

/* A declared size costs no write and is one run; two that grow side by side are one run each. */
static int test_runs(void)
{
	static char bytes[DISK_BLOCK];
	struct disk *d = host_volume(ops, MIB);
	struct fs_node *root, *a, *b, *c;
	struct rig r;
	uint64_t writes;

	EXPECT(rig_up_as(&r, ops, d, 64, 0, 0) == 0 && ops->root(&r.ctx, &root) == 0);
	writes = d->commands[DISK_WRITE];
	EXPECT(make(&r, root, "a", &a) == 0 && ops->truncate(&r.ctx, a, 1 << 20) == 0);
	EXPECT(d->commands[DISK_WRITE] == writes && a->attr.blocks == 2048);
	EXPECT(make(&r, root, "b", &b) == 0 && make(&r, root, "c", &c) == 0);
	for (uint64_t i = 0; i < 100; i++) {
		EXPECT(ops->write(&r.ctx, b, i * DISK_BLOCK, bytes, DISK_BLOCK) == DISK_BLOCK);
		EXPECT(ops->write(&r.ctx, c, i * DISK_BLOCK, bytes, DISK_BLOCK) == DISK_BLOCK);
	}
	EXPECT(raw_node_of(a)->run.start == RAW_FIRST && raw_node_of(a)->run.blocks == 256);
	EXPECT(raw_node_of(b)->run.blocks == 100 && raw_node_of(c)->run.blocks == 100);
	/* a cannot grow over b, and says so; nothing changes. */
	EXPECT(ops->truncate(&r.ctx, a, 4 << 20) == -ENOSPC && a->attr.size == 1 << 20);
	EXPECT(ops->put(&r.ctx, a) == 0 && ops->put(&r.ctx, b) == 0 && ops->put(&r.ctx, c) == 0);
	EXPECT(ops->put(&r.ctx, root) == 0 && rig_down(&r, 1) == 0);
	disk_free(d);
	return 0;
}

static int try_mount(struct disk *d, char message[FS_MESSAGE])
{
	struct rig r;
	const int status = rig_up_as(&r, ops, d, 16, 0, 0);

	memcpy(message, r.message, FS_MESSAGE);
	return status ? status : rig_down(&r, 1);
}

/* One copy may be anything; both may not. */
static int test_copies(void)
{
	char message[FS_MESSAGE];
	struct disk *d = host_volume(ops, 1);
	struct fs_node *root, *n;
	struct rig r;

	EXPECT(rig_up_as(&r, ops, d, 16, 0, 0) == 0 && ops->root(&r.ctx, &root) == 0);
	EXPECT(make(&r, root, "a", &n) == 0 && ops->sync(&r.ctx) == 0 && ops->put(&r.ctx, n) == 0);
	EXPECT(ops->unlink(&r.ctx, root, "a", 1) == 0 && ops->put(&r.ctx, root) == 0);
	EXPECT(rig_down(&r, 1) == 0);
	EXPECT(copy_of(d, 1)->head.seq == 3 && copy_of(d, 0)->head.seq == 2);
	/* The newer one is torn: the older, with `a`, counts. */
	copy_of(d, 1)->entry[0].mtime ^= 1;
	EXPECT(rig_up_as(&r, ops, d, 16, 0, 0) == 0 && ops->root(&r.ctx, &root) == 0);
	EXPECT(ops->lookup(&r.ctx, root, "a", 1, &n) == 0 && ops->put(&r.ctx, n) == 0);
	EXPECT(ops->put(&r.ctx, root) == 0 && rig_down(&r, 1) == 0);
	EXPECT(copy_of(d, 1)->head.seq == 3 || copy_of(d, 1)->entry[0].mtime != 0);
	copy_of(d, 0)->head.crc ^= 1;
	copy_of(d, 1)->head.crc ^= 1;
	EXPECT(try_mount(d, message) == -EINVAL);
	EXPECT(strcmp(message, "raw: damaged, in both directories: checksum") == 0);
	seal(copy_of(d, 0));
	copy_of(d, 0)->head.blocks = 100000;
	seal(copy_of(d, 0));
	EXPECT(try_mount(d, message) == -EINVAL);
	disk_free(d);
	return 0;
}

/* ---- damage ---- */

static volatile unsigned current;

static uint64_t odd_value(struct rng *g)
{
	static const uint64_t odd[] = {0,
				       1,
				       7,
				       8,
				       9,
				       127,
				       128,
				       1024,
				       0x7fffffff,
				       0xffffffff,
				       UINT64_MAX,
				       UINT64_MAX / 2,
				       UINT64_MAX - 4095,
				       1ull << 52};

	return rnd(g, 2) ? odd[rnd(g, sizeof odd / sizeof odd[0])] : rnd(g, 1100);
}

static void damage(struct disk *d, struct rng *g)
{
	struct raw_copy *k = copy_of(d, (int)rnd(g, 2));
	const uint64_t value = odd_value(g);
	const size_t width = (size_t)1 << rnd(g, 4);
	size_t at;

	switch (rnd(g, 4)) {
	case 0: /* the head, but for magic and version, which say no more than no */
		at = 16 + rnd(g, 32 / (uint32_t)width) * width;
		break;
	case 1:
		at = rnd(g, (uint32_t)(sizeof *k / width)) * width;
		break;
	default: /* an entry that is in use */
		at = (1 + rnd(g, 63)) * sizeof k->entry[0] + rnd(g, 128 / (uint32_t)width) * width;
	}
	memcpy((uint8_t *)k + at, &value, width);
}

static struct disk *good, *scratch;

static int round_one(unsigned round)
{
	struct rng g = {round * 7919u + 1};
	struct rig r;

	current = round;
	alarm(SECONDS_MAX);
	memcpy(scratch->data, good->data, good->nblocks * DISK_BLOCK);
	memset(scratch->commands, 0, sizeof scratch->commands);
	for (uint32_t i = 0, n = 1 + rnd(&g, 4); i < n; i++)
		damage(scratch, &g);
	if (rnd(&g, 8)) {
		seal(copy_of(scratch, 0));
		seal(copy_of(scratch, 1));
	}
	host_yields = 0;
	if (rig_up_as(&r, ops, scratch, 40, 0, 0) == 0) {
		exercise(&r);
		EXPECT(buf_check(r.cache) == 0);
		(void)rig_down(&r, 1);
	}
	EXPECT(scratch->commands[DISK_READ] + scratch->commands[DISK_WRITE] < COMMANDS_MAX);
	return 0;
}

static int test_damage(void)
{
	for (unsigned round = 0; round < ROUNDS; round++)
		if (round_one(round) != 0)
			return 1;
	return 0;
}

/* Both copies hold all the files, so that either's damage is met. */
static int test_prepare(void)
{
	good = host_volume(ops, MIB);
	scratch = disk_new(good->nblocks);
	EXPECT(exercise_prepare_as(ops, good) == 0);
	memcpy(copy_of(good, 0), copy_of(good, 1), sizeof(struct raw_copy));
	copy_of(good, 0)->head.seq++;
	seal(copy_of(good, 0));
	return 0;
}

/* Called by the sanitizers when they stop the program: says which round to repeat. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	fprintf(stderr, "in round %u\n", current);
}

int main(int argc, char **argv)
{
	int failed = host_test("raw.runs", test_runs) + host_test("raw.copies", test_copies);
	const int prepared = host_test("raw.prepare", test_prepare) == 0;

	if (prepared && argc > 1)
		failed += round_one((unsigned)strtoul(argv[1], NULL, 10));
	else
		failed += !prepared || host_test("raw.damage", test_damage);
	disk_free(good);
	disk_free(scratch);
	return failed != 0;
}
