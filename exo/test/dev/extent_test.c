/*
 * extent_test.c - the calls of extents, every answer they give, and what a table copy must not be.
 */
#include <stdlib.h>
#include <string.h>
#include <exo/crc32c.h>
#include "../../kern/cap.h"
#include "../../kern/check.h"
#include "../../kern/env.h"
#include "../../kern/quota.h"
#include "../../kern/syscall.h"
#include "fake.h"

enum { A = 2, B = 3 };
#define PRINCIPAL_A 0x1100000000000000ull
#define PRINCIPAL_B 0x2200000000000000ull

static uint64_t take(uint64_t x, uint64_t prev, uint64_t start, uint64_t len)
{
	return sys_extent_take(x, prev, start, len, 0, 0x6e69616d).status;
}

/* Takes extent x and waits for it; capability in slot x. */
static int own(uint32_t e, uint64_t x, uint64_t prev, uint64_t start, uint64_t len)
{
	fake_as(e);
	if (take(x, prev, start, len) != EXO_OK)
		return 0;
	fake_run();
	return extents[x].state == EXO_EXTENT_LIVE && sys_extent_open(x, x).status == EXO_OK;
}

static void two_envs(void)
{
	fake_env(A, PRINCIPAL_A);
	fake_env(B, PRINCIPAL_B);
}

static void take_is_live_when_durable(void)
{
	two_envs();
	fake_as(A);
	CHECK(take(5, 0, 450, 10) == EXO_OK);
	CHECK(extents[5].state == EXO_EXTENT_TAKING && extents[0].next == 5);
	CHECK(sys_extent_open(5, 5).status == EXO_STATE);
	CHECK(quota_used[A].n[EXO_QUOTA_EXTENTS] == 1);
	CHECK((envs[A].events & EXO_EV_EXTENT) == 0);
	fake_run();
	CHECK(extents[5].state == EXO_EXTENT_LIVE && extents[5].owner == PRINCIPAL_A);
	CHECK(memcmp(extents[5].name, "main\0\0\0", 8) == 0);
	CHECK((envs[A].events & EXO_EV_EXTENT) != 0);
	CHECK(sys_extent_open(5, 5).status == EXO_OK);
	CHECK(fake_reboot().usable);
	CHECK(extents[5].state == EXO_EXTENT_LIVE && extents[5].start == 450 &&
	      extents[5].len == 10 && extents[5].init == 0 && extents[5].owner == PRINCIPAL_A);
	CHECK(check_state() == NULL);
}

static void take_refuses(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10));
	fake_as(B);
	CHECK(take(0, 0, 500, 1) == EXO_RANGE);
	CHECK(take(128, 0, 500, 1) == EXO_RANGE);
	CHECK(take(UINT64_MAX, 0, 500, 1) == EXO_RANGE);
	CHECK(take(5, 0, 500, 1) == EXO_OCCUPIED);
	CHECK(take(6, 5, 500, 0) == EXO_RANGE);
	CHECK(take(6, 0, POOL - 1, 1) == EXO_RANGE);
	CHECK(take(6, 5, POOL_END, 1) == EXO_RANGE);
	CHECK(take(6, 5, POOL_END - 1, 2) == EXO_RANGE);
	CHECK(take(6, 5, 500, UINT64_MAX) == EXO_RANGE);
	CHECK(take(6, 128, 500, 1) == EXO_RANGE);
	CHECK(take(6, 7, 500, 1) == EXO_ARG);	   /* prev is free */
	CHECK(take(6, 127, 500, 1) == EXO_ARG);	   /* of another drive */
	CHECK(take(6, 5, 449, 1) == EXO_ARG);	   /* prev stands after it */
	CHECK(take(6, 0, 449, 2) == EXO_OCCUPIED); /* into the next */
	CHECK(take(6, 0, 460, 1) == EXO_OCCUPIED); /* prev is not the one right before */
	CHECK(take(6, 5, 459, 1) == EXO_OCCUPIED); /* into prev */
	CHECK(sys_extent_take(6, 0, 500, 1, 1, 0).status == EXO_NODEV);
	CHECK(sys_extent_take(6, 127, 500, 1, 2, 0).status == EXO_NODEV);
	quota_limit[B].n[EXO_QUOTA_EXTENTS] = 0;
	CHECK(take(6, 5, 460, 1) == EXO_QUOTA);
	CHECK(extents[6].state == EXO_EXTENT_FREE && extents[5].next == 0);
	quota_limit[B].n[EXO_QUOTA_EXTENTS] = 8;
	CHECK(take(6, 5, 460, 1) == EXO_OK); /* exactly between */
	CHECK(take(7, 6, 461, 1) == EXO_BUSY);
	fake_run();
	CHECK((envs[B].events & EXO_EV_EXTENT) != 0);
	CHECK(take(7, 6, 461, 1) == EXO_OK);
}

