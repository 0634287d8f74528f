/*
 * tables.c - the world of page tables: one environment builds trees of three frames and takes them
 * down again, with every wrong link there is.
 */
#include "scene.h"
#include "worlds.h"

enum {
	F = SCENE_SPARE(1), /* F, F + 1, F + 2: interchangeable */
	ROOT = SCENE_ROOT(1),
	L3 = ROOT + 2,
	L2 = ROOT + 3,
	L1 = ROOT + 4,
	TABLE = EXO_PAGE_TABLE,
};

static void begin_tables(void)
{
	scene_boot(2, SCENE_SPARE(1) + 3);
}

#define ALL_F F, F + 1, F + 2

static const struct call tables_calls[] = {
	DO(page_take, D(0), D(ALL_F), D(TABLE | 1 << 8, TABLE | 2 << 8, TABLE | 3 << 8)),
	DO(page_take, D(0), D(ALL_F), D(TABLE | 4 << 8, EXO_PAGE_DATA)),
	DO(page_free, D(0), D(ALL_F, ROOT, L1)),
	DO(table_link, D(0), D(ROOT, L3, L2, ALL_F), D(1), D(ALL_F)),
	DO(table_link, D(0), D(ROOT), D(0, 254, 255, 512), D(ALL_F, L3)),
	DO(table_link, D(0), D(L3, L2), D(0, 511, 512), D(ALL_F)),
	DO(table_unlink, D(0), D(ROOT, L3, L2, ALL_F), D(1)),
	DO(table_unlink, D(0), D(ROOT), D(0, 254, 255)),
	DO(table_unlink, D(0), D(L3, L2), D(511, 512)),
	DO(table_unlink, D(0), D(L1), D(0)),
	DO(page_map, D(0), D(ALL_F), D(0), D(SCENE_SAVE(1), ALL_F), D(1), D(EXO_MAP_READ)),
	DO(page_map, D(0), D(ALL_F), D(0), D(ALL_F), D(1), D(EXO_MAP_READ | EXO_MAP_WRITE)),
	DO(page_unmap, D(0), D(ALL_F), D(0), D(1)),
};

const struct world world_tables = {
	.name = "tables",
	.what = "page tables of one environment: take, link, unlink, free, map",
	.begin = begin_tables,
	.who = 1 << 1,
	.calls = tables_calls,
	.call_count = COUNT(tables_calls),
	.frames = F,
	.frame_count = 3,
	.states = 2000,
};
