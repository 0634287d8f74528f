/*
 * stale.c - names kept from before: ids of environments that have ended, capabilities to frames,
 * environments and extents whose place is somebody else's now.
 */
#include <libos/frames.h>
#include <libos/time.h>
#include "attack.h"

enum { KEPT = 45, WHOLE = 47, PART = 48, AGAIN = 49, CUT = 16, WAIT_MS = 5000 };

enum {
#define CALL(number, name, nargs, args, what, errors, bound, example) CALL_##name = number,
#include <exo/syscall.def>
#undef CALL
};

static void by_id(uint64_t old)
{
	tally_answered(call_yield(old), EXO_STALE);
	tally_answered(call_event_post(old, EXO_EV_USER & (EXO_EV_USER << 1)), EXO_STALE);
	tally_answered(call_env_open(old, 50), EXO_STALE);
	tally_answered(call_extent_recall(WHOLE, old, 0), EXO_STATE); /* no extent there */
	for (uint64_t kind = 0; kind < EXO_NQUOTA; kind++)
		tally_answered(call_env_reclaim(old, kind, 0), EXO_STALE);
}

static void by_slot(void)
{
	tally_answered(call_env_kill(KEPT, 0), EXO_STALE);
	tally_answered(call_env_reap(KEPT), EXO_STALE);
	tally_answered(call_env_set(KEPT, EXO_SET_UPCALL_ENTRY, 0x400000), EXO_STALE);
	tally_answered(call_quota_move(KEPT, EXO_QUOTA_PAGES, 1), EXO_STALE);
	tally_answered(call_cap_derive(KEPT, 50, EXO_ENV_ALL, 0, 0), EXO_STALE);
	tally_answered(call_cap_revoke(KEPT), EXO_STALE);
	tally_answered(call_page_map(0, scratch_table(), 90, find_frame(EXO_PAGE_DATA, 1), 1,
				     EXO_MAP_READ | KEPT << 8),
		       EXO_STALE);
}

/* One ends, and another gets its number. */
static void environments(void)
{
	struct child c, next;

	if (!child_start(&c, CHILD_SPIN) ||
	    call_cap_derive(CHILD_CAP, KEPT, EXO_ENV_ALL, 0, 0).status != EXO_OK) {
		unprepared("stale environment names");
		return;
	}
	tally(child_end(&c));
	by_id(c.eid);
	by_slot();
	if (!child_start(&next, CHILD_SPIN) || next.index != c.index) {
		unprepared("another environment of the same number");
		return;
	}
	by_id(c.eid);
	by_slot();
	tally(tables_env(next.index)->state != EXO_ENV_ZOMBIE);
	tally(child_end(&next));
	sum_up("ids and capabilities of an environment whose number is used again");
	(void)call_cap_drop(KEPT);
}

/* A frame that was shared, freed, and is another's, or one's own again. */
static void frames(void)
{
	const uint32_t leaf = scratch_table();
	struct child c;
	uint32_t f;

	if (frame_take(0, EXO_PAGE_DATA, &f) != 0 || !child_start(&c, CHILD_SPIN) ||
	    call_page_share(f, 1, 0, KEPT, EXO_RIGHT_READ | EXO_RIGHT_WRITE).status != EXO_OK) {
		unprepared("stale frames");
		return;
	}
	(void)call_page_free(0, f);
	tally_refused(call_page_map(0, leaf, 90, f, 1, RW | KEPT << 8));
	tally_answered(call_page_take(CHILD_CAP, f, EXO_PAGE_DATA), EXO_OK);
	tally_refused(call_page_map(0, leaf, 90, f, 1, RW | KEPT << 8));
	(void)call_page_free(CHILD_CAP, f);
	tally_answered(call_page_take(0, f, EXO_PAGE_DATA), EXO_OK);
	tally_refused(call_page_map(0, leaf, 90, f, 1, RW | KEPT << 8));
	sum_up("a capability to a frame that was freed and taken again");
	(void)call_cap_drop(KEPT);
	(void)call_page_share(f, 1, 0, KEPT, EXO_RIGHT_READ | EXO_RIGHT_WRITE);
	tally_answered(call_page_map(0, leaf, 90, f, 1, EXO_MAP_READ | KEPT << 8), EXO_OK);
	(void)call_page_unshare(f, 1);
	tally_refused(call_page_protect(0, leaf, 90, 1, RW | KEPT << 8));
	tally_refused(call_page_map(0, leaf, 91, f, 1, EXO_MAP_READ | KEPT << 8));
	sum_up("a capability to a frame that is shared no more");
	(void)call_page_unmap(0, leaf, 90, 1);
	(void)call_page_free(0, f);
	score("taken back", child_end(&c));
}