static void open_follows_principals(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10));
	CHECK(caps[A].c[5].rights == 15 && caps[A].c[5].start == 450 && caps[A].c[5].len == 10);
	fake_as(B);
	CHECK(sys_extent_open(5, 5).status == EXO_PERM);
	CHECK(sys_extent_open(6, 5).status == EXO_STATE);
	CHECK(sys_extent_open(0, 5).status == EXO_STATE);
	CHECK(sys_extent_open(128, 5).status == EXO_RANGE);
	CHECK(sys_extent_open(127, 5).status == EXO_PERM); /* the other drive's: root's */
	fake_as(A);
	CHECK(sys_extent_open(5, 5).status == EXO_OCCUPIED);
	CHECK(sys_extent_access(5, PRINCIPAL_B, 4).status == EXO_ARG);
	CHECK(sys_extent_access(5, PRINCIPAL_B, EXO_RIGHT_READ).status == EXO_OK);
	CHECK(sys_extent_access(5, PRINCIPAL_B, EXO_RIGHT_READ).status == EXO_BUSY);
	fake_run();
	fake_as(B);
	CHECK(sys_extent_open(5, 5).status == EXO_OK);
	CHECK(caps[B].c[5].rights == EXO_RIGHT_READ);
	CHECK(sys_extent_access(5, PRINCIPAL_B, 3).status == EXO_PERM);
	CHECK(sys_extent_free(5).status == EXO_PERM);
	CHECK(sys_extent_free(6).status == EXO_STATE);
	CHECK(fake_reboot().usable && extents[5].other == PRINCIPAL_B &&
	      extents[5].other_rights == EXO_RIGHT_READ);
	fake_as(1); /* root stands above all */
	CHECK(sys_extent_open(5, 5).status == EXO_OK && sys_extent_open(127, 6).status == EXO_OK);
	CHECK(sys_extent_free(6).status == EXO_PERM); /* a drive without a table */
	CHECK(sys_extent_access(6, PRINCIPAL_B, 3).status == EXO_OK);
	CHECK((envs[1].events & EXO_EV_EXTENT) != 0 && extents[127].other == PRINCIPAL_B);
}

static void free_makes_stale_then_reusable(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10) && own(A, 6, 5, 470, 10) && own(B, 7, 6, 490, 10));
	fake_as(A);
	CHECK(sys_cap_derive(6, 20, 15, 471, 2).status == EXO_OK);
	CHECK(sys_extent_free(20).status == EXO_RANGE); /* a part of it */
	CHECK(sys_extent_free(6).status == EXO_OK);
	CHECK(extents[6].state == EXO_EXTENT_DYING);
	CHECK(sys_extent_free(6).status == EXO_STALE);
	CHECK(sys_extent_open(6, 21).status == EXO_STATE);
	CHECK(take(6, 5, 470, 10) == EXO_BUSY);
	fake_run();
	CHECK(extents[6].state == EXO_EXTENT_FREE && extents[5].next == 7);
	CHECK(quota_used[A].n[EXO_QUOTA_EXTENTS] == 1);
	CHECK(take(6, 5, 470, 10) == EXO_OK);
	fake_run();
	fake_as(A);
	CHECK(sys_extent_access(20, 0, 0).status == EXO_STALE);
	CHECK(fake_reboot().usable && extents[6].state == EXO_EXTENT_LIVE);
	CHECK(extents[0].next == 5 && extents[5].next == 6 && extents[6].next == 7 &&
	      extents[7].next == 0);
}

