/*
 * test_fuzz.c - ext2 on damaged volumes: nothing may crash, hang, or touch memory that is not its
 * own.
 *
 * Each round damages a good small volume at random places of one kind (superblock, descriptors,
 * bitmaps, inodes, directories, indirect blocks, anything), mounts it and does all that exercise.c
 * does. Sanitizers watch memory; the count of disk commands and an alarm watch time. Seeds are the
 * round's number: `test_fuzz N` runs round N alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "exercise.h"

#define MIB	     4u /* of each volume */
#define ROUNDS	     2400u
#define COMMANDS_MAX 200000u
#define SECONDS_MAX  20u

struct volume {
	struct disk *good;
	unsigned bs;
	uint32_t itable, bitmap; /* of group 0 */
	uint32_t indirect[3]; /* an indirect block, a directory's block, a double indirect block */
};

static volatile unsigned current;

static uint32_t get32(const struct disk *d, uint64_t at)
{
	uint32_t v;

	memcpy(&v, d->data + at, sizeof v);
	return v;
}

static void set(struct disk *d, uint64_t at, uint64_t v, unsigned bytes)
{
	if (at + bytes <= d->nblocks * DISK_BLOCK)
		memcpy(d->data + at, &v, bytes);
}

static int load(struct volume *v, unsigned bs)
{
	char name[32];

	snprintf(name, sizeof name, "fuzz%u", bs);
	v->good = host_mke2fs(name, bs, MIB, bs == 1024 ? "-N 256 -g 2048" : "-N 256");
	v->bs = bs;
	int status = exercise_prepare(v->good);
	EXPECT(status == 0);
	EXPECT(host_e2fsck(v->good, name) == 0);
	uint64_t desc = bs == 1024 ? 2048 : bs;
	v->bitmap = get32(v->good, desc);
	v->itable = get32(v->good, desc + 8);
	/* Inode 12 is `dir`, made first; the files follow: find the first with indirect blocks. */
	v->indirect[1] = get32(v->good, (uint64_t)v->itable * bs + 11 * 256 + 40);
	for (uint32_t i = 11; i < 120; i++) {
		uint64_t at = (uint64_t)v->itable * bs + i * 256;
		if (get32(v->good, at + 40 + 48) != 0 && v->indirect[0] == 0)
			v->indirect[0] = get32(v->good, at + 40 + 48);
		if (get32(v->good, at + 40 + 52) != 0)
			v->indirect[2] = get32(v->good, at + 40 + 52);
	}
	EXPECT(v->indirect[1] != 0 && v->itable != 0);
	return 0;
}

static uint64_t odd_value(struct rng *g, const struct volume *v)
{
	static const uint64_t odd[] = {0,	   1,	       2,      8,      0x7fffffff,
				       0x80000000, 0xffffffff, 0xffff, 0x8000, 12};

	switch (rnd(g, 4)) {
	case 0:
		return odd[rnd(g, sizeof odd / sizeof odd[0])];
	case 1: /* a block that is there, likely one of the important */
		return rnd(g, 2) ? v->indirect[rnd(g, 3)] : v->itable - 3 + rnd(g, 6);
	case 2:
		return rnd(g, 4096);
	default:
		return (uint64_t)rnd(g, 0x7fffffff) * 2 + rnd(g, 2);
	}
}

