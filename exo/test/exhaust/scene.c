/*
 * scene.c - builds the beginnings of the core's worlds, and judges them.
 *
 * Frames that are free or DATA hold a mark, as if whoever has them wrote to them at once: so a
 * frame that is taken and was not emptied shows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../kern/cap.h"
#include "../../kern/check.h"
#include "../../kern/cpu.h"
#include "../../kern/env.h"
#include "../../kern/info.h"
#include "../../kern/page.h"
#include "../../kern/slot.h"
#include "../../kern/syscall.h"
#include "../machine_host.h"
#include "scene.h"

static const uint64_t MARK = 0xa5a5a5a5a5a5a5a5;

enum { EXTENTS = 8 }; /* that capabilities may name */

/* ---- building ---------------------------------------------------------------------------- */

void scene_must(struct exo_result r)
{
	if (r.status == EXO_OK)
		return;
	printf("FAIL exhaust: a world could not be built: %s\n", host_status_name(r.status));
	exit(1);
}

/* The frames of e are taken and get their roles; ce: its slot in who builds it. */
static void furnish(uint32_t ce, uint32_t e)
{
	const uint32_t root = SCENE_ROOT(e), save = SCENE_SAVE(e), table = SCENE_TABLE(e);

	scene_must(sys_page_take(ce, root, EXO_PAGE_TABLE | 4 << 8));
	scene_must(sys_page_take(ce, save, EXO_PAGE_SAVE));
	scene_must(sys_env_set(ce, EXO_SET_ROOT, root));
	scene_must(sys_env_set(ce, EXO_SET_SAVE, save));
	for (uint32_t level = 3; level >= 1; level--)
		scene_must(sys_page_take(ce, table + 1 - level, EXO_PAGE_TABLE | level << 8));
	scene_must(sys_table_link(ce, root, 0, table - 2));
	scene_must(sys_table_link(ce, table - 2, 0, table - 1));
	scene_must(sys_table_link(ce, table - 1, 0, table));
	scene_must(sys_env_start(ce, 1, 1, 1));
}

void scene_boot(uint32_t nenv, uint32_t frames)
{
	host_boot(frames, SCENE_FIRST, nenv);
	for (uint32_t f = 0; f < info.frames; f++)
		memset(machine_bytes((struct pfn){f}), 0, EXO_PAGE_SIZE);
	furnish(0, 1);
}

void scene_env(uint32_t e, uint32_t ce, struct exo_quota quota)
{
	scene_must(sys_env_create(e, ce));
	quota.n[EXO_QUOTA_PAGES] += SCENE_EACH;
	for (uint32_t k = 0; k < EXO_NQUOTA; k++)
		scene_must(sys_quota_move(ce, k, quota.n[k]));
	furnish(ce, e);
}

void scene_cap(uint32_t e, uint32_t d, uint32_t to, uint32_t rights)
{
	if (caps[e].c[d].kind != EXO_CAP_NONE)
		cap_clear(e, d);
	cap_put(e, d, cap_for_env(to, rights));
}

/* ---- the program's side ------------------------------------------------------------------ */

void machine_remember(void)
{
	host_remember();
}

void machine_watch(void)
{
	host_drop_count = 0;
}

/* Does somebody sleep whose time has come? */
static int overslept(void)
{
	for (uint32_t e = 1; e < info.envs; e++)
		if (envs[e].deadline != 0 && envs[e].deadline <= host_now)
			return 1;
	return 0;
}

const char *machine_judge(uint32_t me)
{
	const char *broken = check_state();

	if (!broken && overslept())
		broken = "somebody sleeps whose time has come";

	if (!broken && me != 0)
		broken = host_overstep(me);
	if (!broken && !host_tlb_clean())
		broken = "translation left in the TLB";
	return broken;
}

int machine_noted(enum exo_status status, struct image before)
{
	(void)status;
	(void)before;
	return 0;
}

uint64_t *machine_clock(void)
{
	return &host_now;
}

static void mark_frame(uint32_t f)
{
	uint64_t word;

	memcpy(&word, machine_bytes((struct pfn){f}), sizeof word);
	if (word == MARK)
		return;
	memset(machine_bytes((struct pfn){f}), 0, EXO_PAGE_SIZE);
	memcpy(machine_bytes((struct pfn){f}), &MARK, sizeof MARK);
}

void machine_settle(int scheduled)
{
	for (uint32_t f = SCENE_FIRST; f < info.frames; f++)
		if (pages[f].state == EXO_PAGE_FREE || pages[f].state == EXO_PAGE_DATA)
			mark_frame(f);
	if (!scheduled)
		cpus[0] = (struct cpu){0};
	else if (cpus[0].resched)
		cpus[0].current = cpu_next();
}

void machine_plain(void)
{
	for (uint32_t x = 0; x < EXTENTS; x++)
		if (host_extent_gen[x] != 1)
			host_extent_gen[x] = 1;
}