/* Fails the n-th command of what is under way, completes the others. */
static void fail_nth(uint32_t n)
{
	for (uint32_t i = 1; fake_active(0) != 0; i++) {
		if (i == n)
			fake_fail(0);
		else
			fake_complete(0);
	}
}

static void failed_writes_change_nothing(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10));
	for (uint32_t n = 1; n <= 4; n++) { /* block, flush, head, flush */
		fake_as(A);
		envs[A].events = 0;
		CHECK(take(6, 5, 470, 10) == EXO_OK);
		fail_nth(n);
		CHECK(extents[6].state == EXO_EXTENT_FREE && extents[5].next == 0);
		CHECK(quota_used[A].n[EXO_QUOTA_EXTENTS] == 1);
		CHECK((envs[A].events & EXO_EV_EXTENT) != 0);
		CHECK(sys_extent_access(5, PRINCIPAL_B, 3).status == EXO_OK);
		fail_nth(n);
		CHECK(extents[5].other == 0 && extents[5].other_rights == 0);
	}
	CHECK(take(6, 5, 470, 10) == EXO_OK);
	fake_run();
	CHECK(fake_reboot().usable && extents[6].state == EXO_EXTENT_LIVE);
	CHECK(extents[5].other_rights == 0);
}

static void failed_removal_is_undone_or_repeated(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10));
	CHECK(sys_extent_free(5).status == EXO_OK);
	fail_nth(2); /* before the head */
	CHECK(extents[5].state == EXO_EXTENT_LIVE);
	CHECK(sys_extent_open(5, 6).status == EXO_OK);
	CHECK(sys_extent_free(6).status == EXO_OK);
	fail_nth(4); /* after the head: it may have reached the disk */
	CHECK(extents[5].state == EXO_EXTENT_DYING);
	envs[A].events = 0;
	CHECK(take(7, 0, 450, 10) == EXO_BUSY);
	fake_run();
	CHECK(extents[5].state == EXO_EXTENT_FREE && (envs[A].events & EXO_EV_EXTENT) != 0);
	CHECK(take(7, 0, 450, 10) == EXO_OK);
	fake_run();
	CHECK(fake_reboot().usable && extents[7].state == EXO_EXTENT_LIVE &&
	      extents[5].state == EXO_EXTENT_FREE);
}

static void revoking_makes_stale(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10));
	CHECK(sys_cap_revoke(5).status == EXO_OK);
	CHECK(sys_extent_free(5).status == EXO_STALE);
	CHECK(sys_extent_open(5, 6).status == EXO_OK);
	CHECK(sys_extent_free(6).status == EXO_OK);
}

/* ---- loading ----------------------------------------------------------------------------- */

/* Makes the checksums of copy c fit what is there. */
static void seal(uint32_t c)
{
	union extent_block *head = &fake_disk[0][fake_image.table[c]];

	for (uint32_t b = 0; b + 1 < TABLE_BLOCKS; b++)
		head->head.block_crc[b] = exo_crc32c(0, head[1 + b].bytes, EXO_BLOCK_SIZE);
	head->head.crc = 0;
	head->head.crc = exo_crc32c(0, head->bytes, sizeof(head->head));
}

static struct exo_extent *on_disk(uint32_t c, uint32_t x)
{
	union extent_block *block = &fake_disk[0][fake_image.table[c] + 1];

