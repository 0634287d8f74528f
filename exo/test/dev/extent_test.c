/*
 * extent_test.c - the calls of extents, every answer they give, and what a table copy must not be.
 */
#include <stdlib.h>
#include <string.h>
#include <exo/crc32c.h>
#include "../../kern/cap.h"
#include "../../kern/env.h"
#include "../../kern/quota.h"
#include "../../kern/revoke.h"
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
	CHECK(fake_broken() == NULL);
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
	quota_limit[B].n[EXO_QUOTA_CAPS] = quota_used[B].n[EXO_QUOTA_CAPS];
	CHECK(sys_extent_open(5, 6).status == EXO_QUOTA);
	quota_limit[B].n[EXO_QUOTA_CAPS] = 32;
	CHECK(fake_reboot().usable && extents[5].other == PRINCIPAL_B &&
	      extents[5].other_rights == EXO_RIGHT_READ);
	fake_as(1); /* root stands above all */
	CHECK(sys_extent_open(5, 5).status == EXO_OK && sys_extent_open(127, 6).status == EXO_OK);
	CHECK(sys_extent_free(6).status == EXO_PERM); /* a drive without a table */
	CHECK(sys_extent_access(6, PRINCIPAL_B, 3).status == EXO_OK);
	CHECK((envs[1].events & EXO_EV_EXTENT) != 0 && extents[127].other == PRINCIPAL_B);
}

/* A slot that is none, is empty, or is for something else; or one for half an extent. */
static void slots_are_checked(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10) && own(A, 6, 5, 470, 10));
	CHECK(sys_cap_derive(5, 20, 15, 450, 9).status == EXO_OK);
	CHECK(sys_extent_access(64, PRINCIPAL_B, 1).status == EXO_RANGE);
	CHECK(sys_extent_access(30, PRINCIPAL_B, 1).status == EXO_STATE);
	CHECK(sys_extent_access(0, PRINCIPAL_B, 1).status == EXO_TYPE);
	CHECK(sys_extent_access(20, PRINCIPAL_B, 1).status == EXO_RANGE);
	CHECK(sys_extent_free(64).status == EXO_RANGE);
	CHECK(sys_extent_free(30).status == EXO_STATE);
	CHECK(sys_extent_free(0).status == EXO_TYPE);
	CHECK(sys_extent_free(20).status == EXO_RANGE);
	CHECK(sys_extent_split(0, 454, 7).status == EXO_TYPE);
	CHECK(sys_extent_recall(0, env_eid(B).n, 0).status == EXO_TYPE);
	CHECK(sys_extent_free(6).status == EXO_OK);
	CHECK(sys_extent_free(5).status == EXO_BUSY); /* the other removal is under way */
	fake_run();
	CHECK(sys_extent_free(5).status == EXO_OK);
}

/* A change of access that is not kept anywhere leaves alone what undoes the one on its way. */
static void access_without_a_table_undoes_nothing(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10));
	CHECK(sys_extent_access(5, PRINCIPAL_A, EXO_RIGHT_READ).status == EXO_OK);
	fake_run();
	fake_as(1);
	CHECK(sys_extent_open(127, 6).status == EXO_OK);
	CHECK(sys_extent_access(6, PRINCIPAL_B, 3).status == EXO_OK);
	fake_as(A);
	CHECK(sys_extent_access(5, 0, 0).status == EXO_OK);
	fake_as(1);
	CHECK(sys_extent_access(6, 0, 0).status == EXO_OK);
	fake_fail(0);
	fake_run();
	CHECK(extents[5].other == PRINCIPAL_A && extents[5].other_rights == EXO_RIGHT_READ);
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

/* ---- splitting --------------------------------------------------------------------------- */

/* Blocks start.. of extent x of A count as written up to `init` of them. */
static void written(uint32_t x, uint32_t init)
{
	extent_written(x, extents[x].start, init);
	CHECK(extents[x].init == init);
}

static int is(uint32_t x, uint64_t start, uint64_t len, uint64_t init)
{
	const struct exo_extent *r = &extents[x];

	return r->state == EXO_EXTENT_LIVE && r->start == start && r->len == len &&
	       r->init == init && r->owner == PRINCIPAL_A && r->other == PRINCIPAL_B;
}