/* Damages one field (or some bytes) of a structure of kind `kind`. */
static void damage(struct disk *d, const struct volume *v, struct rng *g, uint32_t kind)
{
	static const uint16_t widths[] = {1, 2, 4, 4};
	unsigned w = widths[rnd(g, 4)];
	uint64_t at;

	switch (kind) {
	case 0:
		at = 1024 + rnd(g, 120) / w * w;
		break;
	case 1:
		at = (v->bs == 1024 ? 2048 : v->bs) + rnd(g, 64) / w * w;
		break;
	case 2:
		at = (uint64_t)v->bitmap * v->bs + rnd(g, 2 * v->bs);
		break;
	case 3: /* root, or one of the first files, or any */
		at = (uint64_t)v->itable * v->bs + rnd(g, 136) / w * w +
		     256 * (rnd(g, 3) == 0 ? 1
			    : rnd(g, 2)	   ? 10 + rnd(g, 6)
					   : 68 + rnd(g, 12));
		break;
	case 4:
		at = (uint64_t)v->indirect[1] * v->bs + rnd(g, rnd(g, 2) ? 64 : v->bs) / w * w;
		break;
	case 5:
		at = (uint64_t)v->indirect[rnd(g, 2) * 2] * v->bs +
		     rnd(g, rnd(g, 2) ? 32 : v->bs) / w * w;
		break;
	default:
		at = rnd(g, (uint32_t)(d->nblocks * DISK_BLOCK));
	}
	set(d, at, odd_value(g, v), w);
}

/* Makes trees of pointers that loop: an indirect block full of itself, hung everywhere into an
 * inode. */
static void damage_loop(struct disk *d, const struct volume *v, struct rng *g)
{
	uint32_t p = v->indirect[rnd(g, 2) * 2];
	uint64_t inode = (uint64_t)v->itable * v->bs + 256 * (68 + rnd(g, 12));

	if (p == 0)
		return;
	for (uint32_t i = 0; i < v->bs / 4; i++)
		set(d, (uint64_t)p * v->bs + 4 * i, p, 4);
	for (uint32_t i = rnd(g, 15); i < 15; i++)
		set(d, inode + 40 + 4 * i, p, 4);
	set(d, inode + 4, 0x7fffffff, 4);
}

/* The disk of all rounds: a new one for each would cost more than the round. */
static struct disk *scratch;

static int round_one(const struct volume *v, unsigned round)
{
	struct rng g = {round * 7919u + 1};
	struct disk *d = scratch;
	struct rig r;
	uint32_t kind = round % 8, n = 1 + rnd(&g, 6);

	current = round;
	alarm(SECONDS_MAX);
	memcpy(d->data, v->good->data, d->nblocks * DISK_BLOCK);
	memset(d->commands, 0, sizeof d->commands);
	if (kind == 7 && rnd(&g, 2))
		damage_loop(d, v, &g);
	else
		for (uint32_t i = 0; i < n; i++)
			damage(d, v, &g, kind);
	host_yields = 0;
	if (rig_up(&r, d, 40, 0) == 0) {
		exercise(&r);
		int line = buf_check(r.cache);
		if (line != 0)
			fprintf(stderr, "round %u: cache broken, line %d\n", round, line);
		EXPECT(line == 0);
		(void)rig_down(&r, 1);
	}
	uint64_t commands = d->commands[DISK_READ] + d->commands[DISK_WRITE];
	if (commands > COMMANDS_MAX)
		fprintf(stderr, "round %u: %llu commands\n", round, (unsigned long long)commands);
	EXPECT(commands <= COMMANDS_MAX);
	return 0;
}

static struct volume volumes[3];

static int test_damage(void)
{
	for (unsigned round = 0; round < ROUNDS; round++)
		if (round_one(&volumes[round / 8 % 3], round) != 0)
			return 1;
	return 0;
}

static int test_prepare(void)
{
	scratch = disk_new(MIB * 256);
	return load(&volumes[0], 1024) || load(&volumes[1], 2048) || load(&volumes[2], 4096);
}

/* Called by the sanitizers when they stop the program: says which round to repeat. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	fprintf(stderr, "in round %u\n", current);
}

int main(int argc, char **argv)
{
	int failed = host_test("fuzz.prepare", test_prepare);

	if (failed == 0 && argc > 1) {
		unsigned round = (unsigned)strtoul(argv[1], NULL, 10);
		failed = round_one(&volumes[round / 8 % 3], round);
	} else if (failed == 0) {
		failed = host_test("fuzz.damage", test_damage);
	}
	disk_free(scratch);
	for (int i = 0; i < 3; i++)
		if (volumes[i].good != NULL)
			disk_free(volumes[i].good);
	return failed != 0;
}