	return &block[x / EXO_EXTENTS_PER_BLOCK].record[x % EXO_EXTENTS_PER_BLOCK];
}

static void either_copy_serves(void)
{
	struct extent_loaded l;

	two_envs();
	CHECK(own(A, 5, 0, 450, 10) && own(A, 6, 5, 470, 10));
	l = fake_reboot();
	CHECK(l.usable && l.fault[0] == EXTENT_GOOD && l.fault[1] == EXTENT_GOOD);
	const uint32_t newest = l.copy;

	fake_disk[0][fake_image.table[newest] + 1].bytes[3000] ^= 1;
	l = fake_reboot();
	CHECK(l.usable && l.copy == !newest && l.fault[newest] == EXTENT_BAD_BLOCK);
	CHECK(extents[5].state == EXO_EXTENT_LIVE && extents[6].state == EXO_EXTENT_FREE);
	fake_env(A, PRINCIPAL_A); /* and is mended by the next change */
	CHECK(own(A, 9, 5, 470, 10));
	l = fake_reboot();
	CHECK(l.usable && l.copy == newest && extents[9].state == EXO_EXTENT_LIVE);
	fake_unreadable = TABLE_A + 1;
	l = fake_reboot();
	CHECK(l.usable && l.copy == 1);
	fake_unreadable = 0;
	fake_disk[0][TABLE_A].bytes[8] ^= 1;
	fake_disk[0][TABLE_B].head.id ^= 1;
	seal(1);
	l = fake_reboot();
	CHECK(!l.usable && l.fault[0] == EXTENT_BAD_HEAD && l.fault[1] == EXTENT_BAD_ID);
	for (uint32_t x = 0; x < 128; x++)
		CHECK(extents[x].state == EXO_EXTENT_FREE);
	fake_env(A, PRINCIPAL_A);
	CHECK(take(5, 0, 450, 10) == EXO_NODEV && fake_active(0) == 0);
}

/* What copy B (the newer after formatting) is accused of after a change and fresh checksums. */
static enum extent_fault judged(void)
{
	seal(1);
	return fake_reboot().fault[1];
}

static void impossible_tables_are_refused(void)
{
	struct exo_extent *r = on_disk(1, 5);
	const struct exo_extent good = {
		.start = 450, .len = 10, .init = 3, .gen = 1, .state = EXO_EXTENT_LIVE};

	on_disk(1, 0)->next = 5;
	*r = good;
	CHECK(judged() == EXTENT_GOOD);
	r->state = EXO_EXTENT_TAKING;
	CHECK(judged() == EXTENT_BAD_RECORD);
	*r = good, r->init = 11;
	CHECK(judged() == EXTENT_BAD_RECORD);
	*r = good, r->len = 0, r->init = 0;
	CHECK(judged() == EXTENT_BAD_RECORD);
	*r = good, r->drive = 1;
	CHECK(judged() == EXTENT_BAD_RECORD);
	*r = good, r->other_rights = 8;
	CHECK(judged() == EXTENT_BAD_RECORD);
	*r = good, r->len = UINT64_MAX;
	CHECK(judged() == EXTENT_BAD_RANGE);
	*r = good, r->start = POOL - 1;
	CHECK(judged() == EXTENT_BAD_RANGE);
	*r = good, r->start = POOL_END - 9;
	CHECK(judged() == EXTENT_BAD_RANGE);
	*r = good, r->next = 5;
	CHECK(judged() == EXTENT_BAD_ORDER);
	*r = good, r->next = 128;
	CHECK(judged() == EXTENT_BAD_LIST);
	*r = good, r->next = 6;
	CHECK(judged() == EXTENT_BAD_LIST);
	*on_disk(1, 6) = good;
	CHECK(judged() == EXTENT_BAD_ORDER);
	*r = good; /* 6 is in no list */
	CHECK(judged() == EXTENT_BAD_LIST);
	on_disk(1, 6)->state = EXO_EXTENT_FREE;
	CHECK(judged() == EXTENT_GOOD);
	on_disk(1, 0)->len = POOL + 1;
	CHECK(judged() == EXTENT_BAD_SENTINEL);
	on_disk(1, 0)->len = POOL;
	on_disk(1, 0)->state = EXO_EXTENT_LIVE;
	CHECK(judged() == EXTENT_BAD_SENTINEL);
}

