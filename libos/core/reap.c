/*
 * reap.c - taking an ended environment apart, thing by thing, each by a call of its own.
 *
 * Its page tables say which frames it held: each level-1 table is copied, then taken back, which
 * unmaps what it mapped, then the frames go.  Only when something is left over are all frames of
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

enum { ENTRIES = 512 };

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

static void reclaim_frame(const struct build *b, uint32_t frame)
{
	const volatile struct exo_page *p = tables_page(frame);

	if (frame < tables_info()->frames && p->owner == index_of_build(b))
		call_env_reclaim(b->eid, EXO_QUOTA_PAGES, frame);
}

/* Copies the present entries of a table; returns how many. */
static uint32_t copy_entries(const struct build *b, uint32_t frame, uint64_t *entries)
{
	uint32_t left = tables_page(frame)->present, n = 0;
	const volatile uint64_t *table = left ? vm_window(&frame, 1, VM_READ, b->cap, 0) : 0;

	if (!table)
		return 0;
	for (uint32_t i = 0; i < ENTRIES && n < left; i++) {
		const uint64_t e = table[i];

		if (e & PTE_PRESENT)
			entries[n++] = e;
	}
	vm_window_end();
	return n;
}

/* A table, and below it whatever it leads to; at most four deep. */
static void reclaim_table(const struct build *b, uint32_t frame, unsigned level)
{
	uint64_t entries[ENTRIES];
	const uint32_t n = copy_entries(b, frame, entries);

	if (level > 1)
		for (uint32_t i = 0; i < n; i++)
			if (!(entries[i] & PTE_LARGE))
				reclaim_table(b, PTE_FRAME(entries[i]), level - 1);
	reclaim_frame(b, frame);
	if (level == 1)
		for (uint32_t i = 0; i < n; i++)
			reclaim_frame(b, PTE_FRAME(entries[i]));
}

static uint32_t used(const struct build *b, enum exo_quota_kind kind)
{
	return tables_quota_used(index_of_build(b))->n[kind];
}

static void reclaim_pages(const struct build *b, const volatile struct exo_env *e)
{
	const uint32_t self = index_of_build(b), save = e->save, upcall = e->upcall_page;
	const uint32_t frames = tables_info()->frames;

	if (e->root)
		reclaim_table(b, e->root, 4);
	if (save)
		reclaim_frame(b, save);
	if (upcall)
		reclaim_frame(b, upcall);
	for (int tables = 1; tables >= 0; tables--)
		for (uint32_t f = 0; used(b, EXO_QUOTA_PAGES) && f < frames; f++) {
			const volatile struct exo_page *p = tables_page(f);

			if (p->owner == self && (!tables || p->state == EXO_PAGE_TABLE))
				call_env_reclaim(b->eid, EXO_QUOTA_PAGES, f);
		}
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
	int err;

	if (e->gen != (uint32_t)(b->eid >> 16))
		return -ESRCH;
	if (e->state != EXO_ENV_ZOMBIE)
		return -EAGAIN;
	report(e, end);
	if (call_env_reclaim(b->eid, EXO_QUOTA_IO, 0).status == EXO_BUSY)
		return -EAGAIN;
	reclaim_children(b);
	reclaim_slots(b, e);
	reclaim_pages(b, e);
	reclaim_caps(b);
	err = call_result(call_env_reap(b->cap));
	return err == -EBUSY ? -EAGAIN : err;
}
