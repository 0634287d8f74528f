/*
 * revoke.c - owns revokes[]; calls revoke_ask, revoke_take.
 *
 * No list of who maps a frame is kept: who takes one names the page tables to look through, one a
 * call, so that each call is bounded and mapping stays cheap (doc/decisions/revocation.md).  No
 * lock: one CPU in the kernel.  Called by programs, and by extent.c for capabilities to extents.
 */
#include "revoke.h"
#include "cap.h"
#include "cpu.h"
#include "env.h"
#include "event.h"
#include "info.h"
#include "machine.h"
#include "page.h"
#include "quota.h"
#include "slot.h"
#include "syscall.h"
#include "table.h"
#include "trace.h"

struct exo_revoke revokes[EXO_NENV] TABLE(revokes);

/*@ requires e < EXO_NENV;
    assigns revokes[e]; */
void revoke_forget(uint32_t e)
{
	revokes[e] = (struct exo_revoke){0};
}

/*@ requires e < EXO_NENV; */
void revoke_note_taken(uint32_t e, uint32_t kind, uint32_t index)
{
	struct exo_revoke *const r = &revokes[e];

	if (envs[e].state == EXO_ENV_FREE || envs[e].state == EXO_ENV_ZOMBIE)
		return;
	r->log[r->taken % EXO_NTAKEN] = (struct exo_taken){kind, index};
	r->taken++;
	trace(EXO_TRACE_TAKEN, e, kind, index, 0);
	event_raise(e, EXO_EV_TAKEN);
}

/* Does the request stand, and is it somebody else's than `me`'s? */
static int others_stand(uint32_t me, const struct exo_ask *ask)
{
	return ask->n != 0 && ask->by != env_eid(me).n && env_by_eid(ask->by) != 0 &&
	       machine_now() < ask->deadline;
}

/*@ requires me < EXO_NENV && e < EXO_NENV && kind < EXO_NASK;
    assigns revokes[e], envs[e];
    ensures \result == EXO_OK || \result == EXO_BUSY; */
enum exo_status revoke_record(uint32_t me, uint32_t e, enum exo_ask_kind kind, uint32_t n,
			      uint32_t extent, uint64_t deadline)
{
	struct exo_ask *const ask = &revokes[e].ask[kind];
	const uint64_t least = machine_now() + EXO_REVOKE_MIN_NS;

	if (others_stand(me, ask))
		return EXO_BUSY;
	if (n == 0) {
		*ask = (struct exo_ask){0};
		return EXO_OK;
	}
	ask->n = n;
	ask->extent = extent;
	ask->deadline = deadline > least ? deadline : least;
	ask->by = env_eid(me).n;
	trace(EXO_TRACE_ASK, e, kind, n, ask->by);
	event_raise(e, EXO_EV_REVOKE);
	return EXO_OK;
}

static int asked_by(uint32_t me, const struct exo_ask *ask)
{
	return ask->n != 0 && ask->by == env_eid(me).n;
}

enum exo_status revoke_due(uint32_t me, uint32_t e, enum exo_ask_kind kind)
{
	const struct exo_ask *const ask = &revokes[e].ask[kind];

	if (!asked_by(me, ask))
		return EXO_STATE;
	return machine_now() < ask->deadline ? EXO_AGAIN : EXO_OK;
}

struct exo_result sys_revoke_ask(uint64_t ce, uint64_t kind, uint64_t n, uint64_t deadline)
{
	const uint32_t me = cpu_self();
	uint32_t e;
	const enum exo_status status = cap_live_env(me, ce, EXO_ENV_REVOKE, &e);

	if (status != EXO_OK)
		return refuse(status);
	if (kind > EXO_ASK_SLOTS || e == me)
		return refuse(EXO_ARG);
	if (n > quota_limit[e].n[kind])
		return refuse(EXO_RANGE);
	return refuse(revoke_record(me, e, (enum exo_ask_kind)kind, (uint32_t)n, 0, deadline));
}

/* ---- taking ------------------------------------------------------------------------------ */

/* What e does not use of what was asked: it had no need to be told. */
static struct exo_result take_unused(uint32_t me, uint32_t e, uint32_t kind)
{
	const uint32_t unused = quota_limit[e].n[kind] - quota_used[e].n[kind];
	struct exo_ask *const ask = &revokes[e].ask[kind];
	const uint32_t n = unused < ask->n ? unused : ask->n;

