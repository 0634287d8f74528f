/*
 * revoke.c - worlds of taking back: frames and CPU slots of an environment (revoke), and blocks
 * that the registry has frames for (registry).
 */
#include "../../kern/cap.h"
#include "../../kern/env.h"
#include "../../kern/page.h"
#include "../machine_host.h"
#include "scene.h"
#include "worlds.h"

enum {
	OTHER = 1,
	T1 = SCENE_TABLE(1),
	T2 = SCENE_TABLE(2),
	F = SCENE_SPARE(2),
	PAGES = EXO_ASK_PAGES,
	SLOTS = EXO_ASK_SLOTS,
	R = EXO_MAP_READ,
	RW = EXO_MAP_READ | EXO_MAP_WRITE,
};

static int time_passes(void)
{
	host_now += EXO_REVOKE_MIN_NS;
	return 1;
}

/* ---- frames and slots -------------------------------------------------------------------- */

/* 1 has all rights to 2; 2 may ask 1 too. */
static void begin_revoke(void)
{
	scene_boot(3, SCENE_SPARE(2) + 2);
	scene_env(2, OTHER, (struct exo_quota){{2, 1, 2}});
	scene_cap(2, OTHER, 1, EXO_ENV_REVOKE | EXO_ENV_GIVE);
}

static const struct call revoke_calls[] = {
	DO(revoke_ask, D(OTHER, 0), D(PAGES, SLOTS), D(0, 1, 2), D(0)),
	AS(1 << 1, revoke_ask, D(OTHER), D(PAGES), D(1), D(IN(2 * EXO_REVOKE_MIN_NS))),
	IN_VAIN(revoke_ask, D(OTHER), D(EXO_ASK_EXTENT), D(1), D(0)),
	IN_VAIN(revoke_ask, D(OTHER), D(PAGES), D(64), D(0)),
	DO(revoke_take, D(OTHER), D(PAGES), D(EXO_TAKE_UNUSED), D(0)),
	DO(revoke_take, D(OTHER), D(PAGES), D(F, F + 1), D(0, T1, T2)),
	AS(1 << 1, revoke_take, D(OTHER), D(PAGES), D(SCENE_SAVE(2), 64), D(T2)),
	DO(revoke_take, D(OTHER), D(SLOTS), D(EXO_TAKE_UNUSED, 0, 1, EXO_NSLOT), D(0)),
	AS(1 << 1, page_take, D(0), D(F, F + 1), D(EXO_PAGE_DATA)),
	AS(1 << 2, page_take, D(0), D(F, F + 1), D(EXO_PAGE_DATA)),
	DO(page_free, D(0), D(F, F + 1)),
	AS(1 << 2, page_map, D(0), D(T2), D(0, 1), D(F, F + 1), D(1), D(RW)),
	AS(1 << 2, page_unmap, D(0), D(T2), D(0), D(1)),
	DO(slot_take, D(0), D(0)),
	DO(slot_free, D(0)),
};

/* A frame of 2 is pinned, as its ring, and is not any more. */
static int ring_begins(uint32_t f)
{
	if (envs[2].io_ring != 0 || pages[f].owner != 2)
		return 0;
	envs[2].io_ring = f;
	page_pin(f);
	return 1;
}

static int ring_at_first(void)
{
	return ring_begins(F);
}

static int ring_at_second(void)
{
	return ring_begins(F + 1);
}

static int ring_ends(void)
{
	if (envs[2].io_ring == 0)
		return 0;
	page_unpin(envs[2].io_ring);
	envs[2].io_ring = 0;
	return 1;
}

static const struct outside revoke_outside[] = {
	{"time passes", time_passes},
	{"2 makes the first frame its ring", ring_at_first},
	{"2 makes the second frame its ring", ring_at_second},
	{"2 has no ring any more", ring_ends},
};

const struct world world_revoke = {
	.name = "revoke",
	.what = "frames and CPU slots of an environment are asked for, and taken when it was time",
	.begin = begin_revoke,
	.who = 1 << 1 | 1 << 2,
	.calls = revoke_calls,
	.call_count = COUNT(revoke_calls),
	.outside = revoke_outside,
	.outside_count = COUNT(revoke_outside),
	.frames = F,
	.frame_count = 2,
	.states = 4000,
};

/* ---- the registry ------------------------------------------------------------------------ */

enum {
	X = 3, /* an extent: blocks 300 and 301 */
	BLOCK = 300,
	C = 4, /* slot of both: a capability to it */
	ADMIN = EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_ADMIN,
	MR = EXO_MAP_READ | C << 8,
};

/* 1 owns the extent, 2 may read and write one block of it, and read one of another;
 * it also has a device of one frame, which has another behind it. */
