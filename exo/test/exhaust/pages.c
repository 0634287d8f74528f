/*
 * pages.c - worlds of frames: owning and sharing them (pages), and mapping them (maps).
 *
 * Two environments, each with a capability to give to the other; 1 has made 2 and can do all with
 * it.  Frames are interchangeable, and so are the capability slots that they are shared by.
 */
#include "../../kern/page.h"
#include "../../kern/quota.h"
#include "scene.h"
#include "worlds.h"

enum {
	OTHER = 1, /* slot: the other environment */
	S = 4,	   /* slots for capabilities to frames: S, S + 1 */
	F = SCENE_SPARE(2),
	DATA = EXO_PAGE_DATA,
	R = EXO_RIGHT_READ,
	RW = EXO_RIGHT_READ | EXO_RIGHT_WRITE,
	G = EXO_RIGHT_GRANT,
	BOTH = 1 << 1 | 1 << 2,
};

/* 1 may have two frames, 2 one; there is a third, which nobody asks for. */
static void begin_pages(void)
{
	scene_boot(3, SCENE_SPARE(2) + 3);
	scene_env(2, OTHER, (struct exo_quota){{1, 0, 3}});
	scene_cap(2, OTHER, 1, EXO_ENV_GIVE);
}

static const struct call pages_calls[] = {
	DO(page_take, D(0), D(F, F + 1), D(DATA, EXO_PAGE_SAVE)),
	DO(page_take, D(0), D(F, F + 1),
	   D(EXO_PAGE_TABLE, EXO_PAGE_TABLE | 5 << 8, EXO_PAGE_KERNEL)),
	DO(page_take, D(OTHER), D(F, F + 1), D(DATA)),
	DO(page_take, D(0), D(F + 3, 0, SCENE_SAVE(1)), D(DATA)),
	DO(page_free, D(0, OTHER), D(F, F + 1)),
	DO(page_free, D(0), D(F + 2, 0, SCENE_SAVE(1), SCENE_ROOT(2))),
	DO(page_share, D(F, F + 1), D(1), D(OTHER, 0), D(S, S + 1), D(R, RW | G)),
	DO(page_share, D(F, F + 1, F + 2), D(0), D(OTHER), D(S, S + 1), D(R)),
	DO(page_share, D(F, F + 1), D(1), D(OTHER), D(S, S + 1), D(EXO_RIGHT_WRITE, 8 | R)),
	DO(page_share, D(SCENE_SAVE(1)), D(1), D(OTHER), D(S, S + 1), D(R)),
	DO(page_unshare, D(F, F + 1), D(0, 1)),
	DO(cap_derive, D(S, S + 1), D(S, S + 1), D(R, RW, 8), D(0), D(0)),
	DO(cap_derive, D(S, S + 1), D(S, S + 1), D(R), D(F, F + 1), D(0, 1, 2)),
	DO(cap_derive, D(S, S + 1, 64), D(64), D(R), D(0), D(0)),
	DO(cap_grant, D(S, S + 1), D(OTHER), D(S, S + 1), D(RW | G, RW)),
	DO(cap_drop, D(S, S + 1, 0, 64)),
	IN_VAIN(cap_revoke, D(S, S + 1)),
};

/* With one frame that both may have there is an end to it. */
static void begin_shares(void)
{
	begin_pages();
	page_boot_range(F + 1, 1, EXO_PAGE_NONE);
	quota_boot(1, EXO_QUOTA_PAGES, quota_limit[1].n[EXO_QUOTA_PAGES] - 1);
}

const struct world world_shares = {
	.name = "shares",
	.what = "the same with one frame",
	.begin = begin_shares,
	.who = BOTH,
	.calls = pages_calls,
	.call_count = COUNT(pages_calls),
	.slots = S,
	.slot_count = 2,
	.states = 9000,
};

