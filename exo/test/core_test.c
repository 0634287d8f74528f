/*
 * core_test.c - unit tests of the protection core: each call, each status it can answer, and that
 * the checker sees planted corruption.
 *
 * The world and the words for it are core_world.h's.
 */
#include <stdio.h>
#include <string.h>
#include "../kern/cap.h"
#include "../kern/check.h"
#include "../kern/cpu.h"
#include "../kern/env.h"
#include "../kern/event.h"
#include "../kern/info.h"
#include "../kern/io.h"
#include "../kern/ipc.h"
#include "../kern/page.h"
#include "../kern/principal.h"
#include "../kern/quota.h"
#include "../kern/registry.h"
#include "../kern/revoke.h"
#include "../kern/slot.h"
#include "../kern/syscall.h"
#include "../kern/table.h"
#include "../kern/timer.h"
#include "../kern/trace.h"
#include "../kern/uaccess.h"
#include "../kern/upcall.h"
#include "core_world.h"

/* ---- what all calls have in common -------------------------------------------------------- */

/* Slots of environment 1 that name no environment with a right, and what each is refused with. */
static const struct {
	uint64_t slot;
	enum exo_status status;
} bad_slots[] = {
	{64, EXO_RANGE}, {30, EXO_STATE}, {10, EXO_TYPE}, {11, EXO_STALE}, {12, EXO_PERM},
};

static void bad_slots_world(void)
{
	world();
	child(2, 8);
	OK(sys_page_share(frame(1, DATA), 1, SELF, 10, EXO_RIGHT_READ));
	OK(sys_cap_derive(8, 11, EXO_ENV_ALL, 0, 0));
	OK(sys_cap_revoke(8));
	OK(sys_cap_derive(8, 12, 0, 0, 0));
}

/* The call, of which everything else is right, with each of these slots for `ce`. */
#define BAD_SLOTS(call)                                                                            \
	for (uint32_t i = 0; i < sizeof bad_slots / sizeof bad_slots[0]; i++) {                    \
		const uint64_t ce = bad_slots[i].slot;                                             \
                                                                                                   \
		refused(__LINE__, #call, bad_slots[i].status, (host_remember(), (call)));          \
	}

static void test_bad_environment_slot(void)
{
	const uint32_t t = frame(2, L1);

	bad_slots_world();
	BAD_SLOTS(sys_env_set(ce, EXO_SET_SLICE_UPCALL, 0));
	BAD_SLOTS(sys_env_start(ce, 1, 1, 1));
	BAD_SLOTS(sys_env_kill(ce, 0));
	BAD_SLOTS(sys_env_reap(ce));
	BAD_SLOTS(sys_quota_move(ce, EXO_QUOTA_PAGES, 1));
	BAD_SLOTS(sys_page_take(ce, frame(2, 20), EXO_PAGE_DATA));
	BAD_SLOTS(sys_page_free(ce, frame(2, DATA)));
	BAD_SLOTS(sys_table_link(ce, frame(2, L2), 1, frame(2, 20)));
	BAD_SLOTS(sys_table_unlink(ce, frame(2, L2), 0));
	BAD_SLOTS(sys_page_map(ce, t, 20, frame(1, DATA), 1, R));
	BAD_SLOTS(sys_page_map_large(ce, frame(2, L2), 1, RUN_START, R));
	BAD_SLOTS(sys_page_unmap(ce, t, 0, 1));
	BAD_SLOTS(sys_page_protect(ce, t, 0, 1, R));
	BAD_SLOTS(sys_page_share(frame(1, DATA), 1, ce, 5, EXO_RIGHT_READ));
	BAD_SLOTS(sys_cap_grant(8, ce, 5, 0));
	BAD_SLOTS(sys_slot_take(ce, 100));
	BAD_SLOTS(sys_slot_give(0, ce));
	BAD_SLOTS(sys_revoke_ask(ce, EXO_ASK_PAGES, 1, 0));
	BAD_SLOTS(sys_revoke_take(ce, EXO_ASK_PAGES, EXO_TAKE_UNUSED, 0));
	BAD_SLOTS(sys_ipc_call(ce, 0, 0, 0, 0, 0));
}

/* The slot that gives the right to frames is looked at like any other. */
static void test_bad_frames_slot(void)
{
	const uint32_t t = frame(1, L1);

	bad_slots_world();
	for (uint32_t i = 0; i < sizeof bad_slots / sizeof bad_slots[0]; i++) {
		const enum exo_status status = bad_slots[i].status;
		const uint64_t how = bad_slots[i].slot << 8 | R;

		if (status == EXO_TYPE) /* the frames' own: that is good */
			continue;
		refused(__LINE__, "page_map", status,
			(host_remember(), sys_page_map(SELF, t, 20, frame(2, DATA), 1, how)));
		refused(__LINE__, "page_map_large", status,
			(host_remember(),
			 sys_page_map_large(SELF, frame(1, L2), 1, RUN_START, how)));
		refused(__LINE__, "page_protect", status,
			(host_remember(), sys_page_protect(SELF, t, 0, 1, how)));
	}
	OK(sys_page_protect(SELF, t, 0, 1, 10 << 8 | R));
	OK(sys_page_unshare(frame(1, DATA), 1));
	NO(STALE, sys_page_protect(SELF, t, 0, 1, 10 << 8 | R));
}

/* No capability is left to who gets one. */
static void test_no_room_for_a_capability(void)
{
	world();
	child(2, 8);
	become(2);
	for (uint64_t d = 1; d <= 7; d++)
		OK(sys_cap_derive(SELF, d, 0, 0, 0));
	OK(sys_env_create(4, 9));
	OK(sys_cap_drop(9));
	OK(sys_env_open(env_eid(4).n, 9));
	NO(QUOTA, sys_env_open(env_eid(4).n, 10));
	become(1);
	NO(QUOTA, sys_page_share(frame(1, DATA), 1, 8, 20, EXO_RIGHT_READ));
}

static void test_null(void)
{
	world();
	CHECK(OK(sys_null()) == EXO_ABI_VERSION);
}

static void test_machine_halt(void)
{
	bad_slots_world();
	cap_put(1, 14, (struct exo_cap){.kind = EXO_CAP_MACHINE});
	NO(RANGE, sys_machine_halt(64, 0));
	NO(STATE, sys_machine_halt(30, 0));
	NO(TYPE, sys_machine_halt(8, 0));
	NO(STALE, sys_machine_halt(11, 0));
	if (setjmp(host_halt) == 0) {
		(void)sys_machine_halt(14, 33);
		CHECK(!"it came back");
	}
	CHECK(host_halted == 33);
}

/* ---- capabilities ------------------------------------------------------------------------ */

static void test_cap_find(void)
{
	struct exo_cap cap;
	uint32_t e;

	world();
	CHECK(cap_find(1, 0, EXO_CAP_ENV, EXO_ENV_ALL, &cap) == EXO_OK && cap.object == 1);
	CHECK(cap_find(1, 64, EXO_CAP_ENV, 0, &cap) == EXO_RANGE);
	CHECK(cap_find(1, ~0ull, EXO_CAP_ENV, 0, &cap) == EXO_RANGE);
	CHECK(cap_find(1, 5, EXO_CAP_ENV, 0, &cap) == EXO_STATE);
	CHECK(cap_find(1, 0, EXO_CAP_PAGES, 0, &cap) == EXO_TYPE);
	CHECK(cap_find(1, 0, EXO_CAP_ENV, EXO_RIGHT_ADMIN, &cap) == EXO_PERM);
	CHECK(cap_env(1, 0, EXO_ENV_KILL, &e) == EXO_OK && e == 1);
	cap_put(1, 9,
		(struct exo_cap){.kind = EXO_CAP_EXTENT, .rights = 15, .object = 3, .len = 8});
	CHECK(cap_find(1, 9, EXO_CAP_EXTENT, EXO_RIGHT_ADMIN, &cap) == EXO_OK);
	CHECK(cap_env(1, 9, 0, &e) == EXO_TYPE);
	host_extent_gen[3]++;
	CHECK(cap_find(1, 9, EXO_CAP_EXTENT, 0, &cap) == EXO_STALE);
}

static void test_cap_derive(void)
{
	world();
	child(2, 8);
	cap_put(1, 9,
		(struct exo_cap){.kind = EXO_CAP_EXTENT, .rights = 3, .start = 100, .len = 50});
	OK(sys_cap_derive(9, 10, 1, 110, 40));
	CHECK(caps[1].c[10].start == 110 && caps[1].c[10].len == 40 && caps[1].c[10].rights == 1);
	OK(sys_cap_derive(9, 11, 3, 0, 0));
	CHECK(caps[1].c[11].start == 100 && caps[1].c[11].len == 50);
	NO(PERM, sys_cap_derive(10, 12, 3, 0, 0));
	NO(PERM, sys_cap_derive(9, 12, 1ull << 40, 0, 0));
	NO(RANGE, sys_cap_derive(9, 12, 1, 110, 41));
	NO(RANGE, sys_cap_derive(9, 12, 1, 99, 2));
	NO(RANGE, sys_cap_derive(9, 12, 1, 110, ~0ull));
	NO(RANGE, sys_cap_derive(9, 12, 1, ~0ull, 2));
	NO(ARG, sys_cap_derive(9, 12, 1, 110, 0));
	NO(RANGE, sys_cap_derive(9, 64, 1, 0, 0));
	NO(RANGE, sys_cap_derive(64, 12, 1, 0, 0));
	NO(OCCUPIED, sys_cap_derive(9, 10, 1, 0, 0));
	NO(OCCUPIED, sys_cap_derive(9, 0, 1, 0, 0));
	NO(STATE, sys_cap_derive(20, 12, 1, 0, 0));
	NO(RANGE, sys_cap_derive(0, 12, 1, 5, 1));
	OK(sys_cap_derive(0, 12, EXO_ENV_KILL, 0, 0));
	host_extent_gen[0]++;
	NO(STALE, sys_cap_derive(9, 13, 1, 0, 0));
	become(2);
	for (uint64_t d = 1; d <= 8; d++)
		OK(sys_cap_derive(0, d, 0, 0, 0));
	NO(QUOTA, sys_cap_derive(0, 9, 0, 0, 0));
}

static void test_cap_grant(void)
{
	world();
	child(2, 8);
	cap_put(1, 9, (struct exo_cap){.kind = EXO_CAP_EXTENT, .rights = 3, .len = 50});
	cap_put(1, 10, (struct exo_cap){.kind = EXO_CAP_EXTENT, .rights = 7, .len = 50});
	cap_put(1, 11, (struct exo_cap){.kind = EXO_CAP_MACHINE});
	NO(PERM, sys_cap_grant(9, 8, 5, EXO_RIGHTS_ALL));
	OK(sys_cap_grant(10, 8, 5, EXO_RIGHTS_ALL));
	OK(sys_cap_grant(11, 8, 6, EXO_RIGHTS_ALL));
	CHECK(caps[2].c[5].kind == EXO_CAP_EXTENT && caps[2].c[5].rights == 7);
	OK(sys_cap_grant(10, 8, 7, EXO_RIGHT_READ | EXO_RIGHT_ADMIN)); /* of those it has */
	CHECK(caps[2].c[7].rights == EXO_RIGHT_READ);
	become(2);
	OK(sys_cap_drop(7));
	become(1);
	NO(OCCUPIED, sys_cap_grant(10, 8, 5, EXO_RIGHTS_ALL));
	NO(RANGE, sys_cap_grant(10, 8, 64, EXO_RIGHTS_ALL));
	NO(RANGE, sys_cap_grant(10, 64, 7, EXO_RIGHTS_ALL));
	NO(STATE, sys_cap_grant(30, 8, 7, EXO_RIGHTS_ALL));
	OK(sys_cap_derive(8, 12, EXO_ENV_BUILD, 0, 0));
	NO(PERM, sys_cap_grant(10, 12, 7, EXO_RIGHTS_ALL));
	for (uint64_t d = 10; d < 16; d++)
		OK(sys_cap_grant(10, 8, d, EXO_RIGHTS_ALL));
	NO(QUOTA, sys_cap_grant(10, 8, 20, EXO_RIGHTS_ALL));
	OK(sys_env_kill(8, 0));
	NO(STATE, sys_cap_grant(10, 8, 20, EXO_RIGHTS_ALL));
}

static void test_cap_drop(void)
{
	world();
	OK(sys_cap_derive(0, 3, 0, 0, 0));
	OK(sys_cap_drop(3));
	NO(STATE, sys_cap_drop(3));
	NO(STATE, sys_cap_drop(0));
	NO(RANGE, sys_cap_drop(64));
	CHECK(quota_used[1].n[EXO_QUOTA_CAPS] == 0);
}

static void test_cap_revoke(void)
{
	world();
	child(2, 8);
	OK(sys_cap_derive(8, 9, EXO_ENV_BUILD, 0, 0));
	NO(PERM, sys_cap_revoke(9));
	become(2);
	OK(sys_cap_revoke(0));
	OK(sys_env_set(SELF, EXO_SET_SLICE_UPCALL, 0));
	become(1);
	NO(STALE, sys_env_set(8, EXO_SET_SLICE_UPCALL, 0));
	NO(STALE, sys_cap_revoke(8));
	OK(sys_env_open(env_eid(2).n, 10)); /* its creator can always come back */
	OK(sys_cap_revoke(10));
	OK(sys_env_set(10, EXO_SET_SLICE_UPCALL, 0));
	cap_put(1, 20,
		(struct exo_cap){.kind = EXO_CAP_EXTENT, .rights = 8, .object = 4, .len = 9});
	cap_put(1, 21,
		(struct exo_cap){.kind = EXO_CAP_EXTENT, .rights = 7, .object = 4, .len = 9});
	cap_put(1, 22, (struct exo_cap){.kind = EXO_CAP_CONSOLE, .rights = 15, .object = 2});
	NO(PERM, sys_cap_revoke(21));
	OK(sys_cap_revoke(20));
	NO(STALE, sys_cap_revoke(20));
	NO(STALE, sys_cap_revoke(21));
	OK(sys_cap_revoke(22));
	NO(STALE, sys_cap_revoke(22));
	OK(sys_page_share(frame(1, DATA), 1, SELF, 30, R));
	NO(TYPE, sys_cap_revoke(30));
	NO(STATE, sys_cap_revoke(40));
	NO(RANGE, sys_cap_revoke(64));
	envs[1].cap_gen = caps[1].c[0].gen = 0x7fffffff;
	NO(STATE, sys_cap_revoke(0));
}

/* Revoked 2^32 times, an extent would be back at the generation of a capability kept from before.
 */
static void test_generations_of_extents_come_to_an_end(void)
{
	world();
	host_extent_gen[4] = 0x7ffffffe;
	for (uint32_t s = 20; s < 22; s++)
		cap_put(1, s,
			(struct exo_cap){.kind = EXO_CAP_EXTENT,
					 .rights = 15,
					 .object = 4,
					 .gen = 0x7ffffffe + (s - 20),
					 .len = 9});
	OK(sys_cap_revoke(20));
	NO(STALE, sys_cap_revoke(20));
	NO(STATE, sys_cap_revoke(21));
	CHECK(host_extent_gen[4] == 0x7fffffff);
}

/* ---- environments ------------------------------------------------------------------------ */

static void test_env_create(void)
{
	uint64_t eid;

	world();
	eid = OK(sys_env_create(2, 8));
	CHECK(EXO_EID_INDEX((struct eid){eid}) == 2 && EXO_EID_GEN((struct eid){eid}) == 1);
	CHECK(envs[2].state == EXO_ENV_BUILDING && envs[2].parent == env_eid(1).n);
	CHECK(caps[1].c[8].object == 2 && caps[1].c[8].rights == EXO_ENV_ALL);
	NO(OCCUPIED, sys_env_create(2, 9));
	NO(OCCUPIED, sys_env_create(3, 8));
	NO(OCCUPIED, sys_env_create(3, 0));
	NO(RANGE, sys_env_create(0, 9));
	NO(RANGE, sys_env_create(NENV, 9));
	NO(RANGE, sys_env_create(1ull << 32 | 3, 9));
	NO(RANGE, sys_env_create(3, 64));
	child(3, 9);
	become(3);
	OK(sys_env_create(4, 1));
	NO(QUOTA, sys_env_create(5, 2)); /* its limit of environments is 1 */
}

static void test_env_open(void)
{
	world();
	child(2, 8);
	OK(sys_env_open(env_eid(2).n, 9));
	CHECK(caps[1].c[9].rights == EXO_ENV_ALL && caps[1].c[9].object == 2);
	NO(OCCUPIED, sys_env_open(env_eid(2).n, 9));
	NO(RANGE, sys_env_open(env_eid(2).n, 64));
	NO(STALE, sys_env_open(env_eid(2).n + 65536, 10));
	NO(STALE, sys_env_open(3, 10));
	become(2);
	NO(PERM, sys_env_open(env_eid(1).n, 3));
	NO(PERM, sys_env_open(env_eid(2).n, 3));
}

static void test_env_set(void)
{
	const uint32_t f = frame(2, ROOT);

	world();
	OK(sys_env_create(2, 8));
	OK(sys_quota_move(8, EXO_QUOTA_PAGES, 10));
	OK(sys_page_take(8, f, level(4)));
	OK(sys_page_take(8, f + 1, level(3)));
	OK(sys_page_take(8, f + 2, EXO_PAGE_SAVE));
	OK(sys_page_take(8, f + 3, EXO_PAGE_UPCALL));
	NO(TYPE, sys_env_set(8, EXO_SET_ROOT, f + 1));
	NO(TYPE, sys_env_set(8, EXO_SET_SAVE, f + 3));
	NO(TYPE, sys_env_set(8, EXO_SET_UPCALL_PAGE, f + 2));
	NO(PERM, sys_env_set(8, EXO_SET_ROOT, frame(1, ROOT)));
	NO(PERM, sys_env_set(8, EXO_SET_SAVE, 0));
	OK(sys_page_take(SELF, 900, EXO_PAGE_UPCALL)); /* it runs, and has an upcall page */
	NO(STATE, sys_env_set(SELF, EXO_SET_UPCALL_PAGE, 900));
	envs[1].upcall_page = 0;
	page_unpin(frame(1, UPCALL));
	host_remember();
	NO(STATE, sys_env_set(SELF, EXO_SET_UPCALL_PAGE, 900));
	envs[1].upcall_page = frame(1, UPCALL);
	page_pin(frame(1, UPCALL));
	host_remember();
	NO(RANGE, sys_env_set(8, EXO_SET_ROOT, 1ull << 32 | f));
	OK(sys_env_set(8, EXO_SET_ROOT, f));
	OK(sys_env_set(8, EXO_SET_SAVE, f + 2));
	OK(sys_env_set(8, EXO_SET_UPCALL_PAGE, f + 3));
	NO(STATE, sys_env_set(8, EXO_SET_ROOT, f));
	NO(BUSY, sys_page_free(8, f + 3));
	NO(ARG, sys_env_set(8, EXO_SET_UPCALL_VA, 4097));
	NO(ARG, sys_env_set(8, EXO_SET_UPCALL_VA, USER_END));
	OK(sys_env_set(8, EXO_SET_UPCALL_VA, USER_END - 4096));
	NO(ARG, sys_env_set(8, EXO_SET_UPCALL_ENTRY, USER_END));
	OK(sys_env_set(8, EXO_SET_UPCALL_ENTRY, 0x400000));
	OK(sys_env_set(8, EXO_SET_EVENT_UPCALL, ~0ull));
	NO(ARG, sys_env_set(8, EXO_SET_SLICE_UPCALL, 4));
	OK(sys_env_set(8, EXO_SET_SLICE_UPCALL, 1));
	NO(ARG, sys_env_set(8, 99, 0));
	NO(ARG, sys_env_set(8, ~0ull, 0));
	OK(sys_env_set(8, EXO_SET_NAME_LO, 0x4847464544434241));
	OK(sys_env_set(8, EXO_SET_NAME_HI, 0x49));
	CHECK(memcmp(envs[2].name, "ABCDEFGHI", 10) == 0);
	OK(sys_env_set(8, EXO_SET_PRINCIPAL, 0x1200000000000000));
	OK(sys_env_start(8, 1, 1, 1));
	NO(STATE, sys_env_set(8, EXO_SET_PRINCIPAL, 0x1200000000000000));
	become(2);
	OK(sys_quota_move(0, EXO_QUOTA_PAGES, 1));
	become(1);
	OK(sys_quota_move(8, EXO_QUOTA_CAPS, 2));
	OK(sys_quota_move(8, EXO_QUOTA_ENVS, 1));
	become(2);
	OK(sys_env_create(3, 1));
	CHECK(envs[3].principal == 0x1200000000000000);
	NO(PERM, sys_env_set(1, EXO_SET_PRINCIPAL, 0x1300000000000000));
	NO(PERM, sys_env_set(1, EXO_SET_PRINCIPAL, 0));
	OK(sys_env_set(1, EXO_SET_PRINCIPAL, 0x1234000000000000));
	OK(sys_cap_derive(1, 2, EXO_ENV_KILL, 0, 0));
	NO(PERM, sys_env_set(2, EXO_SET_NAME_LO, 0));
	NO(STATE, sys_env_set(9, EXO_SET_NAME_LO, 0));
	OK(sys_env_kill(1, 0));
	NO(STATE, sys_env_set(1, EXO_SET_NAME_LO, 0));
}

static void test_principal_above(void)
{
	CHECK(principal_above(0, 0) && principal_above(0, 5) && principal_above(5, 5));
	CHECK(principal_above(0x1200000000000000, 0x1234000000000000));
	CHECK(!principal_above(0x1234000000000000, 0x1200000000000000));
	CHECK(!principal_above(0x1200000000000000, 0x1300000000000000));
	CHECK(!principal_above(0x1200000000000000, 0));
	CHECK(principal_above(0x1200ab0000000000, 0x1200abcd00000000));
	CHECK(!principal_above(0x1200ab0000000000, 0x1201abcd00000000));
	CHECK(!principal_above(1, 2) && !principal_above(1, 0x0100000000000001));
}

static void test_env_start(void)
{
	const struct exo_regs *const regs = &machine_save((struct pfn){frame(1, SAVE)})->regs;

	host_boot(FRAMES, FIRST_FREE, NENV);
	NO(STATE, sys_env_start(SELF, 1, 1, 1)); /* no root */
	build(1, SELF);
	NO(ARG, sys_env_start(SELF, USER_END, 1, 1));
	NO(ARG, sys_env_start(SELF, 1, USER_END, 1));
	OK(sys_env_start(SELF, 0x1000, 0x2000, 7));
	CHECK(regs->rip == 0x1000 && regs->rsp == 0x2000 && regs->rdi == 7 && regs->rax == 0);
	CHECK(regs->cs == EXO_USER_CS && regs->ss == EXO_USER_SS && (regs->rflags & 0x200) != 0);
	NO(STATE, sys_env_start(SELF, 1, 1, 1));
	NO(RANGE, sys_env_start(64, 1, 1, 1));
}

/* Takes everything back from the zombie z but CPU slots, frames from the highest down. */
static void reclaim_all(uint32_t z)
{
	const uint64_t eid = env_eid(z).n;

	for (uint64_t s = 0; s < EXO_NSLOT; s++)
		if (slots[s].owner == z)
			OK(sys_env_reclaim(eid, EXO_QUOTA_SLOTS, s));
	for (uint64_t s = 1; s < EXO_NCAP; s++)
		if (caps[z].c[s].kind != EXO_CAP_NONE)
			OK(sys_env_reclaim(eid, EXO_QUOTA_CAPS, s));
	for (uint32_t f = 0; f < info.frames; f++)
		while (pages[f].owner == z && pages[f].present != 0 && !why)
			CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, f)) == 0);
	for (uint32_t f = 0; f < info.frames; f++)
		if (pages[f].owner == z)
			CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, f)) == 1);
}

