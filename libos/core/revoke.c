/*
 * revoke.c - the asker's side of revocation, and what the asked one wants to know.
 * Owns nothing.  Called by programs.
 */
#include <libos/call.h>
#include <libos/revoke.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>

static const volatile struct exo_revoke *mine(void)
{
	return tables_revoke(EXO_EID_INDEX((struct eid){start_self()}));
}

uint32_t revoke_asked(enum exo_ask_kind kind, uint64_t *deadline)
{
	const uint32_t me = EXO_EID_INDEX((struct eid){start_self()});
	uint32_t asked, unused = 0;

	do { /* the asker takes what is unused at any time, from both numbers at once */
		asked = mine()->ask[kind].n;
		if (kind <= EXO_ASK_SLOTS)
			unused = tables_quota_limit(me)->n[kind] - tables_quota_used(me)->n[kind];
	} while (asked != mine()->ask[kind].n);
	if (deadline)
		*deadline = mine()->ask[kind].deadline;
	return asked > unused ? asked - unused : 0;
}

int revoke_taken(uint64_t i, struct exo_taken *what)
{
	if (i >= mine()->taken)
		return 0;
	what->kind = mine()->log[i % EXO_NTAKEN].kind;
	what->index = mine()->log[i % EXO_NTAKEN].index;
	return mine()->taken - i <= EXO_NTAKEN;
}

/* Has the kernel look for frame f in all page tables; 1 when the frame is taken. */
static int take_frame(uint32_t cap, uint32_t f)
{
	struct exo_result r = call_revoke_take(cap, EXO_ASK_PAGES, f, 0);

	for (uint32_t t = 1; t < tables_info()->frames && !(r.status == EXO_OK && r.value); t++)
		if (tables_page(t)->state == EXO_PAGE_TABLE && tables_page(t)->level <= 2)
			r = call_revoke_take(cap, EXO_ASK_PAGES, f, t);
	return r.status == EXO_OK && r.value == 1;
}

/* The frame of `index` that it took last, of those it took before `born`; 0: there is none. */
static uint32_t youngest(uint32_t index, uint64_t born)
{
	uint32_t best = 0;

	for (uint32_t f = 1; f < tables_info()->frames; f++) {
		const volatile struct exo_page *const p = tables_page(f);

		if (p->owner == index && p->state == EXO_PAGE_DATA && p->born < born &&
		    (best == 0 || p->born > tables_page(best)->born))
			best = f;
	}
	return best;
}

/* What it has had for the shortest time: its code and stack are among the oldest. */
static uint32_t take_frames(uint32_t cap, uint32_t index, uint32_t n)
{
	uint64_t born = UINT64_MAX;
	uint32_t taken = 0, f;

	while (taken < n && (f = youngest(index, born)) != 0) {
		born = tables_page(f)->born;
		taken += take_frame(cap, f) != 0;
	}
	return taken;
}

/* Takes what is freed until everything is there, or the deadline. */
static uint32_t take_freed(uint32_t cap, uint32_t n, uint64_t deadline)
{
	uint32_t got = 0;

	while (got < n && time_now() < deadline) {
		const struct exo_result r =
			call_revoke_take(cap, EXO_ASK_PAGES, EXO_TAKE_UNUSED, 0);

		if (r.status == EXO_OK)
			got += (uint32_t)r.value;
		else if (r.status == EXO_AGAIN)
			(void)time_sleep_until(time_now() + tables_info()->tick_ns, 0);
		else
			return got;
	}
	return got;
}

int64_t revoke_pages(uint32_t cap, uint32_t index, uint32_t n, uint64_t deadline, uint32_t *forced)
{
	const struct exo_result r = call_revoke_ask(cap, EXO_ASK_PAGES, n, deadline);
	uint32_t got, taken = 0;

	if (r.status != EXO_OK)
		return call_errno(r.status);
	got = take_freed(cap, n, tables_revoke(index)->ask[EXO_ASK_PAGES].deadline);
	if (got < n)
		taken = take_frames(cap, index, n - got);
	(void)call_revoke_ask(cap, EXO_ASK_PAGES, 0, 0);
	if (forced)
		*forced = taken;
	return got + taken;
}