const struct world world_pages = {
	.name = "pages",
	.what = "frames owned and shared by two environments: take, free, share, derive, grant, "
		"drop",
	.begin = begin_pages,
	.who = BOTH,
	.calls = pages_calls,
	.call_count = COUNT(pages_calls),
	.frames = F,
	.frame_count = 2,
	.slots = S,
	.slot_count = 2,
	.states = 2500,
};

/* ---- mapping ----------------------------------------------------------------------------- */

enum {
	T1 = SCENE_TABLE(1),
	T2 = SCENE_TABLE(2),
	BY_CAP = S << 8, /* in `how`: by the capability in slot S */
	MR = EXO_MAP_READ,
	MRW = EXO_MAP_READ | EXO_MAP_WRITE,
	MRX = EXO_MAP_READ | EXO_MAP_EXEC,
	MWX = EXO_MAP_WRITE | EXO_MAP_EXEC,
};

static void begin_maps(void)
{
	begin_pages();
	scene_cap(2, OTHER, 1, EXO_ENV_GIVE | EXO_ENV_REVOKE);
}

#define MAPPING(me, table)                                                                         \
	AS(1 << (me), page_map, D(0), D(table), D(0), D(F, F + 1), D(1),                           \
	   D(MR, MRW, MRX, MR | BY_CAP, MRW | BY_CAP, MRX | BY_CAP)),                              \
		AS(1 << (me), page_map, D(0), D(table), D(1), D(F, F + 1), D(1),                   \
		   D(MR, MR | BY_CAP)),                                                            \
		AS(1 << (me), page_map, D(0), D(table), D(0), D(F, F + 1, F + 2), D(1),            \
		   D(0, EXO_MAP_WRITE, MR | MWX, MR | 8, MR | 1 << 8, MR | 64 << 8)),              \
		AS(1 << (me), page_map, D(0), D(table), D(511, 512), D(F, F + 1), D(0, 2), D(MR)), \
		AS(1 << (me), page_map, D(0), D(table), D(0), D(SCENE_SAVE(me), table), D(1),      \
		   D(MR, MRW, MRX)),                                                               \
		AS(1 << (me), page_unmap, D(0), D(table), D(0, 1, 512), D(1)),                     \
		AS(1 << (me), page_unmap, D(0), D(table), D(0), D(2, 513)),                        \
		AS(1 << (me), page_protect, D(0), D(table), D(0), D(1),                            \
		   D(MR, MRW, MRX, MR | BY_CAP, MRW | BY_CAP)),                                    \
		AS(1 << (me), page_protect, D(0), D(table), D(0), D(2), D(MR, MRW)),               \
		AS(1 << (me), revoke_take, D(0), D(EXO_ASK_PAGES), D(F, F + 1),                    \
		   D((table) == T1 ? T2 : T1))

static const struct call maps_calls[] = {
	DO(page_take, D(0), D(F, F + 1), D(DATA)),
	DO(page_free, D(0), D(F, F + 1)),
	DO(page_share, D(F, F + 1), D(1), D(OTHER), D(S), D(R, RW)),
	DO(page_unshare, D(F, F + 1), D(1)),
	DO(cap_drop, D(S)),
	MAPPING(1, T1),
	MAPPING(2, T2),
	AS(1 << 1, page_map, D(OTHER), D(T2), D(0), D(F, F + 1), D(1), D(MR, MRW | OTHER << 8)),
	AS(1 << 1, page_unmap, D(OTHER), D(T2), D(0), D(1)),
	AS(1 << 2, page_unmap, D(0), D(T1, T2 - 1, T2 - 2), D(0), D(1)),
};

const struct world world_maps = {
	.name = "maps",
	.what = "frames shared and mapped by two environments: map, unmap, protect, take back",
	.begin = begin_maps,
	.who = BOTH,
	.calls = maps_calls,
	.call_count = COUNT(maps_calls),
	.frames = F,
	.frame_count = 2,
	.states = 2500,
};