static void begin_registry(void)
{
	struct exo_cap cap = {.kind = EXO_CAP_EXTENT, .object = X, .start = BLOCK, .len = 2};

	scene_boot(3, SCENE_SPARE(2) + 2);
	scene_env(2, OTHER, (struct exo_quota){{1, 0, 3}});
	cap.rights = ADMIN;
	cap.gen = host_extent_gen[X];
	cap_put(1, C, cap);
	cap.rights = EXO_RIGHT_READ | EXO_RIGHT_WRITE;
	cap.len = 1;
	cap_put(2, C, cap);
	cap.rights = EXO_RIGHT_READ;
	cap.object = X + 1;
	cap_put(2, C + 1, cap);
	page_boot_range(SCENE_FIRST - 2, 2, EXO_PAGE_DEVICE);
	cap_put(2, C + 2,
		(struct exo_cap){.kind = EXO_CAP_DEVICE,
				 .rights = EXO_RIGHT_READ,
				 .start = SCENE_FIRST - 2,
				 .len = 1});
}

/* The extent's capabilities are opened anew, those of a generation that is gone. */
static int opened_anew(void)
{
	int stale = 0;

	for (uint32_t e = 1; e < 3; e++) {
		if (caps[e].c[C].kind == EXO_CAP_EXTENT && caps[e].c[C].gen != host_extent_gen[X]) {
			caps[e].c[C].gen = host_extent_gen[X];
			stale = 1;
		}
	}
	return stale;
}

static const struct outside registry_outside[] = {{"the extent is opened anew", opened_anew}};

#define ENTRY(block, place) BIND_ENTRY(X, block, place)

static const struct call registry_calls[] = {
	DO(block_bind, D(C), D(BLOCK), D(ENTRY(BLOCK, 0), ENTRY(BLOCK, 1)), D(0, F, F + 1)),
	AS(1 << 1, block_bind, D(C), D(BLOCK + 1), D(ENTRY(BLOCK + 1, 0)), D(0, F, F + 1)),
	IN_VAIN(block_bind, D(C, 0, 63), D(BLOCK), D(ENTRY(BLOCK + 1, 0), HOST_BINDS),
		D(0, F, F + 1)),
	IN_VAIN(block_bind, D(C + 1), D(BLOCK), D(BIND_ENTRY(X + 1, BLOCK, 0)), D(F, F + 1)),
	IN_VAIN(block_bind, D(C), D(BLOCK - 1, BLOCK + 2),
		D(ENTRY(BLOCK - 1, 0), ENTRY(BLOCK + 2, 0)), D(F, F + 1)),
	IN_VAIN(block_bind, D(C), D(BLOCK), D(ENTRY(BLOCK, 0)), D(F + 2, SCENE_SAVE(1), T2)),
	AS(1 << 2, block_bind, D(C), D(BLOCK + 1), D(ENTRY(BLOCK + 1, 0)), D(0, F, F + 1)),
	DO(cap_revoke, D(C)),
	DO(page_take, D(0), D(F, F + 1), D(EXO_PAGE_DATA)),
	DO(page_free, D(0), D(F, F + 1)),
	AS(1 << 2, page_map, D(0), D(T2), D(0), D(F, F + 1), D(1), D(MR, RW | C << 8, 5 | C << 8)),
	AS(1 << 2, page_map, D(0), D(T2), D(0), D(F, F + 1), D(1), D(R)),
	AS(1 << 2, page_map, D(0), D(T2), D(0),
	   D(SCENE_FIRST - 3, SCENE_FIRST - 2, SCENE_FIRST - 1), D(1),
	   D(R | (C + 2) << 8, RW | (C + 2) << 8)),
	AS(1 << 2, page_protect, D(0), D(T2), D(0), D(1), D(MR, RW, RW | C << 8)),
	AS(1 << 2, page_unmap, D(0), D(T2), D(0), D(1)),
	AS(1 << 1, page_map, D(0), D(T1), D(0), D(F, F + 1), D(1), D(MR)),
	AS(1 << 1, page_unmap, D(0), D(T1), D(0), D(1)),
	AS(1 << 1, revoke_take, D(0), D(PAGES), D(F, F + 1), D(T2)),
};

const struct world world_registry = {
	.name = "registry",
	.what = "two environments bind frames to blocks of an extent, and map each other's",
	.begin = begin_registry,
	.who = 1 << 1 | 1 << 2,
	.calls = registry_calls,
	.call_count = COUNT(registry_calls),
	.outside = registry_outside,
	.outside_count = COUNT(registry_outside),
	.frames = F,
	.frame_count = 2,
	.states = 4000,
};