/* A owns 450..459 as extent 5 and 480 as 6, of which B may read. */
static void one_to_split(uint32_t init)
{
	fake_boot();
	two_envs();
	CHECK(own(A, 5, 0, 450, 10) && own(A, 6, 5, 480, 1));
	CHECK(sys_extent_access(5, PRINCIPAL_B, EXO_RIGHT_READ).status == EXO_OK);
	fake_run();
	if (init != 0)
		written(5, init);
	envs[A].events = 0;
}

static void split_is_two_when_durable(void)
{
	static const uint32_t inits[] = {0, 3, 4, 5, 10};

	for (uint32_t i = 0; i < sizeof(inits) / sizeof(inits[0]); i++) {
		const uint32_t init = inits[i];

		one_to_split(init);
		CHECK(sys_extent_split(5, 454, 70).status == EXO_OK);
		CHECK(extents[70].state == EXO_EXTENT_TAKING && extents[5].len == 4);
		CHECK(sys_extent_open(70, 20).status == EXO_STATE);
		CHECK(sys_extent_split(5, 452, 8).status == EXO_STALE);
		fake_run();
		CHECK((envs[A].events & EXO_EV_EXTENT) != 0);
		CHECK(quota_used[A].n[EXO_QUOTA_EXTENTS] == 3);
		CHECK(is(5, 450, 4, init < 4 ? init : 4) &&
		      is(70, 454, 6, init < 4 ? 0 : init - 4));
		CHECK(sys_extent_access(5, 0, 0).status == EXO_STALE);
		CHECK(sys_extent_open(5, 20).status == EXO_OK && caps[A].c[20].len == 4);
		CHECK(sys_extent_open(70, 21).status == EXO_OK && caps[A].c[21].start == 454);
		CHECK(extents[0].next == 5 && extents[5].next == 70 && extents[70].next == 6);
		CHECK(fake_broken() == NULL && fake_reboot().usable);
		CHECK(is(5, 450, 4, init < 4 ? init : 4) &&
		      is(70, 454, 6, init < 4 ? 0 : init - 4));
		CHECK(extents[5].next == 70 && extents[70].next == 6 && fake_broken() == NULL);
	}
}

static void split_refuses(void)
{
	one_to_split(0);
	CHECK(sys_cap_derive(5, 20, 15, 450, 9).status == EXO_OK);
	CHECK(sys_cap_derive(5, 21, 7, 450, 10).status == EXO_OK);
	CHECK(sys_extent_split(64, 454, 7).status == EXO_RANGE);
	CHECK(sys_extent_split(30, 454, 7).status == EXO_STATE);
	CHECK(sys_extent_split(20, 454, 7).status == EXO_RANGE); /* not the whole extent */
	CHECK(sys_extent_split(21, 454, 7).status == EXO_PERM);
	CHECK(sys_extent_split(5, 450, 7).status == EXO_RANGE);
	CHECK(sys_extent_split(5, 460, 7).status == EXO_RANGE);
	CHECK(sys_extent_split(5, UINT64_MAX, 7).status == EXO_RANGE);
	CHECK(sys_extent_split(5, 454, 0).status == EXO_RANGE);
	CHECK(sys_extent_split(5, 454, 128).status == EXO_RANGE);
	CHECK(sys_extent_split(5, 454, 6).status == EXO_OCCUPIED);
	CHECK(sys_extent_split(5, 454, 5).status == EXO_OCCUPIED);
	quota_limit[A].n[EXO_QUOTA_EXTENTS] = 2;
	CHECK(sys_extent_split(5, 454, 7).status == EXO_QUOTA);
	quota_limit[A].n[EXO_QUOTA_EXTENTS] = 8;
	CHECK(extents[5].gen == caps[A].c[5].gen && is(5, 450, 10, 0));
	CHECK(take(7, 6, 500, 1) == EXO_OK);
	CHECK(sys_extent_split(5, 454, 8).status == EXO_BUSY);
	fake_run();
	CHECK(sys_extent_split(5, 459, 8).status == EXO_OK); /* the last block alone */
	fake_run();
	CHECK(is(5, 450, 9, 0) && is(8, 459, 1, 0));
	fake_as(1);
	CHECK(sys_extent_open(127, 9).status == EXO_OK);
	CHECK(sys_extent_split(9, 5, 9).status == EXO_PERM); /* a drive without a table */
}

