/*
 * test_crash.c - what is left after a crash at every write, of every variant that says it is
 * FS_SAFE.
 *
 * Random operations run on a disk that records its commands.  Then, for each write of the record,
 * disks are made as a crash there could leave them: all writes up to it; with only some of those
 * that no flush had made durable yet; with the write itself torn between two sectors.  Each must
 * mount, and hold exactly what the last sync that returned had promised, or what the sync under way
 * was to.  After that it must work: a file is made on it, synced, and found again. `test_crash
 * SEED` runs one seed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "host.h"

enum {
	BLOCKS = 256,
	FRAMES = 48,
	STEPS = 300,
	NAMES = 10,
	MOST = 70000,
	SECTOR = 512,
	SYNCS = 200
};

static const struct fs_ops *ops;
static struct rig r;
static struct fs_node *root;

/* ---- what the tree holds: by names, one digest ---- */

struct state {
	uint64_t digest[NAMES]; /* 0: no such file */
};

/* State at each sync, and how many commands of the record there were when it had returned. */
static struct state synced[SYNCS];
static uint32_t returned[SYNCS];
static int syncs, implicit;
static int seldom; /* syncs: then operations must make their own */

static const char *name_of(uint32_t i)
{
	static char name[NAMES][16];

	snprintf(name[i], sizeof name[i], "file-%u", i);
	return name[i];
}

/* The directory of names 0 .. 4, and that of the others, if it has directories. */
static struct fs_node *dir_of(uint32_t i)
{
	struct fs_node *d = root;

	if (i < NAMES / 2 || (ops->traits & FS_FLAT))
		ops->ref(&r.ctx, d);
	else if (ops->lookup(&r.ctx, root, "dir", 3, &d) != 0)
		return NULL;
	return d;
}

static struct fs_node *find(uint32_t i)
{
	struct fs_node *d = dir_of(i), *n = NULL;
	const char *name = name_of(i);

	if (d == NULL)
		return NULL;
	if (ops->lookup(&r.ctx, d, name, strlen(name), &n) != 0)
		n = NULL;
	(void)ops->put(&r.ctx, d);
	return n;
}

/* 0 if the file is absent, 1 if it cannot be read. */
static uint64_t digest(uint32_t i)
{
	static uint8_t bytes[MOST * 2];
	struct fs_node *n = find(i);
	uint64_t h = 14695981039346656037u;
	int64_t got;

	if (n == NULL)
		return 0;
	got = ops->read(&r.ctx, n, 0, bytes, sizeof bytes);
	for (int64_t k = 0; k < got; k++)
		h = (h ^ bytes[k]) * 1099511628211u;
	h ^= n->attr.size * 31 + n->attr.nlink;
	return ops->put(&r.ctx, n) != 0 || got < 0 || (uint64_t)got != n->attr.size ? 1 : h | 2;
}

static void look(struct state *s)
{
	for (uint32_t i = 0; i < NAMES; i++)
		s->digest[i] = digest(i);
}

/* ---- the operations ---- */

static struct state just_before;
static uint64_t flushes;

/* Around each operation: one that flushes has made a sync, of what there was before it. */
static void before(void)
{
	look(&just_before);
	flushes = r.disk->commands[DISK_FLUSH];
}

static void after(void)
{
	if (r.disk->commands[DISK_FLUSH] == flushes || syncs == SYNCS)
		return;
	synced[syncs] = just_before;
	returned[syncs++] = r.disk->record->n;
	implicit++;
}

static int put_bytes(struct fs_node *n, struct rng *g, uint64_t off)
{
	static uint8_t bytes[20000];
	const uint32_t len = 1 + rnd(g, !seldom && rnd(g, 4) ? 3000 : sizeof bytes);
	int64_t put;

	for (uint32_t k = 0; k < len; k++)
		bytes[k] = (uint8_t)(g->s >> 24) ^ (uint8_t)(k * 13);
	if (off + len > MOST)
		return 0;
	before();
	put = ops->write(&r.ctx, n, off, bytes, len);
	EXPECT(put > 0 || put == -ENOSPC);
	after();
	return 0;
}

