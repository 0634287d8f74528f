/*
 * life.c - worlds of environments: what capabilities to them can do (caps), and their life from
 * env_create to env_reap (life).
 */
#include "../../kern/cpu.h"
#include "../../kern/env.h"
#include "../../kern/quota.h"
#include "../../kern/syscall.h"
#include "scene.h"
#include "worlds.h"

/* ---- capabilities to environments ---------------------------------------------------------- */

enum { OTHER = 1, S = 2, ALL = EXO_ENV_ALL, GIVE = EXO_ENV_GIVE | EXO_RIGHT_GRANT };

/* 1 has made 2, 2 may give to 1 what 1 lets it. */
static void begin_caps(void)
{
	scene_boot(3, SCENE_SPARE(2));
	scene_env(2, OTHER, (struct exo_quota){{0, 1, 3}});
	scene_cap(2, OTHER, 1, GIVE);
}

static const struct call caps_calls[] = {
	DO(cap_derive, D(0, OTHER, S), D(S, S + 1, S + 2), D(ALL, GIVE, EXO_ENV_GIVE, 8), D(0),
	   D(0)),
	DO(cap_derive, D(OTHER, 5, 64), D(0, 64, S), D(GIVE), D(0), D(0)),
	DO(cap_grant, D(0, OTHER, S), D(OTHER, S), D(OTHER, S, S + 1), D(ALL, GIVE, EXO_ENV_GIVE)),
	DO(cap_grant, D(OTHER), D(0), D(S), D(EXO_ENV_GIVE)),
	DO(cap_drop, D(0, OTHER, S, S + 1, 64)),
	DO(cap_revoke, D(0, OTHER, S, S + 1)),
	DO(env_open, D(EID(1), EID(2), OLD_EID(2), 0), D(OTHER, S, 0)),
	DO(env_set, D(OTHER, S), D(EXO_SET_CALLS), D(0)),
	DO(quota_move, D(0, OTHER, S), D(EXO_QUOTA_SLOTS), D(1, 256)),
	DO(quota_move, D(OTHER), D(EXO_NQUOTA), D(0)),
};

const struct world world_caps = {
	.name = "caps",
	.what = "capabilities of two environments to each other: derive, grant, drop, revoke, open",
	.begin = begin_caps,
	.who = 1 << 1 | 1 << 2,
	.calls = caps_calls,
	.call_count = COUNT(caps_calls),
	.states = 2500,
};

/* ---- life -------------------------------------------------------------------------------- */

enum {
	A = 8,		    /* slot: the environment that was made */
	F = SCENE_SPARE(1), /* F, F + 1, F + 2: interchangeable */
	ROOT_TYPE = EXO_PAGE_TABLE | 4 << 8,
	PAGES = EXO_QUOTA_PAGES,
	SLOTS = EXO_QUOTA_SLOTS,
	CAPS = EXO_QUOTA_CAPS,
	ENVS = EXO_QUOTA_ENVS,
	MAKER = 1 << 1,
	CHILD = 1 << 2,
};

#define ALL_F	 F, F + 1, F + 2
#define USER_TOP 0x800000000000

static void begin_life(void)
{
	scene_boot(3, SCENE_SPARE(1) + 3);
	envs[1].principal = 1; /* so that there is somebody above */
}

static const struct call life_calls[] = {
	AS(MAKER, env_create, D(0, 1, 2, 3), D(A, 0, 64)),
	AS(MAKER, env_open, D(EID(2), OLD_EID(2), EID(1), 3), D(A)),
	AS(MAKER, quota_move, D(A, 0), D(PAGES, SLOTS, CAPS), D(1, 0xffffffff)),
	AS(MAKER, page_take, D(A), D(ALL_F), D(ROOT_TYPE, EXO_PAGE_SAVE, EXO_PAGE_DATA)),
	AS(MAKER, page_free, D(A, 0), D(ALL_F)),
	AS(MAKER, env_set, D(A), D(EXO_SET_ROOT, EXO_SET_SAVE), D(ALL_F)),
	AS(MAKER, env_set, D(A), D(EXO_SET_ROOT, EXO_SET_SAVE), D(SCENE_ROOT(1), SCENE_SAVE(1))),
	AS(MAKER, env_set, D(A), D(EXO_SET_PRINCIPAL), D(0, 1)),
	AS(MAKER, env_set, D(A), D(EXO_SET_UPCALL_VA), D(0, USER_TOP, 1)),
	AS(MAKER, env_set, D(A), D(EXO_SET_UPCALL_ENTRY), D(0, USER_TOP)),
	AS(MAKER, env_start, D(A), D(1, USER_TOP), D(1, USER_TOP), D(0)),
	AS(MAKER, slot_take, D(A), D(0)),
	AS(MAKER, cap_drop, D(A)),
	AS(CHILD, env_create, D(1, 2), D(A)),
	AS(CHILD, page_take, D(0), D(ALL_F), D(EXO_PAGE_UPCALL)),
	AS(CHILD, page_free, D(0), D(ALL_F)),
	AS(CHILD, cap_derive, D(0), D(A), D(EXO_ENV_ALL), D(0), D(0)),
	AS(CHILD, slot_free, D(0)),
	AS(CHILD, env_set, D(0), D(EXO_SET_ROOT, EXO_SET_UPCALL_PAGE), D(ALL_F)),
	AS(CHILD, env_kill, D(0, A), D(7)),
	AS(MAKER, env_kill, D(A), D(7)),
	AS(MAKER, env_reclaim, D(EID(2), OLD_EID(2)), D(PAGES), D(ALL_F)),
	AS(MAKER, env_reclaim, D(EID(2)), D(SLOTS), D(0, 1, EXO_NSLOT)),
	AS(MAKER, env_reclaim, D(EID(2)), D(CAPS), D(A, 0, 64)),
	AS(MAKER, env_reap, D(A, 0)),
};