static void test_env_kill(void)
{
	world();
	child(2, 8);
	OK(sys_cap_derive(8, 9, EXO_ENV_BUILD, 0, 0));
	NO(PERM, sys_env_kill(9, 5));
	become(2);
	OK(sys_env_kill(SELF, 42));
	CHECK(cpus[0].resched == 1 && envs[2].state == EXO_ENV_ZOMBIE);
	CHECK(envs[2].end == EXO_END_EXIT && envs[2].end_code == 42);
	CHECK(cpu_next() == 1 && envs[1].events == EXO_EV_CHILD);
	become(1);
	NO(STATE, sys_env_kill(8, 5));
	child(3, 10);
	OK(sys_env_kill(10, 6));
	CHECK(envs[3].end == EXO_END_KILLED && envs[3].end_code == 6 && cpus[0].resched == 0);
	NO(STATE, sys_env_kill(50, 5));
	env_end(1, EXO_END_FAULT, 14, 6, 0xdead, 0x1000, 0x2000, 142);
	CHECK(envs[1].end_vector == 14 && envs[1].end_addr == 0xdead && cpus[0].resched == 1);
	cpus[0].current = cpu_next();
	CHECK(cpus[0].current == 0 && check_state() == 0);
}

static void test_env_reclaim(void)
{
	uint64_t eid;

	world();
	child(2, 8);
	eid = env_eid(2).n;
	NO(STATE, sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, DATA)));
	OK(sys_env_kill(8, 0));
	NO(STALE, sys_env_reclaim(eid + 65536, EXO_QUOTA_PAGES, 0));
	NO(STALE, sys_env_reclaim(65536 + NENV, EXO_QUOTA_PAGES, 0));
	NO(STALE, sys_env_reclaim(0, EXO_QUOTA_PAGES, 0));
	NO(RANGE, sys_env_reclaim(eid, EXO_QUOTA_EXTENTS, 0));
	NO(RANGE, sys_env_reclaim(eid, EXO_QUOTA_EXTENTS, EXO_NEXTENT));
	NO(PERM, sys_env_reclaim(eid, EXO_QUOTA_EXTENTS, 7));
	NO(ARG, sys_env_reclaim(eid, EXO_QUOTA_DISK, 0));
	NO(ARG, sys_env_reclaim(eid, ~0ull, 0));
	NO(RANGE, sys_env_reclaim(eid, EXO_QUOTA_PAGES, FRAMES));
	NO(PERM, sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(1, DATA)));
	NO(BUSY, sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, DATA)));
	NO(BUSY, sys_env_reap(8));
	NO(RANGE, sys_env_reclaim(eid, EXO_QUOTA_SLOTS, EXO_NSLOT));
	NO(PERM, sys_env_reclaim(eid, EXO_QUOTA_SLOTS, 0));
	NO(RANGE, sys_env_reclaim(eid, EXO_QUOTA_CAPS, 0));
	NO(RANGE, sys_env_reclaim(eid, EXO_QUOTA_CAPS, 64));
	NO(STATE, sys_env_reclaim(eid, EXO_QUOTA_CAPS, 1));
	/* A table that somebody still sees is emptied, but not freed. */
	OK(sys_page_map(SELF, frame(1, L1), 100, frame(2, L1), 1, 8 << 8 | R));
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, L1))) == 0);
	OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, L2)));
	NO(BUSY, sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, L1)));
	OK(sys_page_unmap(SELF, frame(1, L1), 100, 1));
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, L1))) == 1);
	reclaim_all(2);
	CHECK(quota_used[2].n[EXO_QUOTA_PAGES] == 0);
	OK(sys_env_reap(8));
}

/* A table is gone over in strides: wherever an entry stands beside those of build(), it goes. */
static void test_env_reclaim_sparse_table(void)
{
	for (uint32_t i = 4; i < 512; i += i == 24 ? 476 : 1) {
		world();
		child(2, 8);
		OK(sys_page_map(8, frame(2, L1), i, frame(2, DATA), 1, 8 << 8 | R));
		CHECK(page_maps[frame(2, DATA)] == 2);
		OK(sys_env_kill(8, 0));
		CHECK(OK(sys_env_reclaim(env_eid(2).n, EXO_QUOTA_PAGES, frame(2, L1))) == 0);
		CHECK(page_maps[frame(2, DATA)] == 0 && pages[frame(2, L1)].present == 0);
		CHECK(pages[frame(2, DATA)].state == EXO_PAGE_FREE);
		CHECK(machine_table((struct pfn){frame(2, L1)})->e[i] == 0);
	}
}

/* Is there nobody's frame any more? */
static int is_free(uint32_t f)
{
	return pages[f].state == EXO_PAGE_FREE && pages[f].owner == 0 &&
	       (page_free_map[f / 64] >> f % 64 & 1) == 1;
}

/* By its root alone an address space goes, a table each time, the lowest first. */
static void test_env_reclaim_from_below(void)
{
	uint64_t eid;

	world();
	child(2, 8);
	eid = env_eid(2).n;
	OK(sys_page_take(8, frame(2, 20), level(1)));
	OK(sys_table_link(8, frame(2, L2), 511, frame(2, 20)));
	OK(sys_page_take(8, frame(2, 21), EXO_PAGE_DATA));
	OK(sys_page_map(8, frame(2, 20), 511, frame(2, 21), 1, 8 << 8 | R));
	OK(sys_env_kill(8, 0));
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, ROOT))) == 0);
	CHECK(is_free(frame(2, DATA)) && is_free(frame(2, DATA + 3)));
	CHECK(pages[frame(2, L1)].present == 0 && pages[frame(2, 20)].present == 1);
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, ROOT))) == 0);
	CHECK(is_free(frame(2, 21)) && pages[frame(2, L2)].present == 2);
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, ROOT))) == 0);
	CHECK(is_free(frame(2, L1)) && is_free(frame(2, 20)) && !is_free(frame(2, L2)));
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, ROOT))) == 0);
	CHECK(is_free(frame(2, L2)) && pages[frame(2, ROOT)].present == 1);
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, ROOT))) == 0);
	CHECK(is_free(frame(2, L3)) && envs[2].root == frame(2, ROOT));
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, ROOT))) == 1);
	CHECK(is_free(frame(2, ROOT)) && envs[2].root == 0);
	CHECK(quota_used[2].n[EXO_QUOTA_PAGES] == 2); /* save area and upcall page have roles */
}

/* What others map, what is another's, what has a role (and a pin for it) stays when a table is
   emptied; what it shows twice goes with the last. */
static void test_env_reclaim_keeps_what_is_held(void)
{
	uint64_t eid;

	world();
	child(2, 8);
	eid = env_eid(2).n;
	OK(sys_page_take(SELF, frame(1, 20), EXO_PAGE_DATA));
	OK(sys_page_map(8, frame(2, L1), 100, frame(1, 20), 1, R));
	OK(sys_page_map(8, frame(2, L1), 101, frame(2, UPCALL), 1, 8 << 8 | RW));
	OK(sys_page_map(8, frame(2, L1), 102, frame(2, L1), 1, 8 << 8 | R));
	OK(sys_page_map(SELF, frame(1, L1), 100, frame(2, DATA), 1, 8 << 8 | R));
	OK(sys_page_map(8, frame(2, L1), 104, frame(2, DATA + 1), 1, 8 << 8 | R));
	OK(sys_env_kill(8, 0));
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, L1))) == 0);
	CHECK(pages[frame(1, 20)].owner == 1 && page_maps[frame(1, 20)] == 0);
	CHECK(pages[frame(2, UPCALL)].owner == 2 && pages[frame(2, L1)].owner == 2);
	CHECK(pages[frame(2, DATA)].owner == 2 && page_maps[frame(2, DATA)] == 1);
	CHECK(is_free(frame(2, DATA + 1)) && is_free(frame(2, DATA + 3)));
	NO(BUSY, sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, DATA)));
	OK(sys_page_unmap(SELF, frame(1, L1), 100, 1));
	reclaim_all(2);
	CHECK(quota_used[2].n[EXO_QUOTA_PAGES] == 0);
}

/* A table that another table of the dead one shows goes with what shows it; of a large page no
   frame goes. */
static void test_env_reclaim_shown_tables(void)
{
	uint64_t eid;

	world();
	child(2, 8);
	eid = env_eid(2).n;
	OK(sys_quota_move(8, EXO_QUOTA_PAGES, 512));
	for (uint32_t f = RUN_START; f < RUN_START + 512; f++)
		OK(sys_page_take(8, f, EXO_PAGE_DATA));
	OK(sys_page_map_large(8, frame(2, L2), 2, RUN_START, 8 << 8 | RW));
	OK(sys_page_take(8, frame(2, 20), level(1)));
	OK(sys_table_link(8, frame(2, L2), 1, frame(2, 20)));
	OK(sys_page_map(8, frame(2, 20), 0, frame(2, L1), 1, 8 << 8 | R));
	OK(sys_page_map(8, frame(2, 20), 1, frame(2, 20), 1, 8 << 8 | R));
	OK(sys_env_kill(8, 0));
	for (uint32_t n = 0; n < 5; n++)
		CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, ROOT))) == 0);
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, frame(2, ROOT))) == 1);
	CHECK(is_free(frame(2, L1)) && is_free(frame(2, 20)));
	CHECK(run_maps[1] == 0 && pages[RUN_START].owner == 2 && pages[RUN_START + 511].owner == 2);
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_PAGES, RUN_START)) == 1);
}

static void test_env_reclaim_io(void)
{
	uint64_t eid;

	world();
	child(2, 8);
	eid = env_eid(2).n;
	OK(sys_quota_move(8, EXO_QUOTA_IO, 4));
	OK(sys_env_kill(8, 0));
	NO(STATE, sys_env_reclaim(eid, EXO_QUOTA_IO, 0));
	page_pin(frame(2, DATA));
	envs[2].io_ring = frame(2, DATA);
	for (uint32_t i = 1; i < 3; i++)
		ios[i] = (struct exo_io){.state = EXO_IOS_QUEUED, .op = EXO_IO_FLUSH, .env = 2};
	quota_charge(2, EXO_QUOTA_IO, 2);
	host_io_queued[2] = 1;
	host_io_active[2] = 1;
	NO(ARG, sys_env_reclaim(eid, EXO_QUOTA_IO, 1));
	ios[1].state = EXO_IOS_FREE;
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_IO, 0)) == 0);
	NO(BUSY, sys_env_reclaim(eid, EXO_QUOTA_IO, 0));
	host_io_active[2] = 0;
	ios[2].state = EXO_IOS_FREE;
	quota_release(2, EXO_QUOTA_IO, 1);
	CHECK(OK(sys_env_reclaim(eid, EXO_QUOTA_IO, 0)) == 1 && envs[2].io_ring == 0);
	reclaim_all(2);
	OK(sys_env_reap(8));
}

static void test_env_orphans(void)
{
	world();
	child(2, 8);
	OK(sys_quota_move(8, EXO_QUOTA_PAGES, 100));
	OK(sys_quota_move(8, EXO_QUOTA_CAPS, 20));
	OK(sys_quota_move(8, EXO_QUOTA_SLOTS, 9));
	OK(sys_quota_move(8, EXO_QUOTA_ENVS, 1));
	OK(sys_quota_move(8, EXO_QUOTA_EXTENTS, 3));
	become(2);
	child(3, 1);
	become(1);
	OK(sys_env_kill(8, 0));
	reclaim_all(2);
	NO(BUSY, sys_env_reap(8));
	NO(PERM, sys_env_open(env_eid(3).n, 9));
	NO(PERM, sys_env_reclaim(env_eid(2).n, EXO_QUOTA_ENVS, 2));
	NO(RANGE, sys_env_reclaim(env_eid(2).n, EXO_QUOTA_ENVS, 0));
	NO(RANGE, sys_env_reclaim(env_eid(2).n, EXO_QUOTA_ENVS, NENV));
	NO(PERM, sys_env_reclaim(env_eid(2).n, EXO_QUOTA_ENVS, 4));
	become(3);
	OK(sys_env_kill(SELF, 1));
	become(1);
	envs[1].events = 0;
	OK(sys_env_reclaim(env_eid(2).n, EXO_QUOTA_ENVS, 3));
	CHECK(envs[1].events == EXO_EV_CHILD && envs[3].parent == env_eid(1).n);
	OK(sys_env_open(env_eid(3).n, 9));
	quota_charge(2, EXO_QUOTA_EXTENTS, 2); /* extents outlive who took them */
	host_extent_payer[5] = host_extent_payer[6] = 2;
	NO(BUSY, sys_env_reap(8));
	OK(sys_env_reclaim(env_eid(2).n, EXO_QUOTA_EXTENTS, 5));
	NO(PERM, sys_env_reclaim(env_eid(2).n, EXO_QUOTA_EXTENTS, 5));
	OK(sys_env_reclaim(env_eid(2).n, EXO_QUOTA_EXTENTS, 6));
	OK(sys_env_reap(8));
	CHECK(quota_used[1].n[EXO_QUOTA_EXTENTS] == 2 && host_extent_payer[5] == 1);
	quota_release(1, EXO_QUOTA_EXTENTS, 2);
	reclaim_all(3);
	OK(sys_env_reap(9));
	CHECK(quota_used[1].n[EXO_QUOTA_ENVS] == 0 && quota_used[1].n[EXO_QUOTA_CAPS] == 0);
	CHECK(quota_limit[1].n[EXO_QUOTA_PAGES] == FRAMES - FIRST_FREE);
	OK(sys_env_kill(SELF, 0));
	NO(PERM, sys_env_reclaim(env_eid(1).n, EXO_QUOTA_ENVS, 2));
}

static void test_env_reap(void)
{
	uint64_t eid;

	world();
	child(2, 8);
	eid = env_eid(2).n;
	OK(sys_cap_derive(8, 9, EXO_ENV_BUILD | EXO_ENV_GIVE, 0, 0));
	NO(STATE, sys_env_reap(8));
	NO(STATE, sys_env_reap(0));
	OK(sys_env_kill(8, 0));
	reclaim_all(2);
	NO(PERM, sys_env_reap(9));
	NO(RANGE, sys_env_reap(64));
	OK(sys_env_reap(8));
	CHECK(envs[2].state == EXO_ENV_FREE && envs[2].gen == 2 && caps[1].c[8].kind == 0);
	NO(STALE, sys_env_kill(9, 0));
	NO(STALE, sys_event_post(eid, EXO_EV_USER));
	NO(STATE, sys_env_reap(8));
	OK(sys_env_create(2, 8));
	NO(STALE, sys_env_kill(9, 0));
	CHECK(env_by_eid(eid) == 0 && env_by_eid(env_eid(2).n) == 2);
	OK(sys_env_kill(8, 0));
	envs[2].gen = UINT32_MAX;
	NO(STATE, sys_env_reap(8));
}

static void test_quota_move(void)
{
	world();
	OK(sys_env_create(2, 8));
	OK(sys_quota_move(8, EXO_QUOTA_PAGES, 100));
	CHECK(quota_limit[2].n[EXO_QUOTA_PAGES] == 100);
	NO(QUOTA, sys_quota_move(8, EXO_QUOTA_PAGES, FRAMES));
	NO(QUOTA, sys_quota_move(8, EXO_QUOTA_PAGES, ~0ull));
	NO(QUOTA, sys_quota_move(8, EXO_QUOTA_SLOTS, 256)); /* one is in use */
	OK(sys_quota_move(8, EXO_QUOTA_SLOTS, 255));
	NO(ARG, sys_quota_move(8, EXO_NQUOTA, 0));
	NO(ARG, sys_quota_move(8, ~0ull, 0));
	OK(sys_quota_move(SELF, EXO_QUOTA_PAGES, 5));
	OK(sys_cap_derive(8, 9, EXO_ENV_BUILD, 0, 0));
	NO(PERM, sys_quota_move(9, EXO_QUOTA_PAGES, 1));
	NO(STATE, sys_quota_move(20, EXO_QUOTA_PAGES, 1));
	OK(sys_env_kill(8, 0));
	NO(STATE, sys_quota_move(8, EXO_QUOTA_PAGES, 1));
}

/* ---- frames and tables ------------------------------------------------------------------- */

static void test_page_take(void)
{
	const uint32_t f = frame(2, DATA);

	world();
	OK(sys_page_take(SELF, f, EXO_PAGE_DATA));
	CHECK(pages[f].owner == 1 && machine_bytes((struct pfn){f})[4095] == 0);
	NO(OCCUPIED, sys_page_take(SELF, f, EXO_PAGE_DATA));
	NO(OCCUPIED, sys_page_take(SELF, 0, EXO_PAGE_DATA));
	NO(RANGE, sys_page_take(SELF, FRAMES, EXO_PAGE_DATA));
	NO(RANGE, sys_page_take(SELF, 1ull << 32 | (f + 1), EXO_PAGE_DATA));
	NO(ARG, sys_page_take(SELF, f + 1, EXO_PAGE_FREE));
	NO(ARG, sys_page_take(SELF, f + 1, EXO_PAGE_KERNEL));
	NO(ARG, sys_page_take(SELF, f + 1, EXO_PAGE_TABLE));
	NO(ARG, sys_page_take(SELF, f + 1, level(5)));
	NO(ARG, sys_page_take(SELF, f + 1, EXO_PAGE_DATA | 1 << 8));
	OK(sys_page_take(SELF, f + 1, level(4)));
	CHECK(machine_table((struct pfn){f + 1})->e[256] != 0);
	CHECK(machine_table((struct pfn){f + 1})->e[EXO_USER_L4 - 1] == 0);
	OK(sys_env_create(2, 8));
	NO(QUOTA, sys_page_take(8, f + 2, EXO_PAGE_DATA));
	OK(sys_cap_derive(8, 9, EXO_ENV_GIVE, 0, 0));
	NO(PERM, sys_page_take(9, f + 2, EXO_PAGE_DATA));
	NO(STATE, sys_page_take(10, f + 2, EXO_PAGE_DATA));
	OK(sys_env_kill(8, 0));
	NO(STATE, sys_page_take(8, f + 2, EXO_PAGE_DATA));
}

static void test_page_free(void)
{
	world();
	NO(BUSY, sys_page_free(SELF, frame(1, DATA)));
	NO(BUSY, sys_page_free(SELF, frame(1, ROOT)));
	NO(BUSY, sys_page_free(SELF, frame(1, SAVE)));
	NO(BUSY, sys_page_free(SELF, frame(1, L2)));
	NO(PERM, sys_page_free(SELF, frame(2, DATA)));
	NO(PERM, sys_page_free(SELF, 0));
	NO(RANGE, sys_page_free(SELF, FRAMES));
	OK(sys_page_unmap(SELF, frame(1, L1), 0, 4));
	OK(sys_page_free(SELF, frame(1, DATA)));
	page_pin(frame(1, DATA + 1));
	NO(BUSY, sys_page_free(SELF, frame(1, DATA + 1)));
	page_unpin(frame(1, DATA + 1));
	NO(BUSY, sys_page_free(SELF, frame(1, L1)));
	OK(sys_table_unlink(SELF, frame(1, L2), 0));
	OK(sys_page_free(SELF, frame(1, L1)));
	CHECK(page_free_count() == info.free_frames);
	/* A frame under a large page, mapped only by that. */
	for (uint32_t i = 0; i < RUN; i++)
		(void)sys_page_take(SELF, RUN_START + i, EXO_PAGE_DATA);
	OK(sys_page_map_large(SELF, frame(1, L2), 7, RUN_START, RW));
	NO(BUSY, sys_page_free(SELF, RUN_START + 300));
	OK(sys_page_unmap(SELF, frame(1, L2), 7, 1));
	OK(sys_page_free(SELF, RUN_START + 300));
}