static int do_create(struct rng *g, uint32_t i)
{
	struct fs_node *d = dir_of(i), *n;
	const char *name = name_of(i);

	before();
	EXPECT(d != NULL && ops->create(&r.ctx, d, name, strlen(name), 0644, &n) == 0);
	after();
	EXPECT(put_bytes(n, g, 0) == 0 && ops->put(&r.ctx, n) == 0 && ops->put(&r.ctx, d) == 0);
	return 0;
}

static int do_unlink(uint32_t i)
{
	struct fs_node *d = dir_of(i);
	const char *name = name_of(i);

	before();
	EXPECT(d != NULL && ops->unlink(&r.ctx, d, name, strlen(name)) == 0);
	after();
	return ops->put(&r.ctx, d);
}

static int do_rename(uint32_t i, uint32_t to)
{
	struct fs_node *a = dir_of(i), *b = dir_of(to);
	const char *from = name_of(i), *name = name_of(to);

	before();
	EXPECT(a && b && ops->rename(&r.ctx, a, from, strlen(from), b, name, strlen(name)) == 0);
	after();
	return ops->put(&r.ctx, a) | ops->put(&r.ctx, b);
}

/* Bytes changed in place, or cut off: only where a crash leaves the old ones (no FS_IN_PLACE). */
static int do_change(struct rng *g, struct fs_node *n)
{
	if (ops->traits & FS_IN_PLACE)
		return put_bytes(n, g, n->attr.size);
	if (rnd(g, 3) == 0) {
		before();
		EXPECT(ops->truncate(&r.ctx, n, rnd(g, MOST / 2)) == 0);
		after();
		return 0;
	}
	return put_bytes(n, g, rnd(g, (uint32_t)n->attr.size + 1));
}

static int do_sync(void)
{
	EXPECT(syncs < SYNCS);
	look(&synced[syncs]);
	EXPECT(ops->sync(&r.ctx) == 0);
	returned[syncs++] = r.disk->record->n;
	return 0;
}

static int step(struct rng *g)
{
	const uint32_t i = rnd(g, NAMES), what = rnd(g, seldom ? 80 : 30);
	struct fs_node *n;

	if (what == 0)
		return do_sync();
	n = find(i);
	if (n == NULL)
		return do_create(g, i);
	EXPECT(what != 1 || ops->put(&r.ctx, n) == 0);
	if (what == 1)
		return do_sync();
	EXPECT(what < 5 || do_change(g, n) == 0);
	EXPECT(ops->put(&r.ctx, n) == 0);
	if (what == 2)
		return do_unlink(i);
	return what == 3 || what == 4 ? do_rename(i, rnd(g, NAMES)) : 0;
}

/* Makes a volume, and the record of what happens on it; the volume as it was in the beginning. */
static struct disk *perform(uint64_t seed)
{
	struct rng g = {seed};
	struct disk *d = disk_new(BLOCKS), *start = disk_new(BLOCKS);
	char message[FS_MESSAGE] = "";
	int bad = host_make(ops, d, message);

	syncs = 0;
	seldom = seed % 2 == 0;
	bad |= rig_up_as(&r, ops, d, FRAMES, 0, 0) || ops->root(&r.ctx, &root);
	if (!bad && !(ops->traits & FS_FLAT))
		bad |= ops->mkdir(&r.ctx, root, "dir", 3, 0755, NULL) || ops->sync(&r.ctx);
	memcpy(start->data, d->data, BLOCKS * DISK_BLOCK);
	disk_record(d);
	bad = bad || do_sync();
	for (int i = 0; i < STEPS && !bad; i++)
		bad |= step(&g);
	bad = bad || do_sync();
	if (!bad)
		return start;
	disk_free(start);
	return NULL;
}

/* ---- the crashes ---- */

/* Which sync had returned when command `at` of the record was begun. */
static int last_sync(uint32_t at)
{
	int k = 0;

	while (k + 1 < syncs && returned[k + 1] <= at)
		k++;
	return k;
}

