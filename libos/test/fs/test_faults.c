/*
 * test_faults.c - file systems on a disk that fails: at the n-th command, once or for good, reading
 * or writing; and under processes that die there.
 *
 * Nothing may crash or hang; errors reach the caller; what was written before the failure and
 * synced is there after it; a single failed write that is retried leaves no trace.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exercise.h"

static const struct fs_ops *ops = &fs_ext2_ops;
static struct disk *good;

static struct disk *copy(void)
{
	struct disk *d = disk_new(good->nblocks);

	memcpy(d->data, good->data, d->nblocks * DISK_BLOCK);
	return d;
}

static int one(enum disk_op op, uint64_t nth, uint64_t count, size_t nframes)
{
	struct disk *d = copy();
	struct rig r;

	disk_fail(d, op, nth, count);
	int status = rig_up_as(&r, ops, d, nframes, 0, 0);
	if (status == 0) {
		exercise(&r);
		EXPECT(buf_check(r.cache) == 0);
		(void)rig_down(&r, 1);
	} else {
		EXPECT(status == -EIO);
	}
	disk_free(d);
	return 0;
}

static int test_each(void)
{
	for (uint64_t nth = 1; nth < 100; nth++) {
		EXPECT(one(DISK_READ, nth, 1, 40) == 0);
		EXPECT(one(DISK_READ, nth, UINT64_MAX / 2, 40) == 0);
		EXPECT(one(DISK_WRITE, nth, 1, 40) == 0);
		EXPECT(one(DISK_WRITE, nth, UINT64_MAX / 2, 40) == 0);
		EXPECT(one(DISK_FLUSH, nth, 1, 40) == 0);
	}
	return 0;
}

/* A write that fails at the first sync and works at the second. */
static int test_retry(void)
{
	static char bytes[50000], got[50000];
	struct disk *d = copy();
	struct rig r;
	struct fs_node *root, *n;

	memset(bytes, 'r', sizeof bytes);
	EXPECT(rig_up(&r, d, 64, 0) == 0 && ops->root(&r.ctx, &root) == 0);
	EXPECT(ops->create(&r.ctx, root, "r", 1, 0644, &n) == 0);
	EXPECT(ops->write(&r.ctx, n, 0, bytes, sizeof bytes) == sizeof bytes);
	disk_fail(d, DISK_WRITE, 1, 30);
	EXPECT(ops->fsync(&r.ctx, n) == -EIO);
	disk_fail(d, DISK_WRITE, 1, 0);
	EXPECT(ops->fsync(&r.ctx, n) == 0);
	disk_fail(d, DISK_FLUSH, 1, 1);
	EXPECT(ops->sync(&r.ctx) == -EIO && ops->sync(&r.ctx) == 0);
	EXPECT(!r.ctx.fs->readonly);
	EXPECT(ops->put(&r.ctx, n) == 0 && ops->put(&r.ctx, root) == 0);
	EXPECT(rig_down(&r, 1) == 0 && host_e2fsck(d, "retry") == 0);
	EXPECT(rig_up(&r, d, 64, FS_MOUNT_RDONLY) == 0 && ops->root(&r.ctx, &root) == 0);
	EXPECT(ops->lookup(&r.ctx, root, "r", 1, &n) == 0);
	EXPECT(ops->read(&r.ctx, n, 0, got, sizeof got) == sizeof got);
	EXPECT(memcmp(got, bytes, sizeof got) == 0 && rig_down(&r, 1) == 0);
	disk_free(d);
	return 0;
}

/* A read that fails is told, and is no damage: the next one works, and the volume stays writable.
 */
static int test_read_error(void)
{
	static char got[400000];
	struct disk *d = copy();
	struct rig r;
	struct fs_node *root, *n;

	EXPECT(rig_up(&r, d, 64, 0) == 0 && ops->root(&r.ctx, &root) == 0);
	EXPECT(ops->lookup(&r.ctx, root, "big", 3, &n) == 0);
	disk_fail(d, DISK_READ, 1, UINT64_MAX / 2);
	EXPECT(ops->read(&r.ctx, n, 0, got, sizeof got) == -EIO);
	disk_fail(d, DISK_READ, 1, 0);
	EXPECT(ops->read(&r.ctx, n, 0, got, sizeof got) == sizeof got);
	EXPECT(!r.ctx.fs->readonly && rig_down(&r, 1) == 0);
	EXPECT(host_e2fsck(d, "read_error") == 0);
	disk_free(d);
	return 0;
}

/*
 * A process dies at the n-th command of its work, in the middle of whatever that is; another goes
 * on with the same memory. It must not hang or crash, and what could not be left half done is still
 * writable.
 */
static int die_at(uint64_t nth)
{
	struct disk *d = copy();
	struct rig r;

	EXPECT(rig_up_as(&r, ops, d, 40, 0, 0) == 0);
	owner_token = 100;
	host_dead = 0;
	host_yields = 0;
	host_death.countdown = nth;
	if (setjmp(host_death.at) == 0)
		exercise(&r);
	host_death.countdown = 0;
	owner_token = 1;
	host_dead = 100;
	exercise(&r);
	EXPECT(buf_check(r.cache) == 0);
	(void)rig_down(&r, 1);
	disk_free(d);
	return 0;
}

static int test_death(void)
{
	for (uint64_t nth = 1; nth < 120; nth++)
		EXPECT(die_at(nth) == 0);
	return 0;
}

static int prepare(void)
{
	good = host_mke2fs("faults", 4096, 4, "-N 256");
	EXPECT(exercise_prepare(good) == 0);
	return 0;
}

/* The same for the variants that make their volumes themselves. */
static int others(void)
{
	int failed = 0;

	for (const struct fs_ops *const *v = __start_fs_variants; v < __stop_fs_variants; v++) {
		char name[64];

		ops = *v;
		if (ops->make == NULL)
			continue;
		good = host_volume(ops, 4);
		snprintf(name, sizeof name, "faults.%s.each", ops->name);
		failed += exercise_prepare_as(ops, good) != 0 || host_test(name, test_each);
		snprintf(name, sizeof name, "faults.%s.death", ops->name);
		failed += host_test(name, test_death);
		disk_free(good);
	}
	return failed;
}

int main(void)
{
	int failed = host_test("faults.prepare", prepare);

	failed += host_test("faults.retry", test_retry);
	failed += host_test("faults.read_error", test_read_error);
	failed += host_test("faults.each", test_each);
	failed += host_test("faults.death", test_death);
	disk_free(good);
	failed += others();
	return failed != 0;
}