static void test_table_link(void)
{
	const uint32_t t = frame(1, 20);

	world();
	OK(sys_page_take(SELF, t, level(1)));
	OK(sys_page_take(SELF, t + 1, level(2)));
	OK(sys_page_take(SELF, t + 2, level(1)));
	OK(sys_page_take(SELF, t + 3, level(3)));
	NO(OCCUPIED, sys_table_link(SELF, frame(1, L2), 0, t));
	NO(TYPE, sys_table_link(SELF, frame(1, L2), 1, t + 1));
	NO(TYPE, sys_table_link(SELF, frame(1, L1), 9, t));
	NO(TYPE, sys_table_link(SELF, frame(1, DATA), 9, t));
	NO(TYPE, sys_table_link(SELF, frame(1, L2), 1, frame(1, DATA)));
	NO(STATE, sys_table_link(SELF, t + 1, 0, t)); /* not linked itself */
	NO(RANGE, sys_table_link(SELF, frame(1, L2), 512, t));
	NO(RANGE, sys_table_link(SELF, frame(1, ROOT), EXO_USER_L4, t + 3));
	NO(RANGE, sys_table_link(SELF, frame(1, L2), 1, FRAMES));
	NO(RANGE, sys_table_link(SELF, FRAMES, 1, t));
	NO(PERM, sys_table_link(SELF, frame(2, L2), 1, t));
	NO(PERM, sys_table_link(SELF, frame(1, L2), 1, frame(2, 0)));
	OK(sys_table_link(SELF, frame(1, L2), 1, t));
	CHECK(pages[t].va == 0x200000 && pages[t].parent == frame(1, L2));
	NO(BUSY, sys_table_link(SELF, frame(1, L2), 2, t));
	OK(sys_table_link(SELF, frame(1, ROOT), EXO_USER_L4 - 1, t + 3));
	CHECK(pages[t + 3].va == (EXO_USER_L4 - 1ull) << 39);
	OK(sys_table_link(SELF, t + 3, 511, t + 1));
	OK(sys_table_link(SELF, t + 1, 511, t + 2));
	CHECK(pages[t + 2].va == ((uint64_t)EXO_USER_L4 << 39) - 0x200000);
}

static void test_table_unlink(void)
{
	world();
	NO(BUSY, sys_table_unlink(SELF, frame(1, L2), 0));
	NO(STATE, sys_table_unlink(SELF, frame(1, L2), 1));
	NO(RANGE, sys_table_unlink(SELF, frame(1, L2), 512));
	NO(TYPE, sys_table_unlink(SELF, frame(1, L1), 0));
	NO(STATE, sys_table_unlink(5, frame(1, L2), 0));
	OK(sys_page_unmap(SELF, frame(1, L1), 0, 4));
	OK(sys_table_unlink(SELF, frame(1, L2), 0));
	CHECK(host_drop_count == 1 && host_drops[0].root == frame(1, ROOT));
	NO(STATE, sys_page_map(SELF, frame(1, L1), 0, frame(1, DATA), 1, RW));
	OK(sys_table_link(SELF, frame(1, L2), 9, frame(1, L1)));
	OK(sys_page_map(SELF, frame(1, L1), 3, frame(1, DATA), 1, RW));
	OK(sys_page_unmap(SELF, frame(1, L1), 3, 1));
	CHECK(host_drops[0].va == 9 * 0x200000 + 3 * 4096);
}

static void test_page_map(void)
{
	const uint32_t t = frame(1, L1), f = frame(1, DATA);
	const struct table *const entries = machine_table((struct pfn){t});

	world();
	OK(sys_page_map(SELF, t, 510, f, 2, R));
	CHECK(page_maps[f] == 2 && page_maps[f + 2] == 1 && pages[t].present == 6);
	CHECK(entries->e[511] == ((f + 1) * 4096ull | PTE_P | PTE_U | PTE_NX));
	CHECK((entries->e[0] & (PTE_W | PTE_NX)) == (PTE_W | PTE_NX));
	NO(OCCUPIED, sys_page_map(SELF, t, 509, f, 2, R));
	NO(RANGE, sys_page_map(SELF, t, 509, f, 4, R));
	NO(RANGE, sys_page_map(SELF, t, 100, f, 0, R));
	NO(RANGE, sys_page_map(SELF, t, 512, f, 1, R));
	NO(RANGE, sys_page_map(SELF, t, 100, f, ~0ull, R));
	NO(RANGE, sys_page_map(SELF, t, 100, FRAMES, 1, R));
	NO(RANGE, sys_page_map(SELF, t, 100, 1ull << 32 | f, 1, R));
	NO(RANGE, sys_page_map(SELF, t, 100, FRAMES - 1, 2, R));
	NO(WX, sys_page_map(SELF, t, 100, f, 1, RW | RX));
	NO(ARG, sys_page_map(SELF, t, 100, f, 1, 0));
	NO(ARG, sys_page_map(SELF, t, 100, f, 1, EXO_MAP_WRITE));
	NO(ARG, sys_page_map(SELF, t, 100, f, 1, 8 | R));
	NO(RANGE, sys_page_map(SELF, t, 100, f, 1, 64 << 8 | R));
	NO(STATE, sys_page_map(SELF, t, 100, f, 1, 5 << 8 | R));
	NO(PERM, sys_page_map(SELF, t, 100, f, 5, R)); /* the fifth is free */
	NO(PERM, sys_page_map(SELF, t, 100, 0, 1, R));
	NO(TYPE, sys_page_map(SELF, frame(1, L2), 100, f, 1, R));
	NO(TYPE, sys_page_map(SELF, f, 100, f, 1, R));
	NO(TYPE, sys_page_map(SELF, t, 100, t, 1, RW));
	NO(TYPE, sys_page_map(SELF, t, 100, frame(1, SAVE), 1, RX));
	OK(sys_page_map(SELF, t, 100, t, 1, R));
	OK(sys_page_map(SELF, t, 101, frame(1, SAVE), 1, R));
	OK(sys_page_map(SELF, t, 102, frame(1, UPCALL), 1, RW));
	OK(sys_page_map(SELF, t, 103, f, 1, RX));
	cap_put(1, 9, (struct exo_cap){.kind = EXO_CAP_MACHINE});
	NO(TYPE, sys_page_map(SELF, t, 104, f, 1, 9 << 8 | R));
	page_maps[f] = UINT32_MAX;
	NO(STATE, sys_page_map(SELF, t, 104, f, 1, R));
}

static void test_page_map_for_child(void)
{
	world();
	child(2, 8);
	/* The parent's frame into the child, the child's into the parent. */
	OK(sys_page_map(8, frame(2, L1), 50, frame(1, DATA), 1, RW));
	OK(sys_page_map(SELF, frame(1, L1), 50, frame(2, DATA), 1, 8 << 8 | RW));
	NO(PERM, sys_page_map(SELF, frame(2, L1), 51, frame(1, DATA), 1, R));
	NO(PERM, sys_page_map(8, frame(1, L1), 51, frame(1, DATA), 1, R));
	NO(BUSY, sys_page_free(8, frame(2, DATA)));
	become(2);
	NO(PERM, sys_page_protect(SELF, frame(2, L1), 50, 1, R));
	OK(sys_page_unmap(SELF, frame(2, L1), 50, 1));
	NO(PERM, sys_page_map(SELF, frame(2, L1), 50, frame(1, DATA), 1, R));
}

static void test_page_map_large(void)
{
	const uint32_t t = frame(1, L2);

	world();
	for (uint32_t i = 0; i < RUN; i++)
		(void)sys_page_take(SELF, RUN_START + i, EXO_PAGE_DATA);
	OK(sys_page_map_large(SELF, t, 7, RUN_START, RW));
	CHECK(run_maps[1] == 1 && (machine_table((struct pfn){t})->e[7] & PTE_PS) != 0);
	NO(OCCUPIED, sys_page_map_large(SELF, t, 7, RUN_START, R));
	NO(OCCUPIED, sys_page_map_large(SELF, t, 0, RUN_START, R));
	NO(ARG, sys_page_map_large(SELF, t, 8, RUN_START + 1, R));
	NO(RANGE, sys_page_map_large(SELF, t, 8, 1024, R)); /* the run is not whole */
	NO(RANGE, sys_page_map_large(SELF, t, 8, 1ull << 40, R));
	NO(RANGE, sys_page_map_large(SELF, t, 512, RUN_START, R));
	NO(PERM, sys_page_map_large(SELF, t, 8, 0, R));
	NO(WX, sys_page_map_large(SELF, t, 8, RUN_START, RW | RX));
	NO(TYPE, sys_page_map_large(SELF, frame(1, L1), 8, RUN_START, R));
	NO(STATE, sys_page_map_large(SELF, t, 8, RUN_START, 9 << 8 | R));
	NO(TYPE, sys_page_unmap(SELF, t, 0, 8)); /* entry 0 links a table */
	NO(ARG, sys_page_protect(SELF, t, 7, 2, R));
	NO(TYPE, sys_table_unlink(SELF, t, 7));
	OK(sys_page_protect(SELF, t, 7, 1, R));
	CHECK((machine_table((struct pfn){t})->e[7] & (PTE_W | PTE_PS)) == PTE_PS);
	OK(sys_page_unmap(SELF, t, 1, 511));
	CHECK(run_maps[1] == 0 && host_drops[0].pages == 511 * 512);
	OK(sys_page_free(SELF, RUN_START + 77));
	NO(PERM, sys_page_map_large(SELF, t, 8, RUN_START, R));
	OK(sys_page_take(SELF, RUN_START + 77, level(1)));
	NO(TYPE, sys_page_map_large(SELF, t, 8, RUN_START, R));
}

/* A run that is mapped already is not looked at again frame by frame, and rights end all the same.
 */
static void test_page_map_large_again(void)
{
	const uint32_t t = frame(2, L2);

	world();
	for (uint32_t i = 0; i < RUN; i++)
		OK(sys_page_take(SELF, RUN_START + i, EXO_PAGE_DATA));
	child(2, 8);
	OK(sys_page_map_large(SELF, frame(1, L2), 7, RUN_START, RW));
	NO(PERM, sys_page_map(SELF, frame(1, L1), 0, RUN_START + 1, RUN, R)); /* the last is not */
	OK(sys_page_share(RUN_START, RUN, 8, 5, EXO_RIGHT_READ));
	become(2);
	OK(sys_page_map_large(SELF, t, 7, RUN_START, 5 << 8 | R));
	NO(PERM, sys_page_map_large(SELF, t, 8, RUN_START, 5 << 8 | RW));
	NO(PERM, sys_page_map_large(SELF, t, 8, RUN_START, R));
	become(1);
	OK(sys_page_unshare(RUN_START + 300, 1));
	OK(sys_page_share(RUN_START, RUN, 8, 6, EXO_RIGHT_READ));
	become(2);
	NO(STALE, sys_page_map_large(SELF, t, 8, RUN_START, 5 << 8 | R));
	OK(sys_page_map_large(SELF, t, 8, RUN_START, 6 << 8 | R));
	CHECK(run_maps[RUN_START / RUN] == 3);
}

static void test_page_unmap(void)
{
	const uint32_t t = frame(1, L1);

	world();
	OK(sys_page_unmap(SELF, t, 2, 100));
	CHECK(pages[t].present == 2 && page_maps[frame(1, DATA + 2)] == 0);
	CHECK(host_drop_count == 1 && host_drops[0].va == 2 * 4096 && host_drops[0].pages == 100);
	OK(sys_page_unmap(SELF, t, 2, 100));
	CHECK(host_drop_count == 0);
	NO(RANGE, sys_page_unmap(SELF, t, 511, 2));
	NO(RANGE, sys_page_unmap(SELF, t, 0, 0));
	NO(TYPE, sys_page_unmap(SELF, frame(1, L3), 0, 1));
	NO(TYPE, sys_page_unmap(SELF, frame(1, DATA), 0, 1));
	NO(PERM, sys_page_unmap(SELF, 3, 0, 1));
	NO(STATE, sys_page_unmap(9, t, 0, 1));
	OK(sys_page_take(SELF, frame(1, 20), level(1)));
	NO(STATE, sys_page_unmap(SELF, frame(1, 20), 0, 1));
}

static void test_page_protect(void)
{
	const uint32_t t = frame(1, L1);
	struct table *const entries = machine_table((struct pfn){t});

	world();
	entries->e[0] |= PTE_A | PTE_D;
	OK(sys_page_protect(SELF, t, 0, 512, R));
	CHECK((entries->e[0] & (PTE_W | PTE_A | PTE_D | PTE_NX)) == (PTE_A | PTE_D | PTE_NX));
	CHECK(entries->e[4] == 0 && host_drops[0].pages == 512);
	OK(sys_page_protect(SELF, t, 0, 1, RX));
	CHECK((entries->e[0] & PTE_NX) == 0);
	OK(sys_page_map(SELF, t, 4, frame(1, SAVE), 1, R));
	NO(TYPE, sys_page_protect(SELF, t, 0, 5, RW)); /* the last one refuses all */
	OK(sys_page_protect(SELF, t, 0, 4, RW));
	CHECK((entries->e[0] & PTE_W) != 0);
	NO(WX, sys_page_protect(SELF, t, 0, 4, RW | RX));
	NO(ARG, sys_page_protect(SELF, t, 0, 4, 0));
	NO(RANGE, sys_page_protect(SELF, t, 0, 513, R));
	NO(STATE, sys_page_protect(SELF, t, 0, 1, 9 << 8 | R));
	NO(TYPE, sys_page_protect(SELF, frame(1, L3), 0, 1, R));
	NO(TYPE, sys_page_protect(SELF, frame(1, L2), 0, 1, R));
	NO(PERM, sys_page_protect(SELF, 3, 0, 1, R));
}

static void test_page_share(void)
{
	const uint32_t f = frame(1, DATA), t = frame(2, L1);

	world();
	child(2, 8);
	OK(sys_page_share(f, 2, 8, 5, EXO_RIGHT_READ));
	OK(sys_page_share(f, 1, 8, 6, EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_GRANT));
	NO(OCCUPIED, sys_page_share(f, 1, 8, 5, R));
	NO(RANGE, sys_page_share(f, 1, 8, 64, R));
	NO(RANGE, sys_page_share(f, 0, 8, 7, R));
	NO(RANGE, sys_page_share(f, FRAMES, 8, 7, R));
	NO(RANGE, sys_page_share(f, ~0ull, 8, 7, R));
	NO(PERM, sys_page_share(f, 5, 8, 7, R));
	NO(PERM, sys_page_share(frame(2, DATA), 1, 8, 7, R));
	NO(TYPE, sys_page_share(frame(1, L1), 1, 8, 7, R));
	NO(ARG, sys_page_share(f, 1, 8, 7, EXO_RIGHT_WRITE));
	NO(ARG, sys_page_share(f, 1, 8, 7, EXO_RIGHT_READ | EXO_RIGHT_ADMIN));
	NO(STATE, sys_page_share(f, 1, 9, 7, R));
	become(2);
	OK(sys_page_map(SELF, t, 20, f, 2, 5 << 8 | R));
	NO(PERM, sys_page_map(SELF, t, 30, f, 1, 5 << 8 | RW));
	NO(RANGE, sys_page_map(SELF, t, 30, f, 3, 5 << 8 | R));
	NO(RANGE, sys_page_map(SELF, t, 30, f - 1, 1, 5 << 8 | R));
	NO(RANGE, sys_page_map(SELF, t, 30, f + 2, 1, 5 << 8 | R));
	OK(sys_page_map(SELF, t, 30, f, 1, 6 << 8 | RW));
	NO(PERM, sys_page_protect(SELF, t, 20, 1, 5 << 8 | RW));
	OK(sys_page_protect(SELF, t, 20, 1, 6 << 8 | RW));
	OK(sys_page_protect(SELF, t, 20, 1, 5 << 8 | R));
	CHECK(page_covered(2, 6, f, 1, 1) == EXO_OK);
	CHECK(page_covered(2, 5, f, 2, 0) == EXO_OK);
	CHECK(page_covered(2, 5, f, 1, 1) == EXO_PERM);
	CHECK(page_covered(2, 5, f, 513, 0) == EXO_RANGE);
	CHECK(page_covered(2, 5, ~0u, 1, 0) == EXO_RANGE);
	CHECK(page_covered(2, 0, frame(2, DATA), 4, 1) == EXO_OK);
	CHECK(page_covered(2, 0, frame(2, UPCALL), 1, 0) == EXO_TYPE);
	CHECK(page_covered(2, 0, f, 1, 0) == EXO_PERM);
	become(1);
	NO(BUSY, sys_page_free(SELF, f + 1));
	OK(sys_env_kill(8, 0));
	NO(STATE, sys_page_share(f, 1, 8, 7, R));
}

static void test_page_unshare(void)
{
	const uint32_t f = frame(1, DATA), t = frame(2, L1);

	world();
	child(2, 8);
	OK(sys_page_share(f, 2, 8, 5, RW));
	OK(sys_page_unshare(f, 1));
	NO(PERM, sys_page_unshare(frame(2, DATA), 1));
	NO(PERM, sys_page_unshare(f, 5));
	NO(RANGE, sys_page_unshare(f, 0));
	NO(RANGE, sys_page_unshare(f, 513));
	NO(RANGE, sys_page_unshare(FRAMES, 1));
	become(2);
	NO(STALE, sys_page_map(SELF, t, 20, f, 1, 5 << 8 | R));
	OK(sys_page_map(SELF, t, 20, f + 1, 1, 5 << 8 | R));
	/* A frame that was given back and taken again is not the one that was shared. */
	become(1);
	OK(sys_page_share(frame(1, DATA + 3), 1, 8, 6, RW));
	OK(sys_page_unmap(SELF, frame(1, L1), 3, 1));
	OK(sys_page_free(SELF, frame(1, DATA + 3)));
	OK(sys_page_take(SELF, frame(1, DATA + 3), EXO_PAGE_DATA));
	become(2);
	NO(STALE, sys_page_map(SELF, t, 30, frame(1, DATA + 3), 1, 6 << 8 | R));
	/* The mapping stays; freeing waits for it; a new life of the frame is not covered. */
	become(1);
	OK(sys_page_unshare(f + 1, 1));
	OK(sys_page_unmap(SELF, frame(1, L1), 0, 4));
	NO(BUSY, sys_page_free(SELF, f + 1));
	OK(sys_page_unmap(8, t, 20, 1));
	OK(sys_page_free(SELF, f));
	OK(sys_page_take(SELF, f, EXO_PAGE_DATA));
	become(2);
	NO(STALE, sys_page_map(SELF, t, 20, f, 1, 5 << 8 | R));
}

/* ---- the registry, devices --------------------------------------------------------------- */

enum { X3 = 20, X3_READ = 21, X3_PART = 22, X4 = 23, BLOCK = 300 };

/* An entry of the set of this block of extent x. */
static uint64_t entry(uint32_t x, uint64_t block, uint32_t way)
{
	return exo_bind_set(x, block, HOST_BINDS) * EXO_BIND_WAYS + way;
}

static void extent_cap(uint32_t e, uint32_t slot, uint32_t x, uint8_t rights, uint64_t len)
{
	cap_put(e, slot,
		(struct exo_cap){.kind = EXO_CAP_EXTENT,
				 .rights = rights,
				 .object = x,
				 .gen = host_extent_gen[x],
				 .start = BLOCK,
				 .len = len});
}

/* Environments 1, who may do all with extent 3, and 2, who may read and write it. */
static void bind_world(void)
{
	world();
	child(2, 8);
	extent_cap(1, X3, 3, 15, 10);
	extent_cap(1, X4, 4, 15, 10);
	extent_cap(2, X3, 3, EXO_RIGHT_READ | EXO_RIGHT_WRITE, 10);
	extent_cap(2, X3_READ, 3, EXO_RIGHT_READ, 10);
	extent_cap(2, X3_PART, 3, EXO_RIGHT_READ | EXO_RIGHT_WRITE, 1);
}