static void failed_split_is_joined(void)
{
	for (uint32_t n = 1; n <= 4; n++) {
		one_to_split(7);
		CHECK(sys_extent_split(5, 454, 7).status == EXO_OK);
		fail_nth(n);
		CHECK(is(5, 450, 10, 7) && extents[7].state == EXO_EXTENT_FREE);
		CHECK(extents[5].next == 6 && quota_used[A].n[EXO_QUOTA_EXTENTS] == 2);
		CHECK((envs[A].events & EXO_EV_EXTENT) != 0 && fake_broken() == NULL);
		CHECK(sys_extent_open(5, 20).status == EXO_OK);
		CHECK(sys_extent_split(20, 456, 7).status == EXO_OK);
		fake_run();
		CHECK(fake_reboot().usable && is(5, 450, 6, 6) && is(7, 456, 4, 1));
	}
}

static void failed_split_keeps_what_was_written_meanwhile(void)
{
	one_to_split(3);
	CHECK(sys_extent_split(5, 454, 7).status == EXO_OK);
	extent_written(5, 453, 1);
	fail_nth(2);
	CHECK(is(5, 450, 10, 4));
	one_to_split(3);
	CHECK(sys_extent_split(5, 454, 7).status == EXO_OK);
	fail_nth(3);
	CHECK(is(5, 450, 10, 3));
}

/* ---- recalling --------------------------------------------------------------------------- */

static void recall_refuses(void)
{
	one_to_split(0);
	CHECK(sys_cap_derive(5, 20, 7, 450, 10).status == EXO_OK);
	CHECK(sys_extent_recall(64, env_eid(B).n, 0).status == EXO_RANGE);
	CHECK(sys_extent_recall(30, env_eid(B).n, 0).status == EXO_STATE);
	CHECK(sys_extent_recall(20, env_eid(B).n, 0).status == EXO_PERM);
	CHECK(sys_extent_recall(5, env_eid(B).n + 0x10000, 0).status == EXO_STALE);
	CHECK(sys_extent_recall(5, 0, 0).status == EXO_STALE);
	CHECK(sys_extent_recall(5, env_eid(A).n, 0).status == EXO_ARG);
	CHECK(sys_extent_recall(5, env_eid(B).n, 0).value == 1); /* it has none */
	CHECK(revokes[B].ask[EXO_ASK_EXTENT].n == 0 && envs[B].events == 0);
	fake_as(B);
	CHECK(sys_extent_open(5, 5).status == EXO_OK);
	fake_as(1);
	CHECK(sys_env_kill(B + 8, 0).status == EXO_OK);
	fake_as(A);
	CHECK(sys_extent_recall(5, env_eid(B).n, 0).status == EXO_STATE);
}

static void recall_takes_after_the_deadline(void)
{
	one_to_split(0);
	fake_as(B);
	CHECK(sys_extent_open(5, 5).status == EXO_OK);
	CHECK(sys_cap_derive(5, 6, EXO_RIGHT_READ, 452, 2).status == EXO_OK);
	CHECK(sys_cap_derive(5, 7, EXO_RIGHT_READ, 454, 2).status == EXO_OK);
	fake_as(A); /* asks for 450..453 back */
	CHECK(sys_cap_derive(5, 20, 15, 450, 4).status == EXO_OK);
	CHECK(sys_cap_derive(5, 21, 15, 450, 4).status == EXO_OK);
	const uint64_t due = fake_now + EXO_REVOKE_MIN_NS;
	struct exo_result r = sys_extent_recall(20, env_eid(B).n, 0);

	CHECK(r.status == EXO_OK && r.value == 0 && (envs[B].events & EXO_EV_REVOKE) != 0);
	CHECK(revokes[B].ask[EXO_ASK_EXTENT].extent == 5);
	CHECK(revokes[B].ask[EXO_ASK_EXTENT].deadline == due);
	CHECK(sys_extent_open(6, 22).status == EXO_OK);
	fake_now = due - 1;
	r = sys_extent_recall(20, env_eid(B).n, 0);
	CHECK(r.status == EXO_OK && r.value == 0 && caps[B].c[6].kind == EXO_CAP_EXTENT);
	fake_as(1); /* another asker of another extent waits */
	CHECK(sys_extent_open(5, 30).status == EXO_OK);
	CHECK(sys_extent_recall(30, env_eid(B).n, 0).status == EXO_BUSY);
	fake_as(A);
	fake_now = due;
	r = sys_extent_recall(20, env_eid(B).n, 0);
	CHECK(r.status == EXO_OK && r.value == 1);
	CHECK(caps[B].c[6].kind == EXO_CAP_NONE); /* inside */
	CHECK(caps[B].c[5].kind == EXO_CAP_EXTENT && caps[B].c[7].kind == EXO_CAP_EXTENT);
	CHECK(caps[A].c[21].kind == EXO_CAP_EXTENT);
	CHECK((envs[B].events & EXO_EV_TAKEN) != 0 && revokes[B].taken == 1);
	CHECK(revokes[B].log[0].kind == EXO_QUOTA_EXTENTS && revokes[B].log[0].index == 5);
	CHECK(revokes[B].ask[EXO_ASK_EXTENT].n == 0 && fake_broken() == NULL);
	CHECK(sys_extent_recall(20, env_eid(B).n, 0).value == 1); /* none is left */
	CHECK(revokes[B].taken == 1);
}

