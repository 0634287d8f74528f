/*
 * test_log.c - what is log's own: space that comes back by checkpoints and by cleaning, which
 * checkpoint counts, and volumes that are damaged.
 *
 * Each round of the last damages what the trees of a good volume are made of, and makes the
 * checkpoints' checksums right again: nothing may crash, hang, or touch memory that is not its own.
 * `test_log N` runs round N alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <exo/crc32c.h>
#include "../../fs/log.h"
#include "exercise.h"

enum { MIB = 4, ROUNDS = 2400, COMMANDS_MAX = 200000, SECONDS_MAX = 30, FILES = 120 };

static const struct fs_ops *const ops = &fs_log_ops;

static struct log_checkpoint *checkpoint_of(struct disk *d, int which)
{
	return (struct log_checkpoint *)(void *)(d->data + (size_t)which * DISK_BLOCK);
}

static void seal(struct log_checkpoint *p)
{
	p->crc = 0;
	p->crc = exo_crc32c(0, (const uint8_t *)p, sizeof *p);
}

static int up(struct rig *r, struct disk *d, struct fs_node **root)
{
	const int status = rig_up_as(r, ops, d, 64, 0, 0);

	return status ? status : ops->root(&r->ctx, root);
}

static struct fs_node *file(struct rig *r, struct fs_node *root, int i, int make)
{
	struct fs_node *n = NULL;
	char name[16];
	const size_t len = (size_t)snprintf(name, sizeof name, "f%d", i);

	if (ops->lookup(&r->ctx, root, name, len, &n) == 0)
		return n;
	return make && ops->create(&r->ctx, root, name, len, 0644, &n) == 0 ? n : NULL;
}

/* Fills file i with a pattern of round `k`, as far as it goes. */
static int64_t fill(struct rig *r, struct fs_node *n, int i, int k, size_t len)
{
	static uint8_t bytes[100000];
	size_t done = 0;
	int64_t put = 1;

	for (size_t at = 0; at < len; at++)
		bytes[at] = (uint8_t)((at * 31 + (size_t)i * 7 + (size_t)k * 101) >> 3);
	while (done < len && put > 0) {
		put = ops->write(&r->ctx, n, done, bytes + done, len - done);
		done += put > 0 ? (size_t)put : 0;
	}
	return put < 0 ? put : (int64_t)done;
}

static int holds(struct rig *r, struct fs_node *n, int i, int k, size_t len)
{
	static uint8_t got[100000];

	if (ops->read(&r->ctx, n, 0, got, sizeof got) != (int64_t)len)
		return 0;
	for (size_t at = 0; at < len; at++)
		if (got[at] != (uint8_t)((at * 31 + (size_t)i * 7 + (size_t)k * 101) >> 3))
			return 0;
	return 1;
}

/*
 * A volume nearly full is written again and again, never synced: what was given up comes free
 * because operations begin with a checkpoint, and all is there in the end.
 */
static int test_pressure(void)
{
	enum { COUNT = 8, LEN = 90000, AGAIN = 12 };
	struct disk *d = disk_new(LOG_LEAST);
	char message[FS_MESSAGE] = "";
	struct fs_node *root, *n;
	struct rig r;
	uint64_t seq;

	EXPECT(host_make(ops, d, message) == 0 && up(&r, d, &root) == 0);
	for (int i = 0; i < COUNT - 1; i++) {
		n = file(&r, root, i, 1);
		EXPECT(n && fill(&r, n, i, 0, LEN) == LEN && ops->put(&r.ctx, n) == 0);
	}
	EXPECT(ops->sync(&r.ctx) == 0);
	seq = log_of(&r.ctx)->seq;
	for (int k = 1; k <= AGAIN; k++)
		for (int i = 0; i < COUNT - 1; i++) {
			n = file(&r, root, i, 0);
			EXPECT(n && fill(&r, n, i, k, LEN) == LEN && ops->put(&r.ctx, n) == 0);
			EXPECT(ops->check(&r.ctx) == 0);
		}
	EXPECT(log_of(&r.ctx)->seq > seq + AGAIN);
	EXPECT(ops->put(&r.ctx, root) == 0 && rig_down(&r, 1) == 0 && up(&r, d, &root) == 0);
	for (int i = 0; i < COUNT - 1; i++) {
		n = file(&r, root, i, 0);
		EXPECT(n && holds(&r, n, i, AGAIN, LEN) && ops->put(&r.ctx, n) == 0);
	}
	EXPECT(ops->check(&r.ctx) == 0 && ops->put(&r.ctx, root) == 0 && rig_down(&r, 1) == 0);
	disk_free(d);
	return 0;
}