static void test_block_bind(void)
{
	const uint64_t at = entry(3, BLOCK + 1, 2);
	const uint32_t f = frame(1, DATA);

	bind_world();
	OK(sys_block_bind(X3, BLOCK + 1, at, f));
	CHECK(registry[at].frame == f && registry[at].env == 1 && registry[at].extent == 3);
	CHECK(pages[f].bound == at + 1 && registry_live((uint32_t)at));
	NO(BUSY, sys_block_bind(X3, BLOCK, entry(3, BLOCK, 0), f));
	NO(OCCUPIED, sys_block_bind(X3, BLOCK + 1, at, f + 1));
	NO(OCCUPIED, sys_block_bind(X3, BLOCK + 1, at ^ 1, f + 1)); /* it is bound already */
	NO(RANGE, sys_block_bind(X3, BLOCK - 1, entry(3, BLOCK - 1, 0), f + 1));
	NO(RANGE, sys_block_bind(X3, BLOCK + 10, entry(3, BLOCK + 10, 0), f + 1));
	NO(RANGE, sys_block_bind(X3, BLOCK, entry(3, BLOCK, 0) ^ EXO_BIND_WAYS, f + 1));
	NO(RANGE, sys_block_bind(X3, BLOCK, HOST_BINDS, f + 1));
	NO(RANGE, sys_block_bind(X3, BLOCK, 1ull << 32 | entry(3, BLOCK, 0), f + 1));
	NO(RANGE, sys_block_bind(X3, BLOCK, entry(3, BLOCK, 0), FRAMES));
	NO(RANGE, sys_block_bind(X3, BLOCK, entry(3, BLOCK, 0), 1ull << 32 | (f + 1)));
	NO(TYPE, sys_block_bind(X3, BLOCK, entry(3, BLOCK, 0), frame(1, SAVE)));
	NO(PERM, sys_block_bind(X3, BLOCK, entry(3, BLOCK, 0), frame(2, DATA)));
	NO(PERM, sys_block_bind(X3, BLOCK, entry(3, BLOCK, 0), 1000)); /* free */
	NO(TYPE, sys_block_bind(SELF, BLOCK, entry(3, BLOCK, 0), f + 1));
	NO(STATE, sys_block_bind(30, BLOCK, entry(3, BLOCK, 0), f + 1));
	NO(RANGE, sys_block_bind(64, BLOCK, entry(3, BLOCK, 0), f + 1));
	NO(STATE, sys_block_bind(X3, BLOCK, entry(3, BLOCK, 0), 0)); /* not bound */
	NO(STATE, sys_block_bind(X3, BLOCK + 1, at ^ 1, 0));
	become(2);
	NO(PERM, sys_block_bind(X3_READ, BLOCK + 2, entry(3, BLOCK + 2, 0), frame(2, DATA)));
	NO(RANGE, sys_block_bind(X3_PART, BLOCK + 1, at, frame(2, DATA)));
	NO(PERM, sys_block_bind(X3, BLOCK + 1, at, 0)); /* another's, and no ADMIN */
	OK(sys_block_bind(X3, BLOCK + 2, entry(3, BLOCK + 2, 0), frame(2, DATA)));
	OK(sys_block_bind(X3, BLOCK + 2, entry(3, BLOCK + 2, 0), 0));
	OK(sys_block_bind(X3, BLOCK + 2, entry(3, BLOCK + 2, 0), frame(2, DATA)));
	become(1);
	OK(sys_block_bind(X3, BLOCK + 2, entry(3, BLOCK + 2, 0), 0)); /* with ADMIN */
	CHECK(pages[frame(2, DATA)].bound == 0);
}

static void test_bound_frame_is_mapped_by_readers(void)
{
	const uint32_t f = frame(1, DATA), table = frame(2, L1);

	bind_world();
	OK(sys_block_bind(X3, BLOCK + 1, entry(3, BLOCK + 1, 0), f));
	become(2);
	NO(PERM, sys_page_map(SELF, table, 20, f, 1, R)); /* by right of its own */
	OK(sys_page_map(SELF, table, 20, f, 1, X3_READ << 8 | R));
	CHECK(page_maps[f] == 2);
	NO(PERM, sys_page_map(SELF, table, 21, f, 1, X3 << 8 | RW));
	NO(PERM, sys_page_map(SELF, table, 21, f, 1, X3 << 8 | RX));
	NO(PERM, sys_page_map(SELF, table, 21, f, 1, X3_PART << 8 | R)); /* not that block */
	NO(PERM, sys_page_map(SELF, table, 21, f + 1, 1, X3 << 8 | R));	 /* not bound */
	NO(RANGE, sys_page_map(SELF, table, 21, FRAMES, 1, X3 << 8 | R));
	NO(PERM, sys_page_map(SELF, table, 21, f, 2, X3 << 8 | R)); /* the second is not bound */
	NO(PERM, sys_page_protect(SELF, table, 20, 1, X3 << 8 | RW));
	OK(sys_page_protect(SELF, table, 20, 1, X3 << 8 | R));
	become(1);
	NO(BUSY, sys_page_free(SELF, f));
	OK(sys_block_bind(X3, BLOCK + 1, entry(3, BLOCK + 1, 0), 0));
	become(2);
	NO(PERM, sys_page_map(SELF, table, 21, f, 1, X3_READ << 8 | R));
	become(1); /* what is mapped can be had back */
	CHECK(OK(sys_revoke_take(SELF, EXO_ASK_PAGES, f, table)) == 1 && page_maps[f] == 1);
}

static void test_bind_of_an_old_generation_does_not_count(void)
{
	const uint64_t at = entry(3, BLOCK + 1, 0);
	const uint32_t f = frame(1, DATA), table = frame(2, L1);

	bind_world();
	OK(sys_block_bind(X3, BLOCK + 1, at, f));
	OK(sys_cap_revoke(X3));
	NO(STALE, sys_block_bind(X3, BLOCK + 1, at, 0));
	CHECK(!registry_live((uint32_t)at));
	extent_cap(1, 30, 3, 15, 10);
	extent_cap(2, 30, 3, 3, 10);
	NO(STATE, sys_block_bind(30, BLOCK + 1, at, 0));
	become(2);
	NO(STALE, sys_page_map(SELF, table, 20, f, 1, X3 << 8 | R));
	NO(PERM, sys_page_map(SELF, table, 20, f, 1, 30 << 8 | R));
	OK(sys_block_bind(30, BLOCK + 1, at, frame(2, DATA))); /* and is overwritten */
	CHECK(pages[f].bound == 0 && registry[at].env == 2);
}

/* A mark in an entry, of a page that was mapped by a right that is gone, is no new mapping: the
   test of random calls took it for one. */
static void test_a_mark_is_no_mapping(void)
{
	uint8_t byte;

	world();
	child(2, 8);
	OK(sys_page_share(frame(1, DATA), 1, 8, 5, EXO_RIGHT_READ));
	become(2);
	OK(sys_page_map(SELF, frame(2, L1), 100, frame(1, DATA), 1, 5 << 8 | R));
	OK(sys_cap_drop(5));
	host_remember();
	CHECK(copy_in(2, (struct uva){100 * EXO_PAGE_SIZE}, &byte, sizeof byte) == EXO_OK);
	CHECK((machine_table((struct pfn){frame(2, L1)})->e[100] & PTE_A) != 0);
	CHECK(host_overstep(2) == 0);
}

static void test_freed_frame_leaves_the_registry(void)
{
	const uint64_t at = entry(3, BLOCK, 7);
	const uint32_t f = frame(1, DATA + 4);

	bind_world();
	OK(sys_page_take(SELF, f, EXO_PAGE_DATA));
	OK(sys_block_bind(X3, BLOCK, at, f));
	OK(sys_page_free(SELF, f));
	CHECK(registry[at].state == EXO_BIND_FREE && pages[f].bound == 0);
	become(2);
	OK(sys_block_bind(X3, BLOCK, at, frame(2, DATA)));
	become(1);
	OK(sys_env_kill(8, 0));
	OK(sys_env_reclaim(env_eid(2).n, EXO_QUOTA_PAGES, frame(2, L1)));
	CHECK(is_free(frame(2, DATA)));
	CHECK(registry[at].state == EXO_BIND_FREE && pages[frame(2, DATA)].bound == 0);
}

static void test_registry_size(void)
{
	CHECK(registry_entries(0) == 64 && registry_entries(1023) == 64);
	CHECK(registry_entries(1024) == 128 && registry_entries(4096) == 512);
	CHECK(registry_entries(32768) == 4096 && registry_entries(UINT32_MAX) == EXO_NBIND);
}

static void test_device(void)
{
	const uint32_t table = frame(1, L1);

	world();
	child(2, 8);
	page_boot_range(8, 4, EXO_PAGE_DEVICE);
	host_remember();
	cap_put(1, 20, (struct exo_cap){.kind = EXO_CAP_DEVICE, .rights = 7, .start = 8, .len = 4});
	OK(sys_page_map(SELF, table, 20, 8, 1, 20 << 8 | RW));
	OK(sys_page_map(SELF, table, 21, 11, 1, 20 << 8 | R));
	CHECK(page_maps[8] == 1);
	NO(PERM, sys_page_map(SELF, table, 22, 8, 1, 20 << 8 | RX));
	NO(RANGE, sys_page_map(SELF, table, 22, 7, 1, 20 << 8 | R));
	NO(RANGE, sys_page_map(SELF, table, 22, 12, 1, 20 << 8 | R));
	OK(sys_page_map(SELF, table, 22, 8, 4, 20 << 8 | R));
	NO(RANGE, sys_page_map(SELF, table, 26, 9, 4, 20 << 8 | R));
	NO(PERM, sys_page_map(SELF, table, 22, 8, 1, R));
	NO(TYPE, sys_cap_revoke(20));
	NO(PERM, sys_page_free(SELF, 8));
	OK(sys_cap_derive(20, 21, EXO_RIGHT_READ | EXO_RIGHT_GRANT, 9, 1));
	OK(sys_cap_grant(21, 8, 5, EXO_RIGHT_READ));
	become(2);
	NO(PERM, sys_page_map(SELF, frame(2, L1), 20, 9, 1, 5 << 8 | RW));
	OK(sys_page_map(SELF, frame(2, L1), 20, 9, 1, 5 << 8 | R));
	NO(RANGE, sys_page_map(SELF, frame(2, L1), 21, 8, 1, 5 << 8 | R));
	OK(sys_page_unmap(SELF, frame(2, L1), 20, 1));
	CHECK(page_maps[9] == 1); /* environment 1's */
}

static void test_page_boot_range(void)
{
	host_boot(FRAMES, FIRST_FREE, NENV);
	page_boot_range(0, 20, EXO_PAGE_FREE);
	CHECK(pages[0].state == EXO_PAGE_KERNEL && page_free_count() == FRAMES - 1);
	page_boot_range(0, FRAMES, EXO_PAGE_NONE);
	CHECK(page_free_count() == 0 && page_free_map[3] == 0);
}

/* ---- CPU slots --------------------------------------------------------------------------- */

static void test_slot_take(void)
{
	world();
	child(2, 8);
	NO(OCCUPIED, sys_slot_take(SELF, 0));
	NO(OCCUPIED, sys_slot_take(8, 0));
	NO(RANGE, sys_slot_take(SELF, 256));
	OK(sys_slot_take(8, 200));
	OK(sys_slot_take(8, 201));
	NO(QUOTA, sys_slot_take(8, 202));
	NO(STATE, sys_slot_take(9, 202));
	OK(sys_slot_give(0, 8));
	CHECK(slots[0].owner == 2 && quota_used[2].n[EXO_QUOTA_SLOTS] == 4);
	NO(PERM, sys_slot_give(0, 8));
	NO(RANGE, sys_slot_give(256, 8));
	NO(PERM, sys_slot_give(5, 8));
	OK(sys_slot_take(SELF, 5));
	NO(STATE, sys_slot_give(5, 9));
	OK(sys_slot_give(5, SELF));
	NO(PERM, sys_slot_free(0));
	NO(RANGE, sys_slot_free(256));
	OK(sys_slot_free(5));
	CHECK(slots[5].owner == 0);
	OK(sys_slot_take(SELF, 6));
	OK(sys_env_kill(8, 0));
	NO(STATE, sys_slot_give(6, 8));
	NO(STATE, sys_slot_take(8, 9));
}

/* As x86/ does when the kernel is left. */
static uint32_t leave(void)
{
	if (cpus[0].inbox)
		ipc_left();
	if (cpus[0].resched || cpus[0].current == 0)
		cpus[0].current = cpu_next();
	CHECK(check_state() == 0);
	return cpus[0].current;
}

static void test_slot_tick(void)
{
	uint32_t ran[NENV] = {0};

	world();
	child(2, 8);
	child(3, 9);
	OK(sys_slot_take(9, 100));
	for (uint32_t i = 0; i < EXO_NSLOT; i++) {
		slot_tick();
		ran[leave()]++;
		if (slots[cpus[0].position].owner != 0)
			CHECK(cpus[0].current == slots[cpus[0].position].owner);
	}
	/* 252 slots without an owner go round the four with one, in vector order. */
	CHECK(ran[1] == 64 && ran[2] == 64 && ran[3] == 128);
	CHECK(slots[100].used == 1 && slots[100].missed == 0 && slots[50].given == 1);
	CHECK(info.ticks == EXO_NSLOT && envs[3].used_ticks == 128 && info.idle_ticks == 0);
	become(3);
	OK(sys_wait(EXO_EV_CHILD, 0));
	CHECK(leave() != 3);
	for (uint32_t i = 0; i < EXO_NSLOT; i++)
		slot_tick();
	CHECK(slots[100].missed == 1 && slots[100].given == 2 - 1);
}

static void test_slot_idle(void)
{
	world();
	child(2, 8);
	OK(sys_wait(EXO_EV_CHILD, 0));
	CHECK(leave() == 2);
	OK(sys_wait(EXO_EV_CHILD, 0));
	CHECK(leave() == 0);
	slot_tick();
	CHECK(info.idle_ticks == 1 && cpus[0].resched == 0);
	event_raise(2, EXO_EV_CHILD);
	CHECK(cpus[0].resched == 1 && leave() == 2);
	/* Waking the owner of the slot takes the CPU from who borrowed it. */
	cpus[0].position = 255;
	slot_tick();
	CHECK(cpus[0].position == 0 && leave() == 2);
	event_raise(1, EXO_EV_CHILD);
	CHECK(cpus[0].resched == 1 && leave() == 1);
}

static void test_no_slot_no_time(void)
{
	world();
	child(2, 8);
	become(2);
	OK(sys_slot_free(2));
	for (uint32_t i = 0; i < 2 * EXO_NSLOT; i++) {
		slot_tick();
		CHECK(leave() == 1);
	}
	OK(sys_yield(env_eid(2).n));
	CHECK(leave() == 2);
	slot_tick();
	CHECK(leave() == 1);
	OK(sys_yield(env_eid(2).n));
	CHECK(leave() == 2);
	OK(sys_wait(EXO_EV_CHILD, 0));
	CHECK(leave() == 1);
	event_raise(2, EXO_EV_CHILD);
	CHECK(cpus[0].resched == 0);
}

static void test_yield(void)
{
	world();
	child(2, 8);
	child(3, 9);
	OK(sys_yield(env_eid(3).n));
	CHECK(leave() == 3 && envs[1].given_ticks == 1);
	OK(sys_yield(0)); /* back to whose slot it is */
	CHECK(leave() == 1);
	OK(sys_yield(0));
	CHECK(leave() == 2);
	OK(sys_yield(0));
	CHECK(leave() == 1);
	OK(sys_yield(0));
	CHECK(leave() == 3);
	NO(STALE, sys_yield(env_eid(3).n + 65536));
	NO(STALE, sys_yield(7));
	become(1);
	OK(sys_yield(env_eid(1).n));
	CHECK(cpus[0].resched == 0);
	OK(sys_env_kill(9, 0));
	NO(STATE, sys_yield(env_eid(3).n));
	OK(sys_env_kill(8, 0));
	OK(sys_yield(0));
	CHECK(cpus[0].resched == 0); /* alone */
}

/* ---- events and time --------------------------------------------------------------------- */

static const struct exo_regs *regs_of(uint32_t e)
{
	return &machine_save((struct pfn){envs[e].save})->regs;
}

static void test_wait(void)
{
	world();
	child(2, 8);
	host_now = 1000;
	NO(ARG, sys_wait(0, 0));
	NO(TIMEOUT, sys_wait(~0ull, 1000));
	envs[1].events = EXO_EV_IO | EXO_EV_CHILD;
	CHECK(OK(sys_wait(EXO_EV_IO, 0)) == EXO_EV_IO);
	CHECK(envs[1].events == EXO_EV_CHILD && envs[1].state == EXO_ENV_RUNNABLE);
	OK(sys_wait(EXO_EV_IO, 2000));
	CHECK(envs[1].state == EXO_ENV_WAITING && leave() == 2);
	event_raise(1, EXO_EV_CONSOLE_IN);
	CHECK(envs[1].state == EXO_ENV_WAITING);
	event_raise(1, EXO_EV_IO);
	CHECK(envs[1].state == EXO_ENV_RUNNABLE && regs_of(1)->rax == EXO_OK);
	CHECK(regs_of(1)->rdx == EXO_EV_IO && timer_count == 0 && leave() == 1);
	CHECK(envs[1].events == (EXO_EV_CHILD | EXO_EV_CONSOLE_IN));
	OK(sys_wait(0, 2000));
	timer_expire(1999);
	CHECK(envs[1].state == EXO_ENV_WAITING);
	timer_expire(2000);
	CHECK(envs[1].state == EXO_ENV_RUNNABLE && regs_of(1)->rax == EXO_TIMEOUT);
	CHECK(regs_of(1)->rdx == 0 && check_state() == 0);
	OK(sys_wait(EXO_EV_IO, 0));
	become(2);
	OK(sys_env_kill(SELF, 0)); /* its creator waits for something else */
	CHECK(envs[1].state == EXO_ENV_WAITING && leave() == 0);
}

static void test_event_post(void)
{
	const uint64_t bit = 1ull << 63;

	world();
	child(2, 8);
	child(3, 9);
	envs[2].principal = 0x1200000000000000;
	envs[3].principal = 0x1234000000000000;
	OK(sys_event_post(env_eid(2).n, bit));
	CHECK(envs[2].events == bit);
	NO(ARG, sys_event_post(env_eid(2).n, 0));
	NO(ARG, sys_event_post(env_eid(2).n, bit | 1));
	NO(STALE, sys_event_post(env_eid(2).n + 65536, bit));
	NO(STALE, sys_event_post(0, bit));
	become(3);
	OK(sys_wait(bit, 0));
	become(2);
	NO(PERM, sys_event_post(env_eid(1).n, bit));
	OK(sys_event_post(env_eid(3).n, bit));
	CHECK(envs[3].state == EXO_ENV_RUNNABLE && regs_of(3)->rdx == bit && envs[3].events == 0);
	become(3);
	NO(PERM, sys_event_post(env_eid(2).n, bit));
	become(1);
	OK(sys_env_kill(9, 0));
	NO(STATE, sys_event_post(env_eid(3).n, bit));
}

static int heap_ordered(void)
{
	for (uint32_t i = 1; i < timer_count; i++)
		if (envs[timer_heap[(i - 1) / 2]].deadline > envs[timer_heap[i]].deadline)
			return 0;
	return 1;
}

/* Whoever leaves the heap, from wherever, the others stay in order. */
static void test_timer_drop(void)
{
	host_boot(2000, FIRST_FREE, 64);
	for (uint32_t first = 2; first < 64; first++) {
		for (uint32_t e = 2; e < 64; e++) {
			envs[e].deadline = 1 + e * e * 37 % 61 + (e % 3) * 100;
			timer_add(e);
			CHECK(heap_ordered());
		}
		for (uint32_t i = 0; i < 62; i++) {
			timer_drop(2 + (first + i * 23) % 62);
			CHECK(heap_ordered() && timer_count == 61 - i);
		}
	}
}

/* Deadlines of many environments come in order, a bounded number a call. */
static void test_timer(void)
{
	uint32_t woken = 0;

	host_boot(2000, FIRST_FREE, 64);
	for (uint32_t e = 2; e < 64; e++) {
		envs[e].state = EXO_ENV_WAITING;
		envs[e].save = 100 + e;
		envs[e].deadline = 1 + e * 37 % 61;
		timer_add(e);
	}
	for (uint32_t e = 2; e < 64; e += 7) {
		timer_drop(e);
		envs[e].deadline = 0;
		woken++;
	}
	for (uint64_t now = 0; now < 70; now++) {
		const uint32_t before = timer_count;

		timer_expire(now);
		CHECK(before - timer_count <= TIMER_BATCH);
		for (uint32_t i = 0; i < timer_count; i++) {
			CHECK(timer_place[timer_heap[i]] == i + 1);
			CHECK(envs[timer_heap[i]].deadline > now);
		}
		woken += before - timer_count;
	}
	CHECK(woken == 62 && timer_count == 0);
	for (uint32_t e = 2; e < 64; e++) {
		envs[e].state = EXO_ENV_WAITING;
		envs[e].deadline = 5;
		timer_add(e);
	}
	timer_expire(5);
	CHECK(timer_count == 62 - TIMER_BATCH);
}

/* ---- calls between environments ---------------------------------------------------------- */

enum { TO_2 = 8, TO_3 = 9 };

static uint64_t call_to(uint64_t ce, uint64_t s, uint64_t d)
{
	return ce | s << 8 | d << 16;
}

/* Environment e, of the call that it sleeps in: status, and the registers rdx, rdi, r10. */
static int got(uint32_t e, enum exo_status status, uint64_t rdx, uint64_t rdi, uint64_t r10)
{
	const struct exo_regs *const regs = regs_of(e);

	return envs[e].state == EXO_ENV_RUNNABLE && regs->rax == (uint64_t)status &&
	       regs->rdx == rdx && regs->rdi == rdi && regs->r10 == r10;
}

/* Environments 1 and 2 of which 2 is open to calls, and 3, who may call it by its slot 9. */
static void open_world(void)
{
	world();
	child(2, TO_2);
	child(3, TO_3);
	OK(sys_env_set(TO_2, EXO_SET_CALLS, 1));
	caps[1].c[TO_2].rights |= EXO_RIGHT_GRANT;
	OK(sys_cap_grant(TO_2, TO_3, 9, EXO_RIGHTS_ALL));
}

