/*
 * forgery.c - capabilities that nobody gave: slots that are empty, of another kind or no slots at
 * all, more rights or a wider range than was given.
 */
#include <libos/layout.h>
#include "attack.h"

enum { EMPTY = 60, TARGET = 50 };

/* Every call that acts on an environment, through a slot that holds no such right. */
static void as_environment(uint64_t slot)
{
	const uint32_t free = find_frame(EXO_PAGE_FREE, 0);

	tally_refused(call_env_set(slot, EXO_SET_UPCALL_ENTRY, 0x400000));
	tally_refused(call_env_start(slot, 0x400000, 0x400000, 0));
	tally_refused(call_env_kill(slot, 1));
	tally_refused(call_env_reap(slot));
	tally_refused(call_quota_move(slot, EXO_QUOTA_PAGES, 1));
	tally_refused(call_page_take(slot, free, EXO_PAGE_DATA));
	tally_refused(call_page_free(slot, free));
	tally_refused(call_table_link(slot, free, 0, free));
	tally_refused(call_table_unlink(slot, free, 0));
	tally_refused(call_page_map(slot, free, 0, free, 1, EXO_MAP_READ));
	tally_refused(call_page_map_large(slot, free, 0, 512, EXO_MAP_READ));
	tally_refused(call_page_unmap(slot, free, 0, 1));
	tally_refused(call_page_protect(slot, free, 0, 1, EXO_MAP_READ));
	tally_refused(call_slot_take(slot, 255));
	tally_refused(call_cap_grant(LAYOUT_CAP_CONSOLE, slot, TARGET, EXO_RIGHTS_ALL));
	tally_refused(call_revoke_ask(slot, EXO_ASK_PAGES, 1, 0));
	tally_refused(call_revoke_take(slot, EXO_ASK_PAGES, EXO_TAKE_UNUSED, 0));
	tally_refused(call_trap(39, slot, 1, 0, 0, 0, 0)); /* ipc_call */
}

/* Every call that acts on an extent. */
static void as_extent(uint64_t slot)
{
	tally_refused(call_extent_free(slot));
	tally_refused(call_extent_access(slot, 0, 3));
	tally_refused(call_extent_split(slot, 1, 1));
	tally_refused(call_extent_recall(slot, eid_of(find_victim()), 0));
	tally_refused(call_block_bind(slot, 0, 0, find_frame(EXO_PAGE_DATA, 1)));
}

static void as_others(uint64_t slot)
{
	tally_refused(call_console_write(slot, 0x400000, 1));
	tally_refused(call_console_read(slot, (uint64_t)(uintptr_t)ring_data, 1));
	tally_refused(call_machine_halt(slot, 0));
	tally_refused(call_cap_revoke(slot));
}

static void through_slots(void)
{
	static const uint64_t none[] = {EMPTY, EXO_NCAP, 255, 1ull << 16, 1ull << 32, ~0ull};

	for (uint32_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		as_environment(none[i]);
		as_extent(none[i]);
		as_others(none[i]);
		tally_refused(call_cap_derive(none[i], TARGET, EXO_ENV_ALL, 0, 0));
	}
	sum_up("calls through slots that hold nothing");
	as_environment(LAYOUT_CAP_CONSOLE);
	as_extent(LAYOUT_CAP_CONSOLE);
	tally_refused(call_machine_halt(LAYOUT_CAP_CONSOLE, 0));
	as_environment(LAYOUT_CAP_EXTENT);
	as_others(LAYOUT_CAP_EXTENT);
	as_extent(EXO_SELF.n);
	tally_refused(call_machine_halt(EXO_SELF.n, 0));
	tally_refused(call_console_write(EXO_SELF.n, 0x400000, 1));
	sum_up("calls through slots of another kind");
}

/* Every right that was not given, one by one, and every range that is wider. */
static void widening(void)
{
	for (uint32_t s = LAYOUT_CAP_CONSOLE; s <= LAYOUT_CAP_EXTENT; s++) {
		const volatile struct exo_cap *c = &tables_caps(self_index())->c[s];

		if (c->kind == EXO_CAP_NONE)
			continue;
		for (uint32_t right = 1; right < 256; right *= 2)
			if ((c->rights & right) == 0)
				tally_refused(call_cap_derive(s, TARGET, c->rights | right, 0, 0));
		tally_refused(call_cap_derive(s, TARGET, c->rights | 1ull << 32, 0, 0));
		tally_refused(call_cap_derive(s, TARGET, 0, c->start, c->len + 1));
		tally_refused(call_cap_derive(s, TARGET, 0, c->start - 1, c->len));
		tally_refused(call_cap_derive(s, TARGET, 0, c->start + c->len, 1));
		tally_refused(call_cap_derive(s, TARGET, 0, ~0ull, 2));
		tally_refused(call_cap_derive(s, TARGET, 0, 1, ~0ull));
		tally_refused(call_cap_derive(s, 0, 0, 0, 0));
		tally_refused(call_cap_derive(s, EXO_NCAP, 0, 0, 0));
	}
	sum_up("more rights or a wider range than was given");
}

/* What was made lesser must not grow again, by way of another slot. */
static void regrowing(void)
{
	const uint64_t rights = tables_caps(self_index())->c[LAYOUT_CAP_EXTENT].rights;

	if (call_cap_derive(LAYOUT_CAP_EXTENT, TARGET, EXO_RIGHT_READ, 0, 0).status != EXO_OK) {
		unprepared("a capability made lesser");
		return;
	}
	for (uint32_t right = 2; right < 256; right *= 2)
		tally_refused(call_cap_derive(TARGET, TARGET + 1, EXO_RIGHT_READ | right, 0, 0));
	tally_refused(call_cap_grant(TARGET, EXO_SELF.n, TARGET + 1, rights));
	tally_refused(call_extent_free(TARGET));
	sum_up("rights regrown from a lesser capability");
	(void)call_cap_drop(TARGET);
}

/* Environments by their ids, which everybody knows. */
static void by_id(void)
{
	for (uint32_t e = 1; e < tables_info()->envs; e++) {
		if (tables_env(e)->state == EXO_ENV_FREE || e == self_index())
			continue;
		tally_refused(call_env_open(eid_of(e), TARGET));
		tally_refused(call_env_create(e, TARGET));
		if (tables_env(e)->state != EXO_ENV_ZOMBIE)
			for (uint64_t kind = 0; kind < EXO_NQUOTA; kind++)
				tally_refused(call_env_reclaim(eid_of(e), kind, 1));
	}
	sum_up("environments of others by their ids");
	refused("making environment 0", call_env_create(0, TARGET));
	refused("making an environment beyond the table",
		call_env_create(tables_info()->envs, TARGET));
	refused("dropping one's own slot 0", call_cap_drop(0));
}

void attack_forgery(void)
{
	if (find_victim() == 0) {
		unprepared("other environments");
		return;
	}
	through_slots();
	widening();
	regrowing();
	by_id();
}
