/*
 * pressure - needs memory again and again, and asks the cache for it.
 *
 * It has the right to (env=cache:r in the manifest).  ROUNDS times it asks for WANTED frames more
 * than the cache has left over, and waits until they are there.  Ends after the cache.
 */
#include <libos/bare.h>
#include <libos/layout.h>
#include <libos/revoke.h>
#include <libos/tables.h>

int main(void);

enum { ROUNDS = 4, WANTED = 64, PAUSE_MS = 150, MS = 1000000 };

/* Frames that the cache may still take without having them. */
static uint32_t spare(uint32_t e)
{
	return tables_quota_limit(e)->n[EXO_QUOTA_PAGES] - tables_quota_used(e)->n[EXO_QUOTA_PAGES];
}

int main(void)
{
	const uint64_t tick = tables_info()->tick_ns;
	uint64_t slowest = 0, got = 0, wanted = 0, forced = 0;
	uint32_t e;

	while ((e = EXO_EID_INDEX((struct eid){tables_find("warm")})) == 0)
		(void)time_sleep_until(time_now() + MS, 0);
	for (int i = 0; i < ROUNDS; i++) {
		const uint32_t n = spare(e) + WANTED;
		const uint64_t start = time_now();
		uint32_t by_force = 0;
		const int64_t r = revoke_pages(LAYOUT_CAP_ENV, e, n, 0, &by_force);

		slowest = time_now() - start > slowest ? time_now() - start : slowest;
		got += r > 0 ? (uint64_t)r : 0;
		wanted += n;
		forced += by_force;
		(void)time_sleep_until(time_now() + PAUSE_MS * (uint64_t)MS, 0);
	}
	bare_print(
		"pressure: wanted %u pages in %u rounds, got %u, at most %u slices after asking\n",
		wanted, (uint64_t)ROUNDS, got, (slowest + tick - 1) / tick);
	while (tables_find("warm") != 0)
		(void)time_sleep_until(time_now() + MS, 0);
	return got != wanted || forced != 0;
}