/* Environment e goes to sleep in ipc_reply_wait. */
static void accept(uint32_t e, uint64_t d)
{
	become(e);
	OK(sys_ipc_reply_wait(d << 16, EXO_EV_IO, 0, 0, 0, 0));
	become(1);
}

static void test_ipc_at_once(void)
{
	open_world();
	accept(2, 0);
	OK(sys_ipc_call(call_to(TO_2, 0, 0), 0, 11, 12, 13, 14));
	CHECK(envs[1].state == EXO_ENV_CALLING && envs[1].calling == 2 && envs[2].client == 1);
	CHECK(got(2, EXO_OK, env_eid(1).n, 11, 0) && regs_of(2)->rsi == 12);
	CHECK(regs_of(2)->r8 == 13 && regs_of(2)->r9 == 14 && leave() == 2);
	OK(sys_ipc_reply_wait(1, EXO_EV_IO, 0, 21, 22, 23));
	CHECK(got(1, EXO_OK, 21, 22, 0) && regs_of(1)->rsi == 23 && leave() == 1);
	CHECK(envs[2].accepting && envs[2].client == 0);
	event_raise(2, EXO_EV_IO);
	CHECK(got(2, EXO_OK, 0, EXO_EV_IO, 0) && !envs[2].accepting && envs[2].events == 0);
	become(2); /* nobody is there to be answered: that is no error */
	OK(sys_ipc_reply_wait(1, 0, host_now + 5, 21, 22, 23));
	timer_expire(host_now + 5);
	CHECK(got(2, EXO_TIMEOUT, 0, 0, 0) && check_state() == 0);
}

static void test_ipc_queue(void)
{
	open_world();
	OK(sys_ipc_call(call_to(TO_2, 0, 0), 0, 11, 12, 13, 14));
	become(3);
	OK(sys_ipc_call(call_to(9, 0, 0), 0, 31, 32, 33, 34));
	CHECK(envs[2].call_head == 1 && envs[2].call_tail == 3 && leave() == 2);
	envs[2].events = EXO_EV_IO; /* events come first */
	OK(sys_ipc_reply_wait(0, EXO_EV_IO, 0, 0, 0, 0));
	CHECK(leave() == 2 && got(2, EXO_OK, 0, EXO_EV_IO, 0));
	OK(sys_ipc_reply_wait(0, EXO_EV_IO, 0, 0, 0, 0));
	CHECK(leave() == 2 && got(2, EXO_OK, env_eid(1).n, 11, 0) && regs_of(2)->r9 == 14);
	NO(STATE, sys_ipc_reply_wait(0, EXO_EV_IO, 0, 0, 0, 0));
	OK(sys_ipc_reply_wait(1, EXO_EV_IO, 0, 21, 22, 23));
	CHECK(leave() == 1 && got(1, EXO_OK, 21, 22, 0));
	CHECK(got(2, EXO_OK, env_eid(3).n, 31, 0) && envs[2].client == 3);
	become(2); /* a reply, and a deadline that has passed */
	OK(sys_ipc_reply_wait(1, 0, host_now, 24, 25, 26));
	CHECK(leave() == 3 && got(3, EXO_OK, 24, 25, 0) && got(2, EXO_TIMEOUT, 0, 0, 0));
}

static void test_ipc_refused(void)
{
	open_world();
	NO(ARG, sys_ipc_call(1 << 24, 0, 0, 0, 0, 0));
	NO(RANGE, sys_ipc_call(call_to(EXO_NCAP, 0, 0), 0, 0, 0, 0, 0));
	NO(RANGE, sys_ipc_call(call_to(TO_2, EXO_NCAP, 0), 0, 0, 0, 0, 0));
	NO(RANGE, sys_ipc_call(call_to(TO_2, 0, EXO_NCAP), 0, 0, 0, 0, 0));
	NO(STATE, sys_ipc_call(call_to(20, 0, 0), 0, 0, 0, 0, 0));
	NO(STATE, sys_ipc_call(call_to(TO_2, 20, 0), 0, 0, 0, 0, 0));
	NO(STATE, sys_ipc_call(call_to(TO_3, 0, 0), 0, 0, 0, 0, 0)); /* closed */
	OK(sys_env_set(SELF, EXO_SET_CALLS, 1));
	NO(STATE, sys_ipc_call(call_to(SELF, 0, 0), 0, 0, 0, 0, 0));
	NO(ARG, sys_env_set(SELF, EXO_SET_CALLS, 2));
	NO(TIMEOUT, sys_ipc_call(call_to(TO_2, 0, 0), host_now, 0, 0, 0, 0));
	OK(sys_cap_derive(TO_2, 21, EXO_ENV_CALL, 0, 0));
	NO(PERM, sys_ipc_call(call_to(TO_2, 21, 0), 0, 0, 0, 0, 0)); /* not to be passed on */
	OK(sys_cap_derive(TO_2, 22, EXO_ENV_ALL & ~EXO_ENV_CALL, 0, 0));
	NO(PERM, sys_ipc_call(call_to(22, 0, 0), 0, 0, 0, 0, 0));
	caps[1].c[22].gen--;
	NO(STALE, sys_ipc_call(call_to(22, 0, 0), 0, 0, 0, 0, 0));
	caps[1].c[22].kind = EXO_CAP_MACHINE;
	NO(TYPE, sys_ipc_call(call_to(22, 0, 0), 0, 0, 0, 0, 0));
	OK(sys_cap_drop(22));
	NO(ARG, sys_ipc_reply_wait(2, 1, 0, 0, 0, 0));
	NO(ARG, sys_ipc_reply_wait(1 << 24, 1, 0, 0, 0, 0));
	NO(RANGE, sys_ipc_reply_wait(EXO_NCAP << 8, 1, 0, 0, 0, 0));
	NO(RANGE, sys_ipc_reply_wait(EXO_NCAP << 16, 1, 0, 0, 0, 0));
	NO(TIMEOUT, sys_ipc_reply_wait(1, 1, host_now, 0, 0, 0));
	OK(sys_ipc_call(call_to(21, 0, 0), 0, 0, 0, 0, 0)); /* the right to call is enough */
	CHECK(leave() != 1);
	become(3);
	OK(sys_env_kill(SELF, 0));
	become(2);
	OK(sys_env_kill(SELF, 0));
	ipc_tick();
	CHECK(got(1, EXO_GONE, 0, 0, 0) && leave() == 1);
	NO(STATE, sys_ipc_call(call_to(TO_2, 0, 0), 0, 0, 0, 0, 0));
}

/* A caller that waits no longer leaves no trace, queued or served. */
static void test_ipc_timeout(void)
{
	open_world();
	OK(sys_ipc_call(call_to(TO_2, 0, 0), host_now + 10, 0, 0, 0, 0));
	timer_expire(host_now + 10);
	CHECK(got(1, EXO_TIMEOUT, 0, 0, 0) && envs[2].call_head == 0 && check_state() == 0);
	accept(2, 0);
	OK(sys_ipc_call(call_to(TO_2, 0, 0), host_now + 10, 0, 0, 0, 0));
	CHECK(leave() == 2);
	timer_expire(host_now + 10);
	CHECK(got(1, EXO_TIMEOUT, 0, 0, 0) && envs[2].client == 0 && check_state() == 0);
	become(2);
	OK(sys_ipc_reply_wait(1, EXO_EV_IO, 0, 77, 77, 77)); /* too late: nobody gets it */
	CHECK(envs[2].accepting && regs_of(1)->rax == EXO_TIMEOUT && regs_of(1)->rdx == 0);
	become(1);
	OK(sys_ipc_call(call_to(TO_2, 0, 0), 0, 0, 0, 0, 0));
	event_raise(1, ~0ull); /* events do not end a call */
	CHECK(envs[1].state == EXO_ENV_CALLING && check_state() == 0);
}

static void test_ipc_ends(void)
{
	open_world();
	accept(2, 0);
	OK(sys_ipc_call(call_to(TO_2, 0, 0), 0, 0, 0, 0, 0));
	become(2); /* the server ends with a client */
	OK(sys_env_kill(SELF, 0));
	CHECK(got(1, EXO_GONE, 0, 0, 0) && leave() == 1);

	open_world();
	become(3);
	OK(sys_ipc_call(call_to(9, 0, 0), 0, 0, 0, 0, 0));
	become(1); /* a queued caller ends */
	OK(sys_env_kill(TO_3, 0));
	CHECK(envs[2].call_head == 0 && envs[2].call_tail == 0);

	open_world();
	accept(2, 0);
	become(3);
	OK(sys_ipc_call(call_to(9, 0, 0), 0, 0, 0, 0, 0));
	become(1); /* a served caller ends */
	OK(sys_env_kill(TO_3, 0));
	CHECK(envs[2].client == 0 && envs[2].state == EXO_ENV_RUNNABLE);
	become(2);
	OK(sys_ipc_reply_wait(1, 1, 0, 0, 0, 0));
	become(1);
	OK(sys_env_kill(TO_2, 0)); /* the server ends while it accepts */
	CHECK(!envs[2].accepting && check_state() == 0);
}

/* Of whoever queued for the dead, a bounded number is told at each tick. */
static void test_ipc_dead_queue(void)
{
	enum { MANY = 40 };

	host_boot(2000, FIRST_FREE, 64);
	build(1, SELF);
	OK(sys_env_start(SELF, 0x1000, 0x2000, 7));
	for (uint32_t e = 2; e < 2 + MANY; e++) {
		OK(sys_env_create(e, e));
		OK(sys_quota_move(e, EXO_QUOTA_PAGES, 3));
		OK(sys_quota_move(e, EXO_QUOTA_CAPS, 3));
		OK(sys_page_take(e, 200 + 2 * e, level(4)));
		OK(sys_page_take(e, 201 + 2 * e, EXO_PAGE_SAVE));
		OK(sys_env_set(e, EXO_SET_ROOT, 200 + 2 * e));
		OK(sys_env_set(e, EXO_SET_SAVE, 201 + 2 * e));
		OK(sys_env_set(e, EXO_SET_CALLS, 1));
		OK(sys_env_start(e, 0x1000, 0x2000, 7));
		caps[1].c[e].rights |= EXO_RIGHT_GRANT;
		if (e != 2)
			OK(sys_cap_grant(2, e, 1, EXO_RIGHTS_ALL));
	}
	for (uint32_t e = 3; e < 2 + MANY; e++) {
		become(e);
		OK(sys_ipc_call(1, e == 20 ? host_now + 1 : 0, 0, 0, 0, 0));
	}
	become(1);
	OK(sys_env_kill(2, 0));
	OK(sys_env_reclaim(env_eid(2).n, EXO_QUOTA_PAGES, 204));
	OK(sys_env_reclaim(env_eid(2).n, EXO_QUOTA_PAGES, 205));
	for (uint32_t left = MANY - 1; left != 0;) {
		uint32_t calling = 0;

		NO(BUSY, sys_env_reap(2));
		ipc_tick();
		timer_expire(host_now + 1);
		CHECK(check_state() == 0);
		for (uint32_t e = 3; e < 2 + MANY; e++)
			calling += envs[e].state == EXO_ENV_CALLING;
		CHECK(calling < left && left - calling <= IPC_BATCH + 1);
		if (why)
			return;
		left = calling;
	}
	CHECK(got(3, EXO_GONE, 0, 0, 0) && got(20, EXO_TIMEOUT, 0, 0, 0));
	CHECK(envs[0].call_head == 0);
	OK(sys_env_reap(2));
}

static void test_ipc_capability(void)
{
	open_world();
	OK(sys_page_share(frame(1, DATA), 1, SELF, 20, EXO_RIGHT_READ | EXO_RIGHT_GRANT));
	accept(2, 30);
	OK(sys_ipc_call(call_to(TO_2, 20, 21), 0, 1, 2, 3, 4));
	CHECK(got(2, EXO_OK, env_eid(1).n, 1, 1) && caps[2].c[30].kind == EXO_CAP_PAGES);
	CHECK(caps[2].c[30].rights == (caps[1].c[20].rights & ~EXO_RIGHT_GRANT) && leave() == 2);
	OK(sys_page_share(frame(2, DATA), 1, SELF, 29, EXO_RIGHT_READ | EXO_RIGHT_GRANT));
	OK(sys_ipc_reply_wait(call_to(1, 30, 0), 1, 0, 5, 6, 7)); /* what is lent is not lent on */
	CHECK(got(1, EXO_OK, 5, 6, 0) && caps[1].c[21].kind == EXO_CAP_NONE && leave() == 1);
	OK(sys_ipc_call(call_to(TO_2, 20, 21), 0, 1, 2, 3, 4));
	CHECK(got(2, EXO_OK, env_eid(1).n, 1, 0) && leave() == 2); /* it accepts none */
	OK(sys_ipc_reply_wait(call_to(1, 29, 31), 1, 0, 5, 6, 7));
	CHECK(got(1, EXO_OK, 5, 6, 1) && caps[1].c[21].kind == EXO_CAP_PAGES && leave() == 1);
	OK(sys_ipc_call(call_to(TO_2, 20, 21), 0, 1, 2, 3, 4));
	CHECK(got(2, EXO_OK, env_eid(1).n, 1, 1) && leave() == 2);
	OK(sys_ipc_reply_wait(call_to(1, 29, 32), 1, 0, 5, 6, 7)); /* the client's place is taken */
	CHECK(got(1, EXO_OK, 5, 6, 0) && leave() == 1);
	OK(sys_ipc_call(call_to(TO_2, 20, 0), 0, 1, 2, 3, 4));
	CHECK(got(2, EXO_OK, env_eid(1).n, 1, 1) && leave() == 2);
	OK(sys_ipc_reply_wait(call_to(1, 29, 32), 1, 0, 5, 6, 7)); /* the client accepts none */
	CHECK(got(1, EXO_OK, 5, 6, 0) && leave() == 1);
	OK(sys_ipc_call(call_to(TO_2, 0, 0), 0, 1, 2, 3, 4));
	CHECK(leave() == 2);
	OK(sys_ipc_reply_wait(call_to(1, 0, 0), 0, host_now, 0, 0, 0));
	CHECK(leave() == 1);
	become(3); /* a queued call takes along what its capability is when it is taken */
	OK(sys_ipc_call(call_to(9, 9, 0), 0, 1, 2, 3, 4));
	become(1);
	OK(sys_cap_revoke(TO_2));
	become(2);
	OK(sys_ipc_reply_wait(call_to(1, 0, 33), 1, 0, 0, 0, 0));
	CHECK(leave() != 0 && got(2, EXO_OK, env_eid(3).n, 1, 0));
	CHECK(caps[2].c[33].kind == EXO_CAP_NONE);
}

/* Who cannot pay for a capability gets the words. */
static void test_ipc_capability_quota(void)
{
	open_world();
	OK(sys_page_share(frame(1, DATA), 1, SELF, 20, EXO_RIGHT_READ | EXO_RIGHT_GRANT));
	accept(2, 30);
	quota_limit[1].n[EXO_QUOTA_CAPS] += quota_limit[2].n[EXO_QUOTA_CAPS];
	quota_limit[2].n[EXO_QUOTA_CAPS] = 0;
	OK(sys_ipc_call(call_to(TO_2, 20, 0), 0, 1, 2, 3, 4));
	CHECK(got(2, EXO_OK, env_eid(1).n, 1, 0) && caps[2].c[30].kind == EXO_CAP_NONE);
}

/* A chain of environments 1, 2 .. n, each open, with a capability for all in slots 8 + number. */
static void chain(uint32_t n)
{
	host_boot(2000, FIRST_FREE, 16);
	build(1, SELF);
	OK(sys_slot_take(SELF, 0));
	OK(sys_env_start(SELF, 0x1000, 0x2000, 7));
	OK(sys_env_set(SELF, EXO_SET_CALLS, 1));
	for (uint32_t e = 2; e <= n; e++) {
		OK(sys_env_create(e, 8 + e));
		OK(sys_quota_move(8 + e, EXO_QUOTA_PAGES, 3));
		OK(sys_quota_move(8 + e, EXO_QUOTA_CAPS, 20));
		OK(sys_quota_move(8 + e, EXO_QUOTA_SLOTS, 2));
		OK(sys_page_take(8 + e, 200 + 2 * e, level(4)));
		OK(sys_page_take(8 + e, 201 + 2 * e, EXO_PAGE_SAVE));
		OK(sys_env_set(8 + e, EXO_SET_ROOT, 200 + 2 * e));
		OK(sys_env_set(8 + e, EXO_SET_SAVE, 201 + 2 * e));
		OK(sys_env_set(8 + e, EXO_SET_CALLS, 1));
		OK(sys_env_start(8 + e, 0x1000, 0x2000, 7));
	}
	for (uint32_t e = 2; e <= n; e++)
		for (uint32_t to = 1; to <= n; to++) {
			caps[e].c[8 + to] = cap_for_env(to, EXO_ENV_ALL);
			quota_used[e].n[EXO_QUOTA_CAPS]++;
		}
	CHECK(check_state() == 0);
}

static void test_ipc_cycle(void)
{
	chain(3);
	OK(sys_ipc_call(8 + 2, 0, 0, 0, 0, 0));
	become(2);
	NO(STATE, sys_ipc_call(8 + 1, 0, 0, 0, 0, 0));
	OK(sys_ipc_call(8 + 3, 0, 0, 0, 0, 0)); /* without having taken the call of 1 */
	become(3);
	NO(STATE, sys_ipc_call(8 + 1, 0, 0, 0, 0, 0));
	NO(STATE, sys_ipc_call(8 + 2, 0, 0, 0, 0, 0));
}

static void test_ipc_depth(void)
{
	chain(10);
	for (uint32_t e = 1; e <= IPC_DEPTH; e++) {
		accept(e + 1, 0);
		become(e);
		OK(sys_ipc_call(8 + e + 1, 0, 0, 0, 0, 0));
		CHECK(leave() == e + 1 && slot_user(1) == e + 1);
	}
	NO(STATE, sys_ipc_call(8 + 10, 0, 0, 0, 0, 0)); /* the slots of 1 would not reach it */
	for (uint32_t e = IPC_DEPTH + 1; e > 1; e--) {
		OK(sys_ipc_reply_wait(1, 1, 0, 0, 0, 0));
		CHECK(leave() == e - 1 && slot_user(1) == e - 1);
	}
	chain(10); /* the same, of callers that nobody has taken */
	for (uint32_t e = IPC_DEPTH + 1; e >= 2; e--) {
		become(e);
		OK(sys_ipc_call(8 + e + 1, 0, 0, 0, 0, 0));
	}
	become(1);
	NO(STATE, sys_ipc_call(8 + 2, 0, 0, 0, 0, 0));
	OK(sys_ipc_call(8 + 3, 0, 0, 0, 0, 0));
}

/* The slots of a caller are the server's for as long as it serves, over ticks, and through sleeps.
 */
static void test_ipc_donation(void)
{
	uint32_t served = 0;

	chain(3); /* 1 has slot 0; the others have none */
	accept(2, 0);
	accept(3, 0);
	OK(sys_ipc_call(8 + 2, 0, 0, 0, 0, 0));
	CHECK(leave() == 2);
	for (uint32_t i = 0; i < EXO_NSLOT; i++) {
		slot_tick();
		served += leave() == 2;
	}
	CHECK(served == EXO_NSLOT && slots[0].used == 1 && slots[0].given == 0);
	OK(sys_yield(0)); /* it yields to nobody else */
	CHECK(leave() == 2);
	OK(sys_ipc_call(8 + 3, 0, 0, 0, 0, 0));
	CHECK(leave() == 3 && slot_user(1) == 3);
	OK(sys_wait(EXO_EV_IO, 0)); /* the one at the end sleeps: nobody can use the slots */
	CHECK(leave() == 0 && slot_user(1) == 0);
	event_raise(3, EXO_EV_IO);
	CHECK(cpus[0].resched == 1 && leave() == 3);
	slot_tick();
	CHECK(leave() == 3);
	OK(sys_slot_take(8 + 1, 7)); /* a slot that a caller gets meanwhile counts, too */
	CHECK((slot_runnable[0] & 0x81) == 0x81);
	become(3); /* the middle one ends: 1 has its slots again, 3 has no time */
	OK(sys_env_kill(8 + 2, 0));
	CHECK(got(1, EXO_GONE, 0, 0, 0) && envs[3].client == 0 && slot_user(1) == 1);
	CHECK(leave() == 1);
}

/* ---- memory of programs ------------------------------------------------------------------ */

