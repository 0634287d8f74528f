/*
 * ledger.c - whether the whole machine adds up, as far as the read-only tables show it: limits are
 * what they were in sum, every frame and CPU slot that is charged for is held, none is lost.
 *
 * The tables change when a slot ends in the midst of reading them.  Limits are read within one
 * slot; the others take longer, so such a sum counts as wrong when it never comes out right.
 * Owns the sums of the beginning.  Called by bystander.c.
 */
#include <libos/tables.h>
#include <libos/time.h>
#include "bystander.h"

enum { MS = 1000000, PATIENCE_MS = 2000 };

static uint64_t at_first[EXO_NQUOTA];
static uint32_t held[EXO_NENV];

/* The limits of all environments in sum, as they stood at one time. */
static void sum_limits(uint64_t sum[EXO_NQUOTA])
{
	uint64_t slot;

	do {
		slot = tables_info()->ticks;
		for (uint32_t k = 0; k < EXO_NQUOTA; k++)
			sum[k] = 0;
		for (uint32_t e = 0; e < tables_info()->envs; e++)
			for (uint32_t k = 0; k < EXO_NQUOTA; k++)
				sum[k] += tables_quota_limit(e)->n[k];
	} while (tables_info()->ticks != slot);
}

void ledger_remember(void)
{
	sum_limits(at_first);
}

/* Environments that are charged for more or fewer than they hold; free ones hold nothing. */
static uint64_t mischarged(uint32_t kind)
{
	uint64_t n = 0;

	for (uint32_t e = 1; e < tables_info()->envs; e++)
		n += tables_quota_used(e)->n[kind] != held[e] ||
		     (held[e] && tables_env(e)->state == EXO_ENV_FREE);
	return n;
}

static uint64_t wrong_pages(void)
{
	uint32_t free = 0;

	for (uint32_t e = 0; e < EXO_NENV; e++)
		held[e] = 0;
	for (uint32_t f = 0; f < tables_info()->frames; f++) {
		const volatile struct exo_page *p = tables_page(f);

		free += p->state == EXO_PAGE_FREE;
		held[p->owner % EXO_NENV]++;
	}
	return mischarged(EXO_QUOTA_PAGES) + (free != tables_info()->free_frames);
}

static uint64_t wrong_slots(void)
{
	for (uint32_t e = 0; e < EXO_NENV; e++)
		held[e] = 0;
	for (uint32_t s = 0; s < EXO_NSLOT; s++)
		held[tables_slot(s)->owner % EXO_NENV]++;
	return mischarged(EXO_QUOTA_SLOTS);
}

static uint64_t wrong_limits(void)
{
	uint64_t sum[EXO_NQUOTA], n = 0;

	sum_limits(sum);
	for (uint32_t k = 0; k < EXO_NQUOTA; k++)
		n += sum[k] != at_first[k];
	return n;
}

/* What look() says when it says least. */
static uint64_t least(uint64_t (*look)(void))
{
	const uint64_t until = time_now() + (uint64_t)PATIENCE_MS * MS;
	uint64_t n;

	while ((n = look()) != 0 && time_now() < until)
		(void)time_sleep_until(time_now() + MS, 0);
	return n;
}

uint64_t ledger_wrong(void)
{
	return least(wrong_pages) + least(wrong_slots) + least(wrong_limits);
}