static uint32_t empty_segments(const struct log *l)
{
	uint32_t n = 0;

	for (uint32_t s = 0; s < l->segments; s++)
		n += l->busy[s] == 0;
	return n;
}

/* Every segment is left half full; syncs make whole ones empty, and lose nothing. */
static int test_cleaning(void)
{
	enum { LEN = 12000 };
	struct disk *d = disk_new(640);
	char message[FS_MESSAGE] = "", name[16];
	struct fs_node *root, *n;
	struct rig r;
	uint32_t before;

	EXPECT(host_make(ops, d, message) == 0 && up(&r, d, &root) == 0);
	for (int i = 0; i < FILES; i++) {
		n = file(&r, root, i, 1);
		EXPECT(n && fill(&r, n, i, 0, LEN) == LEN && ops->put(&r.ctx, n) == 0);
	}
	EXPECT(ops->sync(&r.ctx) == 0);
	for (int i = 0; i < FILES; i++) {
		const size_t len = (size_t)snprintf(name, sizeof name, "f%d", i);

		EXPECT(i % 3 == 0 || ops->unlink(&r.ctx, root, name, len) == 0);
	}
	n = file(&r, root, 0, 0);
	EXPECT(n && ops->fsync(&r.ctx, n) == 0 && ops->put(&r.ctx, n) == 0);
	before = empty_segments(log_of(&r.ctx));
	EXPECT(before < 3 && ops->sync(&r.ctx) == 0);
	EXPECT(empty_segments(log_of(&r.ctx)) >= 3 && ops->check(&r.ctx) == 0);
	EXPECT(ops->put(&r.ctx, root) == 0 && rig_down(&r, 1) == 0 && up(&r, d, &root) == 0);
	for (int i = 0; i < FILES; i += 3) {
		n = file(&r, root, i, 0);
		EXPECT(n && holds(&r, n, i, 0, LEN) && ops->put(&r.ctx, n) == 0);
	}
	EXPECT(ops->check(&r.ctx) == 0 && ops->put(&r.ctx, root) == 0 && rig_down(&r, 1) == 0);
	disk_free(d);
	return 0;
}

static int mount_fails(struct disk *d, const char *words)
{
	struct rig r;

	return rig_up_as(&r, ops, d, 16, 0, 0) == -EINVAL && strcmp(r.message, words) == 0;
}

/* The newer checkpoint counts, or the older if that is torn; two torn ones are told of. */
static int test_checkpoints(void)
{
	struct disk *d = host_volume(ops, 1);
	struct fs_node *root, *n;
	struct rig r;
	int newer;

	EXPECT(up(&r, d, &root) == 0 && (n = file(&r, root, 1, 1)) && ops->sync(&r.ctx) == 0);
	EXPECT(ops->put(&r.ctx, n) == 0 && (n = file(&r, root, 2, 1)) && ops->put(&r.ctx, n) == 0);
	EXPECT(ops->put(&r.ctx, root) == 0 && rig_down(&r, 1) == 0);
	newer = checkpoint_of(d, 1)->seq > checkpoint_of(d, 0)->seq;
	checkpoint_of(d, newer)->spare[5] ^= 1;
	EXPECT(up(&r, d, &root) == 0 && (n = file(&r, root, 1, 0)) && !file(&r, root, 2, 0));
	EXPECT(ops->put(&r.ctx, n) == 0 && ops->put(&r.ctx, root) == 0 && rig_down(&r, 1) == 0);
	checkpoint_of(d, !newer)->spare[5] ^= 1;
	EXPECT(mount_fails(d, "log: damaged: both checkpoints"));
	checkpoint_of(d, !newer)->inodes.root = 1 << 20;
	seal(checkpoint_of(d, !newer));
	EXPECT(mount_fails(d, "log: damaged: block number 1048576"));
	checkpoint_of(d, !newer)->blocks = 1 << 20;
	seal(checkpoint_of(d, !newer));
	EXPECT(mount_fails(d, "log: damaged: length of the volume"));
	disk_free(d);
	return 0;
}

/* ---- damage ---- */