static void test_uaccess(void)
{
	uint8_t bytes[256] = {1, 2, 3}, back[256];
	struct table *const entries = machine_table((struct pfn){frame(1, L1)});

	world();
	for (uint32_t i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	CHECK(copy_out(1, (struct uva){4096 - 100}, bytes, 256) == EXO_OK);
	CHECK(machine_bytes((struct pfn){frame(1, DATA + 1)})[155] == 255);
	CHECK((entries->e[1] & PTE_D) != 0 && (entries->e[2] & (PTE_A | PTE_D)) == 0);
	CHECK(copy_in(1, (struct uva){4096 - 100}, back, 256) == EXO_OK);
	CHECK(memcmp(bytes, back, 256) == 0);
	CHECK(copy_in(1, (struct uva){4 * 4096 - 1}, back, 1) == EXO_OK);
	CHECK(copy_in(1, (struct uva){4 * 4096 - 1}, back, 2) == EXO_FAULT);
	CHECK(copy_in(1, (struct uva){0x200000}, back, 1) == EXO_FAULT);
	CHECK(copy_in(1, (struct uva){USER_END}, back, 1) == EXO_FAULT);
	CHECK(copy_in(1, (struct uva){USER_END - 1}, back, 2) == EXO_FAULT);
	CHECK(copy_in(1, (struct uva){~0ull}, back, 2) == EXO_FAULT);
	CHECK(copy_in(1, (struct uva){0xffff800000000000}, back, 2) == EXO_FAULT);
	CHECK(copy_in(1, (struct uva){0}, back, 257) == EXO_RANGE);
	CHECK(copy_in(1, (struct uva){~0ull}, back, 0) == EXO_OK);
	OK(sys_page_protect(SELF, frame(1, L1), 1, 1, R));
	host_remember();
	CHECK(copy_out(1, (struct uva){4096 - 100}, bytes, 256) == EXO_FAULT);
	CHECK(host_same());
	CHECK(copy_in(1, (struct uva){4096 - 100}, back, 256) == EXO_OK);
	for (uint32_t i = 0; i < RUN; i++)
		(void)sys_page_take(SELF, RUN_START + i, EXO_PAGE_DATA);
	OK(sys_page_map_large(SELF, frame(1, L2), 7, RUN_START, RW));
	CHECK(copy_out(1, (struct uva){7 * 0x200000 + 3 * 4096 + 5}, bytes, 4) == EXO_OK);
	CHECK(machine_bytes((struct pfn){RUN_START + 3})[7] == 2 && check_state() == 0);
}

/* ---- upcalls ----------------------------------------------------------------------------- */

enum { HANDLER = 0x3000, UPCALL_VA = 0x40000 };

static struct exo_upcall_frame *upcall_frame(uint32_t e)
{
	return machine_upcall_frame((struct pfn){envs[e].upcall_page});
}

/* A running child that has a handler and an upcall page, and is current. */
static void child_with_handler(uint32_t e, uint64_t d)
{
	child(e, d);
	OK(sys_env_set(d, EXO_SET_UPCALL_VA, UPCALL_VA));
	OK(sys_env_set(d, EXO_SET_UPCALL_ENTRY, HANDLER));
	become(e);
}

static void test_upcall_fault(void)
{
	struct exo_regs regs = {
		.vector = 14, .error = 6, .rip = 0x1234, .rsp = 0x8000, .rflags = 0x40602};

	world();
	child_with_handler(2, 8);
	CHECK(upcall_fault(2, &regs, 0x777) == 1 && regs.rip == HANDLER);
	CHECK(regs.rflags == 0x202 && upcall_frame(2)->rflags == 0x40602);
	CHECK(regs.rsp == UPCALL_VA + 4096 - sizeof *upcall_frame(2) && envs[2].faults == 1);
	CHECK(upcall_frame(2)->what == (EXO_UPCALL_FAULT | 14 << 8));
	CHECK(upcall_frame(2)->addr == 0x777 && upcall_frame(2)->error == 6);
	CHECK(upcall_frame(2)->rip == 0x1234 && upcall_frame(2)->rsp == 0x8000);
	CHECK(upcall_fault(2, &regs, 0x778) == 0); /* on the upcall page: the end */
	CHECK(envs[2].state == EXO_ENV_ZOMBIE && envs[2].end == EXO_END_UPCALL_FAULT);
	CHECK(envs[2].end_addr == 0x778 && envs[2].end_vector == 14 && check_state() == 0);
}

static void test_upcall_without_handler(void)
{
	struct exo_regs regs = {.vector = 13, .rip = 0x1234, .rsp = UPCALL_VA - 1};

	world();
	child_with_handler(2, 8);
	CHECK(upcall_fault(2, &regs, 0) == 1); /* just below the page is not on it */
	regs.rsp = UPCALL_VA + 4096;
	CHECK(upcall_fault(2, &regs, 0) == 1); /* nor is its end */
	OK(sys_env_set(SELF, EXO_SET_UPCALL_ENTRY, 0));
	CHECK(upcall_fault(2, &regs, 0) == 0 && envs[2].end == EXO_END_FAULT);
	CHECK(envs[2].end_code == 128 + 13);
}

static void test_upcall_without_page(void)
{
	struct exo_regs regs = {.vector = 13, .rip = 0x1234, .rsp = 0x8000};

	world();
	OK(sys_env_create(2, 8));
	OK(sys_env_set(8, EXO_SET_UPCALL_ENTRY, HANDLER));
	CHECK(upcall_fault(2, &regs, 0) == 0 && envs[2].end == EXO_END_UPCALL_STACK);
}

static void test_upcall_pending(void)
{
	struct exo_regs regs = {.rip = 0x1234, .rsp = 0x8000};

	world();
	child_with_handler(2, 8);
	OK(sys_env_set(SELF, EXO_SET_EVENT_UPCALL, 6));
	event_raise(2, 1 | 2);
	machine_upcall_head((struct pfn){envs[2].upcall_page})->defer = 1;
	upcall_pending(2, &regs, 0);
	CHECK(regs.rip == 0x1234 && (envs[2].events & 7) == 3);
	machine_upcall_head((struct pfn){envs[2].upcall_page})->defer = 0;
	upcall_pending(2, &regs, 0);
	CHECK(regs.rip == HANDLER && (envs[2].events & 7) == 1 && upcall_frame(2)->addr == 2);
	event_raise(2, 4);
	upcall_pending(2, &regs, 0); /* it is still on that page */
	CHECK((envs[2].events & 7) == 5);
	regs = (struct exo_regs){.rip = 0x1234, .rsp = 0x8000};
	OK(sys_env_set(SELF, EXO_SET_EVENT_UPCALL, 0));
	upcall_pending(2, &regs, 1);
	CHECK(regs.rip == 0x1234);
	OK(sys_env_set(SELF, EXO_SET_SLICE_UPCALL, EXO_SLICE_START));
	upcall_pending(2, &regs, 0);
	CHECK(regs.rip == 0x1234);
	upcall_pending(2, &regs, 1);
	CHECK(regs.rip == HANDLER && upcall_frame(2)->what == EXO_UPCALL_SLICE);
}

static void test_slice_end(void)
{
	struct exo_regs regs = {.rip = 0x1234, .rsp = 0x8000};

	world();
	child(3, 10);
	child_with_handler(2, 8);
	CHECK(host_slice_timers == 0);
	OK(sys_env_set(SELF, EXO_SET_SLICE_UPCALL, EXO_SLICE_END));
	CHECK(slot_enders == 1);
	tick_to_slot(2);
	CHECK(cpus[0].current == 2 && host_slice_timers == 2);
	upcall_ending(3, &regs); /* who has not asked is not told */
	CHECK(regs.rip == 0x1234);
	upcall_ending(2, &regs);
	CHECK(regs.rip == HANDLER && cpus[0].told == 2);
	CHECK(upcall_frame(2)->what == EXO_UPCALL_END && upcall_frame(2)->addr == EXO_GRACE_NS);
	OK(sys_yield(0)); /* in time */
	tick_to_slot(2);
	CHECK(envs[2].overruns == 0 && envs[2].penalty == 0 && slots[2].used == 2);
	regs = (struct exo_regs){.rip = 0x1234, .rsp = 0x8000};
	upcall_ending(2, &regs);
	CHECK(regs.rip == HANDLER);
	slot_tick(); /* it still runs */
	CHECK(envs[2].overruns == 1 && envs[2].penalty == 1 && cpus[0].told == 0);
	tick_to_slot(2);
	CHECK(cpus[0].current != 2 && envs[2].penalty == 0 && slots[2].used == 2);
	CHECK(slots[2].missed == 1 && slots[2].given == 1);
	tick_to_slot(2);
	CHECK(cpus[0].current == 2 && check_state() == 0);
	become(1);
	OK(sys_env_kill(8, 0));
	CHECK(slot_enders == 0);
}

/* A forfeited slot is its owner's all the same when nobody else can run; waiting is leaving. */
static void test_slice_forfeited(void)
{
	struct exo_regs regs = {.rip = 0x1234, .rsp = 0x8000};

	world();
	child_with_handler(2, 8);
	OK(sys_env_set(SELF, EXO_SET_SLICE_UPCALL, EXO_SLICE_END));
	tick_to_slot(2);
	upcall_ending(2, &regs);
	OK(sys_wait(1, 0));
	slot_tick();
	CHECK(envs[2].overruns == 0 && cpus[0].told == 0);
	event_raise(2, 1);
	envs[2].penalty = 1;
	become(1);
	OK(sys_wait(1, 0));
	tick_to_slot(2);
	CHECK(envs[2].penalty == 0 && cpus[0].forfeit && cpus[0].current == 2);
}

/* Two slots in a row are one slice: its end is not that of the first. */
static void test_slice_goes_on(void)
{
	struct exo_regs regs = {.rip = 0x1234, .rsp = 0x8000};

	world();
	child_with_handler(2, 8);
	OK(sys_slot_take(SELF, 3));
	OK(sys_env_set(SELF, EXO_SET_SLICE_UPCALL, EXO_SLICE_END));
	tick_to_slot(2);
	upcall_ending(2, &regs);
	CHECK(regs.rip == 0x1234 && cpus[0].told == 0);
	tick_to_slot(3);
	upcall_ending(2, &regs);
	CHECK(regs.rip == HANDLER && cpus[0].told == 2);
}

/* ---- revocation -------------------------------------------------------------------------- */

static const struct exo_taken *last_taken(uint32_t e)
{
	return &revokes[e].log[(revokes[e].taken - 1) % EXO_NTAKEN];
}

static void test_revoke_ask(void)
{
	world();
	child(2, 8);
	OK(sys_cap_derive(8, 9, EXO_ENV_BUILD | EXO_ENV_KILL | EXO_ENV_GIVE | EXO_ENV_CALL, 0, 0));
	NO(PERM, sys_revoke_ask(9, EXO_ASK_PAGES, 1, 0));
	NO(ARG, sys_revoke_ask(SELF, EXO_ASK_PAGES, 1, 0));
	NO(ARG, sys_revoke_ask(8, EXO_ASK_EXTENT, 1, 0));
	NO(RANGE, sys_revoke_ask(8, EXO_ASK_PAGES, 56, 0));
	NO(RANGE, sys_revoke_ask(EXO_NCAP, EXO_ASK_PAGES, 1, 0));
	NO(STATE, sys_revoke_ask(30, EXO_ASK_PAGES, 1, 0));
	OK(sys_revoke_ask(8, EXO_ASK_PAGES, 5, 0));
	CHECK((envs[2].events & EXO_EV_REVOKE) != 0 && revokes[2].ask[EXO_ASK_PAGES].n == 5);
	CHECK(revokes[2].ask[EXO_ASK_PAGES].deadline == host_now + EXO_REVOKE_MIN_NS);
	CHECK(revokes[2].ask[EXO_ASK_PAGES].by == env_eid(1).n);
	OK(sys_revoke_ask(8, EXO_ASK_PAGES, 6, host_now + 2 * EXO_REVOKE_MIN_NS));
	CHECK(revokes[2].ask[EXO_ASK_PAGES].deadline == host_now + 2 * EXO_REVOKE_MIN_NS);
	child(3, 10);
	OK(sys_cap_grant(8, 10, 12, EXO_RIGHTS_ALL));
	become(3);
	NO(BUSY, sys_revoke_ask(12, EXO_ASK_PAGES, 1, 0)); /* the first one's stands */
	OK(sys_revoke_ask(12, EXO_ASK_SLOTS, 1, 0));
	host_now += 2 * EXO_REVOKE_MIN_NS;
	OK(sys_revoke_ask(12, EXO_ASK_PAGES, 1, 0));
	become(1);
	NO(BUSY, sys_revoke_ask(8, EXO_ASK_PAGES, 0, 0));
	OK(sys_env_kill(10, 0)); /* its request ends with it */
	OK(sys_revoke_ask(8, EXO_ASK_SLOTS, 0, 0));
	CHECK(revokes[2].ask[EXO_ASK_SLOTS].n == 0);
	OK(sys_env_kill(8, 0));
	NO(STATE, sys_revoke_ask(8, EXO_ASK_PAGES, 1, 0));
}

static void test_revoke_unused(void)
{
	world();
	child(2, 8);
	NO(STATE, sys_revoke_take(8, EXO_ASK_PAGES, EXO_TAKE_UNUSED, 0));
	OK(sys_revoke_ask(8, EXO_ASK_PAGES, 50, 0));
	NO(ARG, sys_revoke_take(8, EXO_ASK_EXTENT, EXO_TAKE_UNUSED, 0));
	CHECK(OK(sys_revoke_take(8, EXO_ASK_PAGES, EXO_TAKE_UNUSED, 0)) == 45);
	CHECK(quota_limit[2].n[EXO_QUOTA_PAGES] == 10);
	NO(AGAIN, sys_revoke_take(8, EXO_ASK_PAGES, EXO_TAKE_UNUSED, 0));
	become(2);
	OK(sys_page_unmap(SELF, frame(2, L1), 0, 1));
	OK(sys_page_free(SELF, frame(2, DATA)));
	become(1);
	CHECK(OK(sys_revoke_take(8, EXO_ASK_PAGES, EXO_TAKE_UNUSED, 0)) == 1);
	CHECK(revokes[2].ask[EXO_ASK_PAGES].n == 4 && revokes[2].taken == 0);
}

static void test_revoke_slot(void)
{
	world();
	child(2, 8);
	OK(sys_revoke_ask(8, EXO_ASK_SLOTS, 1, 0));
	NO(AGAIN, sys_revoke_take(8, EXO_ASK_SLOTS, 2, 0));
	host_now += EXO_REVOKE_MIN_NS;
	NO(RANGE, sys_revoke_take(8, EXO_ASK_SLOTS, EXO_NSLOT, 0));
	NO(PERM, sys_revoke_take(8, EXO_ASK_SLOTS, 0, 0));
	CHECK(OK(sys_revoke_take(8, EXO_ASK_SLOTS, 2, 0)) == 1);
	CHECK(slots[2].owner == 1 && quota_limit[2].n[EXO_QUOTA_SLOTS] == 2);
	CHECK((envs[2].events & EXO_EV_TAKEN) != 0 && revokes[2].taken == 1);
	CHECK(last_taken(2)->kind == EXO_QUOTA_SLOTS && last_taken(2)->index == 2);
	NO(STATE, sys_revoke_take(8, EXO_ASK_SLOTS, 2, 0)); /* no more was asked */
}

/* A frame mapped by its owner and by somebody it was shared with. */
static void test_revoke_page(void)
{
	const uint32_t f = FIRST_FREE + 2 * 60 + 10; /* frame(2, DATA) */

	world();
	child(2, 8);
	child(3, 10);
	OK(sys_cap_grant(10, 8, 6, EXO_RIGHTS_ALL));
	become(2);
	OK(sys_page_share(f, 1, 6, 5, EXO_RIGHT_READ));
	become(3);
	OK(sys_page_map(SELF, frame(3, L1), 7, f, 1, 5 << 8 | R));
	become(1);
	OK(sys_revoke_ask(8, EXO_ASK_PAGES, 2, 0));
	NO(AGAIN, sys_revoke_take(8, EXO_ASK_PAGES, f, frame(2, L1)));
	host_now += EXO_REVOKE_MIN_NS;
	NO(RANGE, sys_revoke_take(8, EXO_ASK_PAGES, FRAMES, frame(2, L1)));
	NO(RANGE, sys_revoke_take(8, EXO_ASK_PAGES, f, FRAMES));
	NO(TYPE, sys_revoke_take(8, EXO_ASK_PAGES, f, f));
	NO(TYPE, sys_revoke_take(8, EXO_ASK_PAGES, frame(2, SAVE), frame(2, L1)));
	NO(PERM, sys_revoke_take(8, EXO_ASK_PAGES, frame(3, DATA), frame(2, L1)));
	page_pin(f);
	NO(BUSY, sys_revoke_take(8, EXO_ASK_PAGES, f, frame(2, L1)));
	page_unpin(f);
	CHECK(OK(sys_revoke_take(8, EXO_ASK_PAGES, f, frame(2, L2))) == 0);
	CHECK(OK(sys_revoke_take(8, EXO_ASK_PAGES, f, frame(2, L1))) == 0);
	CHECK(last_taken(2)->kind == EXO_TAKEN_MAPPING && last_taken(2)->index == f);
	CHECK(OK(sys_revoke_take(8, EXO_ASK_PAGES, f, frame(3, L1))) == 1);
	CHECK(last_taken(3)->kind == EXO_TAKEN_MAPPING && last_taken(3)->index == f);
	CHECK(last_taken(2)->kind == EXO_QUOTA_PAGES && last_taken(2)->index == f);
	CHECK(pages[f].state == EXO_PAGE_FREE && quota_limit[2].n[EXO_QUOTA_PAGES] == 54);
	CHECK(machine_table((struct pfn){frame(3, L1)})->e[7] == 0);
	CHECK(revokes[2].ask[EXO_ASK_PAGES].n == 1);
}

/* An owner frees its frame of a borrower's mapping, for good. */
static void test_revoke_take_back(void)
{
	const uint32_t f = FIRST_FREE + 60 + 10; /* frame(1, DATA) */

	world();
	child(2, 8);
	OK(sys_page_share(f, 1, 8, 5, EXO_RIGHT_READ | EXO_RIGHT_WRITE));
	become(2);
	OK(sys_page_map(SELF, frame(2, L1), 7, f, 1, 5 << 8 | RW));
	NO(PERM, sys_revoke_take(SELF, EXO_ASK_PAGES, f, frame(1, L1)));
	become(1);
	NO(ARG, sys_revoke_take(SELF, EXO_ASK_SLOTS, f, frame(2, L1)));
	NO(ARG, sys_revoke_take(SELF, EXO_ASK_PAGES, f, frame(1, L1)));
	NO(RANGE, sys_revoke_take(SELF, EXO_ASK_PAGES, FRAMES, frame(2, L1)));
	NO(TYPE, sys_revoke_take(SELF, EXO_ASK_PAGES, frame(1, L1), frame(2, L1)));
	CHECK(OK(sys_revoke_take(SELF, EXO_ASK_PAGES, f, frame(2, L1))) == 1);
	CHECK(page_maps[f] == 1 && last_taken(2)->index == f && revokes[1].taken == 0);
	become(2);
	NO(STALE, sys_page_map(SELF, frame(2, L1), 7, f, 1, 5 << 8 | RW));
}

/* A large page that holds the frame goes as a whole. */
static void test_revoke_large_page(void)
{
	world();
	for (uint32_t i = 0; i < RUN; i++)
		(void)sys_page_take(SELF, RUN_START + i, EXO_PAGE_DATA);
	child(2, 8);
	OK(sys_page_share(RUN_START, RUN, 8, 5, EXO_RIGHT_READ));
	become(2);
	OK(sys_page_map_large(SELF, frame(2, L2), 7, RUN_START, 5 << 8 | R));
	become(1);
	CHECK(OK(sys_revoke_take(SELF, EXO_ASK_PAGES, RUN_START + 3, frame(2, L1))) == 0);
	CHECK(OK(sys_revoke_take(SELF, EXO_ASK_PAGES, RUN_START + 3, frame(2, L2))) == 1);
	CHECK(run_maps[RUN_START / RUN] == 0 && pages[frame(2, L2)].present == 1);
	OK(sys_page_free(SELF, RUN_START + 3));
}

static void test_revoke_forgotten(void)
{
	world();
	child(2, 8);
	OK(sys_revoke_ask(8, EXO_ASK_PAGES, 5, 0));
	revoke_forget(2);
	CHECK(revokes[2].ask[EXO_ASK_PAGES].n == 0 && revokes[2].taken == 0);
}

/* ---- the checker itself ------------------------------------------------------------------ */

/* What is planted is seen; one field at a time, from a good state. */
#define PLANT(statement)                                                                           \
	do {                                                                                       \
		world();                                                                           \
		child(2, 8);                                                                       \
		CHECK(check_state() == 0);                                                         \
		statement;                                                                         \
		if (check_state() == 0)                                                            \
			wrong(__LINE__, "not seen", #statement);                                   \
	} while (0)

static void test_checker_sees(void)
{
	struct table *const leaf = machine_table((struct pfn){frame(1, L1)});
	struct table *const top = machine_table((struct pfn){frame(1, ROOT)});

	PLANT(page_maps[frame(1, DATA)]++);
	PLANT(page_maps[frame(1, DATA)] = 0);
	PLANT(run_maps[1] = 1);
	PLANT(page_pins[frame(1, ROOT)] = 0);
	PLANT(page_pins[frame(1, DATA)] = 1);
	PLANT(pages[frame(1, DATA)].owner = 2);
	PLANT(pages[frame(1, DATA)].owner = 5);
	PLANT(pages[frame(1, DATA)].state = EXO_PAGE_SAVE);
	PLANT(pages[frame(1, DATA)].state = EXO_PAGE_FREE);
	PLANT(pages[frame(1, DATA)].state = EXO_PAGE_TRACE + 1);
	PLANT(pages[frame(1, DATA)].born = ~0ull);
	PLANT(pages[frame(1, L1)].present++);
	PLANT(pages[frame(1, L1)].parent = frame(1, L3));
	PLANT(pages[frame(1, L1)].va += 4096);
	PLANT(pages[frame(1, L1)].level = 2);
	PLANT(page_free_map[700 / 64] ^= 1ull << 700 % 64);
	PLANT(info.free_frames--);
	PLANT(leaf->e[0] &= ~PTE_NX);
	PLANT(leaf->e[0] += 4096);
	PLANT(leaf->e[0] = leaf->e[0] % 4096 | PTE_NX | (uint64_t)frame(2, SAVE) << 12);
	PLANT(leaf->e[0] |= 1 << 9);
	PLANT(leaf->e[9] = leaf->e[0]);
	PLANT(top->e[0] &= ~PTE_U);
	PLANT(top->e[1] = top->e[0]);
	PLANT(quota_used[2].n[EXO_QUOTA_PAGES]--);
	PLANT(quota_used[1].n[EXO_QUOTA_CAPS]++);
	PLANT(quota_used[1].n[EXO_QUOTA_ENVS] = 0);
	PLANT(quota_limit[1].n[EXO_QUOTA_IO]++);
	PLANT(quota_limit[2].n[EXO_QUOTA_PAGES] = 1);
	PLANT(quota_used[1].n[EXO_QUOTA_IO] = 1);
	PLANT(slots[0].owner = 2);
	PLANT(slots[9].owner = 1);
	PLANT(envs[1].slots[3] = 1);
	PLANT(slot_runnable[0] ^= 2);
	PLANT(slot_runnable[0] ^= 1);
	PLANT(caps[1].c[8].kind = 77);
	PLANT(caps[1].c[8].object = NENV);
	PLANT(caps[1].c[8].gen++);
	PLANT(caps[1].c[9] = caps[1].c[8]);
	PLANT(caps[1].c[0].object = 2);
	PLANT(caps[1].c[0].rights = 1);
	PLANT(envs[2].parent += 65536);
	PLANT(envs[2].root = frame(1, ROOT));
	PLANT(envs[2].save = 0);
	PLANT(envs[2].state = EXO_ENV_WAITING);
	PLANT(envs[2].deadline = 5);
	PLANT(envs[2].state = EXO_ENV_FREE);
	PLANT(envs[5].events = 1);
	PLANT(envs[2].gen = 0);
	PLANT(revokes[2].ask[EXO_ASK_PAGES].n = 1);
	PLANT(revokes[5].ask[EXO_ASK_SLOTS] = ((struct exo_ask){1, 0, 1, 0}));
	PLANT(revokes[2].ask[EXO_ASK_SLOTS] = ((struct exo_ask){1, 0, 1, env_eid(2).n}));
	PLANT(timer_count = 1);
	PLANT(timer_place[2] = 1);
	PLANT(cpus[0].next = 3);
	PLANT(become(3));
	PLANT(cpus[0].position = EXO_NSLOT);
	PLANT(envs[2].state = EXO_ENV_CALLING);
	PLANT(envs[2].calling = 1);
	PLANT(envs[2].client = 1);
	PLANT(envs[2].accepting = 1);
	PLANT(envs[2].call_head = 1);
	PLANT(envs[2].call_tail = 1);
	PLANT(envs[0].call_head = 2);
	PLANT((cpus[0].inbox = 1, cpus[0].resched = 0));
}

/* A running environment e without CPU slots, its capability in slot e + 20. */
static void spare(uint32_t e)
{
	OK(sys_env_create(e, e + 20));
	OK(sys_quota_move(e + 20, EXO_QUOTA_PAGES, 4));
	OK(sys_page_take(e + 20, frame(e, ROOT), level(4)));
	OK(sys_page_take(e + 20, frame(e, SAVE), EXO_PAGE_SAVE));
	OK(sys_env_set(e + 20, EXO_SET_ROOT, frame(e, ROOT)));
	OK(sys_env_set(e + 20, EXO_SET_SAVE, frame(e, SAVE)));
	OK(sys_env_start(e + 20, 0x1000, 0x2000, 7));
}

/* Environment 5 calls t. */
static void calls(uint32_t t)
{
	envs[5].state = EXO_ENV_CALLING;
	envs[5].calling = (uint16_t)t;
}

/* Environment 5 waits for t to take its call. */
static void queues(uint32_t t)
{
	calls(t);
	envs[t].call_head = envs[t].call_tail = 5;
}

static void is_served(uint32_t t)
{
	calls(t);
	envs[t].client = 5;
}

/* DATA frame i of environment 1 holds this block of extent x, by entry i of its set. */
static void binds(uint32_t i, uint32_t x, uint64_t block)
{
	const uint32_t entry = exo_bind_set(x, block, HOST_BINDS) * EXO_BIND_WAYS + i;

	pages[frame(1, DATA + i)].bound = entry + 1;
	registry[entry] = (struct exo_bind){.block = block,
					    .frame = frame(1, DATA + i),
					    .env = 1,
					    .state = EXO_BIND_USED,
					    .extent = x,
					    .gen = host_extent_gen[x]};
}

static struct exo_bind *entry_of(uint32_t i)
{
	return &registry[pages[frame(1, DATA + i)].bound - 1];
}

/* Two sleep, 5 until an earlier time than 6. */
static void two_sleep(void)
{
	spare(5);
	spare(6);
	become(5);
	OK(sys_wait(1, host_now + 10));
	become(6);
	OK(sys_wait(1, host_now + 20));
	become(1);
}

static void take_run(void)
{
	for (uint32_t i = 0; i < RUN; i++)
		(void)sys_page_take(SELF, RUN_START + i, EXO_PAGE_DATA);
}

static void role(uint32_t *place, uint32_t f)
{
	if (*place != 0)
		page_pins[*place]--;
	page_pins[f] += f != 0;
	*place = f;
}

static uint64_t leaf_of(uint32_t f)
{
	return (uint64_t)f << 12 | PTE_P | PTE_U | PTE_NX;
}

static void test_checker_sees_frames(void)
{
	struct table *const leaf = machine_table((struct pfn){frame(1, L1)});
	struct table *const large = machine_table((struct pfn){frame(1, L2)});
	struct table *const top = machine_table((struct pfn){frame(1, ROOT)});
	const uint32_t data = frame(1, DATA), high = 2000;

	PLANT(pages[700].state = EXO_PAGE_NONE + 1);
	PLANT(pages[700].owner = 1);
	PLANT(pages[data].owner = NENV);
	PLANT(page_maps[700] = 1);
	PLANT(pages[frame(1, L1)].bound = 1);
	PLANT(pages[data].bound = HOST_BINDS + 1);
	PLANT(pages[data].bound = 1);
	PLANT(page_pins[700] = 1);
	PLANT(pages[data].level = 1);
	PLANT(pages[frame(1, ROOT)].level = 5);
	PLANT(pages[data].present = 1);
	PLANT(pages[data].parent = 1);
	PLANT(pages[data].va = 4096);
	PLANT((take_run(), run_maps[1] = 1));
	PLANT((take_run(), run_maps[1] = 1, pages[RUN_START + 1].state = EXO_PAGE_UPCALL));
	PLANT((take_run(), run_maps[1] = 1, pages[RUN_START + 1].owner = 2));
	PLANT(run_born[frame(1, DATA) / RUN] = 0);
	PLANT((take_run(), run_maps[1] = 1, run_born[1]++));
	PLANT(leaf->e[0] &= ~PTE_U);
	PLANT(leaf->e[0] = leaf_of(high));
	PLANT(leaf->e[0] = leaf_of(700));
	PLANT(large->e[1] = leaf_of(513) | PTE_PS);
	PLANT(large->e[1] = leaf_of(1024) | PTE_PS);
	PLANT(large->e[1] = leaf_of(RUN_START) | PTE_PS);
	PLANT((pages[15].state = EXO_PAGE_DEVICE, leaf->e[0] = leaf_of(15) & ~PTE_NX));
	PLANT(leaf->e[0] = leaf_of(frame(1, SAVE)) & ~PTE_NX);
	PLANT(top->e[0] = (uint64_t)high << 12 | 7);
	PLANT(top->e[0] = (uint64_t)frame(1, L2) << 12 | 7);
	PLANT(pages[frame(1, L3)].owner = 2);
	PLANT(pages[frame(1, L1)].parent = high);
	PLANT((OK(sys_page_take(SELF, FIRST_FREE, level(1))), pages[FIRST_FREE].parent = high));
	PLANT((OK(sys_page_take(SELF, FIRST_FREE, level(1))),
	       pages[FIRST_FREE].parent = frame(1, L3)));
	PLANT((registry[0] = (struct exo_bind){.state = EXO_BIND_USED, .frame = high}));
	PLANT((registry[0] = (struct exo_bind){.state = EXO_BIND_USED, .frame = data}));
	PLANT((OK(sys_page_take(SELF, FIRST_FREE, level(1))), pages[FIRST_FREE].va = 5ull << 21,
	       pages[FIRST_FREE].parent = frame(1, L2)));
	PLANT((binds(0, 3, 300), entry_of(0)->frame = high));
	PLANT((binds(0, 3, 300), binds(1, 3, 300), entry_of(0)->frame = data + 1));
	PLANT((binds(0, 3, 300), entry_of(0)->env = 2));
	PLANT((binds(0, 3, 300), entry_of(0)->block = 301));
	PLANT((binds(0, 3, 300), binds(1, 3, 300)));
}

static void test_checker_sees_environments(void)
{
	PLANT(role(&envs[2].save, frame(1, SAVE)));
	PLANT(role(&envs[2].upcall_page, frame(2, DATA)));
	PLANT(role(&envs[2].io_ring, frame(2, SAVE)));
	PLANT((spare(5), role(&envs[5].root, 0)));
	PLANT((spare(5), OK(sys_page_take(25, 1090, level(3))), role(&envs[5].root, 1090)));
	PLANT(role(&envs[2].save, 0));
	PLANT(caps[1].c[8].reserved = 1);
	PLANT(caps[1].c[8].object = 0);
	PLANT(caps[1].c[8] = ((struct exo_cap){.kind = EXO_CAP_PAGES, .object = 2, .start = 2000}));
	PLANT(caps[1].c[8] = ((struct exo_cap){
		      .kind = EXO_CAP_PAGES, .object = 2, .start = 5, .len = FRAMES}));
	PLANT(caps[1].c[8] = ((struct exo_cap){.kind = EXO_CAP_EXTENT, .object = EXO_NEXTENT}));
	PLANT(caps[1].c[8] = ((struct exo_cap){.kind = EXO_CAP_CONSOLE, .object = EXO_NSESSION}));
	PLANT(caps[1].c[0].kind = EXO_CAP_MACHINE);
	PLANT(caps[1].c[0].gen--);
	PLANT(envs[2].parent_index = NENV);
	PLANT(envs[2].parent = 0);
	PLANT(envs[2].parent_index = 5);
	PLANT((spare(5), envs[5].state = EXO_ENV_WAITING));
	PLANT((spare(5), envs[5].state = EXO_ENV_WAITING, envs[5].wait_mask = envs[5].events = 1));
	PLANT((spare(5), envs[5].wait_mask = 1));
	PLANT((spare(5), envs[5].deadline = 1));
	PLANT(role(&envs[5].root, frame(1, DATA)));
	PLANT(role(&envs[5].save, frame(1, DATA)));
	PLANT(role(&envs[5].upcall_page, frame(1, DATA)));
	PLANT(role(&envs[5].io_ring, frame(1, DATA)));
	PLANT(envs[5].io_head = 1);
	PLANT(timer_place[5] = 1);
	PLANT(envs[5].calls_open = 1);
	PLANT(caps[5].c[0].kind = EXO_CAP_ENV);
	PLANT((spare(5), is_served(6)));
	PLANT((spare(5), queues(6)));
	PLANT((spare(5), envs[5].state = EXO_ENV_CALLING + 1));
	PLANT(envs[0].state = EXO_ENV_BUILDING);
	PLANT(quota_limit[5].n[EXO_QUOTA_PAGES] = 1);
	world();
	child(2, 8);
	revokes[2].ask[EXO_ASK_EXTENT] = (struct exo_ask){1, 3, 1, env_eid(2).n};
	CHECK(check_state() ==
	      0); /* an extent's holder may ask itself nothing, but is not looked at */
}

static void test_checker_sees_calls(void)
{
	PLANT(envs[2].call_head = NENV);
	PLANT((spare(5), queues(2), envs[5].call_prev = 7));
	PLANT((spare(5), OK(sys_env_kill(25, 0)), envs[0].call_head = envs[0].call_tail = 5));
	PLANT(envs[2].call_head = envs[2].call_tail = 1);
	PLANT((spare(5), queues(2), envs[2].client = 5));
	PLANT((spare(5), calls(NENV)));
	PLANT((spare(5), calls(5)));
	PLANT((spare(5), calls(2)));
	PLANT(envs[2].client = NENV);
	PLANT((spare(5), is_served(2), envs[2].state = EXO_ENV_WAITING, envs[2].accepting = 1));
	PLANT((spare(5), queues(2), envs[2].state = EXO_ENV_WAITING, envs[2].accepting = 1));
	PLANT((spare(6), OK(sys_env_kill(26, 0)), envs[6].calls_open = 1));
	PLANT((spare(5), spare(6), OK(sys_env_kill(26, 0)), is_served(6)));
	PLANT((spare(5), spare(6), is_served(6), envs[6].state = EXO_ENV_CALLING,
	       envs[6].calling = 5, envs[5].client = 6));
}

static void test_checker_sees_time(void)
{
	PLANT(slots[9].owner = NENV);
	PLANT(slot_enders++);
	PLANT(cpus[0].told = NENV);
	PLANT(cpus[0].borrow = EXO_NSLOT);
	PLANT((OK(sys_env_create(5, 25)), become(5), cpus[0].inbox = cpus[0].resched = 1));
	PLANT((two_sleep(), timer_place[5] = 2));
	PLANT((two_sleep(), envs[5].deadline = host_now + 30));
}

/* ---- rare ways --------------------------------------------------------------------------- */

/* A dead one that holds nothing is not reaped while callers of it have not been told. */
static void test_reap_waits_for_callers(void)
{
	world();
	spare(5);
	OK(sys_env_set(25, EXO_SET_CALLS, 1));
	spare(6);
	caps[1].c[25].rights |= EXO_RIGHT_GRANT;
	OK(sys_quota_move(26, EXO_QUOTA_CAPS, 1));
	OK(sys_cap_grant(25, 26, 1, EXO_RIGHTS_ALL));
	become(6);
	OK(sys_ipc_call(call_to(1, 0, 0), 0, 0, 0, 0, 0));
	become(1);
	OK(sys_env_kill(25, 0));
	OK(sys_env_reclaim(env_eid(5).n, EXO_QUOTA_PAGES, frame(5, ROOT)));
	OK(sys_env_reclaim(env_eid(5).n, EXO_QUOTA_PAGES, frame(5, SAVE)));
	NO(BUSY, sys_env_reap(25));
	ipc_tick();
	OK(sys_env_reap(25));
}

/* Nor while a CPU slot, or then a capability, is all that it holds. */
static void test_reap_waits_for_the_last_thing(void)
{
	world();
	spare(5);
	OK(sys_quota_move(25, EXO_QUOTA_SLOTS, 1));
	OK(sys_quota_move(25, EXO_QUOTA_CAPS, 1));
	OK(sys_slot_take(25, 50));
	OK(sys_page_share(frame(1, DATA), 1, 25, 3, EXO_RIGHT_READ));
	OK(sys_env_kill(25, 0));
	OK(sys_env_reclaim(env_eid(5).n, EXO_QUOTA_PAGES, frame(5, ROOT)));
	OK(sys_env_reclaim(env_eid(5).n, EXO_QUOTA_PAGES, frame(5, SAVE)));
	NO(BUSY, sys_env_reap(25));
	OK(sys_env_reclaim(env_eid(5).n, EXO_QUOTA_SLOTS, 50));
	NO(BUSY, sys_env_reap(25));
	OK(sys_env_reclaim(env_eid(5).n, EXO_QUOTA_CAPS, 3));
	OK(sys_env_reap(25));
}

static void test_generations_used_up(void)
{
	world();
	spare(5);
	OK(sys_env_kill(25, 0));
	OK(sys_env_reclaim(env_eid(5).n, EXO_QUOTA_PAGES, frame(5, ROOT)));
	OK(sys_env_reclaim(env_eid(5).n, EXO_QUOTA_PAGES, frame(5, SAVE)));
	envs[5].cap_gen = UINT32_MAX;
	caps[5].c[0].gen = caps[1].c[25].gen = UINT32_MAX;
	NO(STATE, sys_env_reap(25));
}

/* A server whose deadline has passed still takes who has queued. */
static void test_late_server_takes_caller(void)
{
	open_world();
	OK(sys_ipc_call(call_to(TO_2, 0, 0), 0, 11, 0, 0, 0));
	become(2);
	host_now += 10;
	OK(sys_ipc_reply_wait(0, 0, host_now - 5, 0, 0, 0));
	ipc_left();
	CHECK(got(2, EXO_OK, env_eid(1).n, 11, 0) && envs[2].client == 1);
}

/* Eight calls within each other, the last server of which owns slots of all of them. */
static void test_slots_of_a_long_chain(void)
{
	chain(10);
	OK(sys_slot_take(SELF, 40));
	for (uint32_t e = 1; e <= IPC_DEPTH; e++) {
		accept(e + 1, 0);
		become(e);
		OK(sys_ipc_call(8 + e + 1, 0, 0, 0, 0, 0));
		leave();
	}
	become(IPC_DEPTH + 1);
	OK(sys_wait(1, host_now + 1));
	CHECK((slot_runnable[0] >> 40 & 1) == 0);
	timer_expire(host_now + 1);
	CHECK((slot_runnable[0] >> 40 & 1) == 1 && check_state() == 0);
}

/* Callers before and after: the sum of both chains is bounded. */
static void test_ipc_depth_of_both_sides(void)
{
	chain(12);
	for (uint32_t e = 11; e >= 6; e--) { /* 6 calls 7 calls ... 12, all in queues */
		become(e);
		OK(sys_ipc_call(8 + e + 1, 0, 0, 0, 0, 0));
	}
	for (uint32_t e = 1; e <= 4; e++) { /* 5 serves 4 serves ... 1 */
		accept(e + 1, 0);
		become(e);
		OK(sys_ipc_call(8 + e + 1, 0, 0, 0, 0, 0));
	}
	become(5);
	NO(STATE, sys_ipc_call(8 + 6, 0, 0, 0, 0, 0));
}

/* Readers of other blocks, and of an extent of another generation, may not map the frame. */
static void test_bound_frame_is_not_for_other_readers(void)
{
	const uint32_t f = frame(1, DATA);

	world();
	binds(0, 3, 300);
	CHECK(check_state() == 0);
	cap_put(1, 20,
		(struct exo_cap){
			.kind = EXO_CAP_EXTENT, .rights = 15, .object = 3, .start = 301, .len = 4});
	NO(PERM, sys_page_map(SELF, frame(1, L1), 7, f, 1, 20 << 8 | R));
	caps[1].c[20].start = 300;
	OK(sys_page_map(SELF, frame(1, L1), 7, f, 1, 20 << 8 | R));
	NO(RANGE, sys_page_map(SELF, frame(1, L1), 8, FRAMES, 1, 20 << 8 | R));
	caps[1].c[20].object = 4;
	NO(PERM, sys_page_map(SELF, frame(1, L1), 8, f, 1, 20 << 8 | R));
	caps[1].c[20].object = 3;
	caps[1].c[20].gen = ++host_extent_gen[3];
	NO(PERM, sys_page_map(SELF, frame(1, L1), 8, f, 1, 20 << 8 | R));
}

/* Blocks of one set are bound beside each other. */
static void test_two_blocks_of_a_set(void)
{
	uint64_t other = 301;

	while (exo_bind_set(3, other, HOST_BINDS) != exo_bind_set(3, 300, HOST_BINDS))
		other++;
	world();
	binds(0, 3, 300);
	cap_put(1, 20,
		(struct exo_cap){.kind = EXO_CAP_EXTENT,
				 .rights = 15,
				 .object = 3,
				 .start = 300,
				 .len = 1000});
	OK(sys_block_bind(20, other, exo_bind_set(3, 300, HOST_BINDS) * EXO_BIND_WAYS + 1,
			  frame(1, DATA + 1)));
	CHECK(pages[frame(1, DATA)].bound + 1 == pages[frame(1, DATA + 1)].bound);
	entry_of(1)->block = 300; /* the same block of another extent is no second place for it */
	do
		entry_of(1)->extent++;
	while (exo_bind_set(entry_of(1)->extent, 300, HOST_BINDS) !=
	       exo_bind_set(3, 300, HOST_BINDS));
	CHECK(check_state() == 0);
}

/* A frame goes out of the tables of the dead too; they are not told. */
static void test_revoke_from_the_dead(void)
{
	const uint32_t f = frame(1, DATA);

	world();
	child(2, 8);
	OK(sys_page_share(f, 1, 8, 5, EXO_RIGHT_READ));
	become(2);
	OK(sys_page_map(SELF, frame(2, L1), 7, f, 1, 5 << 8 | R));
	become(1);
	OK(sys_env_kill(8, 0));
	CHECK(OK(sys_revoke_take(SELF, EXO_ASK_PAGES, f, frame(2, L3))) == 0);
	CHECK(OK(sys_revoke_take(SELF, EXO_ASK_PAGES, f, frame(2, L1))) == 1);
	CHECK(revokes[2].taken == 0);
}

/* A request of who is gone gives way at once, one that has passed its deadline to somebody else's.
 */
static void test_revoke_ask_after_the_deadline(void)
{
	world();
	child(2, 8);
	child(3, 10);
	caps[1].c[8].rights |= EXO_RIGHT_GRANT;
	OK(sys_cap_grant(8, 10, 6, EXO_RIGHTS_ALL));
	OK(sys_revoke_ask(8, EXO_ASK_PAGES, 2, 0));
	become(3);
	NO(BUSY, sys_revoke_ask(6, EXO_ASK_PAGES, 3, 0));
	host_now += EXO_REVOKE_MIN_NS;
	OK(sys_revoke_ask(6, EXO_ASK_PAGES, 3, 0));
	CHECK(revokes[2].ask[EXO_ASK_PAGES].by == env_eid(3).n);
	revokes[2].ask[EXO_ASK_PAGES].by += 65536;
	become(1);
	OK(sys_revoke_ask(8, EXO_ASK_PAGES, 2, 0));
	CHECK(revokes[2].ask[EXO_ASK_PAGES].by == env_eid(1).n);
}

/* A frame that only a large page maps is taken out of that. */
static void test_revoke_frame_of_a_large_page(void)
{
	world();
	child(2, 8);
	OK(sys_quota_move(8, EXO_QUOTA_PAGES, RUN));
	for (uint32_t i = 0; i < RUN; i++)
		(void)sys_page_take(8, RUN_START + i, EXO_PAGE_DATA);
	OK(sys_page_map_large(8, frame(2, L2), 7, RUN_START, 8 << 8 | R));
	OK(sys_revoke_ask(8, EXO_ASK_PAGES, 1, 0));
	host_now += EXO_REVOKE_MIN_NS;
	CHECK(OK(sys_revoke_take(8, EXO_ASK_PAGES, RUN_START, frame(2, L1))) == 0);
	CHECK(OK(sys_revoke_take(8, EXO_ASK_PAGES, RUN_START, frame(2, L2))) == 1);
	CHECK(run_maps[RUN_START / RUN] == 0);
}

/* Who was told that its slice ends, and is in a call when it has ended, has not overrun it. */
static void test_slice_end_in_a_call(void)
{
	open_world();
	OK(sys_env_set(SELF, EXO_SET_SLICE_UPCALL, EXO_SLICE_END));
	accept(2, 0);
	CHECK(slot_ending(1) == 1);
	OK(sys_ipc_call(call_to(TO_2, 0, 0), 0, 0, 0, 0, 0));
	become(leave());
	slot_tick();
	CHECK(envs[1].overruns == 0 && envs[1].penalty == 0 && envs[2].overruns == 0);
}

static void test_penalty_has_a_bound(void)
{
	world();
	OK(sys_env_set(SELF, EXO_SET_SLICE_UPCALL, EXO_SLICE_END));
	envs[1].penalty = UINT16_MAX;
	CHECK(slot_ending(1) == 1);
	slot_tick();
	CHECK(envs[1].penalty == UINT16_MAX && envs[1].overruns == 1);
}

/* A forfeited slice is passed on to the next in the vector, not back to who forfeits it. */
static void test_yield_in_a_forfeited_slice(void)
{
	world();
	child(2, 8);
	child(3, 10);
	envs[2].penalty = 1;
	slot_tick();
	slot_tick(); /* slot 2, which 2 forfeits */
	become(cpu_next());
	CHECK(cpus[0].position == 2 && cpus[0].forfeit && cpu_self() != 2);
	const uint32_t first = cpu_self();

	OK(sys_yield(0));
	become(cpu_next());
	CHECK(cpu_self() != first && cpu_self() != 0);
}

/* In a slot whose owner sleeps, too, yield passes on. */
static void test_yield_while_the_owner_sleeps(void)
{
	world();
	child(2, 8);
	child(3, 10);
	become(2);
	OK(sys_wait(1, 0));
	slot_tick();
	slot_tick(); /* slot 2 */
	become(cpu_next());
	CHECK(cpu_self() == 1 || cpu_self() == 3);
	const uint32_t other = cpu_self() == 1 ? 3 : 1;

	OK(sys_yield(0));
	CHECK(cpu_next() == other);
}

static void test_run_mapped_too_often(void)
{
	world();
	take_run();
	run_maps[RUN_START / RUN] = UINT32_MAX;
	NO(STATE, sys_page_map_large(SELF, frame(1, L2), 7, RUN_START, R));
}

/* An environment without an address space has no memory to copy from. */
static void test_uaccess_without_root(void)
{
	uint8_t byte = 0;

	world();
	OK(sys_env_create(5, 25));
	CHECK(copy_in(5, (struct uva){0}, &byte, 1) == EXO_FAULT);
	CHECK(copy_out(5, (struct uva){0}, &byte, 1) == EXO_FAULT);
	CHECK(copy_out(5, (struct uva){0}, &byte, 0) == EXO_OK);
}

/* ------------------------------------------------------------------------------------------ */

/* ---- tracing ----------------------------------------------------------------------------- */

enum { TRACER = 14, RING = 900, RING_RECORDS = 2 * TRACE_PER_FRAME };

/* Environment 1 has the capability in slot TRACER, and frames for a ring of two. */
static void trace_world(void)
{
	bad_slots_world();
	cap_put(1, TRACER, (struct exo_cap){.kind = EXO_CAP_TRACE});
	for (uint32_t i = 0; i < 2; i++)
		OK(sys_page_take(SELF, RING + i, EXO_PAGE_TRACE));
}

/* Is the latest record but `before` this one? */
static int recorded(uint64_t before, enum exo_trace_kind kind, uint32_t env, uint32_t detail,
		    uint32_t a, uint64_t b)
{
	const uint64_t number = tracing.last - before;
	const struct exo_trace *const t = &traces[number % RING_RECORDS];

	return t->number == number && t->kind == kind && t->env == env && t->detail == detail &&
	       t->a == a && t->b == b;
}

static void test_trace_start(void)
{
	trace_world();
	NO(RANGE, sys_trace_start(64, RING, 2));
	NO(STATE, sys_trace_start(30, RING, 2));
	NO(TYPE, sys_trace_start(SELF, RING, 2));
	NO(STALE, sys_trace_start(11, RING, 2));
	NO(ARG, sys_trace_start(TRACER, RING, 0));
	NO(ARG, sys_trace_start(TRACER, RING, 3));
	NO(ARG, sys_trace_start(TRACER, RING, 2 * TRACE_FRAMES));
	NO(ARG, sys_trace_start(TRACER, RING, ~0ull));
	NO(RANGE, sys_trace_start(TRACER, FRAMES - 1, 2));
	NO(RANGE, sys_trace_start(TRACER, ~0ull, 2));
	NO(PERM, sys_trace_start(TRACER, RING, 4));
	NO(PERM, sys_trace_start(TRACER, frame(2, DATA), 1));
	NO(TYPE, sys_trace_start(TRACER, frame(1, DATA), 1));
	CHECK(host_trace.frames == 0);
	CHECK(OK(sys_trace_start(TRACER, RING, 2)) == 1);
	CHECK(host_trace.first == RING && host_trace.frames == 2);
	CHECK(tracing.by == env_eid(1).n && tracing.records == RING_RECORDS);
	CHECK(recorded(0, EXO_TRACE_START, 1, 0, RING_RECORDS, 0));
	NO(BUSY, sys_trace_start(TRACER, RING, 2));
	NO(BUSY, sys_page_free(SELF, RING));
	become(2); /* has no capability for it */
	NO(STATE, sys_trace_start(TRACER, RING, 2));
	NO(STATE, sys_trace_stop());
}

static void test_trace_stop(void)
{
	trace_world();
	NO(STATE, sys_trace_stop());
	OK(sys_trace_start(TRACER, RING, 1));
	OK(sys_env_create(5, 20));
	CHECK(OK(sys_trace_stop()) == 2 && host_trace.frames == 0 && tracing.by == 0);
	NO(STATE, sys_trace_stop());
	OK(sys_env_create(6, 21));
	CHECK(tracing.last == 2);
	CHECK(OK(sys_trace_start(TRACER, RING, 2)) == 3); /* numbers go on */
	OK(sys_trace_stop());
	OK(sys_page_free(SELF, RING));
	OK(sys_page_free(SELF, RING + 1));
}

static void test_trace_ends_with_who_traces(void)
{
	trace_world();
	cap_put(2, TRACER, (struct exo_cap){.kind = EXO_CAP_TRACE});
	OK(sys_page_take(8, RING + 2, EXO_PAGE_TRACE));
	become(2);
	OK(sys_trace_start(TRACER, RING + 2, 1));
	become(1);
	OK(sys_env_kill(8, 7));
	CHECK(tracing.records == 0 && host_trace.frames == 0);
	CHECK(OK(sys_env_reclaim(env_eid(2).n, EXO_QUOTA_PAGES, RING + 2)) == 1);
	OK(sys_trace_start(TRACER, RING, 1));
	child(3, 22);
	OK(sys_env_kill(22, 0));
	CHECK(tracing.records != 0); /* somebody else's end */
	NO(PERM, sys_trace_start(TRACER, RING + 2, 1));
}

/* Nobody writes where the kernel writes records, and nothing else of a ring may be of that type. */
static void test_trace_frames_are_never_writable(void)
{
	const uint64_t table = frame(1, L1);

	trace_world();
	NO(TYPE, sys_page_map(SELF, table, 20, RING, 1, RW));
	NO(TYPE, sys_page_map(SELF, table, 20, RING, 1, RX));
	NO(TYPE, sys_page_map(SELF, table, 20, RING, 2, RW));
	OK(sys_page_map(SELF, table, 20, RING, 2, R));
	NO(TYPE, sys_page_protect(SELF, table, 20, 1, RW));
	NO(TYPE, sys_page_share(RING, 1, 8, 20, EXO_RIGHT_READ));
	NO(ARG, sys_page_take(SELF, RING + 2, EXO_PAGE_TRACE | 1 << 8));
	CHECK(page_covered(1, SELF, RING, 1, 1) == EXO_TYPE); /* a drive */
}

/* A ring holds the latest records, each where its number says; readers see what they have lost. */
static void test_trace_ring_wraps(void)
{
	trace_world();
	OK(sys_trace_start(TRACER, RING, 2));
	for (uint32_t i = 2; i <= 3 * RING_RECORDS + 5; i++)
		trace(EXO_TRACE_TAKEN, 2, 0, i, 0);
	CHECK(tracing.last == 3 * RING_RECORDS + 5);
	for (uint64_t n = tracing.last - RING_RECORDS + 1; n <= tracing.last; n++)
		CHECK(traces[n % RING_RECORDS].number == n && traces[n % RING_RECORDS].a == n);
	CHECK(traces[RING_RECORDS].number == 0); /* nothing beyond its frames */
	for (uint32_t i = 1; i < RING_RECORDS; i++)
		CHECK(traces[i].tsc != traces[i - 1].tsc);
	CHECK(check_state() == 0);
}

static void test_trace_says_who_lives(void)
{
	trace_world();
	OK(sys_trace_start(TRACER, RING, 2));
	OK(sys_env_create(5, 20));
	CHECK(recorded(0, EXO_TRACE_ENV_CREATE, 5, 0, 1, 0));
	OK(sys_env_set(8, EXO_SET_NAME_LO, 0x6867666564636261));
	OK(sys_env_set(8, EXO_SET_NAME_HI, 0x706f6e6d6c6b6a69));
	OK(sys_env_kill(8, 7));
	CHECK(recorded(0, EXO_TRACE_ENV_END, 2, EXO_END_KILLED, 0x6c6b6a69, 0x6867666564636261));
	OK(sys_env_kill(20, 7));
	OK(sys_env_reap(20));
	CHECK(recorded(0, EXO_TRACE_ENV_REAP, 5, 0, 0, 0));
	child(3, 22);
	CHECK(recorded(0, EXO_TRACE_ENV_START, 3, 0, 0, 0));
}

static void test_trace_says_who_runs(void)
{
	struct exo_regs regs = {.rip = 0x1234, .rsp = 0x8000};

	trace_world();
	child_with_handler(3, 22);
	become(1);
	trace_runs(3);
	CHECK(tracing.last == 0); /* nobody traces */
	OK(sys_trace_start(TRACER, RING, 2));
	trace_runs(1);
	CHECK(tracing.last == 1); /* nothing new */
	trace_runs(0);
	CHECK(recorded(0, EXO_TRACE_SWITCH, 0, 0, 1, 0));
	become(3);
	event_raise(3, EXO_EV_IO);
	envs[3].event_upcall = EXO_EV_IO;
	upcall_pending(3, &regs, 0);
	CHECK(recorded(1, EXO_TRACE_SWITCH, 3, 0, 0, 0));
	CHECK(recorded(0, EXO_TRACE_UPCALL, 3, EXO_UPCALL_EVENT, 0, 0));
	regs = (struct exo_regs){.rip = 0x1234, .rsp = 0x8000};
	envs[3].slice_upcall = EXO_SLICE_START;
	upcall_pending(3, &regs, 1);
	CHECK(recorded(0, EXO_TRACE_UPCALL, 3, EXO_UPCALL_SLICE, 0, 0));
	slot_upcalls(3, EXO_SLICE_END);
	regs = (struct exo_regs){.rip = 0x1234, .rsp = 0x8000};
	upcall_ending(3, &regs);
	CHECK(recorded(0, EXO_TRACE_UPCALL, 3, EXO_UPCALL_END, 0, 0));
	envs[3].penalty = 1;
	while (cpus[0].position != 2)
		slot_tick();
	CHECK(recorded(0, EXO_TRACE_SLICE, cpu_next(), 0, 2, 2));
	slot_tick();
	CHECK(recorded(0, EXO_TRACE_SLICE, cpu_next(), 1, 3, 3) && cpu_next() != 3);
}

static void test_trace_says_what_is_revoked(void)
{
	trace_world();
	child(3, 22);
	OK(sys_trace_start(TRACER, RING, 2));
	OK(sys_revoke_ask(22, EXO_ASK_SLOTS, 1, 0));
	CHECK(recorded(0, EXO_TRACE_ASK, 3, EXO_ASK_SLOTS, 1, env_eid(1).n));
	host_now += EXO_REVOKE_MIN_NS + 1;
	OK(sys_revoke_take(22, EXO_ASK_SLOTS, 3, 0));
	CHECK(recorded(0, EXO_TRACE_TAKEN, 3, EXO_QUOTA_SLOTS, 3, 0));
}

/* The number of a call in the table. */
enum {
#define CALL(number, name, nargs, args, what, errors, bound, example) CALL_##name = (number),
#include <exo/syscall.def>
#undef CALL
};

/* As x86/calls.c has it: the call, of environment me, and then its record. */
#define TRACED(me, name, ...)                                                                      \
	do {                                                                                       \
		const uint32_t client = envs[me].client;                                           \
                                                                                                   \
		trace_call(me, client, CALL_##name, sys_##name(__VA_ARGS__).status, host_tsc);     \
	} while (0)

static void test_trace_says_who_calls(void)
{
	const uint32_t sleeps = 1 << 16;

	open_world();
	cap_put(1, TRACER, (struct exo_cap){.kind = EXO_CAP_TRACE});
	for (uint32_t i = 0; i < 2; i++)
		OK(sys_page_take(SELF, RING + i, EXO_PAGE_TRACE));
	OK(sys_trace_start(TRACER, RING, 2));
	TRACED(1, cap_drop, 63);
	CHECK(recorded(0, EXO_TRACE_CALL, 1, EXO_STATE, CALL_cap_drop, 1));
	become(2);
	TRACED(2, ipc_reply_wait, 0, 0, 0, 0, 0, 0); /* answers nobody, sleeps */
	CHECK(recorded(1, EXO_TRACE_CALL, 1, EXO_STATE, CALL_cap_drop, 1));
	become(1);
	TRACED(1, ipc_call, call_to(TO_2, 0, 0), 0, 1, 2, 3, 4); /* 2 runs at once */
	CHECK(recorded(1, EXO_TRACE_IPC_CALL, 1, 0, 2, 0));
	CHECK(recorded(0, EXO_TRACE_CALL, 1, 0, CALL_ipc_call | sleeps, 1));
	become(3);
	TRACED(3, ipc_call, call_to(9, 0, 0), 0, 1, 2, 3, 4); /* 2 is busy */
	CHECK(recorded(1, EXO_TRACE_IPC_CALL, 3, 1, 2, 0));
	become(2);
	TRACED(2, ipc_reply_wait, 1, 0, 0, 0, 0, 0); /* answers 1, takes 3 */
	CHECK(recorded(2, EXO_TRACE_IPC_REPLY, 2, 0, 1, 0));
	CHECK(recorded(1, EXO_TRACE_IPC_TAKE, 2, 0, 3, 0));
	CHECK(recorded(0, EXO_TRACE_CALL, 2, 0, CALL_ipc_reply_wait, 1));
	TRACED(2, ipc_call, call_to(SELF, 0, 0), 0, 1, 2, 3, 4); /* refused: found nobody */
	CHECK(recorded(1, EXO_TRACE_CALL, 2, 0, CALL_ipc_reply_wait, 1));
	TRACED(2, ipc_reply_wait, 0, 0, 0, 0, 0, 0); /* refused: says nothing of 3 */
	CHECK(recorded(0, EXO_TRACE_CALL, 2, EXO_STATE, CALL_ipc_reply_wait, 1));
	CHECK(recorded(1, EXO_TRACE_CALL, 2, EXO_STATE, CALL_ipc_call, 1));
	TRACED(2, ipc_reply_wait, 1, 0, 0, 0, 0, 0);
	CHECK(recorded(1, EXO_TRACE_IPC_REPLY, 2, 0, 3, 0));
	CHECK(recorded(0, EXO_TRACE_CALL, 2, 0, CALL_ipc_reply_wait | sleeps, 1));
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
#define TEST(name)                                                                                 \
	{                                                                                          \
#name, test_##name                                                                 \
	}
	TEST(bad_environment_slot),
	TEST(bad_frames_slot),
	TEST(no_room_for_a_capability),
	TEST(null),
	TEST(machine_halt),
	TEST(cap_find),
	TEST(cap_derive),
	TEST(cap_grant),
	TEST(cap_drop),
	TEST(cap_revoke),
	TEST(generations_of_extents_come_to_an_end),
	TEST(env_create),
	TEST(env_open),
	TEST(env_set),
	TEST(principal_above),
	TEST(env_start),
	TEST(env_kill),
	TEST(env_reclaim),
	TEST(env_reclaim_sparse_table),
	TEST(env_reclaim_from_below),
	TEST(env_reclaim_keeps_what_is_held),
	TEST(env_reclaim_shown_tables),
	TEST(env_reclaim_io),
	TEST(env_orphans),
	TEST(env_reap),
	TEST(quota_move),
	TEST(page_take),
	TEST(page_free),
	TEST(table_link),
	TEST(table_unlink),
	TEST(page_map),
	TEST(page_map_for_child),
	TEST(page_map_large),
	TEST(page_map_large_again),
	TEST(page_unmap),
	TEST(page_protect),
	TEST(page_share),
	TEST(page_unshare),
	TEST(page_boot_range),
	TEST(block_bind),
	TEST(bound_frame_is_mapped_by_readers),
	TEST(bind_of_an_old_generation_does_not_count),
	TEST(a_mark_is_no_mapping),
	TEST(freed_frame_leaves_the_registry),
	TEST(registry_size),
	TEST(device),
	TEST(slot_take),
	TEST(slot_tick),
	TEST(slot_idle),
	TEST(no_slot_no_time),
	TEST(yield),
	TEST(wait),
	TEST(event_post),
	TEST(timer_drop),
	TEST(timer),
	TEST(uaccess),
	TEST(upcall_fault),
	TEST(upcall_without_handler),
	TEST(upcall_pending),
	TEST(upcall_without_page),
	TEST(slice_end),
	TEST(slice_forfeited),
	TEST(slice_goes_on),
	TEST(revoke_ask),
	TEST(revoke_unused),
	TEST(revoke_slot),
	TEST(revoke_page),
	TEST(revoke_take_back),
	TEST(revoke_large_page),
	TEST(revoke_forgotten),
	TEST(checker_sees),
	TEST(ipc_at_once),
	TEST(ipc_queue),
	TEST(ipc_refused),
	TEST(ipc_timeout),
	TEST(ipc_ends),
	TEST(ipc_dead_queue),
	TEST(ipc_capability),
	TEST(ipc_capability_quota),
	TEST(ipc_cycle),
	TEST(ipc_depth),
	TEST(ipc_donation),
	TEST(checker_sees_frames),
	TEST(checker_sees_environments),
	TEST(checker_sees_calls),
	TEST(checker_sees_time),
	TEST(reap_waits_for_callers),
	TEST(reap_waits_for_the_last_thing),
	TEST(generations_used_up),
	TEST(late_server_takes_caller),
	TEST(slots_of_a_long_chain),
	TEST(ipc_depth_of_both_sides),
	TEST(bound_frame_is_not_for_other_readers),
	TEST(two_blocks_of_a_set),
	TEST(revoke_from_the_dead),
	TEST(revoke_ask_after_the_deadline),
	TEST(revoke_frame_of_a_large_page),
	TEST(slice_end_in_a_call),
	TEST(penalty_has_a_bound),
	TEST(yield_in_a_forfeited_slice),
	TEST(yield_while_the_owner_sleeps),
	TEST(run_mapped_too_often),
	TEST(uaccess_without_root),
	TEST(trace_start),
	TEST(trace_stop),
	TEST(trace_ends_with_who_traces),
	TEST(trace_frames_are_never_writable),
	TEST(trace_ring_wraps),
	TEST(trace_says_who_lives),
	TEST(trace_says_who_runs),
	TEST(trace_says_what_is_revoked),
	TEST(trace_says_who_calls),
#undef TEST
};

int main(void)
{
	int failed = 0;

	for (uint32_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		failed |= core_run("core", tests[i].name, tests[i].run);
	return failed;
}