static int is(const struct state *a, const struct state *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* It works still. */
static int works(struct disk *d)
{
	struct fs_node *n;

	EXPECT(ops->create(&r.ctx, root, "after", 5, 0644, &n) == 0);
	EXPECT(ops->write(&r.ctx, n, 0, "works", 5) == 5 && ops->put(&r.ctx, n) == 0);
	EXPECT(ops->put(&r.ctx, root) == 0 && rig_down(&r, 1) == 0);
	EXPECT(rig_up_as(&r, ops, d, FRAMES, 0, 0) == 0 && ops->root(&r.ctx, &root) == 0);
	EXPECT(ops->lookup(&r.ctx, root, "after", 5, &n) == 0 && n->attr.size == 5);
	EXPECT(ops->put(&r.ctx, n) == 0);
	return 0;
}

/* The disk after the crash during command `at` must be the one or the other. */
static int check(struct disk *d, uint32_t at)
{
	const int k = last_sync(at), next = k + 1 < syncs ? k + 1 : k;
	struct state s;

	EXPECT(rig_up_as(&r, ops, d, FRAMES, 0, 0) == 0);
	EXPECT(ops->root(&r.ctx, &root) == 0 && !r.ctx.fs->readonly);
	look(&s);
	EXPECT(is(&s, &synced[k]) || is(&s, &synced[next]));
	EXPECT(ops->check == NULL || ops->check(&r.ctx) == 0);
	if (at % 5 == 0)
		EXPECT(works(d) == 0);
	look(&s);
	EXPECT(is(&s, &synced[k]) || is(&s, &synced[next]));
	EXPECT(ops->put(&r.ctx, root) == 0 && rig_down(&r, 1) == 0);
	return 0;
}

/* Writes the first `sectors` of a command. */
static void apply(struct disk *d, const struct command *c, uint32_t sectors)
{
	memcpy(d->data + c->block * DISK_BLOCK, c->data, (size_t)sectors * SECTOR);
}

static uint32_t sectors_of(const struct command *c)
{
	return c->nblocks * (DISK_BLOCK / SECTOR);
}

enum kind { WHOLE, SOME, TORN, KINDS };

/* `durable` has everything up to the last flush before `at`, command number `from`. */
static void crash(struct disk *d, const struct disk *durable, const struct record *rec,
		  uint32_t from, uint32_t at, enum kind kind, struct rng *g)
{
	memcpy(d->data, durable->data, BLOCKS * DISK_BLOCK);
	for (uint32_t i = from; i < at; i++)
		if (kind == WHOLE || rnd(g, 2))
			apply(d, &rec->at[i], sectors_of(&rec->at[i]));
	if (kind == TORN)
		apply(d, &rec->at[at], rnd(g, sectors_of(&rec->at[at])));
}

static int all_crashes(struct disk *durable, uint64_t seed)
{
	struct record *rec = r.disk->record;
	struct disk *d = disk_new(BLOCKS);
	struct rng g = {seed + 1};
	uint32_t from = 0;

	EXPECT(rec->n > 40);
	for (uint32_t at = 0; at < rec->n; at++) {
		if (rec->at[at].nblocks == 0) {
			for (; from < at; from++)
				apply(durable, &rec->at[from], sectors_of(&rec->at[from]));
			from = at + 1;
			continue;
		}
		for (enum kind kind = WHOLE; kind < KINDS; kind++) {
			crash(d, durable, rec, from, at, kind, &g);
			if (check(d, at)) {
				fprintf(stderr, "seed %u, command %u of %u, kind %u: %s %s\n",
					(unsigned)seed, at, rec->n, (unsigned)kind, host_why,
					r.message);
				return 1;
			}
		}
	}
	disk_free(d);
	return 0;
}

static uint64_t seed_first = 1, seed_last = 3;

static int test_crashes(void)
{
	for (uint64_t seed = seed_first; seed <= seed_last; seed++) {
		struct disk *start = perform(seed), *used = r.disk;
		struct rig done = r;

		if (start == NULL)
			return 1;
		if (all_crashes((r.disk = used, start), seed))
			return 1;
		EXPECT(rig_down(&done, 0) == 0);
		disk_free(used);
		disk_free(start);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc > 1)
		seed_first = seed_last = strtoul(argv[1], NULL, 10);
	for (const struct fs_ops *const *v = __start_fs_variants; v < __stop_fs_variants; v++) {
		char name[64];

		ops = *v;
		if (!(ops->traits & FS_SAFE))
			continue;
		snprintf(name, sizeof name, "crash.%s", ops->name);
		implicit = 0;
		failed += host_test(name, test_crashes);
		printf("# %s: %d operations began with a sync\n", ops->name, implicit);
	}
	return failed != 0;
}
