/*
 * reap.c - taking an ended environment apart, thing by thing, each by a call of its own.
 *
 * Its address space goes with its root, a call for each table.  Only when something is left over
 * are all frames of the machine looked through.  Owns nothing.  Called by whoever built the
 * environment.
 */
#include <errno.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/tables.h>

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

/* A page table takes a call for each table below it, with which go the frames that these led to. */
static void reclaim_frame(const struct build *b, uint32_t frame)
{
	struct exo_result r;

	do
		r = call_env_reclaim(b->eid, EXO_QUOTA_PAGES, frame);
	while (r.status == EXO_OK && r.value == 0);
}

static uint32_t used(const struct build *b, enum exo_quota_kind kind)
{
	return tables_quota_used(index_of_build(b))->n[kind];
}

/* What is left after the root is shared with others, or was never mapped. */
static void reclaim_pages(const struct build *b, const volatile struct exo_env *e)
{
	const uint32_t self = index_of_build(b), save = e->save, upcall = e->upcall_page;
	const uint32_t frames = tables_info()->frames;

	if (e->root)
		reclaim_frame(b, e->root);
	if (save)
		reclaim_frame(b, save);
	if (upcall)
		reclaim_frame(b, upcall);
	for (int tables = 1; tables >= 0; tables--)
		for (uint32_t f = 0; used(b, EXO_QUOTA_PAGES) && f < frames; f++)
			if (tables_page(f)->owner == self &&
			    (!tables || tables_page(f)->state == EXO_PAGE_TABLE))
				reclaim_frame(b, f);
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
