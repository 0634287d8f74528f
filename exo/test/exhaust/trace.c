/*
 * trace.c - the world of tracing: two environments that may, two frames for a ring, one of them
 * dies.
 */
#include <string.h>
#include "../../kern/cap.h"
#include "../../kern/env.h"
#include "../../kern/page.h"
#include "../../kern/table.h"
#include "../../kern/trace.h"
#include "../machine_host.h"
#include "scene.h"
#include "worlds.h"

enum {
	OTHER = 1,  /* slot of 1: environment 2 */
	TRACER = 2, /* slot of both: the right to trace */
	F = SCENE_SPARE(2),
	T2 = SCENE_TABLE(2),
	TRACE = EXO_PAGE_TRACE,
	R = EXO_MAP_READ,
	RW = EXO_MAP_READ | EXO_MAP_WRITE,
};

/* A third frame is there so that both may take one of the two, and 2 both. */
static void begin_rings(void)
{
	scene_boot(3, SCENE_SPARE(2) + 3);
	scene_env(2, OTHER, (struct exo_quota){{2, 0, 2}});
	for (uint32_t e = 1; e <= 2; e++)
		cap_put(e, TRACER, (struct exo_cap){.kind = EXO_CAP_TRACE});
}

static const struct call rings_calls[] = {
	DO(page_take, D(0), D(F, F + 1), D(TRACE, EXO_PAGE_DATA)),
	DO(page_free, D(0), D(F, F + 1)),
	DO(trace_start, D(TRACER), D(F, F + 1), D(1, 2)),
	IN_VAIN(trace_start, D(TRACER), D(F), D(0, 3)),
	IN_VAIN(trace_start, D(0, 3), D(F), D(1)),
	IN_VAIN(trace_start, D(TRACER), D(SCENE_SAVE(2), SCENE_TABLE(1)), D(1)),
	DO(trace_stop, ),
	AS(1 << 2, page_map, D(0), D(T2), D(0), D(F, F + 1), D(1), D(R, RW)),
	AS(1 << 2, page_protect, D(0), D(T2), D(0), D(1), D(RW)),
	AS(1 << 2, page_unmap, D(0), D(T2), D(0), D(1)),
	AS(1 << 1, page_share, D(F), D(1), D(OTHER), D(4), D(R)),
	AS(1 << 1, env_kill, D(OTHER), D(7)),
	AS(1 << 1, env_reclaim, D(EID(2)), D(EXO_QUOTA_PAGES), D(F, F + 1, T2)),
};

/* Frame f, of the ring: is it what the kernel may write records into, and nobody else anything? */
static int safe(uint32_t f)
{
	const uint64_t leaf = machine_table((struct pfn){T2})->e[0];
	const int mapped = pages[T2].state == EXO_PAGE_TABLE && entry_frame(leaf) == f;

	return pages[f].state == EXO_PAGE_TRACE && page_pins[f] == 1 &&
	       env_eid(pages[f].owner).n == tracing.by && !(mapped && (leaf & PTE_W) != 0);
}

static const char *judge_rings(void)
{
	const uint32_t frames = tracing.records / TRACE_PER_FRAME;

	if (host_trace.frames != frames || (frames != 0 && host_trace.first != tracing.frame))
		return "the machine has the ring elsewhere";
	if ((frames == 0) != (tracing.by == 0))
		return "a ring is nobody's";
	for (uint32_t i = 0; i < frames; i++)
		if (!safe(tracing.frame + i))
			return "a frame of the ring is something else too";
	return frames != 0 && env_by_eid(tracing.by) == 2 && envs[2].state == EXO_ENV_ZOMBIE
		       ? "the dead trace"
		       : 0;
}

/* Numbers of records only grow, and the kernel never reads what it has written. */
static void plain_rings(void)
{
	tracing.first = tracing.last = 0;
	memset(traces, 0, 2 * EXO_PAGE_SIZE);
	host_tsc = 0;
}

const struct world world_rings = {
	.name = "rings",
	.what = "two that may trace, of whom one dies, and two frames for a ring",
	.begin = begin_rings,
	.who = 1 << 1 | 1 << 2,
	.calls = rings_calls,
	.call_count = COUNT(rings_calls),
	.judge = judge_rings,
	.plain = plain_rings,
	.states = 4000,
};