/* Limits grow without bound but that of what there is. */
static int beyond_life(void)
{
	return quota_limit[2].n[SLOTS] > 1 || quota_limit[2].n[CAPS] > 1;
}

const struct world world_life = {
	.name = "life",
	.what = "an environment from env_create to env_reap, again and again",
	.begin = begin_life,
	.who = MAKER | CHILD,
	.calls = life_calls,
	.call_count = COUNT(life_calls),
	.beyond = beyond_life,
	.frames = F,
	.frame_count = 3,
	.states = 6000,
};

/* ---- death ------------------------------------------------------------------------------- */

enum {
	TWO = 8,	     /* slot of 1: environment 2 */
	THREE = 9,	     /* slot of 2, and perhaps of 1: environment 3 */
	D2 = SCENE_SPARE(2), /* frame of 2: DATA */
	S3,		     /* frame of 3: save area */
	N3,		     /* frame of 3: nothing is done with it */
	T2 = SCENE_TABLE(2),
};

/* 2 has a child, 3, a CPU slot, a mapping; 1 has made 2. */
static void begin_death(void)
{
	scene_boot(4, SCENE_SPARE(2) + 3);
	scene_env(2, TWO, (struct exo_quota){{3, 1, 2, 1}});
	cpus[0].current = 2;
	scene_must(sys_page_take(0, D2, EXO_PAGE_DATA));
	scene_must(sys_page_map(0, T2, 0, D2, 1, EXO_MAP_READ));
	scene_must(sys_slot_take(0, 0));
	scene_must(sys_env_create(3, THREE));
	scene_must(sys_quota_move(THREE, PAGES, 2));
	scene_must(sys_page_take(THREE, S3, EXO_PAGE_SAVE));
	scene_must(sys_env_set(THREE, EXO_SET_SAVE, S3));
}

static const struct call death_calls[] = {
	AS(MAKER, env_kill, D(TWO, THREE), D(1)),
	AS(CHILD, env_kill, D(0, THREE), D(1)),
	AS(MAKER, env_reclaim, D(EID(2)), D(PAGES),
	   D(T2, T2 - 1, T2 - 2, SCENE_ROOT(2), SCENE_SAVE(2), D2, S3, SCENE_SAVE(1))),
	AS(MAKER, env_reclaim, D(EID(3)), D(PAGES), D(S3, N3, D2)),
	AS(MAKER, env_reclaim, D(EID(2), EID(3)), D(SLOTS), D(0)),
	AS(MAKER, env_reclaim, D(EID(2)), D(CAPS), D(THREE, 0)),
	AS(MAKER, env_reclaim, D(EID(2), EID(3)), D(ENVS), D(2, 3, 1, 4)),
	AS(MAKER, env_reclaim, D(EID(2)), D(EXO_QUOTA_IO, EXO_NQUOTA), D(0, 1)),
	AS(MAKER, env_reclaim, D(EID(1)), D(PAGES), D(SCENE_SAVE(1))),
	AS(CHILD, env_reclaim, D(EID(3)), D(PAGES), D(S3)),
	AS(MAKER, env_open, D(EID(2), EID(3)), D(THREE)),
	AS(MAKER, env_reap, D(TWO, THREE)),
	AS(CHILD, env_reap, D(THREE)),
	AS(CHILD, page_take, D(THREE), D(N3), D(EXO_PAGE_DATA, EXO_PAGE_TABLE | 3 << 8)),
	{.number = CALL_table_link,
	 .who = MAKER,
	 .in_vain = 1,
	 .arg = {D(0, THREE), D(SCENE_ROOT(1)), D(1), D(N3)}},
	AS(CHILD, page_unmap, D(0), D(T2), D(0), D(1)),
	AS(MAKER, page_take, D(TWO), D(N3), D(EXO_PAGE_DATA)),
	AS(MAKER, page_map, D(0), D(SCENE_TABLE(1)), D(0), D(T2, S3), D(1),
	   D(EXO_MAP_READ | TWO << 8)),
	AS(MAKER, page_map, D(0), D(SCENE_TABLE(1)), D(0), D(S3), D(1),
	   D(EXO_MAP_READ | THREE << 8)),
	AS(MAKER, page_unmap, D(0), D(SCENE_TABLE(1)), D(0), D(1)),
};

const struct world world_death = {
	.name = "death",
	.what = "an environment that holds one of everything, and its child, end and are taken "
		"apart",
	.begin = begin_death,
	.who = MAKER | CHILD,
	.calls = death_calls,
	.call_count = COUNT(death_calls),
	.states = 8000,
};
