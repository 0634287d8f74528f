/*
 * principals.c - acting under another's name: taking it, giving it to a child, owning under it.
 */
#include "attack.h"

enum { TARGET = 50 };

static uint64_t mine(void)
{
	return tables_env(self_index())->principal;
}

/* Names that are neither this program's nor beneath it: the root, others', near misses. */
static uint32_t names(uint64_t list[16])
{
	uint32_t n = 0;

	list[n++] = 0;
	list[n++] = ~0ull;
	list[n++] = mine() + (1ull << 56);
	list[n++] = mine() - (1ull << 56);
	list[n++] = mine() >> 8;
	list[n++] = mine() << 8;
	for (uint32_t e = 1; e < tables_info()->envs && n < 16; e++)
		if (tables_env(e)->state != EXO_ENV_FREE && tables_env(e)->principal != mine())
			list[n++] = tables_env(e)->principal;
	return n;
}

static void taking_names(void)
{
	uint64_t list[16];
	const uint32_t n = names(list), e = find_free_env();

	if (call_env_create(e, CHILD_CAP).status != EXO_OK) {
		unprepared("a child to give names");
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		tally_refused(call_env_set(EXO_SELF.n, EXO_SET_PRINCIPAL, list[i]));
		tally_refused(call_env_set(CHILD_CAP, EXO_SET_PRINCIPAL, list[i]));
	}
	tally_refused(call_env_set(EXO_SELF.n, EXO_SET_PRINCIPAL, mine()));
	sum_up("taking another's name, for oneself and for a child");
	answered("a name beneath the own, for a child",
		 call_env_set(CHILD_CAP, EXO_SET_PRINCIPAL, mine() | 0x0042000000000000ull),
		 EXO_OK);
	score("a child has the name it was given",
	      tables_env(e)->principal == (mine() | 0x0042000000000000ull));
	(void)call_env_kill(CHILD_CAP, 0);
	(void)call_env_reap(CHILD_CAP);
}

/* Everything on the disk that is another's. */
static void owning(void)
{
	for (uint32_t x = 0; x < tables_info()->table[EXO_TABLE_EXTENTS].count; x++)
		if (tables_extent(x)->state != EXO_EXTENT_FREE && tables_extent(x)->owner != mine())
			tally_refused(call_extent_open(x, TARGET));
	tally_refused(call_extent_open(EXO_NEXTENT, TARGET));
	tally_refused(call_extent_open(1ull << 32 | 1, TARGET));
	sum_up("opening the extents of others");
}

/* Events are for one's own and those beneath; the kernel's are nobody's to post. */
static void posting(void)
{
	for (uint32_t e = 1; e < tables_info()->envs; e++) {
		if (tables_env(e)->state == EXO_ENV_FREE)
			continue;
		tally_refused(call_event_post(eid_of(e), EXO_EV_CHILD));
		tally_refused(call_event_post(eid_of(e), EXO_EV_USER | EXO_EV_TAKEN));
		if (tables_env(e)->principal != mine())
			tally_refused(call_event_post(eid_of(e), 1ull << 32));
	}
	sum_up("posting the kernel's events, or events to other principals");
}

void attack_principals(void)
{
	taking_names();
	owning();
	posting();
}