	if (n == 0)
		return refuse(EXO_AGAIN);
	ask->n -= n;
	(void)quota_move(e, me, (enum exo_quota_kind)kind, n);
	return answer(EXO_OK, n);
}

static struct exo_result take_slot(uint32_t me, uint32_t e, uint64_t index)
{
	if (index >= EXO_NSLOT)
		return refuse(EXO_RANGE);
	if (slots[index].owner != e)
		return refuse(EXO_PERM);
	slot_pass(e, me, (uint32_t)index);
	revokes[e].ask[EXO_ASK_SLOTS].n--;
	revoke_note_taken(e, EXO_QUOTA_SLOTS, (uint32_t)index);
	return answer(EXO_OK, 1);
}

/* Table page `table` forgets frame f; how many entries that were. */
static uint32_t break_mappings(uint32_t table, uint32_t f)
{
	const uint32_t gone = table_break(table, f);

	if (gone != 0)
		revoke_note_taken(pages[table].owner, EXO_TAKEN_MAPPING, f);
	return gone;
}

/* A table page that anybody owns. */
static enum exo_status table_named(uint64_t table)
{
	if (table >= info.frames)
		return EXO_RANGE;
	return pages[table].state == EXO_PAGE_TABLE ? EXO_OK : EXO_TYPE;
}

static int is_mapped(uint32_t f)
{
	return page_maps[f] != 0 || run_maps[f / RUN] != 0;
}

static struct exo_result take_page(uint32_t me, uint32_t e, uint64_t index, uint64_t table)
{
	if (index >= info.frames)
		return refuse(EXO_RANGE);
	if (pages[index].owner != e)
		return refuse(EXO_PERM);
	if (pages[index].state != EXO_PAGE_DATA)
		return refuse(EXO_TYPE);
	if (page_pins[index] != 0)
		return refuse(EXO_BUSY);

	const uint32_t f = (uint32_t)index;

	if (is_mapped(f)) {
		const enum exo_status status = table_named(table);

		if (status != EXO_OK)
			return refuse(status);
		(void)break_mappings((uint32_t)table, f);
		if (is_mapped(f))
			return answer(EXO_OK, 0);
	}
	page_release(f);
	(void)quota_move(e, me, EXO_QUOTA_PAGES, 1);
	revokes[e].ask[EXO_ASK_PAGES].n--;
	revoke_note_taken(e, EXO_QUOTA_PAGES, f);
	return answer(EXO_OK, 1);
}

/* The caller's own frame leaves a table of somebody else; nobody may map it anew. */
static struct exo_result take_back(uint32_t me, uint64_t kind, uint64_t index, uint64_t table)
{
	enum exo_status status;

	if (kind != EXO_ASK_PAGES)
		return refuse(EXO_ARG);
	if (index >= info.frames)
		return refuse(EXO_RANGE);
	if (pages[index].owner != me)
		return refuse(EXO_PERM);
	if (pages[index].state != EXO_PAGE_DATA)
		return refuse(EXO_TYPE);
	status = table_named(table);
	if (status == EXO_OK && pages[table].owner == me)
		status = EXO_ARG;
	if (status != EXO_OK)
		return refuse(status);
	page_unshare((uint32_t)index);
	return answer(EXO_OK, break_mappings((uint32_t)table, (uint32_t)index));
}

struct exo_result sys_revoke_take(uint64_t ce, uint64_t kind, uint64_t index, uint64_t table)
{
	const uint32_t me = cpu_self();
	uint32_t e;
	enum exo_status status = cap_live_env(me, ce, EXO_ENV_REVOKE, &e);

	if (status != EXO_OK)
		return refuse(status);
	if (e == me)
		return take_back(me, kind, index, table);
	if (kind > EXO_ASK_SLOTS)
		return refuse(EXO_ARG);
	status = revoke_due(me, e, (enum exo_ask_kind)kind);
	if (index == EXO_TAKE_UNUSED && status != EXO_STATE)
		return take_unused(me, e, (uint32_t)kind);
	if (status != EXO_OK)
		return refuse(status);
	return kind == EXO_ASK_SLOTS ? take_slot(me, e, index) : take_page(me, e, index, table);
}