static void recall_of_two_extents_comes_to_an_end(void)
{
	one_to_split(0);
	CHECK(sys_extent_access(6, PRINCIPAL_B, EXO_RIGHT_READ).status == EXO_OK);
	fake_run();
	fake_as(B);
	CHECK(sys_extent_open(5, 5).status == EXO_OK && sys_extent_open(6, 6).status == EXO_OK);
	fake_as(A);
	CHECK(sys_extent_recall(5, env_eid(B).n, 0).status == EXO_OK);
	CHECK(sys_extent_recall(6, env_eid(B).n, 0).status == EXO_BUSY);
	fake_now += EXO_REVOKE_MIN_NS;
	CHECK(sys_extent_recall(5, env_eid(B).n, 0).value == 1);
	CHECK(sys_extent_recall(6, env_eid(B).n, 0).value == 0);
	fake_now += EXO_REVOKE_MIN_NS;
	CHECK(sys_extent_recall(6, env_eid(B).n, 0).value == 1);
	CHECK(caps[B].c[5].kind == EXO_CAP_NONE && caps[B].c[6].kind == EXO_CAP_NONE);
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

/* Found by the guest fuzz: who freed what another had taken held one more than its limit. */
static void extents_are_paid_for_by_who_took_them(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10) && own(B, 6, 5, 470, 10));
	CHECK(extents[5].payer == A && extents[6].payer == B);
	fake_as(A); /* whom B lets in, with all rights */
	envs[B].principal = envs[A].principal;
	extents[6].owner = envs[A].principal;
	CHECK(sys_extent_open(6, 9).status == EXO_OK);
	CHECK(sys_extent_split(9, 475, 7).status == EXO_OK);
	fake_run();
	CHECK(extents[6].payer == B && extents[7].payer == A); /* each for what it made */
	CHECK(sys_extent_open(7, 8).status == EXO_OK && sys_extent_free(8).status == EXO_OK);
	fake_run();
	CHECK(sys_extent_open(6, 10).status == EXO_OK && sys_extent_free(10).status == EXO_OK);
	fake_run();
	CHECK(quota_used[A].n[EXO_QUOTA_EXTENTS] == 1 && quota_used[B].n[EXO_QUOTA_EXTENTS] == 0);
	CHECK(extents[6].payer == 0 && fake_broken() == NULL);
}

/* The charge of a split's second part is its maker's from the call on, and passes with the dead. */
static void charges_pass_on(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10));
	fake_as(A);
	CHECK(sys_extent_split(5, 455, 6).status == EXO_OK && extents[6].payer == A);
	CHECK(quota_used[A].n[EXO_QUOTA_EXTENTS] == 2);
	CHECK(extent_pass_charge(6, B, A) == EXO_PERM && extent_pass_charge(0, A, B) == EXO_RANGE &&
	      extent_pass_charge(EXO_NEXTENT, A, B) == EXO_RANGE);
	CHECK(extent_pass_charge(6, A, B) == EXO_OK);
	fake_run();
	CHECK(extents[6].state == EXO_EXTENT_LIVE && extents[6].payer == B);
	CHECK(quota_used[A].n[EXO_QUOTA_EXTENTS] == 1 && quota_used[B].n[EXO_QUOTA_EXTENTS] == 1);
	CHECK(fake_broken() == NULL);
}

