/*
 * envs.c - other environments: by forged slots, by their ids, by stale names.
 */
#include <libos/layout.h>
#include "attack.h"

static uint64_t eid_of(uint32_t e)
{
	return (uint64_t)env_at(e)->gen << 16 | e;
}

/* Every call that acts on an environment, through slots that hold no such right. */
static void through_slot(const char *name, uint64_t slot)
{
	uint32_t free = find_frame(EXO_PAGE_FREE, 0);
	int all = 1;

	all &= call_env_set(slot, EXO_SET_UPCALL_ENTRY, 0x400000).status != EXO_OK;
	all &= call_env_start(slot, 0x400000, 0x400000, 0).status != EXO_OK;
	all &= call_env_kill(slot, 1).status != EXO_OK;
	all &= call_env_reap(slot).status != EXO_OK;
	all &= call_quota_move(slot, EXO_QUOTA_PAGES, 1).status != EXO_OK;
	all &= call_page_take(slot, free, EXO_PAGE_DATA).status != EXO_OK;
	all &= call_slot_take(slot, 255).status != EXO_OK;
	all &= call_cap_grant(LAYOUT_CAP_CONSOLE, slot, 50, EXO_RIGHTS_ALL).status != EXO_OK;
	all &= call_cap_derive(slot, 50, EXO_ENV_ALL, 0, 0).status != EXO_OK;
	score(name, all);
}

static void stale_names(void)
{
	struct child c;
	uint64_t old;

	if (!child_start(&c, CHILD_SPIN)) {
		unprepared("stale environment names");
		return;
	}
	old = c.eid;
	score("a child taken back whole", child_end(&c));
	answered("yield to an id of an earlier generation", call_yield(old), EXO_STALE);
	answered("event_post to an id of an earlier generation",
		 call_event_post(old, EXO_EV_USER & (EXO_EV_USER << 1)), EXO_STALE);
	refused("reclaim from an id of an earlier generation",
		call_env_reclaim(old, EXO_QUOTA_SLOTS, 0));
	refused("kill through the slot of a reaped child", call_env_kill(CHILD_CAP, 0));
}

void attack_envs(void)
{
	uint32_t victim = find_victim();

	if (victim == 0) {
		unprepared("other environments");
		return;
	}
	through_slot("environment calls through an empty slot", 60);
	through_slot("environment calls through the console's slot", LAYOUT_CAP_CONSOLE);
	through_slot("environment calls through slot numbers beyond the table", 64);
	through_slot("environment calls through huge slot numbers", 1ull << 32);
	refused("reclaim from a living environment",
		call_env_reclaim(eid_of(victim), EXO_QUOTA_PAGES, env_at(victim)->root));
	refused("reclaim a living environment's slot",
		call_env_reclaim(eid_of(victim), EXO_QUOTA_SLOTS, 0));
	refused("making an environment that exists", call_env_create(victim, 50));
	refused("making environment 0", call_env_create(0, 50));
	refused("making an environment beyond the table", call_env_create(tables()->envs, 50));
	refused("posting the kernel's events", call_event_post(eid_of(victim), EXO_EV_CHILD));
	refused("taking another's principal", call_env_set(0, EXO_SET_PRINCIPAL, 0));
	refused("a root of another's", call_env_set(0, EXO_SET_ROOT, env_at(victim)->root));
	refused("a save area of another's", call_env_set(0, EXO_SET_SAVE, env_at(victim)->save));
	refused("a handler in the kernel",
		call_env_set(0, EXO_SET_UPCALL_ENTRY, 0xffffffff80100000ull));
	refused("an upcall stack in the kernel",
		call_env_set(0, EXO_SET_UPCALL_VA, 0xffffffff80100000ull));
	refused("dropping one's own slot 0", call_cap_drop(0));
	refused("widening a capability", call_cap_derive(LAYOUT_CAP_CONSOLE, 50, 0xff, 0, 1000));
	stale_names();
}
