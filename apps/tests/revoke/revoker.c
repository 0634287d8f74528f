/*
 * revoker - asks `stubborn`, for which it has a capability, for pages and a CPU slot, gets nothing,
 * and takes them when the time has come.
 */
#include <libos/bare.h>
#include <libos/call.h>
#include <libos/layout.h>
#include <libos/revoke.h>
#include <libos/start.h>
#include <libos/tables.h>

int main(void);

enum { MS = 1000000, TAKE = 8 };

static int failed;

static void expect(const char *name, int good)
{
	bare_print("%s revoker %s\n", good ? "ok" : "FAIL", name);
	failed |= !good;
}

/* The last slot of environment e; EXO_NSLOT: it has none. */
static uint32_t slot_of(uint32_t e)
{
	uint32_t s = EXO_NSLOT;

	for (uint32_t i = 0; i < EXO_NSLOT; i++)
		if (tables_slot(i)->owner == e)
			s = i;
	return s;
}

static void take_slot(uint32_t e)
{
	const uint32_t cap = LAYOUT_CAP_ENV, me = EXO_EID_INDEX((struct eid){start_self()});
	const uint32_t s = slot_of(e);

	expect("asks for a slot", call_revoke_ask(cap, EXO_ASK_SLOTS, 1, 0).status == EXO_OK);
	expect("must wait for it", call_revoke_take(cap, EXO_ASK_SLOTS, s, 0).status == EXO_AGAIN);
	while (time_now() < tables_revoke(e)->ask[EXO_ASK_SLOTS].deadline)
		(void)time_sleep_until(time_now() + MS, 0);
	expect("takes it", call_revoke_take(cap, EXO_ASK_SLOTS, s, 0).value == 1 &&
				   tables_slot(s)->owner == me);
	expect("takes no more than it asked for",
	       call_revoke_take(cap, EXO_ASK_SLOTS, slot_of(e), 0).status == EXO_STATE);
}

static void take_pages(uint32_t e)
{
	const uint32_t unused = tables_quota_limit(e)->n[EXO_QUOTA_PAGES] -
				tables_quota_used(e)->n[EXO_QUOTA_PAGES];
	const uint32_t before = tables_quota_used(e)->n[EXO_QUOTA_PAGES];
	uint32_t forced = 0;
	const int64_t got = revoke_pages(LAYOUT_CAP_ENV, e, unused + TAKE, 0, &forced);

	expect("gets the pages", got == unused + TAKE && forced != 0 && forced <= TAKE);
	expect("finds them gone", tables_quota_used(e)->n[EXO_QUOTA_PAGES] <= before - TAKE);
}

int main(void)
{
	const uint32_t e = EXO_EID_INDEX((struct eid){tables_find("stubborn")});

	(void)time_sleep_until(time_now() + 200ull * MS, 0);
	expect("sees it", e != 0);
	take_slot(e);
	take_pages(e);
	return failed;
}
