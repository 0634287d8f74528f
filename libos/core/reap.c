/*
 * reap.c - taking an ended environment apart, thing by thing, each by a call of its own.
 *
 * Its page tables say which frames it held: from the root down each table is copied, then emptied
 * and taken back, and then what it led to goes.  Only when something is left over are all frames of
 * the machine looked through.  Owns nothing.  Called by whoever built the environment.
 */
#include <errno.h>
#include <string.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/layout.h>
#include <libos/tables.h>
#include <libos/vm.h>
#include "../vm/ptab.h"

enum { ENTRIES = PTAB_ENTRIES, MOST_WAITING = 64 };

static uint32_t index_of_build(const struct build *b)
{
	return (uint32_t)(b->eid & 0xffff);
}

int build_ended(const struct build *b)
{
	return !tables_alive(b->eid);
}

int build_kill(const struct build *b, uint64_t code)
{
	return call_result(call_env_kill(b->cap, code));
}

/* A frame may wait for another to go: tables that a table still shows. */
struct waiting {
	uint32_t count;
	uint32_t frame[MOST_WAITING];
};

static void reclaim_frame(const struct build *b, uint32_t frame, struct waiting *w)
{
	struct exo_result r = call_env_reclaim(b->eid, EXO_QUOTA_PAGES, frame);

	if (r.status == EXO_OK && r.value == 0)
		r = call_env_reclaim(b->eid, EXO_QUOTA_PAGES, frame);
	if (r.status == EXO_BUSY && w && w->count < MOST_WAITING)
		w->frame[w->count++] = frame;
}

/* Its own frames that a table leads to, but for large pages; returns how many. */
static uint32_t copy_entries(const struct build *b, uint32_t frame, uint32_t *frames)
{
	const uint32_t self = index_of_build(b), all = tables_info()->frames;
	uint32_t left = tables_page(frame)->present, n = 0;
	const volatile uint64_t *table = left ? vm_window(&frame, 1, VM_READ, b->cap, 0) : 0;

	if (!table)
		return 0;
	for (uint32_t i = 0; left && (i = ptab_next(table, i)) < ENTRIES; i++, left--) {
		const uint64_t e = table[i];

		if ((e & PTE_LARGE) == 0 && PTE_FRAME(e) < all &&
		    tables_page(PTE_FRAME(e))->owner == self)
			frames[n++] = PTE_FRAME(e);
	}
	vm_window_end();
	return n;
}

/* A table, then whatever it led to: the kernel frees what nothing leads to any more. */
static void reclaim_table(const struct build *b, uint32_t frame, unsigned level, struct waiting *w)
{
	uint32_t frames[ENTRIES];
	const uint32_t n = copy_entries(b, frame, frames);

	reclaim_frame(b, frame, w);
	for (uint32_t i = 0; i < n; i++) {
		if (level > 1)
			reclaim_table(b, frames[i], level - 1, w);
		else
			reclaim_frame(b, frames[i], w);
	}
}

static uint32_t used(const struct build *b, enum exo_quota_kind kind)
{
	return tables_quota_used(index_of_build(b))->n[kind];
}

static void reclaim_pages(const struct build *b, const volatile struct exo_env *e)
{
	const uint32_t self = index_of_build(b), save = e->save, upcall = e->upcall_page;
	const uint32_t frames = tables_info()->frames;
	struct waiting w = {.count = 0};

	if (e->root)
		reclaim_table(b, e->root, 4, &w);
	if (save)
		reclaim_frame(b, save, 0);
	if (upcall)
		reclaim_frame(b, upcall, 0);
	for (uint32_t i = 0; i < w.count; i++)
		reclaim_frame(b, w.frame[i], 0);
	for (int tables = 1; tables >= 0; tables--)
		for (uint32_t f = 0; used(b, EXO_QUOTA_PAGES) && f < frames; f++)
			if (tables_page(f)->owner == self &&
			    (!tables || tables_page(f)->state == EXO_PAGE_TABLE))
				reclaim_frame(b, f, 0);
}

static void reclaim_slots(const struct build *b, const volatile struct exo_env *e)
{
	for (uint32_t w = 0; w < EXO_NSLOT / 64; w++)
		for (uint64_t bits = e->slots[w]; bits; bits &= bits - 1)
			call_env_reclaim(b->eid, EXO_QUOTA_SLOTS,
					 w * 64 + (uint32_t)__builtin_ctzll(bits));
}

static void reclaim_caps(const struct build *b)
{
	const volatile struct exo_caps *caps = tables_caps(index_of_build(b));

	for (uint32_t i = 0; i < EXO_NCAP && used(b, EXO_QUOTA_CAPS); i++)
		if (caps->c[i].kind != EXO_CAP_NONE)
			call_env_reclaim(b->eid, EXO_QUOTA_CAPS, i);
}

/* What it took on the disk stays; its builder pays for that. */
static void reclaim_extents(const struct build *b)
{
	const uint32_t self = index_of_build(b);

	for (uint32_t x = 1; x < EXO_NEXTENT && used(b, EXO_QUOTA_EXTENTS); x++)
		if (tables_extent(x)->payer == self)
			call_env_reclaim(b->eid, EXO_QUOTA_EXTENTS, x);
}

/* Groups without CPU slots: those went before. */
static void reclaim_groups(const struct build *b)
{
	for (uint32_t g = 1; g < EXO_NGROUP && used(b, EXO_QUOTA_GROUPS); g++)
		if (tables_group(g)->owner == index_of_build(b))
			call_env_reclaim(b->eid, EXO_QUOTA_GROUPS, g);
}

/* Its children become its builder's. */
static void reclaim_children(const struct build *b)
{
	const uint32_t envs = tables_info()->envs;

	for (uint32_t i = 1; i < envs && used(b, EXO_QUOTA_ENVS); i++)
		if (tables_env(i)->state != EXO_ENV_FREE && tables_env(i)->parent == b->eid)
			call_env_reclaim(b->eid, EXO_QUOTA_ENVS, i);
}

static void report(const volatile struct exo_env *e, struct build_end *end)
{
	*end = (struct build_end){
		.end = e->end,
		.vector = e->end_vector,
		.error = e->end_error,
		.code = e->end_code,
		.addr = e->end_addr,
		.rip = e->end_rip,
		.rsp = e->end_rsp,
		.ticks = e->used_ticks,
		.faults = e->faults,
	};
}

int build_reap(struct build *b, struct build_end *end)
{
	const volatile struct exo_env *e = tables_env(index_of_build(b));
	struct exo_result r;
	int err;

	if (e->gen != (uint32_t)(b->eid >> 16))
		return -ESRCH;
	if (e->state != EXO_ENV_ZOMBIE)
		return -EAGAIN;
	report(e, end);
	do
		r = call_env_reclaim(b->eid, EXO_QUOTA_IO, 0);
	while (r.status == EXO_OK && r.value == 0);
	if (r.status == EXO_BUSY)
		return -EAGAIN;
	reclaim_children(b);
	reclaim_extents(b);
	reclaim_slots(b, e);
	reclaim_groups(b);
	reclaim_pages(b, e);
	reclaim_caps(b);
	err = call_result(call_env_reap(b->cap));
	return err == -EBUSY ? -EAGAIN : err;
}