static volatile unsigned current;
static struct disk *good, *scratch;
static uint32_t in_use[1024], in_use_count; /* blocks of the good volume that are not all zeros */
static uint32_t inode_block;

static uint64_t odd_value(struct rng *g)
{
	static const uint64_t odd[] = {0,	   1,	       2,	   3,	       63,
				       64,	   1024,       0x7fffffff, 0x80000000, 0xffffffff,
				       UINT64_MAX, 1ull << 40, 0xffff,	   0x8000,     1023};

	return rnd(g, 2) ? odd[rnd(g, sizeof odd / sizeof odd[0])]
			 : rnd(g, rnd(g, 2) ? 1024 : in_use_count);
}

static void damage(struct disk *d, struct rng *g)
{
	const uint64_t value = odd_value(g);
	const size_t width = (size_t)1 << rnd(g, 4);
	size_t at;

	switch (rnd(g, 4)) {
	case 0:
		at = rnd(g, 2) * DISK_BLOCK + 16 + rnd(g, 48 / (uint32_t)width) * width;
		break;
	case 1: /* an inode that is in use */
		at = (size_t)inode_block * DISK_BLOCK +
		     (1 + rnd(g, 10)) * sizeof(struct log_inode) +
		     rnd(g, 80 / (uint32_t)width) * width;
		break;
	case 2: /* the start of a table or of a directory's block */
		at = (size_t)in_use[rnd(g, in_use_count)] * DISK_BLOCK +
		     rnd(g, 128 / (uint32_t)width) * width;
		break;
	default:
		at = (size_t)in_use[rnd(g, in_use_count)] * DISK_BLOCK +
		     rnd(g, DISK_BLOCK / (uint32_t)width) * width;
	}
	memcpy(d->data + at, &value, width);
}

static int round_one(unsigned round)
{
	struct rng g = {round * 7919u + 1};
	uint64_t commands;
	struct rig r;

	current = round;
	alarm(SECONDS_MAX);
	memcpy(scratch->data, good->data, good->nblocks * DISK_BLOCK);
	memset(scratch->commands, 0, sizeof scratch->commands);
	for (uint32_t i = 0, n = 1 + rnd(&g, 4); i < n; i++)
		damage(scratch, &g);
	seal(checkpoint_of(scratch, 0));
	seal(checkpoint_of(scratch, 1));
	host_yields = 0;
	if (rig_up_as(&r, ops, scratch, 40, 0, 0) == 0) {
		(void)ops->check(&r.ctx);
		exercise(&r);
		EXPECT(buf_check(r.cache) == 0);
		(void)rig_down(&r, 1);
	}
	commands = scratch->commands[DISK_READ] + scratch->commands[DISK_WRITE];
	EXPECT(commands < COMMANDS_MAX);
	return 0;
}

static int test_damage(void)
{
	for (unsigned round = 0; round < ROUNDS; round++)
		if (round_one(round) != 0)
			return 1;
	return 0;
}

/* Both checkpoints lead to the tree, so that either's damage is met. */
static int test_prepare(void)
{
	int newer;

	good = host_volume(ops, MIB);
	scratch = disk_new(good->nblocks);
	EXPECT(exercise_prepare_as(ops, good) == 0);
	newer = checkpoint_of(good, 1)->seq > checkpoint_of(good, 0)->seq;
	*checkpoint_of(good, !newer) = *checkpoint_of(good, newer);
	checkpoint_of(good, !newer)->seq--;
	for (uint32_t b = 3; b < good->nblocks; b++)
		if (good->data[(size_t)b * DISK_BLOCK] || good->data[(size_t)b * DISK_BLOCK + 4])
			in_use[in_use_count++] = b;
	inode_block = checkpoint_of(good, 0)->inodes.root;
	EXPECT(checkpoint_of(good, 0)->inodes.height == 1 && in_use_count > 5);
	memcpy(&inode_block, good->data + (size_t)inode_block * DISK_BLOCK, sizeof inode_block);
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
	int failed = host_test("log.pressure", test_pressure) +
		     host_test("log.cleaning", test_cleaning) +
		     host_test("log.checkpoints", test_checkpoints);
	const int prepared = host_test("log.prepare", test_prepare) == 0;

	if (prepared && argc > 1)
		failed += round_one((unsigned)strtoul(argv[1], NULL, 10));
	else
		failed += !prepared || host_test("log.damage", test_damage);
	disk_free(good);
	disk_free(scratch);
	return failed != 0;
}
