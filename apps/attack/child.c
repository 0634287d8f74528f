/*
 * child.c - builds an environment by hand: seven frames, one page of code, no libOS.
 *
 * Frames are the child's own from the start (taken through its capability), so ending it gives back
 * everything by env_reclaim.
 */
#include <libos/console.h>
#include <libos/frames.h>
#include <libos/time.h>
#include <libos/vm.h>
#include <string.h>
#include "attack.h"

enum { RW = EXO_MAP_READ | EXO_MAP_WRITE, RX = EXO_MAP_READ | EXO_MAP_EXEC, MS = 1000000 };

extern const uint8_t child_page[], child_handler[], child_page_end[];

static uint32_t take(struct child *c, uint64_t type)
{
	uint32_t f = 0;

	if (frame_take(CHILD_CAP, type, &f) != 0)
		return 0;
	c->frames[c->nframes++] = f;
	return f;
}

static int set(enum exo_env_what what, uint64_t value)
{
	return call_env_set(CHILD_CAP, what, value).status == EXO_OK;
}

/* Quota, capability slot and one CPU slot, out of this program's own. */
static int provide(void)
{
	uint32_t mine = self_index(), s = 0;

	while (s < EXO_NSLOT && ((const struct exo_slot *)table_of(EXO_TABLE_SLOTS))[s].owner != 0)
		s++;
	return call_quota_move(CHILD_CAP, EXO_QUOTA_PAGES, 10).status == EXO_OK &&
	       call_quota_move(CHILD_CAP, EXO_QUOTA_SLOTS, 1).status == EXO_OK &&
	       call_slot_take(CHILD_CAP, s).status == EXO_OK && mine != 0;
}

/* Tables for the region of CHILD_CODE; the level-1 table, or 0. */
static uint32_t make_tables(struct child *c)
{
	uint32_t t[5] = {0};

	for (uint32_t level = 4; level >= 1; level--) {
		t[level] = take(c, EXO_PAGE_TABLE | level << 8);
		if (t[level] == 0)
			return 0;
		if (level == 4 && !set(EXO_SET_ROOT, t[4]))
			return 0;
		if (level < 4 &&
		    call_table_link(CHILD_CAP, t[level + 1],
				    (uint64_t)CHILD_CODE >> (12 + 9 * level) & 511, t[level])
				    .status != EXO_OK)
			return 0;
	}
	return t[1];
}

static int put_code(struct child *c, uint32_t leaf)
{
	uint32_t f = take(c, EXO_PAGE_DATA);
	void *at = vm_window(&f, 1, VM_READ | VM_WRITE, CHILD_CAP, NULL);

	if (f == 0 || at == NULL)
		return 0;
	memcpy(at, child_page, (size_t)(child_page_end - child_page));
	vm_window_end();
	return call_page_map(CHILD_CAP, leaf, 0, f, 1, RX | CHILD_CAP << 8).status == EXO_OK;
}

static int put_memory(struct child *c, uint32_t leaf, enum child_task task)
{
	uint32_t data = take(c, EXO_PAGE_DATA), upcall = take(c, EXO_PAGE_UPCALL);

	if (call_page_map(CHILD_CAP, leaf, 1, data, 1, RW | CHILD_CAP << 8).status != EXO_OK)
		return 0;
	if (task != CHILD_LOST_STACK &&
	    call_page_map(CHILD_CAP, leaf, 2, upcall, 1, RW | CHILD_CAP << 8).status != EXO_OK)
		return 0;
	if (!set(EXO_SET_UPCALL_PAGE, upcall) || !set(EXO_SET_UPCALL_VA, CHILD_UPCALL))
		return 0;
	if (task != CHILD_FAULT_IN_UPCALL && task != CHILD_LOST_STACK)
		return 1;
	return set(EXO_SET_UPCALL_ENTRY, CHILD_CODE + (uint64_t)(child_handler - child_page));
}

int child_start(struct child *c, enum child_task task)
{
	struct exo_result r;
	uint32_t leaf;

	*c = (struct child){.index = find_free_env()};
	r = call_env_create(c->index, CHILD_CAP);
	if (c->index == 0 || r.status != EXO_OK)
		return 0;
	c->eid = r.value;
	leaf = provide() ? make_tables(c) : 0;
	if (leaf == 0 || !put_code(c, leaf) || !put_memory(c, leaf, task) ||
	    !set(EXO_SET_SAVE, take(c, EXO_PAGE_SAVE)) ||
	    call_env_start(CHILD_CAP, CHILD_CODE, CHILD_UPCALL, task).status != EXO_OK) {
		(void)child_end(c);
		return 0;
	}
	return 1;
}

int child_wait(const struct child *c, uint64_t ms)
{
	uint64_t until = time_now() + ms * MS;

	while (env_at(c->index)->state != EXO_ENV_ZOMBIE && time_now() < until)
		(void)time_sleep_until(time_now() + MS, EXO_EV_CHILD);
	return env_at(c->index)->state == EXO_ENV_ZOMBIE;
}

int child_end(const struct child *c)
{
	if (env_at(c->index)->state != EXO_ENV_ZOMBIE)
		(void)call_env_kill(CHILD_CAP, 0);
	for (uint32_t s = 0; s < EXO_NSLOT; s++)
		if (((const struct exo_slot *)table_of(EXO_TABLE_SLOTS))[s].owner == c->index)
			(void)call_env_reclaim(c->eid, EXO_QUOTA_SLOTS, s);
	for (uint32_t pass = 0; pass < 5; pass++) /* tables before what they map */
		for (uint32_t i = 0; i < c->nframes; i++)
			if (page_at(c->frames[i])->owner == c->index)
				(void)call_env_reclaim(c->eid, EXO_QUOTA_PAGES, c->frames[i]);
	return call_env_reap(CHILD_CAP).status == EXO_OK;
}
