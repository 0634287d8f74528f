/*
 * life.c - worlds of environments: what capabilities to them can do (caps), and their life from
 * env_create to env_reap (life).
 */
#include "../../kern/env.h"
#include "scene.h"
#include "worlds.h"

/* ---- capabilities to environments ---------------------------------------------------------- */

enum { OTHER = 1, S = 2, ALL = EXO_ENV_ALL, GIVE = EXO_ENV_GIVE | EXO_RIGHT_GRANT };

/* 1 has made 2, 2 may give to 1 what 1 lets it. */
static void begin_caps(void)
{
	scene_boot(3, 0);
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
	DO(quota_move, D(OTHER), D(EXO_NQUOTA - 1, EXO_NQUOTA), D(0)),
};

const struct world world_caps = {
	.name = "caps",
	.what = "capabilities of two environments to each other: derive, grant, drop, revoke, open",
	.begin = begin_caps,
	.who = 1 << 1 | 1 << 2,
	.calls = caps_calls,
	.call_count = COUNT(caps_calls),
	.states = 1500,
};

/* ---- life -------------------------------------------------------------------------------- */

enum {
	A = 8, /* slots: environments that were made */
	B = 9,
	F = SCENE_SPARE(1), /* F, F + 1, F + 2: interchangeable */
	ROOT_TYPE = EXO_PAGE_TABLE | 4 << 8,
	PAGES = EXO_QUOTA_PAGES,
	SLOTS = EXO_QUOTA_SLOTS,
	CAPS = EXO_QUOTA_CAPS,
	ENVS = EXO_QUOTA_ENVS,
};

#define ALL_F F, F + 1, F + 2

static void begin_life(void)
{
	scene_boot(4, 0);
}

static const struct call life_calls[] = {
	AS(1 << 1, env_create, D(2), D(A)),
	AS(1 << 1, env_create, D(0, 1, 3, 4), D(A, 0)),
	AS(1 << 2, env_create, D(3, 2), D(A)),
	AS(1 << 1, env_open, D(EID(2), EID(3), OLD_EID(2), EID(1)), D(A, B)),
	AS(1 << 1, quota_move, D(A), D(PAGES), D(3)),
	AS(1 << 1, quota_move, D(A), D(SLOTS, CAPS, ENVS), D(1)),
	AS(1 << 2, quota_move, D(A), D(PAGES), D(1)),
	DO(page_take, D(A), D(ALL_F), D(ROOT_TYPE, EXO_PAGE_SAVE)),
	AS(1 << 2, page_take, D(0), D(ALL_F), D(EXO_PAGE_DATA, EXO_PAGE_TABLE | 3 << 8)),
	AS(1 << 2, page_free, D(0), D(ALL_F)),
	AS(1 << 2, table_link, D(0), D(ALL_F), D(0), D(ALL_F)),
	DO(env_set, D(A, 0), D(EXO_SET_ROOT, EXO_SET_SAVE), D(ALL_F)),
	AS(1 << 1, env_set, D(A), D(EXO_SET_ROOT, EXO_SET_SAVE), D(SCENE_ROOT(1), SCENE_SAVE(1))),
	AS(1 << 1, env_set, D(A), D(EXO_SET_UPCALL_VA), D(0x7fff00000000, 0x800000000000, 1)),
	AS(1 << 1, env_set, D(A), D(EXO_SET_UPCALL_ENTRY), D(0, 0x800000000000)),
	AS(1 << 1, env_start, D(A), D(1, 0x800000000000), D(1, 0x800000000000), D(0)),
	AS(1 << 1, slot_take, D(A), D(0)),
	AS(1 << 2, slot_free, D(0)),
	AS(1 << 2, cap_derive, D(0), D(A), D(EXO_ENV_ALL), D(0), D(0)),
	DO(env_kill, D(A, 0, B), D(7)),
	AS(1 << 1, env_reclaim, D(EID(2), EID(3), OLD_EID(2)), D(PAGES), D(ALL_F)),
	AS(1 << 1, env_reclaim, D(EID(2), EID(3)), D(SLOTS), D(0, 1, 256)),
	AS(1 << 1, env_reclaim, D(EID(2), EID(3)), D(CAPS), D(A, 0, 64)),
	AS(1 << 1, env_reclaim, D(EID(2)), D(ENVS), D(2, 3, 4)),
	AS(1 << 1, env_reclaim, D(EID(2)), D(EXO_QUOTA_IO, EXO_NQUOTA), D(0, 1)),
	AS(1 << 1, env_reclaim, D(EID(1)), D(PAGES), D(SCENE_SAVE(1))),
	DO(env_reap, D(A, B, 0)),
	AS(1 << 1, cap_drop, D(A, B)),
};

const struct world world_life = {
	.name = "life",
	.what = "two environments from env_create to env_reap, one perhaps the other's child",
	.begin = begin_life,
	.who = 1 << 1 | 1 << 2,
	.calls = life_calls,
	.call_count = COUNT(life_calls),
	.frames = F,
	.frame_count = 3,
	.states = 3000,
};