static void impossible_places_are_refused(void)
{
	struct exo_image i;

#define BAD(change)                                                                                \
	i = fake_image;                                                                            \
	change;                                                                                    \
	CHECK(!extent_load(&i, 0, FAKE_BLOCKS).usable)
	BAD(i.table_blocks = 1);
	BAD(i.table_blocks = 66);
	BAD(i.table_blocks = UINT64_MAX);
	BAD(i.table[1] = FAKE_BLOCKS - 2);
	BAD(i.table[1] = UINT64_MAX - 1);
	BAD(i.table[1] = TABLE_A + 2);
	BAD(i.table[0] = POOL);
	BAD(i.pool = POOL_END + 1);
	BAD(i.pool_end = FAKE_BLOCKS + 1);
#undef BAD
}

/* The table in memory is one that the kernel may work with. */
static const char *inconsistent(void)
{
	uint32_t seen = 1, used = 0;

	for (uint32_t x = 0; x < 128; x++)
		used += extents[x].state != EXO_EXTENT_FREE && extents[x].drive == 0;
	for (uint32_t x = 0, n; (n = extents[x].next) != 0; x = n, seen++) {
		if (n >= 128 || seen > used)
			return "link";
		if (extents[x].start + extents[x].len > extents[n].start)
			return "overlap";
		if (extents[n].start < POOL || extents[n].start + extents[n].len > POOL_END ||
		    extents[n].init > extents[n].len)
			return "range";
	}
	return seen == used ? NULL : "lost record";
}

static void random_corruption_is_survived(void)
{
	static union extent_block good[2][TABLE_BLOCKS];
	uint32_t usable = 0;

	two_envs();
	for (uint64_t x = 1; x < 40; x++)
		CHECK(own(A + x / 7 % 2, x, x - 1, 400 + x * 10, 1 + x % 10) || x > 14);
	for (uint32_t c = 0; c < 2; c++)
		memcpy(good[c], &fake_disk[0][fake_image.table[c]], sizeof(good[c]));
	srand(1);
	for (uint32_t round = 0; round < 2000; round++) {
		for (uint32_t c = 0; c < 2; c++) {
			union extent_block *copy = &fake_disk[0][fake_image.table[c]];
			const int changes = rand() % 4;

			memcpy(copy, good[c], sizeof(good[c]));
			for (int i = 0; i < changes; i++) /* mostly where records are */
				copy[rand() % TABLE_BLOCKS].bytes[rand() % 1024] ^=
					(uint8_t)(1 << rand() % 8);
			if (rand() % 2)
				seal(c);
		}
		if (!fake_reboot().usable)
			continue;
		usable++;
		CHECK(inconsistent() == NULL);
	}
	CHECK(usable > 200 && usable < 2000);
}

int main(void)
{
	RUN_TEST(take_is_live_when_durable);
	RUN_TEST(take_refuses);
	RUN_TEST(open_follows_principals);
	RUN_TEST(free_makes_stale_then_reusable);
	RUN_TEST(failed_writes_change_nothing);
	RUN_TEST(failed_removal_is_undone_or_repeated);
	RUN_TEST(revoking_makes_stale);
	RUN_TEST(either_copy_serves);
	RUN_TEST(impossible_tables_are_refused);
	RUN_TEST(impossible_places_are_refused);
	RUN_TEST(random_corruption_is_survived);
	return fake_failed != 0;
}