/* What stands on the disk at boot is charged to the first environment. */
static void boot_charges_what_is_there(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10) && own(A, 6, 5, 470, 10) && fake_reboot().usable);
	CHECK(extents[5].payer == 0);
	fake_env(A, PRINCIPAL_A);
	CHECK(sys_extent_open(5, 5).status == EXO_OK && sys_extent_free(5).status == EXO_OK);
	fake_run(); /* nobody is given back what nobody was charged */
	CHECK(extents[5].state == EXO_EXTENT_FREE && quota_used[A].n[EXO_QUOTA_EXTENTS] == 0);
	CHECK(sys_cap_drop(5).status == EXO_OK && own(A, 5, 0, 450, 10));
	extents[5].payer = 0;
	quota_used[A].n[EXO_QUOTA_EXTENTS] = 0;
	extent_charge_all();
	CHECK(extents[5].payer == FIRST_ENV && extents[0].payer == 0 && extents[7].payer == 0);
	CHECK(quota_used[FIRST_ENV].n[EXO_QUOTA_EXTENTS] == 2 + 1); /* the other drive is one */
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

/* Who asked to take an extent is gone when that fails; or never was charged for what it frees. */
static void charges_of_who_is_not_there(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10));
	fake_env(4, PRINCIPAL_A);
	fake_as(4);
	CHECK(sys_extent_open(5, 5).status == EXO_OK && sys_extent_free(5).status == EXO_OK);
	fake_run();
	CHECK(extents[5].state == EXO_EXTENT_FREE && quota_used[4].n[EXO_QUOTA_EXTENTS] == 0);
	fake_as(B);
	CHECK(take(6, 0, 450, 10) == EXO_OK);
	fake_as(1);
	CHECK(sys_env_kill(B + 8, 0).status == EXO_OK);
	CHECK(sys_env_reclaim(env_eid(B).n, EXO_QUOTA_PAGES, B * 64).status == EXO_BUSY); /* ring */
	CHECK(sys_env_reclaim(env_eid(B).n, EXO_QUOTA_IO, 0).value == 1);
	for (uint32_t i = 0; i < 64; i++)
		CHECK(sys_env_reclaim(env_eid(B).n, EXO_QUOTA_PAGES, B * 64 + i).value == 1);
	CHECK(sys_env_reap(B + 8).status == EXO_BUSY); /* it pays for the extent */
	CHECK(sys_env_reclaim(env_eid(B).n, EXO_QUOTA_EXTENTS, 6).value == 1);
	CHECK(sys_env_reap(B + 8).status == EXO_OK);
	CHECK(extents[6].payer == 1 && quota_used[1].n[EXO_QUOTA_EXTENTS] == 1);
	while (fake_active(0) != 0)
		fake_fail(0);
	CHECK(extents[6].state == EXO_EXTENT_FREE && quota_used[1].n[EXO_QUOTA_EXTENTS] == 0);
	CHECK(fake_broken() == NULL);
}

static void a_third_principal_opens_nothing(void)
{
	two_envs();
	CHECK(own(A, 5, 0, 450, 10));
	CHECK(sys_extent_access(5, PRINCIPAL_B, EXO_RIGHT_READ).status == EXO_OK);
	fake_run();
	fake_env(4, 0x3300000000000000ull);
	CHECK(sys_extent_open(5, 5).status == EXO_PERM);
}