/* ---- extents ----------------------------------------------------------------------------- */

static int changing(uint32_t x)
{
	return tables_extent(x)->state == EXO_EXTENT_TAKING ||
	       tables_extent(x)->state == EXO_EXTENT_DYING;
}

/* Makes a change of the extent table, when others have done with theirs, and waits for its end. */
static int changed(uint64_t number, const uint64_t a[6], uint32_t x, uint32_t part)
{
	const uint64_t until = time_now() + (uint64_t)WAIT_MS * MS;
	struct exo_result r;

	while ((r = call_trap(number, a[0], a[1], a[2], a[3], a[4], a[5])).status == EXO_BUSY &&
	       time_now() < until)
		(void)time_sleep_until(time_now() + MS, EXO_EV_EXTENT);
	while (r.status == EXO_OK && (changing(x) || changing(part)) && time_now() < until)
		(void)time_sleep_until(time_now() + MS, EXO_EV_EXTENT);
	return r.status == EXO_OK && !changing(x) && !changing(part);
}

static uint64_t read_through(uint32_t slot, uint64_t block)
{
	ring_page.list[0] = data_frame(0);
	return ring_request((struct exo_sqe){
		.op = EXO_IO_READ, .cap = (uint16_t)slot, .count = 1, .block = block});
}

/* A part is cut off, freed, and taken again under the same number, over the same blocks. */
static void extents(void)
{
	const uint32_t x = prey_open(WHOLE);
	const uint64_t end = tables_extent(x)->start + tables_extent(x)->len, at = end - CUT;
	uint32_t part = 1;

	while (tables_extent(part)->state != EXO_EXTENT_FREE)
		part++;
	if (x == 0 || !changed(CALL_extent_split, (uint64_t[6]){WHOLE, at, part}, x, part)) {
		unprepared("an extent cut in two");
		return;
	}
	tally_answered((struct exo_result){read_through(WHOLE, at), 0}, EXO_STALE);
	tally_answered(call_cap_derive(WHOLE, 50, EXO_RIGHT_READ, 0, 0), EXO_STALE);
	tally_answered(call_extent_open(part, PART), EXO_OK);
	tally(read_through(PART, at) == EXO_OK);
	if (!changed(CALL_extent_free, (uint64_t[6]){PART}, x, part)) {
		unprepared("an extent freed");
		return;
	}
	tally_answered((struct exo_result){read_through(PART, at), 0}, EXO_STALE);
	if (!changed(CALL_extent_take, (uint64_t[6]){part, x, at, CUT, tables_extent(x)->drive}, x,
		     part)) {
		unprepared("an extent taken again");
		return;
	}
	tally_answered((struct exo_result){read_through(PART, at), 0}, EXO_STALE);
	tally_answered(call_extent_free(PART), EXO_STALE);
	tally_answered(call_extent_open(part, AGAIN), EXO_OK);
	for (uint64_t b = at; b < end; b++)
		tally_answered((struct exo_result){read_through(AGAIN, b), 0}, EXO_UNINIT);
	sum_up("capabilities to an extent whose number and blocks are used again");
}

void attack_stale(void)
{
	environments();
	frames();
	if (!ring_open()) {
		unprepared("requests");
		return;
	}
	extents();
	ring_close();
}