/* What reaches beyond the range that is asked back, is of another extent, or stale, is no part. */
static void recall_leaves_what_is_not_inside(void)
{
	one_to_split(0);
	CHECK(sys_extent_access(6, PRINCIPAL_B, EXO_RIGHT_READ).status == EXO_OK);
	fake_run();
	fake_as(B);
	CHECK(sys_extent_open(5, 5).status == EXO_OK && sys_extent_open(6, 6).status == EXO_OK);
	fake_as(A);
	CHECK(sys_cap_derive(5, 20, 15, 450, 4).status == EXO_OK);
	CHECK(sys_extent_recall(20, env_eid(B).n, 0).value == 1);
	fake_as(B);
	CHECK(sys_cap_derive(5, 7, EXO_RIGHT_READ, 450, 2).status == EXO_OK);
	caps[B].c[7].gen--;
	fake_as(A);
	CHECK(sys_extent_recall(20, env_eid(B).n, 0).value == 1);
	CHECK(sys_cap_derive(5, 21, 15, 452, 4).status == EXO_OK);
	caps[B].c[7].gen++;
	CHECK(sys_extent_recall(21, env_eid(B).n, 0).value == 1);
	CHECK(sys_extent_recall(20, env_eid(B).n, 0).value == 0);
	fake_now += EXO_REVOKE_MIN_NS; /* that request is over: another extent may be asked for */
	CHECK(sys_extent_recall(6, env_eid(B).n, 0).status == EXO_OK);
	CHECK(revokes[B].ask[EXO_ASK_EXTENT].extent == 6);
}

static void unreadable_copies_do_not_serve(void)
{
	struct extent_loaded l;

	fake_unreadable = TABLE_B; /* the newer after formatting */
	l = fake_reboot();
	CHECK(l.usable && l.copy == 0 && l.fault[1] == EXTENT_BAD_READ);
	fake_unreadable = TABLE_B + 1;
	l = fake_reboot();
	CHECK(l.usable && l.copy == 0 && l.fault[1] == EXTENT_BAD_READ);
}

/* The copies of the table may stand behind the pool: they are looked at, and found empty. */
static void a_table_behind_the_pool_is_read(void)
{
	struct exo_image i = fake_image;

	i.pool = 10;
	i.pool_end = 200;
	CHECK(!extent_load(&i, 0, FAKE_BLOCKS).usable);
	i.pool_end = TABLE_A + 1;
	CHECK(extent_load(&i, 0, FAKE_BLOCKS).fault[0] == EXTENT_BAD_PLACE);
	i.pool_end = 200;
	CHECK(extent_load(&i, 0, FAKE_BLOCKS).fault[0] != EXTENT_BAD_PLACE);
}

static void a_full_table_takes_no_drive(void)
{
	for (uint32_t x = 1; x < 128; x++)
		extents[x].state = EXO_EXTENT_LIVE;
	CHECK(extent_add_drive(2, FAKE_BLOCKS) == EXO_FULL);
	extents[3].state = EXO_EXTENT_FREE;
	CHECK(extent_add_drive(2, FAKE_BLOCKS) == EXO_OK && extents[3].drive == 2);
}

int main(void)
{
	RUN_TEST(take_is_live_when_durable);
	RUN_TEST(take_refuses);
	RUN_TEST(open_follows_principals);
	RUN_TEST(slots_are_checked);
	RUN_TEST(access_without_a_table_undoes_nothing);
	RUN_TEST(free_makes_stale_then_reusable);
	RUN_TEST(failed_writes_change_nothing);
	RUN_TEST(failed_removal_is_undone_or_repeated);
	RUN_TEST(revoking_makes_stale);
	RUN_TEST(split_is_two_when_durable);
	RUN_TEST(split_refuses);
	RUN_TEST(failed_split_is_joined);
	RUN_TEST(failed_split_keeps_what_was_written_meanwhile);
	RUN_TEST(recall_refuses);
	RUN_TEST(recall_takes_after_the_deadline);
	RUN_TEST(recall_of_two_extents_comes_to_an_end);
	RUN_TEST(extents_are_paid_for_by_who_took_them);
	RUN_TEST(charges_pass_on);
	RUN_TEST(boot_charges_what_is_there);
	RUN_TEST(charges_of_who_is_not_there);
	RUN_TEST(a_third_principal_opens_nothing);
	RUN_TEST(recall_leaves_what_is_not_inside);
	RUN_TEST(unreadable_copies_do_not_serve);
	RUN_TEST(a_table_behind_the_pool_is_read);
	RUN_TEST(a_full_table_takes_no_drive);
	RUN_TEST(either_copy_serves);
	RUN_TEST(impossible_tables_are_refused);
	RUN_TEST(impossible_places_are_refused);
	RUN_TEST(random_corruption_is_survived);
	return fake_failed != 0;
}
